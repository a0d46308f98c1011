/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up account that answers every call: each list has `count` resources, each id a document. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "fake.h"

#define ARN "arn:aws:ecs:eu-west-1:123456789012:"

static const struct {
    const char *operation, *member, *arn, *name;
} lists[] = {
    {"ListClusters", "clusterArns", ARN "cluster/", "c"},
    {"ListServices", "serviceArns", ARN "service/prod/", "s"},
    {"ListTasks", "taskArns", ARN "task/prod/", "t"},
    {"ListTaskDefinitionFamilies", "families", "", "f"},
    {"ListTaskDefinitions", "taskDefinitionArns", ARN "task-definition/web:", ""},
};

static const struct {
    const char *operation, *ids, *member, *name, *arn_name, *arn;
} describes[] = {
    {"DescribeClusters", "clusters", "clusters", "clusterName", "clusterArn", ARN "cluster/"},
    {"DescribeServices", "services", "services", "serviceName", "serviceArn", ARN "service/prod/"},
    {"DescribeTasks", "tasks", "tasks", NULL, "taskArn", ARN "task/prod/"},
};

static json_t *list_reply(size_t row, json_t *input, int count)
{
    json_t *reply = json_object(), *ids = json_array();
    int page = (int)json_integer_value(json_object_get(input, "maxResults"));
    const char *token = json_string_value(json_object_get(input, "nextToken"));
    const char *status = json_string_value(json_object_get(input, "desiredStatus"));
    int from = token ? atoi(token) : 0;
    if (status && strcmp(status, "STOPPED") == 0)
        count = 0;
    for (int i = from; i < count && i < from + page; i++)
        json_array_append_new(ids, json_sprintf("%s%s%03d", lists[row].arn, lists[row].name, i));
    json_object_set_new(reply, lists[row].member, ids);
    if (from + page < count)
        json_object_set_new(reply, "nextToken", json_sprintf("%d", from + page));
    return reply;
}

static json_t *describe_reply(size_t row, json_t *input)
{
    json_t *docs = json_array(), *id;
    size_t i;
    json_array_foreach(json_object_get(input, describes[row].ids), i, id)
    {
        const char *name = json_string_value(id);
        json_t *doc =
            json_pack("{s:s, s:i, s:f, s:o}", "status", "ACTIVE", "desiredCount", 3, "createdAt",
                      1700000000.5, describes[row].arn_name, json_sprintf("%s%s", describes[row].arn, name));
        if (describes[row].name)
            json_object_set_new(doc, describes[row].name, json_string(name));
        json_array_append_new(docs, doc);
    }
    return json_pack("{s:o, s:[]}", describes[row].member, docs, "failures");
}

static json_t *revision_reply(json_t *input)
{
    const char *text = json_string_value(json_object_get(input, "taskDefinition"));
    const char *colon = strchr(text, ':');
    int revision = colon ? atoi(colon + 1) : 9;
    return json_pack("{s:{s:s#, s:i, s:s, s:o, s:f}, s:[]}", "taskDefinition", "family", text,
                     colon ? (int)(colon - text) : (int)strlen(text), "revision", revision, "status",
                     "ACTIVE", "taskDefinitionArn", json_sprintf(ARN "task-definition/web:%d", revision),
                     "registeredAt", 1700000000.25, "tags");
}

static json_t *answer(const struct ecs_call *call, json_t *input, int count)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (strcmp(lists[i].operation, call->operation) == 0)
            return list_reply(i, input, count);
    for (size_t i = 0; i < ARRAY_LEN(describes); i++)
        if (strcmp(describes[i].operation, call->operation) == 0)
            return describe_reply(i, input);
    if (strcmp(call->operation, "DescribeTaskDefinition") == 0)
        return revision_reply(input);
    ck_abort_msg("the world does not know %s", call->operation);
    return NULL;
}

void fake_world(struct fake *fake, int count)
{
    struct ecs_call *call;
    ecs_cache_pump(fake->cache);
    while ((call = fake_open(fake, 0))) {
        json_t *input = json_loads(call->body, 0, NULL);
        json_t *reply = answer(call, input, count);
        cleanup_free char *text = json_dumps(reply, 0);
        json_decref(input);
        json_decref(reply);
        fake_reply(fake, call, "%s", text);
        ecs_cache_pump(fake->cache);
    }
}
