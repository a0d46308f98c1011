/* SPDX-License-Identifier: Apache-2.0 */
#include "placement.h"

#include <stdio.h>
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecsfs/cleanup.h"
#include "ports.h"

/* What a task of the definition takes, as task_make_containers counts it. */
static void need_of(struct task_definition *definition, long *ret_cpu, long *ret_memory)
{
    const json_t *doc = task_definition_doc(definition);
    const char *cpu = in_text(doc, "cpu"), *memory = in_text(doc, "memory");
    size_t i;
    json_t *container;
    *ret_cpu = *ret_memory = 0;
    json_array_foreach(json_object_get(doc, "containerDefinitions"), i, container)
    {
        *ret_cpu += in_int(container, "cpu", 0);
        *ret_memory += in_int(container, "memoryReservation", in_int(container, "memory", 0));
    }
    if (cpu)
        sscanf(cpu, "%ld", ret_cpu);
    if (memory)
        sscanf(memory, "%ld", ret_memory);
}

static long tasks_of_group(const struct placement *placement, const struct instance *instance)
{
    long count = 0;
    struct task *task;
    TAILQ_FOREACH(task, &placement->cluster->tasks, link)
    {
        count += task->instance == instance && task->status < TASK_STOPPED &&
                 strcmp(task->group, placement->group) == 0;
    }
    return count;
}

/* The cluster query language, as far as "attribute:NAME", "==", "!=", "exists"; what is not
 * understood holds. */
static bool expression_holds(const char *expression, const struct instance *instance)
{
    char name[129], sign[8] = "", value[129] = "";
    int got = sscanf(expression, " attribute:%128[^ =!] %7[=!a-z] %128[^ ]", name, sign, value);
    if (got < 1)
        return true;
    const char *has = instance_attribute(instance, name);
    if (got >= 2 && strcmp(sign, "exists") == 0)
        return instance_has_attribute(instance, name);
    if (got < 3)
        return true;
    bool equal = has && strcmp(has, value) == 0;
    return strcmp(sign, "!=") == 0 ? !equal : equal;
}

static bool constraints_hold(const struct placement *placement, const struct instance *instance,
                             const json_t *list)
{
    size_t i;
    json_t *constraint;
    json_array_foreach(list, i, constraint)
    {
        const char *type = in_text(constraint, "type"), *expression = in_text(constraint, "expression");
        if (type && strcmp(type, "distinctInstance") == 0 && tasks_of_group(placement, instance))
            return false;
        if (type && strcmp(type, "memberOf") == 0 && expression && !expression_holds(expression, instance))
            return false;
    }
    return true;
}

static bool has_required(const struct placement *placement, const struct instance *instance)
{
    size_t i;
    json_t *attribute;
    json_array_foreach(json_object_get(task_definition_doc(placement->definition), "requiresAttributes"), i,
                       attribute)
    {
        if (!instance_has_attribute(instance, in_text(attribute, "name")))
            return false;
    }
    return true;
}

enum lack placement_check(const struct placement *placement, struct instance *instance)
{
    long cpu, memory;
    need_of(placement->definition, &cpu, &memory);
    if (instance->draining)
        return LACK_INSTANCES;
    if (!has_required(placement, instance))
        return LACK_ATTRIBUTE;
    if (!constraints_hold(placement, instance, placement->constraints) ||
        !constraints_hold(
            placement, instance,
            json_object_get(task_definition_doc(placement->definition), "placementConstraints")))
        return LACK_CONSTRAINT;
    if (instance->cpu - instance->used_cpu < cpu)
        return LACK_CPU;
    if (instance->memory - instance->used_memory < memory)
        return LACK_MEMORY;
    if (!ports_are_free(instance, placement->definition))
        return LACK_PORTS;
    return LACK_NONE;
}

/* How many tasks of the group run where this instance is, by instance or by an attribute's value. */
static long spread_of(const struct placement *placement, const struct instance *instance, const char *field)
{
    if (!field || strcmp(field, "instanceId") == 0 || strcmp(field, "host") == 0)
        return tasks_of_group(placement, instance);
    const char *name = strncmp(field, "attribute:", 10) == 0 ? field + 10 : field;
    const char *value = instance_attribute(instance, name);
    long count = 0;
    struct instance *other;
    TAILQ_FOREACH(other, &placement->cluster->instances, link)
    {
        const char *its = instance_attribute(other, name);
        if (value && its && strcmp(value, its) == 0)
            count += tasks_of_group(placement, other);
    }
    return count;
}

/* Negative when a is the better place. */
static long compare(const struct placement *placement, const struct instance *a, const struct instance *b)
{
    size_t i;
    json_t *rule;
    json_array_foreach(placement->strategy, i, rule)
    {
        const char *type = in_text(rule, "type"), *field = in_text(rule, "field");
        long order = 0;
        if (type && strcmp(type, "spread") == 0)
            order = spread_of(placement, a, field) - spread_of(placement, b, field);
        else if (type && strcmp(type, "binpack") == 0 && field && strcasecmp(field, "cpu") == 0)
            order = (a->cpu - a->used_cpu) - (b->cpu - b->used_cpu);
        else if (type && strcmp(type, "binpack") == 0)
            order = (a->memory - a->used_memory) - (b->memory - b->used_memory);
        else if (type && strcmp(type, "random") == 0)
            order = (long)id_number(2) * 2 - 1;
        if (order)
            return order;
    }
    return tasks_of_group(placement, a) - tasks_of_group(placement, b);
}

struct instance *placement_find(struct placement *placement)
{
    struct instance *best = NULL, *instance;
    placement->lack = LACK_INSTANCES;
    placement->closest = NULL;
    TAILQ_FOREACH(instance, &placement->cluster->instances, link)
    {
        enum lack lack = placement_check(placement, instance);
        if (lack == LACK_NONE) {
            if (!best || compare(placement, instance, best) < 0)
                best = instance;
        } else if (lack > placement->lack) {
            placement->lack = lack;
            placement->closest = instance;
        }
    }
    if (best)
        placement->lack = LACK_NONE;
    return best;
}

const char *placement_failure(enum lack lack)
{
    static const char *const names[] = {
        [LACK_INSTANCES] = "AGENT",
        [LACK_ATTRIBUTE] = "ATTRIBUTE",
        [LACK_CONSTRAINT] = "MemberOf placement constraint unsatisfied.",
        [LACK_CPU] = "RESOURCE:CPU",
        [LACK_MEMORY] = "RESOURCE:MEMORY",
        [LACK_PORTS] = "RESOURCE:PORTS",
    };
    return names[lack];
}

static long tasks_of_provider(const struct cluster *cluster, const char *group, const char *provider)
{
    long count = 0;
    struct task *task;
    TAILQ_FOREACH(task, &cluster->tasks, link)
    {
        count += task_is_wanted(task) && task->provider && strcmp(task->group, group) == 0 &&
                 strcmp(task->provider, provider) == 0;
    }
    return count;
}

const char *placement_provider(const json_t *strategy, const struct cluster *cluster, const char *group)
{
    size_t i;
    json_t *row;
    const char *best = NULL;
    double best_load = 0;
    json_array_foreach(strategy, i, row)
    {
        const char *name = in_text(row, "capacityProvider");
        if (tasks_of_provider(cluster, group, name) < in_int(row, "base", 0))
            return name;
    }
    json_array_foreach(strategy, i, row)
    {
        long weight = in_int(row, "weight", 0);
        const char *name = in_text(row, "capacityProvider");
        if (weight <= 0 && json_array_size(strategy) > 1)
            continue;
        double load = (double)(tasks_of_provider(cluster, group, name) - in_int(row, "base", 0) + 1) /
                      (double)(weight > 0 ? weight : 1);
        if (!best || load < best_load) {
            best = name;
            best_load = load;
        }
    }
    return best;
}
