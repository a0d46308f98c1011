/* SPDX-License-Identifier: Apache-2.0 */
/* What tells nothing any more goes: names that were looked up and are not there, errors that were read,
 * writes that have settled. Documents stay, to be shown when AWS is away; but not for ever where no list
 * would ever drop them (a task's protection, an image's findings, what was read by name only). */
#include <stdlib.h>

#include "state.h"

enum { SWEEP_MS = 60000, UNASKED_MS = 86400000 };

static bool past(const struct ecs_cache *cache, int64_t ms)
{
    return ms + SWEEP_MS < now_ms(cache);
}

/* Its age is the time since somebody asked for it: who asks for an old document has it fetched anew. */
static bool unasked(const struct ecs_cache *cache, const struct entry *entry)
{
    const struct extra *extra = entry->extra;
    bool in_use = entry->fetch || entry->wanted || entry->queued || entry->kept || entry->named;
    bool tells_more =
        extra && (extra->waiters.first || extra->trouble.error || extra->write_seq || extra->previous);
    return entry->doc && !in_use && !tells_more && entry->listing->kind->lifetime == ECS_LIVE &&
           entry->standing.arrived_ms + UNASKED_MS < now_ms(cache);
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
    if (unasked(cache, entry))
        drop_entry(cache, entry);
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
