/* SPDX-License-Identifier: Apache-2.0 */
#include "write_account.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARN "arn:aws:ecs:eu-west-1:123456789012:"

struct write_account_loss write_account_loss;

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

static const char *text_in(const struct answer *answer, const char *member)
{
    const char *text = json_string_value(json_object_get(answer->input, member));
    return text ? text : "";
}

static json_t *cluster_of(const struct answer *answer)
{
    return json_object_get(json_object_get(answer->account, "clusters"), text_in(answer, "cluster"));
}

static json_t *families(const struct answer *answer)
{
    return json_object_get(answer->account, "families");
}

/* Like AWS it fills in, and refuses an image called "refused". */
static json_t *register_definition(struct answer *answer)
{
    const char *family = text_in(answer, "family");
    json_t *containers = json_object_get(answer->input, "containerDefinitions");
    const char *image = json_string_value(json_object_get(json_array_get(containers, 0), "image"));
    if (!image || strcmp(image, "refused") == 0)
        return refuse(answer, "ClientException", "Container.image should not be null or empty.");
    json_t *revisions = json_object_get(families(answer), family);
    if (!revisions) {
        revisions = json_array();
        json_object_set_new(families(answer), family, revisions);
    }
    json_t *definition = json_deep_copy(answer->input);
    int number = (int)json_array_size(revisions) + 1;
    json_object_del(definition, "tags");
    json_object_set_new(definition, "taskDefinitionArn",
                        json_sprintf(ARN "task-definition/%s:%d", family, number));
    json_object_set_new(definition, "revision", json_integer(number));
    json_object_set_new(definition, "status", json_string("ACTIVE"));
    json_object_set_new(definition, "registeredAt", json_real(1700000000.0 + number));
    json_object_set_new(definition, "volumes", json_array());
    json_object_set_new(definition, "compatibilities", json_pack("[s]", "EC2"));
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(definition, "containerDefinitions"), i, container)
    {
        if (!json_object_get(container, "cpu"))
            json_object_set_new(container, "cpu", json_integer(0));
        json_object_set_new(container, "mountPoints", json_array());
    }
    json_array_append_new(revisions, definition);
    return json_pack("{s:O}", "taskDefinition", definition);
}

static json_t *deregister(struct answer *answer)
{
    char family[256];
    const char *name = text_in(answer, "taskDefinition"), *colon = strchr(name, ':');
    snprintf(family, sizeof(family), "%.*s", (int)(colon - name), name);
    json_t *definition =
        json_array_get(json_object_get(families(answer), family), (size_t)atoi(colon + 1) - 1);
    if (!definition)
        return refuse(answer, "ClientException", "The specified task definition does not exist.");
    json_object_set_new(definition, "status", json_string("INACTIVE"));
    return json_pack("{s:O}", "taskDefinition", definition);
}

static json_t *create_cluster(struct answer *answer)
{
    const char *name = text_in(answer, "clusterName");
    json_t *cluster = json_pack("{s:{s:s, s:o, s:s, s:[]}, s:{}, s:{}, s:{}}", "doc", "clusterName", name,
                                "clusterArn", json_sprintf(ARN "cluster/%s", name), "status", "ACTIVE",
                                "settings", "services", "tasks", "instances");
    json_object_set_new(json_object_get(answer->account, "clusters"), name, cluster);
    return json_pack("{s:O}", "cluster", json_object_get(cluster, "doc"));
}

static json_t *delete_cluster(struct answer *answer)
{
    json_t *cluster = cluster_of(answer);
    if (!cluster)
        return refuse(answer, "ClusterNotFoundException", "Cluster not found.");
    if (json_object_size(json_object_get(cluster, "services")) > 0)
        return refuse(answer, "ClusterContainsServicesException",
                      "The Cluster cannot be deleted while Services are active.");
    json_t *reply = json_pack("{s:O}", "cluster", json_object_get(cluster, "doc"));
    json_object_del(json_object_get(answer->account, "clusters"), text_in(answer, "cluster"));
    return reply;
}

static json_t *create_service(struct answer *answer)
{
    json_t *services = json_object_get(cluster_of(answer), "services");
    const char *name = text_in(answer, "serviceName"), *definition = text_in(answer, "taskDefinition");
    if (!services)
        return refuse(answer, "ClusterNotFoundException", "Cluster not found.");
    if (json_object_get(services, name))
        return refuse(answer, "InvalidParameterException", "Creation of service was not idempotent.");
    json_t *service = json_deep_copy(answer->input);
    json_object_del(service, "clientToken");
    json_object_del(service, "cluster");
    json_object_set_new(service, "status", json_string("ACTIVE"));
    json_object_set_new(service, "serviceArn",
                        json_sprintf(ARN "service/%s/%s", text_in(answer, "cluster"), name));
    json_object_set_new(service, "taskDefinition", json_sprintf(ARN "task-definition/%s", definition));
    json_object_set_new(service, "runningCount", json_integer(0));
    json_object_set_new(service, "pendingCount", json_integer(0));
    json_object_set_new(service, "deployments", json_array());
    json_object_set_new(service, "events", json_array());
    json_object_set_new(services, name, service);
    return json_pack("{s:O}", "service", service);
}

static json_t *delete_service(struct answer *answer)
{
    json_t *services = json_object_get(cluster_of(answer), "services");
    json_t *service = json_object_get(services, text_in(answer, "service"));
    if (!service)
        return refuse(answer, "ServiceNotFoundException", "Service not found.");
    json_t *reply = json_pack("{s:O}", "service", service);
    json_object_del(services, text_in(answer, "service"));
    return reply;
}

static json_t *run_task(struct answer *answer)
{
    json_t *tasks = json_object_get(cluster_of(answer), "tasks");
    long long count = json_integer_value(json_object_get(answer->input, "count"));
    json_t *reply = json_pack("{s:[], s:[]}", "tasks", "failures");
    if (count > 2)
        json_array_append_new(json_object_get(reply, "failures"),
                              json_pack("{s:s}", "reason", "RESOURCE:MEMORY"));
    for (long long i = 0; i < (count ? count > 2 ? 2 : count : 1); i++) {
        char id[40];
        snprintf(id, sizeof(id), "%032x", 0xa0 + (unsigned)json_object_size(tasks));
        json_t *task =
            json_pack("{s:o, s:s, s:s, s:s, s:f, s:[]}", "taskArn", json_sprintf(ARN "task/prod/%s", id),
                      "lastStatus", "PENDING", "desiredStatus", "RUNNING", "clusterArn", ARN "cluster/prod",
                      "createdAt", 1700000000.0, "containers");
        json_object_set_new(tasks, id, task);
        json_array_append(json_object_get(reply, "tasks"), task);
    }
    return reply;
}

static json_t *find_by_arn(const struct answer *answer, const char *arn)
{
    const char *cluster, *name;
    json_t *value, *service;
    json_object_foreach(json_object_get(answer->account, "clusters"), cluster, value)
    {
        json_object_foreach(json_object_get(value, "services"), name, service)
        {
            if (strcmp(json_string_value(json_object_get(service, "serviceArn")), arn) == 0)
                return service;
        }
    }
    return NULL;
}

static json_t *tag(struct answer *answer)
{
    json_t *resource = find_by_arn(answer, text_in(answer, "resourceArn"));
    if (!resource)
        return refuse(answer, "InvalidParameterException", "The specified resource was not found.");
    json_t *tags = json_object_get(resource, "tags"), *next = json_array(), *item, *given;
    size_t i, j;
    json_array_foreach(tags, i, item)
    {
        bool replaced = false;
        json_array_foreach(json_object_get(answer->input, "tags"), j, given) replaced |=
            json_equal(json_object_get(item, "key"), json_object_get(given, "key"));
        if (!replaced)
            json_array_append(next, item);
    }
    json_array_extend(next, json_object_get(answer->input, "tags"));
    json_object_set_new(resource, "tags", next);
    return json_object();
}

static json_t *untag(struct answer *answer)
{
    json_t *resource = find_by_arn(answer, text_in(answer, "resourceArn"));
    json_t *next = json_array(), *item, *key;
    size_t i, j;
    json_array_foreach(json_object_get(resource, "tags"), i, item)
    {
        bool removed = false;
        json_array_foreach(json_object_get(answer->input, "tagKeys"), j, key) removed |=
            json_equal(json_object_get(item, "key"), key);
        if (!removed)
            json_array_append(next, item);
    }
    json_object_set_new(resource, "tags", next);
    return json_object();
}

/* Of the one instance; a value of NULL removes. */
static json_t *set_attribute(struct answer *answer, bool put)
{
    json_t *given = json_array_get(json_object_get(answer->input, "attributes"), 0), *item,
           *next = json_array();
    const char *id = json_string_value(json_object_get(given, "targetId"));
    json_t *instance = json_object_get(json_object_get(cluster_of(answer), "instances"), id ? id : "");
    size_t i;
    if (!instance) {
        json_decref(next);
        return refuse(answer, "TargetNotFoundException", "The specified target wasn't found.");
    }
    json_array_foreach(json_object_get(instance, "attributes"), i, item)
    {
        if (!json_equal(json_object_get(item, "name"), json_object_get(given, "name")))
            json_array_append(next, item);
    }
    if (put)
        json_array_append(next, given);
    json_object_set_new(instance, "attributes", next);
    return json_pack("{s:[O]}", "attributes", given);
}

static json_t *put_attributes(struct answer *answer)
{
    return set_attribute(answer, true);
}

static json_t *delete_attributes(struct answer *answer)
{
    return set_attribute(answer, false);
}

static const struct {
    const char *operation;
    json_t *(*answer)(struct answer *answer);
} answers[] = {
    {"RegisterTaskDefinition", register_definition},
    {"DeregisterTaskDefinition", deregister},
    {"CreateCluster", create_cluster},
    {"DeleteCluster", delete_cluster},
    {"CreateService", create_service},
    {"DeleteService", delete_service},
    {"RunTask", run_task},
    {"TagResource", tag},
    {"UntagResource", untag},
    {"PutAttributes", put_attributes},
    {"DeleteAttributes", delete_attributes},
};

json_t *write_account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                             const char **ret_message)
{
    struct answer answer = {account, input, *ret_code, *ret_message};
    json_t *reply = NULL;
    bool lost = write_account_loss.operation && strcmp(write_account_loss.operation, operation) == 0;
    bool done = !lost || !write_account_loss.undone;
    for (size_t i = 0; done && i < sizeof(answers) / sizeof(*answers); i++) {
        if (strcmp(answers[i].operation, operation) == 0)
            reply = answers[i].answer(&answer);
    }
    *ret_code = answer.code;
    *ret_message = answer.message;
    if (!lost)
        return reply;
    write_account_loss.operation = NULL;
    json_decref(reply);
    *ret_code = "AnswerLost";
    *ret_message = "the answer was lost";
    return NULL;
}
