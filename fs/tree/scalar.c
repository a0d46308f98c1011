/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a scalar: one value, which acts in write(2) at its newline, or at flush when it has none
 * (rule 3). Offsets mean nothing: `echo 5 >> desired-count` is 5. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree_private.h"

/* Longer than any ARN and any reason AWS takes. */
enum { LINE_MAX_BYTES = 4096 };

struct scalar_handle {
    struct fs_handle handle;
    struct ecs_buf line; /* written, without a newline yet */
    struct ecs_buf text; /* what reads give */
    bool rendered;
};

static int scalar_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                       struct fs_open_hints *ret_hints)
{
    struct scalar_handle *handle = calloc(1, sizeof(*handle));
    if (handle == NULL)
        return -ENOMEM;
    handle->line = ECS_BUF(LINE_MAX_BYTES);
    handle->text = ECS_BUF(FS_TEXT_MAX);
    ret_hints->direct_io = true;
    *ret_handle = &handle->handle;
    return 0;
}

static int scalar_read(struct fs_view *view, struct fs_handle *base, size_t size, off_t offset,
                       const char **ret_data, size_t *ret_len)
{
    struct scalar_handle *handle = (struct scalar_handle *)base;
    if (offset == 0 || !handle->rendered) {
        cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
        int r = fs_render(view, &text);
        if (r != 0 && r != -ENOENT)
            return r;
        ecs_buf_free(&handle->text);
        handle->text = text;
        text = ECS_BUF(0);
        handle->rendered = true;
    }
    if ((size_t)offset < handle->text.len) {
        *ret_data = handle->text.data + offset;
        *ret_len = handle->text.len - (size_t)offset < size ? handle->text.len - (size_t)offset : size;
    }
    return 0;
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

static int store(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (view->parent != NULL && view->parent->local != NULL && fs_overlay_is_draft(view->parent))
        return fs_overlay_draft_store(view, text, ret_action);
    return view->node->store(view, text, ret_action);
}

static int refuse(struct fs_view *view, const char *why)
{
    return fs_fail(view->rq, -EINVAL, "InvalidValue", "%s %s", view->name, why);
}

/* The value is complete: whatever comes of it, it is not tried again. */
static int act(struct fs_view *view, char *line)
{
    char *text = trim(line);
    if (*text == '\0')
        return refuse(view, "takes a value; got an empty line");
    if (strchr(text, '\n') != NULL)
        return refuse(view, "takes one value; got several lines");
    struct ecs_action *action = NULL;
    int r = store(view, text, &action);
    if (r == 0 && action != NULL)
        return fs_act(view, action);
    if (r == 0 && fs_progress(view->rq) != NULL)
        view->rq->progress->succeeded = true;
    return r;
}

/* The line is the request's from here on: one that is interrupted while its store asks the cache is gone. */
static int act_on_line(struct fs_view *view, struct scalar_handle *handle)
{
    struct fs_progress *progress = fs_progress(view->rq);
    if (progress != NULL && progress->line == NULL)
        progress->line = ecs_buf_steal(&handle->line, NULL);
    cleanup_free char *line = progress != NULL && progress->line != NULL ? strdup(progress->line) : NULL;
    return line != NULL ? act(view, line) : -ENOMEM;
}

static int take(struct fs_view *view, struct scalar_handle *handle, const char *data, size_t len)
{
    int r = fs_may_change(view);
    if (r == 0 && memchr(data, '\0', len) != NULL)
        r = refuse(view, "takes text; got a NUL byte");
    if (r == 0 && ecs_buf_add(&handle->line, data, len) < 0)
        r = handle->line.failed == -ENOMEM ? -ENOMEM : refuse(view, "takes one short line");
    if (r < 0)
        ecs_buf_free(&handle->line);
    return r;
}

static bool asks_again(const struct fs_view *view)
{
    return view->rq->progress != NULL && view->rq->progress->line != NULL;
}

static int scalar_write(struct fs_view *view, struct fs_handle *base, const char *data, size_t len,
                        off_t offset)
{
    struct scalar_handle *handle = (struct scalar_handle *)base;
    if (fs_acting(view->rq))
        return fs_act_wait(view);
    int r = asks_again(view) ? 0 : take(view, handle, data, len);
    return r == 0 && memchr(data, '\n', len) != NULL ? act_on_line(view, handle) : r;
}

/* What was written without a newline takes effect when the writer is done with it. A child that
 * inherited the descriptor and ends is not the writer. */
static int scalar_flush(struct fs_view *view, struct fs_handle *base)
{
    struct scalar_handle *handle = (struct scalar_handle *)base;
    if (fs_acting(view->rq))
        return fs_act_wait(view);
    if (!asks_again(view) && (handle->line.len == 0 || (view->rq->pid != base->pid && base->pid != 0)))
        return 0;
    return act_on_line(view, handle);
}

static int scalar_fsync(struct fs_view *view, struct fs_handle *base)
{
    struct scalar_handle *handle = (struct scalar_handle *)base;
    if (fs_acting(view->rq))
        return fs_act_wait(view);
    return handle->line.len > 0 || asks_again(view) ? act_on_line(view, handle) : 0;
}

/* Emptying a scalar before writing it means nothing by itself. */
static int scalar_truncate(struct fs_view *view, struct fs_handle *base, off_t size)
{
    return 0;
}

/* A value that no flush was allowed to act on (a thread opened the file and another closed it): it acts when
 * the last descriptor goes. Nobody hears of its failure but .ecsfs/errors. */
struct fs_late {
    struct fs_request rq;
    struct fs_tree *tree;
    struct fs_inode *inode;
    char *line;
    struct fs_late *next, **prev;
};

static void free_late(struct fs_late *late)
{
    *late->prev = late->next;
    if (late->next != NULL)
        late->next->prev = late->prev;
    fs_inode_unref(late->tree, late->inode);
    free(late->line);
    free(late);
}

static void run_late(struct fs_late *late)
{
    struct fs_view view;
    fs_begin(&view, late->tree, &late->rq, late->inode);
    int r;
    if (fs_acting(&late->rq)) {
        r = fs_act_wait(&view);
    } else {
        cleanup_free char *line = strdup(late->line);
        r = line != NULL ? act(&view, line) : -ENOMEM;
    }
    if (r == FS_PARKED)
        return;
    fs_request_end(late->tree, &late->rq, late->inode, r);
    free_late(late);
}

static void wake_late(struct ecs_want *want)
{
    run_late(container_of(container_of(want, struct fs_request, want), struct fs_late, rq));
}

static void act_late(struct fs_tree *tree, struct scalar_handle *handle)
{
    struct fs_late *late = calloc(1, sizeof(*late));
    if (late == NULL)
        return;
    late->rq = (struct fs_request){.want = {.since_ms = fs_now_ms(tree), .wake = wake_late},
                                   .uid = tree->options.uid,
                                   .gid = tree->options.gid,
                                   .pid = handle->handle.pid};
    late->tree = tree;
    late->inode = fs_inode_ref(handle->handle.inode);
    late->line = ecs_buf_steal(&handle->line, NULL);
    late->next = tree->late;
    if (late->next != NULL)
        late->next->prev = &late->next;
    late->prev = &tree->late;
    tree->late = late;
    if (late->line != NULL)
        run_late(late);
    else
        free_late(late);
}

void fs_late_abandon(struct fs_tree *tree)
{
    while (tree->late != NULL) {
        fs_request_interrupt(tree, &tree->late->rq);
        free_late(tree->late);
    }
}

static void scalar_release(struct fs_tree *tree, struct fs_handle *base)
{
    struct scalar_handle *handle = (struct scalar_handle *)base;
    if (handle->line.len > 0)
        act_late(tree, handle);
    ecs_buf_free(&handle->line);
    ecs_buf_free(&handle->text);
    free(handle);
}

const struct fs_file_ops fs_scalar_ops = {
    .open = scalar_open,
    .read = scalar_read,
    .write = scalar_write,
    .flush = scalar_flush,
    .fsync = scalar_fsync,
    .truncate = scalar_truncate,
    .release = scalar_release,
};
