/* SPDX-License-Identifier: Apache-2.0 */
/* How a task lives: PROVISIONING (its network interface), PENDING (its images), ACTIVATING (behind a
 * load balancer), RUNNING until a container ends or somebody stops it, then DEACTIVATING, STOPPING,
 * DEPROVISIONING, STOPPED, and forgotten after an hour. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecr/images.h"
#include "ecsfs/cleanup.h"
#include "ports.h"
#include "program.h"
#include "services.h"
#include "task_logs.h"
#include "tasks.h"

const double task_keep_ms = 65 * 60e3; /* AWS: "at least one hour" */

/* Milliseconds of life in each state: 2 s from a Fargate task's start until it runs. */
static const double span_ms[] = {
    [TASK_PROVISIONING] = 600, [TASK_PENDING] = 900,  [TASK_ACTIVATING] = 300,
    [TASK_DEACTIVATING] = 200, [TASK_STOPPING] = 300, [TASK_DEPROVISIONING] = 300,
};

/* Until a health check has its verdict. */
static const double healthy_ms = 500, unhealthy_ms = 2000;

static void live(struct timer *timer);

static struct world *world_of(const struct task *task)
{
    return task->record.region->world;
}

static int64_t wall(const struct task *task)
{
    return world_wall(world_of(task));
}

static void enter(struct task *task, enum task_status status)
{
    task->status = status;
    task->version++;
    record_dirty(&task->record);
    if (status < TASK_STOPPED && status != TASK_RUNNING)
        world_later(world_of(task), &task->timer, span_ms[status]);
}

void task_life_begin(struct task *task)
{
    task->timer.fire = live;
    task->times.created = wall(task);
    task->status = task->awsvpc ? TASK_PROVISIONING : TASK_PENDING;
    world_later(world_of(task), &task->timer, span_ms[task->status]);
}

/* Behind a load balancer, in a discovery namespace: it takes a state to get in and one to get out. */
static bool is_attached(const struct task *task)
{
    static const char *const members[] = {"loadBalancers", "serviceRegistries"};
    const json_t *spec = task->service ? task->service->spec : NULL;
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (in_list(spec, members[i]))
            return true;
    return in_bool(json_object_get(spec, "serviceConnectConfiguration"), "enabled");
}

static void stop_container(struct task *task, struct container *container, int exit_code)
{
    (void)task;
    container->status = TASK_STOPPED;
    container->exit_code = exit_code;
}

static void release_instance(struct task *task)
{
    if (!task->instance)
        return;
    task->instance->used_cpu -= task->cpu;
    task->instance->used_memory -= task->memory;
    ports_release(task);
    task->instance->version++;
    record_dirty(&task->instance->record);
}

static void stopped(struct task *task)
{
    enter(task, TASK_STOPPED);
    task->times.stopped = wall(task);
    release_instance(task);
    world_later(world_of(task), &task->timer, task_keep_ms);
    if (task->service)
        service_task_changed(task->service, task);
    task_unlist(task);
    if (task->instance) /* room for somebody else */
        service_wake_all(task->cluster);
}

static void set_reason(struct task *task, enum stop_code code, char *reason)
{
    if (task->stop_code == STOP_NONE)
        task->stop_code = code;
    if (task->stopped_reason)
        free(reason);
    else
        task->stopped_reason = reason;
}

/* The containers are gone already: on to the network interface. */
static void wind_up(struct task *task)
{
    task->desired = TASK_STOPPED;
    if (!task->times.stopping)
        task->times.stopping = wall(task);
    task->times.execution_stopped = wall(task);
    for (size_t i = 0; i < task->containers_len; i++)
        task->containers[i].status = TASK_STOPPED;
    if (task->awsvpc)
        enter(task, TASK_DEPROVISIONING);
    else
        stopped(task);
}

static void fail_to_pull(struct task *task, struct container *container, char *reason)
{
    container->reason = reason ? strdup(reason) : NULL;
    set_reason(task, STOP_FAILED_TO_START, reason);
    if (task->service)
        service_task_changed(task->service, task);
    wind_up(task);
}

static bool pull(struct task *task)
{
    for (size_t i = 0; i < task->containers_len; i++) {
        struct container *container = &task->containers[i];
        char digest[DIGEST_TEXT], *reason;
        if (image_pull(task->record.region, container->image, digest, &reason) < 0) {
            task->times.pull_stopped = wall(task);
            fail_to_pull(task, container, reason);
            return false;
        }
        container->digest = strdup(digest);
    }
    task->times.pull_stopped = wall(task);
    return true;
}

/* A runtime's name for the container: Fargate's begins with the task's id. */
static void start_container(struct task *task, struct container *container)
{
    char digits[65];
    if (task->launch == LAUNCH_FARGATE)
        snprintf(container->runtime_id, sizeof(container->runtime_id), "%s-%s", task->id,
                 id_decimal(digits, 10));
    else
        snprintf(container->runtime_id, sizeof(container->runtime_id), "%s", id_hex(digits, 64));
    container->status = TASK_RUNNING;
}

static const char starved_reason[] = "OutOfMemoryError: Container killed due to memory usage";

static void essential_exited(struct task *task)
{
    bool starved = false;
    for (size_t i = 0; i < task->containers_len; i++)
        starved |= task->containers[i].essential && task->containers[i].reason &&
                   strcmp(task->containers[i].reason, starved_reason) == 0;
    set_reason(task, STOP_ESSENTIAL_EXITED,
               strdup(starved ? starved_reason : "Essential container in task exited"));
    for (size_t i = 0; i < task->containers_len; i++)
        if (task->containers[i].status != TASK_STOPPED)
            stop_container(task, &task->containers[i], task->containers[i].ends_after >= 0 ? 137 : 0);
    wind_up(task);
}

/* Milliseconds of life until this container does something by itself, -1: never. */
static double next_of(const struct container *container, double lived)
{
    double next = -1, line = task_log_next(container);
    if (container->status != TASK_RUNNING)
        return -1;
    if (line >= 0)
        next = line > lived ? line - lived : 0;
    if (container->ends_after >= 0) {
        double left = (double)container->ends_after > lived ? (double)container->ends_after - lived : 0;
        next = next < 0 || left < next ? left : next;
    }
    if (container->checked && container->health == HEALTH_UNKNOWN) {
        double verdict = healthy_ms > lived     ? healthy_ms - lived
                         : unhealthy_ms > lived ? unhealthy_ms - lived
                                                : 0;
        next = next < 0 || verdict < next ? verdict : next;
    }
    return next;
}

static double lived_ms(const struct task *task)
{
    return (double)(wall(task) - task->times.started) * world_of(task)->speed;
}

static void arm_running(struct task *task)
{
    double soonest = -1, lived = lived_ms(task);
    for (size_t i = 0; i < task->containers_len; i++) {
        double next = next_of(&task->containers[i], lived);
        if (next >= 0 && (soonest < 0 || next < soonest))
            soonest = next;
    }
    if (soonest >= 0)
        world_later(world_of(task), &task->timer, soonest < 1 ? 1 : soonest);
}

static const json_t *health_check_of(struct task *task, const struct container *container)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(task_definition_doc(task->definition), "containerDefinitions"), i, row)
    {
        if (strcmp(in_text(row, "name"), container->name) == 0)
            return json_object_get(row, "healthCheck");
    }
    return NULL;
}

static bool judge_health(struct task *task, struct container *container, double lived)
{
    if (!container->checked || container->health != HEALTH_UNKNOWN || container->status != TASK_RUNNING)
        return false;
    bool passes = program_health_passes(json_object_get(health_check_of(task, container), "command"));
    if (lived < (passes ? healthy_ms : unhealthy_ms))
        return false;
    container->health = passes ? HEALTH_HEALTHY : HEALTH_UNHEALTHY;
    return true;
}

/* What the containers did by themselves since the last look. */
static void look_at_containers(struct task *task)
{
    double lived = lived_ms(task);
    bool ended = false, changed = false;
    for (size_t i = 0; i < task->containers_len; i++) {
        struct container *container = &task->containers[i];
        if (container->status == TASK_RUNNING)
            task_log_until(task, container, lived);
        changed |= judge_health(task, container, lived);
        if (container->status == TASK_RUNNING && container->ends_after >= 0 &&
            (double)container->ends_after <= lived) {
            stop_container(task, container, container->exits_with);
            if (container->starved)
                container->reason = strdup(starved_reason);
            ended |= container->essential;
            changed = true;
        }
    }
    bool any = false;
    for (size_t i = 0; i < task->containers_len; i++)
        any |= task->containers[i].status != TASK_STOPPED;
    if (ended || !any) {
        essential_exited(task);
    } else if (changed) {
        task->version++;
        record_dirty(&task->record);
    }
    if (changed && task->service)
        service_task_changed(task->service, task);
}

static void run(struct task *task)
{
    enter(task, TASK_RUNNING);
    task->ran = true;
    if (task->service)
        service_task_changed(task->service, task);
    arm_running(task);
}

static bool ends_at_once(const struct task *task)
{
    for (size_t i = 0; i < task->containers_len; i++)
        if (task->containers[i].essential && task->containers[i].ends_after == 0)
            return true;
    return false;
}

static void start_containers(struct task *task)
{
    if (!pull(task))
        return;
    task->times.started = wall(task);
    if (!task->times.connected)
        task->times.connected = wall(task);
    for (size_t i = 0; i < task->containers_len; i++)
        start_container(task, &task->containers[i]);
    /* What ends at once is never seen RUNNING: the agent tells both in one breath. */
    if (ends_at_once(task))
        look_at_containers(task);
    else if (is_attached(task))
        enter(task, TASK_ACTIVATING);
    else
        run(task);
}

static void begin_pull(struct task *task)
{
    task->times.connected = wall(task);
    enter(task, TASK_PENDING);
    task->times.pull_started = wall(task);
}

static void end_containers(struct task *task)
{
    for (size_t i = 0; i < task->containers_len; i++) {
        struct container *container = &task->containers[i];
        /* A server ends well on SIGTERM; a shell or sleep as process 1 does not hear it. */
        if (container->status == TASK_RUNNING)
            stop_container(task, container, container->ends_after >= 0 ? 137 : 0);
    }
    wind_up(task);
}

static void forget(struct task *task)
{
    record_delete(&task->record);
    task_free(task);
}

static void live(struct timer *timer)
{
    struct task *task = container_of(timer, struct task, timer);
    switch (task->status) {
    case TASK_PROVISIONING:
        begin_pull(task);
        break;
    case TASK_PENDING:
        if (!task->times.pull_started)
            task->times.pull_started = wall(task);
        start_containers(task);
        break;
    case TASK_ACTIVATING:
        run(task);
        break;
    case TASK_RUNNING:
        look_at_containers(task);
        if (task->status == TASK_RUNNING)
            arm_running(task);
        break;
    case TASK_DEACTIVATING:
        enter(task, TASK_STOPPING);
        break;
    case TASK_STOPPING:
        end_containers(task);
        break;
    case TASK_DEPROVISIONING:
        stopped(task);
        break;
    case TASK_STOPPED:
        forget(task);
        break;
    }
}

void task_stop(struct task *task, enum stop_code code, const char *format, ...)
{
    if (!task_is_wanted(task) || task->status > TASK_RUNNING)
        return;
    va_list args;
    char *reason;
    va_start(args, format);
    if (vasprintf(&reason, format, args) < 0)
        reason = NULL;
    va_end(args);
    set_reason(task, code, reason);
    task->desired = TASK_STOPPED;
    task->times.stopping = wall(task);
    if (task->status < TASK_ACTIVATING)
        wind_up(task); /* nothing runs yet */
    else
        enter(task, task->launch == LAUNCH_FARGATE || is_attached(task) ? TASK_DEACTIVATING : TASK_STOPPING);
    if (task->service)
        service_task_changed(task->service, task);
}

void task_life_resume(struct task *task)
{
    task->timer.fire = live;
    if (task->status == TASK_RUNNING)
        arm_running(task);
    else
        world_later(world_of(task), &task->timer,
                    task->status == TASK_STOPPED ? task_keep_ms : span_ms[task->status]);
}
