/* SPDX-License-Identifier: Apache-2.0 */
#include "container_instances.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "pages.h"
#include "ports.h"
#include "services.h"

static void instance_free(struct instance *instance)
{
    struct task *task;
    TAILQ_FOREACH(task, &instance->cluster->tasks, link)
    {
        if (task->instance == instance)
            task->instance = NULL;
    }
    TAILQ_REMOVE(&instance->cluster->instances, instance, link);
    record_free(&instance->record);
    json_decref(instance->resources);
    json_decref(instance->attributes);
    json_decref(instance->version_info);
    free(instance->ec2_id);
    free(instance->ports);
    free(instance);
}

void container_instances_free_all(struct cluster *cluster)
{
    struct instance *instance;
    while ((instance = TAILQ_FIRST(&cluster->instances)))
        instance_free(instance);
}

static struct instance *instance_new(struct cluster *cluster, char *arn)
{
    struct instance *instance = calloc(1, sizeof(*instance));
    if (!instance)
        return NULL;
    instance->cluster = cluster;
    instance->version = 1;
    instance->registered_at = world_wall(cluster->record.region->world);
    TAILQ_INSERT_TAIL(&cluster->instances, instance, link);
    if (record_init(&instance->record, &instance_kind, cluster->record.region, arn) < 0) {
        instance_free(instance);
        return NULL;
    }
    instance->id = last_part(arn);
    return instance;
}

/* The sum a resource was registered with. */
static long resource(const json_t *resources, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(resources, i, row)
    {
        const char *its = in_text(row, "name");
        if (its && strcmp(its, name) == 0) {
            long value = in_int(row, "integerValue", 0);
            return value ? value : in_int(row, "longValue", 0);
        }
    }
    return 0;
}

static void take_resources(struct instance *instance, const json_t *resources)
{
    instance->resources = json_deep_copy(resources);
    instance->cpu = resource(resources, "CPU");
    instance->memory = resource(resources, "MEMORY");
}

static json_t *dump(const struct record *record)
{
    const struct instance *instance = (const struct instance *)record;
    return json_pack("{s:s, s:s*, s:b, s:O, s:O, s:O*, s:I, s:I, s:O*}", "cluster", instance->cluster->name,
                     "ec2", instance->ec2_id, "draining", instance->draining, "resources",
                     instance->resources, "attributes", instance->attributes, "versionInfo",
                     instance->version_info, "registered", (json_int_t)instance->registered_at, "version",
                     (json_int_t)instance->version, "tags", record->tags);
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    struct cluster *cluster = cluster_find(region, in_text(body, "cluster"));
    struct instance *instance = cluster ? instance_new(cluster, strdup(arn)) : NULL;
    if (!instance)
        return cluster ? -ENOMEM : -EBADMSG;
    const char *ec2 = in_text(body, "ec2");
    instance->ec2_id = ec2 ? strdup(ec2) : NULL;
    instance->draining = in_bool(body, "draining");
    take_resources(instance, json_object_get(body, "resources"));
    instance->attributes = json_incref(json_object_get(body, "attributes"));
    instance->version_info = json_incref(json_object_get(body, "versionInfo"));
    instance->registered_at = json_integer_value(json_object_get(body, "registered"));
    instance->version = in_int(body, "version", 1);
    instance->record.tags = json_incref(json_object_get(body, "tags"));
    return 0;
}

const struct record_kind instance_kind = {"container-instance", dump, load};

static json_t *integer_resource(const char *name, long value)
{
    return json_pack("{s:s, s:s, s:f, s:i, s:I}", "name", name, "type", "INTEGER", "doubleValue", 0.0,
                     "longValue", 0, "integerValue", (json_int_t)value);
}

static json_t *ports_resource(const char *name, json_t *ports)
{
    return json_pack("{s:s, s:s, s:f, s:i, s:i, s:o}", "name", name, "type", "STRINGSET", "doubleValue", 0.0,
                     "longValue", 0, "integerValue", 0, "stringSetValue", ports);
}

/* Registered, or what tasks leave of it. (Of ports AWS says in both what is reserved.) */
static json_t *resources(const struct instance *instance, bool remaining)
{
    static const struct instance fresh;
    const struct instance *ports = remaining ? instance : &fresh;
    return json_pack("[o, o, o, o]",
                     integer_resource("CPU", instance->cpu - (remaining ? instance->used_cpu : 0)),
                     integer_resource("MEMORY", instance->memory - (remaining ? instance->used_memory : 0)),
                     ports_resource("PORTS", ports_show(ports, false)),
                     ports_resource("PORTS_UDP", ports_show(ports, true)));
}

static void count_tasks(const struct instance *instance, json_int_t *running, json_int_t *pending)
{
    struct task *task;
    *running = *pending = 0;
    TAILQ_FOREACH(task, &instance->cluster->tasks, link)
    {
        if (task->instance == instance) {
            *running += task->status == TASK_RUNNING;
            *pending += task->status < TASK_RUNNING;
        }
    }
}

static json_t *show(const struct instance *instance, const json_t *in)
{
    json_int_t running, pending;
    count_tasks(instance, &running, &pending);
    json_t *tree =
        json_pack("{s:s, s:s*, s:I, s:O*, s:o, s:o, s:s, s:b, s:I, s:I, s:O, s:o, s:[], s:o}",
                  "containerInstanceArn", instance->record.arn, "ec2InstanceId", instance->ec2_id, "version",
                  (json_int_t)instance->version, "versionInfo", instance->version_info, "remainingResources",
                  resources(instance, true), "registeredResources", resources(instance, false), "status",
                  instance->draining ? "DRAINING" : "ACTIVE", "agentConnected", 1, "runningTasksCount",
                  running, "pendingTasksCount", pending, "attributes", instance->attributes, "registeredAt",
                  json_time(instance->registered_at), "attachments", "tags",
                  in_includes(in, "TAGS") ? json_incref(instance->record.tags) : json_array());
    if (in_includes(in, "CONTAINER_INSTANCE_HEALTH"))
        json_object_set_new(tree, "healthStatus",
                            json_pack("{s:s, s:[{s:s, s:s, s:o, s:o}]}", "overallStatus", "OK", "details",
                                      "type", "CONTAINER_RUNTIME", "status", "OK", "lastUpdated",
                                      json_time(instance->registered_at), "lastStatusChange",
                                      json_time(instance->registered_at)));
    return tree;
}

/* What the ECS agent of today tells of itself, so that task definitions find what they require. */
static json_t *agent_attributes(const struct region *region)
{
    static const char *const capabilities[] = {
        "ecs.capability.task-eni",
        "ecs.capability.task-cpu-mem-limit",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.container-health-check",
        "ecs.capability.secrets.asm.environment-variables",
        "ecs.capability.secrets.ssm.environment-variables",
        "com.amazonaws.ecs.capability.ecr-auth",
        "com.amazonaws.ecs.capability.task-iam-role",
        "com.amazonaws.ecs.capability.task-iam-role-network-host",
        "com.amazonaws.ecs.capability.privileged-container",
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "com.amazonaws.ecs.capability.logging-driver.json-file",
        "com.amazonaws.ecs.capability.logging-driver.awsfirelens",
        "ecs.capability.docker-plugin.local",
        "ecs.capability.full-sync",
        "ecs.capability.container-ordering",
        "ecs.capability.pid-ipc-namespace-sharing",
        "ecs.capability.efs",
        "ecs.capability.env-files.s3",
        "ecs.capability.firelens.fluentbit",
    };
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(capabilities); i++)
        json_array_append_new(list, json_pack("{s:s}", "name", capabilities[i]));
    for (int minor = 17; minor <= 44; minor++)
        json_array_append_new(
            list, json_pack("{s:o}", "name",
                            json_sprintf("com.amazonaws.ecs.capability.docker-remote-api.1.%d", minor)));
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", "ecs.os-type", "value", "linux"));
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", "ecs.cpu-architecture", "value", "x86_64"));
    json_array_append_new(list, json_pack("{s:s, s:o}", "name", "ecs.availability-zone", "value",
                                          json_sprintf("%s%c", region->name, 'a' + (int)id_number(3))));
    return list;
}

static void set_attribute(json_t *attributes, const json_t *attribute)
{
    size_t i;
    json_t *old;
    json_array_foreach(attributes, i, old)
    {
        if (strcmp(in_text(old, "name"), in_text(attribute, "name")) == 0) {
            json_array_set_new(attributes, i, json_deep_copy(attribute));
            return;
        }
    }
    json_array_append_new(attributes, json_deep_copy(attribute));
}

static char *ec2_id_of(struct request *rq)
{
    json_t *document = json_loads(
        in_text(rq->in, "instanceIdentityDocument") ? in_text(rq->in, "instanceIdentityDocument") : "null",
        JSON_DECODE_ANY, NULL);
    const char *given = in_text(document, "instanceId");
    char hex[18], *id = NULL;
    if (given)
        id = strdup(given);
    else if (asprintf(&id, "i-%s", id_hex(hex, 17)) < 0)
        id = NULL;
    json_decref(document);
    return id;
}

static json_t *register_container_instance(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    json_t *tags = cluster ? take_tags(rq, "tags") : NULL;
    if (!tags)
        return NULL;
    char hex[33];
    struct instance *instance = instance_new(
        cluster, arn_new(rq->region, "ecs", "container-instance/%s/%s", cluster->name, id_hex(hex, 32)));
    if (!instance) {
        json_decref(tags);
        return refuse_memory(rq);
    }
    instance->record.tags = tags;
    instance->ec2_id = ec2_id_of(rq);
    const json_t *total = in_list(rq->in, "totalResources");
    static const struct instance t3_medium = {.cpu = 2048, .memory = 3886};
    json_t *usual = total ? NULL : resources(&t3_medium, false);
    take_resources(instance, total ? total : usual);
    json_decref(usual);
    instance->attributes = agent_attributes(rq->region);
    size_t i;
    json_t *attribute;
    json_array_foreach(json_object_get(rq->in, "attributes"), i, attribute)
    {
        if (in_text(attribute, "name"))
            set_attribute(instance->attributes, attribute);
    }
    instance->version_info = json_deep_copy(json_object_get(rq->in, "versionInfo"));
    if (!instance->version_info)
        instance->version_info = json_pack("{s:s, s:s, s:s}", "agentVersion", "1.86.3", "agentHash",
                                           "1fd3a9c8", "dockerVersion", "DockerVersion: 25.0.3");
    service_wake_all(cluster);
    return json_pack("{s:o}", "containerInstance", show(instance, rq->in));
}

static json_t *describe_container_instances(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *names = cluster ? require_list(rq, "containerInstances", 100) : NULL;
    if (!names)
        return NULL;
    json_t *instances = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct instance *instance = instance_find(cluster, name ? name : "");
        if (instance) {
            json_array_append_new(instances, show(instance, rq->in));
        } else {
            cleanup_free char *arn = arn_new(rq->region, "ecs", "container-instance/%s/%s", cluster->name,
                                             last_part(name ? name : ""));
            add_failure(failures, arn, "MISSING");
        }
    }
    return json_pack("{s:o, s:o}", "containerInstances", instances, "failures", failures);
}

static json_t *list_container_instances(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    struct page page;
    if (!cluster || !page_begin(rq, &page, 100, 100))
        return NULL;
    const char *status = in_text(rq->in, "status");
    struct instance *instance;
    TAILQ_FOREACH(instance, &cluster->instances, link)
    {
        if (status && strcmp(status, instance->draining ? "DRAINING" : "ACTIVE") != 0)
            continue;
        if (page_wants(&page, instance->record.sequence))
            page_add(&page, instance->record.sequence, json_string(instance->record.arn));
    }
    return page_reply(rq, &page, "containerInstanceArns");
}

static json_t *update_container_instances_state(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *names = cluster ? require_list(rq, "containerInstances", 10) : NULL;
    const char *status = names ? require_text(rq, "status") : NULL;
    if (!status)
        return NULL;
    if (strcmp(status, "ACTIVE") != 0 && strcmp(status, "DRAINING") != 0)
        return refuse_invalid(rq, "Container instance status should be one of [ACTIVE,DRAINING].");
    json_t *instances = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct instance *instance = instance_find(cluster, name ? name : "");
        if (!instance) {
            add_failure(failures, name, "MISSING");
            continue;
        }
        instance->draining = strcmp(status, "DRAINING") == 0;
        instance->version++;
        record_dirty(&instance->record);
        json_array_append_new(instances, show(instance, rq->in));
    }
    service_wake_all(cluster);
    return json_pack("{s:o, s:o}", "containerInstances", instances, "failures", failures);
}

static json_t *deregister_container_instance(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "containerInstance") : NULL;
    struct instance *instance = name ? instance_find(cluster, name) : NULL;
    if (!instance)
        return rq->error ? NULL : refuse_client(rq, "Referenced container instance %s not found.", name);
    json_int_t running, pending;
    count_tasks(instance, &running, &pending);
    if (running + pending && !in_bool(rq->in, "force"))
        return refuse_invalid(rq, "Found running tasks on the instance.");
    /* The tasks run on as orphans at AWS; those of services are replaced. Here their host is gone. */
    struct task *task;
    TAILQ_FOREACH(task, &cluster->tasks, link)
    {
        if (task->instance == instance)
            task_stop(task, STOP_NONE, "Container instance deregistration forced by user");
    }
    json_t *shown = show(instance, rq->in);
    json_object_set_new(shown, "status", json_string("INACTIVE"));
    json_object_set_new(shown, "agentConnected", json_false());
    record_delete(&instance->record);
    instance_free(instance);
    service_wake_all(cluster);
    return json_pack("{s:o}", "containerInstance", shown);
}

const struct operation container_instances_operations[] = {
    {"ecs", "RegisterContainerInstance", register_container_instance, BUCKET_TASK_MODIFY, true},
    {"ecs", "DescribeContainerInstances", describe_container_instances, BUCKET_TASK_READ, false},
    {"ecs", "ListContainerInstances", list_container_instances, BUCKET_TASK_READ, false},
    {"ecs", "UpdateContainerInstancesState", update_container_instances_state, BUCKET_TASK_MODIFY, true},
    {"ecs", "DeregisterContainerInstance", deregister_container_instance, BUCKET_TASK_MODIFY, true},
    {0},
};
