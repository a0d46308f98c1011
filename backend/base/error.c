/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/utf8.h"

enum { MESSAGE_MAX = 8192 };

/* Handed out when memory is out. Its count never reaches 0. */
static struct ecs_error out_of_memory = {
    .refs = 1u << 30,
    .err = -ENOMEM,
    .code = "OutOfMemory",
    .message = "out of memory",
    .operation = "",
    .request_id = "",
};

/* One line, safe for a terminal: what is not printable as \xNN. At most about MESSAGE_MAX bytes. */
static void add_escaped(struct ecs_buf *buf, const char *text)
{
    size_t end = buf->len + MESSAGE_MAX;
    while (*text && buf->len < end) {
        const unsigned char *c = (const unsigned char *)text;
        size_t len = ecs_utf8_len(c);
        if (len && !ecs_utf8_is_control(c, len))
            ecs_buf_add(buf, text, len);
        else if (*c == '\n' || *c == '\t')
            ecs_buf_adds(buf, " ");
        else
            ecs_buf_addf(buf, "\\x%02x", *c);
        text += len ? len : 1;
    }
}

/* One allocation: the struct, then its strings. */
static struct ecs_error *make(int err, int status, const char *code, const char *message,
                              const char *operation, const char *request_id)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(4 * (MESSAGE_MAX + 8));
    const char *parts[] = {code, message, operation, request_id};
    size_t at[4];
    for (size_t i = 0; i < 4; i++) {
        at[i] = text.len;
        add_escaped(&text, parts[i] ? parts[i] : "");
        ecs_buf_add(&text, "", 1);
    }
    if (text.failed)
        return &out_of_memory;
    struct ecs_error *error = malloc(sizeof(*error) + text.len);
    if (!error)
        return &out_of_memory;
    char *strings = (char *)(error + 1);
    memcpy(strings, text.data, text.len);
    *error = (struct ecs_error){
        .refs = 1,
        .err = err < 0 ? err : -EIO,
        .http_status = status,
        .code = strings + at[0],
        .message = strings + at[1],
        .operation = strings + at[2],
        .request_id = strings + at[3],
    };
    return error;
}

struct ecs_error *ecs_error_new(int err, const char *code, const char *format, ...)
{
    char text[MESSAGE_MAX] = ""; /* cut there */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return make(err, 0, code, text, "", "");
}

static int errno_from_status(int status, int writing)
{
    if (status >= 300 && status < 400)
        return -EPROTO;
    if (status == 401 || status == 403)
        return -EACCES;
    if (status == 413)
        return -E2BIG;
    if (status == 429)
        return -EBUSY;
    if (status >= 400 && status < 500)
        return writing ? -EINVAL : -EIO;
    return -EIO;
}

/* "com.amazonaws.ecs#ClusterNotFoundException:http://..." as "ClusterNotFoundException". */
static void trim_code(const char *code, char *ret_trimmed, size_t size)
{
    size_t len = strcspn(code, ":");
    const char *hash = memrchr(code, '#', len);
    size_t start = hash ? (size_t)(hash - code) + 1 : 0;
    snprintf(ret_trimmed, size, "%.*s", (int)(len - start), code + start);
}

struct ecs_error *ecs_error_from_aws(const char *operation, int http_status, const char *code,
                                     const char *message, const char *request_id, int writing)
{
    char trimmed[128];
    trim_code(code ? code : "", trimmed, sizeof(trimmed));
    int err = ecs_error_errno(trimmed, message);
    if (!err)
        err = errno_from_status(http_status, writing);
    if (!trimmed[0])
        snprintf(trimmed, sizeof(trimmed), "HTTP%d", http_status);
    return make(err, http_status, trimmed, message && *message ? message : "no message", operation,
                request_id);
}

struct ecs_error *ecs_error_context(struct ecs_error *error, int err, const char *format, ...)
{
    char context[MESSAGE_MAX / 2] = "", text[2 * MESSAGE_MAX]; /* both cut there */
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    snprintf(text, sizeof(text), "%s%s%s", context, context[0] ? ": " : "", error->message);
    struct ecs_error *with = make(err ? err : error->err, error->http_status, error->code, text,
                                  error->operation, error->request_id);
    if (with == &out_of_memory)
        return error;
    ecs_error_unref(error);
    return with;
}

bool ecs_error_ambiguous(const struct ecs_error *error)
{
    static const char *const fronts[] = {
        "ServiceUnavailable",      "ServiceUnavailableException", "Throttling",
        "ThrottlingException",     "RequestLimitExceeded",        "SlowDown",
        "TooManyRequestsException"};
    if (error->http_status != 503)
        return error->http_status == 500 || error->http_status == 502 || error->http_status == 504;
    for (size_t i = 0; i < ARRAY_LEN(fronts); i++)
        if (strcmp(error->code, fronts[i]) == 0)
            return false;
    return true;
}

struct ecs_error *ecs_error_ref(struct ecs_error *error)
{
    if (error)
        atomic_fetch_add(&error->refs, 1);
    return error;
}

struct ecs_error *ecs_error_unref(struct ecs_error *error)
{
    if (error && atomic_fetch_sub(&error->refs, 1) == 1)
        free(error);
    return NULL;
}
