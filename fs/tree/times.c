/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables: when the younger one is full it becomes the older one, whose entries are gone with the next
 * change unless they were asked for meanwhile. */
#include "times.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

struct table {
    struct fs_time *places; /* a power of two, at most half full */
    size_t size, len;
};

struct fs_times {
    struct table young, old;
};

struct fs_times *fs_times_new(void)
{
    return calloc(1, sizeof(struct fs_times));
}

struct fs_times *fs_times_free(struct fs_times *times)
{
    if (!times)
        return NULL;
    free(times->young.places);
    free(times->old.places);
    free(times);
    return NULL;
}

/* Its place, or the empty one it would have. The table is not empty. Numbers are hashes already. */
static struct fs_time *place(const struct table *table, uint64_t ino)
{
    size_t at = (size_t)ino & (table->size - 1);
    while (table->places[at].ino != 0 && table->places[at].ino != ino)
        at = (at + 1) & (table->size - 1);
    return &table->places[at];
}

static bool grow(struct table *table)
{
    struct table larger = {.size = table->size > 0 ? table->size * 2 : FIRST_SIZE, .len = table->len};
    larger.places = calloc(larger.size, sizeof(*larger.places));
    if (!larger.places)
        return false;
    for (size_t i = 0; i < table->size; i++) {
        if (table->places[i].ino != 0)
            *place(&larger, table->places[i].ino) = table->places[i];
    }
    free(table->places);
    *table = larger;
    return true;
}

static struct fs_time *find_in(const struct table *table, uint64_t ino)
{
    struct fs_time *found = table->size > 0 ? place(table, ino) : NULL;
    return found && found->ino == ino ? found : NULL;
}

/* A new place in the younger table. */
static struct fs_time *add(struct fs_times *times, uint64_t ino)
{
    if (times->young.len == FS_TIMES_MAX / 2) {
        free(times->old.places);
        times->old = times->young;
        times->young = (struct table){0};
    }
    if (times->young.len * 2 >= times->young.size && !grow(&times->young))
        return NULL;
    struct fs_time *added = place(&times->young, ino);
    *added = (struct fs_time){.ino = ino};
    times->young.len++;
    return added;
}

struct fs_time *fs_times_find(struct fs_times *times, uint64_t ino)
{
    struct fs_time *found = find_in(&times->young, ino);
    const struct fs_time *old = found ? NULL : find_in(&times->old, ino);
    if (!old)
        return found;
    struct fs_time kept = *old;
    found = add(times, ino);
    if (found)
        *found = kept;
    return found;
}

struct fs_time *fs_times_of(struct fs_times *times, uint64_t ino)
{
    struct fs_time *found = fs_times_find(times, ino);
    return found ? found : add(times, ino);
}
