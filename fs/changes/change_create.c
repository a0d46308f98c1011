/* SPDX-License-Identifier: Apache-2.0 */
/* create and symlink: an editable file anew, something of AWS's that begins by being written, or scratch. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"

static int refuse(struct fs_view *directory, const char *name)
{
    return fs_fail(directory->rq, -EPERM, "FixedTree", "no file called %s can be made here; see README",
                   name);
}

/* Mostly it is an ln without -n, which follows the tag it was to move into the image's directory. */
static int refuse_link(struct fs_view *directory, const char *name)
{
    return fs_fail(
        directory->rq, -EPERM, "FixedTree",
        "no link called %s can be made in %s/: only images' tags are links; to move one use ln -sfn "
        "(without -n, ln follows it into its image's directory)",
        name, directory->name);
}

/* A row that is not there yet, and will be once it is written. */
static int make_unborn(struct fs_inode *inode)
{
    if (inode->local)
        return 0;
    struct fs_unborn *unborn = calloc(1, sizeof(*unborn));
    if (!unborn)
        return -ENOMEM;
    unborn->local.kind = FS_LOCAL_UNBORN;
    inode->local = &unborn->local;
    return 0;
}

/* An editor that unlinked the file creates it anew, cp -r fills the draft that it made: O_EXCL holds, for the
 * name was free. */
static int create_row(struct fs_view *directory, const struct fs_named *named, const char *name, int flags,
                      struct fs_inode **ret_inode)
{
    struct fs_view child;
    fs_view_child(&child, directory->tree, directory->rq, directory->inode, named->row, name, named->id);
    int r = fs_row_present(&child);
    if (r != 0 && r != -ENOENT)
        return r;
    bool free_name = named->tombstone || fs_draft_hides(directory->rq, directory->inode, name);
    if (r == 0 && (flags & O_EXCL) && !free_name)
        return -EEXIST;
    bool absent = r == -ENOENT;
    fs_overlay_shown(directory->rq, directory->inode);
    *ret_inode = fs_inode_child(directory->tree, directory->inode, named->row, name, named->id);
    if (!*ret_inode)
        return -ENOMEM;
    return absent ? make_unborn(*ret_inode) : 0;
}

static int create_scratch(struct fs_view *directory, const char *name, struct fs_inode **ret_inode)
{
    struct fs_scratch_file *file = fs_scratch_find(directory->tree, directory->inode, name);
    int r = file ? 0 : fs_change_placed(directory, name, S_IFREG);
    if (!file && r == 0)
        r = fs_scratch_create(directory->tree, directory->inode, name, NULL, &file);
    if (r == 0)
        *ret_inode = file->inode;
    return r;
}

/* Where repositories nest, nearly every name could be one's: so could sed's temporary file. The kernel
 * creates only what a lookup did not find. */
static bool is_free(const struct fs_inode *parent, const struct fs_named *named)
{
    return !named->row->name && fs_change_editable(parent->node);
}

int fs_create(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
              mode_t mode, int flags, struct fs_inode **ret_inode, struct fs_handle **ret_handle,
              struct fs_open_hints *ret_hints)
{
    struct fs_view directory;
    fs_begin(&directory, tree, rq, parent);
    cleanup_named struct fs_named named = {0};
    int r = fs_change_named(tree, parent, name, &named);
    if (r < 0)
        return r;
    if (tree->options.ro)
        return -EROFS;
    if (named.draft || (named.row && S_ISDIR(named.row->mode) && !is_free(parent, &named)))
        return -EISDIR;
    if (named.row && S_ISDIR(named.row->mode)) {
        named.row = NULL;
        named.scratchable = true;
    }
    if (named.scratch && (flags & O_EXCL))
        return -EEXIST;
    bool received = named.row && named.row->change && named.row->change->receive;
    if (named.scratch || received || (!named.row && named.scratchable))
        r = create_scratch(&directory, name, ret_inode);
    else if (named.row && fs_change_is_edited(named.row))
        r = create_row(&directory, &named, name, flags | (named.tombstone ? O_TRUNC : 0), ret_inode);
    else
        r = refuse(&directory, name);
    if (r == 0)
        r = fs_open(tree, rq, *ret_inode, (flags & ~(O_CREAT | O_EXCL)) | (named.tombstone ? O_TRUNC : 0),
                    ret_handle, ret_hints);
    if (r == 0)
        fs_tombstone_remove(tree, parent, name);
    return r;
}

/* The same image under the same tag again is what was wanted; AWS's message names the image that is there. */
static int settle_link(struct fs_request *rq, int r)
{
    enum { DIGEST = 71 }; /* "sha256:" and 64 hex digits */
    struct fs_progress *progress = rq->progress;
    if (r != -EEXIST || !progress || !progress->error || !progress->action ||
        strcmp(progress->error->code, "ImageAlreadyExistsException") != 0)
        return r;
    const char *there = strstr(progress->error->message, "sha256:");
    cleanup_free char *digest = there ? strndup(there, DIGEST) : NULL;
    if (!digest || !strstr(progress->action->call.body, digest))
        return r;
    progress->error = ecs_error_unref(progress->error);
    return 0;
}

/* Journaled under the tag's path; a refusal is the directory's, for no link has attributes of users. */
int fs_change_link(struct fs_view *directory, struct fs_view *child, const char *target)
{
    int r = fs_may_change(directory);
    if (r < 0)
        return r;
    if (fs_acting(directory->rq))
        return settle_link(directory->rq, fs_act_wait(directory));
    struct ecs_action *action = NULL;
    r = child->node->change->symlink(child, target, &action);
    return r == 0 && action ? settle_link(directory->rq, fs_act(child, action)) : r;
}

static int make_link(struct fs_view *directory, const struct fs_named *named, const char *name,
                     const char *target, struct fs_inode **ret_inode)
{
    struct fs_view child;
    fs_view_child(&child, directory->tree, directory->rq, directory->inode, named->row, name, named->id);
    int r = fs_acting(directory->rq) ? -ENOENT : fs_row_present(&child);
    if (r != -ENOENT)
        return r == 0 ? -EEXIST : r;
    r = fs_change_link(directory, &child, target);
    if (r == 0)
        *ret_inode = fs_inode_child(directory->tree, directory->inode, named->row, name, named->id);
    return r == 0 && !*ret_inode ? -ENOMEM : r;
}

int fs_symlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
               const char *target, struct fs_inode **ret_inode)
{
    struct fs_view directory;
    fs_begin(&directory, tree, rq, parent);
    cleanup_named struct fs_named named = {0};
    int r = fs_change_named(tree, parent, name, &named);
    if (r < 0)
        return r;
    if (tree->options.ro)
        return -EROFS;
    if (named.scratch || named.draft)
        return -EEXIST;
    if (named.row && named.row->change && named.row->change->symlink)
        return make_link(&directory, &named, name, target, ret_inode);
    if (named.row || !named.linkable)
        return refuse_link(&directory, name);
    struct fs_scratch_file *file;
    r = fs_scratch_create(tree, parent, name, target, &file);
    if (r == 0)
        *ret_inode = file->inode;
    return r;
}
