/* SPDX-License-Identifier: Apache-2.0 */
/* What a name in a directory is, for the operations that change names; mkdir and rmdir; clientTokens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "change.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"
#include "tree/nodes.h"
#include "tree/rows.h"

bool fs_change_is_edited(const struct fs_node *row)
{
    return S_ISREG(row->mode) && (row->mode & 0600) == 0600 && (row->store || row->document);
}

bool fs_change_editable(const struct fs_node *directory)
{
    for (const struct fs_node *row = directory->children; row && !fs_row_ends(row); row++) {
        if (row->change && row->change->receive)
            return true;
        if (fs_change_is_edited(row) && (row->flags & (FS_UNLISTED | FS_LOCAL)) == 0)
            return true;
    }
    return false;
}

/* "CuAbC123": what GNU ln -f makes before it renames it into place. */
static bool is_link_temporary(const struct fs_node *row, const char *name)
{
    return row->change && row->change->symlink && strlen(name) == 8 && strncmp(name, "Cu", 2) == 0 &&
           strspn(name + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == 6;
}

int fs_change_named(struct fs_tree *tree, struct fs_inode *parent, const char *name, struct fs_named *ret)
{
    *ret = (struct fs_named){0};
    if (!S_ISDIR(parent->node->mode))
        return -ENOTDIR;
    if (strlen(name) > 255)
        return -ENAMETOOLONG;
    ret->scratch = fs_scratch_find(tree, parent, name);
    ret->draft = fs_draft_find(tree, parent, name);
    ret->tombstone = fs_tombstone_stands(tree, parent, name);
    int r = fs_row_find(tree, parent, name, &ret->row, &ret->id);
    bool link = r == 0 && is_link_temporary(ret->row, name);
    if (r == -ENOENT || link ||
        (r == 0 && !ret->row->name && fs_change_is_edited(ret->row) && fs_scratch_name(name))) {
        ret->row = NULL;
        free(ret->id);
        ret->id = NULL;
        ret->scratchable = link || fs_change_editable(parent->node);
        ret->linkable = link || (ret->scratchable && fs_scratch_link_name(name));
        return 0;
    }
    return r;
}

int fs_change_placed(struct fs_view *directory, const char *name, mode_t type)
{
    const struct fs_change *change = directory->node->change;
    for (const struct fs_misplaced *it = change ? change->misplaced : NULL; it && it->name; it++) {
        if (it->type == type && strcmp(it->name, name) == 0)
            return fs_fail(directory->rq, -EPERM, "Misplaced", "%s is part of %s: copy that into %s/%s/%s%s",
                           name, it->part_of, directory->name, it->place, it->otherwise ? "; " : "",
                           it->otherwise ? it->otherwise : "");
    }
    return 0;
}

void fs_change_token(char token[FS_TOKEN_TEXT])
{
    unsigned char bytes[(FS_TOKEN_TEXT - 1) / 2];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        memset(bytes, 0, sizeof(bytes)); /* cannot be: 16 bytes are never cut short */
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

/* ---- mkdir ---- */

static int finish_mkdir(struct fs_tree *tree, struct fs_inode *parent, const struct fs_named *named,
                        const char *name, struct fs_inode **ret_inode)
{
    *ret_inode = fs_inode_child(tree, parent, named->row, name, named->id);
    return *ret_inode ? 0 : -ENOMEM;
}

/* Where directories can be made, it is the name that does not serve. */
static int refuse_name(struct fs_request *rq, const struct fs_inode *parent, const char *name)
{
    for (const struct fs_node *row = parent->node->children; row && !fs_row_ends(row); row++)
        if (!row->name && row->change && (row->change->mkdir || row->change->drafts) && row->accept)
            return fs_fail(rq, -EINVAL, "InvalidName", "\"%s\" is no name for what is made in %s/%s", name,
                           parent->name,
                           row->accept == fs_accept_name ? ": letters, digits, - and _ make one" : "");
    return 0;
}

static int refuse_fixed(struct fs_request *rq, const struct fs_inode *parent, const char *name)
{
    int r = refuse_name(rq, parent, name);
    if (r != 0)
        return r;
    return fs_fail(rq, -EPERM, "FixedTree", "nothing called %s can be made in %s/; see README", name,
                   parent->name);
}

static int make_directory(struct fs_view *directory, const struct fs_named *named, const char *name,
                          struct fs_inode **ret_inode)
{
    struct fs_tree *tree = directory->tree;
    struct fs_view child;
    fs_view_child(&child, tree, directory->rq, directory->inode, named->row, name, named->id);
    int r = fs_row_present(&child);
    if (r != -ENOENT)
        return r == 0 ? -EEXIST : r;
    r = fs_change_placed(directory, name, S_IFDIR);
    if (r < 0)
        return r;
    if (named->row->change->drafts)
        return fs_draft_create(tree, directory->inode, named->row, name, named->id, directory->rq->pid,
                               ret_inode);
    struct ecs_action *action = NULL;
    r = named->row->change->mkdir(&child, &action);
    return r == 0 && action ? fs_act(&child, action) : r; /* journaled under its own path */
}

int fs_mkdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
             mode_t mode, struct fs_inode **ret_inode)
{
    struct fs_view directory;
    fs_begin(&directory, tree, rq, parent);
    cleanup_named struct fs_named named = {0};
    int r = fs_change_named(tree, parent, name, &named);
    *ret_inode = NULL;
    if (r < 0)
        return r;
    if (named.scratch || named.draft)
        return -EEXIST;
    if (!named.row || !named.row->change || (!named.row->change->mkdir && !named.row->change->drafts))
        return refuse_fixed(rq, parent, name);
    r = fs_may_change(&directory);
    if (r == 0)
        r = fs_acting(rq) ? fs_act_wait(&directory) : make_directory(&directory, &named, name, ret_inode);
    return r == 0 && !*ret_inode ? finish_mkdir(tree, parent, &named, name, ret_inode) : r;
}
