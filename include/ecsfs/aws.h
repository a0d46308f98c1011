/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the AWS backend. Only fs/main.c (and tests) include this. */
#ifndef ECSFS_AWS_H
#define ECSFS_AWS_H

#include <stdbool.h>

#include "ecsfs/backend.h"
#include "ecsfs/clock.h"

struct ecs_aws_options {
    const char *region;            /* NULL: from the environment and the profile */
    const char *profile;           /* NULL: AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"; when given, the
                                      environment's keys are not used (as botocore does) */
    const char *endpoint_url;      /* for every service; NULL: from the environment and the profile */
    bool pacing;                   /* the client's own token buckets */
    int timeout_ms;                /* of a call with its retries; 0: 60 s */
    const struct ecs_clock *clock; /* NULL: the system's */
    /* Asks the user for the code of an MFA device, when the profile's role wants one; called from
     * ecs_aws_new only, so before daemonising. Returns the code, malloc'ed, or NULL. NULL: nobody to
     * ask, and calls fail with EKEYEXPIRED. The code serves once: when the role's session ends, the
     * calls fail likewise, and the user mounts again. */
    char *(*ask_mfa)(void *arg, const char *mfa_serial);
    void *ask_arg;
};

/* Reads configuration files and the environment; makes no network call and starts no thread (so it
 * can run, and report, before daemonising). NULL with *ret_error set: no region, a bad endpoint URL,
 * an unknown profile, a key without its secret. Missing credentials are no error here: they may
 * come later, and calls fail with ENOKEY until then. */
struct ecs_backend *ecs_aws_new(const struct ecs_aws_options *options, struct ecs_error **ret_error);

#endif
