/* SPDX-License-Identifier: Apache-2.0 */
/* readdir: the fixed rows that are there, the children AWS lists, and what is only in this mount. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "rows.h"
#include "tree_private.h"

/* A million names of 64 bytes. */
enum { NAMES_MAX = 64 << 20, ABSENT_BITS = 64 };

struct listing {
    struct fs_tree *tree;
    struct fs_inode *directory;
    const struct fs_node *row; /* whose children are being listed */
    struct fs_dirent *entries; /* name holds an offset into names until finish */
    size_t len, size;
    struct ecs_buf names;
    bool nothing;    /* the endpoint does not know what would be in here */
    uint64_t absent; /* rows by number that were found not to be there */
};

static int add_entry(struct listing *listing, const char *name, mode_t type)
{
    if (listing->len == listing->size) {
        size_t size = listing->size > 0 ? listing->size * 2 : 32;
        struct fs_dirent *entries = realloc(listing->entries, size * sizeof(*entries));
        if (entries == NULL)
            return -ENOMEM;
        listing->entries = entries;
        listing->size = size;
    }
    size_t offset = listing->names.len;
    int r = ecs_buf_add(&listing->names, name, strlen(name) + 1);
    if (r < 0)
        return r;
    listing->entries[listing->len++] =
        (struct fs_dirent){.name = (const char *)offset,
                           .type = type & S_IFMT,
                           .ino = fs_inode_number_of(listing->tree, listing->directory, name)};
    return 0;
}

static int emit_child(void *arg, const char *id)
{
    struct listing *listing = arg;
    cleanup_free char *name = fs_row_name(listing->directory->node, listing->row, id);
    if (name == NULL)
        return -ENOMEM;
    if (fs_overlay_hides(listing->tree, listing->directory, name))
        return 0;
    return add_entry(listing, name, listing->row->mode);
}

static int emit_local(void *arg, const char *name, mode_t type)
{
    return add_entry(arg, name, type);
}

/* Listed unless it is known to be absent; the resource's document was asked for before. */
static int add_fixed(struct listing *listing, struct fs_view *directory, const struct fs_node *row)
{
    if ((row->flags & FS_UNLISTED) != 0 || fs_overlay_hides(listing->tree, listing->directory, row->name))
        return 0;
    bool draft = listing->directory->local != NULL && fs_overlay_is_draft(listing->directory);
    if (draft || fs_row_conditional(row)) {
        struct fs_request *rq = directory->rq;
        bool peek = rq->peek;
        struct fs_view child;
        fs_view_child(&child, listing->tree, rq, listing->directory, row, row->name, NULL);
        rq->peek = rq->listing = true;
        int r = fs_row_present(&child);
        rq->peek = peek;
        rq->listing = false;
        if (r == -ENOENT)
            return 0;
    }
    return add_entry(listing, row->name, row->mode);
}

static int add_rows(struct listing *listing, struct fs_view *directory, bool leads_only)
{
    int r = 0, number = 0;
    for (const struct fs_node *row = directory->node->children; r == 0 && !fs_row_ends(row); row++) {
        listing->row = row;
        bool absent = number < ABSENT_BITS && (listing->absent >> number & 1) != 0;
        number++;
        if (absent || (leads_only && (row->flags & FS_NESTS) == 0))
            continue;
        if (row->name != NULL)
            r = add_fixed(listing, directory, row);
        else if ((row->flags & FS_UNLISTED) == 0)
            r = fs_row_list(directory, row, emit_child, listing);
    }
    return r;
}

/* A row that shows another document, which may be absent (a policy): only asking tells. */
static bool asks(const struct fs_node *row)
{
    return row->name != NULL && row->of != 0 && (row->flags & (FS_MAYBE | FS_UNLISTED)) == FS_MAYBE;
}

/* It is not asked whether it is there, but whether a walk is to see it. */
static int listed(struct fs_view *child)
{
    child->rq->listing = true;
    int r = child->node->present(child);
    child->rq->listing = false;
    return r;
}

static int know_others(struct listing *listing, struct fs_view *directory)
{
    int r = 0, number = -1;
    for (const struct fs_node *row = directory->node->children; r == 0 && !fs_row_ends(row); row++) {
        number++;
        if (!asks(row))
            continue;
        struct fs_view child;
        struct ecs_doc *doc;
        fs_view_child(&child, directory->tree, directory->rq, directory->inode, row, row->name, NULL);
        r = row->present != NULL ? listed(&child) : fs_view_doc(&child, &doc);
        if (r < 0 && number < ABSENT_BITS && (r == -ENOENT || fs_unknown_operation(&child, r)))
            listing->absent |= UINT64_C(1) << number;
        if (r != FS_PARKED)
            r = 0; /* absent, or told by who reads it */
    }
    return r;
}

/* Which of its fixed rows are there is in the resource's document. */
static int know_resource(struct listing *listing, struct fs_view *directory, bool *ret_leads_only)
{
    *ret_leads_only = false;
    if ((directory->node->flags & FS_NESTS) != 0) {
        int r = fs_row_nest_present(directory);
        *ret_leads_only = r == -ENOENT;
        return *ret_leads_only ? 0 : r != 0 ? r : know_others(listing, directory);
    }
    if (!directory->has_key || (directory->inode->local != NULL && fs_overlay_is_draft(directory->inode)))
        return 0;
    for (const struct fs_node *row = directory->node->children; !fs_row_ends(row); row++)
        if (row->name != NULL && row->of == 0 && fs_row_conditional(row)) {
            struct ecs_doc *doc;
            int r = fs_view_doc(directory, &doc);
            if (r < 0 && (directory->node->flags & FS_MAYBE) != 0 && fs_unknown_operation(directory, r)) {
                listing->nothing = true;
                return 0;
            }
            return r == 0 ? know_others(listing, directory) : r;
        }
    return know_others(listing, directory);
}

static struct fs_dir *finish(struct listing *listing)
{
    struct fs_dir *dir = calloc(1, sizeof(*dir));
    if (dir == NULL)
        return NULL;
    dir->names = ecs_buf_steal(&listing->names, NULL);
    if (dir->names == NULL) {
        free(dir);
        return NULL;
    }
    dir->entries = steal(listing->entries);
    dir->len = listing->len;
    for (size_t i = 0; i < dir->len; i++)
        dir->entries[i].name = dir->names + (size_t)dir->entries[i].name;
    return dir;
}

int fs_readdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_dir **ret_dir)
{
    if (!S_ISDIR(inode->node->mode))
        return -ENOTDIR;
    struct fs_view directory;
    fs_begin(&directory, tree, rq, inode);
    struct listing listing = {.tree = tree, .directory = inode, .names = ECS_BUF(NAMES_MAX)};
    bool leads_only;
    int r = know_resource(&listing, &directory, &leads_only);
    if (r == 0 && !listing.nothing)
        r = add_rows(&listing, &directory, leads_only);
    if (r == 0)
        r = fs_overlay_list(tree, inode, emit_local, &listing);
    if (r == 0 && inode->local != NULL)
        fs_overlay_shown(rq, inode);
    if (r == 0) {
        *ret_dir = finish(&listing);
        r = *ret_dir != NULL ? 0 : -ENOMEM;
    }
    free(listing.entries);
    ecs_buf_free(&listing.names);
    return r;
}

struct fs_dir *fs_dir_free(struct fs_dir *dir)
{
    if (dir != NULL) {
        free(dir->entries);
        free(dir->names);
        free(dir);
    }
    return NULL;
}
