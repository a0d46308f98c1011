/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an answer that is an error; its first byte chooses the status. */
#include <stdlib.h>

#include "reply.h"
#include "retry.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {400, 403, 404, 413, 429, 500, 503, 302};
    if (!size)
        return 0;
    struct ecs_error *error = aws_reply_error(&(struct aws_failure){
        .operation = "DescribeServices",
        .status = statuses[data[0] % 8],
        .error_type = data[0] & 8 ? "a.b#ServerException:http://x/" : "",
        .request_id = "",
        .body = (const char *)data + 1,
        .len = size - 1,
        .writing = data[0] & 16,
    });
    if (!error || error->err >= 0 || !*error->code || !*error->message)
        abort();
    for (const char *c = error->message; *c; c++) /* safe for a terminal */
        if ((unsigned char)*c < ' ')
            abort();
    aws_retry_of_answer(error);
    ecs_error_unref(error);
    return 0;
}
