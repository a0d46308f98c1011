/* SPDX-License-Identifier: Apache-2.0 */
#include "task_definition_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"

/* A tree costs ten times its text, so the one of a revision that nobody asks for goes. */
static const double keep_tree_ms = 30e3;
/* How long an unused revision stays DELETE_IN_PROGRESS. */
static const double delete_ms = 60e3;

struct family *family_find(const struct region *region, const char *name)
{
    return index_get(&region->families_by_name, name);
}

static void definition_free(struct task_definition *definition)
{
    struct family *family = definition->family;
    timer_disarm(&definition->record.region->world->timers, &definition->forget);
    TAILQ_REMOVE(&family->revisions, definition, link);
    family->active -= definition->status == DEFINITION_ACTIVE;
    record_free(&definition->record);
    json_decref(definition->doc);
    free(definition->text);
    free(definition);
}

static void family_free(struct family *family)
{
    struct region *region = family->record.region;
    struct task_definition *definition;
    while ((definition = TAILQ_FIRST(&family->revisions)))
        definition_free(definition);
    if (index_get(&region->families_by_name, family->name) == family)
        index_remove(&region->families_by_name, family->name);
    TAILQ_REMOVE(&region->families, family, link);
    record_free(&family->record);
    free(family->name);
    free(family);
}

void task_definitions_free_all(struct region *region)
{
    struct family *family;
    while ((family = TAILQ_FIRST(&region->families)))
        family_free(family);
    index_free(&region->families_by_name);
}

static void insert_sorted(struct region *region, struct family *family)
{
    struct family *other;
    TAILQ_FOREACH_REVERSE(other, &region->families, family_list, link)
    {
        if (strcmp(other->name, family->name) < 0) {
            TAILQ_INSERT_AFTER(&region->families, other, family, link);
            return;
        }
    }
    TAILQ_INSERT_HEAD(&region->families, family, link);
}

static struct family *family_new(struct region *region, const char *name)
{
    struct family *family = calloc(1, sizeof(*family));
    if (!family || !(family->name = strdup(name))) {
        free(family);
        return NULL;
    }
    TAILQ_INIT(&family->revisions);
    insert_sorted(region, family);
    char *key = NULL;
    if (asprintf(&key, "family/%s", name) < 0)
        key = NULL;
    if (record_init(&family->record, &family_kind, region, key) < 0 ||
        index_put(&region->families_by_name, family->name, family) < 0) {
        family_free(family);
        return NULL;
    }
    return family;
}

static void forget(struct timer *timer)
{
    struct task_definition *definition = container_of(timer, struct task_definition, forget);
    json_decref(definition->doc);
    definition->doc = NULL;
    if (definition->status != DEFINITION_DELETE_IN_PROGRESS)
        return;
    if (definition->users) {
        world_later(definition->record.region->world, &definition->forget, delete_ms);
        return;
    }
    record_delete(&definition->record);
    definition_free(definition);
}

static struct task_definition *definition_new(struct family *family, long revision)
{
    struct region *region = family->record.region;
    struct task_definition *definition = calloc(1, sizeof(*definition));
    if (!definition)
        return NULL;
    definition->family = family;
    definition->revision = revision;
    definition->forget.fire = forget;
    TAILQ_INSERT_TAIL(&family->revisions, definition, link);
    family->active++;
    if (record_init(&definition->record, &task_definition_kind, region,
                    arn_new(region, "ecs", "task-definition/%s:%ld", family->name, revision)) < 0) {
        definition_free(definition);
        return NULL;
    }
    return definition;
}

struct task_definition *task_definition_add(struct region *region, json_t *doc)
{
    const char *name = in_text(doc, "family");
    char *text = json_dumps(doc, JSON_COMPACT);
    struct family *family = family_find(region, name);
    if (!family)
        family = family_new(region, name);
    struct task_definition *definition =
        family && text ? definition_new(family, family->last_revision + 1) : NULL;
    json_decref(doc);
    if (!definition) {
        free(text);
        return NULL;
    }
    family->last_revision++;
    record_dirty(&family->record);
    definition->text = text;
    definition->registered_at = world_wall(region->world);
    return definition;
}

void task_definition_delete(struct task_definition *definition)
{
    if (definition->status == DEFINITION_DELETE_IN_PROGRESS)
        return;
    definition->status = DEFINITION_DELETE_IN_PROGRESS;
    definition->delete_requested_at = world_wall(definition->record.region->world);
    record_dirty(&definition->record);
    world_later(definition->record.region->world, &definition->forget, delete_ms);
}

const json_t *task_definition_doc(struct task_definition *definition)
{
    if (!definition->doc)
        definition->doc = json_loads(definition->text, 0, NULL);
    if (definition->status != DEFINITION_DELETE_IN_PROGRESS)
        world_later(definition->record.region->world, &definition->forget, keep_tree_ms);
    return definition->doc;
}

struct task_definition *task_definition_find(const struct region *region, const char *name)
{
    name = strncmp(name, "arn:", 4) == 0 ? last_part(name) : name;
    const char *colon = strchr(name, ':');
    cleanup_free char *family_name = strndup(name, colon ? (size_t)(colon - name) : strlen(name));
    struct family *family = family_name ? family_find(region, family_name) : NULL;
    char *end = NULL;
    long revision = colon ? strtol(colon + 1, &end, 10) : 0;
    if (!family || (colon && (*end || end == colon + 1)))
        return NULL;
    struct task_definition *definition;
    TAILQ_FOREACH_REVERSE(definition, &family->revisions, task_definition_list, link)
    {
        if (record_is_seen(&definition->record) &&
            (colon ? definition->revision == revision : definition->status == DEFINITION_ACTIVE))
            return definition;
    }
    return NULL;
}

static json_t *dump_family(const struct record *record)
{
    const struct family *family = (const struct family *)record;
    return json_pack("{s:s, s:I}", "name", family->name, "last", (json_int_t)family->last_revision);
}

static int load_family(struct region *region, const char *key, const json_t *body)
{
    (void)key;
    const char *name = in_text(body, "name");
    struct family *family = name ? family_new(region, name) : NULL;
    if (!family)
        return name ? -ENOMEM : -EBADMSG;
    family->last_revision = in_int(body, "last", 0);
    return 0;
}

static json_t *dump_definition(const struct record *record)
{
    const struct task_definition *definition = (const struct task_definition *)record;
    return json_pack("{s:s, s:I, s:i, s:I, s:I, s:I, s:s, s:O*}", "family", definition->family->name,
                     "revision", (json_int_t)definition->revision, "status", (int)definition->status,
                     "registered", (json_int_t)definition->registered_at, "deregistered",
                     (json_int_t)definition->deregistered_at, "deleted",
                     (json_int_t)definition->delete_requested_at, "text", definition->text, "tags",
                     record->tags);
}

static int load_definition(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    const char *name = in_text(body, "family"), *text = in_text(body, "text");
    struct family *family = name ? family_find(region, name) : NULL;
    if (!family || !text)
        return -EBADMSG;
    struct task_definition *definition = definition_new(family, in_int(body, "revision", 0));
    if (!definition || !(definition->text = strdup(text)))
        return -ENOMEM;
    definition->status =
        (enum task_definition_status)load_choice(body, "status", DEFINITION_DELETE_IN_PROGRESS);
    definition->registered_at = json_integer_value(json_object_get(body, "registered"));
    definition->deregistered_at = json_integer_value(json_object_get(body, "deregistered"));
    definition->delete_requested_at = json_integer_value(json_object_get(body, "deleted"));
    definition->record.tags = json_incref(json_object_get(body, "tags"));
    family->active -= definition->status != DEFINITION_ACTIVE;
    if (definition->status == DEFINITION_DELETE_IN_PROGRESS)
        world_later(region->world, &definition->forget, delete_ms);
    return 0;
}

const struct record_kind family_kind = {"family", dump_family, load_family};
const struct record_kind task_definition_kind = {"task-definition", dump_definition, load_definition};

bool task_definition_is_compatible(struct task_definition *definition, const char *with)
{
    return list_has(json_object_get(task_definition_doc(definition), "compatibilities"), with);
}

bool task_definition_is_awsvpc(struct task_definition *definition)
{
    const char *mode = in_text(task_definition_doc(definition), "networkMode");
    return mode && strcmp(mode, "awsvpc") == 0;
}
