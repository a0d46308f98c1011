/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: immutable, counted, cleansed when the last reference goes. */
#ifndef ECSFS_AWS_CREDENTIALS_H
#define ECSFS_AWS_CREDENTIALS_H

#include <stdatomic.h>

#include "config.h"

struct aws_credentials {
    atomic_uint refs;
    char *access_key_id, *secret_access_key;
    char *session_token; /* NULL: none */
    char *account;       /* NULL: unknown */
    int64_t expires_ms;  /* wall; 0: never */
    char source[128];    /* for a person: "environment", "profile dev (~/.aws/credentials)" */
    char remedy[128];    /* what to do when AWS says they have expired; "" when nothing */
};

/* Copies. NULL when out of memory. `session_token` and `account` may be NULL or "". */
struct aws_credentials *aws_credentials_new(const char *access_key_id, const char *secret_access_key,
                                            const char *session_token, const char *account,
                                            int64_t expires_ms);
struct aws_credentials *aws_credentials_ref(struct aws_credentials *credentials);
/* Takes NULL; returns NULL. */
struct aws_credentials *aws_credentials_unref(struct aws_credentials *credentials);
/* Sets remedy, and source by its format. */
void aws_credentials_describe(struct aws_credentials *credentials, const char *remedy, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

ECS_CLEANUP(aws_credentials_unref, struct aws_credentials *, aws_credentials_unref)
#define cleanup_credentials __attribute__((cleanup(aws_credentials_unref_p)))

#endif
