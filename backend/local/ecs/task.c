/* SPDX-License-Identifier: Apache-2.0 */
/* A task: its making, its memory, its record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "ports.h"
#include "services.h"
#include "tasks.h"

struct task *task_find(const struct cluster *cluster, const char *id_or_arn)
{
    const struct region *region = cluster->record.region;
    cleanup_free char *arn = arn_new(region, "ecs", "task/%s/%s", cluster->name, last_part(id_or_arn));
    return arn ? (struct task *)record_find(region, &task_kind, arn) : NULL;
}

static void free_containers(struct task *task)
{
    for (size_t i = 0; i < task->containers_len; i++) {
        free(task->containers[i].name);
        free(task->containers[i].image);
        free(task->containers[i].digest);
        free(task->containers[i].reason);
        json_decref(task->containers[i].printed);
        json_decref(task->containers[i].bindings);
    }
    free(task->containers);
}

void task_unlist(struct task *task)
{
    if (task->listed)
        TAILQ_REMOVE(&task->service->tasks, task, service_link);
    task->listed = false;
}

void task_free(struct task *task)
{
    timer_disarm(&task->record.region->world->timers, &task->timer);
    TAILQ_REMOVE(&task->cluster->tasks, task, link);
    task_unlist(task);
    if (task->definition)
        task->definition->users--;
    free_containers(task);
    record_free(&task->record);
    json_decref(task->overrides);
    char *texts[] = {task->stopped_reason,   task->group,           task->started_by, task->provider,
                     task->platform_version, task->platform_family, task->zone};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    free(task);
}

void tasks_free_all(struct cluster *cluster)
{
    struct task *task;
    while ((task = TAILQ_FIRST(&cluster->tasks)))
        task_free(task);
}

static struct task *task_new(struct cluster *cluster, struct service *service, char *arn)
{
    struct task *task = calloc(1, sizeof(*task));
    if (!task) {
        free(arn);
        return NULL;
    }
    task->cluster = cluster;
    task->service = service;
    TAILQ_INSERT_TAIL(&cluster->tasks, task, link);
    task->listed = service != NULL;
    if (service)
        TAILQ_INSERT_TAIL(&service->tasks, task, service_link);
    if (record_init(&task->record, &task_kind, cluster->record.region, arn) < 0) {
        task_free(task);
        return NULL;
    }
    task->id = last_part(arn);
    task->desired = TASK_RUNNING;
    return task;
}

/* A network interface in a subnet of the plan's network configuration. */
static void give_network(struct task *task, const json_t *network)
{
    const json_t *subnets = json_object_get(json_object_get(network, "awsvpcConfiguration"), "subnets");
    size_t count = json_array_size(subnets);
    const char *subnet =
        count ? json_string_value(json_array_get(subnets, id_number((unsigned)count))) : NULL;
    char hex[18];
    task->awsvpc = true;
    snprintf(task->subnet, sizeof(task->subnet), "%s", subnet ? subnet : "subnet-0123456789abcdef0");
    snprintf(task->eni, sizeof(task->eni), "eni-0%s", id_hex(hex, 16));
    snprintf(task->ip, sizeof(task->ip), "10.0.%u.%u", id_number(256), 4 + id_number(250));
    id_mac(task->mac);
    id_uuid(task->attachment);
}

static const char *platform_version_of(const struct task_plan *plan)
{
    const char *given = plan->platform_version;
    return !given || strcmp(given, "LATEST") == 0 ? "1.4.0" : given;
}

static const char *platform_family_of(struct task_definition *definition)
{
    const char *family =
        in_text(json_object_get(task_definition_doc(definition), "runtimePlatform"), "operatingSystemFamily");
    return !family || strcmp(family, "LINUX") == 0 ? "Linux" : family;
}

static char *zone_of(const struct task *task)
{
    const char *zone = task->instance ? instance_attribute(task->instance, "ecs.availability-zone") : NULL;
    char *text;
    if (zone)
        return strdup(zone);
    /* A subnet is in one zone: the same one always gets the same. */
    return asprintf(&text, "%s%c", task->record.region->name,
                    'a' + task->subnet[strlen(task->subnet) / 2] % 3) < 0
               ? NULL
               : text;
}

static int fill_in(struct task *task, const struct task_plan *plan)
{
    task->instance = plan->instance;
    task->definition = plan->definition;
    task->definition->users++;
    task->launch = plan->launch;
    task->group = strdup(plan->group);
    task->started_by = plan->started_by ? strdup(plan->started_by) : NULL;
    task->provider = plan->provider ? strdup(plan->provider) : NULL;
    task->overrides = json_incref((json_t *)(uintptr_t)plan->overrides);
    task->record.tags = plan->tags ? json_incref(plan->tags) : json_array();
    task->exec = plan->exec;
    task->version = 1;
    if (plan->launch == LAUNCH_FARGATE) {
        task->platform_version = strdup(platform_version_of(plan));
        task->platform_family = strdup(platform_family_of(plan->definition));
    }
    if (task_definition_is_awsvpc(plan->definition))
        give_network(task, plan->network);
    task->zone = zone_of(task);
    return task_make_containers(task);
}

struct task *task_start(const struct task_plan *plan)
{
    struct region *region = plan->cluster->record.region;
    char hex[33];
    struct task *task = task_new(plan->cluster, plan->service,
                                 arn_new(region, "ecs", "task/%s/%s", plan->cluster->name, id_hex(hex, 32)));
    if (!task)
        return NULL;
    if (fill_in(task, plan) < 0) {
        record_delete(&task->record);
        task_free(task);
        return NULL;
    }
    if (task->instance) {
        task->instance->used_cpu += task->cpu;
        task->instance->used_memory += task->memory;
        ports_bind(task);
    }
    task_life_begin(task);
    return task;
}

bool task_is_protected(const struct task *task)
{
    return task->protected_until > world_wall(task->record.region->world);
}

/* --- the record --- */

static json_t *dump_container(const struct container *container)
{
    return json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:s, s:i, s:b, s:b, s:i, s:i, s:I, s:i, s:I, s:I, s:I, "
                     "s:I, s:b, s:O*, s:b, s:O*}",
                     "name", container->name, "image", container->image, "digest", container->digest,
                     "reason", container->reason, "id", container->id, "runtime", container->runtime_id,
                     "status", (int)container->status, "essential", container->essential, "checked",
                     container->checked, "exit", container->exit_code, "health", (int)container->health,
                     "ends", (json_int_t)container->ends_after, "with", container->exits_with, "cpu",
                     (json_int_t)container->cpu, "memory", (json_int_t)container->memory, "reservation",
                     (json_int_t)container->reservation, "lines", (json_int_t)container->lines, "logs",
                     container->logs, "printed", container->printed, "starved", container->starved,
                     "bindings", container->bindings);
}

static char *own_text(const json_t *body, const char *name)
{
    const char *text = in_text(body, name);
    return text ? strdup(text) : NULL;
}

static int load_container(struct container *container, const json_t *body)
{
    container->name = own_text(body, "name");
    container->image = own_text(body, "image");
    container->digest = own_text(body, "digest");
    container->reason = own_text(body, "reason");
    snprintf(container->id, sizeof(container->id), "%s", in_text(body, "id") ? in_text(body, "id") : "");
    snprintf(container->runtime_id, sizeof(container->runtime_id), "%s",
             in_text(body, "runtime") ? in_text(body, "runtime") : "");
    container->status = (enum task_status)load_choice(body, "status", TASK_STOPPED);
    container->essential = in_bool(body, "essential");
    container->checked = in_bool(body, "checked");
    container->exit_code = (int)in_int(body, "exit", -1);
    container->health = (enum health)load_choice(body, "health", HEALTH_UNHEALTHY);
    container->ends_after = in_int(body, "ends", -1);
    container->exits_with = (int)in_int(body, "with", 0);
    container->cpu = in_int(body, "cpu", -1);
    container->memory = in_int(body, "memory", -1);
    container->reservation = in_int(body, "reservation", -1);
    container->lines = (unsigned)in_int(body, "lines", 0);
    container->logs = in_bool(body, "logs");
    container->printed = json_incref(json_object_get(body, "printed"));
    container->starved = in_bool(body, "starved");
    container->bindings = json_incref(json_object_get(body, "bindings"));
    return container->name && container->image ? 0 : -EBADMSG;
}

static json_t *dump_times(const struct task_times *times)
{
    return json_pack("[I, I, I, I, I, I, I, I]", (json_int_t)times->created, (json_int_t)times->pull_started,
                     (json_int_t)times->pull_stopped, (json_int_t)times->started, (json_int_t)times->stopping,
                     (json_int_t)times->execution_stopped, (json_int_t)times->stopped,
                     (json_int_t)times->connected);
}

static void load_times(struct task_times *times, const json_t *body)
{
    int64_t *const members[] = {&times->created, &times->pull_started, &times->pull_stopped,
                                &times->started, &times->stopping,     &times->execution_stopped,
                                &times->stopped, &times->connected};
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        *members[i] = json_integer_value(json_array_get(body, i));
}

static json_t *dump(const struct record *record)
{
    const struct task *task = (const struct task *)record;
    json_t *containers = json_array();
    for (size_t i = 0; i < task->containers_len; i++)
        json_array_append_new(containers, dump_container(&task->containers[i]));
    json_t *tree = json_pack(
        "{s:s, s:s*, s:s*, s:s, s:i, s:i, s:i, s:i, s:s*, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:O*, s:b, s:I}",
        "cluster", task->cluster->name, "service", task->service ? task->service->name : NULL, "instance",
        task->instance ? task->instance->id : NULL, "definition", task->definition->record.arn, "status",
        (int)task->status, "desired", (int)task->desired, "launch", (int)task->launch, "code",
        (int)task->stop_code, "reason", task->stopped_reason, "group", task->group, "startedBy",
        task->started_by, "provider", task->provider, "platform", task->platform_version, "family",
        task->platform_family, "zone", task->zone, "overrides", task->overrides, "exec", task->exec,
        "protected", (json_int_t)task->protected_until);
    json_t *more = json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:I, s:b, s:b, s:o, s:o, s:O*}",
                             "awsvpc", task->awsvpc, "subnet", task->subnet, "eni", task->eni, "ip", task->ip,
                             "mac", task->mac, "attachment", task->attachment, "cpu", (json_int_t)task->cpu,
                             "memory", (json_int_t)task->memory, "sized", task->task_sized, "version",
                             (json_int_t)task->version, "counted", task->counted, "ran", task->ran, "times",
                             dump_times(&task->times), "containers", containers, "tags", record->tags);
    json_object_update(tree, more);
    json_decref(more);
    return tree;
}

static void load_text(char *to, size_t size, const json_t *body, const char *name)
{
    const char *text = in_text(body, name);
    snprintf(to, size, "%s", text ? text : "");
}

static void load_members(struct task *task, const json_t *body)
{
    task->status = (enum task_status)load_choice(body, "status", TASK_STOPPED);
    task->desired = load_choice(body, "desired", TASK_STOPPED) == TASK_STOPPED ? TASK_STOPPED : TASK_RUNNING;
    task->launch = (enum launch)load_choice(body, "launch", LAUNCH_EXTERNAL);
    task->stop_code = (enum stop_code)load_choice(body, "code", STOP_SCHEDULER);
    task->stopped_reason = own_text(body, "reason");
    task->group = own_text(body, "group");
    task->started_by = own_text(body, "startedBy");
    task->provider = own_text(body, "provider");
    task->platform_version = own_text(body, "platform");
    task->platform_family = own_text(body, "family");
    task->zone = own_text(body, "zone");
    task->overrides = json_incref(json_object_get(body, "overrides"));
    task->exec = in_bool(body, "exec");
    task->protected_until = json_integer_value(json_object_get(body, "protected"));
    task->awsvpc = in_bool(body, "awsvpc");
    load_text(task->subnet, sizeof(task->subnet), body, "subnet");
    load_text(task->eni, sizeof(task->eni), body, "eni");
    load_text(task->ip, sizeof(task->ip), body, "ip");
    load_text(task->mac, sizeof(task->mac), body, "mac");
    load_text(task->attachment, sizeof(task->attachment), body, "attachment");
    task->cpu = in_int(body, "cpu", 0);
    task->memory = in_int(body, "memory", 0);
    task->task_sized = in_bool(body, "sized");
    task->version = in_int(body, "version", 1);
    task->counted = in_bool(body, "counted");
    task->ran = in_bool(body, "ran");
    load_times(&task->times, json_object_get(body, "times"));
    task->record.tags = json_incref(json_object_get(body, "tags"));
}

static int load_containers(struct task *task, const json_t *list)
{
    size_t i;
    json_t *body;
    task->containers = calloc(json_array_size(list) + 1, sizeof(*task->containers));
    if (!task->containers)
        return -ENOMEM;
    json_array_foreach(list, i, body)
    {
        task->containers_len++;
        int r = load_container(&task->containers[i], body);
        if (r < 0)
            return r;
    }
    return 0;
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    struct cluster *cluster = cluster_find(region, in_text(body, "cluster"));
    const char *service = in_text(body, "service"), *instance = in_text(body, "instance");
    const char *definition = in_text(body, "definition");
    if (!cluster || !definition)
        return -EBADMSG;
    struct task *task = task_new(cluster, service ? service_find(cluster, service) : NULL, strdup(arn));
    if (!task)
        return -ENOMEM;
    load_members(task, body);
    task->definition = task_definition_find(region, definition);
    if (!task->definition || !task->group)
        return -EBADMSG;
    task->definition->users++;
    task->instance = instance ? instance_find(cluster, instance) : NULL;
    if (task->instance && task->status < TASK_STOPPED) {
        task->instance->used_cpu += task->cpu;
        task->instance->used_memory += task->memory;
    }
    int r = load_containers(task, json_object_get(body, "containers"));
    if (task->status < TASK_STOPPED)
        ports_hold(task);
    if (task->status == TASK_STOPPED)
        task_unlist(task);
    if (r == 0)
        task_life_resume(task);
    return r;
}

const struct record_kind task_kind = {"task", dump, load};
