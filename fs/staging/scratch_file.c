/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch files as inodes: finding, making, moving and opening them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "changes/change.h"
#include "ecsfs/cleanup.h"
#include "local.h"
#include "tree/rows.h"

static const struct fs_node scratch_file_node = {.mode = FS_FILE_RW, .flags = FS_UNLISTED | FS_LOCAL};
static const struct fs_node scratch_link_node = {.mode = FS_LINK, .flags = FS_UNLISTED | FS_LOCAL};

struct fs_scratch_file *fs_scratch_of(const struct fs_inode *inode)
{
    return inode->local && inode->local->kind == FS_LOCAL_SCRATCH ? (struct fs_scratch_file *)inode->local
                                                                  : NULL;
}

struct fs_scratch_file *fs_scratch_find(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_scratch_file *file = tree->overlay->scratch;
    while (file && (!file->linked || file->inode->parent != parent || strcmp(file->inode->name, name) != 0))
        file = file->next;
    return file;
}

static void link_file(struct fs_tree *tree, struct fs_scratch_file *file)
{
    struct fs_overlay *overlay = tree->overlay;
    file->linked = true;
    file->next = overlay->scratch;
    if (file->next)
        file->next->prev = &file->next;
    file->prev = &overlay->scratch;
    overlay->scratch = file;
}

/* An inode whose name has become something else keeps its number, but is no longer found by name. */
static struct fs_inode *new_inode(struct fs_tree *tree, struct fs_inode *parent, const char *name,
                                  const char *target)
{
    struct fs_inode *known = fs_inode_known(tree, parent, name);
    if (known && (known->local || known->node == &scratch_file_node || known->node == &scratch_link_node))
        fs_inode_detach(known);
    return fs_inode_child(tree, parent, target ? &scratch_link_node : &scratch_file_node, name, NULL);
}

int fs_scratch_create(struct fs_tree *tree, struct fs_inode *parent, const char *name, const char *target,
                      struct fs_scratch_file **ret_file)
{
    struct fs_scratch_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    int r = fs_scratch_init(&file->scratch, &tree->overlay->pool, target);
    if (r < 0) {
        free(file);
        return r;
    }
    struct fs_inode *inode = new_inode(tree, parent, name, target);
    if (!inode || inode->local) {
        fs_scratch_free(&file->scratch);
        free(file);
        return inode ? -EBUSY : -ENOMEM;
    }
    file->local.kind = FS_LOCAL_SCRATCH;
    file->scratch.modified_ms = fs_wall_ms(tree);
    file->used_ms = fs_now_ms(tree);
    file->scratch.spills = (parent->node->flags & FS_SPOOLS) != 0;
    file->inode = fs_inode_ref(inode);
    inode->local = &file->local;
    link_file(tree, file);
    *ret_file = file;
    return 0;
}

/* Without a name and a descriptor nobody can reach its bytes, however long the kernel remembers the inode. */
static void drop_unreachable(struct fs_scratch_file *file)
{
    if (!file->linked && file->opened == 0)
        fs_scratch_free(&file->scratch);
}

void fs_scratch_remove(struct fs_tree *tree, struct fs_scratch_file *file)
{
    struct fs_inode *inode = file->inode;
    file->linked = false;
    drop_unreachable(file);
    fs_inode_detach(inode);
    fs_inode_unref(tree, inode);
}

/* Only where files may be large; others are a person's, and small. */
static int64_t due_ms(const struct fs_scratch_file *file)
{
    bool may_go = file->scratch.spills && file->linked && file->opened == 0;
    return may_go ? file->used_ms + FS_SCRATCH_ABANDONED_MS : INT64_MAX;
}

int64_t fs_scratch_due_ms(const struct fs_tree *tree)
{
    int64_t soonest = INT64_MAX;
    for (const struct fs_scratch_file *file = tree->overlay->scratch; file; file = file->next)
        soonest = due_ms(file) < soonest ? due_ms(file) : soonest;
    return soonest;
}

void fs_scratch_tick(struct fs_tree *tree)
{
    int64_t now = fs_now_ms(tree);
    for (struct fs_scratch_file *file = tree->overlay->scratch, *next; file; file = next) {
        next = file->next;
        if (due_ms(file) > now)
            continue;
        fs_tell_entry(tree, file->inode->parent, file->inode->name);
        fs_scratch_remove(tree, file); /* may free it, and no other */
    }
}

int fs_scratch_move(struct fs_tree *tree, struct fs_scratch_file *file, struct fs_inode *parent,
                    const char *name)
{
    struct fs_scratch_file *there = fs_scratch_find(tree, parent, name);
    if (there == file)
        return 0;
    int r = fs_inode_move(tree, file->inode, parent, name);
    if (r < 0)
        return r;
    if (there)
        fs_scratch_remove(tree, there);
    return 0;
}

/* ---- open files ---- */

/* The row that takes a scratch file of that name over, or NULL. */
static const struct fs_node *receiver_of(const struct fs_view *view)
{
    const struct fs_scratch_file *file = fs_scratch_of(view->inode);
    const struct fs_node *row = NULL;
    cleanup_free char *id = NULL;
    if (file == NULL || !file->linked || view->parent == NULL ||
        fs_row_find(view->tree, view->parent, view->name, &row, &id) != 0)
        return NULL;
    return row->change != NULL && row->change->receive != NULL ? row : NULL;
}

static int scratch_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                        struct fs_open_hints *ret_hints)
{
    struct fs_scratch_file *file = fs_scratch_of(view->inode);
    if (file->scratch.target)
        return -ELOOP;
    struct fs_handle *handle = calloc(1, sizeof(*handle));
    if (!handle)
        return -ENOMEM;
    if (flags & O_TRUNC)
        fs_scratch_truncate(&file->scratch, 0);
    ret_hints->keep_cache = true; /* only the kernel itself writes it */
    ret_hints->no_flush = receiver_of(view) == NULL;
    file->opened++;
    *ret_handle = handle;
    return 0;
}

static int scratch_read(struct fs_view *view, struct fs_handle *handle, size_t size, off_t offset,
                        const char **ret_data, size_t *ret_len)
{
    return fs_scratch_read(&fs_scratch_of(view->inode)->scratch, size, (uint64_t)offset, ret_data, ret_len);
}

static int scratch_write(struct fs_view *view, struct fs_handle *handle, const char *data, size_t len,
                         off_t offset)
{
    struct fs_scratch_file *file = fs_scratch_of(view->inode);
    file->scratch.modified_ms = fs_wall_ms(view->tree);
    return fs_scratch_write(&file->scratch, data, len, (uint64_t)offset);
}

static int scratch_truncate(struct fs_view *view, struct fs_handle *handle, off_t size)
{
    struct fs_scratch_file *file = fs_scratch_of(view->inode);
    file->scratch.modified_ms = fs_wall_ms(view->tree);
    return fs_scratch_truncate(&file->scratch, (uint64_t)size);
}

/* A blob that was written under its own name is whole when it is closed. A shell's redirection closes a copy
 * before anything is written. */
static int scratch_flush(struct fs_view *view, struct fs_handle *handle)
{
    const struct fs_node *row = receiver_of(view);
    struct fs_scratch_file *file = fs_scratch_of(view->inode);
    if (row == NULL || (handle->flags & O_ACCMODE) == O_RDONLY || fs_scratch_size(&file->scratch) == 0)
        return 0;
    int r = row->change->receive(view, view->name, file);
    if (r == FS_RECEIVED) {
        fs_tell_entry(view->tree, view->parent, view->name);
        fs_scratch_remove(view->tree, file);
    }
    return r == FS_RECEIVED || r == FS_KEPT ? 0 : r;
}

static void scratch_release(struct fs_tree *tree, struct fs_handle *handle)
{
    struct fs_scratch_file *file = fs_scratch_of(handle->inode);
    file->opened--;
    file->used_ms = fs_now_ms(tree);
    drop_unreachable(file);
    free(handle);
}

const struct fs_file_ops fs_scratch_ops = {
    .open = scratch_open,
    .read = scratch_read,
    .write = scratch_write,
    .truncate = scratch_truncate,
    .flush = scratch_flush,
    .release = scratch_release,
};
