/* SPDX-License-Identifier: Apache-2.0 */
/* What tells nothing any more goes: names that were looked up and are not there, errors that were read,
 * writes that have settled. Documents stay, to be shown when AWS is away. */
#include <stdlib.h>

#include "state.h"

enum { SWEEP_MS = 60000 };

static bool past(const struct ecs_cache *cache, int64_t ms)
{
    return ms + SWEEP_MS < now_ms(cache);
}

static void sweep_entry(struct ecs_cache *cache, struct entry *entry)
{
    struct extra *extra = entry->extra;
    if (extra && extra->trouble.error && past(cache, extra->trouble.ms))
        trouble_set(cache, &extra->trouble, NULL);
    if (extra && extra->write_seq && !entry->fetch && !write_unsettled(cache, entry, now_ms(cache))) {
        extra->write_seq = 0;
        befores_free(steal(extra->befores));
    }
    if (!entry->doc && !entry->fetch && entry->standing.arrived_ms && past(cache, entry->standing.until_ms))
        entry->standing = (struct standing){0};
    entry_release(cache, entry);
}

void sweep(struct ecs_cache *cache)
{
    int64_t now = now_ms(cache);
    if (now < cache->swept_ms + SWEEP_MS)
        return;
    cache->swept_ms = now;
    for (struct listing *listing = cache->listings; listing; listing = listing->next) {
        for (struct entry *entry = listing->entries, *next; entry; entry = next) {
            next = entry->next;
            sweep_entry(cache, entry);
        }
    }
}
