/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_now(const struct ecs_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC) + 1;
}

static int64_t system_wall(const struct ecs_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

const struct ecs_clock ecs_system_clock = {system_now, system_wall};

static int64_t manual_now(const struct ecs_clock *clock)
{
    return ((const struct ecs_manual_clock *)clock)->now;
}
static int64_t manual_wall(const struct ecs_clock *clock)
{
    return ((const struct ecs_manual_clock *)clock)->wall;
}

void ecs_manual_clock_init(struct ecs_manual_clock *manual, int64_t now_ms, int64_t wall_ms)
{
    *manual = (struct ecs_manual_clock){{manual_now, manual_wall}, now_ms, wall_ms};
}

void ecs_manual_clock_step(struct ecs_manual_clock *manual, int64_t by_ms)
{
    manual->now += by_ms;
    manual->wall += by_ms;
}

char *ecs_time_format(int64_t wall_ms, char text[ECS_TIME_TEXT])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    int ms = (int)(wall_ms % 1000);
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, ECS_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm)) {
        text[0] = 0;
        return text;
    }
    size_t len = strlen(text);
    if (ms)
        snprintf(text + len, ECS_TIME_TEXT - len, ".%03dZ", ms);
    else
        snprintf(text + len, ECS_TIME_TEXT - len, "Z");
    return text;
}

/* ".123" as 123; the rest must be "Z". */
static int parse_milliseconds(const char *text, int *ret_ms)
{
    *ret_ms = 0;
    if (*text == '.') {
        if (strspn(text + 1, "0123456789") != 3)
            return -EINVAL;
        *ret_ms = atoi(text + 1);
        text += 4;
    }
    return strcmp(text, "Z") == 0 ? 0 : -EINVAL;
}

int ecs_time_parse(const char *text, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    char again[ECS_TIME_TEXT];
    int ms;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest || parse_milliseconds(rest, &ms) < 0)
        return -EINVAL;
    /* strptime takes blanks, single digits, second 60 and the 30th of February; what it made of them
     * reads otherwise. */
    int64_t wall_ms = (int64_t)timegm(&tm) * 1000;
    ecs_time_format(wall_ms, again);
    if (strncmp(text, again, (size_t)(rest - text)) != 0 || again[rest - text] != 'Z')
        return -EINVAL;
    *ret_wall_ms = wall_ms + ms;
    return 0;
}
