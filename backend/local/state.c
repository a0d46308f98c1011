/* SPDX-License-Identifier: Apache-2.0 */
/* What every kind of resource stands on: the world's time, and its regions. */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "throttle.h"

int64_t world_wall(const struct world *world)
{
    return world->now + world->wall_lag;
}

int64_t world_span(const struct world *world, double ms)
{
    return (int64_t)(ms / world->speed + 0.5);
}

void world_later(struct world *world, struct timer *timer, double ms)
{
    timer_arm(&world->timers, timer, world->now + world_span(world, ms));
}

struct region *world_find_region(struct world *world, const char *name)
{
    struct region *region;
    if (!name || !*name)
        name = world->region;
    STAILQ_FOREACH(region, &world->regions, link)
    {
        if (strcmp(region->name, name) == 0)
            return region;
    }
    region = calloc(1, sizeof(*region));
    if (!region)
        return NULL;
    region->world = world;
    snprintf(region->name, sizeof(region->name), "%s", name);
    TAILQ_INIT(&region->clusters);
    TAILQ_INIT(&region->families);
    TAILQ_INIT(&region->providers);
    if (world->pacing)
        region->throttle = throttle_new();
    STAILQ_INSERT_TAIL(&world->regions, region, link);
    return region;
}
