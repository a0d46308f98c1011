/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_FIELD_PATH_H
#define CACHE_FIELD_PATH_H

struct json_t;

/* The value at a path of a kind's row (grammar: see ecsfs/kind.h), borrowed from the tree; NULL when
 * it is not there, is null, or the path is malformed. *ret_name (may be NULL) is the last member's
 * name within the path. */
const struct json_t *ecs_field_at(const struct json_t *tree, const char *path, const char **ret_name);

#endif
