/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <errno.h>

void fs_stage_init(struct fs_stage *stage)
{
    *stage = (struct fs_stage){.text = ECS_BUF(FS_STAGE_MAX)};
}

void fs_stage_free(struct fs_stage *stage)
{
    ecs_buf_free(&stage->text);
    fs_stage_init(stage);
}

/* The buffer's errors stick to it, but a stage goes on: what did not fit was refused. */
static int unstick(struct fs_stage *stage, int r)
{
    stage->text.failed = 0;
    return r;
}

int fs_stage_seed(struct fs_stage *stage, const char *text, size_t len)
{
    int r = ecs_buf_truncate(&stage->text, 0);
    if (r == 0)
        r = ecs_buf_put(&stage->text, 0, text, len);
    if (r < 0)
        return unstick(stage, r);
    stage->begun = true;
    stage->straight = false;
    return 0;
}

/* A retry from the start, or a text written over another, begins a new straight run. False: this write broke
 * it; what comes is then looked at as a whole, at flush. */
static bool scan_write(struct fs_stage *stage, const char *data, size_t len, uint64_t offset)
{
    if (offset == 0) {
        stage->scan = (struct fs_scan){0};
        stage->straight = true;
    }
    if (!stage->straight)
        return true;
    stage->straight = offset == stage->scan.at;
    if (!stage->straight)
        return true;
    stage->straight = fs_scan_feed(&stage->scan, data, len) != FS_SCAN_BROKEN;
    return stage->straight;
}

static bool only_white(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != ' ' && data[i] != '\t' && data[i] != '\n' && data[i] != '\r')
            return false;
    }
    return true;
}

/* White space after an object that was saved is not a new text: emacs writes its last newline so. */
static bool adds_nothing(const struct fs_stage *stage, const char *data, size_t len, uint64_t offset)
{
    return !stage->staged && stage->verdict == 0 && stage->straight &&
           fs_scan_result(&stage->scan) == FS_SCAN_WHOLE && offset == stage->text.len &&
           stage->scan.at == stage->text.len && only_white(data, len);
}

int fs_stage_write(struct fs_stage *stage, const char *data, size_t len, uint64_t offset, bool mapped)
{
    if (len == 0)
        return FS_STAGE_DONE;
    if (offset > FS_STAGE_MAX || len > FS_STAGE_MAX - offset)
        return -EFBIG;
    bool nothing = adds_nothing(stage, data, len, offset);
    int r = ecs_buf_put(&stage->text, (size_t)offset, data, len);
    if (r < 0)
        return unstick(stage, r);
    stage->begun = true;
    bool sound = scan_write(stage, data, len, offset);
    if (nothing)
        return FS_STAGE_DONE;
    stage->writes++;
    stage->staged = true;
    stage->mapped = mapped;
    stage->verdict = 0;
    if (mapped)
        return FS_STAGE_DONE;
    if (!sound)
        return FS_STAGE_BROKEN;
    bool whole =
        stage->straight && fs_scan_result(&stage->scan) == FS_SCAN_WHOLE && stage->scan.at == stage->text.len;
    return whole ? FS_STAGE_SAVE : FS_STAGE_DONE;
}

int fs_stage_truncate(struct fs_stage *stage, uint64_t size)
{
    if (size > FS_STAGE_MAX)
        return -EFBIG;
    if (stage->begun && size > 0 && size == stage->text.len)
        return FS_STAGE_DONE;
    int r = ecs_buf_truncate(&stage->text, (size_t)size);
    if (r < 0)
        return unstick(stage, r);
    stage->begun = true;
    stage->writes++;
    stage->verdict = 0;
    stage->staged = size > 0;
    if (size < stage->scan.at)
        stage->straight = false;
    if (size == 0) {
        stage->scan = (struct fs_scan){0};
        stage->straight = true;
    }
    return FS_STAGE_DONE;
}

/* The whole text, looked at anew unless the writes were looked at as they came. */
static enum fs_scan_result look(const struct fs_stage *stage)
{
    if (stage->straight && stage->scan.at == stage->text.len)
        return fs_scan_result(&stage->scan);
    struct fs_scan scan = {0};
    return fs_scan_feed(&scan, stage->text.data, stage->text.len);
}

static bool nothing_staged(const struct fs_stage *stage)
{
    return !stage->staged || stage->text.len == 0;
}

int fs_stage_fsync(struct fs_stage *stage)
{
    if (nothing_staged(stage))
        return stage->verdict;
    switch (look(stage)) {
    case FS_SCAN_WHOLE:
        return FS_STAGE_SAVE;
    case FS_SCAN_BROKEN:
        return FS_STAGE_BROKEN;
    default: /* the rest may come (O_SYNC asks after each piece); the flush will tell */
        return FS_STAGE_DONE;
    }
}

int fs_stage_flush(struct fs_stage *stage, bool by_opener)
{
    if (nothing_staged(stage))
        return stage->verdict;
    if (look(stage) == FS_SCAN_WHOLE)
        return FS_STAGE_SAVE;
    return by_opener ? FS_STAGE_BROKEN : FS_STAGE_DONE;
}

int fs_stage_release(struct fs_stage *stage)
{
    if (nothing_staged(stage))
        return FS_STAGE_DONE;
    if (look(stage) != FS_SCAN_WHOLE)
        return FS_STAGE_BROKEN;
    return stage->mapped ? FS_STAGE_SAVE : FS_STAGE_DONE;
}

void fs_stage_judge(struct fs_stage *stage, uint64_t writes, int err)
{
    if (writes != stage->writes)
        return;
    stage->staged = false;
    stage->verdict = err;
}
