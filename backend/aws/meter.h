/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of calls, for status and Prometheus. The caller locks. */
#ifndef ECSFS_AWS_METER_H
#define ECSFS_AWS_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "ecsfs/backend.h"

enum { AWS_METER_BUCKETS = 12 };

struct aws_meter_row;
struct aws_meter {
    struct aws_meter_row *rows;               /* one per service, operation and outcome */
    unsigned long buckets[AWS_METER_BUCKETS]; /* calls by latency, the last is +Inf; not cumulative */
    double latency_sum_s;
    bool reachable; /* these three: as they are when the text is made */
    int64_t credentials_expire_ms, clock_off_ms;
    unsigned long calls, requests, throttled, retries, failed, in_flight, paced;
};

/* A call came home. `error` NULL: success. */
void aws_meter_call(struct aws_meter *meter, const struct ecs_call *call, const struct ecs_error *error,
                    int64_t took_ms);
/* Prometheus text; the caller frees it. NULL when out of memory. */
char *aws_meter_text(const struct aws_meter *meter);
void aws_meter_free(struct aws_meter *meter);

#endif
