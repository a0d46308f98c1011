/* SPDX-License-Identifier: Apache-2.0 */
#include "download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

void aws_download_host(const char *url, char *host, size_t size)
{
    const char *from = strstr(url, "://");
    from = from ? from + 3 : url;
    snprintf(host, size, "%.*s", (int)strcspn(from, "/?#"), from);
}

void aws_download_range(const struct ecs_call *call, char *range, size_t size)
{
    snprintf(range, size, "bytes=%" PRIu64 "-%" PRIu64, call->range_first,
             call->range_first + call->range_len - 1);
}

/* 206 is the range; 200 the whole layer, from a server that knows no ranges: good when the range was the
 * whole. */
struct ecs_error *aws_download_take(struct ecs_call *call, int status, struct ecs_buf *reply)
{
    if (status != 206 && call->range_first > 0)
        return aws_own_error(call->operation, -EPROTO, "MalformedReply",
                             "the layer was asked for in parts, but came from its beginning");
    call->bytes = ecs_buf_steal(reply, &call->bytes_len);
    return call->bytes ? NULL : aws_own_error(call->operation, -ENOMEM, "OutOfMemory", "out of memory");
}
