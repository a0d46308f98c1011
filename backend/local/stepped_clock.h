/* SPDX-License-Identifier: Apache-2.0 */
/* The world's clock while it is served: the system's, and what it was stepped on by. When it stands
 * still (--still) it moves by steps only. */
#ifndef LOCAL_STEPPED_CLOCK_H
#define LOCAL_STEPPED_CLOCK_H

#include <stdbool.h>

#include "ecsfs/clock.h"

struct stepped_clock {
    struct ecs_clock clock; /* first */
    bool still;
    int64_t now, wall; /* of the system when it began to stand still */
    int64_t ahead_ms;  /* sum of the steps */
};

void stepped_clock_init(struct stepped_clock *stepped, bool still);
void stepped_clock_step(struct stepped_clock *stepped, int64_t ms);

#endif
