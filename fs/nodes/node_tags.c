/* SPDX-License-Identifier: Apache-2.0 */
/* tags/<key> of anything that AWS lets one tag:
 *
 *     $ cat clusters/prod/services/web/tags/team
 *     shop
 *     $ echo pay > clusters/prod/services/web/tags/team
 *
 * A new name is a new tag; rm removes it (with -o allow_delete). A family's tags are those of its newest
 * ACTIVE revision. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* The describe's member that holds its ARN. */
static const char *arn_member(enum ecs_kind_id kind)
{
    switch (kind) {
    case ECS_CLUSTER:
        return "clusterArn";
    case ECS_SERVICE:
        return "serviceArn";
    case ECS_TASK:
        return "taskArn";
    case ECS_CONTAINER_INSTANCE:
        return "containerInstanceArn";
    case ECS_FAMILY:
        return "taskDefinitionArn";
    case ECS_CAPACITY_PROVIDER:
        return "capacityProviderArn";
    default:
        return "";
    }
}

static int list(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    json_t *tree, *tag;
    size_t i;
    int r = fs_view_tree(directory, &tree);
    if (r != 0)
        return r;
    json_array_foreach(json_object_get(tree, "tags"), i, tag)
    {
        const char *key = fs_json_text(tag, "key");
        if (r == 0 && *key != '\0')
            r = emit(arg, key);
    }
    json_decref(tree);
    return r;
}

static int show(struct fs_view *view, struct ecs_buf *text)
{
    json_t *tree, *tag;
    size_t i;
    int r = fs_view_tree(view, &tree);
    if (r != 0)
        return r;
    r = -ENOENT;
    json_array_foreach(json_object_get(tree, "tags"), i, tag)
    {
        if (strcmp(fs_json_text(tag, "key"), view->id) == 0) {
            fs_add_safe(text, fs_json_text(tag, "value"));
            r = text->failed;
        }
    }
    json_decref(tree);
    return r;
}

static int has(struct fs_view *child)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    return show(child, &text);
}

/* A revision's document is kept for ever, but its tags may change: it is asked for anew. */
static void forget_revision(struct ecs_action *action, const struct ecs_error *error)
{
    struct fs_tree *tree = action->arg;
    struct ecs_doc *family = error == NULL ? ecs_cache_peek(tree->cache, &action->key, NULL) : NULL;
    const char *revision = family != NULL ? ecs_doc_field(family, "revision") : NULL;
    struct ecs_key key = {ECS_REVISION, action->key.id, revision};
    if (revision != NULL)
        ecs_cache_forget(tree->cache, &key);
}

/* The call is about the resource's ARN, which its describe tells. Takes the member's value over. */
static int make(struct fs_view *view, const char *operation, const char *member, json_t *value,
                struct ecs_action **ret_action)
{
    json_t *tree;
    int r = fs_view_tree(view, &tree);
    if (r != 0) {
        json_decref(value);
        return r;
    }
    json_t *input =
        json_pack("{s:s, s:o}", "resourceArn", fs_json_text(tree, arn_member(view->key.kind)), member, value);
    json_decref(tree);
    *ret_action = fs_action("ecs", operation, input, ECS_EFFECT_FORGET, &view->key, NULL);
    if (*ret_action != NULL && view->key.kind == ECS_FAMILY) {
        (*ret_action)->finished = forget_revision;
        (*ret_action)->arg = view->tree;
    }
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int store(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *tags = json_pack("[{s:s, s:s}]", "key", view->id, "value", text);
    if (tags == NULL)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "a tag takes text in UTF-8");
    return make(view, "TagResource", "tags", tags, ret_action);
}

static int untag(struct fs_view *view, struct ecs_action **ret_action)
{
    return make(view, "UntagResource", "tagKeys", json_pack("[s]", view->id), ret_action);
}

static const struct fs_entries entries = {.list = list, .has = has};
static const struct fs_change change = {.unlink = untag, .removes = "removes the tag"};

const struct fs_node fs_tag_nodes[] = {
    {NULL, FS_FILE_RW, FS_OF_DOC, .entries = &entries, .show = show, .store = store, .change = &change,
     .called = "<key>", .help = "the tag's value; a new name is a new tag"},
    {0},
};
