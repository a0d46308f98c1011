/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts, as in configfs: a directory that mkdir made and AWS does not know yet.
 *
 *     $ mkdir services/web
 *     $ echo 3 > services/web/desired-count          # kept with the draft
 *     $ echo web:12 > services/web/task-definition   # creates the service
 *
 * A draft is over as soon as its resource is known to be at AWS, whoever made it. */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes/change.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "local.h"
#include "tree/rows.h"
#include "tree/show.h"

struct fs_draft *fs_draft_of(const struct fs_inode *inode)
{
    return inode->local && inode->local->kind == FS_LOCAL_DRAFT ? (struct fs_draft *)inode->local : NULL;
}

bool fs_overlay_is_draft(const struct fs_inode *directory)
{
    const struct fs_draft *draft = fs_draft_of(directory);
    return draft && (!draft->tree->cache || !ecs_cache_peek(draft->tree->cache, &directory->more->key, NULL));
}

int fs_draft_create(struct fs_tree *tree, struct fs_inode *parent, const struct fs_node *node,
                    const char *name, const char *id, pid_t maker, struct fs_inode **ret_inode)
{
    struct fs_draft *draft = calloc(1, sizeof(*draft));
    struct fs_inode *inode = draft ? fs_inode_child(tree, parent, node, name, id) : NULL;
    if (!inode || inode->local) {
        free(draft);
        return inode ? -EEXIST : -ENOMEM;
    }
    *draft = (struct fs_draft){.local.kind = FS_LOCAL_DRAFT,
                               .tree = tree,
                               .inode = fs_inode_ref(inode),
                               .desired_count = -1,
                               .maker = maker,
                               .next = tree->overlay->drafts,
                               .prev = &tree->overlay->drafts};
    if (draft->next)
        draft->next->prev = &draft->next;
    tree->overlay->drafts = draft;
    inode->local = &draft->local;
    *ret_inode = inode;
    return 0;
}

void fs_draft_end(struct fs_tree *tree, struct fs_draft *draft)
{
    struct fs_inode *inode = draft->inode;
    *draft->prev = draft->next;
    if (draft->next)
        draft->next->prev = draft->prev;
    inode->local = NULL;
    free(draft);
    fs_tell_below(tree, inode);
    fs_inode_unref(tree, inode);
}

struct fs_draft *fs_draft_find(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_draft *draft = tree->overlay->drafts;
    while (draft && (draft->inode->parent != parent || strcmp(draft->inode->name, name) != 0))
        draft = draft->next;
    if (draft && !fs_overlay_is_draft(draft->inode)) {
        fs_draft_end(tree, draft);
        return NULL;
    }
    return draft;
}

/* Its lines are there from the start: written before the document, one may make a service with less in it. */
bool fs_draft_hides(const struct fs_request *rq, const struct fs_inode *directory, const char *name)
{
    const struct fs_draft *draft = fs_draft_of(directory);
    if (!draft || rq->pid == 0 || draft->maker != rq->pid || !fs_overlay_is_draft(directory))
        return false;
    for (const struct fs_node *row = directory->node->children; row && !fs_row_ends(row); row++)
        if (row->name && row->document && strcmp(row->name, name) == 0)
            return true;
    return false;
}

void fs_overlay_shown(const struct fs_request *rq, struct fs_inode *directory)
{
    struct fs_draft *draft = fs_draft_of(directory);
    if (draft && draft->maker == rq->pid)
        draft->maker = 0;
}

struct fs_draft *fs_draft_around(const struct fs_view *view)
{
    return view->parent && fs_overlay_is_draft(view->parent) ? fs_draft_of(view->parent) : NULL;
}

int fs_overlay_draft_show(struct fs_view *view, struct ecs_buf *text)
{
    const struct fs_draft *draft = fs_draft_around(view);
    if (!draft || draft->desired_count < 0 || strcmp(view->name, "desired-count") != 0)
        return 0;
    return ecs_buf_addf(text, "%d\n", draft->desired_count);
}

/* ---- creating a service by one line ---- */

static int keep_count(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    char *end;
    errno = 0;
    long count = strtol(text, &end, 10);
    if (*end || end == text || errno || count < 0 || count > INT32_MAX || strchr("+- ", *text))
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "desired-count takes a whole number, 0 or more; got \"%.64s\"", text);
    fs_draft_around(view)->desired_count = (int)count;
    if (view->inode)
        fs_tell_changed(view->tree, view->inode);
    return 0;
}

void fs_draft_definition_key(const char *text, char *family, size_t size, struct ecs_key *ret_key)
{
    snprintf(family, size, "%s", fs_task_definition_short(text));
    char *colon = strchr(family, ':');
    if (colon)
        *colon = 0;
    *ret_key =
        colon ? (struct ecs_key){ECS_REVISION, family, colon + 1} : (struct ecs_key){ECS_FAMILY, "", family};
}

static bool requires_fargate(const struct ecs_doc *definition)
{
    json_t *tree = ecs_doc_tree(definition), *item;
    bool fargate = false;
    size_t i;
    json_array_foreach(json_object_get(tree, "requiresCompatibilities"), i, item) fargate |=
        json_is_string(item) && strcmp(json_string_value(item), "FARGATE") == 0;
    json_decref(tree);
    return fargate;
}

static bool has_default_strategy(const struct ecs_doc *cluster)
{
    json_t *tree = ecs_doc_tree(cluster);
    bool has = json_array_size(json_object_get(tree, "defaultCapacityProviderStrategy")) > 0;
    json_decref(tree);
    return has;
}

int fs_draft_launch_type(struct fs_view *view, const char *definition, const char **ret_type)
{
    char family[512];
    struct ecs_key key;
    struct ecs_doc *doc;
    *ret_type = NULL;
    fs_draft_definition_key(definition, family, sizeof(family), &key);
    int r = fs_view_doc_of(view, &key, &doc);
    if (r == -ENOENT)
        return 0; /* AWS says so in its own words */
    if (r != 0 || !requires_fargate(doc))
        return r;
    struct ecs_key cluster = {ECS_CLUSTER, "", view_cluster(view)};
    r = fs_view_doc_of(view, &cluster, &doc);
    if (r == 0 && !has_default_strategy(doc))
        *ret_type = "FARGATE";
    return r == -ENOENT ? 0 : r;
}

static int create_service(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    struct fs_draft *draft = fs_draft_around(view);
    const char *type;
    int r = fs_draft_launch_type(view, text, &type);
    if (r != 0)
        return r;
    char token[FS_TOKEN_TEXT];
    fs_change_token(token);
    draft->tried = true;
    json_t *input = json_pack("{s:s, s:s, s:s, s:i, s:s}", "cluster", view->key.parent, "serviceName",
                              view->key.id, "taskDefinition", text, "desiredCount",
                              draft->desired_count > 0 ? draft->desired_count : 0, "clientToken", token);
    if (input && type)
        json_object_set_new(input, "launchType", json_string(type));
    *ret_action = fs_action("ecs", "CreateService", input, ECS_EFFECT_CREATE, &view->key, "service");
    return *ret_action ? 0 : -ENOMEM;
}

static const struct {
    const char *name;
    int (*store)(struct fs_view *view, const char *text, struct ecs_action **ret_action);
} stores[] = {
    {"desired-count", keep_count},
    {"task-definition", create_service},
};

int fs_overlay_draft_store(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
        if (strcmp(stores[i].name, view->name) == 0)
            return stores[i].store(view, text, ret_action);
    }
    return fs_fail(view->rq, -EINVAL, "Draft",
                   "%s is a draft: write its task-definition or save its service.json first",
                   view->parent->name);
}
