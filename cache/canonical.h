/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON, the one text of a value: two-space indent, sorted keys, arrays that AWS treats as
 * sets sorted by the name of their items, times as dates, a closing newline. Equal content gives equal
 * bytes. */
#ifndef CACHE_CANONICAL_H
#define CACHE_CANONICAL_H

#include "ecsfs/buf.h"

struct json_t;

/* 0, -ENOMEM, or -EFBIG when it would pass the buffer's max. */
int ecs_canonical_write(struct ecs_buf *buf, const struct json_t *tree);

#endif
