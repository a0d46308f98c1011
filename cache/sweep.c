/* SPDX-License-Identifier: Apache-2.0 */
/* What tells nothing any more goes: names that were looked up and are not there, errors that were read,
 * writes that have settled, parents below which nothing is known. Documents stay, to be shown when AWS is
 * away; but not for ever where no list would ever drop them (a task's protection, an image's findings, what
 * was read by name only). */
#include <stdlib.h>

#include "state.h"

enum {
    SWEEP_MS = 60000,
    UNASKED_MS = 86400000,
    /* A list that nobody asked for in a week (its cluster may be long gone) does not keep what it names. */
    UNASKED_LIST_MS = 7 * UNASKED_MS,
};

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

/* The pages say when it was asked for last, as with documents. */
static void sweep_list(struct ecs_cache *cache, struct listing *listing)
{
    if (listing->trouble.error && past(cache, listing->trouble.ms))
        trouble_set(cache, &listing->trouble, NULL);
    if (!listing->fetch)
        overlays_prune(cache, listing, now_ms(cache));
    bool idle = !listing->fetch && !listing->waiters.first && !listing->all_waiters.first;
    int64_t told_ms = listing->standing.arrived_ms;
    bool absent_past = !listing->list && told_ms && past(cache, listing->standing.until_ms);
    if (!idle || !(absent_past || (listing->list && told_ms + UNASKED_LIST_MS < now_ms(cache))))
        return;
    for (struct entry *entry = listing->entries; entry; entry = entry->next)
        entry->named = false;
    list_forget(cache, listing);
}

void sweep(struct ecs_cache *cache)
{
    int64_t now = now_ms(cache);
    if (now < cache->swept_ms + SWEEP_MS)
        return;
    cache->swept_ms = now;
    for (struct listing **link = &cache->listings; *link;) {
        struct listing *listing = *link;
        sweep_list(cache, listing);
        for (struct entry *entry = listing->entries, *next; entry; entry = next) {
            next = entry->next;
            sweep_entry(cache, entry);
        }
        if (!listing_release(cache, link))
            link = &listing->next;
    }
}
