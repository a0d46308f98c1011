/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "reply.h"
#include "sigv4.h"

enum { FORM_MAX = 64 * 1024, MOST_LEAVES = 64 };

int aws_form_add(struct ecs_buf *form, const char *name, const char *value)
{
    ecs_buf_addf(form, "%s%s=", form->len ? "&" : "", name);
    return aws_uri_encode(form, value, strlen(value), false);
}

char *aws_query_form(const char *operation, const char *version, const char *body)
{
    cleanup_buf struct ecs_buf form = ECS_BUF(FORM_MAX);
    aws_form_add(&form, "Action", operation);
    aws_form_add(&form, "Version", version);
    json_t *tree = json_loads(body && *body ? body : "{}", JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(tree);
    const char *name;
    json_t *value;
    json_object_foreach(tree, name, value)
    {
        char number[32];
        if (json_is_integer(value))
            snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else if (!json_is_string(value))
            good = false;
        if (good)
            aws_form_add(&form, name, json_is_string(value) ? json_string_value(value) : number);
    }
    json_decref(tree);
    return good && !form.failed ? ecs_buf_steal(&form, NULL) : NULL;
}

/* The name of the element that opens at `at`, if it holds text and no elements: a leaf. */
static bool read_leaf(const char *at, const char *end, char *name, size_t size)
{
    const char *close = memchr(at, '>', (size_t)(end - at));
    if (!close || at[1] == '/' || close[-1] == '/')
        return false;
    size_t len = strcspn(at + 1, " >/");
    if (len == 0 || len >= size || len > (size_t)(close - at))
        return false;
    const char *next = memchr(close, '<', (size_t)(end - close));
    if (!next || next + 1 >= end || next[1] != '/')
        return false;
    memcpy(name, at + 1, len);
    name[len] = 0;
    return true;
}

json_t *aws_query_parse(const char *operation, const char *xml, size_t len, struct ecs_error **ret_error)
{
    char result[80];
    snprintf(result, sizeof(result), "<%sResult", operation);
    const char *at = len ? memmem(xml, len, result, strlen(result)) : NULL;
    json_t *tree = at ? json_object() : NULL;
    snprintf(result, sizeof(result), "</%sResult>", operation);
    const char *end = at ? memmem(at, len - (size_t)(at - xml), result, strlen(result)) : NULL;
    if (!end)
        end = xml + len;
    size_t leaves = 0;
    for (at = at ? at + 1 : NULL; tree && at && leaves < MOST_LEAVES; leaves++) {
        at = memchr(at, '<', (size_t)(end - at));
        char name[64];
        if (!at || at + 2 >= end)
            break;
        if (read_leaf(at, end, name, sizeof(name))) {
            cleanup_free char *text = aws_xml_text(at, (size_t)(end - at), name);
            if (text)
                json_object_set_new(tree, name, json_string(text));
        }
        at++;
    }
    if (!tree)
        *ret_error = ecs_error_new(-EPROTO, "MalformedReply", "the reply is no %sResponse", operation);
    return tree;
}
