/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

/* UploadLayerPart carries megabytes in one string, and a parser looks at each character of it: that was most
 * of a push's time. So a large one is taken out first, and put back as it is. */
static const char member[] = "layerPartBlob", key[] = "\"layerPartBlob\"";

enum { WORTHWHILE = 64 * 1024, REST_MAX = 64 * 1024 };

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at) && *at)
        at++;
    return at;
}

/* The text between the quotes; within a string the key could only stand with its quotes escaped. False: there
 * is no such member, or it has escapes, and so is no base64. */
static bool find_blob(const char *text, size_t len, const char **ret_blob, size_t *ret_len)
{
    const char *end = text + len, *at = memmem(text, len, key, sizeof(key) - 1);
    at = at ? skip_space(at + sizeof(key) - 1, end) : end;
    if (at == end || *at != ':')
        return false;
    at = skip_space(at + 1, end);
    const char *close = at < end && *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
    if (!close || memchr(at, '\\', (size_t)(close - at)))
        return false;
    *ret_blob = at + 1;
    *ret_len = (size_t)(close - at - 1);
    return true;
}

static json_t *read_around(const char *text, size_t len, const char *blob, size_t blob_len)
{
    cleanup_buf struct ecs_buf rest = ECS_BUF(REST_MAX);
    ecs_buf_add(&rest, text, (size_t)(blob - text));
    ecs_buf_add(&rest, blob + blob_len, len - (size_t)(blob - text) - blob_len);
    json_t *in = rest.failed ? NULL : json_loadb(rest.data, rest.len, 0, NULL);
    const json_t *hole = json_object_get(in, member);
    /* base64 is ASCII; what is not fails to decode */
    if (json_is_string(hole) && json_string_length(hole) == 0 &&
        json_object_set_new_nocheck(in, member, json_stringn_nocheck(blob, blob_len)) == 0)
        return in;
    json_decref(in);
    return NULL;
}

json_t *input_read(const char *text, size_t len)
{
    const char *blob;
    size_t blob_len;
    json_t *in = NULL;
    if (len > WORTHWHILE && find_blob(text, len, &blob, &blob_len))
        in = read_around(text, len, blob, blob_len);
    return in ? in : json_loadb(text, len, 0, NULL);
}
