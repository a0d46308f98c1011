/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the kernel: when the cache finds a change, the inodes whose text, names or times derive from
 * it are named, and no others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "rows.h"
#include "text.h"
#include "tree_private.h"

/* ---- names the kernel believes to be absent ---- */

enum { ABSENT_KEPT = 1024 };

struct fs_absent {
    struct {
        uint64_t parent; /* 0: an empty slot */
        char *name;
    } ring[ABSENT_KEPT];
    size_t at;
};

struct fs_absent *fs_absent_new(void)
{
    return calloc(1, sizeof(struct fs_absent));
}

struct fs_absent *fs_absent_free(struct fs_absent *absent)
{
    for (size_t i = 0; absent != NULL && i < ABSENT_KEPT; i++)
        free(absent->ring[i].name);
    free(absent);
    return NULL;
}

static void drop_absent(struct fs_tree *tree, size_t i)
{
    struct fs_absent *absent = tree->absent;
    if (absent->ring[i].parent != 0 && tree->kernel.inval_entry != NULL)
        tree->kernel.inval_entry(tree->kernel.arg, absent->ring[i].parent, absent->ring[i].name);
    free(absent->ring[i].name);
    absent->ring[i].name = NULL;
    absent->ring[i].parent = 0;
}

void fs_absent_note(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_absent *absent = tree->absent;
    for (size_t i = 0; i < ABSENT_KEPT; i++)
        if (absent->ring[i].parent == parent->ino && strcmp(absent->ring[i].name, name) == 0)
            return;
    drop_absent(tree, absent->at); /* what is no longer remembered must not be believed any longer */
    absent->ring[absent->at].name = strdup(name);
    if (absent->ring[absent->at].name == NULL)
        return;
    absent->ring[absent->at].parent = parent->ino;
    absent->at = (absent->at + 1) % ABSENT_KEPT;
}

/* `name` NULL: all below that directory. */
static void tell_absent(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    for (size_t i = 0; i < ABSENT_KEPT; i++)
        if (tree->absent->ring[i].parent == parent->ino &&
            (name == NULL || strcmp(tree->absent->ring[i].name, name) == 0))
            drop_absent(tree, i);
}

/* ---- telling ---- */

void fs_tell_entry(struct fs_tree *tree, struct fs_inode *parent, const char *name)
{
    tell_absent(tree, parent, name);
    if (parent->nlookup > 0 || parent == tree->root)
        tree->kernel.inval_entry(tree->kernel.arg, parent->ino, name);
}

void fs_tell_changed(struct fs_tree *tree, struct fs_inode *inode)
{
    inode->changed_ms = fs_wall_ms(tree);
    fs_tell_pages(tree, inode);
}

void fs_tell_pages(struct fs_tree *tree, struct fs_inode *inode)
{
    tree->epoch++;
    if (inode->nlookup > 0 || inode == tree->root)
        tree->kernel.inval_inode(tree->kernel.arg, inode->ino, false);
}

void fs_tell_own(struct fs_tree *tree, const char *name)
{
    struct fs_inode *directory = fs_inode_known(tree, tree->root, ".ecsfs");
    struct fs_inode *inode = directory != NULL ? fs_inode_known(tree, directory, name) : NULL;
    if (inode != NULL)
        fs_tell_changed(tree, inode);
}

void fs_tell_below(struct fs_tree *tree, struct fs_inode *inode)
{
    fs_tell_changed(tree, inode);
    tell_absent(tree, inode, NULL);
    for (struct fs_inode *child = inode->children; child != NULL; child = child->next) {
        fs_tell_entry(tree, inode, child->name);
        fs_tell_below(tree, child);
    }
}

/* ---- what derives from a document ---- */

/* Looked at without asking anybody. */
static void peek_view(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq,
                      struct fs_inode *inode)
{
    *rq = (struct fs_request){.peek = true};
    fs_view_inode(view, tree, rq, inode);
}

/* Is what the kernel may hold still so? Only asked of what is cheap to tell. */
static bool text_same(struct fs_view *view)
{
    const struct fs_inode *inode = view->inode;
    bool cheap = view->node->show == NULL && view->node->field != NULL;
    if (!cheap || inode->sized == 0 || (inode->shown != 0 && inode->shown != inode->sized))
        return false;
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    uint64_t stamp;
    bool rendered;
    return fs_text_stamp(view, &stamp, &text, &rendered) == 0 && stamp == inode->sized;
}

static void tell_file(struct fs_tree *tree, struct fs_inode *inode)
{
    struct fs_request rq;
    struct fs_view view;
    peek_view(&view, tree, &rq, inode);
    if (text_same(&view))
        return;
    fs_tell_changed(tree, inode);
    if (fs_row_conditional(inode->node) && fs_row_present(&view) == -ENOENT)
        fs_tell_entry(tree, inode->parent, inode->name);
    fs_progress_free(&rq);
}

/* The resource's own rows, down to where another resource begins. */
static void tell_rows(struct fs_tree *tree, struct fs_inode *inode)
{
    tell_absent(tree, inode, NULL);
    if (S_ISDIR(inode->node->mode))
        fs_tell_changed(tree, inode);
    else if (S_ISREG(inode->node->mode))
        tell_file(tree, inode);
    for (struct fs_inode *child = inode->children; child != NULL; child = child->next)
        if (!child->has_key)
            tell_rows(tree, child);
}

/* ---- where a list shows ---- */

typedef void dir_fn(struct fs_tree *tree, struct fs_inode *directory, const struct fs_node *row,
                    const void *arg);

static const struct fs_node *row_of_kind(const struct fs_node *node, enum ecs_kind_id kind)
{
    for (const struct fs_node *row = node->children; row != NULL && !fs_row_ends(row); row++)
        if (row->name == NULL && row->of == FS_OF(kind))
            return row;
    return NULL;
}

/* Directories of fixed rows below (and at) the inode that list this kind. */
static void dirs_below(struct fs_tree *tree, struct fs_inode *inode, enum ecs_kind_id kind, dir_fn *told,
                       const void *arg)
{
    const struct fs_node *row = row_of_kind(inode->node, kind);
    if (row != NULL)
        told(tree, inode, row, arg);
    for (struct fs_inode *child = inode->children; child != NULL; child = child->next)
        if ((child->id == NULL || (child->node->flags & FS_NESTS) != 0) && S_ISDIR(child->node->mode))
            dirs_below(tree, child, kind, told, arg);
}

static void dirs_of_parent(struct fs_tree *tree, const char *parent, const char *id, enum ecs_kind_id of,
                           dir_fn *told, const void *arg)
{
    for (int kind = 0; kind < ECS_KINDS; kind++) {
        struct ecs_key key = {(enum ecs_kind_id)kind, parent, id};
        for (struct fs_inode *at = fs_inode_by_key(tree, &key, NULL); at != NULL;
             at = fs_inode_by_key(tree, &key, at))
            if (at->id != NULL || S_ISDIR(at->node->mode))
                dirs_below(tree, at, of, told, arg);
    }
}

/* The parent of a list is a resource whose kind the key does not tell: all kinds are tried; "prod/web" is a
 * service in a cluster, or a repository. */
static void dirs_of_list(struct fs_tree *tree, const struct ecs_key *key, dir_fn *told, const void *arg)
{
    if (key->parent[0] == '\0') {
        dirs_below(tree, tree->root, key->kind, told, arg);
        return;
    }
    dirs_of_parent(tree, "", key->parent, key->kind, told, arg);
    cleanup_free char *above = strdup(key->parent);
    char *slash = above != NULL ? strrchr(above, '/') : NULL;
    if (slash == NULL)
        return;
    *slash = '\0';
    dirs_of_parent(tree, above, slash + 1, key->kind, told, arg);
}

/* A list changed: names that are not in it any more are dropped, and those that were absent may be there. */
static void tell_list_dir(struct fs_tree *tree, struct fs_inode *directory, const struct fs_node *row,
                          const void *arg)
{
    const struct ecs_key *key = arg;
    const struct ecs_list *list = ecs_cache_peek_list(tree->cache, key, NULL);
    fs_tell_changed(tree, directory);
    tell_absent(tree, directory, NULL);
    for (struct fs_inode *child = directory->children; child != NULL; child = child->next)
        if (child->node == row && list != NULL && !ecs_list_has(list, child->id))
            fs_tell_entry(tree, directory, child->name);
}

static void tell_new_name(struct fs_tree *tree, struct fs_inode *directory, const struct fs_node *row,
                          const void *arg)
{
    const struct ecs_key *key = arg;
    cleanup_free char *name = fs_row_name(directory->node, row, key->id);
    if (name != NULL)
        tell_absent(tree, directory, name);
}

/* ---- what derives from many ---- */

/* "prod" is at or above "prod/web". */
static bool is_above(const struct ecs_key *resource, const char *parent)
{
    cleanup_buf struct ecs_buf path = ECS_BUF(2048);
    ecs_buf_addf(&path, "%s%s%s", resource->parent, resource->parent[0] != '\0' ? "/" : "", resource->id);
    return path.failed == 0 && strncmp(parent, path.data, path.len) == 0 &&
           (parent[path.len] == '\0' || parent[path.len] == '/');
}

static bool concerned(const struct fs_inode *inode, const struct ecs_key *key)
{
    if ((inode->node->watches & FS_WATCH(key->kind)) == 0)
        return false;
    if ((inode->node->flags & FS_WATCH_LISTS) != 0 && key->id[0] != '\0')
        return false;
    const struct fs_inode *resource = inode;
    while (resource != NULL && !resource->has_key)
        resource = resource->parent;
    if (resource == NULL)
        return true;
    if ((inode->node->flags & FS_WATCH_LISTS) == 0)
        return is_above(&resource->more->key, key->parent);
    if (strcmp(ecs_kinds[resource->more->key.kind]->service, "ecs") != 0)
        return true;
    /* Its list is a cluster's: of the cluster it is in itself, or of any. */
    size_t len = strcspn(resource->more->key.parent, "/");
    return len == 0 ||
           (strlen(key->parent) == len && strncmp(resource->more->key.parent, key->parent, len) == 0);
}

static void tell_watchers(struct fs_tree *tree, const struct ecs_key *key)
{
    for (struct fs_inode_more *more = tree->watchers; more != NULL; more = more->next_watcher)
        if (concerned(more->inode, key)) {
            fs_tell_changed(tree, more->inode);
            tell_absent(tree, more->inode, NULL);
        }
}

void fs_tree_changed(void *arg, const struct ecs_key *key)
{
    struct fs_tree *tree = arg;
    if (tree == NULL || tree->root == NULL || tree->cache == NULL)
        return;
    tree->epoch++;
    if (key->id[0] == '\0') {
        dirs_of_list(tree, key, tell_list_dir, key);
        tell_watchers(tree, key);
        return;
    }
    bool gone = ecs_cache_known_absent(tree->cache, key, NULL);
    for (struct fs_inode *inode = fs_inode_by_key(tree, key, NULL); inode != NULL;
         inode = fs_inode_by_key(tree, key, inode)) {
        tell_rows(tree, inode);
        if (gone && inode->parent != NULL)
            fs_tell_entry(tree, inode->parent, inode->name);
    }
    dirs_of_list(tree, key, tell_new_name, key);
    tell_watchers(tree, key);
}
