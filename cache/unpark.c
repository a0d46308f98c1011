/* SPDX-License-Identifier: Apache-2.0 */
/* A waiter that no longer wants: what nobody else waits for is given up. */
#include "state.h"

/* Nobody waits for all of a listing any more. */
static void all_abandoned(struct ecs_cache *cache, struct listing *listing)
{
    if (list_waits_for_describes(listing))
        return;
    ahead_drop(cache, listing);
    for (struct fetch *fetch = cache->fetches, *next; fetch; fetch = next) {
        next = fetch->next;
        if (fetch->listing == listing && fetch->what == FETCH_DOCS && !fetch_awaited(fetch))
            fetch_cancel(cache, fetch);
    }
}

void ecs_cache_unpark(struct ecs_cache *cache, struct ecs_want *want)
{
    struct ecs_cache_waiters *waiters = want->at;
    if (!waiters)
        return;
    leave(want);
    if (waiters->first)
        return;
    switch (waiters->what) {
    case FOR_ENTRY:
        fetch_abandoned(cache, container_of(waiters, struct extra, waiters)->entry);
        break;
    case FOR_LIST:
        list_cancel(cache, container_of(waiters, struct listing, waiters));
        break;
    case FOR_ALL:
        all_abandoned(cache, container_of(waiters, struct listing, all_waiters));
        break;
    case FOR_ACTION:
        action_interrupted(cache, waiters);
        break;
    case FOR_WAKE:
        break;
    }
}
