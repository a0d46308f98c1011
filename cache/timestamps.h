/* SPDX-License-Identifier: Apache-2.0 */
/* AWS sends times as numbers, in JSON protocols seconds with a fraction; people read dates. */
#ifndef CACHE_TIMESTAMPS_H
#define CACHE_TIMESTAMPS_H

#include <stdbool.h>
#include <stdint.h>

struct json_t;

/* Whether a member of that name holds a time (createdAt, expirationDate, lastUpdated, ...). */
bool ecs_is_time_name(const char *name);
/* Reads a time: a number of seconds since 1970 (of milliseconds where it is too large for seconds,
 * as CloudWatch Logs sends), or the text that ecs_time_format makes. False for anything else, so
 * that a small number under such a name (a duration) is left alone. */
bool ecs_time_of(const struct json_t *value, int64_t *ret_wall_ms);

#endif
