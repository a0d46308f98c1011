/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a row. All who have a sized file open share one text of it, for the kernel's pages are shared
 * too; it is made anew when something changed. Files without a size have one text each, made at open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "text.h"
#include "tree_private.h"

struct fs_text {
    unsigned refs; /* handles */
    uint64_t stamp, epoch;
    bool rendered; /* data holds it; else it is made at the first READ */
    char *data;
    size_t len;
};

struct show_handle {
    struct fs_handle handle;
    struct fs_text *text;
    bool was_read;
};

static void put_text(struct fs_text *text, struct ecs_buf *buf, uint64_t stamp)
{
    char *data = ecs_buf_steal(buf, &text->len);
    free(text->data);
    text->data = data;
    text->rendered = data != NULL;
    if (data == NULL)
        text->len = 0;
    text->stamp = stamp;
}

/* Brings the text up to what is true now; renders only if it must. */
static int refresh(struct fs_view *view, struct fs_text *text)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(FS_TEXT_MAX);
    uint64_t stamp;
    bool rendered;
    int r = fs_text_stamp(view, &stamp, &buf, &rendered);
    if (r != 0)
        return r;
    text->epoch = view->tree->epoch;
    if (rendered) {
        put_text(text, &buf, stamp);
        return text->rendered ? 0 : -ENOMEM;
    }
    if (stamp != text->stamp) {
        text->stamp = stamp;
        text->rendered = false;
    }
    return 0;
}

static int render(struct fs_view *view, struct fs_text *text)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(FS_TEXT_MAX);
    int r = fs_render(view, &buf);
    if (r == 0) {
        put_text(text, &buf, text->stamp);
        r = text->rendered ? 0 : -ENOMEM;
    }
    return r;
}

/* READ shows news that are known already, but never waits for any: what it has is good enough then. */
static int refresh_known(struct fs_view *view, struct fs_text *text)
{
    if (text->epoch == view->tree->epoch && text->rendered)
        return 0;
    bool peek = view->rq->peek, had = text->rendered;
    view->rq->peek = true;
    int r = text->epoch != view->tree->epoch ? refresh(view, text) : 0;
    if (r == 0 && !text->rendered)
        r = render(view, text);
    view->rq->peek = peek;
    if (r != 0 && had) {
        text->rendered = true;
        text->epoch = view->tree->epoch;
        return 0;
    }
    return r != 0 && !text->rendered && !view->rq->peek ? render(view, text) : r;
}

static void drop_text(struct fs_text *text)
{
    if (text != NULL && --text->refs == 0) {
        free(text->data);
        free(text);
    }
}

static bool is_private(const struct fs_node *row)
{
    return (row->flags & (FS_UNSIZED | FS_BLOCKS)) != 0 || (row->mode & 0400) == 0;
}

static int open_private(struct fs_view *view, struct fs_text *text, struct fs_open_hints *hints)
{
    hints->direct_io = (view->node->mode & 0400) != 0;
    hints->keep_cache = !hints->direct_io; /* there is nothing to read, nor to ask for */
    if ((view->node->flags & FS_BLOCKS) != 0)
        return 0;
    text->epoch = view->tree->epoch;
    return render(view, text);
}

/* The kernel may keep its pages if they hold this text; it may trust its idea of the size only if it was told
 * of this one. Where it was not, reads go past its caches. */
static int open_shared(struct fs_view *view, struct fs_text *text, struct fs_open_hints *hints)
{
    struct fs_inode *inode = view->inode;
    int r = refresh(view, text);
    if (r != 0)
        return r;
    off_t size;
    r = text->rendered ? 0 : fs_text_size(view, &size);
    if (r != 0)
        return r;
    if (text->rendered)
        size = (off_t)text->len;
    hints->keep_cache = inode->shown == text->stamp;
    hints->direct_io = inode->told_size >= 0 && inode->told_size != size;
    if (!hints->direct_io)
        inode->shown = text->stamp;
    return 0;
}

static int show_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                     struct fs_open_hints *ret_hints)
{
    struct fs_inode *inode = view->inode;
    bool shared = !is_private(view->node);
    struct fs_text *text = shared ? inode->text : NULL;
    if (text == NULL)
        text = calloc(1, sizeof(*text));
    struct show_handle *handle = calloc(1, sizeof(*handle));
    int r = -ENOMEM;
    if (text != NULL) {
        text->refs++;
        if (handle != NULL)
            r = shared ? open_shared(view, text, ret_hints) : open_private(view, text, ret_hints);
    }
    if (r != 0) {
        drop_text(text);
        free(handle);
        return r;
    }
    ret_hints->no_flush = true;
    if (shared)
        inode->text = text;
    handle->text = text;
    *ret_handle = &handle->handle;
    return 0;
}

static int read_private(struct fs_view *view, struct show_handle *handle, off_t offset)
{
    struct fs_text *text = handle->text;
    if ((view->node->mode & 0400) == 0)
        return 0;
    int r = 0;
    if ((view->node->flags & FS_BLOCKS) != 0)
        r = offset == 0 || !text->rendered ? render(view, text) : 0;
    else if (offset == 0 && handle->was_read)
        r = refresh_known(view, text);
    handle->was_read = true;
    return r;
}

static int show_read(struct fs_view *view, struct fs_handle *base, size_t size, off_t offset,
                     const char **ret_data, size_t *ret_len)
{
    struct show_handle *handle = (struct show_handle *)base;
    struct fs_text *text = handle->text;
    bool shared = !is_private(view->node);
    int r = shared ? refresh_known(view, text) : read_private(view, handle, offset);
    if (r != 0)
        return r;
    if (shared && view->inode->shown != text->stamp)
        view->inode->shown = 0; /* its pages are of different texts now */
    if ((size_t)offset < text->len) {
        *ret_data = text->data + offset;
        *ret_len = text->len - (size_t)offset < size ? text->len - (size_t)offset : size;
    }
    return 0;
}

static void show_release(struct fs_tree *tree, struct fs_handle *base)
{
    struct show_handle *handle = (struct show_handle *)base;
    if (base->inode->text == handle->text && handle->text->refs == 1)
        base->inode->text = NULL;
    drop_text(handle->text);
    free(handle);
}

static int refuse_truncate(struct fs_view *view, struct fs_handle *handle, off_t size)
{
    return -EACCES;
}

const struct fs_file_ops fs_show_ops = {
    .open = show_open,
    .read = show_read,
    .truncate = refuse_truncate,
    .release = show_release,
};
