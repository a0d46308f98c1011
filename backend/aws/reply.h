/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS answers, from bytes to a tree or an error. Nothing here trusts the bytes. */
#ifndef ECSFS_AWS_REPLY_H
#define ECSFS_AWS_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "ecsfs/error.h"

enum {
    AWS_REPLY_MAX = 4 << 20,   /* bytes of a reply */
    AWS_REPLY_DEPTH = 64,      /* arrays and objects in one another */
    AWS_REPLY_VALUES = 250000, /* values in it: jansson takes up to 230 bytes for one of three bytes */
};

/* A new tree of an object (an empty body is an empty one); NULL with *ret_error ("MalformedReply",
 * -EPROTO) when it is not one whole JSON object without duplicate keys within the bounds. */
json_t *aws_reply_parse(const char *text, size_t len, struct ecs_error **ret_error);

/* Ends a tree that holds secrets: its strings are wiped. It must have no other owner. Takes NULL. */
void aws_reply_forget(json_t *tree);

struct aws_failure { /* what is known of an answer that is no success */
    const char *operation;
    int status;
    const char *error_type; /* x-amzn-errortype, "" when absent */
    const char *request_id; /* x-amzn-requestid, "" when absent */
    const char *body;
    size_t len;
    bool writing;
};
/* Never NULL. A body that is not JSON (HTML of a proxy, XML of STS) is told by its kind. */
struct ecs_error *aws_reply_error(const struct aws_failure *failure);

/* The text between <name> and </name>, entities resolved; STS answers in XML. The caller frees it; NULL when
 * absent or out of memory. */
char *aws_xml_text(const char *xml, size_t len, const char *name);

#endif
