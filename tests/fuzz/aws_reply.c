/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an answer of status 200. */
#include <stdlib.h>
#include <string.h>

#include "query.h"
#include "reply.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ecs_error *error = NULL;
    json_t *tree = aws_reply_parse((const char *)data, size, &error);
    if (!tree == !error || (tree && !json_is_object(tree)))
        abort();
    ecs_error_unref(error);
    json_decref(tree);
    error = NULL;
    char *text = calloc(1, size + 1); /* a body ends with a NUL that its length does not count */
    if (!text)
        return 0;
    memcpy(text, data, size);
    tree = aws_query_parse("GetCallerIdentity", text, size, &error);
    free(text);
    if (!tree == !error)
        abort();
    ecs_error_unref(error);
    json_decref(tree);
    return 0;
}
