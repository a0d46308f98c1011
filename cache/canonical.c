/* SPDX-License-Identifier: Apache-2.0 */
/* Written straight from the decoded tree, which is the backend's and may not be changed; a copy that is
 * sorted and then dumped by jansson was measured to take three times as long. */
#include "canonical.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "timestamps.h"

enum {
    DEPTH_MAX = 60, /* AWS nests at most about twelve deep */
    FEW = 48,       /* members of an object that are sorted without an allocation */
};

static int write_value(struct ecs_buf *buf, const char *name, const json_t *value, int depth);

/* Most additions are a few bytes and have room. The NUL comes with the closing newline. */
static inline void add(struct ecs_buf *buf, const char *data, size_t len)
{
    if (len < buf->size - buf->len) {
        memcpy(buf->data + buf->len, data, len);
        buf->len += len;
    } else {
        ecs_buf_add(buf, data, len);
    }
}

/* `first` (a comma or bracket, or nothing), then a new line indented to the depth. */
static void write_line(struct ecs_buf *buf, const char *first, int depth)
{
    static const char spaces[] = "\n                                                                "
                                 "                                                                ";
    if (*first)
        add(buf, first, 1);
    add(buf, spaces, 1 + 2 * (size_t)depth);
}

static void write_string(struct ecs_buf *buf, const char *text, size_t len)
{
    static const char *const escapes[] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n",  ['\r'] = "\\r",
        ['\t'] = "\\t", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    const char *end = text + len;
    add(buf, "\"", 1);
    while (text < end) {
        const char *plain = text;
        while (text < end && (unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
            text++;
        add(buf, plain, (size_t)(text - plain));
        if (text == end)
            break;
        unsigned char c = (unsigned char)*text++;
        if (c < ARRAY_LEN(escapes) && escapes[c])
            add(buf, escapes[c], 2);
        else
            ecs_buf_addf(buf, "\\u%04x", c);
    }
    add(buf, "\"", 1);
}

/* A real as JSON has it, whatever the locale: jansson's own form. */
static void write_real(struct ecs_buf *buf, const json_t *value)
{
    char text[64];
    size_t len = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (len > 0 && len <= sizeof(text))
        ecs_buf_add(buf, text, len);
    else
        ecs_buf_adds(buf, "0.0");
}

static void write_number(struct ecs_buf *buf, const char *name, const json_t *value)
{
    int64_t ms;
    char text[ECS_TIME_TEXT];
    if (name && ecs_is_time_name(name) && ecs_time_of(value, &ms)) {
        ecs_time_format(ms, text);
        write_string(buf, text, strlen(text));
    } else if (json_is_integer(value)) {
        ecs_buf_addf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        write_real(buf, value);
    }
}

struct member {
    const char *key;
    const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* Nearly all objects have a handful of members, for which qsort's calls cost more than the sorting. */
static void sort_members(struct member *members, size_t n)
{
    if (n > 8) {
        qsort(members, n, sizeof(*members), compare_members);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct member member = members[i];
        size_t at = i;
        for (; at > 0 && strcmp(member.key, members[at - 1].key) < 0; at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

static int write_object(struct ecs_buf *buf, const json_t *object, int depth)
{
    struct member few[FEW];
    cleanup_free struct member *many = NULL;
    struct member *members = few;
    size_t n = json_object_size(object), i = 0;
    if (n == 0)
        return ecs_buf_adds(buf, "{}");
    if (n > FEW) {
        members = many = calloc(n, sizeof(*members));
        if (!many)
            return -ENOMEM;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) members[i++] = (struct member){key, value};
    sort_members(members, n);
    for (i = 0; i < n; i++) {
        write_line(buf, i ? "," : "{", depth + 1);
        write_string(buf, members[i].key, strlen(members[i].key));
        add(buf, ": ", 2);
        int r = write_value(buf, members[i].key, members[i].value, depth + 1);
        if (r < 0)
            return r;
    }
    write_line(buf, "", depth);
    add(buf, "}", 1);
    return buf->failed;
}

/* Arrays that mean sets: AWS gives them back in any order. The member that names an item; "" for
 * arrays of strings. Other arrays keep their order, which may mean something. */
static const struct {
    const char *name, *item;
} sets[] = {
    {"environment", "name"},
    {"secrets", "name"},
    {"tags", "key"},
    {"settings", "name"},
    {"requiresAttributes", "name"},
    {"attributes", "name"},
    {"statistics", "name"},
    {"systemControls", "namespace"},
    {"ulimits", "name"},
    {"compatibilities", ""},
    {"requiresCompatibilities", ""},
};

static const char *set_item(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(sets); i++)
        if (strcmp(sets[i].name, name) == 0)
            return sets[i].item;
    return NULL;
}

/* Items by name, and by their place where names are equal, so that the order is a total one. */
struct set_member {
    const char *name;
    const json_t *value;
    size_t place;
};

static int compare_set_members(const void *a, const void *b)
{
    const struct set_member *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    return order ? order : (first->place > second->place) - (first->place < second->place);
}

/* The items in their canonical order, or NULL with *ret_failed 0 when they stay as they are. */
static struct set_member *sort_set(const char *name, const json_t *array, int *ret_failed)
{
    const char *item = set_item(name);
    size_t n = json_array_size(array);
    *ret_failed = 0;
    if (!item || n < 2)
        return NULL;
    cleanup_free struct set_member *members = calloc(n, sizeof(*members));
    if (!members) {
        *ret_failed = -ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(array, i);
        const char *text = json_string_value(*item ? json_object_get(value, item) : value);
        if (!text)
            return NULL;
        members[i] = (struct set_member){text, value, i};
    }
    qsort(members, n, sizeof(*members), compare_set_members);
    return steal(members);
}

static int write_array(struct ecs_buf *buf, const char *name, const json_t *array, int depth)
{
    size_t n = json_array_size(array);
    if (n == 0)
        return ecs_buf_adds(buf, "[]");
    int r;
    cleanup_free struct set_member *sorted = sort_set(name, array, &r);
    for (size_t i = 0; i < n && r == 0; i++) {
        write_line(buf, i ? "," : "[", depth + 1);
        r = write_value(buf, NULL, sorted ? sorted[i].value : json_array_get(array, i), depth + 1);
    }
    if (r < 0)
        return r;
    write_line(buf, "", depth);
    add(buf, "]", 1);
    return buf->failed;
}

static int write_value(struct ecs_buf *buf, const char *name, const json_t *value, int depth)
{
    if (depth > DEPTH_MAX)
        return -EFBIG;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(buf, value, depth);
    case JSON_ARRAY:
        return write_array(buf, name, value, depth);
    case JSON_STRING:
        write_string(buf, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        write_number(buf, name, value);
        break;
    case JSON_TRUE:
        ecs_buf_adds(buf, "true");
        break;
    case JSON_FALSE:
        ecs_buf_adds(buf, "false");
        break;
    case JSON_NULL:
        ecs_buf_adds(buf, "null");
        break;
    }
    return buf->failed;
}

int ecs_canonical_write(struct ecs_buf *buf, const struct json_t *tree)
{
    int r = write_value(buf, NULL, tree, 0);
    return r < 0 ? r : ecs_buf_adds(buf, "\n");
}
