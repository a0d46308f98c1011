/* SPDX-License-Identifier: Apache-2.0 */
/* rename: scratch among scratch; scratch onto an editable file, which is a save; an editable file to another
 * name, which is an editor's backup. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"

/* Both ends of a rename. */
struct move {
    struct fs_tree *tree;
    struct fs_request *rq;
    struct fs_inode *from, *to;
    const char *name, *new_name;
    struct fs_named source, target;
};

static int about(struct fs_request *rq, const char *name)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress && !progress->name)
        progress->name = strdup(name);
    return progress && progress->name ? 0 : -ENOMEM;
}

static int refuse(const struct move *move)
{
    if (about(move->rq, move->name) < 0)
        return -ENOMEM;
    return fs_fail(move->rq, -EPERM, "FixedTree", "%s cannot be renamed to %s; nothing was changed",
                   move->name, move->new_name);
}

/* ---- saving by rename ---- */

/* EINVAL would have mv speak of a directory moved into itself. */
static int telling(int r)
{
    return r == -EINVAL ? -EBADMSG : r;
}

/* A scalar's text is one line, as when it is written. */
static int store_line(struct fs_view *view, const char *text, size_t len)
{
    cleanup_free char *copy = strndup(text, len);
    if (!copy)
        return -ENOMEM;
    bool whole = strlen(copy) == len;
    char *line = copy + strspn(copy, " \t\r\n");
    for (char *end = line + strlen(line); end > line && strchr(" \t\r\n", end[-1]);)
        *--end = 0;
    if (!whole || !*line || strchr(line, '\n'))
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "%s takes one value", view->name);
    struct ecs_action *action = NULL;
    int r = fs_draft_around(view) ? fs_overlay_draft_store(view, line, &action)
                                  : view->node->store(view, line, &action);
    return r == 0 && action ? fs_act(view, action) : r;
}

static int save(struct fs_view *view, const char *text, size_t len)
{
    if (fs_saving(view->rq))
        return fs_saving_go_on(view);
    if (fs_acting(view->rq))
        return fs_act_wait(view);
    if (view->node->document)
        return fs_document_save(view, text, len, NULL, NULL);
    return store_line(view, text, len);
}

/* An empty file renamed over a document is no save of it (a tool that failed and did not notice). While it
 * runs, the view names the file itself; what is told in the end is about a name in a directory. */
static int save_onto(struct move *move, const char *text, size_t len)
{
    struct fs_inode *inode =
        fs_inode_child(move->tree, move->to, move->target.row, move->new_name, move->target.id);
    if (!inode)
        return -ENOMEM;
    struct fs_view view;
    fs_inode_ref(inode);
    fs_view_inode(&view, move->tree, move->rq, inode);
    int r = fs_may_change(&view);
    if (r == 0 && len == 0)
        r = fs_fail(move->rq, -EINVAL, "InvalidDocument", "%s is empty", move->name);
    else if (r == 0)
        r = save(&view, text, len);
    fs_inode_unref(move->tree, inode);
    if (r != FS_PARKED && about(move->rq, move->new_name) < 0)
        return -ENOMEM;
    return telling(r);
}

/* ln -sfn: the link it made beside takes the place of the one that was there. */
static int link_onto(struct move *move, const char *target)
{
    struct fs_view directory, child;
    fs_view_inode(&directory, move->tree, move->rq, move->to);
    fs_view_child(&child, move->tree, move->rq, move->to, move->target.row, move->new_name, move->target.id);
    return telling(fs_change_link(&directory, &child, target));
}

/* A blob that was written under another name. */
static int receive(struct move *move, struct fs_scratch_file *file)
{
    struct fs_view view;
    fs_view_inode(&view, move->tree, move->rq, move->to);
    if (about(move->rq, move->new_name) < 0)
        return -ENOMEM;
    int r = move->target.row->change->receive(&view, move->new_name, file);
    if (r == FS_KEPT)
        return fs_scratch_move(move->tree, file, move->to, move->new_name);
    if (r != FS_RECEIVED)
        return r;
    if (move->target.scratch && move->target.scratch != file)
        fs_scratch_remove(move->tree, move->target.scratch);
    fs_scratch_remove(move->tree, file);
    fs_tell_entry(move->tree, move->to, move->new_name);
    return 0;
}

static int scratch_onto_row(struct move *move)
{
    struct fs_scratch_file *file = move->source.scratch;
    const struct fs_change *change = move->target.row->change;
    bool link = file->scratch.target && change && change->symlink;
    if (!file->scratch.target && change && change->receive)
        return receive(move, file);
    if (!link && (file->scratch.target || !fs_change_is_edited(move->target.row)))
        return refuse(move);
    int r = link ? link_onto(move, file->scratch.target)
                 : save_onto(move, file->scratch.text.data, file->scratch.text.len);
    if (r != 0)
        return r;
    fs_tombstone_remove(move->tree, move->to, move->new_name);
    fs_scratch_remove(move->tree, file);
    fs_tell_entry(move->tree, move->to, move->new_name);
    return 0;
}

/* ---- editable files ---- */

static int render_source(struct move *move, struct ecs_buf *text)
{
    struct fs_view child;
    fs_view_child(&child, move->tree, move->rq, move->from, move->source.row, move->name, move->source.id);
    int r = fs_render(&child, text);
    return r;
}

/* td -> td~: the backup is scratch with the old text, and the name is free for the new one. */
static int row_to_scratch(struct move *move)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    int r = render_source(move, &text);
    if (r != 0)
        return r;
    struct fs_scratch_file *file = NULL;
    if (move->target.scratch)
        fs_scratch_remove(move->tree, move->target.scratch);
    r = fs_scratch_create(move->tree, move->to, move->new_name, NULL, &file);
    if (r == 0)
        r = fs_scratch_write(&file->scratch, text.data, text.len, 0);
    if (r == 0)
        r = fs_tombstone_add(move->tree, move->from, move->name);
    if (r < 0 && file)
        fs_scratch_remove(move->tree, file);
    /* The kernel moves the document's own entry to the new name: it must ask again. */
    fs_tell_entry(move->tree, move->to, move->new_name);
    return r;
}

static int row_onto_row(struct move *move)
{
    if (!fs_change_is_edited(move->target.row))
        return refuse(move);
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    bool begun = fs_saving(move->rq) || fs_acting(move->rq);
    int r = begun ? 0 : render_source(move, &text);
    if (r == 0)
        r = save_onto(move, text.data, begun ? 1 : text.len);
    if (r == 0)
        r = fs_tombstone_add(move->tree, move->from, move->name);
    if (r == 0)
        fs_tell_entry(move->tree, move->to, move->new_name);
    return r;
}

static int rename_row(struct move *move)
{
    if (!fs_change_is_edited(move->source.row) || move->source.tombstone)
        return move->source.tombstone ? -ENOENT : refuse(move);
    if (move->target.row)
        return row_onto_row(move);
    return move->target.scratchable ? row_to_scratch(move) : refuse(move);
}

static int rename_scratch(struct move *move)
{
    if (move->target.row)
        return scratch_onto_row(move);
    if (!move->target.scratchable)
        return refuse(move);
    return fs_scratch_move(move->tree, move->source.scratch, move->to, move->new_name);
}

/* ---- all ---- */

static int target_exists(struct move *move)
{
    if (move->target.scratch || move->target.draft)
        return 0;
    if (!move->target.row || move->target.tombstone)
        return -ENOENT;
    struct fs_view child;
    fs_view_child(&child, move->tree, move->rq, move->to, move->target.row, move->new_name, move->target.id);
    return fs_row_present(&child);
}

static int rename_any(struct move *move, unsigned flags)
{
    if (move->tree->options.ro)
        return -EROFS;
    bool begun = fs_saving(move->rq) || fs_acting(move->rq);
    int r = (flags & RENAME_NOREPLACE) && !begun ? target_exists(move) : -ENOENT;
    if (r != -ENOENT)
        return r == 0 ? -EEXIST : r;
    if (move->from == move->to && strcmp(move->name, move->new_name) == 0)
        return 0;
    if (move->source.draft || move->target.draft || (move->target.row && S_ISDIR(move->target.row->mode)))
        return refuse(move);
    if (move->source.scratch)
        return rename_scratch(move);
    return move->source.row ? rename_row(move) : -ENOENT;
}

int fs_rename(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *from, const char *name,
              struct fs_inode *to, const char *new_name, unsigned flags)
{
    if (flags & ~(unsigned)RENAME_NOREPLACE)
        return -EINVAL;
    struct move move = {.tree = tree, .rq = rq, .from = from, .to = to, .name = name, .new_name = new_name};
    struct fs_view directory;
    fs_begin(&directory, tree, rq, from);
    int r = fs_change_named(tree, from, name, &move.source);
    if (r == 0)
        r = fs_change_named(tree, to, new_name, &move.target);
    if (r == 0)
        r = rename_any(&move, flags);
    fs_named_free(&move.source);
    fs_named_free(&move.target);
    return r;
}
