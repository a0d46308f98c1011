/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(const char *text) /* FNV-1a */
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static struct index_slot *find(const struct index *index, const char *key, uint64_t hash)
{
    if (!index->size)
        return NULL;
    for (size_t at = hash & (index->size - 1);; at = (at + 1) & (index->size - 1)) {
        struct index_slot *slot = &index->slots[at];
        if (!slot->key)
            return NULL;
        if (slot->value && slot->hash == hash && strcmp(slot->key, key) == 0)
            return slot;
    }
}

static void place(struct index *index, struct index_slot slot)
{
    size_t at = slot.hash & (index->size - 1);
    while (index->slots[at].key)
        at = (at + 1) & (index->size - 1);
    index->slots[at] = slot;
    index->used++;
    index->len++;
}

static int grow(struct index *index)
{
    struct index bigger = {.size = index->len < 8 ? 16 : 4 * index->len};
    size_t size = 16;
    while (size < bigger.size)
        size *= 2;
    bigger.size = size;
    bigger.slots = calloc(size, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < index->size; i++)
        if (index->slots[i].value)
            place(&bigger, index->slots[i]);
    free(index->slots);
    *index = bigger;
    return 0;
}

int index_put(struct index *index, const char *key, void *value)
{
    uint64_t hash = hash_text(key);
    struct index_slot *slot = find(index, key, hash);
    if (slot) {
        slot->key = key;
        slot->value = value;
        return 0;
    }
    if (2 * (index->used + 1) > index->size) {
        int r = grow(index);
        if (r < 0)
            return r;
    }
    place(index, (struct index_slot){hash, key, value});
    return 0;
}

void *index_get(const struct index *index, const char *key)
{
    struct index_slot *slot = find(index, key, hash_text(key));
    return slot ? slot->value : NULL;
}

void index_remove(struct index *index, const char *key)
{
    struct index_slot *slot = find(index, key, hash_text(key));
    if (slot) {
        slot->key = ""; /* the old key may be freed now */
        slot->value = NULL;
        index->len--;
    }
}

void index_free(struct index *index)
{
    free(index->slots);
    *index = (struct index){0};
}
