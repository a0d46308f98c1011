/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing. AWS throttles per account and region by classes of operations; each class has a lane with its own
 * token bucket, where calls queue by priority. A throttle that comes all the same slows the lane. */
#ifndef ECSFS_AWS_LANE_H
#define ECSFS_AWS_LANE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ecsfs/backend.h"

enum {
    AWS_PRIORITIES = ECS_PRIORITY_AHEAD + 1,
    AWS_RETRY_QUOTA = 500, /* of the standard retry mode */
    AWS_RETRY_COST = 5,
    AWS_TIMEOUT_COST = 10,
};

struct aws_class {
    const char *service, *operation; /* fnmatch patterns */
    const char *name;
    double burst, rate; /* calls; calls a second */
};

/* Never NULL: the last row takes all. */
const struct aws_class *aws_class_find(const char *service, const char *operation);

struct aws_task;
TAILQ_HEAD(aws_queue, aws_task);

struct aws_lane {
    SLIST_ENTRY(aws_lane) link;
    char region[32];
    const char *service; /* a row may serve several */
    const struct aws_class *class;
    bool paced;
    double tokens;
    double rate;       /* now; the class's own when AWS is content */
    int64_t filled_ms; /* tokens were right then */
    int64_t slowed_ms; /* the last throttle; 0: never */
    int quota;         /* for retries */
    struct aws_queue queues[AWS_PRIORITIES];
};
SLIST_HEAD(aws_lanes, aws_lane);

/* The lane, made when it is the first call of its kind. NULL when out of memory. */
struct aws_lane *aws_lane_get(struct aws_lanes *lanes, const char *service, const char *operation,
                              const char *region, bool paced, int64_t now);
void aws_lanes_free(struct aws_lanes *lanes);

/* Takes a token. False when there is none yet: *ret_ready_ms is when there will be. */
bool aws_lane_take(struct aws_lane *lane, int64_t now, int64_t *ret_ready_ms);
/* AWS throttled: the bucket is empty, whatever we counted, and fills slower for a while. */
void aws_lane_throttled(struct aws_lane *lane, int64_t now);
/* A call succeeded: speed comes back, and what the retry had cost. */
void aws_lane_content(struct aws_lane *lane, int64_t now, int retry_cost);
/* False when the quota is used up: no retry then. */
bool aws_lane_retry(struct aws_lane *lane, int cost);

#endif
