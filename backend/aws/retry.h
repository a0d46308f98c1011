/* SPDX-License-Identifier: Apache-2.0 */
/* Which outcomes are worth another try; the standard retry mode of AWS's SDKs. */
#ifndef ECSFS_AWS_RETRY_H
#define ECSFS_AWS_RETRY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "ecsfs/error.h"

enum { AWS_SKEW_MS = 240000 }; /* AWS allows five minutes; over four is taken for wrong */

enum aws_retry {
    AWS_RETRY_NO,
    AWS_RETRY_REFUSED,   /* not done for certain (throttled): any call may be sent again */
    AWS_RETRY_AMBIGUOUS, /* perhaps done: only what cannot happen twice may be sent again */
    AWS_RETRY_SKEW,      /* signed with a wrong time, perhaps */
    AWS_RETRY_KEYS,      /* the keys have expired or are unknown */
};

enum aws_retry aws_retry_of_answer(const struct ecs_error *error);
bool aws_is_throttle(const struct ecs_error *error);

struct aws_transport { /* how a transfer failed, as an error of ours */
    CURLcode code;
    int err;
    const char *name;
    const char *words;
    bool again;  /* another try may help */
    bool unsent; /* the request never left */
};
/* Never NULL. */
const struct aws_transport *aws_transport_find(CURLcode code);

/* How long to wait before the next attempt: random, up to 2^(attempts-1) seconds and 20. The
 * server's own word (>= 0) stands within 5 s of that. */
int64_t aws_backoff_ms(int attempts, int64_t retry_after_ms);

#endif
