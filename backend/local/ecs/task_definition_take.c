/* SPDX-License-Identifier: Apache-2.0 */
/* RegisterTaskDefinition's input: what AWS refuses in it, and what AWS fills in. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ports.h"
#include "task_definitions.h"

static bool is_name(const char *name, size_t most)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    return strlen(name) <= most;
}

static bool needs(const json_t *doc, const char *launch)
{
    return list_has(json_object_get(doc, "requiresCompatibilities"), launch);
}

static bool has_mode(const json_t *doc, const char *mode)
{
    return in_text(doc, "networkMode") && strcmp(in_text(doc, "networkMode"), mode) == 0;
}

/* "1024", "1 vCPU", ".5 vCPU"; "2048", "2 GB", "2GB": in units and MiB. -1: none of these. */
static long read_size(const char *text, const char *unit)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || number < 0 || number > 1e9)
        return -1;
    while (*end == ' ')
        end++;
    if (!*end)
        return (long)number;
    return strcasecmp(end, unit) == 0 ? (long)(number * 1024) : -1;
}

/* Task sizes of Fargate: for each cpu the memory from, to, and its step, in MiB. */
static const struct fargate_size {
    long cpu, from, to, step;
} fargate_sizes[] = {
    {256, 512, 512, 512},       {256, 1024, 2048, 1024},      {512, 1024, 4096, 1024},
    {1024, 2048, 8192, 1024},   {2048, 4096, 16384, 1024},    {4096, 8192, 30720, 1024},
    {8192, 16384, 61440, 4096}, {16384, 32768, 122880, 8192},
};

static bool fargate_has(long cpu, long memory)
{
    for (size_t i = 0; i < ARRAY_LEN(fargate_sizes); i++) {
        const struct fargate_size *size = &fargate_sizes[i];
        if (cpu == size->cpu && memory >= size->from && memory <= size->to &&
            (memory - size->from) % size->step == 0)
            return true;
    }
    return false;
}

static bool take_size(struct request *rq, json_t *doc, const char *member, const char *unit, long *ret_size)
{
    const char *text = in_text(doc, member);
    *ret_size = text ? read_size(text, unit) : 0;
    if (*ret_size < 0) {
        refuse_client(rq, "Invalid '%s' setting for task. Expected an integer, got '%s'.", member, text);
        return false;
    }
    if (text)
        json_object_set_new(doc, member, json_sprintf("%ld", *ret_size));
    return true;
}

static bool check_fargate(struct request *rq, const json_t *doc, long cpu, long memory)
{
    if (!has_mode(doc, "awsvpc"))
        refuse_client(rq, "Fargate only supports network mode \xe2\x80\x98"
                          "awsvpc\xe2\x80\x99.");
    else if (!cpu)
        refuse_client(rq, "Fargate requires that 'cpu' be defined at the task level.");
    else if (!memory)
        refuse_client(rq, "Fargate requires that 'memory' be defined at the task level.");
    else if (!fargate_has(cpu, memory))
        refuse_client(
            rq,
            "No Fargate configuration exists for given values: %ld CPU, %ld memory. See the Amazon ECS "
            "documentation for the valid values.",
            cpu, memory);
    return rq->error == NULL;
}

static bool check_fargate_container(struct request *rq, const json_t *doc, const json_t *container)
{
    const char *image = in_text(container, "image");
    const json_t *log = json_object_get(container, "logConfiguration");
    if (json_is_true(json_object_get(container, "privileged")))
        refuse_client(rq, "Fargate compatible task definitions do not support privileged");
    else if (image && strstr(image, ".dkr.ecr.") && !in_text(doc, "executionRoleArn"))
        refuse_client(rq,
                      "Fargate requires task definition to have execution role ARN to support ECR images.");
    else if (in_text(log, "logDriver") && strcmp(in_text(log, "logDriver"), "awslogs") == 0 &&
             !in_text(doc, "executionRoleArn"))
        refuse_client(
            rq, "Fargate requires task definition to have execution role ARN to support log driver awslogs.");
    return rq->error == NULL;
}

static bool check_log(struct request *rq, const json_t *container)
{
    const json_t *log = json_object_get(container, "logConfiguration");
    const json_t *options = json_object_get(log, "options");
    if (in_text(log, "logDriver") && strcmp(in_text(log, "logDriver"), "awslogs") == 0 &&
        (!in_text(options, "awslogs-group") || !in_text(options, "awslogs-region")))
        refuse_client(rq, "Log driver awslogs requires options: awslogs-region, awslogs-group.");
    return rq->error == NULL;
}

static bool check_memory(struct request *rq, const json_t *container, const char *name, bool task_has_memory)
{
    long memory = in_int(container, "memory", -1), reservation = in_int(container, "memoryReservation", -1);
    if (memory < 0 && reservation < 0 && !task_has_memory)
        refuse_client(
            rq,
            "Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be "
            "specified.",
            name);
    else if (memory >= 0 && memory < 4)
        refuse_client(rq, "Invalid 'memory' setting for container '%s'. The minimum value is 4 MiB.", name);
    else if (memory >= 0 && reservation > memory)
        refuse_client(rq,
                      "Invalid setting for container '%s'. 'memory' must be greater than or equal to "
                      "'memoryReservation'.",
                      name);
    return rq->error == NULL;
}

static bool check_ports(struct request *rq, json_t *doc, json_t *container)
{
    size_t i;
    json_t *port;
    bool same = has_mode(doc, "awsvpc") || has_mode(doc, "host");
    json_array_foreach(json_object_get(container, "portMappings"), i, port)
    {
        long inner = in_int(port, "containerPort", 0), outer = in_int(port, "hostPort", 0);
        const char *range = in_text(port, "containerPortRange");
        unsigned first, count;
        if (range && (inner || outer || !ports_read_range(range, &first, &count))) {
            refuse_client(rq,
                          "Invalid port mapping: a containerPortRange is of the form first-last, and stands "
                          "without a containerPort and a hostPort.");
            return false;
        }
        if (!in_text(port, "protocol"))
            json_object_set_new(port, "protocol", json_string("tcp"));
        if (range)
            continue;
        if (inner < 1 || inner > 65535 || outer < 0 || outer > 65535) {
            refuse_client(rq, "Invalid port mapping: a port must be between 1 and 65535.");
            return false;
        }
        if (same && outer && outer != inner) {
            refuse_client(
                rq, "When networkMode=%s, the host ports and container ports in port mappings must match.",
                in_text(doc, "networkMode"));
            return false;
        }
        json_object_set_new(port, "hostPort", json_integer(same ? inner : outer));
    }
    return true;
}

static bool check_mounts(struct request *rq, const json_t *doc, const json_t *container)
{
    size_t i, j;
    json_t *mount, *volume;
    json_array_foreach(json_object_get(container, "mountPoints"), i, mount)
    {
        const char *wanted = in_text(mount, "sourceVolume");
        bool found = false;
        json_array_foreach(json_object_get(doc, "volumes"), j, volume)
        {
            found |= wanted && in_text(volume, "name") && strcmp(in_text(volume, "name"), wanted) == 0;
        }
        if (!found) {
            refuse_client(rq, "Unknown volume '%s'.", wanted ? wanted : "");
            return false;
        }
    }
    return true;
}

static bool check_identity(struct request *rq, const json_t *containers, const json_t *container)
{
    const char *name = in_text(container, "name");
    size_t same = 0, i;
    json_t *other;
    if (!name)
        refuse_client(rq, "Container.name should not be null or empty.");
    else if (!is_name(name, 255))
        refuse_client(
            rq,
            "Invalid container name: %s. Up to 255 letters (uppercase and lowercase), numbers, hyphens, "
            "and underscores are allowed.",
            name);
    else if (!in_text(container, "image"))
        refuse_client(rq, "Container.image should not be null or empty.");
    else
        json_array_foreach(containers, i, other)
        {
            same += in_text(other, "name") && strcmp(in_text(other, "name"), name) == 0;
        }
    if (same > 1)
        refuse_client(rq, "Container.name values must be unique: '%s' is used more than once.", name);
    return rq->error == NULL;
}

static void fill_in(json_t *container)
{
    json_t *defaults =
        json_pack("{s:i, s:[], s:b, s:[], s:[], s:[], s:[]}", "cpu", 0, "portMappings", "essential", 1,
                  "environment", "mountPoints", "volumesFrom", "systemControls");
    json_object_update_missing(container, defaults);
    json_decref(defaults);
    json_t *check = json_object_get(container, "healthCheck");
    defaults = json_pack("{s:i, s:i, s:i}", "interval", 30, "timeout", 5, "retries", 3);
    if (json_is_object(check))
        json_object_update_missing(check, defaults);
    json_decref(defaults);
}

static void fill_in_volumes(json_t *doc)
{
    size_t i;
    json_t *volume;
    json_array_foreach(json_object_get(doc, "volumes"), i, volume)
    {
        json_t *efs = json_object_get(volume, "efsVolumeConfiguration");
        if (json_is_object(efs) && !in_text(efs, "rootDirectory"))
            json_object_set_new(efs, "rootDirectory", json_string("/"));
    }
}

static bool take_container(struct request *rq, json_t *doc, json_t *container)
{
    if (!check_identity(rq, json_object_get(doc, "containerDefinitions"), container))
        return false;
    fill_in(container);
    const char *name = in_text(container, "name");
    if (has_mode(doc, "awsvpc") && in_list(container, "links")) {
        refuse_client(rq, "Links are not supported when networkMode=awsvpc.");
        return false;
    }
    return check_memory(rq, container, name, in_text(doc, "memory") != NULL) &&
           check_ports(rq, doc, container) && check_mounts(rq, doc, container) && check_log(rq, container) &&
           (!needs(doc, "FARGATE") || check_fargate_container(rq, doc, container));
}

static bool check_depends(struct request *rq, const json_t *doc)
{
    size_t i, j, k;
    json_t *container, *depends, *other;
    json_array_foreach(json_object_get(doc, "containerDefinitions"), i, container)
    {
        json_array_foreach(json_object_get(container, "dependsOn"), j, depends)
        {
            const char *name = in_text(depends, "containerName");
            bool found = false;
            json_array_foreach(json_object_get(doc, "containerDefinitions"), k, other)
            {
                found |= name && strcmp(name, in_text(other, "name")) == 0;
            }
            if (!found) {
                refuse_client(rq, "Container '%s' depends on unknown container '%s'.",
                              in_text(container, "name"), name ? name : "");
                return false;
            }
        }
    }
    return true;
}

static bool take_containers(struct request *rq, json_t *doc, long cpu, long memory)
{
    json_t *containers = json_object_get(doc, "containerDefinitions"), *container;
    bool essential = false;
    long cpu_sum = 0, memory_sum = 0;
    size_t i;
    json_array_foreach(containers, i, container)
    {
        if (!take_container(rq, doc, container))
            return false;
        essential |= in_bool(container, "essential");
        cpu_sum += in_int(container, "cpu", 0);
        memory_sum += in_int(container, "memoryReservation", in_int(container, "memory", 0));
    }
    if (!essential)
        refuse_client(rq, "Invalid task definition: at least one container must be essential.");
    else if (cpu && cpu_sum > cpu)
        refuse_client(rq,
                      "Invalid setting for task: the sum of the containers' 'cpu' (%ld) is greater than the "
                      "task's (%ld).",
                      cpu_sum, cpu);
    else if (memory && memory_sum > memory)
        refuse_client(rq,
                      "Invalid setting for task: the sum of the containers' memory (%ld) is greater than the "
                      "task's (%ld).",
                      memory_sum, memory);
    return rq->error == NULL && check_depends(rq, doc);
}

static json_t *copy_input(const json_t *in)
{
    static const char *const members[] = {
        "family",
        "taskRoleArn",
        "executionRoleArn",
        "networkMode",
        "containerDefinitions",
        "volumes",
        "placementConstraints",
        "requiresCompatibilities",
        "cpu",
        "memory",
        "pidMode",
        "ipcMode",
        "proxyConfiguration",
        "inferenceAccelerators",
        "ephemeralStorage",
        "runtimePlatform",
        "enableFaultInjection",
    };
    json_t *doc = json_pack("{s:[], s:[]}", "volumes", "placementConstraints");
    copy_members(doc, in, members, ARRAY_LEN(members));
    fill_in_volumes(doc);
    return doc;
}

static bool check(struct request *rq, json_t *doc)
{
    const char *family = in_text(doc, "family");
    long cpu, memory;
    if (!family)
        refuse_client(rq, "Family should not be null or empty.");
    else if (!is_name(family, 255))
        refuse_client(rq,
                      "Family contains invalid characters: %s. Up to 255 letters (uppercase and lowercase), "
                      "numbers, underscores, and hyphens are allowed.",
                      family);
    else if (!in_list(doc, "containerDefinitions"))
        refuse_client(rq, "Container list cannot be empty.");
    if (rq->error || !take_size(rq, doc, "cpu", "vCPU", &cpu) || !take_size(rq, doc, "memory", "GB", &memory))
        return false;
    if (needs(doc, "FARGATE") && !check_fargate(rq, doc, cpu, memory))
        return false;
    return take_containers(rq, doc, cpu, memory);
}

json_t *task_definition_take(struct request *rq)
{
    json_t *doc = copy_input(rq->in);
    if (!check(rq, doc)) {
        json_decref(doc);
        return NULL;
    }
    json_object_set_new(doc, "requiresAttributes", task_definition_attributes(doc));
    json_object_set_new(doc, "compatibilities", task_definition_compatibilities(doc));
    return doc;
}
