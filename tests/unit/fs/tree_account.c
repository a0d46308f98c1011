/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up account's answers. */
#include "tree_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARN "arn:aws:ecs:eu-west-1:123456789012:"

static const char account_text[] =
    "{'clusters': {'prod': {"
    "  'doc': {'clusterName': 'prod', 'clusterArn': '" ARN "cluster/prod', 'status': 'ACTIVE',"
    "    'runningTasksCount': 3, 'pendingTasksCount': 0, 'activeServicesCount': 2,"
    "    'registeredContainerInstancesCount': 1, 'settings': [], 'tags': []},"
    "  'services': {},"
    "  'tasks': {},"
    "  'instances': {'1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c': {"
    "    'containerInstanceArn': '" ARN "container-instance/prod/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c',"
    "    'ec2InstanceId': 'i-0123456789abcdef0', 'status': 'ACTIVE', 'agentConnected': true,"
    "    'registeredAt': 1700000000.0,"
    "    'registeredResources': [{'name': 'CPU', 'type': 'INTEGER', 'integerValue': 2048},"
    "      {'name': 'MEMORY', 'type': 'INTEGER', 'integerValue': 3955}],"
    "    'remainingResources': [{'name': 'CPU', 'type': 'INTEGER', 'integerValue': 1024},"
    "      {'name': 'MEMORY', 'type': 'INTEGER', 'integerValue': 2931}],"
    "    'attributes': [{'name': 'ecs.os-type', 'value': 'linux'}, {'name': 'bare'}]}}}},"
    " 'families': {}}";

static void add_revision(json_t *families, const char *family, int revision)
{
    json_t *list = json_object_get(families, family);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(families, family, list);
    }
    char name[64], number[16];
    snprintf(name, sizeof(name), "%s:%d", family, revision);
    snprintf(number, sizeof(number), "%d", revision);
    json_array_append_new(
        list, json_pack("{s:s+, s:s, s:i, s:s, s:f, s:s, s:s, s:s, s:[s], s:[s], s:[{s:s, s:s+, s:i, s:b, "
                        "s:[{s:s, s:s}, {s:s, s:s}], s:[], s:[]}]}",
                        "taskDefinitionArn", ARN "task-definition/", name, "family", family, "revision",
                        revision, "status", "ACTIVE", "registeredAt", 1700000000.0 + revision, "cpu", "256",
                        "memory", "512", "networkMode", "awsvpc", "requiresCompatibilities", "FARGATE",
                        "compatibilities", "FARGATE", "containerDefinitions", "name", "main", "image",
                        "example/app:", number, "cpu", 0, "essential", 1, "environment", "name", "Z", "value",
                        "1", "name", "A", "value", "2", "mountPoints", "volumesFrom"));
}

static void add_service(json_t *cluster, const char *name, int desired)
{
    json_t *events = json_array();
    for (int i = 3; i > 0; i--)
        json_array_append_new(events, json_pack("{s:o, s:f, s:o}", "id", json_sprintf("%s-%d", name, i),
                                                "createdAt", 1700000100.0 + i, "message",
                                                json_sprintf("(service %s) event %d.", name, i)));
    json_object_set_new(
        json_object_get(cluster, "services"), name,
        json_pack(
            "{s:s, s:o, s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:o, s:o, s:[{s:s, s:s, s:o, s:s, s:s, s:f}]}",
            "serviceName", name, "serviceArn", json_sprintf(ARN "service/prod/%s", name), "clusterArn",
            ARN "cluster/prod", "status", "ACTIVE", "launchType", "FARGATE", "createdAt", 1700000000.0,
            "desiredCount", desired, "runningCount", desired, "pendingCount", 0, "taskDefinition",
            json_sprintf(ARN "task-definition/%s:1", name), "events", events, "deployments", "id",
            "ecs-svc/1", "status", "PRIMARY", "taskDefinition",
            json_sprintf(ARN "task-definition/%s:1", name), "rolloutState", "COMPLETED", "rolloutStateReason",
            "ECS deployment ecs-svc/1 completed.", "updatedAt", 1700000050.0));
}

static void add_task(json_t *cluster, const char *service, int n)
{
    char id[40];
    snprintf(id, sizeof(id), "%032x", n);
    json_object_set_new(
        json_object_get(cluster, "tasks"), id,
        json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:s, s:f, s:s, s:[{s:s, s:s, s:s, s:s, s:s}]}", "taskArn",
                  json_sprintf(ARN "task/prod/%s", id), "clusterArn", ARN "cluster/prod", "lastStatus",
                  "RUNNING", "desiredStatus", "RUNNING", "taskDefinitionArn",
                  json_sprintf(ARN "task-definition/%s:1", service), "group",
                  json_sprintf("service:%s", service), "launchType", "FARGATE", "createdAt", 1700000010.0,
                  "containerInstanceArn", ARN "container-instance/prod/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c",
                  "containers", "name", "main", "image", "example/app:1", "lastStatus", "RUNNING",
                  "healthStatus", "UNKNOWN", "imageDigest", "sha256:0123"));
}

json_t *account_new(void)
{
    char text[sizeof(account_text)];
    memcpy(text, account_text, sizeof(text));
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *account = json_loads(text, 0, NULL);
    json_t *cluster = json_object_get(json_object_get(account, "clusters"), "prod");
    add_service(cluster, "web", 3);
    add_service(cluster, "api", 0);
    for (int i = 1; i <= 3; i++)
        add_task(cluster, "web", i);
    for (int i = 1; i <= 3; i++)
        add_revision(json_object_get(account, "families"), "web", i);
    add_revision(json_object_get(account, "families"), "api", 1);
    return account;
}

void account_add_services(json_t *account, int count)
{
    json_t *cluster = json_object_get(json_object_get(account, "clusters"), "prod");
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%04d", i);
        add_service(cluster, name, i);
    }
}

/* ---- answers ---- */

struct answer {
    json_t *account, *input;
    const char *code, *message; /* an error */
};

static const char *last_part(const char *text)
{
    const char *slash = strrchr(text, '/');
    return slash != NULL ? slash + 1 : text;
}

static const char *input_text(const struct answer *answer, const char *member)
{
    const char *text = json_string_value(json_object_get(answer->input, member));
    return text != NULL ? last_part(text) : "";
}

static json_t *refuse(struct answer *answer, const char *code, const char *message)
{
    answer->code = code;
    answer->message = message;
    return NULL;
}

static json_t *cluster_of(struct answer *answer)
{
    json_t *cluster =
        json_object_get(json_object_get(answer->account, "clusters"), input_text(answer, "cluster"));
    return cluster != NULL ? cluster : refuse(answer, "ClusterNotFoundException", "Cluster not found.");
}

/* A page of the ARNs (or names) of an object's members. */
static json_t *list(struct answer *answer, const json_t *from, const char *prefix, const char *member)
{
    json_t *ids = json_array(), *reply = json_pack("{s:o}", member, ids), *value;
    const char *key;
    size_t at = 0, max = (size_t)json_integer_value(json_object_get(answer->input, "maxResults"));
    const char *token = json_string_value(json_object_get(answer->input, "nextToken"));
    size_t first = token != NULL ? (size_t)atoi(token) : 0;
    const char *status = json_string_value(json_object_get(answer->input, "desiredStatus"));
    max = max != 0 ? max : 100;
    json_object_foreach((json_t *)from, key, value)
    {
        const char *desired = json_string_value(json_object_get(value, "desiredStatus"));
        if (status != NULL && desired != NULL && strcmp(status, desired) != 0)
            continue;
        if (at >= first && at < first + max)
            json_array_append_new(ids, json_sprintf("%s%s", prefix, key));
        at++;
    }
    if (at > first + max)
        json_object_set_new(reply, "nextToken", json_sprintf("%zu", first + max));
    return reply;
}

static json_t *describe(struct answer *answer, const json_t *from, const char *ids, const char *member,
                        const char *inner)
{
    json_t *found = json_array(), *failures = json_array(), *id;
    size_t i;
    json_array_foreach(json_object_get(answer->input, ids), i, id)
    {
        json_t *item = json_object_get(from, last_part(json_string_value(id)));
        if (item != NULL && inner != NULL)
            item = json_object_get(item, inner);
        if (item != NULL)
            json_array_append(found, item);
        else
            json_array_append_new(failures, json_pack("{s:o, s:s}", "arn",
                                                      json_sprintf(ARN "x/%s", json_string_value(id)),
                                                      "reason", "MISSING"));
    }
    return json_pack("{s:o, s:o}", member, found, "failures", failures);
}

static json_t *list_clusters(struct answer *answer)
{
    return list(answer, json_object_get(answer->account, "clusters"), ARN "cluster/", "clusterArns");
}
static json_t *describe_clusters(struct answer *answer)
{
    return describe(answer, json_object_get(answer->account, "clusters"), "clusters", "clusters", "doc");
}
static json_t *list_services(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    return cluster ? list(answer, json_object_get(cluster, "services"), ARN "service/prod/", "serviceArns")
                   : NULL;
}
static json_t *describe_services(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    return cluster ? describe(answer, json_object_get(cluster, "services"), "services", "services", NULL)
                   : NULL;
}
static json_t *list_tasks(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    return cluster ? list(answer, json_object_get(cluster, "tasks"), ARN "task/prod/", "taskArns") : NULL;
}
static json_t *describe_tasks(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    return cluster ? describe(answer, json_object_get(cluster, "tasks"), "tasks", "tasks", NULL) : NULL;
}
static json_t *list_instances(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    return cluster ? list(answer, json_object_get(cluster, "instances"), ARN "container-instance/prod/",
                          "containerInstanceArns")
                   : NULL;
}
static json_t *describe_instances(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    return cluster ? describe(answer, json_object_get(cluster, "instances"), "containerInstances",
                              "containerInstances", NULL)
                   : NULL;
}

static json_t *update_instances(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    const char *id =
        json_string_value(json_array_get(json_object_get(answer->input, "containerInstances"), 0));
    json_t *instance = json_object_get(json_object_get(cluster, "instances"), last_part(id));
    json_object_set(instance, "status", json_object_get(answer->input, "status"));
    return json_pack("{s:[O], s:[]}", "containerInstances", instance, "failures");
}

static json_t *list_families(struct answer *answer)
{
    return list(answer, json_object_get(answer->account, "families"), "", "families");
}

static json_t *list_revisions(struct answer *answer)
{
    json_t *reply = json_pack("{s:[]}", "taskDefinitionArns"), *revision;
    const char *family = input_text(answer, "familyPrefix"), *status = input_text(answer, "status");
    size_t i;
    json_array_foreach(json_object_get(json_object_get(answer->account, "families"), family), i, revision)
    {
        if (status[0] == '\0' || strcmp(status, json_string_value(json_object_get(revision, "status"))) == 0)
            json_array_append(json_object_get(reply, "taskDefinitionArns"),
                              json_object_get(revision, "taskDefinitionArn"));
    }
    return reply;
}

static json_t *find_revision(struct answer *answer, const char *name)
{
    char family[256];
    const char *colon = strchr(name, ':');
    snprintf(family, sizeof(family), "%.*s", (int)(colon ? colon - name : (long)strlen(name)), name);
    json_t *revisions = json_object_get(json_object_get(answer->account, "families"), family);
    size_t n = colon != NULL ? (size_t)atoi(colon + 1) : json_array_size(revisions);
    json_t *revision = n > 0 ? json_array_get(revisions, n - 1) : NULL;
    return revision ? revision : refuse(answer, "ClientException", "Unable to describe task definition.");
}

static json_t *describe_revision(struct answer *answer)
{
    json_t *revision = find_revision(answer, input_text(answer, "taskDefinition"));
    return revision ? json_pack("{s:O, s:[]}", "taskDefinition", revision, "tags") : NULL;
}

static json_t *update_service(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    json_t *service = json_object_get(json_object_get(cluster, "services"), input_text(answer, "service"));
    if (service == NULL)
        return cluster != NULL ? refuse(answer, "ServiceNotFoundException", "Service not found.") : NULL;
    if (json_object_get(answer->input, "desiredCount") != NULL)
        json_object_set(service, "desiredCount", json_object_get(answer->input, "desiredCount"));
    if (json_object_get(answer->input, "taskDefinition") != NULL) {
        json_t *revision = find_revision(answer, input_text(answer, "taskDefinition"));
        if (revision == NULL)
            return NULL;
        json_t *arn = json_object_get(revision, "taskDefinitionArn");
        json_t *old = json_array_get(json_object_get(service, "deployments"), 0);
        json_t *next = json_deep_copy(old);
        json_object_set_new(old, "status", json_string("ACTIVE"));
        json_object_set(next, "taskDefinition", arn);
        json_object_set_new(next, "id", json_string("ecs-svc/2"));
        json_object_set_new(next, "rolloutState", json_string("IN_PROGRESS"));
        json_array_insert_new(json_object_get(service, "deployments"), 0, next);
        json_object_set(service, "taskDefinition", arn);
    }
    return json_pack("{s:O}", "service", service);
}

static json_t *stop_task(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    json_t *task = json_object_get(json_object_get(cluster, "tasks"), input_text(answer, "task"));
    if (task == NULL)
        return refuse(answer, "InvalidParameterException", "The referenced task was not found.");
    json_object_set_new(task, "desiredStatus", json_string("STOPPED"));
    json_object_set(task, "stoppedReason", json_object_get(answer->input, "reason"));
    return json_pack("{s:O}", "task", task);
}

static json_t *protection(struct answer *answer)
{
    json_t *cluster = cluster_of(answer), *reply = json_pack("{s:[], s:[]}", "protectedTasks", "failures"),
           *id;
    size_t i;
    json_array_foreach(json_object_get(answer->input, "tasks"), i, id)
    {
        json_t *task = json_object_get(json_object_get(cluster, "tasks"), last_part(json_string_value(id)));
        if (task != NULL)
            json_array_append_new(
                json_object_get(reply, "protectedTasks"),
                json_pack("{s:O, s:b}", "taskArn", json_object_get(task, "taskArn"), "protectionEnabled", 0));
    }
    return reply;
}

static json_t *identity(struct answer *answer)
{
    return json_pack("{s:s, s:s, s:s}", "Account", "123456789012", "Arn",
                     "arn:aws:sts::123456789012:assumed-role/me/x", "UserId", "AROA:x");
}

static const struct {
    const char *operation;
    json_t *(*answer)(struct answer *answer);
} answers[] = {
    {"ListClusters", list_clusters},
    {"DescribeClusters", describe_clusters},
    {"ListServices", list_services},
    {"DescribeServices", describe_services},
    {"UpdateService", update_service},
    {"ListTasks", list_tasks},
    {"DescribeTasks", describe_tasks},
    {"StopTask", stop_task},
    {"ListContainerInstances", list_instances},
    {"DescribeContainerInstances", describe_instances},
    {"UpdateContainerInstancesState", update_instances},
    {"ListTaskDefinitionFamilies", list_families},
    {"ListTaskDefinitions", list_revisions},
    {"DescribeTaskDefinition", describe_revision},
    {"GetCallerIdentity", identity},
    {"GetTaskProtection", protection},
};

void (*account_download)(struct ecs_call *call);
json_t *(*account_more)(json_t *account, const char *operation, json_t *input, const char **ret_code,
                        const char **ret_message);

json_t *account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                       const char **ret_message)
{
    struct answer answer = {account, input, "UnknownOperationException", "Unknown operation."};
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
        if (strcmp(answers[i].operation, operation) == 0) {
            json_t *reply = answers[i].answer(&answer);
            *ret_code = answer.code;
            *ret_message = answer.message;
            return reply;
        }
    *ret_code = answer.code;
    *ret_message = answer.message;
    return account_more != NULL ? account_more(account, operation, input, ret_code, ret_message) : NULL;
}
