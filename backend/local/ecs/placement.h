/* SPDX-License-Identifier: Apache-2.0 */
/* Where a task goes: which capacity provider, and for EC2 which container instance. */
#ifndef LOCAL_PLACEMENT_H
#define LOCAL_PLACEMENT_H

#include "tasks.h"

enum lack { /* why no instance serves, from the least to the closest match */
            LACK_NONE,
            LACK_INSTANCES,
            LACK_ATTRIBUTE,
            LACK_CONSTRAINT,
            LACK_CPU,
            LACK_MEMORY,
            LACK_PORTS,
};

struct placement {
    const struct cluster *cluster;
    struct task_definition *definition;
    const json_t *constraints, *strategy; /* placementConstraints, placementStrategy; or NULL */
    const char *group;                    /* for distinctInstance and spread */
    enum lack lack;                       /* out: why none */
    struct instance *closest;             /* out: that nearly did, or NULL */
};

/* NULL with lack set when none meets all requirements. */
struct instance *placement_find(struct placement *placement);
/* Whether the task may run on that instance; DAEMON services ask of each. */
enum lack placement_check(const struct placement *placement, struct instance *instance);
/* "RESOURCE:MEMORY", as RunTask's failures[] say it. */
const char *placement_failure(enum lack lack);
/* The provider of the strategy whose turn it is, after the tasks of that group; NULL: no strategy. */
const char *placement_provider(const json_t *strategy, const struct cluster *cluster, const char *group);

#endif
