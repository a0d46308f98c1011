/* SPDX-License-Identifier: Apache-2.0 */
/* The inode table. A number is a hash of the path, so it is the same after a remount; two paths with one
 * hash are told apart by probing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "text.h"
#include "tree_private.h"

enum { FIRST_SIZE = 256 };

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdU;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53U;
    return h ^ (h >> 33);
}

static uint64_t hash_text(uint64_t seed, const char *text)
{
    uint64_t h = seed ^ 0xcbf29ce484222325U;
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3U;
    return mix(h);
}

static uint64_t hash_key(const struct ecs_key *key)
{
    return hash_text(hash_text((uint64_t)key->kind + 1, key->parent), key->id);
}

static bool same_key(const struct ecs_key *a, const struct ecs_key *b)
{
    return a->kind == b->kind && strcmp(a->id, b->id) == 0 && strcmp(a->parent, b->parent) == 0;
}

static struct fs_inode **ino_slot(struct fs_tree *tree, uint64_t ino)
{
    return &tree->inodes.by_ino[ino & (tree->inodes.ino_size - 1)];
}

static struct fs_inode_more **key_slot(struct fs_tree *tree, const struct ecs_key *key)
{
    return &tree->inodes.by_key[hash_key(key) & (tree->inodes.key_size - 1)];
}

struct fs_inode *fs_inode_find(struct fs_tree *tree, uint64_t ino)
{
    for (struct fs_inode *inode = *ino_slot(tree, ino); inode != NULL; inode = inode->next_ino)
        if (inode->ino == ino)
            return inode;
    return NULL;
}

uint64_t fs_inode_number(const struct fs_inode *inode)
{
    return inode->ino;
}

/* The number of a child, and its inode when it has one. 0 and 1 mean nothing and the root. */
static uint64_t probe(struct fs_tree *tree, const struct fs_inode *parent, const char *name,
                      struct fs_inode **ret_inode)
{
    uint64_t ino = hash_text(parent->ino, name);
    for (;; ino = mix(ino + 1)) {
        if (ino <= 1)
            continue;
        struct fs_inode *inode = fs_inode_find(tree, ino);
        if (inode == NULL || (inode->parent == parent && strcmp(inode->name, name) == 0)) {
            *ret_inode = inode;
            return ino;
        }
    }
}

uint64_t fs_inode_number_of(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_inode *inode;
    return probe(tree, parent, name, &inode);
}

uint64_t fs_child_number(struct fs_tree *tree, uint64_t parent, const char *name)
{
    const struct fs_inode *directory = fs_inode_find(tree, parent);
    return directory != NULL ? fs_inode_number_of(tree, directory, name) : 0;
}

struct fs_inode *fs_inode_known(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_inode *inode;
    probe(tree, parent, name, &inode);
    return inode;
}

/* A table that cannot grow works on, more slowly. */
static void grow_by_ino(struct fs_inodes *inodes)
{
    size_t size = inodes->ino_size * 2;
    struct fs_inode **table = calloc(size, sizeof(*table));
    if (table == NULL)
        return;
    for (size_t i = 0; i < inodes->ino_size; i++)
        for (struct fs_inode *inode = inodes->by_ino[i], *next; inode != NULL; inode = next) {
            next = inode->next_ino;
            inode->next_ino = table[inode->ino & (size - 1)];
            table[inode->ino & (size - 1)] = inode;
        }
    free(inodes->by_ino);
    inodes->by_ino = table;
    inodes->ino_size = size;
}

static void push_key(struct fs_inode_more **slot, struct fs_inode_more *more)
{
    more->next_key = *slot;
    if (*slot != NULL)
        (*slot)->prev_key = &more->next_key;
    more->prev_key = slot;
    *slot = more;
}

static void grow_by_key(struct fs_inodes *inodes)
{
    size_t size = inodes->key_size * 2;
    struct fs_inode_more **table = calloc(size, sizeof(*table));
    if (table == NULL)
        return;
    for (size_t i = 0; i < inodes->key_size; i++)
        for (struct fs_inode_more *more = inodes->by_key[i], *next; more != NULL; more = next) {
            next = more->next_key;
            push_key(&table[hash_key(&more->key) & (size - 1)], more);
        }
    free(inodes->by_key);
    inodes->by_key = table;
    inodes->key_size = size;
}

static void link_ino(struct fs_tree *tree, struct fs_inode *inode)
{
    if (++tree->inodes.len > tree->inodes.ino_size)
        grow_by_ino(&tree->inodes);
    struct fs_inode **slot = ino_slot(tree, inode->ino);
    inode->next_ino = *slot;
    *slot = inode;
}

static void unlink_ino(struct fs_tree *tree, struct fs_inode *inode)
{
    struct fs_inode **at = ino_slot(tree, inode->ino);
    while (*at != inode)
        at = &(*at)->next_ino;
    *at = inode->next_ino;
    tree->inodes.len--;
}

static void link_key(struct fs_tree *tree, struct fs_inode *inode)
{
    if (++tree->inodes.key_len > tree->inodes.key_size)
        grow_by_key(&tree->inodes);
    push_key(key_slot(tree, &inode->more->key), inode->more);
}

static void unlink_key(struct fs_tree *tree, struct fs_inode *inode)
{
    struct fs_inode_more *more = inode->more;
    if (more == NULL || more->prev_key == NULL)
        return;
    *more->prev_key = more->next_key;
    if (more->next_key != NULL)
        more->next_key->prev_key = more->prev_key;
    more->prev_key = NULL;
    tree->inodes.key_len--;
}

struct fs_inode *fs_inode_by_key(struct fs_tree *tree, const struct ecs_key *key, struct fs_inode *after)
{
    struct fs_inode_more *more = after != NULL ? after->more->next_key : *key_slot(tree, key);
    for (; more != NULL; more = more->next_key)
        if (same_key(&more->key, key))
            return more->inode;
    return NULL;
}

static void link_parent(struct fs_inode *inode, struct fs_inode *parent)
{
    inode->parent = fs_inode_ref(parent);
    inode->next = parent->children;
    if (parent->children != NULL)
        parent->children->prev = &inode->next;
    inode->prev = &parent->children;
    parent->children = inode;
}

static void unlink_parent(struct fs_inode *inode)
{
    *inode->prev = inode->next;
    if (inode->next != NULL)
        inode->next->prev = inode->prev;
}

static void link_watcher(struct fs_tree *tree, struct fs_inode_more *more)
{
    more->next_watcher = tree->watchers;
    if (tree->watchers != NULL)
        tree->watchers->prev_watcher = &more->next_watcher;
    more->prev_watcher = &tree->watchers;
    tree->watchers = more;
}

static void unlink_watcher(struct fs_inode *inode)
{
    struct fs_inode_more *more = inode->more;
    if (more == NULL || more->prev_watcher == NULL)
        return;
    *more->prev_watcher = more->next_watcher;
    if (more->next_watcher != NULL)
        more->next_watcher->prev_watcher = more->prev_watcher;
}

struct fs_inode_more *fs_inode_more(struct fs_inode *inode)
{
    if (inode->more == NULL)
        inode->more = calloc(1, sizeof(*inode->more));
    if (inode->more != NULL)
        inode->more->inode = inode;
    return inode->more;
}

static void destroy(struct fs_inode *inode)
{
    if (inode == NULL)
        return;
    struct fs_inode_more *more = inode->more;
    if (more != NULL && more->memory_free != NULL)
        more->memory_free(more->memory);
    if (more != NULL && more->parent_owned)
        free((char *)more->key.parent);
    free(more);
    if (inode->name_owned)
        free(inode->name);
    free(inode->id);
    free(inode);
}

static void cleanup_inode_p(struct fs_inode **inode)
{
    destroy(*inode);
}

/* The key of a row that is a resource of its own, or whose document is of another kind. What inodes above
 * hold anyway is borrowed: they stay as long as this one. */
static int set_key(struct fs_inode *inode, const struct fs_view *view)
{
    struct fs_inode_more *more = fs_inode_more(inode);
    if (more == NULL)
        return -ENOMEM;
    const struct fs_inode *above = view->parent;
    while (above != NULL && !above->has_key)
        above = above->parent;
    more->key = view->key;
    inode->has_key = true;
    if (inode->id == NULL)
        return 0; /* a fixed row's is the one above, but for the kind */
    more->key.id = inode->id;
    const char *parent = view->key.parent;
    if (parent[0] == '\0') {
        more->key.parent = "";
    } else if (above != NULL && strcmp(above->more->key.id, parent) == 0) {
        more->key.parent = above->more->key.id;
    } else {
        more->key.parent = strdup(parent);
        more->parent_owned = true;
    }
    return more->key.parent != NULL ? 0 : -ENOMEM;
}

/* A ring of the inodes nobody uses yet: whoever falls out of it unused is freed. */
static void queue_unused(struct fs_tree *tree, struct fs_inode *inode)
{
    struct fs_inode **slot = &tree->inodes.unused[tree->inodes.unused_at];
    tree->inodes.unused_at = (tree->inodes.unused_at + 1) % ARRAY_LEN(tree->inodes.unused);
    struct fs_inode *old = *slot;
    *slot = inode;
    inode->fresh = true;
    if (old != NULL) {
        old->fresh = false;
        fs_inode_unref(tree, fs_inode_ref(old));
    }
}

static void unqueue(struct fs_tree *tree, struct fs_inode *inode)
{
    for (size_t i = 0; i < ARRAY_LEN(tree->inodes.unused); i++)
        if (tree->inodes.unused[i] == inode)
            tree->inodes.unused[i] = NULL;
}

static struct fs_inode *make(const struct fs_view *view)
{
    __attribute__((cleanup(cleanup_inode_p))) struct fs_inode *inode = calloc(1, sizeof(*inode));
    if (inode == NULL)
        return NULL;
    inode->node = view->node;
    inode->told_size = -1;
    inode->name_owned = view->node->name == NULL || strcmp(view->node->name, view->name) != 0;
    inode->name = inode->name_owned ? strdup(view->name) : (char *)view->node->name;
    if (inode->name == NULL)
        return NULL;
    if (view->id != NULL) {
        inode->id = strdup(view->id);
        if (inode->id == NULL)
            return NULL;
    }
    if (view->node->of != 0 && view->has_key && set_key(inode, view) < 0)
        return NULL;
    if (view->node->watches != 0 && fs_inode_more(inode) == NULL)
        return NULL;
    return steal(inode);
}

struct fs_inode *fs_inode_child(struct fs_tree *tree, struct fs_inode *parent, const struct fs_node *node,
                                const char *name, const char *id)
{
    struct fs_inode *known;
    uint64_t ino = probe(tree, parent, name, &known);
    if (known != NULL)
        return known;
    struct fs_view view;
    fs_view_child(&view, tree, NULL, parent, node, name, id);
    struct fs_inode *inode = make(&view);
    if (inode == NULL)
        return NULL;
    inode->ino = ino;
    link_ino(tree, inode);
    link_parent(inode, parent);
    if (inode->has_key)
        link_key(tree, inode);
    if (node->watches != 0)
        link_watcher(tree, inode->more);
    queue_unused(tree, inode);
    return inode;
}

struct fs_inode *fs_inode_ref(struct fs_inode *inode)
{
    inode->refs++;
    return inode;
}

/* Its number may be used for the same file again. */
static void remember_time(struct fs_tree *tree, const struct fs_inode *inode)
{
    if (inode->changed_ms == 0 || !S_ISREG(inode->node->mode) || fs_text_is_edited(inode->node))
        return;
    struct fs_time *time = fs_times_of(tree->times, inode->ino);
    if (time == NULL)
        return;
    time->stamp = inode->sized;
    time->changed_ms = inode->changed_ms;
}

static void release_unused(struct fs_tree *tree, struct fs_inode *inode)
{
    while (inode != NULL && inode->refs == 0 && inode->nlookup == 0 && !inode->fresh) {
        struct fs_inode *parent = inode->parent;
        if (inode->local != NULL)
            fs_overlay_inode_free(inode);
        else
            remember_time(tree, inode);
        unlink_ino(tree, inode);
        unlink_key(tree, inode);
        unlink_watcher(inode);
        if (parent != NULL) {
            unlink_parent(inode);
            parent->refs--;
        }
        destroy(inode);
        inode = parent;
    }
}

void fs_inode_unref(struct fs_tree *tree, struct fs_inode *inode)
{
    if (inode == NULL)
        return;
    inode->refs--;
    release_unused(tree, inode);
}

void fs_remember(struct fs_tree *tree, struct fs_inode *inode)
{
    inode->nlookup++;
}

void fs_forget(struct fs_tree *tree, uint64_t ino, uint64_t nlookup)
{
    struct fs_inode *inode = fs_inode_find(tree, ino);
    if (inode == NULL)
        return;
    inode->nlookup -= nlookup < inode->nlookup ? nlookup : inode->nlookup;
    if (inode->nlookup > 0)
        return;
    inode->shown = 0; /* the pages went with it */
    if (inode->fresh) {
        unqueue(tree, inode);
        inode->fresh = false;
    }
    release_unused(tree, inode);
}

int fs_inode_move(struct fs_tree *tree, struct fs_inode *inode, struct fs_inode *parent, const char *name)
{
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    struct fs_inode *old = inode->parent;
    unlink_parent(inode);
    link_parent(inode, parent);
    if (inode->name_owned)
        free(inode->name);
    inode->name_owned = true;
    inode->name = copy; /* the number stays: the kernel knows the inode by it */
    fs_inode_unref(tree, old);
    return 0;
}

void fs_inode_detach(struct fs_inode *inode)
{
    if (inode->name_owned)
        free(inode->name);
    inode->name_owned = false;
    inode->name = (char *)""; /* no child is ever asked for by that name */
}

static int add_path(const struct fs_inode *inode, struct ecs_buf *path)
{
    if (inode->parent == NULL)
        return 0;
    int r = add_path(inode->parent, path);
    return r < 0 ? r : ecs_buf_addf(path, "/%s", inode->name);
}

int fs_inode_path(const struct fs_inode *inode, const char *name, struct ecs_buf *path)
{
    int r = add_path(inode, path);
    if (r == 0 && name != NULL)
        r = ecs_buf_addf(path, "/%s", name);
    return r == 0 && path->len == 0 ? ecs_buf_adds(path, "/") : r;
}

int fs_inodes_init(struct fs_tree *tree)
{
    struct fs_inodes *inodes = &tree->inodes;
    inodes->by_ino = calloc(FIRST_SIZE, sizeof(struct fs_inode *));
    inodes->by_key = calloc(FIRST_SIZE, sizeof(struct fs_inode_more *));
    tree->root = calloc(1, sizeof(*tree->root));
    if (inodes->by_ino == NULL || inodes->by_key == NULL || tree->root == NULL)
        return -ENOMEM;
    inodes->ino_size = inodes->key_size = FIRST_SIZE;
    tree->root->name = (char *)"";
    tree->root->told_size = -1;
    tree->root->ino = 1;
    tree->root->node = &fs_root_node;
    tree->root->refs = 1;
    link_ino(tree, tree->root);
    return 0;
}

/* At the end the kernel forgets nothing any more: all go, children first or not. */
void fs_inodes_free(struct fs_tree *tree)
{
    struct fs_inodes *inodes = &tree->inodes;
    for (size_t i = 0; i < inodes->ino_size; i++)
        for (struct fs_inode *inode = inodes->by_ino[i], *next; inode != NULL; inode = next) {
            next = inode->next_ino;
            if (inode->local != NULL)
                fs_overlay_inode_free(inode);
            if (inode == tree->root)
                tree->root = NULL;
            destroy(inode);
        }
    destroy(tree->root); /* when init failed before it was linked */
    free(inodes->by_ino);
    free(inodes->by_key);
}
