/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the embedded emulator: a small ECS and ECR in this process. Only fs/main.c, ecs-local's
 * main and tests include this. */
#ifndef ECSFS_LOCAL_H
#define ECSFS_LOCAL_H

#include "ecsfs/backend.h"
#include "ecsfs/clock.h"

struct ecs_local_options {
    const char *state_file;        /* SQLite file, created when absent, mode 0600; NULL: in memory */
    const char *region;            /* NULL: AWS_REGION, AWS_DEFAULT_REGION, else "us-east-1" */
    const char *account;           /* 12 digits; NULL: "123456789012" */
    double speed;                  /* how many times faster than the clock the world's life goes; 0: 1.0
                                      (a Fargate task then takes about 2 s from PROVISIONING to RUNNING) */
    bool pacing;                   /* throttle callers by AWS's documented token buckets */
    const struct ecs_clock *clock; /* NULL: the system's */
};

/* Opens or creates the state; starts no thread. NULL with *ret_error set when the state file
 * cannot be opened or is not ours. */
struct ecs_backend *ecs_local_new(const struct ecs_local_options *options, struct ecs_error **ret_error);

#endif
