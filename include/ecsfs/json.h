/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text. Not json_dumps: out of memory in the middle of a member's name, jansson 2.14 goes on without
 * it, and what comes out says another thing. Our buffer's failure is sticky. */
#ifndef ECSFS_JSON_H
#define ECSFS_JSON_H

#include <stddef.h>

#include "ecsfs/buf.h"

struct json_t;

enum { ECS_JSON_TEXT_MAX = 64 << 20 };

/* Adds the text; `flags` are jansson's of encoding. 0, -ENOMEM, or -EFBIG beyond the buffer's max. Takes
 * NULL, for -ENOMEM: what could not be made. */
int ecs_json_add(struct ecs_buf *buf, const struct json_t *tree, size_t flags);
/* The text, of ECS_JSON_TEXT_MAX bytes at most, which the caller frees; NULL when out of memory. */
char *ecs_json_text(const struct json_t *tree, size_t flags);

#endif
