/* SPDX-License-Identifier: Apache-2.0 */
/* TagResource and its kin: any record whose kind has tags, by its ARN. */
#include <string.h>

#include "ecs/clusters.h"
#include "ecs/task_sets.h"
#include "ecsfs/cleanup.h"
#include "request.h"

/* Tags, and the record they are kept in: its own, or a task set's, which is a part of its service's. */
struct tagged {
    struct record *record;
    json_t *set; /* the task set's members; NULL: the record's tags are meant */
};

static json_t *tags_of(const struct tagged *tagged)
{
    return tagged->set ? json_object_get(tagged->set, "tags") : tagged->record->tags;
}

/* Takes over a new array: replies may still hold the old one. */
static void set_tags(struct tagged *tagged, json_t *tags)
{
    if (tagged->set) {
        json_object_set_new(tagged->set, "tags", tags);
    } else {
        json_decref(tagged->record->tags);
        tagged->record->tags = tags;
    }
    record_dirty(tagged->record);
}

static bool find_tagged(const struct region *region, const char *arn, struct tagged *ret_tagged)
{
    struct service *service;
    struct deployment *set = task_set_of_arn(region, arn, &service);
    if (set)
        *ret_tagged = (struct tagged){&service->record, set->set};
    else
        *ret_tagged = (struct tagged){index_get(&region->by_arn, arn), NULL};
    return ret_tagged->record && tags_of(ret_tagged);
}

/* False: refused. */
static bool find(struct request *rq, struct tagged *ret_tagged)
{
    const char *arn = require_text(rq, "resourceArn");
    if (!arn)
        return false;
    if (strncmp(arn, "arn:", 4) != 0)
        return refuse_invalid(rq, "Invalid identifier: Identifier is for %s. Your accountId is %s", arn,
                              rq->world->account);
    if (find_tagged(rq->region, arn, ret_tagged))
        return true;
    static const struct {
        const char *part, *code, *message;
    } absences[] = {
        {":cluster/", "ClusterNotFoundException", "Cluster not found."},
        {":task-definition/", "ClientException", "The specified task definition does not exist."},
    };
    for (size_t i = 0; i < ARRAY_LEN(absences); i++)
        if (strstr(arn, absences[i].part))
            return refuse(rq, absences[i].code, "%s", absences[i].message);
    return refuse_invalid(
        rq, "The specified resource was not found. Specify a valid resource ARN and try again.");
}

static json_t *find_tag(const json_t *tags, const char *key, size_t *ret_at)
{
    size_t i;
    json_t *tag;
    json_array_foreach(tags, i, tag)
    {
        if (strcmp(json_string_value(json_object_get(tag, "key")), key) == 0) {
            *ret_at = i;
            return tag;
        }
    }
    return NULL;
}

static void merge(json_t *tags, const json_t *given)
{
    size_t i, at;
    json_t *tag;
    json_array_foreach(given, i, tag)
    {
        if (find_tag(tags, in_text(tag, "key"), &at))
            json_array_set(tags, at, tag);
        else
            json_array_append(tags, tag);
    }
}

static json_t *tag_resource(struct request *rq)
{
    struct tagged tagged;
    if (!find(rq, &tagged))
        return NULL;
    if (!in_list(rq->in, "tags"))
        return refuse_invalid(rq, "Tags cannot be empty.");
    json_t *given = take_tags(rq, "tags");
    if (!given)
        return NULL;
    json_t *tags = json_copy(tags_of(&tagged));
    merge(tags, given);
    json_decref(given);
    if (json_array_size(tags) > 50) {
        json_decref(tags);
        return refuse_invalid(rq, "The maximum number of tags per resource (50) is exceeded.");
    }
    set_tags(&tagged, tags);
    return json_object();
}

static json_t *untag_resource(struct request *rq)
{
    struct tagged tagged;
    if (!find(rq, &tagged))
        return NULL;
    json_t *tags = json_copy(tags_of(&tagged));
    size_t i, at;
    json_t *key;
    json_array_foreach(json_object_get(rq->in, "tagKeys"), i, key)
    {
        if (json_is_string(key) && find_tag(tags, json_string_value(key), &at))
            json_array_remove(tags, at);
    }
    set_tags(&tagged, tags);
    return json_object();
}

static json_t *list_tags_for_resource(struct request *rq)
{
    struct tagged tagged;
    return find(rq, &tagged) ? json_pack("{s:O}", "tags", tags_of(&tagged)) : NULL;
}

const struct operation tags_operations[] = {
    {"ecs", "TagResource", tag_resource, BUCKET_TAG_MODIFY, true},
    {"ecs", "UntagResource", untag_resource, BUCKET_TAG_MODIFY, true},
    {"ecs", "ListTagsForResource", list_tags_for_resource, BUCKET_TAG_READ, false},
    {0},
};
