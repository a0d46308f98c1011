/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from text to pointer. Keys are borrowed: they belong to what they name. */
#ifndef LOCAL_INDEX_H
#define LOCAL_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct index_slot {
    uint64_t hash;
    const char *key; /* NULL: free */
    void *value;     /* NULL beside a key: was removed */
};

struct index {
    struct index_slot *slots;
    size_t size, used, len; /* used counts the removed as well */
};

/* 0, or -ENOMEM (nothing changed). A key that is there already gets the new value. */
int index_put(struct index *index, const char *key, void *value);
void *index_get(const struct index *index, const char *key);
void index_remove(struct index *index, const char *key);
void index_free(struct index *index);

#endif
