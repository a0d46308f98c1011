/* SPDX-License-Identifier: Apache-2.0 */
/* lookup: asks only for what it names, never for a list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "names.h"
#include "rows.h"
#include "tree_private.h"

struct wanted {
    const struct fs_view *directory;
    const struct fs_node *row;
    const char *name;
    char *id;
};

static int match_name(void *arg, const char *id)
{
    struct wanted *wanted = arg;
    cleanup_free char *name = fs_row_name(wanted->directory->node, wanted->row, id);
    if (name == NULL)
        return -ENOMEM;
    if (wanted->id == NULL && strcmp(name, wanted->name) == 0) {
        wanted->id = strdup(id);
        return wanted->id != NULL ? 0 : -ENOMEM;
    }
    return 0;
}

/* A shortened name does not tell its id: here alone a lookup needs the list. */
static int find_shortened(struct fs_view *directory, const struct fs_node *row, const char *name,
                          char **ret_id)
{
    struct wanted wanted = {directory, row, name, NULL};
    int r = fs_row_list(directory, row, match_name, &wanted);
    if (r != 0)
        free(wanted.id);
    else if (wanted.id == NULL)
        r = -ENOENT;
    else
        *ret_id = wanted.id;
    return r;
}

static int lookup_row(struct fs_view *directory, const char *name, struct fs_inode **ret_inode,
                      int64_t *ret_valid_ms)
{
    const struct fs_node *row;
    cleanup_free char *id = NULL;
    int r = fs_row_find(directory->tree, directory->inode, name, &row, &id);
    if (r == -E2BIG)
        r = find_shortened(directory, row, name, &id);
    if (r != 0) {
        *ret_valid_ms = directory->valid_ms;
        return r;
    }
    struct fs_view child;
    fs_view_child(&child, directory->tree, directory->rq, directory->inode, row, name, id);
    r = fs_row_present(&child);
    *ret_valid_ms = child.valid_ms;
    if (r == -ENOENT && child.valid_ms > 0)
        fs_absent_note(directory->tree, directory->inode, name);
    if (r != 0)
        return r;
    *ret_inode = fs_inode_child(directory->tree, directory->inode, row, name, id);
    return *ret_inode != NULL ? 0 : -ENOMEM;
}

int fs_lookup(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
              struct fs_inode **ret_inode, int64_t *ret_entry_valid_ms)
{
    *ret_inode = NULL;
    *ret_entry_valid_ms = 0;
    if (!S_ISDIR(parent->node->mode))
        return -ENOTDIR;
    if (strlen(name) > FS_NAME_MAX)
        return -ENAMETOOLONG;
    struct fs_view directory;
    fs_begin(&directory, tree, rq, parent);
    int r = fs_overlay_lookup(tree, rq, parent, name, ret_inode);
    return r != FS_NOT_LOCAL ? r : lookup_row(&directory, name, ret_inode, ret_entry_valid_ms);
}
