/* SPDX-License-Identifier: Apache-2.0 */
#include "list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "hash.h"

/* One allocation: the struct, the ids' offsets in listing order, a hash table of places, the ids. */
struct ecs_list {
    size_t len, table_size, bytes;
    uint64_t hash;
    uint32_t *offsets; /* of the ids, from `ids` */
    uint32_t *table;   /* place + 1; 0 is free. Its size is a power of two */
    char *ids;
};

/* The table's slot of an id: the one that holds it, or the free one where it belongs. */
static uint32_t *find_slot(const struct ecs_list *list, const char *id)
{
    size_t mask = list->table_size - 1;
    size_t i = (size_t)ecs_hash(id, strlen(id), 0) & mask;
    for (; list->table[i]; i = (i + 1) & mask)
        if (strcmp(list->ids + list->offsets[list->table[i] - 1], id) == 0)
            break;
    return &list->table[i];
}

static struct ecs_list *allocate(size_t n, size_t text)
{
    size_t table_size = 4;
    while (table_size < n * 3 / 2 + 1)
        table_size *= 2;
    size_t bytes = sizeof(struct ecs_list) + (n + table_size) * sizeof(uint32_t) + text;
    struct ecs_list *list = calloc(1, bytes);
    if (!list)
        return NULL;
    list->bytes = bytes;
    list->table_size = table_size;
    list->offsets = (uint32_t *)(list + 1);
    list->table = list->offsets + n;
    list->ids = (char *)(list->table + table_size);
    return list;
}

struct ecs_list *ecs_list_new(const char *const *ids, size_t n)
{
    size_t text = 0;
    for (size_t i = 0; i < n; i++)
        text += strlen(ids[i]) + 1;
    if (text > UINT32_MAX || n >= UINT32_MAX / 4)
        return NULL;
    struct ecs_list *list = allocate(n, text);
    if (!list)
        return NULL;
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t *slot = find_slot(list, ids[i]);
        if (*slot)
            continue;
        size_t size = strlen(ids[i]) + 1;
        memcpy(list->ids + at, ids[i], size);
        list->offsets[list->len++] = at;
        *slot = (uint32_t)list->len;
        at += (uint32_t)size;
    }
    list->hash = ecs_hash(list->ids, at, list->len);
    return list;
}

struct ecs_list *ecs_list_free(struct ecs_list *list)
{
    free(list);
    return NULL;
}

size_t ecs_list_len(const struct ecs_list *list)
{
    return list->len;
}

const char *ecs_list_at(const struct ecs_list *list, size_t i)
{
    return i < list->len ? list->ids + list->offsets[i] : NULL;
}

ptrdiff_t ecs_list_find(const struct ecs_list *list, const char *id)
{
    return (ptrdiff_t)*find_slot(list, id) - 1;
}

int ecs_list_has(const struct ecs_list *list, const char *id)
{
    return ecs_list_find(list, id) >= 0;
}

uint64_t ecs_list_hash(const struct ecs_list *list)
{
    return list->hash;
}

size_t ecs_list_bytes(const struct ecs_list *list)
{
    return list->bytes;
}
