/* SPDX-License-Identifier: Apache-2.0 */
/* What happens later: a heap of timers by due time. A timer is embedded in what it wakes. */
#ifndef LOCAL_TIMER_H
#define LOCAL_TIMER_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due;                       /* monotonic milliseconds */
    size_t at;                         /* its place in the heap plus one; 0: not armed */
    void (*fire)(struct timer *timer); /* disarmed before it is called; may arm or free itself */
};

struct timers {
    struct timer **heap;
    size_t len, size;
};

/* Arms, or moves when armed. 0 or -ENOMEM. */
int timer_arm(struct timers *timers, struct timer *timer, int64_t due);
void timer_disarm(struct timers *timers, struct timer *timer);
/* The next one due, or NULL. */
struct timer *timers_first(const struct timers *timers);
void timers_free(struct timers *timers);

#endif
