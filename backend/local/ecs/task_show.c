/* SPDX-License-Identifier: Apache-2.0 */
/* A task as the API shows it. */
#include <stdio.h>
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecsfs/cleanup.h"
#include "tasks.h"

static const char *const status_names[] = {
    [TASK_PROVISIONING] = "PROVISIONING",     [TASK_PENDING] = "PENDING",
    [TASK_ACTIVATING] = "ACTIVATING",         [TASK_RUNNING] = "RUNNING",
    [TASK_DEACTIVATING] = "DEACTIVATING",     [TASK_STOPPING] = "STOPPING",
    [TASK_DEPROVISIONING] = "DEPROVISIONING", [TASK_STOPPED] = "STOPPED",
};
static const char *const launch_names[] = {"EC2", "FARGATE", "EXTERNAL"};
static const char *const health_names[] = {"UNKNOWN", "HEALTHY", "UNHEALTHY"};
static const char *const code_names[] = {
    [STOP_FAILED_TO_START] = "TaskFailedToStart",
    [STOP_ESSENTIAL_EXITED] = "EssentialContainerExited",
    [STOP_USER] = "UserInitiated",
    [STOP_SCHEDULER] = "ServiceSchedulerInitiated",
};

const char *task_status_name(enum task_status status)
{
    return status_names[status];
}

static json_t *show_interfaces(const struct task *task)
{
    return task->awsvpc
               ? json_pack("[{s:s, s:s}]", "attachmentId", task->attachment, "privateIpv4Address", task->ip)
               : json_array();
}

static void set_number(json_t *tree, const char *name, long value)
{
    if (value >= 0)
        json_object_set_new(tree, name, json_sprintf("%ld", value));
}

static json_t *show_container(const struct task *task, const struct container *container)
{
    cleanup_free char *arn = arn_new(task->record.region, "ecs", "container/%s/%s/%s", task->cluster->name,
                                     task->id, container->id);
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s, s:s*, s:o, s:s}", "containerArn", arn, "taskArn",
        task->record.arn, "name", container->name, "image", container->image, "imageDigest",
        container->digest, "runtimeId", container->runtime_id[0] ? container->runtime_id : NULL, "lastStatus",
        status_names[container->status], "reason", container->reason, "networkInterfaces",
        show_interfaces(task), "healthStatus", health_names[container->health]);
    if (!task->awsvpc && container->runtime_id[0])
        json_object_set_new(tree, "networkBindings",
                            container->bindings ? json_incref(container->bindings) : json_array());
    if (container->exit_code >= 0)
        json_object_set_new(tree, "exitCode", json_integer(container->exit_code));
    set_number(tree, "cpu", container->cpu);
    set_number(tree, "memory", container->memory);
    set_number(tree, "memoryReservation", container->reservation);
    if (task->exec)
        json_object_set_new(tree, "managedAgents",
                            json_pack("[{s:s, s:s}]", "name", "ExecuteCommandAgent", "lastStatus",
                                      container->status == TASK_RUNNING   ? "RUNNING"
                                      : container->status == TASK_STOPPED ? "STOPPED"
                                                                          : "PENDING"));
    return tree;
}

static const char *attachment_status(const struct task *task)
{
    switch (task->status) {
    case TASK_PROVISIONING:
        return "PRECREATED";
    case TASK_PENDING:
        return "ATTACHING";
    case TASK_DEPROVISIONING:
        return "DETACHING";
    case TASK_STOPPED:
        return "DELETED";
    default:
        return "ATTACHED";
    }
}

static json_t *show_attachments(const struct task *task)
{
    if (!task->awsvpc)
        return json_array();
    char host[64];
    snprintf(host, sizeof(host), "ip-%s.ec2.internal", task->ip);
    for (char *c = host; *c && strncmp(c, ".ec2", 4) != 0; c++)
        if (*c == '.')
            *c = '-';
    return json_pack("[{s:s, s:s, s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}]",
                     "id", task->attachment, "type", "ElasticNetworkInterface", "status",
                     attachment_status(task), "details", "name", "subnetId", "value", task->subnet, "name",
                     "networkInterfaceId", "value", task->eni, "name", "macAddress", "value", task->mac,
                     "name", "privateDnsName", "value", host, "name", "privateIPv4Address", "value",
                     task->ip);
}

/* RunTask's overrides, with a row for every container, as AWS answers. */
static json_t *show_overrides(const struct task *task)
{
    json_t *tree = task->overrides ? json_copy(task->overrides) : json_object();
    json_t *rows = json_array();
    const json_t *given = json_object_get(task->overrides, "containerOverrides");
    for (size_t i = 0; i < task->containers_len; i++) {
        json_t *row = NULL;
        for (size_t j = 0; j < json_array_size(given); j++) {
            const char *name = in_text(json_array_get(given, j), "name");
            if (name && strcmp(name, task->containers[i].name) == 0)
                row = json_incref(json_array_get(given, j));
        }
        json_array_append_new(rows, row ? row : json_pack("{s:s}", "name", task->containers[i].name));
    }
    json_object_set_new(tree, "containerOverrides", rows);
    if (!json_object_get(tree, "inferenceAcceleratorOverrides"))
        json_object_set_new(tree, "inferenceAcceleratorOverrides", json_array());
    return tree;
}

static enum health health_of(const struct task *task)
{
    enum health health = HEALTH_UNKNOWN;
    for (size_t i = 0; i < task->containers_len; i++) {
        const struct container *container = &task->containers[i];
        if (!container->checked || !container->essential)
            continue;
        if (container->health != HEALTH_HEALTHY)
            return container->health;
        health = HEALTH_HEALTHY;
    }
    return health;
}

static void show_times(const struct task *task, json_t *tree)
{
    const struct {
        const char *name;
        int64_t at;
    } rows[] = {
        {"createdAt", task->times.created},          {"pullStartedAt", task->times.pull_started},
        {"pullStoppedAt", task->times.pull_stopped}, {"startedAt", task->times.started},
        {"stoppingAt", task->times.stopping},        {"executionStoppedAt", task->times.execution_stopped},
        {"stoppedAt", task->times.stopped},          {"connectivityAt", task->times.connected},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].at)
            json_object_set_new(tree, rows[i].name, json_time(rows[i].at));
    if (task->times.connected)
        json_object_set_new(tree, "connectivity", json_string("CONNECTED"));
}

static void show_platform(const struct task *task, json_t *tree)
{
    if (task->launch != LAUNCH_FARGATE)
        return;
    json_object_set_new(tree, "platformVersion", json_string(task->platform_version));
    json_object_set_new(tree, "platformFamily", json_string(task->platform_family));
    const json_t *storage = json_object_get(task_definition_doc(task->definition), "ephemeralStorage");
    long size = in_int(storage, "sizeInGiB", 20);
    json_object_set_new(tree, "ephemeralStorage", json_pack("{s:I}", "sizeInGiB", (json_int_t)size));
    json_object_set_new(tree, "fargateEphemeralStorage", json_pack("{s:I}", "sizeInGiB", (json_int_t)size));
}

static json_t *show_attributes(struct task *task)
{
    const char *architecture =
        in_text(json_object_get(task_definition_doc(task->definition), "runtimePlatform"), "cpuArchitecture");
    return task->launch != LAUNCH_FARGATE
               ? json_array()
               : json_pack("[{s:s, s:s}]", "name", "ecs.cpu-architecture", "value",
                           architecture && strcmp(architecture, "ARM64") == 0 ? "arm64" : "x86_64");
}

json_t *task_show(struct task *task, bool with_tags)
{
    json_t *containers = json_array();
    for (size_t i = 0; i < task->containers_len; i++)
        json_array_append_new(containers, show_container(task, &task->containers[i]));
    json_t *tree = json_pack(
        "{s:o, s:o, s:s, s:s*, s:s, s:s*, s:o, s:s, s:b, s:s, s:s, s:s, s:s, s:o, s:s*, s:s*, s:s*, s:o, "
        "s:s, s:s, "
        "s:I}",
        "attachments", show_attachments(task), "attributes", show_attributes(task), "availabilityZone",
        task->zone, "capacityProviderName", task->provider, "clusterArn", task->cluster->record.arn,
        "containerInstanceArn", task->instance ? task->instance->record.arn : NULL, "containers", containers,
        "desiredStatus", status_names[task->desired], "enableExecuteCommand", task->exec, "group",
        task->group, "healthStatus", health_names[health_of(task)], "lastStatus", status_names[task->status],
        "launchType", launch_names[task->launch], "overrides", show_overrides(task), "startedBy",
        task->started_by, "stopCode", code_names[task->stop_code], "stoppedReason", task->stopped_reason,
        "tags", with_tags && task->record.tags ? json_incref(task->record.tags) : json_array(), "taskArn",
        task->record.arn, "taskDefinitionArn", task->definition->record.arn, "version",
        (json_int_t)task->version);
    set_number(tree, "cpu", task->cpu); /* without a size of its own: the containers' sum */
    set_number(tree, "memory", task->memory);
    show_times(task, tree);
    show_platform(task, tree);
    return tree;
}
