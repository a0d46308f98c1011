/* SPDX-License-Identifier: Apache-2.0 */
#include "rest.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"
#include "query.h"
#include "sigv4.h"

enum { PATH_MAX_LEN = 4096, QUERY_MAX = 8192 };

static const struct operation {
    const char *name, *method;
    const char *path;   /* before the name */
    const char *member; /* that ends the path; NULL: none */
} operations[] = {
    {"CreateSchedule", "POST", "/schedules", "Name"},
    {"CreateScheduleGroup", "POST", "/schedule-groups", "Name"},
    {"DeleteSchedule", "DELETE", "/schedules", "Name"},
    {"DeleteScheduleGroup", "DELETE", "/schedule-groups", "Name"},
    {"GetSchedule", "GET", "/schedules", "Name"},
    {"GetScheduleGroup", "GET", "/schedule-groups", "Name"},
    {"ListScheduleGroups", "GET", "/schedule-groups", NULL},
    {"ListSchedules", "GET", "/schedules", NULL},
    {"ListTagsForResource", "GET", "/tags", "ResourceArn"},
    {"TagResource", "POST", "/tags", "ResourceArn"},
    {"UntagResource", "DELETE", "/tags", "ResourceArn"},
    {"UpdateSchedule", "PUT", "/schedules", "Name"},
};

/* Members whose name in a query is another. */
static const struct {
    const char *operation, *member, *query;
} renames[] = {
    {"ListSchedules", "GroupName", "ScheduleGroup"},       {"GetSchedule", "GroupName", "groupName"},
    {"DeleteSchedule", "GroupName", "groupName"},          {"DeleteSchedule", "ClientToken", "clientToken"},
    {"DeleteScheduleGroup", "ClientToken", "clientToken"},
};

static const char *query_name(const char *operation, const char *member)
{
    for (size_t i = 0; i < ARRAY_LEN(renames); i++)
        if (strcmp(renames[i].operation, operation) == 0 && strcmp(renames[i].member, member) == 0)
            return renames[i].query;
    return member;
}

static int add_value(struct ecs_buf *query, const char *name, const json_t *value)
{
    char number[32];
    if (json_is_string(value))
        return aws_form_add(query, name, json_string_value(value));
    if (!json_is_integer(value))
        return -EINVAL;
    snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return aws_form_add(query, name, number);
}

static int add_query(const char *operation, const json_t *input, struct ecs_buf *query)
{
    const char *name;
    json_t *value, *one;
    size_t i;
    int r = 0;
    json_object_foreach((json_t *)input, name, value)
    {
        const char *as = query_name(operation, name);
        if (!json_is_array(value)) {
            r = r ? r : add_value(query, as, value);
            continue;
        }
        json_array_foreach(value, i, one) r = r ? r : add_value(query, as, one);
    }
    return r;
}

static int make(const struct operation *operation, json_t *input, struct aws_rest *rest)
{
    cleanup_buf struct ecs_buf path = ECS_BUF(PATH_MAX_LEN), query = ECS_BUF(QUERY_MAX);
    ecs_buf_adds(&path, operation->path);
    if (operation->member) {
        const char *value = json_string_value(json_object_get(input, operation->member));
        if (!value || !*value)
            return -EINVAL;
        ecs_buf_adds(&path, "/");
        aws_uri_encode(&path, value, strlen(value), false);
        json_object_del(input, operation->member);
    }
    bool with_body = operation->method[0] == 'P';
    int r = with_body ? 0 : add_query(operation->name, input, &query);
    if (r < 0 || path.failed || query.failed)
        return r ? r : path.failed ? path.failed : query.failed;
    *rest = (struct aws_rest){operation->method, ecs_buf_steal(&path, NULL), ecs_buf_steal(&query, NULL),
                              with_body ? ecs_json_text(input, JSON_COMPACT) : strdup("")};
    if (rest->path && rest->query && rest->body)
        return 0;
    aws_rest_free(rest);
    return -ENOMEM;
}

int aws_rest_make(const char *operation, const char *input, struct aws_rest *ret_rest)
{
    *ret_rest = (struct aws_rest){0};
    size_t i = 0;
    while (i < ARRAY_LEN(operations) && strcmp(operations[i].name, operation) != 0)
        i++;
    if (i == ARRAY_LEN(operations))
        return -EOPNOTSUPP;
    json_t *tree = json_loads(input, JSON_REJECT_DUPLICATES, NULL);
    int r = json_is_object(tree) ? make(&operations[i], tree, ret_rest) : -EINVAL;
    json_decref(tree);
    return r;
}

void aws_rest_free(struct aws_rest *rest)
{
    free(rest->path);
    free(rest->query);
    free(rest->body);
    *rest = (struct aws_rest){0};
}
