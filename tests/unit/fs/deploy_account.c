/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy_account.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARN "arn:aws:ecs:eu-west-1:123456789012:"

struct answer {
    json_t *account, *input;
    const char *code, *message;
};

static json_t *refuse(struct answer *answer, const char *code, const char *message)
{
    answer->code = code;
    answer->message = message;
    return NULL;
}

static const char *text_in(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static json_t *revision_arn(int revision)
{
    return json_sprintf(ARN "service-revision/prod/web/%d", revision);
}

void deploy_add(json_t *account, const char *id, const char *status, int target, int source)
{
    json_t *all = json_object_get(account, "deployments");
    if (all == NULL) {
        all = json_array();
        json_object_set_new(account, "deployments", all);
    }
    json_t *deployment = json_pack(
        "{s:o, s:s, s:s, s:s, s:f, s:{s:o, s:i, s:i, s:i}, s:[]}", "serviceDeploymentArn",
        json_sprintf(ARN "service-deployment/prod/web/%s", id), "serviceArn", ARN "service/prod/web",
        "status", status, "statusReason", "AWS's words.", "createdAt",
        1700000000.0 + (double)json_array_size(all), "targetServiceRevision", "arn", revision_arn(target),
        "requestedTaskCount", 3, "runningTaskCount", 2, "pendingTaskCount", 1, "sourceServiceRevisions");
    if (source > 0)
        json_array_append_new(json_object_get(deployment, "sourceServiceRevisions"),
                              json_pack("{s:o}", "arn", revision_arn(source)));
    if (source > 0 && strncmp(status, "ROLLBACK", 8) == 0)
        json_object_set_new(deployment, "rollback",
                            json_pack("{s:s, s:o}", "reason", "The breaker's words.", "serviceRevisionArn",
                                      revision_arn(source)));
    json_array_insert_new(all, 0, deployment);
}

json_t *deploy_find(json_t *account, const char *id)
{
    size_t i;
    json_t *deployment;
    json_array_foreach(json_object_get(account, "deployments"), i, deployment)
    {
        const char *slash = strrchr(text_in(deployment, "serviceDeploymentArn"), '/');
        if (slash != NULL && strcmp(slash + 1, id) == 0)
            return deployment;
    }
    return NULL;
}

static json_t *list_deployments(struct answer *answer)
{
    if (json_object_get(answer->account, "deployments") == NULL)
        return refuse(answer, "UnknownOperationException", "Unknown operation.");
    ck_assert_str_eq(text_in(answer->input, "cluster"), "prod");
    if (strcmp(text_in(answer->input, "service"), "web") != 0)
        return json_pack("{s:[]}", "serviceDeployments");
    json_t *brief = json_array(), *deployment;
    size_t i;
    json_array_foreach(json_object_get(answer->account, "deployments"), i, deployment)
        json_array_append_new(brief, json_pack("{s:O, s:O}", "serviceDeploymentArn",
                                               json_object_get(deployment, "serviceDeploymentArn"), "status",
                                               json_object_get(deployment, "status")));
    return json_pack("{s:o}", "serviceDeployments", brief);
}

static json_t *describe_deployments(struct answer *answer)
{
    json_t *found = json_array(), *failures = json_array(), *arn;
    size_t i;
    ck_assert_uint_le(json_array_size(json_object_get(answer->input, "serviceDeploymentArns")), 20);
    json_array_foreach(json_object_get(answer->input, "serviceDeploymentArns"), i, arn)
    {
        json_t *deployment = deploy_find(answer->account, strrchr(json_string_value(arn), '/') + 1);
        if (deployment != NULL)
            json_array_append(found, deployment);
        else
            json_array_append_new(failures, json_pack("{s:O, s:s}", "arn", arn, "reason", "MISSING"));
    }
    return json_pack("{s:o, s:o}", "serviceDeployments", found, "failures", failures);
}

static json_t *describe_revisions(struct answer *answer)
{
    json_t *found = json_array(), *arn;
    size_t i;
    ck_assert_uint_le(json_array_size(json_object_get(answer->input, "serviceRevisionArns")), 20);
    json_array_foreach(json_object_get(answer->input, "serviceRevisionArns"), i, arn)
    {
        int revision = atoi(strrchr(json_string_value(arn), '/') + 1);
        json_array_append_new(found, json_pack("{s:O, s:o, s:f}", "serviceRevisionArn", arn, "taskDefinition",
                                               json_sprintf(ARN "task-definition/web:%d", revision % 10),
                                               "createdAt", 1700000000.0));
    }
    return json_pack("{s:o, s:[]}", "serviceRevisions", found, "failures");
}

static json_t *stop_deployment(struct answer *answer)
{
    json_t *deployment =
        deploy_find(answer->account, strrchr(text_in(answer->input, "serviceDeploymentArn"), '/') + 1);
    json_object_set_new(deployment, "status", json_string("ROLLBACK_REQUESTED"));
    return json_pack("{s:O}", "serviceDeploymentArn", json_object_get(answer->input, "serviceDeploymentArn"));
}

/* ---- the rest ---- */

static json_t *list_settings(struct answer *answer)
{
    json_t *put = json_object_get(answer->account, "setting");
    return json_pack("{s:[{s:s, s:s}, {s:s, s:O*}]}", "settings", "name", "awsvpcTrunking", "value",
                     "disabled", "name", "containerInsights", "value", put != NULL ? put : json_true());
}

static json_t *put_setting(struct answer *answer)
{
    json_object_set(answer->account, "setting", json_object_get(answer->input, "value"));
    return json_pack("{s:{s:O, s:O}}", "setting", "name", json_object_get(answer->input, "name"), "value",
                     json_object_get(answer->input, "value"));
}

static json_t *delete_setting(struct answer *answer)
{
    json_object_set_new(answer->account, "setting", json_string("disabled"));
    return json_pack("{s:{s:O}}", "setting", "name", json_object_get(answer->input, "name"));
}

static json_t *describe_providers(struct answer *answer)
{
    return json_pack("{s:[{s:s, s:s, s:s, s:s, s:[]}], s:[]}", "capacityProviders", "name", "FARGATE",
                     "capacityProviderArn", ARN "capacity-provider/FARGATE", "status", "ACTIVE", "type",
                     "FARGATE", "tags", "failures");
}

static json_t *task_sets(struct answer *answer)
{
    json_t *sets = json_object_get(answer->account, "taskSets");
    if (sets == NULL) {
        sets = json_pack("[{s:s, s:s, s:s, s:s, s:{s:f, s:s}, s:i, s:f}]", "id", "ecs-svc/77", "taskSetArn",
                         ARN "task-set/prod/web/ecs-svc/77", "status", "ACTIVE", "taskDefinition",
                         ARN "task-definition/web:2", "scale", "value", 50.0, "unit", "PERCENT",
                         "computedDesiredCount", 2, "createdAt", 1700000000.0);
        json_object_set_new(answer->account, "taskSets", sets);
    }
    return sets;
}

static json_t *describe_sets(struct answer *answer)
{
    return json_pack("{s:O, s:[]}", "taskSets", task_sets(answer), "failures");
}

static json_t *update_set(struct answer *answer)
{
    json_t *set = json_array_get(task_sets(answer), 0);
    json_object_set(set, "scale", json_object_get(answer->input, "scale"));
    return json_pack("{s:O}", "taskSet", set);
}

static json_t *make_primary(struct answer *answer)
{
    json_t *set = json_array_get(task_sets(answer), 0);
    json_object_set_new(set, "status", json_string("PRIMARY"));
    return json_pack("{s:O}", "taskSet", set);
}

static const struct {
    const char *operation;
    json_t *(*answer)(struct answer *answer);
} answers[] = {
    {"ListServiceDeployments", list_deployments},
    {"DescribeServiceDeployments", describe_deployments},
    {"DescribeServiceRevisions", describe_revisions},
    {"StopServiceDeployment", stop_deployment},
    {"ContinueServiceDeployment", stop_deployment},
    {"ListAccountSettings", list_settings},
    {"PutAccountSetting", put_setting},
    {"DeleteAccountSetting", delete_setting},
    {"DescribeCapacityProviders", describe_providers},
    {"DescribeTaskSets", describe_sets},
    {"UpdateTaskSet", update_set},
    {"UpdateServicePrimaryTaskSet", make_primary},
};

json_t *deploy_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                      const char **ret_message)
{
    struct answer answer = {account, input, "UnknownOperationException", "Unknown operation."};
    json_t *reply = NULL;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
        if (strcmp(answers[i].operation, operation) == 0)
            reply = answers[i].answer(&answer);
    *ret_code = answer.code;
    *ret_message = answer.message;
    return reply;
}
