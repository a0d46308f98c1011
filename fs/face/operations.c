/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include <errno.h>

#include "ecsfs/cleanup.h"
#include "face.h"

/* The request's inode. The kernel names only what it remembers, but better ESTALE than a crash. */
#define ON_INODE(inode, r)                                             \
    struct fs_inode *inode = fs_inode_find((r)->face->tree, (r)->ino); \
    if (inode == NULL)                                                 \
        return -ESTALE;

/* Remembers the inode for the answer that is about to be sent. */
static void found(struct face_request *r, struct fs_inode *inode)
{
    fs_remember(r->face->tree, inode);
    r->found = fs_inode_number(inode);
}

void drop_found(struct face *face, struct face_request *r)
{
    if (r->found != 0)
        fs_forget(face->tree, r->found, 1);
    r->found = 0;
}

int run_lookup(struct face *face, struct face_request *r)
{
    ON_INODE(parent, r)
    struct fs_inode *inode = NULL;
    r->entry_valid_ms = 0;
    int result = fs_lookup(face->tree, &r->rq, parent, r->name, &inode, &r->entry_valid_ms);
    if (result != 0)
        return result;
    result = fs_getattr(face->tree, &r->rq, inode, &r->attr);
    if (result != 0)
        r->entry_valid_ms = 0;
    else
        found(r, inode);
    return result;
}

/* The attributes of what was just made. Making it succeeded, so its answer must not wait or fail: what is
 * not known now, the kernel asks for later. */
static void attributes_of_new(struct face_request *r, struct fs_inode *inode, mode_t mode)
{
    r->rq.peek = true;
    if (fs_getattr(r->face->tree, &r->rq, inode, &r->attr) != 0) {
        r->attr = (struct fs_attr){0};
        r->attr.st.st_ino = fs_inode_number(inode);
        r->attr.st.st_mode = mode;
        r->attr.st.st_nlink = 1;
        r->attr.st.st_uid = r->rq.uid;
        r->attr.st.st_gid = r->rq.gid;
    }
    r->rq.peek = false;
    found(r, inode);
}

int run_mkdir(struct face *face, struct face_request *r)
{
    ON_INODE(parent, r)
    struct fs_inode *inode = NULL;
    int result = fs_mkdir(face->tree, &r->rq, parent, r->name, r->mode, &inode);
    if (result == 0)
        attributes_of_new(r, inode, S_IFDIR | 0700);
    return result;
}

int run_symlink(struct face *face, struct face_request *r)
{
    ON_INODE(parent, r)
    struct fs_inode *inode = NULL;
    int result = fs_symlink(face->tree, &r->rq, parent, r->name, r->new_name, &inode);
    if (result == 0)
        attributes_of_new(r, inode, S_IFLNK | 0777);
    return result;
}

int run_getattr(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    return fs_getattr(face->tree, &r->rq, inode, &r->attr);
}

int run_setattr(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    if (!r->done) {
        int result = r->truncates ? fs_truncate(face->tree, &r->rq, inode, r->handle, r->offset)
                                  : fs_setattr(face->tree, &r->rq, inode);
        if (result != 0)
            return result;
        r->done = true;
    }
    return fs_getattr(face->tree, &r->rq, inode, &r->attr);
}

int run_access(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    return fs_access(face->tree, &r->rq, inode, r->flags);
}

int run_readlink(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    ecs_buf_truncate(&r->text, 0);
    return fs_readlink(face->tree, &r->rq, inode, &r->text);
}

int run_getxattr(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    ecs_buf_truncate(&r->text, 0);
    return fs_getxattr(face->tree, &r->rq, inode, r->name, &r->text);
}

int run_listxattr(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    ecs_buf_truncate(&r->text, 0);
    return fs_listxattr(face->tree, &r->rq, inode, &r->text);
}

int run_opendir(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    struct fs_dir *dir = NULL;
    int result = fs_readdir(face->tree, &r->rq, inode, &dir);
    if (result != 0)
        return result;
    r->listing = listing_open(face->listings, r->ino, dir, face->clock->now_ms(face->clock));
    return r->listing != NULL ? 0 : -ENOMEM;
}

void look_ahead(struct face_request *r, const struct fs_dirent *entry)
{
    struct fs_tree *tree = r->face->tree;
    struct fs_inode *parent = fs_inode_find(tree, r->ino), *inode = NULL;
    r->rq.peek = true;
    bool known = parent != NULL &&
                 fs_lookup(tree, &r->rq, parent, entry->name, &inode, &r->entry_valid_ms) == 0 &&
                 fs_getattr(tree, &r->rq, inode, &r->attr) == 0 && r->attr.valid_ms > 0;
    r->rq.peek = false;
    r->found = 0;
    if (known) {
        found(r, inode);
        return;
    }
    r->entry_valid_ms = 0;
    r->attr = (struct fs_attr){.st.st_mode = entry->type, .st.st_ino = entry->ino};
}

void rewind_listing(struct face *face, struct face_request *r)
{
    struct fs_inode *inode = fs_inode_find(face->tree, r->ino);
    struct fs_dir *dir = NULL;
    r->rq.peek = true;
    if (inode != NULL && fs_readdir(face->tree, &r->rq, inode, &dir) == 0)
        listing_renew(r->listing, dir);
    r->rq.peek = false;
}

int run_open(struct face *face, struct face_request *r)
{
    ON_INODE(inode, r)
    return fs_open(face->tree, &r->rq, inode, r->flags, &r->handle, &r->hints);
}

int run_create(struct face *face, struct face_request *r)
{
    ON_INODE(parent, r)
    struct fs_inode *inode = NULL;
    int result =
        fs_create(face->tree, &r->rq, parent, r->name, r->mode, r->flags, &inode, &r->handle, &r->hints);
    if (result == 0)
        attributes_of_new(r, inode, S_IFREG | 0600);
    return result;
}

int run_read(struct face *face, struct face_request *r)
{
    return fs_read(face->tree, &r->rq, r->handle, r->size, r->offset, &r->out, &r->out_len);
}

int run_write(struct face *face, struct face_request *r)
{
    return fs_write(face->tree, &r->rq, r->handle, r->data, r->size, r->offset);
}

int run_flush(struct face *face, struct face_request *r)
{
    return fs_flush(face->tree, &r->rq, r->handle);
}

int run_fsync(struct face *face, struct face_request *r)
{
    return fs_fsync(face->tree, &r->rq, r->handle);
}

int run_unlink(struct face *face, struct face_request *r)
{
    ON_INODE(parent, r)
    return fs_unlink(face->tree, &r->rq, parent, r->name);
}

int run_rmdir(struct face *face, struct face_request *r)
{
    ON_INODE(parent, r)
    return fs_rmdir(face->tree, &r->rq, parent, r->name);
}

int run_rename(struct face *face, struct face_request *r)
{
    ON_INODE(from, r)
    struct fs_inode *to = fs_inode_find(face->tree, r->new_parent);
    if (to == NULL)
        return -ESTALE;
    return fs_rename(face->tree, &r->rq, from, r->name, to, r->new_name, (unsigned)r->flags);
}
