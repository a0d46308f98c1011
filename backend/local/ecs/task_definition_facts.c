/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS derives from a task definition: the capabilities an instance must have, and the launch
 * types it can run on. */
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "task_definitions.h"

#define DOCKER "com.amazonaws.ecs.capability.docker-remote-api.1."

static bool any_container(const json_t *doc, const char *member)
{
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(doc, "containerDefinitions"), i, container)
    {
        const json_t *value = json_object_get(container, member);
        if (json_is_true(value) || json_array_size(value) || json_object_size(value) || json_is_string(value))
            return true;
    }
    return false;
}

static bool has_role(const json_t *doc)
{
    return in_text(doc, "taskRoleArn");
}
static bool has_awsvpc(const json_t *doc)
{
    return in_text(doc, "networkMode") && strcmp(in_text(doc, "networkMode"), "awsvpc") == 0;
}
static bool has_host_role(const json_t *doc)
{
    return has_role(doc) && in_text(doc, "networkMode") && strcmp(in_text(doc, "networkMode"), "host") == 0;
}
static bool has_execution_role(const json_t *doc)
{
    return in_text(doc, "executionRoleArn");
}
static bool has_task_size(const json_t *doc)
{
    return in_text(doc, "cpu") || in_text(doc, "memory");
}
static bool has_ecr_image(const json_t *doc)
{
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(doc, "containerDefinitions"), i, container)
    {
        if (in_text(container, "image") && strstr(in_text(container, "image"), ".dkr.ecr."))
            return true;
    }
    return false;
}
static bool has_log_driver(const json_t *doc)
{
    return any_container(doc, "logConfiguration");
}
static bool has_ecr_pull(const json_t *doc)
{
    return has_execution_role(doc) && has_ecr_image(doc);
}
static bool has_execution_logs(const json_t *doc)
{
    return has_execution_role(doc) && has_log_driver(doc);
}
static bool has_reservation(const json_t *doc)
{
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(doc, "containerDefinitions"), i, container)
    {
        if (json_object_get(container, "memoryReservation"))
            return true;
    }
    return false;
}
static bool has_health_check(const json_t *doc)
{
    return any_container(doc, "healthCheck");
}
static bool has_secrets(const json_t *doc)
{
    return any_container(doc, "secrets");
}
static bool has_order(const json_t *doc)
{
    return any_container(doc, "dependsOn");
}
static bool has_privileges(const json_t *doc)
{
    return any_container(doc, "privileged");
}
static bool has_env_files(const json_t *doc)
{
    return any_container(doc, "environmentFiles");
}

static const struct {
    const char *name;
    bool (*holds)(const json_t *doc);
} facts[] = {
    {"ecs.capability.task-eni", has_awsvpc},
    {DOCKER "18", has_awsvpc},
    {"com.amazonaws.ecs.capability.task-iam-role", has_role},
    {DOCKER "17", has_role},
    {"com.amazonaws.ecs.capability.task-iam-role-network-host", has_host_role},
    {"com.amazonaws.ecs.capability.ecr-auth", has_ecr_image},
    {"ecs.capability.execution-role-ecr-pull", has_ecr_pull},
    {"ecs.capability.execution-role-awslogs", has_execution_logs},
    {"ecs.capability.task-cpu-mem-limit", has_task_size},
    {DOCKER "21", has_reservation},
    {"ecs.capability.container-health-check", has_health_check},
    {DOCKER "29", has_health_check},
    {"ecs.capability.secrets.ssm.environment-variables", has_secrets},
    {"ecs.capability.container-ordering", has_order},
    {"com.amazonaws.ecs.capability.privileged-container", has_privileges},
    {"ecs.capability.env-files.s3", has_env_files},
};

static void add_attribute(json_t *list, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            return;
    }
    json_array_append_new(list, json_pack("{s:s}", "name", name));
}

json_t *task_definition_attributes(const json_t *doc)
{
    json_t *list = json_array();
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(doc, "containerDefinitions"), i, container)
    {
        const char *driver = in_text(json_object_get(container, "logConfiguration"), "logDriver");
        if (!driver)
            continue;
        char name[128];
        snprintf(name, sizeof(name), "com.amazonaws.ecs.capability.logging-driver.%s", driver);
        add_attribute(list, name);
        add_attribute(list, strcmp(driver, "awslogs") == 0 ? DOCKER "19" : DOCKER "18");
    }
    for (i = 0; i < ARRAY_LEN(facts); i++)
        /* Fargate has no agent to ask for a limit that all tasks there have. */
        if (facts[i].holds(doc) && (facts[i].holds != has_task_size || !has_awsvpc(doc)))
            add_attribute(list, facts[i].name);
    return list;
}

/* Fargate takes what runs alone in its own network. */
static bool runs_on_fargate(const json_t *doc)
{
    static const char *const refused[] = {"privileged", "links", "dockerSecurityOptions"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (any_container(doc, refused[i]))
            return false;
    return has_awsvpc(doc) && in_text(doc, "cpu") && in_text(doc, "memory") &&
           !in_list(doc, "placementConstraints");
}

json_t *task_definition_compatibilities(const json_t *doc)
{
    json_t *list = json_array();
    if (!has_awsvpc(doc))
        json_array_append_new(list, json_string("EXTERNAL"));
    json_array_append_new(list, json_string("EC2"));
    if (runs_on_fargate(doc))
        json_array_append_new(list, json_string("FARGATE"));
    return list;
}
