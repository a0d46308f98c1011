/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster as the API shows it, with its counts. */
#include <stdio.h>

#include "clusters.h"
#include "container_instances.h"
#include "services.h"
#include "tasks.h"

enum { EC2, FARGATE, EXTERNAL, COLUMNS };

struct statistics {
    long running_tasks[COLUMNS], pending_tasks[COLUMNS], active_services[COLUMNS], draining_services[COLUMNS];
};

static int column_of(enum launch launch)
{
    return launch == LAUNCH_FARGATE ? FARGATE : launch == LAUNCH_EXTERNAL ? EXTERNAL : EC2;
}

static void gather(const struct cluster *cluster, struct statistics *sums)
{
    struct task *task;
    struct service *service;
    TAILQ_FOREACH(task, &cluster->tasks, link)
    {
        if (task->status == TASK_RUNNING)
            sums->running_tasks[column_of(task->launch)]++;
        else if (task->status < TASK_RUNNING)
            sums->pending_tasks[column_of(task->launch)]++;
    }
    TAILQ_FOREACH(service, &cluster->services, link)
    {
        if (service->status == SERVICE_ACTIVE)
            sums->active_services[column_of(service_launch(service))]++;
        else if (service->status == SERVICE_DRAINING)
            sums->draining_services[column_of(service_launch(service))]++;
    }
}

static long sum(const long columns[COLUMNS])
{
    return columns[EC2] + columns[FARGATE] + columns[EXTERNAL];
}

void cluster_count(const struct cluster *cluster, struct cluster_counts *ret_counts)
{
    struct statistics sums = {0};
    gather(cluster, &sums);
    *ret_counts = (struct cluster_counts){
        .services = sum(sums.active_services),
        .draining_services = sum(sums.draining_services),
        .running = sum(sums.running_tasks),
        .pending = sum(sums.pending_tasks),
    };
    struct instance *instance;
    TAILQ_FOREACH(instance, &cluster->instances, link)
    {
        ret_counts->instances++;
    }
}

static void add_statistic(json_t *list, const char *before, const char *column, const char *after, long count)
{
    char name[64], value[24];
    snprintf(name, sizeof(name), "%s%s%s", before, column, after);
    snprintf(value, sizeof(value), "%ld", count);
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", value));
}

static json_t *show_statistics(const struct cluster *cluster)
{
    static const char *const columns[COLUMNS] = {"EC2", "Fargate", "External"};
    struct statistics sums = {0};
    gather(cluster, &sums);
    json_t *list = json_array();
    for (int i = 0; i < COLUMNS; i++) {
        const struct {
            const char *before, *after;
            long count;
        } rows[] = {
            {"running", "TasksCount", sums.running_tasks[i]},
            {"pending", "TasksCount", sums.pending_tasks[i]},
            {"active", "ServiceCount", sums.active_services[i]},
            {"draining", "ServiceCount", sums.draining_services[i]},
        };
        for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++)
            add_statistic(list, rows[row].before, columns[i], rows[row].after, rows[row].count);
    }
    return list;
}

static json_t *shown(const json_t *value)
{
    return value ? json_incref((json_t *)(uintptr_t)value) : json_array();
}

json_t *cluster_show(const struct cluster *cluster, const json_t *in)
{
    struct cluster_counts counts;
    cluster_count(cluster, &counts);
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "clusterArn", cluster->record.arn,
        "clusterName", cluster->name, "status", cluster->active ? "ACTIVE" : "INACTIVE",
        "registeredContainerInstancesCount", (json_int_t)counts.instances, "runningTasksCount",
        (json_int_t)counts.running, "pendingTasksCount", (json_int_t)counts.pending, "activeServicesCount",
        (json_int_t)counts.services, "statistics",
        in_includes(in, "STATISTICS") ? show_statistics(cluster) : json_array(), "tags",
        in_includes(in, "TAGS") ? shown(cluster->record.tags) : json_array(), "settings",
        in_includes(in, "SETTINGS") ? shown(cluster->settings) : json_array(), "capacityProviders",
        shown(cluster->providers), "defaultCapacityProviderStrategy", shown(cluster->default_strategy));
    if (cluster->configuration && in_includes(in, "CONFIGURATIONS"))
        json_object_set(tree, "configuration", cluster->configuration);
    if (cluster->connect_defaults) {
        json_object_set(tree, "serviceConnectDefaults", cluster->connect_defaults);
    }
    return tree;
}
