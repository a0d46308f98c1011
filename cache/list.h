/* SPDX-License-Identifier: Apache-2.0 */
/* A listing's making and lookup; see ecsfs/doc.h for its reading. Loop thread only. */
#ifndef CACHE_LIST_H
#define CACHE_LIST_H

#include <stddef.h>

#include "ecsfs/doc.h"

/* Made of n ids in their order; later duplicates drop out. The ids are copied. NULL: out of memory. */
struct ecs_list *ecs_list_new(const char *const *ids, size_t n);
struct ecs_list *ecs_list_free(struct ecs_list *list); /* takes NULL, returns NULL */
/* The place of an id, or -1. */
ptrdiff_t ecs_list_find(const struct ecs_list *list, const char *id);
size_t ecs_list_bytes(const struct ecs_list *list);

#endif
