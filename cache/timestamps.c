/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamps.h"

#include <jansson.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

/* The years 1973 to 5138 in seconds; what is larger is milliseconds. */
#define SECONDS_MIN 1e8
#define SECONDS_MAX 1e11

bool ecs_is_time_name(const char *name)
{
    static const char *const endings[] = {"At", "Date", "Time", "lastUpdated", "lastStatusChange"};
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        size_t ending = strlen(endings[i]);
        if (len >= ending && memcmp(name + len - ending, endings[i], ending) == 0)
            return true;
    }
    return false;
}

bool ecs_time_of(const struct json_t *value, int64_t *ret_wall_ms)
{
    if (json_is_string(value))
        return ecs_time_parse(json_string_value(value), ret_wall_ms) == 0;
    if (!json_is_number(value))
        return false;
    double seconds = json_number_value(value);
    if (!(seconds >= SECONDS_MIN && seconds < SECONDS_MAX * 1000))
        return false;
    *ret_wall_ms = seconds < SECONDS_MAX ? (int64_t)(seconds * 1000 + 0.5) : (int64_t)seconds;
    return true;
}
