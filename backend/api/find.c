/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "tables.h"

static int compare_operation(const void *key, const void *row)
{
    const struct ecs_api_operation *a = key, *b = row;
    int r = strcmp(a->service, b->service);
    return r ? r : strcmp(a->name, b->name);
}

const struct ecs_api_operation *ecs_api_find(const char *service, const char *operation)
{
    struct ecs_api_operation key = {.service = service, .name = operation};
    return bsearch(&key, api_operations, api_operations_len, sizeof(key), compare_operation);
}

static int compare_member(const void *key, const void *row)
{
    return strcmp(key, ((const struct ecs_member *)row)->name);
}

const struct ecs_member *ecs_shape_member(const struct ecs_shape *shape, const char *name)
{
    if (!shape->members_len)
        return NULL;
    return bsearch(name, shape->members, shape->members_len, sizeof(*shape->members), compare_member);
}
