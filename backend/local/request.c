/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

enum { MESSAGE_MAX = 4096 };

__attribute__((format(printf, 3, 0))) static void *refuse_va(struct request *rq, const char *code,
                                                             const char *format, va_list args)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(MESSAGE_MAX);
    ecs_buf_vaddf(&text, format, args);
    int status = strcmp(code, "ServerException") == 0 ? 500 : 400;
    ecs_error_unref(rq->error);
    rq->error =
        ecs_error_from_aws(rq->operation->name, status, code, text.data, rq->id, rq->operation->writes);
    return NULL;
}

void *refuse(struct request *rq, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refuse_va(rq, code, format, args);
    va_end(args);
    return NULL;
}

void *refuse_invalid(struct request *rq, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refuse_va(rq, "InvalidParameterException", format, args);
    va_end(args);
    return NULL;
}

void *refuse_client(struct request *rq, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refuse_va(rq, "ClientException", format, args);
    va_end(args);
    return NULL;
}

void *refuse_memory(struct request *rq)
{
    ecs_error_unref(rq->error);
    rq->error = ecs_error_new(-ENOMEM, "ServerException", "The emulator is out of memory.");
    return NULL;
}

const char *in_text(const json_t *in, const char *name)
{
    const char *text = json_string_value(json_object_get(in, name));
    return text && *text ? text : NULL;
}

long in_int(const json_t *in, const char *name, long fallback)
{
    const json_t *value = json_object_get(in, name);
    if (json_is_integer(value))
        return (long)json_integer_value(value);
    double number = json_is_real(value) ? json_real_value(value) : 0;
    if (!json_is_real(value))
        return fallback;
    return number >= 0x1p63 ? LONG_MAX : number <= -0x1p63 ? LONG_MIN : (long)number;
}

bool in_bool(const json_t *in, const char *name)
{
    return json_is_true(json_object_get(in, name));
}

bool list_has(const json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

bool in_includes(const json_t *in, const char *what)
{
    return list_has(json_object_get(in, "include"), what);
}

const json_t *in_list(const json_t *in, const char *name)
{
    const json_t *list = json_object_get(in, name);
    return json_array_size(list) ? list : NULL;
}

const json_t *require_list(struct request *rq, const char *name, size_t most)
{
    const json_t *list = in_list(rq->in, name);
    if (!list)
        return refuse_invalid(rq, "%c%s cannot be empty.", name[0] - 32, name + 1);
    if (json_array_size(list) > most)
        return refuse_invalid(rq, "%s can have at most %zu items.", name, most);
    return list;
}

const char *require_text(struct request *rq, const char *name)
{
    const char *text = in_text(rq->in, name);
    if (!text)
        return refuse_invalid(rq, "%c%s can not be blank.", name[0] - 32, name + 1);
    return text;
}

void add_failure(json_t *failures, const char *arn, const char *reason)
{
    json_array_append_new(failures, json_pack("{s:s*, s:s}", "arn", arn, "reason", reason));
}

void copy_members(json_t *to, const json_t *from, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(from, names[i]);
        if (value && !json_is_null(value))
            json_object_set_new(to, names[i], json_deep_copy(value));
    }
}

/* Reserved for AWS: nobody may set these. */
static bool is_reserved(const char *key)
{
    return strncasecmp(key, "aws:", 4) == 0;
}

static bool take_tag(struct request *rq, json_t *tags, const json_t *tag)
{
    const char *key = in_text(tag, "key");
    const json_t *value = json_object_get(tag, "value");
    if (!key || strlen(key) > 4 * 128 || (json_is_string(value) && json_string_length(value) > 4 * 256)) {
        refuse_invalid(rq, "Tags can not have an empty key, a key of more than 128 or a value of more than "
                           "256 characters.");
        return false;
    }
    if (is_reserved(key)) {
        refuse_invalid(rq, "Tag keys beginning with aws: are reserved for AWS.");
        return false;
    }
    json_array_append_new(tags, json_pack("{s:s, s:s}", "key", key, "value",
                                          json_is_string(value) ? json_string_value(value) : ""));
    return true;
}

json_t *take_tags(struct request *rq, const char *name)
{
    json_t *tags = json_array();
    const json_t *given = json_object_get(rq->in, name);
    if (json_array_size(given) > 50) {
        json_decref(tags);
        return refuse_invalid(rq, "%s can have at most 50 items.", name);
    }
    size_t i;
    json_t *tag;
    json_array_foreach(given, i, tag)
    {
        for (size_t j = 0; j < json_array_size(tags); j++)
            if (in_text(tag, "key") &&
                strcmp(in_text(json_array_get(tags, j), "key"), in_text(tag, "key")) == 0) {
                json_decref(tags);
                return refuse_invalid(rq, "Duplicate tag keys found.");
            }
        if (!take_tag(rq, tags, tag)) {
            json_decref(tags);
            return NULL;
        }
    }
    return tags;
}

const char *last_part(const char *arn)
{
    const char *slash = strrchr(arn, '/');
    return slash ? slash + 1 : arn;
}
