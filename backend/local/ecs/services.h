/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_SERVICES_H
#define LOCAL_SERVICES_H

#include "request.h"
#include "tasks.h"

struct cluster;

enum service_status { SERVICE_ACTIVE, SERVICE_DRAINING, SERVICE_INACTIVE };
enum rollout { ROLLOUT_IN_PROGRESS, ROLLOUT_COMPLETED, ROLLOUT_FAILED };

/* What is deployed: a snapshot of the service's members that a deployment is about. */
struct revision {
    TAILQ_ENTRY(revision) link;
    char *arn; /* .../service-revision/cluster/service/<19 digits> */
    struct task_definition *definition;
    json_t *spec; /* launchType, networkConfiguration, ... */
    int64_t created;
};

struct deployment {
    TAILQ_ENTRY(deployment) link;
    char id[ID_MAX];
    struct revision *revision;
    enum rollout rollout;
    char *reason;
    long failed; /* tasks in a row that did not come to run */
    bool ran;    /* a task of it came to run: failures are not counted any more */
    int64_t created, updated;
    json_t *set; /* {scale, externalId, tags} of a task set (task_sets.h); NULL: a rolling deployment */
    bool primary, draining, steady; /* of a task set */
    int64_t steady_at;              /* when that changed */
};

enum service_deployment_status {
    SD_PENDING,
    SD_IN_PROGRESS,
    SD_SUCCESSFUL,
    SD_STOPPED,
    SD_STOP_REQUESTED,
    SD_ROLLBACK_REQUESTED,
    SD_ROLLBACK_IN_PROGRESS,
    SD_ROLLBACK_SUCCESSFUL,
    SD_ROLLBACK_FAILED,
};

/* The history that ListServiceDeployments shows; newest first. */
struct service_deployment {
    TAILQ_ENTRY(service_deployment) link;
    char *arn;
    enum service_deployment_status status;
    char *reason;
    struct revision *target, *source, *rollback; /* the last two may be NULL */
    int64_t created, started, updated, finished, stopped, rollback_started;
    bool tripped; /* by the circuit breaker */
    long failures;
};

struct service_event {
    char id[ID_MAX];
    int64_t at;
    char *message;
};

enum { EVENTS_MAX = 100 };

struct service {
    struct record record; /* first */
    TAILQ_ENTRY(service) link;
    struct cluster *cluster;
    char *name;
    enum service_status status;
    json_t *spec; /* the members of the request as they are now */
    long desired;
    int64_t created;
    TAILQ_HEAD(, deployment) deployments; /* the PRIMARY first */
    TAILQ_HEAD(, revision) revisions;
    TAILQ_HEAD(, service_deployment) history;
    struct task_list tasks; /* not yet STOPPED, newest last; through service_link */
    struct service_event events[EVENTS_MAX];
    unsigned events_first, events_len; /* a ring */
    bool steady;                       /* the last look found it so: said once */
    bool unplaceable;                  /* the last look could not place: said once a minute */
    int64_t said_at;                   /* when that was said */
    long streak;                       /* tasks in a row that did not come to run */
    int64_t hold_until;                /* no task is started before (monotonic): backing off from failures */
    struct timer timer;
};

struct service_counts {
    long running, pending, wanted; /* wanted: not asked to stop */
};

/* services.c */
struct service *service_find(const struct cluster *cluster, const char *name_or_arn);
void services_free_all(struct cluster *cluster);
/* A provider in use by a service of the cluster that is not in `providers`; NULL: none. */
const char *services_using_other_provider(const struct cluster *cluster, const json_t *providers);
void service_free(struct service *service);
struct service *service_new(struct cluster *cluster, const char *name);

/* service_show.c */
json_t *service_show(struct service *service, bool with_tags);

/* service_facts.c */
enum launch service_launch(const struct service *service);
bool service_is_daemon(const struct service *service);
/* Whether the service's deployments are task sets. */
bool service_is_external(const struct service *service);
void deployment_count(const struct service *service, const struct deployment *deployment,
                      struct service_counts *ret_counts);
/* What the deployment is to run: the service's count for the PRIMARY (unless it failed), else 0. */
long deployment_desired(const struct service *service, const struct deployment *deployment);
const char *rollout_name(enum rollout rollout);

/* service_events.c */
void service_say(struct service *service, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* i = 0 is the newest. */
const struct service_event *service_event_at(const struct service *service, unsigned i);
void service_event_put(struct service *service, const char *id, int64_t at, const char *message);

/* scheduler.c */
void service_look_after(struct timer *timer); /* what the service's timer fires */
/* Looks after a service soon, or when something happened to a task of it. */
void service_wake(struct service *service);
void service_wake_all(struct cluster *cluster); /* an instance came, or room on one */
void service_task_changed(struct service *service, struct task *task);
/* Lets go of the tasks: the service is being deleted. */
void service_drain(struct service *service);

/* deployment.c */
/* Begins a deployment of the service's spec as it is now; it becomes the PRIMARY. NULL: no memory. */
struct deployment *deployment_begin(struct service *service, struct task_definition *definition);
/* A task set of that spec (taken over), last in line. NULL: no memory. */
struct deployment *deployment_add(struct service *service, struct task_definition *definition, json_t *spec);
/* Fails the PRIMARY, and rolls back, when its circuit breaker says so. */
void deployment_judge(struct service *service);
/* Completes the PRIMARY when it is all there is; drops the deployments that are drained. */
void deployment_settle(struct service *service);
void deployment_free(struct service *service, struct deployment *deployment);
void revision_free(struct service *service, struct revision *revision);
/* Rolls back to the newest revision that completed; the reason is a format that takes the deployment's id.
 * False: there is none. */
bool deployment_roll_back(struct service *service, const char *reason);
struct revision *revision_find(const struct service *service, const char *arn);
struct service_deployment *service_deployment_find(const struct region *region, const char *arn,
                                                   struct service **ret_service);
/* The members of a service's spec that a revision takes over. */
extern const char *const revision_members[];
extern const size_t revision_members_len;

#endif
