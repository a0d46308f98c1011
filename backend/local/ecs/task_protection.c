/* SPDX-License-Identifier: Apache-2.0 */
/* Scale-in protection of tasks. */
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "services.h"

static json_t *show(const struct task *task)
{
    bool is = task_is_protected(task);
    json_t *tree = json_pack("{s:s, s:b}", "taskArn", task->record.arn, "protectionEnabled", is);
    if (is)
        json_object_set_new(tree, "expirationDate", json_time(task->protected_until));
    return tree;
}

static void fail(json_t *failures, const struct cluster *cluster, const char *name, const char *reason,
                 const char *detail)
{
    cleanup_free char *arn =
        arn_new(cluster->record.region, "ecs", "task/%s/%s", cluster->name, last_part(name ? name : ""));
    json_array_append_new(failures,
                          json_pack("{s:s, s:s, s:s*}", "arn", arn, "reason", reason, "detail", detail));
}

static bool may_be_protected(const struct task *task, const char **ret_detail)
{
    *ret_detail = !task->service          ? "Task protection can be set only for tasks of a service."
                  : !task_is_wanted(task) ? "Task is being stopped."
                                          : NULL;
    return !*ret_detail;
}

static json_t *update_task_protection(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *names = cluster ? require_list(rq, "tasks", 10) : NULL;
    if (!names)
        return NULL;
    long minutes = in_int(rq->in, "expiresInMinutes", 120);
    bool on = in_bool(rq->in, "protectionEnabled");
    if (minutes < 1 || minutes > 2880)
        return refuse_invalid(rq, "expiresInMinutes must be between 1 and 2880, inclusive.");
    json_t *done = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i)), *detail;
        struct task *task = name ? task_find(cluster, name) : NULL;
        if (!task) {
            fail(failures, cluster, name, "TASK_NOT_FOUND", NULL);
        } else if (!may_be_protected(task, &detail)) {
            fail(failures, cluster, name, "TASK_NOT_VALID", detail);
        } else {
            task->protected_until = on ? world_wall(rq->world) + minutes * 60000 : 0;
            record_dirty(&task->record);
            service_wake(task->service);
            json_array_append_new(done, show(task));
        }
    }
    return json_pack("{s:o, s:o}", "protectedTasks", done, "failures", failures);
}

static json_t *get_task_protection(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    if (!cluster)
        return NULL;
    const json_t *names = in_list(rq->in, "tasks");
    if (json_array_size(names) > 100)
        return refuse_invalid(rq, "tasks can have at most 100 items.");
    json_t *done = json_array(), *failures = json_array();
    struct task *task;
    TAILQ_FOREACH(task, &cluster->tasks, link)
    {
        if (!names && task->service && task_is_wanted(task) && json_array_size(done) < 100)
            json_array_append_new(done, show(task));
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i)), *detail;
        task = name ? task_find(cluster, name) : NULL;
        if (!task)
            fail(failures, cluster, name, "TASK_NOT_FOUND", NULL);
        else if (!may_be_protected(task, &detail))
            fail(failures, cluster, name, "TASK_NOT_VALID", detail);
        else
            json_array_append_new(done, show(task));
    }
    return json_pack("{s:o, s:o}", "protectedTasks", done, "failures", failures);
}

const struct operation task_protection_operations[] = {
    {"ecs", "UpdateTaskProtection", update_task_protection, BUCKET_TASK_PROTECTION, true},
    {"ecs", "GetTaskProtection", get_task_protection, BUCKET_TASK_PROTECTION, false},
    {0},
};
