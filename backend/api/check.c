/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a value against its shape. The faults' words are those of AWS's own validation
 * ("Value null at 'cluster' failed to satisfy constraint: Member must not be null"): what stands
 * after "constraint: ". */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "tables.h"

enum { PLACE_MAX = 1024, WHAT_MAX = 4096 };

/* Where the check is: a chain on the stack, spelled out only when there is a fault to tell. */
struct place {
    const struct place *up;
    const char *name; /* of a member or a key; NULL in a list */
    size_t index;
};

struct check {
    ecs_fault_fn *tell;
    void *arg;
    int faults;
};

static void spell(struct ecs_buf *buf, const struct place *place)
{
    if (!place)
        return;
    spell(buf, place->up);
    if (place->name)
        ecs_buf_addf(buf, "%s%s", buf->len ? "." : "", place->name);
    else
        ecs_buf_addf(buf, "[%zu]", place->index);
}

/* A place or words too long to tell are cut, and the fault is told all the same. */
__attribute__((format(printf, 4, 5))) static void fault(struct check *check, const struct place *place,
                                                        enum ecs_fault kind, const char *format, ...)
{
    check->faults++;
    if (!check->tell)
        return;
    cleanup_buf struct ecs_buf where = ECS_BUF(PLACE_MAX);
    cleanup_buf struct ecs_buf what = ECS_BUF(WHAT_MAX);
    spell(&where, place);
    va_list args;
    va_start(args, format);
    ecs_buf_vaddf(&what, format, args);
    va_end(args);
    check->tell(check->arg, kind, where.data ? where.data : "",
                what.data ? what.data : "Member is not valid");
}

typedef void check_fn(struct check *, const struct place *, const struct ecs_shape *, json_t *);
static check_fn check_value;

static void check_length(struct check *check, const struct place *place, const struct ecs_shape *shape,
                         size_t length)
{
    if (shape->min > 0 && length < (size_t)shape->min)
        fault(check, place, ECS_FAULT_RANGE, "Member must have length greater than or equal to %ld",
              shape->min);
    if (shape->max >= 0 && length > (size_t)shape->max)
        fault(check, place, ECS_FAULT_RANGE, "Member must have length less than or equal to %ld", shape->max);
}

static bool one_of(const char *const *values, const char *text)
{
    while (*values && strcmp(*values, text) != 0)
        values++;
    return *values;
}

static void tell_enumeration(struct check *check, const struct place *place, const char *const *values)
{
    cleanup_buf struct ecs_buf list = ECS_BUF(WHAT_MAX);
    for (size_t i = 0; values[i]; i++)
        ecs_buf_addf(&list, "%s%s", i ? ", " : "", values[i]);
    fault(check, place, ECS_FAULT_ENUM, "Member must satisfy enum value set: [%s]",
          list.data ? list.data : "");
}

/* The characters of a text in UTF-8: what AWS counts. */
static size_t characters(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static void check_text(struct check *check, const struct place *place, const struct ecs_shape *shape,
                       const char *text, size_t len)
{
    check_length(check, place, shape, characters(text, len));
    if (shape->enumeration && !one_of(shape->enumeration, text))
        tell_enumeration(check, place, shape->enumeration);
    if (shape->pattern && !api_pattern_matches(shape->pattern, text, len))
        fault(check, place, ECS_FAULT_PATTERN, "Member must satisfy regular expression pattern: %s",
              shape->pattern);
}

static void check_string(struct check *check, const struct place *place, const struct ecs_shape *shape,
                         json_t *value)
{
    check_text(check, place, shape, json_string_value(value), json_string_length(value));
}

/* Base64; its bounds are those of the bytes it stands for. */
static void check_blob(struct check *check, const struct place *place, const struct ecs_shape *shape,
                       json_t *value)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *text = json_string_value(value);
    size_t len = json_string_length(value), digits = strspn(text, alphabet), padding = len - digits;
    if (len % 4 != 0 || padding > 2 || strspn(text + digits, "=") != padding)
        fault(check, place, ECS_FAULT_TYPE, "Member must be base64");
    else
        check_length(check, place, shape, len / 4 * 3 - padding);
}

static bool bounded(const struct ecs_shape *shape)
{
    return shape->min != 0 || shape->max != -1;
}

static bool below(const json_t *number, long bound)
{
    return json_is_integer(number) ? json_integer_value(number) < bound
                                   : json_real_value(number) < (double)bound;
}

static bool above(const json_t *number, long bound)
{
    return json_is_integer(number) ? json_integer_value(number) > bound
                                   : json_real_value(number) > (double)bound;
}

static void check_number(struct check *check, const struct place *place, const struct ecs_shape *shape,
                         json_t *value)
{
    if (shape->type == ECS_SHAPE_INTEGER && (below(value, INT32_MIN) || above(value, INT32_MAX)))
        fault(check, place, ECS_FAULT_TYPE, "Numeric value out of range of an Integer");
    else if (bounded(shape) && below(value, shape->min))
        fault(check, place, ECS_FAULT_RANGE, "Member must have value greater than or equal to %ld",
              shape->min);
    else if (bounded(shape) && above(value, shape->max))
        fault(check, place, ECS_FAULT_RANGE, "Member must have value less than or equal to %ld", shape->max);
}

static void check_list(struct check *check, const struct place *up, const struct ecs_shape *shape,
                       json_t *value)
{
    check_length(check, up, shape, json_array_size(value));
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        struct place place = {up, NULL, i};
        check_value(check, &place, shape->value, item);
    }
}

static void check_map(struct check *check, const struct place *up, const struct ecs_shape *shape,
                      json_t *value)
{
    check_length(check, up, shape, json_object_size(value));
    const char *name;
    json_t *item;
    json_object_foreach(value, name, item)
    {
        struct place place = {up, name, 0};
        check_text(check, &place, shape->key, name, strlen(name));
        check_value(check, &place, shape->value, item);
    }
}

/* A member that is null is one that is not there. */
static void check_structure(struct check *check, const struct place *up, const struct ecs_shape *shape,
                            json_t *value)
{
    const char *name;
    json_t *item;
    json_object_foreach(value, name, item)
    {
        struct place place = {up, name, 0};
        const struct ecs_member *member = ecs_shape_member(shape, name);
        if (!member)
            fault(check, &place, ECS_FAULT_UNKNOWN, "%s has no member of this name", shape->name);
        else if (!json_is_null(item))
            check_value(check, &place, member->shape, item);
    }
    for (size_t i = 0; i < shape->members_len; i++) {
        const struct ecs_member *member = &shape->members[i];
        struct place place = {up, member->name, 0};
        item = json_object_get(value, member->name);
        if (member->required && (!item || json_is_null(item)))
            fault(check, &place, ECS_FAULT_MISSING, "Member must not be null");
    }
}

enum { /* JSON's types, as a set */
       OBJECT = 1 << JSON_OBJECT,
       ARRAY = 1 << JSON_ARRAY,
       STRING = 1 << JSON_STRING,
       INTEGER = 1 << JSON_INTEGER,
       NUMBER = INTEGER | 1 << JSON_REAL,
       TRUTH = 1 << JSON_TRUE | 1 << JSON_FALSE,
       ANY = ~0,
};

static const struct {
    int json;         /* what it may be written as */
    check_fn *check;  /* NULL: any of these will do */
    const char *name; /* what the fault calls it */
} types[] = {
    [ECS_SHAPE_STRUCTURE] = {OBJECT, check_structure, "a structure"},
    [ECS_SHAPE_LIST] = {ARRAY, check_list, "a list"},
    [ECS_SHAPE_MAP] = {OBJECT, check_map, "a map"},
    [ECS_SHAPE_STRING] = {STRING, check_string, "a String"},
    [ECS_SHAPE_INTEGER] = {INTEGER, check_number, "an Integer"},
    [ECS_SHAPE_LONG] = {INTEGER, check_number, "a Long"},
    [ECS_SHAPE_DOUBLE] = {NUMBER, check_number, "a Double"},
    [ECS_SHAPE_BOOLEAN] = {TRUTH, NULL, "a Boolean"},
    [ECS_SHAPE_TIMESTAMP] = {NUMBER, NULL, "a Timestamp"},
    [ECS_SHAPE_BLOB] = {STRING, check_blob, "a Blob"},
    [ECS_SHAPE_DOCUMENT] = {ANY, NULL, "a document"},
};

static void tell_type(struct check *check, const struct place *place, const struct ecs_shape *shape,
                      const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "STRUCTURE", [JSON_ARRAY] = "LIST",  [JSON_STRING] = "STRING",
        [JSON_INTEGER] = "NUMBER",   [JSON_REAL] = "NUMBER", [JSON_TRUE] = "TRUE",
        [JSON_FALSE] = "FALSE",      [JSON_NULL] = "NULL",
    };
    fault(check, place, ECS_FAULT_TYPE, "%s_VALUE can not be converted to %s", names[json_typeof(value)],
          types[shape->type].name);
}

static void check_value(struct check *check, const struct place *place, const struct ecs_shape *shape,
                        json_t *value)
{
    if (types[shape->type].json == ANY)
        return;
    if (json_is_null(value))
        fault(check, place, ECS_FAULT_MISSING, "Member must not be null");
    else if (!(types[shape->type].json & 1 << json_typeof(value)))
        tell_type(check, place, shape, value);
    else if (types[shape->type].check)
        types[shape->type].check(check, place, shape, value);
}

int ecs_shape_check(const struct ecs_shape *shape, const json_t *value, ecs_fault_fn *tell, void *arg)
{
    struct check check = {.tell = tell, .arg = arg};
    check_value(&check, NULL, shape, (json_t *)value); /* jansson's iterators know no const */
    return check.faults;
}
