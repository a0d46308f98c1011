/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a document: what is written is staged for its descriptor, and saved once (stage.h). Readers have
 * descriptors of their own kind (show.c) and see the document as it is at AWS. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"

struct document_handle {
    struct fs_handle handle;
    struct fs_writing *writing;
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
    free(inode->local);
    inode->local = &staged->local;
    return staged;
}

void fs_staged_settle(struct fs_inode *inode)
{
    struct fs_staged *staged = fs_staged_of(inode);
    if (!staged || staged->writings.newest || staged->turns || (staged->pending && !staged->pending->done))
        return;
    fs_overlay_inode_free(inode);
}

/* ---- open, close ---- */

static int document_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                         struct fs_open_hints *ret_hints)
{
    struct fs_staged *staged = fs_staged_get(view->inode);
    struct document_handle *handle = staged ? calloc(1, sizeof(*handle)) : NULL;
    bool maps = (flags & O_ACCMODE) == O_RDWR;
    if (handle)
        handle->writing = fs_writing_open(&staged->writings, maps, view->rq->pid);
    if (!handle || !handle->writing) {
        free(handle);
        fs_staged_settle(view->inode);
        return -ENOMEM;
    }
    handle->text = ECS_BUF(FS_TEXT_MAX);
    if (flags & O_TRUNC) {
        fs_stage_truncate(&handle->writing->stage, 0);
        view->inode->told_size = 0;
    }
    view->inode->shown = 0; /* from now on the kernel's pages may hold anything */
    *ret_handle = &handle->handle;
    return 0;
}

/* What nobody could be told at close: it is in .ecsfs/errors, and the text in .ecsfs/rejected. */
static void refuse_late(struct fs_tree *tree, struct fs_inode *inode, const struct fs_stage *stage)
{
    struct fs_request rq = {0};
    struct fs_view view;
    fs_begin(&view, tree, &rq, inode);
    fs_document_refuse(&view, stage->text.data, stage->text.len);
    fs_request_end(tree, &rq, inode, -EINVAL);
}

static void document_release(struct fs_tree *tree, struct fs_handle *base)
{
    struct document_handle *handle = (struct document_handle *)base;
    struct fs_inode *inode = base->inode;
    struct fs_staged *staged = fs_staged_of(inode);
    struct fs_stage *stage = &handle->writing->stage;
    switch (fs_stage_release(stage)) {
    case FS_STAGE_SAVE:
        fs_document_save_late(tree, inode, stage->text.data, stage->text.len);
        break;
    case FS_STAGE_BROKEN:
        refuse_late(tree, inode, stage);
        break;
    }
    fs_writing_close(handle->writing);
    fs_tell_pages(tree, inode);
    if (!staged->writings.newest)
        fs_rejected_closed(&tree->overlay->rejected, inode->ino, fs_now_ms(tree));
    fs_staged_settle(inode);
    ecs_buf_free(&handle->text);
    free(handle);
}

/* ---- steps of the stage ---- */

struct judged {
    struct fs_writing *writing; /* referenced */
    uint64_t writes;
};

static void judge_stage(void *arg, int err)
{
    struct judged *judged = arg;
    struct fs_writing *writing = judged->writing;
    fs_stage_judge(&writing->stage, judged->writes, err);
    if (writing->saving == judged->writes + 1)
        writing->saving = 0;
    fs_writing_unref(writing);
    free(judged);
}

static int save(struct fs_view *view, struct fs_writing *writing)
{
    struct judged *judged = malloc(sizeof(*judged));
    if (!judged)
        return -ENOMEM;
    const struct fs_stage *stage = &writing->stage;
    *judged = (struct judged){fs_writing_ref(writing), stage->writes};
    writing->saving = stage->writes + 1;
    return fs_document_save(view, stage->text.data, stage->text.len, judge_stage, judged);
}

/* Another process closes the file while the very text is being saved: it waits for that save's outcome. */
static bool is_being_saved(const struct fs_writing *writing)
{
    return writing->saving == writing->stage.writes + 1;
}

static int take_step(struct fs_view *view, struct fs_writing *writing, int step)
{
    if (step == FS_STAGE_SAVE && is_being_saved(writing))
        return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + FS_PENDING_POLL_MS);
    if (step == FS_STAGE_SAVE)
        return save(view, writing);
    if (step == -EFBIG) { /* what was written before is no text by itself: close says the same */
        fs_stage_judge(&writing->stage, writing->stage.writes, step);
        return fs_document_too_large(view);
    }
    if (step != FS_STAGE_BROKEN)
        return step;
    int r = fs_document_refuse(view, writing->stage.text.data, writing->stage.text.len);
    fs_stage_judge(&writing->stage, writing->stage.writes, r);
    return r;
}

/* What is there, for a write that does not begin with an empty file. */
static int seed(struct fs_view *view, struct fs_writing *writing)
{
    if (!fs_stage_wants_text(&writing->stage))
        return 0;
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_STAGE_MAX);
    int r = fs_writings_emptied(&fs_staged_of(view->inode)->writings, writing) ? 0 : fs_render(view, &text);
    if (r != 0 && r != -ENOENT)
        return r;
    return fs_stage_seed(&writing->stage, text.data, text.len);
}

/* ---- the operations ---- */

/* The kernel's pages and what it was told of the size are not what is there any more. */
static void note_written(struct fs_view *view, struct fs_writing *writing)
{
    if (view->rq->pid != 0)
        writing->writer = view->rq->pid;
    writing->written_ms = fs_wall_ms(view->tree);
    view->inode->told_size = -1;
    view->inode->shown = 0;
}

static int document_write(struct fs_view *view, struct fs_handle *base, const char *data, size_t len,
                          off_t offset)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    struct fs_writing *writing = ((struct document_handle *)base)->writing;
    bool mapped = view->rq->pid == 0;
    if (mapped)
        writing = fs_writing_mapped(&fs_staged_of(view->inode)->writings, writing);
    int r = seed(view, writing);
    if (r != 0)
        return r;
    note_written(view, writing);
    if ((base->flags & O_APPEND) != 0 && !mapped) /* the kernel's end of file may be another's */
        offset = (off_t)writing->stage.text.len;
    return take_step(view, writing, fs_stage_write(&writing->stage, data, len, (uint64_t)offset, mapped));
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

static bool same_process(pid_t a, pid_t b)
{
    return a == b || a == 0 || b == 0 || process_of(a) == process_of(b);
}

static int document_flush(struct fs_view *view, struct fs_handle *base)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    struct fs_writing *writing = ((struct document_handle *)base)->writing;
    bool opener = !writing->stage.staged || same_process(view->rq->pid, base->pid);
    return take_step(view, writing, fs_stage_flush(&writing->stage, opener));
}

static int document_fsync(struct fs_view *view, struct fs_handle *base)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    struct fs_writing *writing = ((struct document_handle *)base)->writing;
    return take_step(view, writing, fs_stage_fsync(&writing->stage));
}

/* truncate(2) by its path, by who does not write: to nothing means nothing, and any other length would leave
 * no document. */
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

/* What truncate(2) by its path is about, when the caller has the file open as well. */
static struct fs_writing *writing_of_process(const struct fs_inode *inode, pid_t pid)
{
    const struct fs_staged *staged = fs_staged_of(inode);
    struct fs_writing *writing = staged ? staged->writings.newest : NULL;
    while (writing && !same_process(writing->writer, pid))
        writing = writing->next;
    return writing;
}

static int document_truncate(struct fs_view *view, struct fs_handle *base, off_t size)
{
    struct fs_writing *writing =
        base ? ((struct document_handle *)base)->writing : writing_of_process(view->inode, view->rq->pid);
    if (!writing)
        return truncate_unopened(view, size);
    int r = size > 0 ? seed(view, writing) : 0;
    if (r != 0)
        return r;
    note_written(view, writing);
    int step = fs_stage_truncate(&writing->stage, (uint64_t)size);
    return step == -EFBIG ? fs_document_too_large(view) : step;
}

static int document_read(struct fs_view *view, struct fs_handle *base, size_t size, off_t offset,
                         const char **ret_data, size_t *ret_len)
{
    struct document_handle *handle = (struct document_handle *)base;
    const struct fs_stage *stage = &handle->writing->stage;
    const struct ecs_buf *text = stage->begun ? &stage->text : &handle->text;
    if (!stage->begun && (offset == 0 || !handle->rendered)) {
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
