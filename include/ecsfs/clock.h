/* SPDX-License-Identifier: Apache-2.0 */
/* The clock, injected everywhere time matters, so that no test sleeps. */
#ifndef ECSFS_CLOCK_H
#define ECSFS_CLOCK_H

#include <stdint.h>

struct ecs_clock {
    int64_t (*now_ms)(const struct ecs_clock *clock);  /* monotonic milliseconds, never 0 */
    int64_t (*wall_ms)(const struct ecs_clock *clock); /* Unix time in milliseconds */
};

/* CLOCK_MONOTONIC and CLOCK_REALTIME. */
extern const struct ecs_clock ecs_system_clock;

/* A clock that a test moves. */
struct ecs_manual_clock {
    struct ecs_clock clock;
    int64_t now, wall;
};
void ecs_manual_clock_init(struct ecs_manual_clock *manual, int64_t now_ms, int64_t wall_ms);
void ecs_manual_clock_step(struct ecs_manual_clock *manual, int64_t by_ms);

/* "2026-11-23T18:20:00Z", or with milliseconds where they are not zero. Buffer of 32 bytes. */
#define ECS_TIME_TEXT 32
char *ecs_time_format(int64_t wall_ms, char text[ECS_TIME_TEXT]);
/* Reads what ecs_time_format writes. -EINVAL for anything else. */
int ecs_time_parse(const char *text, int64_t *ret_wall_ms);

#endif
