/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"

#include <errno.h>
#include <stdlib.h>

static void set(struct timers *timers, size_t at, struct timer *timer)
{
    timers->heap[at] = timer;
    timer->at = at + 1;
}

static void sift_up(struct timers *timers, size_t at)
{
    struct timer *timer = timers->heap[at];
    while (at && timers->heap[(at - 1) / 2]->due > timer->due) {
        set(timers, at, timers->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set(timers, at, timer);
}

static void sift_down(struct timers *timers, size_t at)
{
    struct timer *timer = timers->heap[at];
    for (size_t child; (child = 2 * at + 1) < timers->len; at = child) {
        if (child + 1 < timers->len && timers->heap[child + 1]->due < timers->heap[child]->due)
            child++;
        if (timers->heap[child]->due >= timer->due)
            break;
        set(timers, at, timers->heap[child]);
    }
    set(timers, at, timer);
}

int timer_arm(struct timers *timers, struct timer *timer, int64_t due)
{
    if (!timer->at) {
        if (timers->len == timers->size) {
            size_t size = timers->size ? 2 * timers->size : 64;
            struct timer **heap = reallocarray(timers->heap, size, sizeof(*heap));
            if (!heap)
                return -ENOMEM;
            timers->heap = heap;
            timers->size = size;
        }
        set(timers, timers->len++, timer);
    }
    timer->due = due;
    sift_up(timers, timer->at - 1);
    sift_down(timers, timer->at - 1);
    return 0;
}

void timer_disarm(struct timers *timers, struct timer *timer)
{
    if (!timer->at)
        return;
    size_t at = timer->at - 1;
    struct timer *last = timers->heap[--timers->len];
    timer->at = 0;
    if (last == timer)
        return;
    set(timers, at, last);
    sift_up(timers, at);
    sift_down(timers, last->at - 1);
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->len ? timers->heap[0] : NULL;
}

void timers_free(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}
