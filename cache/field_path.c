/* SPDX-License-Identifier: Apache-2.0 */
#include "field_path.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 63 };

/* Copies len bytes as a name; false when it is empty or too long for any member of AWS's. */
static bool copy_name(char name[NAME_MAX_LEN + 1], const char *text, size_t len)
{
    if (len == 0 || len > NAME_MAX_LEN)
        return false;
    memcpy(name, text, len);
    name[len] = 0;
    return true;
}

static const json_t *find_item(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)array, i, item)
    {
        const char *text = json_string_value(json_object_get(item, key));
        if (text && strcmp(text, value) == 0)
            return item;
    }
    return NULL;
}

/* What stands between the brackets: an index, or key=value. */
static const json_t *select_item(const json_t *array, const char *text, size_t len)
{
    char key[NAME_MAX_LEN + 1], value[NAME_MAX_LEN + 1], *end;
    const char *equals = memchr(text, '=', len);
    if (equals) {
        if (!copy_name(key, text, (size_t)(equals - text)) ||
            !copy_name(value, equals + 1, len - (size_t)(equals + 1 - text)))
            return NULL;
        return find_item(array, key, value);
    }
    if (!copy_name(key, text, len))
        return NULL;
    unsigned long index = strtoul(key, &end, 10);
    return *end ? NULL : json_array_get(array, index);
}

const struct json_t *ecs_field_at(const struct json_t *tree, const char *path, const char **ret_name)
{
    char name[NAME_MAX_LEN + 1];
    const json_t *at = tree;
    while (at && *path) {
        if (*path == '[') {
            const char *close = strchr(path, ']');
            if (!close)
                return NULL;
            at = select_item(at, path + 1, (size_t)(close - path - 1));
            path = close + 1;
        } else {
            if (*path == '.')
                path++;
            size_t len = strcspn(path, ".[");
            if (!copy_name(name, path, len))
                return NULL;
            if (ret_name)
                *ret_name = path;
            at = json_object_get(at, name);
            path += len;
        }
    }
    return json_is_null(at) ? NULL : at;
}
