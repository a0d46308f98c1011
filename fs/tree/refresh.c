/* SPDX-License-Identifier: Apache-2.0 */
/* .ecsfs/refresh: a path, to forget what is cached of it and below it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "nodes.h"
#include "rows.h"
#include "tree_private.h"

/* The inode of a path, by the rows alone. */
static int resolve(struct fs_view *view, const char *path, struct fs_inode **ret_inode)
{
    cleanup_free char *copy = strdup(path);
    struct fs_inode *inode = view->tree->root;
    char *save = NULL;
    if (copy == NULL)
        return -ENOMEM;
    for (char *name = strtok_r(copy, "/", &save); name != NULL; name = strtok_r(NULL, "/", &save)) {
        const struct fs_node *row;
        cleanup_free char *id = NULL;
        int r = fs_row_find(view->tree, inode, name, &row, &id);
        if (r == -ENOMEM)
            return r;
        if (r != 0)
            return fs_fail(view->rq, -ENOENT, "NoSuchPath",
                           "refresh takes a path below the mount; \"%.128s\" is "
                           "none",
                           path);
        inode = fs_inode_child(view->tree, inode, row, name, id);
        if (inode == NULL)
            return -ENOMEM;
    }
    *ret_inode = inode;
    return 0;
}

static bool has_lists_below(const struct fs_node *node)
{
    for (const struct fs_node *row = node->children; row != NULL && !fs_row_ends(row); row++)
        if ((row->name == NULL && row->of != 0) || (row->name != NULL && has_lists_below(row)))
            return true;
    return false;
}

static void forget_below(struct fs_view *directory);

static void forget_child(struct fs_view *directory, struct fs_inode *child)
{
    struct fs_view view;
    fs_view_inode(&view, directory->tree, directory->rq, child);
    if (child->has_key)
        ecs_cache_forget(view.tree->cache, &view.key);
    forget_below(&view);
}

/* The children that a known list names, and those that have an inode. */
static void forget_children(struct fs_view *directory, const struct fs_node *row, const struct ecs_key *key)
{
    if (!has_lists_below(row))
        return;
    const struct ecs_list *list = ecs_cache_peek_list(directory->tree->cache, key, NULL);
    for (size_t i = 0; list != NULL && i < ecs_list_len(list); i++) {
        cleanup_free char *name = fs_row_name(directory->node, row, ecs_list_at(list, i));
        struct fs_inode *child = NULL;
        if (name != NULL)
            child = fs_inode_child(directory->tree, directory->inode, row, name, ecs_list_at(list, i));
        if (child != NULL)
            forget_child(directory, child);
    }
    for (struct fs_inode *child = directory->inode->children, *next; child != NULL; child = next) {
        fs_inode_ref(child); /* stays in its place meanwhile */
        if (child->node == row)
            forget_child(directory, child);
        next = child->next;
        fs_inode_unref(directory->tree, child);
    }
}

/* A directory of links shows lists that stand elsewhere. */
static void forget_watched(struct fs_view *view)
{
    const char *cluster = view_cluster(view);
    for (unsigned kind = 0; kind < ECS_KINDS; kind++)
        if ((view->node->watches & FS_WATCH(kind)) != 0) {
            struct ecs_key key = {(enum ecs_kind_id)kind, cluster != NULL ? cluster : "", ""};
            ecs_cache_forget(view->tree->cache, &key);
        }
}

static void forget_below(struct fs_view *directory)
{
    for (const struct fs_node *row = directory->node->children; row != NULL && !fs_row_ends(row); row++) {
        if (row->name == NULL && row->of != 0) {
            struct fs_view at = *directory;
            struct ecs_key key;
            fs_row_list_key(&at, row, &key);
            forget_children(directory, row, &key);
            ecs_cache_forget(directory->tree->cache, &key);
        } else if (row->name != NULL && S_ISDIR(row->mode)) {
            struct fs_inode *child = fs_inode_child(directory->tree, directory->inode, row, row->name, NULL);
            struct fs_view view;
            if (child == NULL)
                continue;
            fs_view_inode(&view, directory->tree, directory->rq, child);
            forget_watched(&view);
            forget_below(&view);
        }
    }
}

int fs_store_refresh(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    struct fs_inode *inode = NULL;
    int r = resolve(view, text, &inode);
    if (r < 0)
        return r;
    struct fs_tree *tree = view->tree;
    if (tree->cache == NULL)
        return 0;
    fs_inode_ref(inode);
    if (inode == tree->root) {
        ecs_cache_forget_all(tree->cache);
    } else {
        struct fs_view at;
        fs_view_inode(&at, tree, view->rq, inode);
        if (at.has_key)
            ecs_cache_forget(tree->cache, &at.key);
        forget_watched(&at);
        forget_below(&at);
    }
    fs_tell_below(tree, inode);
    fs_inode_unref(tree, inode);
    return 0;
}
