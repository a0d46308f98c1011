/* SPDX-License-Identifier: Apache-2.0 */
/* The service scheduler: looks after a service whenever something happened to it, and starts and
 * stops tasks until it runs what it should, within minimumHealthyPercent and maximumPercent. */
#include <stdio.h>
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "launch.h"
#include "placement.h"
#include "services.h"
#include "task_sets.h"

/* Between something that happens and the scheduler's look at it; lets bursts of changes gather. */
static const double look_ms = 50;
/* Tasks named in one event. */
enum { BATCH = 10 };
/* How long an INACTIVE service can be described. */
static const double forget_ms = 3600e3;
/* After how many failures in a row tasks are started less often, and how much less. */
enum { PATIENCE = 3, COMPLAINT = 5 };
static const double backoff_ms = 500, backoff_most_ms = 60e3;
/* The same complaint about placement is not repeated sooner. */
static const double complain_again_ms = 60e3;

static struct world *world_of(const struct service *service)
{
    return service->record.region->world;
}

void service_wake(struct service *service)
{
    struct world *world = world_of(service);
    int64_t due = world->now + world_span(world, look_ms);
    if (service->status != SERVICE_INACTIVE && (!service->timer.at || service->timer.due > due))
        timer_arm(&world->timers, &service->timer, due);
}

void service_wake_all(struct cluster *cluster)
{
    struct service *service;
    TAILQ_FOREACH(service, &cluster->services, link)
    {
        if (service->unplaceable || service_is_daemon(service))
            service_wake(service);
    }
}

static struct deployment *deployment_of(const struct service *service, const struct task *task)
{
    struct deployment *deployment;
    TAILQ_FOREACH(deployment, &service->deployments, link)
    {
        if (task->started_by && strcmp(deployment->id, task->started_by) == 0)
            return deployment;
    }
    return NULL;
}

static void count_failure(struct service *service, struct task *task)
{
    struct deployment *deployment = deployment_of(service, task);
    task->counted = true;
    service->streak++;
    if (deployment && !deployment->ran && deployment->rollout == ROLLOUT_IN_PROGRESS) {
        deployment->failed++;
        deployment->updated = world_wall(world_of(service));
    }
    double wait = backoff_ms;
    for (long i = PATIENCE; i < service->streak && wait < backoff_most_ms; i++)
        wait *= 2;
    if (service->streak >= PATIENCE)
        service->hold_until = world_of(service)->now + world_span(world_of(service), wait);
    if (service->streak == COMPLAINT)
        service_say(service,
                    "is unable to consistently start tasks successfully. For more information, see the "
                    "Troubleshooting section of the Amazon ECS Developer Guide.");
    record_dirty(&service->record);
}

static bool is_unhealthy(const struct task *task)
{
    for (size_t i = 0; i < task->containers_len; i++)
        if (task->containers[i].essential && task->containers[i].health == HEALTH_UNHEALTHY)
            return true;
    return false;
}

/* "Successfully running": with a health check only once that has passed. */
static bool has_succeeded(const struct task *task)
{
    if (task->status != TASK_RUNNING)
        return false;
    for (size_t i = 0; i < task->containers_len; i++)
        if (task->containers[i].essential && task->containers[i].checked &&
            task->containers[i].health != HEALTH_HEALTHY)
            return false;
    return true;
}

static void count_success(struct service *service, const struct task *task)
{
    struct deployment *deployment = deployment_of(service, task);
    if (deployment && (!deployment->ran || deployment->failed)) {
        deployment->ran = true;
        deployment->failed = 0;
        record_dirty(&service->record);
    }
    service->streak = 0;
    service->hold_until = 0;
}

void service_task_changed(struct service *service, struct task *task)
{
    bool failed =
        !task->ran && (task->stop_code == STOP_FAILED_TO_START || task->stop_code == STOP_ESSENTIAL_EXITED);
    if (!task->counted && (failed || (task->status == TASK_RUNNING && is_unhealthy(task))))
        count_failure(service, task);
    else if (has_succeeded(task))
        count_success(service, task);
    service_wake(service);
}

/* --- starting --- */

static json_t *tags_for(const struct service *service, const struct deployment *deployment)
{
    const char *propagate = in_text(service->spec, "propagateTags");
    json_t *tags = json_array();
    if (propagate && strcmp(propagate, "SERVICE") == 0)
        json_array_extend(tags, service->record.tags);
    if (propagate && strcmp(propagate, "TASK_DEFINITION") == 0)
        json_array_extend(tags, deployment->revision->definition->record.tags);
    if (in_bool(service->spec, "enableECSManagedTags")) {
        json_array_append_new(
            tags, json_pack("{s:s, s:s}", "key", "aws:ecs:clusterName", "value", service->cluster->name));
        json_array_append_new(tags,
                              json_pack("{s:s, s:s}", "key", "aws:ecs:serviceName", "value", service->name));
    }
    return tags;
}

struct start {
    struct service *service;
    struct deployment *deployment;
    struct task_plan plan;
    struct placement placement;
    struct ecs_buf names; /* " (task <id>)" of those started */
    long started;
};

static void start_begin(struct start *start, struct service *service, struct deployment *deployment,
                        const char *group)
{
    const json_t *spec = deployment->revision->spec;
    *start = (struct start){.service = service, .deployment = deployment, .names = ECS_BUF(64 * 1024)};
    start->plan = (struct task_plan){
        .cluster = service->cluster,
        .service = service,
        .definition = deployment->revision->definition,
        .launch = deployment->set ? launch_of_spec(spec) : service_launch(service),
        .group = group,
        .started_by = deployment->id,
        .platform_version = in_text(spec, "platformVersion"),
        .network = json_object_get(spec, "networkConfiguration"),
        .tags = tags_for(service, deployment),
        .exec = in_bool(service->spec, "enableExecuteCommand"),
    };
    start->placement = (struct placement){
        .cluster = service->cluster,
        .definition = deployment->revision->definition,
        .constraints = json_object_get(service->spec, "placementConstraints"),
        .strategy = json_object_get(service->spec, "placementStrategy"),
        .group = group,
    };
}

static void start_say(struct start *start)
{
    if (start->started)
        service_say(start->service, "has started %ld tasks:%s.", start->started, start->names.data);
    ecs_buf_truncate(&start->names, 0);
    start->started = 0;
}

static void start_end(struct start *start)
{
    start_say(start);
    ecs_buf_free(&start->names);
    json_decref(start->plan.tags);
}

static bool start_task(struct start *start)
{
    struct task *task = task_start(&start->plan);
    if (!task)
        return false;
    ecs_buf_addf(&start->names, " (task %s)", task->id);
    start->service->steady = false;
    if (++start->started == BATCH)
        start_say(start);
    return true;
}

static void complain(struct service *service, const struct placement *placement)
{
    struct world *world = world_of(service);
    bool again =
        service->unplaceable && world_wall(world) < service->said_at + world_span(world, complain_again_ms);
    service->unplaceable = true;
    service->steady = false;
    timer_arm(&world->timers, &service->timer, world->now + world_span(world, complain_again_ms));
    if (again)
        return;
    service->said_at = world_wall(world);
    static const char tail[] =
        "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    static const char *const lacks[] = {
        [LACK_ATTRIBUTE] = "is missing an attribute required by your task",
        [LACK_CONSTRAINT] = "does not satisfy a placement constraint of your task",
        [LACK_CPU] = "has insufficient CPU units available",
        [LACK_MEMORY] = "has insufficient memory available",
        [LACK_PORTS] = "is already using a port required by your task",
    };
    if (!placement->closest)
        service_say(service,
                    "was unable to place a task because no container instance met all of its requirements. "
                    "Reason: No Container Instances were found in your cluster. %s",
                    tail);
    else
        service_say(service,
                    "was unable to place a task because no container instance met all of its requirements. "
                    "The closest matching (container-instance %s) %s. %s",
                    placement->closest->id, lacks[placement->lack], tail);
}

static bool choose_place(struct start *start)
{
    const json_t *strategy = in_list(start->deployment->revision->spec, "capacityProviderStrategy");
    if (strategy) {
        start->plan.provider = placement_provider(strategy, start->service->cluster, start->plan.group);
        start->plan.launch = launch_of_provider(start->plan.provider);
    }
    if (start->plan.launch == LAUNCH_FARGATE)
        return true;
    start->plan.instance = placement_find(&start->placement);
    if (!start->plan.instance)
        complain(start->service, &start->placement);
    return start->plan.instance != NULL;
}

static void start_tasks(struct service *service, struct deployment *deployment, long count)
{
    struct world *world = world_of(service);
    if (count <= 0)
        return;
    if (world->now < service->hold_until) {
        timer_arm(&world->timers, &service->timer, service->hold_until);
        return;
    }
    cleanup_free char *group = NULL;
    if (asprintf(&group, "service:%s", service->name) < 0)
        return;
    /* While tasks keep failing, one at a time tells as much as all of them. */
    if (service->streak >= PATIENCE && count > 1)
        count = 1;
    struct start start;
    start_begin(&start, service, deployment, group);
    while (count > 0 && choose_place(&start) && start_task(&start))
        count--;
    if (count == 0)
        service->unplaceable = false;
    start_end(&start);
}

/* --- stopping --- */

struct stop {
    struct service *service;
    struct ecs_buf names;
    long stopped;
};

static void stop_say(struct stop *stop)
{
    if (stop->stopped)
        service_say(stop->service, "has stopped %ld running tasks:%s.", stop->stopped, stop->names.data);
    ecs_buf_truncate(&stop->names, 0);
    stop->stopped = 0;
}

static void stop_one(struct stop *stop, struct task *task)
{
    ecs_buf_addf(&stop->names, " (task %s)", task->id);
    stop->service->steady = false;
    const struct deployment *first = TAILQ_FIRST(&stop->service->deployments);
    task_stop(task, STOP_SCHEDULER, "Scaling activity initiated by (deployment %s)",
              !first || first->set ? task->started_by : first->id);
    if (++stop->stopped == BATCH)
        stop_say(stop);
}

enum whose { OF_PRIMARY, OF_OTHERS };

static bool is_among(const struct service *service, const struct task *task, enum whose whose)
{
    const struct deployment *primary = TAILQ_FIRST(&service->deployments);
    bool of_primary = primary && task->started_by && strcmp(task->started_by, primary->id) == 0;
    return task_is_wanted(task) && task->status <= TASK_RUNNING && of_primary == (whose == OF_PRIMARY);
}

/* Stops up to `count` tasks, newest first: those that run, or those on their way. */
static long stop_tasks(struct stop *stop, enum whose whose, bool running, long count)
{
    struct task *task, *before;
    long stopped = 0;
    for (task = TAILQ_LAST(&stop->service->tasks, task_list); task && stopped < count; task = before) {
        before = TAILQ_PREV(task, task_list, service_link);
        if (is_among(stop->service, task, whose) && (task->status == TASK_RUNNING) == running &&
            !task_is_protected(task)) {
            stop_one(stop, task);
            stopped++;
        }
    }
    return stopped;
}

static void replace_unhealthy(struct service *service)
{
    struct task *task;
    TAILQ_FOREACH(task, &service->tasks, service_link)
    {
        if (task_is_wanted(task) && task->status == TASK_RUNNING && is_unhealthy(task)) {
            service_say(service, "(task %s) failed container health checks.", task->id);
            task_stop(task, STOP_SCHEDULER, "Task failed container health checks");
            service->steady = false;
        }
    }
}

/* --- a look at the service --- */

struct tally {
    long primary, others;                 /* wanted, not yet stopping */
    long primary_running, others_running; /* of those, RUNNING */
    long all;                             /* up to RUNNING, wanted or not: what maximumPercent bounds */
};

static void count(const struct service *service, struct tally *tally)
{
    struct task *task;
    *tally = (struct tally){0};
    TAILQ_FOREACH(task, &service->tasks, service_link)
    {
        bool running = has_succeeded(task) && !is_unhealthy(task);
        tally->all += task->status <= TASK_RUNNING;
        if (is_among(service, task, OF_PRIMARY)) {
            tally->primary++;
            tally->primary_running += running;
        } else if (is_among(service, task, OF_OTHERS)) {
            tally->others++;
            tally->others_running += running;
        }
    }
}

static long percent(const struct service *service, const char *name, long fallback)
{
    return in_int(json_object_get(service->spec, "deploymentConfiguration"), name, fallback);
}

static void look_at_replicas(struct service *service, struct deployment *primary)
{
    struct tally tally;
    struct stop stop = {.service = service, .names = ECS_BUF(64 * 1024)};
    long least = (service->desired * percent(service, "minimumHealthyPercent", 100) + 99) / 100;
    long most = service->desired * percent(service, "maximumPercent", 200) / 100;
    count(service, &tally);
    /* Too many of the PRIMARY: those on their way go first. */
    long excess = tally.primary - service->desired;
    if (excess > 0)
        excess -= stop_tasks(&stop, OF_PRIMARY, false, excess);
    if (excess > 0)
        stop_tasks(&stop, OF_PRIMARY, true, excess);
    /* The others make room, as far as enough are healthy. Those not running help nobody. */
    stop_tasks(&stop, OF_OTHERS, false, tally.others);
    long spare = tally.primary_running + tally.others_running - least;
    if (tally.others_running && spare > 0)
        stop_tasks(&stop, OF_OTHERS, true, spare);
    stop_say(&stop);
    ecs_buf_free(&stop.names);
    count(service, &tally);
    long missing = service->desired - tally.primary, room = most - tally.all;
    start_tasks(service, primary, missing < room ? missing : room);
}

static struct task *task_on(const struct service *service, const struct instance *instance, enum whose whose)
{
    struct task *task;
    TAILQ_FOREACH(task, &service->tasks, service_link)
    {
        if (task->instance == instance && is_among(service, task, whose))
            return task;
    }
    return NULL;
}

/* One task on every instance that can take it. */
static void look_at_daemons(struct service *service, struct deployment *primary)
{
    cleanup_free char *group = NULL;
    if (asprintf(&group, "service:%s", service->name) < 0)
        return;
    struct stop stop = {.service = service, .names = ECS_BUF(64 * 1024)};
    struct start start;
    struct instance *instance;
    struct tally tally;
    count(service, &tally);
    start_begin(&start, service, primary, group);
    long eligible = 0;
    long spare = tally.primary_running + tally.others_running -
                 (service->desired * percent(service, "minimumHealthyPercent", 0) + 99) / 100;
    TAILQ_FOREACH(instance, &service->cluster->instances, link)
    {
        struct task *old = task_on(service, instance, OF_OTHERS),
                    *own = task_on(service, instance, OF_PRIMARY);
        enum lack lack = own || old ? LACK_NONE : placement_check(&start.placement, instance);
        if (instance->draining && own)
            stop_one(&stop, own);
        if (old && (spare > 0 || instance->draining)) {
            stop_one(&stop, old);
            spare--;
        }
        eligible += !instance->draining && (own || old || lack == LACK_NONE);
        start.plan.instance = instance;
        if (!own && !old && lack == LACK_NONE && world_of(service)->now >= service->hold_until)
            start_task(&start);
    }
    if (world_of(service)->now < service->hold_until)
        timer_arm(&world_of(service)->timers, &service->timer, service->hold_until);
    stop_say(&stop);
    ecs_buf_free(&stop.names);
    start_end(&start);
    if (service->desired != eligible) {
        service->desired = eligible;
        service->steady = false;
        record_dirty(&service->record);
    }
}

static void look_at_task_set(struct service *service, struct deployment *set)
{
    struct service_counts counts;
    struct stop stop = {.service = service, .names = ECS_BUF(64 * 1024)};
    struct task *task, *before;
    deployment_count(service, set, &counts);
    long missing = task_set_desired(service, set) - counts.wanted;
    for (task = TAILQ_LAST(&service->tasks, task_list); task && missing < 0; task = before) {
        before = TAILQ_PREV(task, task_list, service_link);
        if (task_is_wanted(task) && deployment_of(service, task) == set &&
            (set->draining || !task_is_protected(task))) {
            stop_one(&stop, task);
            missing++;
        }
    }
    stop_say(&stop);
    ecs_buf_free(&stop.names);
    start_tasks(service, set, missing);
    task_set_settle(service, set);
}

static void look_at_task_sets(struct service *service)
{
    struct deployment *set, *next;
    for (set = TAILQ_FIRST(&service->deployments); set; set = next) {
        next = TAILQ_NEXT(set, link);
        look_at_task_set(service, set);
    }
}

void service_drain(struct service *service)
{
    service->status = SERVICE_DRAINING;
    service->desired = 0;
    record_dirty(&service->record);
    service_wake(service);
}

static void look_at_draining(struct service *service)
{
    struct stop stop = {.service = service, .names = ECS_BUF(64 * 1024)};
    struct task *task, *next;
    long left = 0;
    for (task = TAILQ_FIRST(&service->tasks); task; task = next) {
        next = TAILQ_NEXT(task, service_link);
        if (task_is_wanted(task))
            stop_one(&stop, task);
        left += task->status < TASK_STOPPED;
    }
    stop_say(&stop);
    ecs_buf_free(&stop.names);
    if (left)
        return;
    struct deployment *deployment;
    while ((deployment = TAILQ_FIRST(&service->deployments)))
        deployment_free(service, deployment);
    service->status = SERVICE_INACTIVE;
    record_dirty(&service->record);
    world_later(world_of(service), &service->timer, forget_ms);
}

/* Tasks on an instance that is draining are replaced. */
static void leave_draining_instances(struct service *service)
{
    struct task *task, *next;
    for (task = TAILQ_FIRST(&service->tasks); task; task = next) {
        next = TAILQ_NEXT(task, service_link);
        if (task->instance && task->instance->draining && task_is_wanted(task) &&
            !service_is_daemon(service)) {
            task_stop(task, STOP_SCHEDULER, "Task was stopped because its container instance is draining");
            service->steady = false;
        }
    }
}

void service_look_after(struct timer *timer)
{
    struct service *service = container_of(timer, struct service, timer);
    if (service->status == SERVICE_INACTIVE) {
        record_delete(&service->record);
        service_free(service);
        return;
    }
    if (service->status == SERVICE_DRAINING) {
        look_at_draining(service);
        return;
    }
    replace_unhealthy(service);
    leave_draining_instances(service);
    if (service_is_external(service)) {
        look_at_task_sets(service);
        return;
    }
    deployment_judge(service);
    struct deployment *primary = TAILQ_FIRST(&service->deployments);
    if (primary && primary->rollout != ROLLOUT_FAILED) {
        if (service_is_daemon(service))
            look_at_daemons(service, primary);
        else
            look_at_replicas(service, primary);
    }
    deployment_settle(service);
}
