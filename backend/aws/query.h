/* SPDX-License-Identifier: Apache-2.0 */
/* The query protocol, which STS speaks: a form in, XML out. */
#ifndef ECSFS_AWS_QUERY_H
#define ECSFS_AWS_QUERY_H

#include <jansson.h>

#include "ecsfs/buf.h"
#include "ecsfs/error.h"

/* Adds "name=value" to a form. */
int aws_form_add(struct ecs_buf *form, const char *name, const char *value);
/* "Action=...&Version=...", with the top-level strings and numbers of the JSON text. The caller frees
 * it; NULL when it is not such a text or memory is out. */
char *aws_query_form(const char *operation, const char *version, const char *body);
/* The leaves of <OperationResult> as an object of strings. NULL with *ret_error. */
json_t *aws_query_parse(const char *operation, const char *xml, size_t len, struct ecs_error **ret_error);

#endif
