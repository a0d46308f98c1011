/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on task definitions. */
#include "task_definitions.h"

#include <string.h>

#include "ecsfs/cleanup.h"
#include "pages.h"
#include "task_definition_store.h"

static const char *const status_names[] = {"ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"};

json_t *task_definition_show(struct task_definition *definition)
{
    json_t *tree = json_copy((json_t *)(uintptr_t)task_definition_doc(definition));
    if (!tree)
        return NULL;
    json_object_set_new(tree, "taskDefinitionArn", json_string(definition->record.arn));
    json_object_set_new(tree, "revision", json_integer(definition->revision));
    json_object_set_new(tree, "status", json_string(status_names[definition->status]));
    json_object_set_new(tree, "registeredAt", json_time(definition->registered_at));
    json_object_set_new(tree, "registeredBy",
                        json_sprintf("arn:%s:iam::%s:user/local",
                                     partition_of(definition->record.region->name),
                                     definition->record.region->world->account));
    if (definition->deregistered_at)
        json_object_set_new(tree, "deregisteredAt", json_time(definition->deregistered_at));
    if (definition->delete_requested_at)
        json_object_set_new(tree, "deleteRequestedAt", json_time(definition->delete_requested_at));
    return tree;
}

struct task_definition *task_definition_of(struct request *rq, const char *name)
{
    if (!name)
        return refuse_client(rq, "TaskDefinition can not be blank.");
    struct task_definition *definition = task_definition_find(rq->region, name);
    if (!definition)
        return refuse_client(rq, "TaskDefinition not found.");
    if (definition->status != DEFINITION_ACTIVE)
        return refuse_client(rq, "TaskDefinition is inactive");
    return definition;
}

static json_t *register_task_definition(struct request *rq)
{
    json_t *tags = take_tags(rq, "tags");
    json_t *doc = tags ? task_definition_take(rq) : NULL;
    struct task_definition *definition = doc ? task_definition_add(rq->region, doc) : NULL;
    if (!definition) {
        json_decref(tags);
        return NULL;
    }
    definition->record.tags = tags;
    return json_pack("{s:o, s:O}", "taskDefinition", task_definition_show(definition), "tags", tags);
}

static json_t *describe_task_definition(struct request *rq)
{
    const char *name = require_text(rq, "taskDefinition");
    struct task_definition *definition = name ? task_definition_find(rq->region, name) : NULL;
    if (!definition)
        return name ? refuse_client(rq, "Unable to describe task definition.") : NULL;
    json_t *reply = json_pack("{s:o}", "taskDefinition", task_definition_show(definition));
    if (in_includes(rq->in, "TAGS"))
        json_object_set(reply, "tags", definition->record.tags);
    return reply;
}

/* ACTIVE unless asked otherwise; -1: all. */
static int wanted_status(struct request *rq, const char *all, int *ret_status)
{
    const char *name = in_text(rq->in, "status");
    *ret_status = DEFINITION_ACTIVE;
    if (!name)
        return 0;
    if (all && strcmp(name, all) == 0) {
        *ret_status = -1;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
        if (strcmp(name, status_names[i]) == 0) {
            *ret_status = (int)i;
            return 0;
        }
    refuse_invalid(rq, "Status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS].");
    return -1;
}

/* Families and revisions are listed by name and number, up or down. A page ends at an item; the next
 * begins behind it in the same order. */
struct walk {
    struct page page;
    bool down, behind; /* behind: the last item of the page before was passed */
    int status;
};

static uint64_t place_of(const struct task_definition *definition)
{
    return definition->family->record.sequence << 24 | (uint64_t)definition->revision;
}

static bool walk_revision(struct walk *walk, const struct task_definition *definition)
{
    uint64_t place = place_of(definition);
    if (!walk->behind) {
        walk->behind = place == walk->page.after;
        return true;
    }
    if (walk->status >= 0 && definition->status != (enum task_definition_status)walk->status)
        return true;
    if (json_array_size(walk->page.items) == walk->page.most) {
        walk->page.more = true;
        return false;
    }
    page_add(&walk->page, place, json_string(definition->record.arn));
    return true;
}

static bool walk_family(struct walk *walk, const struct family *family)
{
    struct task_definition *definition;
    /* The last item may be gone by now: begin behind the place where it was. */
    if (!walk->behind && walk->page.after >> 24 != family->record.sequence)
        return true;
    uint64_t after = walk->behind ? 0 : walk->page.after;
    walk->behind = true;
    if (walk->down) {
        TAILQ_FOREACH_REVERSE(definition, &family->revisions, task_definition_list, link)
        {
            if ((!after || place_of(definition) < after) && !walk_revision(walk, definition))
                return false;
        }
    } else {
        TAILQ_FOREACH(definition, &family->revisions, link)
        {
            if ((!after || place_of(definition) > after) && !walk_revision(walk, definition))
                return false;
        }
    }
    return true;
}

static json_t *list_task_definitions(struct request *rq)
{
    struct walk walk = {0};
    const char *prefix = in_text(rq->in, "familyPrefix"), *sort = in_text(rq->in, "sort");
    walk.down = sort && strcmp(sort, "DESC") == 0;
    if (wanted_status(rq, NULL, &walk.status) < 0 || !page_begin(rq, &walk.page, 100, 100))
        return NULL;
    walk.behind = walk.page.after == 0;
    struct family *family;
    if (prefix) { /* named a prefix by the API, but it is the whole name */
        family = family_find(rq->region, prefix);
        if (family)
            walk_family(&walk, family);
    } else if (walk.down) {
        TAILQ_FOREACH_REVERSE(family, &rq->region->families, family_list, link)
        {
            if (!walk_family(&walk, family))
                break;
        }
    } else {
        TAILQ_FOREACH(family, &rq->region->families, link)
        {
            if (!walk_family(&walk, family))
                break;
        }
    }
    return page_reply(rq, &walk.page, "taskDefinitionArns");
}

static bool family_is_wanted(const struct family *family, const char *prefix, int status)
{
    if (prefix && strncmp(family->name, prefix, strlen(prefix)) != 0)
        return false;
    if (TAILQ_EMPTY(&family->revisions))
        return false;
    return status < 0 || (status == DEFINITION_ACTIVE) == (family->active > 0);
}

static json_t *list_task_definition_families(struct request *rq)
{
    struct page page;
    int status;
    const char *prefix = in_text(rq->in, "familyPrefix");
    if (!in_text(rq->in, "status"))
        status = -1; /* "By default, both ACTIVE and INACTIVE task definition families are listed." */
    else if (wanted_status(rq, "ALL", &status) < 0)
        return NULL;
    if (!page_begin(rq, &page, 100, 100))
        return NULL;
    bool behind = page.after == 0;
    struct family *family;
    TAILQ_FOREACH(family, &rq->region->families, link)
    {
        if (!behind) {
            behind = family->record.sequence == page.after;
            continue;
        }
        if (!family_is_wanted(family, prefix, status))
            continue;
        if (json_array_size(page.items) == page.most) {
            page.more = true;
            break;
        }
        page_add(&page, family->record.sequence, json_string(family->name));
    }
    return page_reply(rq, &page, "families");
}

static json_t *deregister_task_definition(struct request *rq)
{
    const char *name = require_text(rq, "taskDefinition");
    if (!name)
        return NULL;
    if (!strchr(last_part(name), ':'))
        return refuse_client(rq, "Task definition must be specified with a revision: family:revision.");
    struct task_definition *definition = task_definition_find(rq->region, name);
    if (!definition)
        return refuse_client(rq, "The specified task definition does not exist.");
    if (definition->status == DEFINITION_DELETE_IN_PROGRESS)
        return refuse_client(rq, "The specified task definition is in the process of being deleted.");
    if (definition->status == DEFINITION_ACTIVE) {
        definition->status = DEFINITION_INACTIVE;
        definition->family->active--;
        definition->deregistered_at = world_wall(rq->world);
        record_dirty(&definition->record);
    }
    return json_pack("{s:o}", "taskDefinition", task_definition_show(definition));
}

/* NULL when it may be deleted. */
static const char *why_not_deleted(const struct task_definition *definition)
{
    if (!definition)
        return "The specified task definition does not exist. Specify a valid account, family, revision and "
               "try "
               "again.";
    if (definition->status == DEFINITION_ACTIVE)
        return "The specified task definition is still in ACTIVE status. Please deregister the target and "
               "try again.";
    return NULL;
}

static json_t *delete_task_definitions(struct request *rq)
{
    const json_t *names = require_list(rq, "taskDefinitions", 10);
    if (!names)
        return NULL;
    json_t *deleted = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        bool whole = name && strchr(last_part(name), ':');
        struct task_definition *definition = whole ? task_definition_find(rq->region, name) : NULL;
        const char *why = why_not_deleted(definition);
        if (why) {
            cleanup_free char *arn =
                arn_new(rq->region, "ecs", "task-definition/%s", last_part(name ? name : ""));
            add_failure(failures, arn, why);
            continue;
        }
        task_definition_delete(definition);
        json_array_append_new(deleted, task_definition_show(definition));
    }
    return json_pack("{s:o, s:o}", "taskDefinitions", deleted, "failures", failures);
}

const struct operation task_definitions_operations[] = {
    {"ecs", "RegisterTaskDefinition", register_task_definition, BUCKET_TASK_DEFINITION_MODIFY, true},
    {"ecs", "DescribeTaskDefinition", describe_task_definition, BUCKET_TASK_DEFINITION_READ, false},
    {"ecs", "ListTaskDefinitions", list_task_definitions, BUCKET_TASK_DEFINITION_READ, false},
    {"ecs", "ListTaskDefinitionFamilies", list_task_definition_families, BUCKET_TASK_DEFINITION_READ, false},
    {"ecs", "DeregisterTaskDefinition", deregister_task_definition, BUCKET_TASK_DEFINITION_MODIFY, true},
    {"ecs", "DeleteTaskDefinitions", delete_task_definitions, BUCKET_TASK_DEFINITION_DELETE, true},
    {0},
};
