/* SPDX-License-Identifier: Apache-2.0 */
/* .ecsfs/rejected/: the texts of refused saves, so that no edit is ever lost.
 *
 *     $ cp .ecsfs/rejected/2026-11-23T18:20:00Z-web-latest.json ~/fix-me.json
 */
#include <errno.h>

#include "staging/local.h"
#include "tree/nodes.h"

static const struct fs_rejected *rejected(const struct fs_view *view)
{
    return &view->tree->overlay->rejected;
}

static int list(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < rejected(directory)->len; i++)
        r = emit(arg, rejected(directory)->texts[i]->name);
    return r;
}

static int has(struct fs_view *child)
{
    child->valid_ms = 0;
    return fs_rejected_named(rejected(child), child->id) ? 0 : -ENOENT;
}

static int show(struct fs_view *view, struct ecs_buf *text)
{
    const struct fs_rejected_text *kept = fs_rejected_named(rejected(view), view->id);
    view->valid_ms = 0;
    return kept ? ecs_buf_add(text, kept->text, kept->len) : -ENOENT;
}

static int64_t time_of(struct fs_view *view)
{
    const struct fs_rejected_text *kept = fs_rejected_named(rejected(view), view->id);
    return kept ? kept->wall_ms : 0;
}

static const struct fs_entries entries = {.list = list, .has = has};

const struct fs_node fs_rejected_nodes[] = {
    {NULL, FS_FILE_R, FS_RAW, .entries = &entries, .show = show, .time = time_of, .called = "<time>-<name>",
     .help = "the text of a save that was refused"},
    {0},
};
