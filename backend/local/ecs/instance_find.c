/* SPDX-License-Identifier: Apache-2.0 */
/* A container instance by its id, and its attributes. */
#include <string.h>

#include "clusters.h"
#include "container_instances.h"

struct instance *instance_find(const struct cluster *cluster, const char *id_or_arn)
{
    struct instance *instance;
    TAILQ_FOREACH(instance, &cluster->instances, link)
    {
        if (strcmp(instance->id, last_part(id_or_arn)) == 0)
            return instance;
    }
    return NULL;
}

static const json_t *find_attribute(const struct instance *instance, const char *name)
{
    size_t i;
    json_t *attribute;
    json_array_foreach(instance->attributes, i, attribute)
    {
        if (strcmp(json_string_value(json_object_get(attribute, "name")), name) == 0)
            return attribute;
    }
    return NULL;
}

const char *instance_attribute(const struct instance *instance, const char *name)
{
    return json_string_value(json_object_get(find_attribute(instance, name), "value"));
}

bool instance_has_attribute(const struct instance *instance, const char *name)
{
    return find_attribute(instance, name) != NULL;
}
