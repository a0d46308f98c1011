/* SPDX-License-Identifier: Apache-2.0 */
/* A backend against a server of the test, and calls made and awaited by the test's own thread. */
#ifndef ECSFS_TEST_CALLER_H
#define ECSFS_TEST_CALLER_H

#include "ecsfs/aws.h"
#include "server.h"

struct caller {
    struct ecs_backend *backend;
    struct ecs_mailbox *home;
};

/* With test keys in the environment, region us-east-1, no files of the user's. `url` NULL: AWS's own. */
void caller_start(struct caller *caller, const char *url, const struct ecs_aws_options *options);
/* Clears what the environment says of AWS, and points at no files. */
void caller_clear_environment(void);
void caller_stop(struct caller *caller);

struct ecs_call *caller_submit(struct caller *caller, const char *operation, const char *body, bool writing,
                               int timeout_ms);
/* The next call home, or NULL after that time. */
struct ecs_call *caller_take(struct caller *caller, int timeout_ms);
/* Submits and waits. */
struct ecs_call *caller_call(struct caller *caller, const char *operation, const char *body, bool writing,
                             int timeout_ms);
/* NULL is fine. */
void caller_done(struct ecs_call *call);

#endif
