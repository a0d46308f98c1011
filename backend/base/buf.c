/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* Not realloc, which would leave a copy behind. */
static char *move_secret(struct ecs_buf *buf, size_t size)
{
    char *data = malloc(size);
    if (data && buf->data) {
        memcpy(data, buf->data, buf->len + 1);
        explicit_bzero(buf->data, buf->size);
        free(buf->data);
    }
    return data;
}

static int reserve(struct ecs_buf *buf, size_t len)
{
    if (buf->failed)
        return buf->failed;
    if (len > buf->max)
        return buf->failed = -EFBIG;
    if (len < buf->size)
        return 0;
    size_t size = buf->size ? buf->size : 128;
    while (size <= len)
        size *= 2;
    if (size > buf->max + 1)
        size = buf->max + 1;
    char *data = buf->secret ? move_secret(buf, size) : realloc(buf->data, size);
    if (!data)
        return buf->failed = -ENOMEM;
    buf->data = data;
    buf->size = size;
    return 0;
}

int ecs_buf_put(struct ecs_buf *buf, size_t at, const void *data, size_t len)
{
    size_t end;
    if (__builtin_add_overflow(at, len, &end))
        return buf->failed = -EFBIG;
    if (end < buf->len)
        end = buf->len;
    int r = reserve(buf, end);
    if (r < 0)
        return r;
    if (at > buf->len)
        memset(buf->data + buf->len, 0, at - buf->len);
    if (len)
        memcpy(buf->data + at, data, len);
    buf->len = end;
    buf->data[end] = 0;
    return 0;
}

int ecs_buf_add(struct ecs_buf *buf, const void *data, size_t len)
{
    return ecs_buf_put(buf, buf->len, data, len);
}

int ecs_buf_adds(struct ecs_buf *buf, const char *text)
{
    return ecs_buf_add(buf, text, strlen(text));
}

int ecs_buf_vaddf(struct ecs_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return buf->failed = -EINVAL;
    int r = reserve(buf, buf->len + (size_t)len);
    if (r < 0)
        return r;
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    buf->len += (size_t)len;
    return 0;
}

int ecs_buf_addf(struct ecs_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int r = ecs_buf_vaddf(buf, format, args);
    va_end(args);
    return r;
}

int ecs_buf_truncate(struct ecs_buf *buf, size_t len)
{
    if (len > buf->len)
        return ecs_buf_put(buf, len, "", 0);
    if (buf->data)
        buf->data[len] = 0;
    buf->len = len;
    return 0;
}

char *ecs_buf_steal(struct ecs_buf *buf, size_t *ret_len)
{
    char *data = NULL;
    if (!buf->failed)
        data = buf->data ? steal(buf->data) : calloc(1, 1);
    if (ret_len)
        *ret_len = data ? buf->len : 0;
    ecs_buf_free(buf);
    return data;
}

void ecs_buf_free(struct ecs_buf *buf)
{
    if (buf->secret && buf->data)
        explicit_bzero(buf->data, buf->size);
    free(buf->data);
    *buf = (struct ecs_buf){.max = buf->max, .secret = buf->secret};
}
