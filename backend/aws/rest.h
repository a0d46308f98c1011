/* SPDX-License-Identifier: Apache-2.0 */
/* The REST-JSON protocol, which EventBridge Scheduler speaks: some members of the input go into the path or
 * the query, the others into the body. */
#ifndef ECSFS_AWS_REST_H
#define ECSFS_AWS_REST_H

#include <stdbool.h>

struct aws_rest {
    const char *method;
    char *path, *query, *body; /* percent-encoded; query and body "" when there is none */
};

/* 0; -EOPNOTSUPP: no such operation; -EINVAL: the input is no JSON object, or lacks what the path needs;
 * -ENOMEM. */
int aws_rest_make(const char *operation, const char *input, struct aws_rest *ret_rest);
void aws_rest_free(struct aws_rest *rest);

#endif
