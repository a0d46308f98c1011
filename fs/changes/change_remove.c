/* SPDX-License-Identifier: Apache-2.0 */
/* unlink and rmdir. What is only here is its maker's to remove; an editable file's name is put aside (a
 * tombstone), for its editor is about to write it anew; what is at AWS goes only with -o allow_delete. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"

/* Errors and the journal are about the name, not its directory. */
static int about(struct fs_request *rq, const char *name)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress && !progress->name)
        progress->name = strdup(name);
    return progress && progress->name ? 0 : -ENOMEM;
}

/* Of what is part of the tree itself nothing is said: `rm -rf` would fill .ecsfs/errors with it. */
static int refuse(struct fs_view *directory, const struct fs_view *child)
{
    const struct fs_change *change = child->node->change;
    if (!change || !change->removes)
        return -EPERM;
    if (about(directory->rq, child->name) < 0)
        return -ENOMEM;
    return fs_fail(directory->rq, -EPERM, "DeletionNotAllowed",
                   "removing %s %s: mount with -o allow_delete to allow it; nothing was changed", child->name,
                   change->removes);
}

typedef int removal_fn(struct fs_view *view, struct ecs_action **ret_action);

/* The directory's view acts, so that what it remembers is the request's. */
static int remove_at_aws(struct fs_view *directory, struct fs_view *child, removal_fn *removal)
{
    int r = fs_may_change(directory);
    if (r < 0)
        return r;
    if (fs_acting(directory->rq))
        return fs_act_wait(directory);
    if (!removal || !directory->tree->options.allow_delete)
        return refuse(directory, child);
    struct ecs_action *action = NULL;
    r = about(directory->rq, child->name);
    if (r == 0)
        r = removal(child, &action);
    return r == 0 && action ? fs_act(directory, action) : r;
}

static int unlink_row(struct fs_view *directory, const struct fs_named *named, const char *name)
{
    struct fs_view child;
    fs_view_child(&child, directory->tree, directory->rq, directory->inode, named->row, name, named->id);
    const struct fs_change *change = named->row->change;
    if (fs_acting(directory->rq))
        return fs_act_wait(directory);
    int r = fs_row_present(&child);
    if (r != 0)
        return r;
    if (change && change->unlink)
        return remove_at_aws(directory, &child, change->unlink);
    if (!fs_change_is_edited(named->row))
        return refuse(directory, &child);
    r = fs_may_change(directory);
    return r < 0 ? r : fs_tombstone_add(directory->tree, directory->inode, name);
}

int fs_unlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name)
{
    struct fs_view directory;
    fs_begin(&directory, tree, rq, parent);
    cleanup_named struct fs_named named = {0};
    int r = fs_change_named(tree, parent, name, &named);
    if (r < 0)
        return r;
    if (named.scratch) {
        fs_scratch_remove(tree, named.scratch);
        return 0;
    }
    if (!named.row || named.tombstone)
        return -ENOENT;
    if (S_ISDIR(named.row->mode))
        return -EISDIR;
    return unlink_row(&directory, &named, name);
}

static bool holds_scratch(struct fs_tree *tree, const struct fs_inode *directory)
{
    for (const struct fs_scratch_file *file = tree->overlay->scratch; file; file = file->next) {
        if (file->linked && file->inode->parent == directory)
            return true;
    }
    return false;
}

static int remove_directory(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent,
                            const char *name)
{
    struct fs_view directory, child;
    fs_begin(&directory, tree, rq, parent);
    cleanup_named struct fs_named named = {0};
    int r = fs_change_named(tree, parent, name, &named);
    if (r < 0)
        return r;
    if (named.draft) {
        if (holds_scratch(tree, named.draft->inode))
            return -ENOTEMPTY;
        fs_draft_end(tree, named.draft);
        return 0;
    }
    if (named.scratch)
        return -ENOTDIR;
    if (!named.row)
        return -ENOENT;
    if (!S_ISDIR(named.row->mode))
        return -ENOTDIR;
    fs_view_child(&child, tree, rq, parent, named.row, name, named.id);
    const struct fs_change *change = named.row->change;
    return remove_at_aws(&directory, &child, change ? change->rmdir : NULL);
}

int fs_rmdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name)
{
    int r = remove_directory(tree, rq, parent, name);
    struct fs_inode *inode = r == 0 ? fs_inode_known(tree, parent, name) : NULL;
    if (inode)
        inode->generation++;
    return r;
}
