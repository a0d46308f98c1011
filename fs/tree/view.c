/* SPDX-License-Identifier: Apache-2.0 */
/* Views: how a row finds its resource and asks for its document. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tree_private.h"

/* Directories in which the row nests do not join: its id has all parts. */
static const struct fs_inode *outside_nest(const struct fs_inode *above, const struct fs_node *node)
{
    while (above != NULL && (node->flags & FS_NESTS) != 0 && above->node->of == node->of)
        above = above->parent;
    return above;
}

static const struct fs_inode *nearest_resource(const struct fs_inode *inode)
{
    while (inode != NULL && !inode->has_key)
        inode = inode->parent;
    return inode;
}

/* A resource below another: its parent is the other's parts, joined. */
static void join_parent(struct fs_view *view, const struct fs_inode *above)
{
    if (above == NULL)
        view->parent_text[0] = '\0';
    else if (above->more->key.parent[0] == '\0')
        snprintf(view->parent_text, sizeof(view->parent_text), "%s", above->more->key.id);
    else
        snprintf(view->parent_text, sizeof(view->parent_text), "%s/%s", above->more->key.parent,
                 above->more->key.id);
}

void fs_view_child(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent,
                   const struct fs_node *node, const char *name, const char *id)
{
    *view = (struct fs_view){.tree = tree,
                             .rq = rq,
                             .node = node,
                             .parent = parent,
                             .name = name,
                             .id = id,
                             .valid_ms = INT64_MAX};
    const struct fs_inode *above = nearest_resource(parent);
    if (node->of != 0 && id != NULL) {
        join_parent(view, nearest_resource(outside_nest(above, node)));
        view->key = (struct ecs_key){(enum ecs_kind_id)(node->of - 1), view->parent_text, id};
        view->has_key = true;
    } else if (above != NULL) {
        view->key = above->more->key;
        if (node->of != 0)
            view->key.kind = (enum ecs_kind_id)(node->of - 1);
        view->has_key = true;
    } else if (node->of != 0 && node->name != NULL) {
        view->key = (struct ecs_key){(enum ecs_kind_id)(node->of - 1), "", node->name};
        view->has_key = true;
    }
}

void fs_view_inode(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode)
{
    *view = (struct fs_view){.tree = tree,
                             .rq = rq,
                             .node = inode->node,
                             .inode = inode,
                             .parent = inode->parent,
                             .name = inode->name,
                             .id = inode->id,
                             .valid_ms = INT64_MAX};
    const struct fs_inode *nearest = nearest_resource(inode);
    if (nearest != NULL) {
        view->key = nearest->more->key;
        view->has_key = true;
    }
}

void fs_begin(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode)
{
    rq->want.error = NULL;
    rq->want.stale = false;
    fs_view_inode(view, tree, rq, inode);
}

static void note_freshness(struct fs_view *view, int64_t fresh_ms)
{
    if (fresh_ms < view->valid_ms)
        view->valid_ms = fresh_ms;
    if (view->rq->want.stale)
        view->stale = true;
}

struct ecs_doc *fs_view_known(struct fs_view *view, const struct ecs_key *key)
{
    int64_t fresh_ms = 0;
    struct ecs_doc *doc = ecs_cache_peek(view->tree->cache, key, &fresh_ms);
    note_freshness(view, doc != NULL ? fresh_ms : 0);
    return doc;
}

static int peek_doc(struct fs_view *view, const struct ecs_key *key, struct ecs_doc **ret_doc)
{
    int64_t fresh_ms = 0;
    *ret_doc = ecs_cache_peek(view->tree->cache, key, &fresh_ms);
    int r = 0;
    if (*ret_doc == NULL)
        r = ecs_cache_known_absent(view->tree->cache, key, &fresh_ms) ? -ENOENT : FS_PARKED;
    note_freshness(view, r == FS_PARKED ? 0 : fresh_ms);
    return r;
}

int fs_view_doc_of(struct fs_view *view, const struct ecs_key *key, struct ecs_doc **ret_doc)
{
    if (view->tree->cache == NULL)
        return -EIO;
    if (view->rq->peek)
        return peek_doc(view, key, ret_doc);
    int r = ecs_cache_doc(view->tree->cache, &view->rq->want, key, ret_doc);
    int64_t fresh_ms = 0;
    if (r == 0)
        ecs_cache_peek(view->tree->cache, key, &fresh_ms);
    else if (r == -ENOENT)
        ecs_cache_known_absent(view->tree->cache, key, &fresh_ms);
    note_freshness(view, fresh_ms);
    return r;
}

int fs_view_doc(struct fs_view *view, struct ecs_doc **ret_doc)
{
    return view->has_key ? fs_view_doc_of(view, &view->key, ret_doc) : -ENOENT;
}

int fs_view_field(struct fs_view *view, const char *field, const char **ret_text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    *ret_text = ecs_doc_field(doc, field);
    return *ret_text != NULL ? 0 : -ENOENT;
}

int fs_view_list(struct fs_view *view, const struct ecs_key *list_key, const struct ecs_list **ret_list)
{
    if (view->tree->cache == NULL)
        return -EIO;
    int64_t fresh_ms = 0;
    int r = 0;
    if (!view->rq->peek)
        r = ecs_cache_list(view->tree->cache, &view->rq->want, list_key, ret_list);
    if (r == 0) {
        const struct ecs_list *list = ecs_cache_peek_list(view->tree->cache, list_key, &fresh_ms);
        if (view->rq->peek)
            *ret_list = list;
        if (list == NULL)
            r = FS_PARKED;
    }
    note_freshness(view, fresh_ms);
    return r;
}

int fs_view_all(struct fs_view *view, const struct ecs_key *list_key, const struct ecs_list **ret_list)
{
    if (view->rq->peek || view->tree->cache == NULL)
        return fs_view_list(view, list_key, ret_list);
    int64_t fresh_ms = 0;
    int r = ecs_cache_all(view->tree->cache, &view->rq->want, list_key, ret_list);
    if (r == 0)
        ecs_cache_peek_list(view->tree->cache, list_key, &fresh_ms);
    note_freshness(view, fresh_ms);
    return r;
}

const char *fs_view_id_of(const struct fs_view *view, enum ecs_kind_id kind)
{
    if (view->id != NULL && view->node->of == FS_OF(kind))
        return view->id;
    for (const struct fs_inode *at = view->parent; at != NULL; at = at->parent)
        if (at->id != NULL && at->node->of == FS_OF(kind))
            return at->id;
    return NULL;
}

const char *fs_view_nearest_id(const struct fs_view *view)
{
    if (view->id != NULL)
        return view->id;
    for (const struct fs_inode *at = view->parent; at != NULL; at = at->parent)
        if (at->id != NULL)
            return at->id;
    return NULL;
}
