/* SPDX-License-Identifier: Apache-2.0 */
#include "living.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/error.h"

struct living living;
static json_t *replies;

void living_open(const char *state_file)
{
    struct ecs_error *error = NULL;
    replies = json_array();
    if (!living.manual.now)
        ecs_manual_clock_init(&living.manual, 1000, 1790000000000);
    living.world = world_new(&(struct ecs_local_options){.state_file = state_file,
                                                         .region = "eu-west-1",
                                                         .clock = &living.manual.clock},
                             &error);
    ck_assert_msg(living.world != NULL, "%s", error ? error->message : "");
}

void living_begin(void)
{
    living.manual.now = 0;
    living_open(NULL);
}

void living_end(void)
{
    living.world = world_free(living.world);
    json_decref(replies);
    replies = NULL;
}

void living_pass(int64_t ms)
{
    ecs_manual_clock_step(&living.manual, ms);
    world_tick(living.world);
}

__attribute__((format(printf, 1, 0))) static json_t *parse(const char *format, va_list args)
{
    char *text;
    ck_assert_int_ge(vasprintf(&text, format, args), 0);
    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_error_t why;
    json_t *in = json_loads(text, 0, &why);
    ck_assert_msg(in != NULL, "%s: %s", why.text, text);
    free(text);
    return in;
}

__attribute__((format(printf, 3, 0))) static json_t *must(const char *service, const char *operation,
                                                          const char *format, va_list args)
{
    struct ecs_error *error = NULL;
    json_t *in = parse(format, args);
    json_t *reply = world_call(living.world, NULL, service, operation, in, &error);
    json_decref(in);
    ck_assert_msg(reply != NULL, "%s: %s: %s", operation, error ? error->code : "",
                  error ? error->message : "");
    json_array_append_new(replies, reply);
    return reply;
}

json_t *call(const char *operation, const char *in, ...)
{
    va_list args;
    va_start(args, in);
    json_t *reply = must("ecs", operation, in, args);
    va_end(args);
    return reply;
}

json_t *call_of(const char *service_name, const char *operation, const char *in, ...)
{
    va_list args;
    va_start(args, in);
    json_t *reply = must(service_name, operation, in, args);
    va_end(args);
    return reply;
}

void refused(const char *code, const char *message, const char *operation, const char *in, ...)
{
    struct ecs_error *error = NULL;
    va_list args;
    va_start(args, in);
    json_t *tree = parse(in, args);
    va_end(args);
    json_t *reply = world_call(living.world, NULL, "ecs", operation, tree, &error);
    json_decref(tree);
    ck_assert_msg(reply == NULL, "%s was not refused", operation);
    ck_assert_str_eq(error->code, code);
    ck_assert_msg(strstr(error->message, message) != NULL, "message: %s", error->message);
    ecs_error_unref(error);
}

json_t *at(json_t *tree, const char *path)
{
    char *copy = strdup(path), *rest = copy;
    for (char *part; tree && (part = strsep(&rest, "."));)
        tree = json_is_array(tree) ? json_array_get(tree, (size_t)atoi(part)) : json_object_get(tree, part);
    free(copy);
    return tree;
}

const char *text_at(json_t *tree, const char *path)
{
    const char *text = json_string_value(at(tree, path));
    return text ? text : "(none)";
}

long number_at(json_t *tree, const char *path)
{
    json_t *value = at(tree, path);
    ck_assert_msg(json_is_number(value), "no number at %s", path);
    return (long)json_number_value(value);
}

void living_small_world(void)
{
    call("CreateCluster", "{'clusterName': 'c'}");
    call("RegisterTaskDefinition",
         "{'family': 'web', 'networkMode': 'awsvpc', 'requiresCompatibilities': ['FARGATE'], 'cpu': '256',"
         " 'memory': '512', 'containerDefinitions': [{'name': 'app', 'image': 'nginx'}]}");
}

json_t *service(const char *name)
{
    return at(call("DescribeServices", "{'cluster': 'c', 'services': ['%s']}", name), "services.0");
}

int events_with(json_t *described, const char *text)
{
    int count = 0;
    size_t i;
    json_t *event;
    json_array_foreach(at(described, "events"), i, event)
    {
        count += strstr(text_at(event, "message"), text) != NULL;
    }
    return count;
}
