/* SPDX-License-Identifier: Apache-2.0 */
/* What the world is made of: regions hold clusters and task-definition families, clusters hold
 * services, tasks and container instances. Everything that lasts begins with a struct record. */
#ifndef LOCAL_STATE_H
#define LOCAL_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ecsfs/clock.h"
#include "ids.h"
#include "index.h"
#include "timer.h"

struct record;
struct region;
struct store;
struct throttle;
struct world;

/* One kind of lasting thing: how it becomes JSON text and comes back. */
struct record_kind {
    const char *name;
    json_t *(*dump)(const struct record *record); /* new reference, NULL: no memory */
    int (*load)(struct region *region, const char *arn, const json_t *body); /* 0 or -errno */
};

struct record {
    const struct record_kind *kind;
    struct region *region;
    char *arn;         /* its key in the store and in region->by_arn */
    json_t *tags;      /* array of {key, value}; NULL where the kind has no tags */
    uint64_t sequence; /* order of creation: what pages count by */
    bool dirty;
    STAILQ_ENTRY(record) dirty_link;
};

/* A record that was deleted since the last commit. */
struct grave {
    STAILQ_ENTRY(grave) link;
    const char *region, *kind;
    char arn[];
};

TAILQ_HEAD(cluster_list, cluster);
TAILQ_HEAD(service_list, service);
TAILQ_HEAD(task_list, task);
TAILQ_HEAD(instance_list, instance);
TAILQ_HEAD(family_list, family);
TAILQ_HEAD(provider_list, provider);

struct region {
    STAILQ_ENTRY(region) link;
    struct world *world;
    char name[32];
    struct index by_arn;
    struct index clusters_by_name;
    struct cluster_list clusters;
    struct index families_by_name;
    struct family_list families; /* sorted by name */
    struct provider_list providers;
    struct settings *settings; /* account settings; NULL until one was put */
    struct index tokens;       /* clientToken -> struct token */
    struct registry *registry; /* ECR; NULL until used */
    struct log_groups *logs;   /* CloudWatch Logs; NULL until used */
    struct throttle *throttle; /* when pacing */
};

struct world {
    const struct ecs_clock *clock;
    int64_t now;      /* monotonic: the time being lived, at most the clock's */
    int64_t wall_lag; /* wall minus monotonic time at the last look at the clock */
    double speed;
    bool pacing;
    char account[16];
    char region[32];
    char login_key[128]; /* what the registry's passwords are signed with (login.h) */
    char endpoint[64];   /* "127.0.0.1:4566" while served over HTTP; else "" */
    struct store *store;
    struct timers timers;
    STAILQ_HEAD(, record) dirty;
    STAILQ_HEAD(, grave) graves;
    STAILQ_HEAD(, region) regions;
    uint64_t sequence;
    uint64_t changes; /* commits of something */
    struct lag *lag;  /* NULL: reads see everything */
    uint64_t
        hidden_from; /* while a read is answered as of the past: younger records are not seen; 0: all are */
};

struct region *world_find_region(struct world *world, const char *name); /* makes it; NULL: no memory */
/* Unix time in milliseconds of the moment being lived. */
int64_t world_wall(const struct world *world);
/* Milliseconds of the clock that `ms` of the world's life take. */
int64_t world_span(const struct world *world, double ms);
/* Arms a timer that many milliseconds of life from now. */
void world_later(struct world *world, struct timer *timer, double ms);

/* Takes over arn. Enters the record into by_arn and marks it dirty. 0 or -ENOMEM. */
int record_init(struct record *record, const struct record_kind *kind, struct region *region, char *arn);
void record_dirty(struct record *record);
/* Leaves by_arn, and the store at the next commit. The record's memory stays the caller's. */
void record_delete(struct record *record);
void record_free(struct record *record);
/* Not when it is too young for the read that is being answered. */
static inline bool record_is_seen(const struct record *record)
{
    uint64_t hidden = record->region->world->hidden_from;
    return !hidden || record->sequence < hidden;
}
struct record *record_find(const struct region *region, const struct record_kind *kind, const char *arn);

/* "arn:aws:ecs:us-east-1:123456789012:" + the rest; NULL when out of memory. */
char *arn_new(const struct region *region, const char *service, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A member of a stored record that is one of 0..most; 0 when it is none of them. */
int load_choice(const json_t *body, const char *name, int most);

/* A timestamp as AWS's JSON has it: seconds, with a fraction. */
json_t *json_time(int64_t wall_ms);
int64_t json_time_ms(const json_t *value); /* 0 when it is none */

#endif
