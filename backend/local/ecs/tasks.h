/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_TASKS_H
#define LOCAL_TASKS_H

#include "request.h"
#include "task_definitions.h"

struct cluster;
struct instance;
struct service;

enum task_status { /* in the order in which a task goes through them */
                   TASK_PROVISIONING,
                   TASK_PENDING,
                   TASK_ACTIVATING,
                   TASK_RUNNING,
                   TASK_DEACTIVATING,
                   TASK_STOPPING,
                   TASK_DEPROVISIONING,
                   TASK_STOPPED,
};

enum launch { LAUNCH_EC2, LAUNCH_FARGATE, LAUNCH_EXTERNAL };

enum stop_code {
    STOP_NONE,
    STOP_FAILED_TO_START,
    STOP_ESSENTIAL_EXITED,
    STOP_USER,
    STOP_SCHEDULER,
};

enum health { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct container {
    char *name, *image, *digest, *reason; /* digest and reason may be NULL */
    char id[ID_MAX], runtime_id[80];
    enum task_status status; /* PENDING, RUNNING or STOPPED */
    bool essential, checked; /* checked: it has a health check */
    int exit_code;           /* -1: none yet */
    enum health health;
    int64_t ends_after; /* milliseconds of life until its command ends; -1: never */
    int exits_with;
    long cpu, memory, reservation; /* -1: not set */
    bool logs;                     /* through awslogs */
    bool starved;                  /* its end is the kernel's: it uses more memory than it may */
    json_t *bindings;              /* networkBindings on a container instance; NULL: none */
    json_t *printed;               /* what its command echoes: [[ms, "text"], ...]; NULL: not known */
    unsigned lines;                /* log lines written so far */
};

struct task_times {
    int64_t created, pull_started, pull_stopped, started, stopping, execution_stopped, stopped, connected;
};

struct task {
    struct record record; /* first */
    TAILQ_ENTRY(task) link, service_link;
    struct cluster *cluster;
    struct service *service;   /* NULL: standalone */
    bool listed;               /* among its service's tasks: until it is STOPPED */
    struct instance *instance; /* NULL: Fargate */
    struct task_definition *definition;
    const char *id;                   /* 32 hex, in the ARN */
    enum task_status status, desired; /* desired: RUNNING or STOPPED */
    enum launch launch;
    enum stop_code stop_code;
    char *stopped_reason;                     /* or NULL */
    char *group, *started_by, *provider;      /* the last two may be NULL */
    char *platform_version, *platform_family; /* NULL: not Fargate */
    char *zone;
    json_t *overrides; /* as RunTask gave them, or NULL */
    bool awsvpc, exec;
    char subnet[64], eni[32], ip[16], mac[ID_MAX], attachment[ID_MAX];
    struct task_times times;
    long cpu, memory; /* of the whole task, for placement; MiB */
    bool task_sized;  /* cpu and memory are the definition's own */
    long version;
    struct container *containers;
    size_t containers_len;
    int64_t protected_until; /* wall; 0: not protected */
    bool counted;            /* its failure to start was counted by its deployment */
    bool ran;                /* it was RUNNING once */
    struct timer timer;
};

/* How a task is to be started; everything is borrowed. */
struct task_plan {
    struct cluster *cluster;
    struct service *service;
    struct instance *instance;
    struct task_definition *definition;
    enum launch launch;
    const char *group, *started_by, *provider, *platform_version;
    const json_t *network;   /* networkConfiguration */
    const json_t *overrides; /* RunTask's */
    json_t *tags;            /* shared by reference */
    bool exec;
};

/* Makes a task and lets it live. NULL when out of memory. */
struct task *task_start(const struct task_plan *plan);
/* Asks it to stop; nothing when it is stopping already. */
void task_stop(struct task *task, enum stop_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct task *task_find(const struct cluster *cluster, const char *id_or_arn);
json_t *task_show(struct task *task, bool with_tags);
const char *task_status_name(enum task_status status);
bool task_is_protected(const struct task *task);
/* Its end is not asked for. */
static inline bool task_is_wanted(const struct task *task)
{
    return task->desired == TASK_RUNNING;
}
/* Leaves its service's list: what is STOPPED is no business of the scheduler. */
void task_unlist(struct task *task);
void task_free(struct task *task);
void tasks_free_all(struct cluster *cluster);

/* --- task_life.c: for tasks.c and task_record.c --- */
void task_life_begin(struct task *task);
/* After a load: goes on where it was. */
void task_life_resume(struct task *task);
extern const double task_keep_ms; /* how long a STOPPED task can be described */

/* Fills containers from the definition and the overrides. 0 or -ENOMEM. */
int task_make_containers(struct task *task);

#endif
