/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of AWS's operations: what members an input has, their types and bounds. From the
 * API models that AWS publishes (botocore's service-2.json), in the compact text of
 * backend/api/<service>.api, compiled to tables at build time.
 *
 * Two readers: the emulator, which refuses what AWS refuses, and the editable documents, which
 * refuse unknown fields by name before anything is sent. */
#ifndef ECSFS_API_H
#define ECSFS_API_H

#include <stdbool.h>
#include <stddef.h>

struct json_t;

enum ecs_shape_type {
    ECS_SHAPE_STRUCTURE,
    ECS_SHAPE_LIST,
    ECS_SHAPE_MAP,
    ECS_SHAPE_STRING,
    ECS_SHAPE_INTEGER,
    ECS_SHAPE_LONG,
    ECS_SHAPE_DOUBLE,
    ECS_SHAPE_BOOLEAN,
    ECS_SHAPE_TIMESTAMP,
    ECS_SHAPE_BLOB,
    ECS_SHAPE_DOCUMENT, /* any JSON value */
};

struct ecs_shape;

struct ecs_member {
    const char *name;
    const struct ecs_shape *shape;
    bool required;
};

struct ecs_shape {
    const char *name; /* "ContainerDefinition" */
    enum ecs_shape_type type;
    const struct ecs_member *members; /* of a structure, sorted by name */
    size_t members_len;
    const struct ecs_shape *value;  /* of a list's items or a map's values */
    const struct ecs_shape *key;    /* of a map's keys */
    const char *const *enumeration; /* NULL-terminated, or NULL */
    const char *pattern;            /* regular expression as AWS gives it, for the whole text, or NULL */
    /* Of a length (characters, bytes of a blob) or a count, max -1: unbounded. Of a number's value,
     * 0 and -1: unbounded; bounded on one side only, the other is LONG_MIN or LONG_MAX. */
    long min, max;
};

struct ecs_api_operation {
    const char *service, *name;
    const struct ecs_shape *input, *output; /* structures; NULL when there is none */
    const char *idempotency_token;          /* member of the input that is one, or NULL */
};

/* NULL when unknown. */
const struct ecs_api_operation *ecs_api_find(const char *service, const char *operation);
const struct ecs_member *ecs_shape_member(const struct ecs_shape *shape, const char *name);

/* Checks a value against its shape. Returns the number of faults; each is told to `fault` with
 * its place ("containerDefinitions[0].portMappings[1].hostPort") and what is wrong, in the words of AWS's
 * validation: what follows "Value ... at PLACE failed to satisfy constraint: ". A null member is one that
 * is not there. A pattern that POSIX cannot express is not checked. `fault` may be NULL. From any thread. */
enum ecs_fault {
    ECS_FAULT_UNKNOWN, /* a member that the shape does not have */
    ECS_FAULT_MISSING, /* a required member is not there */
    ECS_FAULT_TYPE,    /* a string where a number belongs, ... */
    ECS_FAULT_ENUM,    /* not one of the values */
    ECS_FAULT_RANGE,   /* length, count or number outside its bounds */
    ECS_FAULT_PATTERN,
};
typedef void ecs_fault_fn(void *arg, enum ecs_fault fault, const char *place, const char *what);
int ecs_shape_check(const struct ecs_shape *shape, const struct json_t *value, ecs_fault_fn *fault,
                    void *arg);

/* A copy of `value` holding only what `shape` knows, at every depth (read-only fields of a describe
 * output drop out); a value of the wrong type stays as it is, for the check to tell. New reference; NULL when
 * out of memory. */
struct json_t *ecs_shape_project(const struct ecs_shape *shape, const struct json_t *value);

#endif
