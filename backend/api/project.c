/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "ecsfs/api.h"

static int project_structure(const struct ecs_shape *shape, json_t *from, json_t *to)
{
    const char *name;
    json_t *value;
    json_object_foreach(from, name, value)
    {
        const struct ecs_member *member = ecs_shape_member(shape, name);
        if (member && json_object_set_new_nocheck(to, name, ecs_shape_project(member->shape, value)) < 0)
            return -1;
    }
    return 0;
}

static int project_map(const struct ecs_shape *shape, json_t *from, json_t *to)
{
    const char *name;
    json_t *value;
    json_object_foreach(from, name, value)
    {
        if (json_object_set_new_nocheck(to, name, ecs_shape_project(shape->value, value)) < 0)
            return -1;
    }
    return 0;
}

static int project_list(const struct ecs_shape *shape, json_t *from, json_t *to)
{
    size_t i;
    json_t *value;
    json_array_foreach(from, i, value)
    {
        if (json_array_append_new(to, ecs_shape_project(shape->value, value)) < 0)
            return -1;
    }
    return 0;
}

/* A value of another type than its shape's is copied as it is, for the check to tell of. */
json_t *ecs_shape_project(const struct ecs_shape *shape, const json_t *value)
{
    json_t *from = (json_t *)value; /* jansson's iterators know no const; nothing is changed */
    bool object = shape->type == ECS_SHAPE_STRUCTURE || shape->type == ECS_SHAPE_MAP;
    bool list = shape->type == ECS_SHAPE_LIST;
    if (!(object && json_is_object(from)) && !(list && json_is_array(from)))
        return json_deep_copy(from);
    json_t *to = list ? json_array() : json_object();
    if (!to)
        return NULL;
    int r = list                                 ? project_list(shape, from, to)
            : shape->type == ECS_SHAPE_STRUCTURE ? project_structure(shape, from, to)
                                                 : project_map(shape, from, to);
    if (r < 0) {
        json_decref(to);
        return NULL;
    }
    return to;
}
