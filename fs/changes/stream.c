/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"

enum { STREAM_IN_MAX = 1 << 20, STREAM_OUT_MAX = 1 << 20 };

struct stream_handle {
    struct fs_handle handle;
    struct ecs_buf in;  /* what is written and did not act yet */
    struct ecs_buf out; /* what is unread */
    size_t read;        /* of it */
};

int fs_stream_read(struct fs_view *view, const struct fs_document *document, const char *text,
                   json_t **ret_input)
{
    cleanup_error struct ecs_error *error = NULL;
    int r = fs_document_read(document, NULL, text, strlen(text), ret_input, &error);
    return r < 0 ? fs_fail(view->rq, r, error->code, "%s", error->message) : 0;
}

static int stream_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                       struct fs_open_hints *ret_hints)
{
    struct stream_handle *handle = calloc(1, sizeof(*handle));
    if (!handle)
        return -ENOMEM;
    handle->in = ECS_BUF(STREAM_IN_MAX);
    handle->out = ECS_BUF(STREAM_OUT_MAX);
    ret_hints->direct_io = true;
    ret_hints->nonseekable = true;
    *ret_handle = &handle->handle;
    return 0;
}

static int stream_read(struct fs_view *view, struct fs_handle *base, size_t size, off_t offset,
                       const char **ret_data, size_t *ret_len)
{
    struct stream_handle *handle = (struct stream_handle *)base;
    size_t rest = handle->out.len - handle->read;
    *ret_len = rest < size ? rest : size;
    *ret_data = *ret_len ? handle->out.data + handle->read : "";
    handle->read += *ret_len;
    return 0;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
        *--end = 0;
    return text;
}

static int refuse(struct fs_view *view, const char *why)
{
    return fs_fail(view->rq, -EINVAL, "InvalidValue", "%s takes %s; %s", view->name,
                   view->node->stream->takes, why);
}

/* Is a request complete in what was written? A JSON object may come in pieces. */
static enum fs_scan_result complete(const struct ecs_buf *in)
{
    struct fs_scan scan = {0};
    if (in->data[strspn(in->data, " \t\r\n")] != '{')
        return FS_SCAN_WHOLE;
    return fs_scan_feed(&scan, in->data, in->len);
}

static int start(struct fs_view *view, char *text)
{
    text = trim(text);
    if (!*text)
        return 0;
    if (*text != '{' && strchr(text, '\n'))
        return refuse(view, "got several lines in one write");
    struct ecs_action *action = NULL;
    int r = view->node->stream->act(view, text, &action);
    if (r != 0 || !action)
        return r;
    action->want_reply = true;
    return fs_act(view, action);
}

/* The answer is in the action that the request holds; a dry run has none. */
static int take_answer(struct fs_view *view, struct stream_handle *handle)
{
    const struct fs_progress *progress = view->rq->progress;
    if (!progress || !progress->action || !progress->action->reply)
        return 0;
    json_t *reply = json_loads(progress->action->reply, 0, NULL);
    if (!reply)
        return -ENOMEM;
    if (handle->read == handle->out.len) {
        ecs_buf_truncate(&handle->out, 0);
        handle->read = 0;
    }
    int r = view->node->stream->answer(view, reply, &handle->out);
    json_decref(reply);
    return r;
}

/* The text is the request's from here on: one that is interrupted leaves nothing for the next to begin with.
 */
static int act(struct fs_view *view, struct stream_handle *handle)
{
    struct fs_progress *progress = view->rq->progress;
    if (!progress->line)
        progress->line = ecs_buf_steal(&handle->in, NULL);
    int r = -ENOMEM;
    if (fs_acting(view->rq)) {
        r = fs_act_wait(view);
    } else {
        cleanup_free char *text = progress->line ? strdup(progress->line) : NULL;
        if (text)
            r = start(view, text);
    }
    return r == 0 ? take_answer(view, handle) : r;
}

/* Adds what was written; is it a request then? */
static int take(struct fs_view *view, struct stream_handle *handle, const char *data, size_t len,
                enum fs_scan_result *ret_result)
{
    int r = fs_may_change(view);
    *ret_result = FS_SCAN_MORE;
    if (r < 0)
        return r;
    if (memchr(data, 0, len))
        r = refuse(view, "got a NUL byte");
    else if (ecs_buf_add(&handle->in, data, len) < 0)
        r = handle->in.failed == -ENOMEM ? -ENOMEM : refuse(view, "got too much");
    else
        *ret_result = complete(&handle->in);
    if (*ret_result == FS_SCAN_BROKEN)
        r = refuse(view, "got what is no JSON");
    if (r < 0)
        ecs_buf_free(&handle->in);
    return r;
}

static int stream_write(struct fs_view *view, struct fs_handle *base, const char *data, size_t len,
                        off_t offset)
{
    struct stream_handle *handle = (struct stream_handle *)base;
    struct fs_progress *progress = fs_progress(view->rq);
    if (!progress)
        return -ENOMEM;
    if (!progress->taken) {
        enum fs_scan_result result;
        int r = take(view, handle, data, len, &result);
        progress->taken = true;
        if (r < 0 || result == FS_SCAN_MORE)
            return r;
    }
    return act(view, handle);
}

/* A document that was not written to its end does nothing, which is told to who closes it. */
static int stream_flush(struct fs_view *view, struct fs_handle *base)
{
    struct stream_handle *handle = (struct stream_handle *)base;
    if (handle->in.len == 0 || view->rq->pid != base->pid)
        return 0;
    ecs_buf_truncate(&handle->in, 0);
    return refuse(view, "the JSON document was not complete");
}

static int stream_truncate(struct fs_view *view, struct fs_handle *base, off_t size)
{
    return 0;
}

static void stream_release(struct fs_tree *tree, struct fs_handle *base)
{
    struct stream_handle *handle = (struct stream_handle *)base;
    ecs_buf_free(&handle->in);
    ecs_buf_free(&handle->out);
    free(handle);
}

const struct fs_file_ops fs_stream_ops = {
    .open = stream_open,
    .read = stream_read,
    .write = stream_write,
    .flush = stream_flush,
    .truncate = stream_truncate,
    .release = stream_release,
};
