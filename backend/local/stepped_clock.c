/* SPDX-License-Identifier: Apache-2.0 */
#include "stepped_clock.h"

static int64_t now_ms(const struct ecs_clock *clock)
{
    const struct stepped_clock *stepped = (const struct stepped_clock *)clock;
    int64_t now = stepped->still ? stepped->now : ecs_system_clock.now_ms(&ecs_system_clock);
    return now + stepped->ahead_ms;
}

static int64_t wall_ms(const struct ecs_clock *clock)
{
    const struct stepped_clock *stepped = (const struct stepped_clock *)clock;
    int64_t wall = stepped->still ? stepped->wall : ecs_system_clock.wall_ms(&ecs_system_clock);
    return wall + stepped->ahead_ms;
}

void stepped_clock_init(struct stepped_clock *stepped, bool still)
{
    *stepped = (struct stepped_clock){
        .clock = {now_ms, wall_ms},
        .still = still,
        .now = ecs_system_clock.now_ms(&ecs_system_clock),
        .wall = ecs_system_clock.wall_ms(&ecs_system_clock),
    };
}

void stepped_clock_step(struct stepped_clock *stepped, int64_t ms)
{
    stepped->ahead_ms += ms;
}
