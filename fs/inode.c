/* SPDX-License-Identifier: Apache-2.0 */
/* The inode table. A number is a hash of the path, so it is the same after a remount; two paths with one
 * hash are told apart by probing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
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

static struct fs_inode **key_slot(struct fs_tree *tree, const struct ecs_key *key)
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

static void push_key(struct fs_inode **slot, struct fs_inode *inode)
{
    inode->next_key = *slot;
    if (*slot != NULL)
        (*slot)->prev_key = &inode->next_key;
    inode->prev_key = slot;
    *slot = inode;
}

static void grow_by_key(struct fs_inodes *inodes)
{
    size_t size = inodes->key_size * 2;
    struct fs_inode **table = calloc(size, sizeof(*table));
    if (table == NULL)
        return;
    for (size_t i = 0; i < inodes->key_size; i++)
        for (struct fs_inode *inode = inodes->by_key[i], *next; inode != NULL; inode = next) {
            next = inode->next_key;
            push_key(&table[hash_key(&inode->key) & (size - 1)], inode);
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
    push_key(key_slot(tree, &inode->key), inode);
}

static void unlink_key(struct fs_tree *tree, struct fs_inode *inode)
{
    if (inode->prev_key == NULL)
        return;
    *inode->prev_key = inode->next_key;
    if (inode->next_key != NULL)
        inode->next_key->prev_key = inode->prev_key;
    inode->prev_key = NULL;
    tree->inodes.key_len--;
}

struct fs_inode *fs_inode_by_key(struct fs_tree *tree, const struct ecs_key *key, struct fs_inode *after)
{
    struct fs_inode *inode = after != NULL ? after->next_key : *key_slot(tree, key);
    for (; inode != NULL; inode = inode->next_key)
        if (same_key(&inode->key, key))
            return inode;
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

static void link_watcher(struct fs_tree *tree, struct fs_inode *inode)
{
    inode->next_watcher = tree->watchers;
    if (tree->watchers != NULL)
        tree->watchers->prev_watcher = &inode->next_watcher;
    inode->prev_watcher = &tree->watchers;
    tree->watchers = inode;
}

static void unlink_watcher(struct fs_inode *inode)
{
    if (inode->prev_watcher == NULL)
        return;
    *inode->prev_watcher = inode->next_watcher;
    if (inode->next_watcher != NULL)
        inode->next_watcher->prev_watcher = inode->prev_watcher;
}

static void destroy(struct fs_inode *inode)
{
    if (inode == NULL)
        return;
    if (inode->memory_free != NULL)
        inode->memory_free(inode->memory);
    if (inode->has_key) {
        free((char *)inode->key.parent);
        free((char *)inode->key.id);
    }
    free(inode->name);
    free(inode->id);
    free(inode);
}

static void cleanup_inode_p(struct fs_inode **inode)
{
    destroy(*inode);
}

/* The key of a row that is a resource of its own, or whose document is of another kind. */
static int copy_key(struct fs_inode *inode, const struct ecs_key *key)
{
    inode->key = (struct ecs_key){key->kind, strdup(key->parent), strdup(key->id)};
    inode->has_key = true;
    return inode->key.parent != NULL && inode->key.id != NULL ? 0 : -ENOMEM;
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

static struct fs_inode *make(struct fs_tree *tree, const struct fs_view *view)
{
    __attribute__((cleanup(cleanup_inode_p))) struct fs_inode *inode = calloc(1, sizeof(*inode));
    if (inode == NULL)
        return NULL;
    inode->node = view->node;
    inode->told_size = -1;
    inode->name = strdup(view->name);
    if (inode->name == NULL)
        return NULL;
    if (view->id != NULL) {
        inode->id = strdup(view->id);
        if (inode->id == NULL)
            return NULL;
    }
    if (view->node->of != 0 && copy_key(inode, &view->key) < 0)
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
    struct fs_inode *inode = make(tree, &view);
    if (inode == NULL)
        return NULL;
    inode->ino = ino;
    link_ino(tree, inode);
    link_parent(inode, parent);
    if (inode->has_key)
        link_key(tree, inode);
    if (node->watches != 0)
        link_watcher(tree, inode);
    queue_unused(tree, inode);
    return inode;
}

struct fs_inode *fs_inode_ref(struct fs_inode *inode)
{
    inode->refs++;
    return inode;
}

static void release_unused(struct fs_tree *tree, struct fs_inode *inode)
{
    while (inode != NULL && inode->refs == 0 && inode->nlookup == 0 && !inode->fresh) {
        struct fs_inode *parent = inode->parent;
        if (inode->local != NULL)
            fs_overlay_inode_free(inode);
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
    free(inode->name);
    inode->name = copy; /* the number stays: the kernel knows the inode by it */
    fs_inode_unref(tree, old);
    return 0;
}

void fs_inode_detach(struct fs_inode *inode)
{
    inode->name[0] = '\0'; /* no child is ever asked for by that name */
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
    inodes->by_key = calloc(FIRST_SIZE, sizeof(struct fs_inode *));
    tree->root = calloc(1, sizeof(*tree->root));
    if (inodes->by_ino == NULL || inodes->by_key == NULL || tree->root == NULL)
        return -ENOMEM;
    inodes->ino_size = inodes->key_size = FIRST_SIZE;
    tree->root->name = strdup("");
    if (tree->root->name == NULL)
        return -ENOMEM;
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
