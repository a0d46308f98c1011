/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, as AWS said it. An errno alone would lose AWS's words, so everything that can
 * fail at AWS hands out a struct ecs_error.
 *
 * The contract: a function that takes `struct ecs_error **ret_error` sets it exactly when it
 * fails, and returns the negative errno that is also in (*ret_error)->err. Errors are immutable and
 * counted: ref to keep one, unref to let go. When memory is out, a static error is handed out,
 * which may be ref'ed and unref'ed like any other. */
#ifndef ECSFS_ERROR_H
#define ECSFS_ERROR_H

#include <stdatomic.h>
#include <stdbool.h>

struct ecs_error {
    atomic_uint refs;
    int err;                /* negative errno, never 0 */
    int http_status;        /* 0 when no answer came */
    const char *code;       /* "ClusterNotFoundException", or ours: "Timeout", "NoCredentials"; never NULL */
    const char *message;    /* AWS's own words, or ours; one line, control characters escaped; never NULL */
    const char *operation;  /* "DescribeServices"; "" when none */
    const char *request_id; /* "" when none */
};

/* An error of our own: no code of AWS. `code` is CamelCase like AWS's. Never NULL. */
struct ecs_error *ecs_error_new(int err, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An error that AWS answered. errno comes from the table in error_table.c (by code, then by
 * message where ECS tells absence only there, then by status). `code` may be a raw awsJson shape
 * ("com.amazonaws.ecs#ClusterNotFoundException:http://..."): it is trimmed. `writing` tells whether
 * the operation changes something: an unknown 4xx is EINVAL there and EIO on a read. Never NULL. */
struct ecs_error *ecs_error_from_aws(const char *operation, int http_status, const char *code,
                                     const char *message, const char *request_id, int writing);

/* The same error, with another errno and/or more context before its message ("%s: " is put
 * before). err 0 keeps the errno. Takes over the reference given in. Never NULL. */
struct ecs_error *ecs_error_context(struct ecs_error *error, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct ecs_error *ecs_error_ref(struct ecs_error *error);
/* Takes NULL; returns NULL. */
struct ecs_error *ecs_error_unref(struct ecs_error *error);

/* Whether an answer of 500 or above leaves open what became of a change. A 503 with AWS's own code for it is
 * its front's, where nothing was begun; one without may be a proxy's or a load balancer's, which passed the
 * call on.
 */
bool ecs_error_ambiguous(const struct ecs_error *error);

/* -errno for an AWS error code, 0 when the table has no row for it. `message` may be NULL. */
int ecs_error_errno(const char *code, const char *message);

static inline void ecs_error_unref_p(struct ecs_error **error)
{
    *error = ecs_error_unref(*error);
}
#define cleanup_error __attribute__((cleanup(ecs_error_unref_p)))

#endif
