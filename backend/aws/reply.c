/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

/* Depth and number of values, without building anything. NULL, or what is too much. */
static const char *check_bounds(const char *text, size_t len)
{
    size_t depth = 0, values = 1;
    bool string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
            continue;
        }
        if (c == '"')
            string = true;
        else if (c == '[' || c == '{') {
            values++;
            if (++depth > AWS_REPLY_DEPTH)
                return "nested too deep";
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        } else if (c == ',') {
            values++;
        }
        if (values > AWS_REPLY_VALUES)
            return "too many values";
    }
    return NULL;
}

json_t *aws_reply_parse(const char *text, size_t len, struct ecs_error **ret_error)
{
    size_t blank = 0;
    while (blank < len && isspace((unsigned char)text[blank]))
        blank++;
    if (blank == len) {
        json_t *empty = json_object();
        if (!empty)
            *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return empty;
    }
    const char *much = len > AWS_REPLY_MAX ? "too large" : check_bounds(text, len);
    if (much) {
        *ret_error = ecs_error_new(-EPROTO, "MalformedReply", "the reply is %s", much);
        return NULL;
    }
    json_error_t where = {0};
    json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (tree && json_is_object(tree))
        return tree;
    if (tree) {
        *ret_error = ecs_error_new(-EPROTO, "MalformedReply", "the reply is no JSON object");
        json_decref(tree);
        return NULL;
    }
    /* jansson says nothing at all when it runs out of memory before it starts */
    if (!*where.text || json_error_code(&where) == json_error_out_of_memory)
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    else
        *ret_error = ecs_error_new(-EPROTO, "MalformedReply", "the reply is not valid JSON: %s (byte %d)",
                                   where.text, where.position);
    return NULL;
}

static const struct {
    const char *name;
    char c;
} entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};

char *aws_xml_text(const char *xml, size_t len, const char *name)
{
    char open[64], close[64];
    int n = snprintf(open, sizeof(open), "<%s>", name);
    int m = snprintf(close, sizeof(close), "</%s>", name);
    if (n < 0 || m < 0 || (size_t)m >= sizeof(close))
        return NULL;
    const char *from = memmem(xml, len, open, (size_t)n);
    if (!from)
        return NULL;
    from += n;
    const char *to = memmem(from, len - (size_t)(from - xml), close, (size_t)m);
    char *out = to ? malloc((size_t)(to - from) + 1) : NULL;
    if (!out)
        return NULL;
    size_t at = 0;
    while (from < to) {
        size_t used = 0;
        for (size_t i = 0; i < ARRAY_LEN(entities) && *from == '&' && !used; i++) {
            size_t size = strlen(entities[i].name);
            if ((size_t)(to - from) >= size && memcmp(from, entities[i].name, size) == 0) {
                out[at++] = entities[i].c;
                used = size;
            }
        }
        if (!used) {
            out[at++] = *from;
            used = 1;
        }
        from += used;
    }
    out[at] = 0;
    return out;
}

static const char *string_member(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

static struct ecs_error *error_of_json(const struct aws_failure *failure, const json_t *tree)
{
    const char *code = failure->error_type;
    if (!*code)
        code = string_member(tree, "__type");
    if (!code)
        code = string_member(tree, "code");
    if (!code)
        code = string_member(tree, "Code");
    if (!code) /* OAuth's manner: SSO's token endpoint */
        code = string_member(tree, "error");
    const char *message = string_member(tree, "message");
    if (!message)
        message = string_member(tree, "Message");
    if (!message)
        message = string_member(tree, "error_description");
    return ecs_error_from_aws(failure->operation, failure->status, code, message, failure->request_id,
                              failure->writing);
}

static struct ecs_error *error_of_xml(const struct aws_failure *failure)
{
    cleanup_free char *code = aws_xml_text(failure->body, failure->len, "Code");
    cleanup_free char *message = aws_xml_text(failure->body, failure->len, "Message");
    cleanup_free char *id = aws_xml_text(failure->body, failure->len, "RequestId");
    if (!code)
        return NULL;
    return ecs_error_from_aws(failure->operation, failure->status, code, message,
                              *failure->request_id ? failure->request_id : id, failure->writing);
}

void aws_reply_forget(json_t *tree)
{
    const char *name;
    json_t *value;
    size_t i;
    if (json_is_string(tree)) /* jansson's own bytes, which it lends as constant */
        explicit_bzero((char *)json_string_value(tree), json_string_length(tree));
    json_object_foreach(tree, name, value) aws_reply_forget(json_incref(value));
    json_array_foreach(tree, i, value) aws_reply_forget(json_incref(value));
    json_decref(tree);
}

/* No words of AWS's in it: say what came instead. */
static struct ecs_error *error_of_status(const struct aws_failure *failure)
{
    char message[160];
    if (failure->status >= 300 && failure->status < 400)
        snprintf(message, sizeof(message),
                 "the endpoint answered with a redirect (HTTP %d), which is not followed", failure->status);
    else
        snprintf(message, sizeof(message), "HTTP %d, %s", failure->status,
                 failure->len
                     ? "and a body that is not AWS's: is this an AWS endpoint, or is a proxy in between?"
                     : "without a body");
    return ecs_error_from_aws(failure->operation, failure->status, failure->error_type, message,
                              failure->request_id, failure->writing);
}

struct ecs_error *aws_reply_error(const struct aws_failure *failure)
{
    struct ecs_error *ignored = NULL;
    json_t *tree = NULL;
    if (failure->len)
        tree = aws_reply_parse(failure->body, failure->len, &ignored);
    ecs_error_unref(ignored);
    struct ecs_error *error = NULL;
    if (tree && json_object_size(tree))
        error = error_of_json(failure, tree);
    else if (!tree && failure->len && memchr(failure->body, '<', failure->len))
        error = error_of_xml(failure);
    json_decref(tree);
    return error ? error : error_of_status(failure);
}
