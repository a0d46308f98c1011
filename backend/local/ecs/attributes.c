/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of container instances. */
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecsfs/cleanup.h"
#include "pages.h"
#include "services.h"

static struct instance *target_of(struct request *rq, struct cluster *cluster, const json_t *attribute)
{
    const char *name = in_text(attribute, "name"), *target = in_text(attribute, "targetId");
    if (!name)
        return refuse_invalid(rq, "Attribute name can not be blank.");
    struct instance *instance = target ? instance_find(cluster, target) : NULL;
    if (!instance)
        return refuse(rq, "TargetNotFoundException", "The specified target wasn't found: %s",
                      target ? target : "");
    return instance;
}

/* Where the attribute is in the instance's list; its length when it is not there. */
static size_t place_of(const struct instance *instance, const char *name)
{
    size_t i;
    json_t *attribute;
    json_array_foreach(instance->attributes, i, attribute)
    {
        if (strcmp(in_text(attribute, "name"), name) == 0)
            break;
    }
    return i;
}

static json_t *shown(const struct instance *instance, const json_t *attribute)
{
    return json_pack("{s:s, s:s*, s:s, s:s}", "name", in_text(attribute, "name"), "value",
                     in_text(attribute, "value"), "targetType", "container-instance", "targetId",
                     instance->record.arn);
}

static void put(struct instance *instance, const json_t *attribute)
{
    json_t *all = json_copy(instance->attributes);
    json_t *row =
        json_pack("{s:s, s:s*}", "name", in_text(attribute, "name"), "value", in_text(attribute, "value"));
    size_t at = place_of(instance, in_text(attribute, "name"));
    if (at < json_array_size(all))
        json_array_set_new(all, at, row);
    else
        json_array_append_new(all, row);
    json_decref(instance->attributes);
    instance->attributes = all;
    instance->version++;
    record_dirty(&instance->record);
}

static void drop(struct instance *instance, const json_t *attribute)
{
    json_t *all = json_copy(instance->attributes);
    json_array_remove(all, place_of(instance, in_text(attribute, "name")));
    json_decref(instance->attributes);
    instance->attributes = all;
    instance->version++;
    record_dirty(&instance->record);
}

static json_t *change(struct request *rq, void (*act)(struct instance *instance, const json_t *attribute))
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *attributes = cluster ? require_list(rq, "attributes", 10) : NULL;
    if (!attributes)
        return NULL;
    size_t i;
    json_t *attribute;
    json_array_foreach(attributes, i, attribute)
    {
        if (!target_of(rq, cluster, attribute))
            return NULL;
    }
    json_t *done = json_array();
    json_array_foreach(attributes, i, attribute)
    {
        struct instance *instance = target_of(rq, cluster, attribute);
        act(instance, attribute);
        json_array_append_new(done, shown(instance, attribute));
    }
    service_wake_all(cluster);
    return json_pack("{s:o}", "attributes", done);
}

static json_t *put_attributes(struct request *rq)
{
    return change(rq, put);
}

static json_t *delete_attributes(struct request *rq)
{
    return change(rq, drop);
}

static void list_instance(struct request *rq, struct page *page, const struct instance *instance)
{
    const char *name = in_text(rq->in, "attributeName"), *value = in_text(rq->in, "attributeValue");
    size_t i;
    json_t *attribute;
    json_array_foreach(instance->attributes, i, attribute)
    {
        const char *its = in_text(attribute, "value");
        if ((name && strcmp(name, in_text(attribute, "name")) != 0) ||
            (value && (!its || strcmp(value, its) != 0)))
            continue;
        uint64_t place = (instance->record.sequence << 16) + i + 1;
        if (page_wants(page, place))
            page_add(page, place, shown(instance, attribute));
    }
}

static json_t *list_attributes(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *type = cluster ? require_text(rq, "targetType") : NULL;
    if (!type)
        return NULL;
    if (strcmp(type, "container-instance") != 0)
        return refuse_invalid(rq, "targetType should be one of [container-instance].");
    struct page page;
    if (!page_begin(rq, &page, 100, 100))
        return NULL;
    struct instance *instance;
    TAILQ_FOREACH(instance, &cluster->instances, link)
    {
        list_instance(rq, &page, instance);
    }
    return page_reply(rq, &page, "attributes");
}

const struct operation attributes_operations[] = {
    {"ecs", "PutAttributes", put_attributes, BUCKET_TASK_MODIFY, true},
    {"ecs", "DeleteAttributes", delete_attributes, BUCKET_TASK_MODIFY, true},
    {"ecs", "ListAttributes", list_attributes, BUCKET_TASK_READ, false},
    {0},
};
