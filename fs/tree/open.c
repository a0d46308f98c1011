/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: which ops serve a row, and the way to them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "rows.h"
#include "tree_private.h"

static bool for_writing(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY;
}

/* Readers of a document see what is at AWS until a save is done: for them it is a text like any other. */
static const struct fs_file_ops *ops_of(const struct fs_inode *inode, int flags)
{
    const struct fs_node *row = inode->node;
    const struct fs_file_ops *local = inode->local != NULL ? fs_overlay_ops(inode, flags) : NULL;
    if (local != NULL)
        return local;
    if (row->ops != NULL)
        return row->ops;
    if (row->stream != NULL)
        return &fs_stream_ops;
    if (!for_writing(flags))
        return &fs_show_ops;
    return row->document != NULL ? &fs_document_ops : row->store != NULL ? &fs_scalar_ops : NULL;
}

static int may_open(const struct fs_tree *tree, const struct fs_inode *inode, int flags)
{
    if (S_ISDIR(inode->node->mode))
        return -EISDIR;
    if (S_ISLNK(inode->node->mode))
        return -ELOOP;
    if (inode->local != NULL && fs_overlay_ops(inode, flags) != NULL)
        return 0;
    if (for_writing(flags) && !fs_row_writable(inode->node))
        return -EACCES;
    if ((for_writing(flags) || (flags & O_TRUNC) != 0) && tree->options.ro &&
        (inode->node->flags & FS_LOCAL) == 0)
        return -EROFS;
    return 0;
}

int fs_open(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int flags,
            struct fs_handle **ret_handle, struct fs_open_hints *ret_hints)
{
    *ret_handle = NULL;
    *ret_hints = (struct fs_open_hints){0};
    int r = may_open(tree, inode, flags);
    if (r < 0)
        return r;
    struct fs_view view;
    fs_begin(&view, tree, rq, inode);
    const struct fs_file_ops *ops = ops_of(inode, flags);
    r = ops->open(&view, flags, ret_handle, ret_hints);
    inode->stale = view.stale;
    if (r != 0)
        return r;
    (*ret_handle)->ops = ops;
    (*ret_handle)->inode = fs_inode_ref(inode);
    (*ret_handle)->flags = flags;
    (*ret_handle)->pid = rq->pid;
    return 0;
}

int fs_read(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle, size_t size, off_t offset,
            const char **ret_data, size_t *ret_len)
{
    *ret_data = "";
    *ret_len = 0;
    if (handle->ops->read == NULL || (handle->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    struct fs_view view;
    fs_begin(&view, tree, rq, handle->inode);
    int r = handle->ops->read(&view, handle, size, offset, ret_data, ret_len);
    handle->inode->stale = view.stale;
    return r;
}

int fs_write(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle, const char *data,
             size_t len, off_t offset)
{
    if (handle->ops->write == NULL || !for_writing(handle->flags))
        return -EBADF;
    struct fs_view view;
    fs_begin(&view, tree, rq, handle->inode);
    return handle->ops->write(&view, handle, data, len, offset);
}

int fs_flush(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle)
{
    struct fs_view view;
    fs_begin(&view, tree, rq, handle->inode);
    return handle->ops->flush != NULL ? handle->ops->flush(&view, handle) : 0;
}

int fs_fsync(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle)
{
    struct fs_view view;
    fs_begin(&view, tree, rq, handle->inode);
    return handle->ops->fsync != NULL ? handle->ops->fsync(&view, handle) : 0;
}

void fs_release(struct fs_tree *tree, struct fs_handle *handle)
{
    struct fs_inode *inode = handle->inode;
    handle->ops->release(tree, handle);
    fs_inode_unref(tree, inode);
}

struct fs_inode *fs_handle_inode(const struct fs_handle *handle)
{
    return handle->inode;
}

int fs_truncate(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_handle *handle,
                off_t size)
{
    if (handle == NULL) {
        int r = may_open(tree, inode, O_WRONLY);
        if (r < 0)
            return r;
    }
    struct fs_view view;
    fs_begin(&view, tree, rq, inode);
    const struct fs_file_ops *ops = handle != NULL ? handle->ops : ops_of(inode, O_WRONLY);
    return ops->truncate != NULL ? ops->truncate(&view, handle, size) : -EINVAL;
}
