/* SPDX-License-Identifier: Apache-2.0 */
/* What a service's specification and tasks come to: told to those who act on it and those who show it. */
#include <string.h>

#include "launch.h"
#include "services.h"

static const char *const rollout_names[] = {"IN_PROGRESS", "COMPLETED", "FAILED"};

const char *rollout_name(enum rollout rollout)
{
    return rollout_names[rollout];
}

enum launch service_launch(const struct service *service)
{
    return launch_of_spec(service->spec);
}

bool service_is_daemon(const struct service *service)
{
    const char *strategy = in_text(service->spec, "schedulingStrategy");
    return strategy && strcmp(strategy, "DAEMON") == 0;
}

void deployment_count(const struct service *service, const struct deployment *deployment,
                      struct service_counts *ret_counts)
{
    struct task *task;
    *ret_counts = (struct service_counts){0};
    TAILQ_FOREACH(task, &service->tasks, service_link)
    {
        if (deployment && (!task->started_by || strcmp(task->started_by, deployment->id) != 0))
            continue;
        ret_counts->running += task->status == TASK_RUNNING;
        ret_counts->pending += task->status < TASK_RUNNING;
        ret_counts->wanted += task_is_wanted(task);
    }
}

long deployment_desired(const struct service *service, const struct deployment *deployment)
{
    bool primary = deployment == TAILQ_FIRST(&service->deployments);
    return primary && deployment->rollout != ROLLOUT_FAILED ? service->desired : 0;
}

bool service_is_external(const struct service *service)
{
    const char *type = in_text(json_object_get(service->spec, "deploymentController"), "type");
    return type && strcmp(type, "EXTERNAL") == 0;
}
