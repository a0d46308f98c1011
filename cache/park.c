/* SPDX-License-Identifier: Apache-2.0 */
/* Wants in line. A want stands in one line at a time; one that is parked already stays where it is, for
 * its request runs again from the start when woken and asks this question anew. */
#include "state.h"

void park(struct ecs_cache_waiters *waiters, struct ecs_want *want)
{
    if (want->at)
        return;
    want->next = waiters->first;
    want->prev = &waiters->first;
    if (want->next)
        want->next->prev = &want->next;
    waiters->first = want;
    want->at = waiters;
}

void leave(struct ecs_want *want)
{
    if (!want->at)
        return;
    *want->prev = want->next;
    if (want->next)
        want->next->prev = want->prev;
    want->next = NULL;
    want->prev = NULL;
    want->at = NULL;
}

void wake_all(struct ecs_cache *cache, struct ecs_cache_waiters *waiters)
{
    while (waiters->first) {
        struct ecs_want *want = waiters->first;
        leave(want);
        park(&cache->ready, want);
    }
}
