/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a document: what is written is staged for the inode, and saved once (stage.h). Readers have
 * descriptors of their own kind (show.c) and see the document as it is at AWS. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "local.h"

struct document_handle {
    struct fs_handle handle;
    struct ecs_buf text; /* what a read-write descriptor reads before it writes */
    bool rendered;
};

struct fs_staged *fs_staged_of(const struct fs_inode *inode)
{
    return inode->local && inode->local->kind == FS_LOCAL_STAGED ? (struct fs_staged *)inode->local : NULL;
}

struct fs_staged *fs_staged_get(struct fs_inode *inode)
{
    if (inode->local && inode->local->kind != FS_LOCAL_UNBORN)
        return fs_staged_of(inode);
    struct fs_staged *staged = calloc(1, sizeof(*staged));
    if (!staged)
        return NULL;
    staged->local.kind = FS_LOCAL_STAGED;
    fs_stage_init(&staged->stage);
    free(inode->local);
    inode->local = &staged->local;
    return staged;
}

void fs_staged_settle(struct fs_inode *inode)
{
    struct fs_staged *staged = fs_staged_of(inode);
    if (!staged || staged->writers > 0 || (staged->pending && !staged->pending->done))
        return;
    fs_overlay_inode_free(inode);
}

/* ---- open, close ---- */

static int document_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                         struct fs_open_hints *ret_hints)
{
    struct fs_staged *staged = fs_staged_get(view->inode);
    struct document_handle *handle = staged ? calloc(1, sizeof(*handle)) : NULL;
    if (!handle)
        return -ENOMEM;
    handle->text = ECS_BUF(FS_TEXT_MAX);
    staged->writers++;
    staged->writer = view->rq->pid;
    if (flags & O_TRUNC) {
        fs_stage_truncate(&staged->stage, 0);
        view->inode->told_size = 0;
    }
    view->inode->shown = 0; /* from now on the kernel's pages may hold anything */
    *ret_handle = &handle->handle;
    return 0;
}

/* What nobody could be told at close: it is in .ecsfs/errors, and the text in .ecsfs/rejected. */
static void refuse_late(struct fs_tree *tree, struct fs_inode *inode, struct fs_staged *staged)
{
    struct fs_request rq = {0};
    struct fs_view view;
    fs_begin(&view, tree, &rq, inode);
    fs_document_refuse(&view, staged->stage.text.data, staged->stage.text.len);
    fs_request_end(tree, &rq, inode, -EINVAL);
}

static void document_release(struct fs_tree *tree, struct fs_handle *base)
{
    struct document_handle *handle = (struct document_handle *)base;
    struct fs_inode *inode = base->inode;
    struct fs_staged *staged = fs_staged_of(inode);
    if (--staged->writers == 0) {
        switch (fs_stage_release(&staged->stage)) {
        case FS_STAGE_SAVE:
            fs_document_save_late(tree, inode, staged->stage.text.data, staged->stage.text.len);
            break;
        case FS_STAGE_BROKEN:
            refuse_late(tree, inode, staged);
            break;
        }
        fs_stage_free(&staged->stage);
        fs_rejected_closed(&tree->overlay->rejected, inode->ino, fs_now_ms(tree));
        fs_tell_pages(tree, inode);
        fs_staged_settle(inode);
    }
    ecs_buf_free(&handle->text);
    free(handle);
}

/* ---- steps of the stage ---- */

struct judged {
    struct fs_inode *inode; /* the saving holds a reference */
    uint64_t writes;
};

static void judge_stage(void *arg, int err)
{
    struct judged *judged = arg;
    struct fs_staged *staged = fs_staged_of(judged->inode);
    if (staged)
        fs_stage_judge(&staged->stage, judged->writes, err);
    if (staged && staged->saving == judged->writes + 1)
        staged->saving = 0;
    free(judged);
}

static int save(struct fs_view *view, struct fs_staged *staged)
{
    struct judged *judged = malloc(sizeof(*judged));
    if (!judged)
        return -ENOMEM;
    *judged = (struct judged){view->inode, staged->stage.writes};
    staged->saving = staged->stage.writes + 1;
    return fs_document_save(view, staged->stage.text.data, staged->stage.text.len, judge_stage, judged);
}

/* Another process closes the file while the very text is being saved: it waits for that save's outcome. */
static bool is_being_saved(const struct fs_staged *staged)
{
    return staged->saving == staged->stage.writes + 1;
}

static int take_step(struct fs_view *view, struct fs_staged *staged, int step)
{
    if (step == FS_STAGE_SAVE && is_being_saved(staged))
        return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + FS_PENDING_POLL_MS);
    if (step == FS_STAGE_SAVE)
        return save(view, staged);
    if (step != FS_STAGE_BROKEN)
        return step;
    int r = fs_document_refuse(view, staged->stage.text.data, staged->stage.text.len);
    fs_stage_judge(&staged->stage, staged->stage.writes, r);
    return r;
}

/* What is there, for a write that does not begin with an empty file. */
static int seed(struct fs_view *view, struct fs_staged *staged)
{
    if (!fs_stage_wants_text(&staged->stage))
        return 0;
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_STAGE_MAX);
    int r = fs_render(view, &text);
    if (r != 0 && r != -ENOENT)
        return r;
    return fs_stage_seed(&staged->stage, text.data, text.len);
}

/* ---- the operations ---- */

static int document_write(struct fs_view *view, struct fs_handle *base, const char *data, size_t len,
                          off_t offset)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    struct fs_staged *staged = fs_staged_of(view->inode);
    int r = seed(view, staged);
    if (r != 0)
        return r;
    bool mapped = view->rq->pid == 0;
    if (!mapped)
        staged->writer = view->rq->pid;
    view->inode->told_size = -1;
    view->inode->shown = 0;
    return take_step(view, staged, fs_stage_write(&staged->stage, data, len, (uint64_t)offset, mapped));
}

/* FUSE names threads: two of one process are one writer. */
static pid_t process_of(pid_t thread)
{
    char path[64], line[256];
    int process = thread;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
    FILE *status = fopen(path, "re");
    while (status && fgets(line, sizeof(line), status)) {
        if (sscanf(line, "Tgid: %d", &process) == 1)
            break;
    }
    if (status)
        fclose(status);
    return process;
}

static bool by_opener(const struct fs_request *rq, const struct fs_handle *handle)
{
    return rq->pid == handle->pid || rq->pid == 0 || handle->pid == 0 ||
           process_of(rq->pid) == process_of(handle->pid);
}

static int document_flush(struct fs_view *view, struct fs_handle *base)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    struct fs_staged *staged = fs_staged_of(view->inode);
    bool opener = !staged->stage.staged || by_opener(view->rq, base);
    return take_step(view, staged, fs_stage_flush(&staged->stage, opener));
}

static int document_fsync(struct fs_view *view, struct fs_handle *base)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    struct fs_staged *staged = fs_staged_of(view->inode);
    return take_step(view, staged, fs_stage_fsync(&staged->stage));
}

/* truncate(2) by its path, while nobody writes: to nothing means nothing, and any other length would leave no
 * document. */
static int truncate_unopened(struct fs_view *view, off_t size)
{
    off_t now = 0;
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    int r = size > 0 ? fs_render(view, &text) : 0;
    now = (off_t)text.len;
    if (r != 0 || size == 0 || size == now)
        return r;
    return fs_fail(view->rq, -EINVAL, "InvalidDocument", "cut to %lld bytes, %s would be no JSON object",
                   (long long)size, view->name);
}

static int document_truncate(struct fs_view *view, struct fs_handle *base, off_t size)
{
    struct fs_staged *staged = fs_staged_of(view->inode);
    if (!staged || staged->writers == 0)
        return truncate_unopened(view, size);
    int r = size > 0 ? seed(view, staged) : 0;
    if (r != 0)
        return r;
    staged->writer = view->rq->pid;
    view->inode->told_size = -1;
    view->inode->shown = 0;
    return fs_stage_truncate(&staged->stage, (uint64_t)size);
}

static int document_read(struct fs_view *view, struct fs_handle *base, size_t size, off_t offset,
                         const char **ret_data, size_t *ret_len)
{
    struct document_handle *handle = (struct document_handle *)base;
    const struct fs_staged *staged = fs_staged_of(view->inode);
    const struct ecs_buf *text = staged->stage.begun ? &staged->stage.text : &handle->text;
    if (!staged->stage.begun && (offset == 0 || !handle->rendered)) {
        cleanup_buf struct ecs_buf fresh = ECS_BUF(FS_TEXT_MAX);
        int r = fs_render(view, &fresh);
        if (r != 0 && r != -ENOENT)
            return r;
        ecs_buf_free(&handle->text);
        handle->text = fresh;
        fresh = ECS_BUF(0);
        handle->rendered = true;
    }
    if ((size_t)offset < text->len) {
        *ret_data = text->data + offset;
        *ret_len = text->len - (size_t)offset < size ? text->len - (size_t)offset : size;
    }
    return 0;
}

const struct fs_file_ops fs_document_ops = {
    .open = document_open,
    .read = document_read,
    .write = document_write,
    .flush = document_flush,
    .fsync = document_fsync,
    .truncate = document_truncate,
    .release = document_release,
};
