/* SPDX-License-Identifier: Apache-2.0 */
/* The FUSE operations: a row each, that runs on the tree and answers the kernel, and a callback that
 * takes the arguments from the kernel. */
#define FUSE_USE_VERSION 35

#include "face.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "operations.h"

/* INT64_MAX is for ever: thirty years, which the kernel's jiffies can still count. */
double face_seconds(int64_t ms)
{
    return ms >= INT64_MAX / 2 ? 1e9 : (double)ms / 1000.0;
}

static struct face *face_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

/* An operation's request with copies of its strings and data; NULL when the kernel has been told ENOMEM. */
static struct face_request *take(fuse_req_t req, const struct face_op *op, fuse_ino_t ino, const char *name,
                                 const char *new_name, const char *data, size_t len)
{
    size_t name_size = name != NULL ? strlen(name) + 1 : 0;
    size_t new_size = new_name != NULL ? strlen(new_name) + 1 : 0;
    struct face_request *r = calloc(1, sizeof(*r) + name_size + new_size + len);
    if (r == NULL) {
        fuse_reply_err(req, ENOMEM);
        return NULL;
    }
    const struct fuse_ctx *caller = fuse_req_ctx(req);
    r->face = face_of(req);
    r->op = op;
    r->req = req;
    r->rq.uid = caller->uid;
    r->rq.gid = caller->gid;
    r->rq.pid = caller->pid;
    r->ino = ino;
    if (name != NULL)
        r->name = memcpy(r->store, name, name_size);
    if (new_name != NULL)
        r->new_name = memcpy(r->store + name_size, new_name, new_size);
    if (data != NULL)
        r->data = memcpy(r->store + name_size + new_size, data, len);
    return r;
}

static struct fs_handle *handle_of(const struct fuse_file_info *info)
{
    return (struct fs_handle *)(uintptr_t)info->fh;
}

static void reply_done(struct face *face, struct face_request *r)
{
    fuse_reply_err(r->req, 0);
}

/* ---- entries ---- */

static struct fuse_entry_param entry_param(const struct face_request *r)
{
    return (struct fuse_entry_param){
        .ino = r->found,
        .generation = r->attr.generation,
        .attr = r->attr.st,
        .attr_timeout = face_seconds(r->attr.valid_ms),
        .entry_timeout = face_seconds(r->entry_valid_ms),
    };
}

static void reply_entry(struct face *face, struct face_request *r)
{
    struct fuse_entry_param entry = entry_param(r);
    if (fuse_reply_entry(r->req, &entry) != 0)
        drop_found(face, r);
}

static const struct face_op op_lookup = {
    .name = "lookup", .run = run_lookup, .reply = reply_entry, .drop = drop_found, .lookup = true};

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct face_request *r = take(req, &op_lookup, parent, name, NULL, NULL, 0);
    if (r != NULL)
        face_begin(r, parent, 0);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
    struct face *face = face_of(req);
    fs_forget(face->tree, ino, nlookup);
    listings_forget(face->listings, ino);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    struct face *face = face_of(req);
    for (size_t i = 0; i < count; i++) {
        fs_forget(face->tree, forgets[i].ino, forgets[i].nlookup);
        listings_forget(face->listings, forgets[i].ino);
    }
    fuse_reply_none(req);
}

static const struct face_op op_mkdir = {
    .name = "mkdir", .run = run_mkdir, .reply = reply_entry, .drop = drop_found, .changing = true};

static void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct face_request *r = take(req, &op_mkdir, parent, name, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->mode = mode;
    face_begin(r, parent, 0);
}

static const struct face_op op_symlink = {
    .name = "symlink", .run = run_symlink, .reply = reply_entry, .drop = drop_found, .changing = true};

static void on_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    struct face_request *r = take(req, &op_symlink, parent, name, target, NULL, 0);
    if (r != NULL)
        face_begin(r, parent, 0);
}

static void on_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
    fuse_reply_err(req, EPERM);
}

/* ---- attributes ---- */

static void reply_attr(struct face *face, struct face_request *r)
{
    fuse_reply_attr(r->req, &r->attr.st, face_seconds(r->attr.valid_ms));
}

static const struct face_op op_getattr = {.name = "getattr", .run = run_getattr, .reply = reply_attr};

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    struct face_request *r = take(req, &op_getattr, ino, NULL, NULL, NULL, 0);
    if (r != NULL)
        face_begin(r, 0, 0);
}

static const struct face_op op_setattr = {
    .name = "setattr", .run = run_setattr, .reply = reply_attr, .changing = true};

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *info)
{
    struct face_request *r = take(req, &op_setattr, ino, NULL, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->truncates = (to_set & FUSE_SET_ATTR_SIZE) != 0;
    r->offset = attr->st_size;
    r->handle = info != NULL ? handle_of(info) : NULL;
    face_begin(r, 0, 0);
}

static const struct face_op op_access = {.name = "access", .run = run_access, .reply = reply_done};

static void on_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    struct face_request *r = take(req, &op_access, ino, NULL, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->flags = mask;
    face_begin(r, 0, 0);
}

static void reply_readlink(struct face *face, struct face_request *r)
{
    fuse_reply_readlink(r->req, r->text.data != NULL ? r->text.data : "");
}

static const struct face_op op_readlink = {.name = "readlink", .run = run_readlink, .reply = reply_readlink};

static void on_readlink(fuse_req_t req, fuse_ino_t ino)
{
    struct face_request *r = take(req, &op_readlink, ino, NULL, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->text = ECS_BUF(4095); /* PATH_MAX */
    face_begin(r, 0, 0);
}

/* ---- extended attributes ---- */

static void reply_xattr(struct face *face, struct face_request *r)
{
    if (r->size == 0)
        fuse_reply_xattr(r->req, r->text.len);
    else if (r->text.len > r->size)
        fuse_reply_err(r->req, ERANGE);
    else
        fuse_reply_buf(r->req, r->text.data, r->text.len);
}

static const struct face_op op_getxattr = {.name = "getxattr", .run = run_getxattr, .reply = reply_xattr};
static const struct face_op op_listxattr = {.name = "listxattr", .run = run_listxattr, .reply = reply_xattr};

static void on_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    static const char ours[] = "user.ecsfs.", users[] = "user.";
    if (strncmp(name, ours, sizeof(ours) - 1) != 0) {
        /* ls -l and cp ask for labels and ACLs of each file, until they hear that there are none here. */
        fuse_reply_err(req, strncmp(name, users, sizeof(users) - 1) == 0 ? ENODATA : EOPNOTSUPP);
        return;
    }
    struct face_request *r = take(req, &op_getxattr, ino, name, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->size = size;
    r->text = ECS_BUF(65536); /* XATTR_SIZE_MAX */
    face_begin(r, 0, 0);
}

static void on_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct face_request *r = take(req, &op_listxattr, ino, NULL, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->size = size;
    r->text = ECS_BUF(65536); /* XATTR_LIST_MAX */
    face_begin(r, 0, 0);
}

static void on_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
                        int flags)
{
    fuse_reply_err(req, EOPNOTSUPP); /* which every tool that copies attributes accepts */
}

static void on_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    fuse_reply_err(req, EOPNOTSUPP);
}

/* ---- directories ---- */

static struct listing *listing_of(const struct fuse_file_info *info)
{
    return (struct listing *)(uintptr_t)info->fh;
}

static void reply_opendir(struct face *face, struct face_request *r)
{
    struct fuse_file_info info = {
        .fh = (uintptr_t)r->listing, .cache_readdir = r->listing->cached, .keep_cache = r->listing->kept};
    if (fuse_reply_open(r->req, &info) != 0)
        listing_close(face->listings, r->listing);
}

static const struct face_op op_opendir = {.name = "opendir", .run = run_opendir, .reply = reply_opendir};

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    struct face_request *r = take(req, &op_opendir, ino, NULL, NULL, NULL, 0);
    if (r != NULL)
        face_begin(r, 0, 0);
}

static void on_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    listing_close(face_of(req)->listings, listing_of(info));
    fuse_reply_err(req, 0);
}

/* The bytes that an entry takes in the answer; more than `room` when it does not fit. */
static size_t add_entry(struct face_request *r, char *at, size_t room, size_t i)
{
    const struct fs_dir *dir = r->listing->dir;
    static const char *const dots[] = {".", ".."};
    const char *name = i < 2 ? dots[i] : dir->entries[i - 2].name;
    off_t next = (off_t)i + 1;

    if (i < 2)
        r->attr = (struct fs_attr){.st.st_mode = S_IFDIR, .st.st_ino = i == 0 ? r->ino : FUSE_ROOT_ID};
    else
        r->attr =
            (struct fs_attr){.st.st_mode = dir->entries[i - 2].type, .st.st_ino = dir->entries[i - 2].ino};
    if (!r->plus)
        return fuse_add_direntry(r->req, at, room, name, &r->attr.st, next);

    size_t needed = fuse_add_direntry_plus(r->req, NULL, 0, name, NULL, 0);
    if (needed > room)
        return needed;
    r->found = 0;
    r->entry_valid_ms = 0;
    if (i >= 2)
        look_ahead(r, &dir->entries[i - 2]);
    if (r->found != 0 && ecs_buf_add(&r->given, &r->found, sizeof(r->found)) != 0)
        drop_found(r->face, r);
    if (r->found != 0)
        listing_gave(r->listing,
                     r->attr.valid_ms < INT64_MAX / 2 ? r->began_ms + r->attr.valid_ms : INT64_MAX);
    struct fuse_entry_param entry = entry_param(r);
    return fuse_add_direntry_plus(r->req, at, room, name, &entry, next);
}

static int run_readdir(struct face *face, struct face_request *r)
{
    if (r->offset == 0 && r->listing->read)
        rewind_listing(face, r);
    r->listing->read = true;
    if (ecs_buf_truncate(&r->text, r->size) != 0)
        return -ENOMEM;
    size_t used = 0, count = r->listing->dir->len + 2;
    for (size_t i = (size_t)r->offset; i < count; i++) {
        size_t size = add_entry(r, r->text.data + used, r->size - used, i);
        if (size > r->size - used)
            break;
        used += size;
    }
    r->found = 0; /* they are in r->given */
    r->out_len = used;
    return 0;
}

static void reply_readdir(struct face *face, struct face_request *r)
{
    if (fuse_reply_buf(r->req, r->text.data, r->out_len) == 0)
        return;
    uint64_t ino;
    for (size_t at = 0; at < r->given.len; at += sizeof(ino)) {
        memcpy(&ino, r->given.data + at, sizeof(ino));
        fs_forget(face->tree, ino, 1);
    }
}

static const struct face_op op_readdir = {.name = "readdir", .run = run_readdir, .reply = reply_readdir};

static void begin_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                          const struct fuse_file_info *info, bool plus)
{
    struct face_request *r = take(req, &op_readdir, ino, NULL, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->listing = listing_of(info);
    r->size = size;
    r->offset = offset;
    r->plus = plus;
    r->text = ECS_BUF(size);
    r->given = ECS_BUF(size);
    face_begin(r, 0, 0);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
    begin_readdir(req, ino, size, offset, info, false);
}

static void on_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                           struct fuse_file_info *info)
{
    begin_readdir(req, ino, size, offset, info, true);
}

/* ---- files ---- */

static struct fuse_file_info open_info(const struct face_request *r)
{
    struct fuse_file_info info = {.fh = (uintptr_t)r->handle,
                                  .direct_io = r->hints.direct_io,
                                  .keep_cache = r->hints.keep_cache,
                                  .nonseekable = r->hints.nonseekable};
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 11)
    info.noflush = r->hints.no_flush;
#endif
    return info;
}

static void reply_open(struct face *face, struct face_request *r)
{
    struct fuse_file_info info = open_info(r);
    if (fuse_reply_open(r->req, &info) != 0)
        fs_release(face->tree, r->handle);
}

static const struct face_op op_open = {.name = "open", .run = run_open, .reply = reply_open};

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    struct face_request *r = take(req, &op_open, ino, NULL, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->flags = info->flags;
    face_begin(r, 0, 0);
}

static void reply_create(struct face *face, struct face_request *r)
{
    struct fuse_entry_param entry = entry_param(r);
    struct fuse_file_info info = open_info(r);
    if (fuse_reply_create(r->req, &entry, &info) == 0)
        return;
    fs_release(face->tree, r->handle);
    drop_found(face, r);
}

static const struct face_op op_create = {
    .name = "create", .run = run_create, .reply = reply_create, .changing = true};

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *info)
{
    struct face_request *r = take(req, &op_create, parent, name, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->mode = mode;
    r->flags = info->flags;
    face_begin(r, parent, 0);
}

/* mknod is create without a handle; nfsd and some archivers use it. */
static void reply_mknod(struct face *face, struct face_request *r)
{
    fs_release(face->tree, r->handle);
    reply_entry(face, r);
}

static const struct face_op op_mknod = {
    .name = "mknod", .run = run_create, .reply = reply_mknod, .changing = true};

static void on_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
    if (!S_ISREG(mode)) {
        fuse_reply_err(req, EPERM);
        return;
    }
    struct face_request *r = take(req, &op_mknod, parent, name, NULL, NULL, 0);
    if (r == NULL)
        return;
    r->mode = mode;
    r->flags = O_CREAT | O_EXCL | O_WRONLY;
    face_begin(r, parent, 0);
}

static void reply_read(struct face *face, struct face_request *r)
{
    fuse_reply_buf(r->req, r->out, r->out_len);
}

static const struct face_op op_read = {.name = "read", .run = run_read, .reply = reply_read};

static void reply_write(struct face *face, struct face_request *r)
{
    fuse_reply_write(r->req, r->size);
}

static const struct face_op op_write = {
    .name = "write", .run = run_write, .reply = reply_write, .changing = true, .locks_pages = true};

static const struct face_op op_flush = {
    .name = "flush", .run = run_flush, .reply = reply_done, .changing = true, .settles = true};

static const struct face_op op_fsync = {
    .name = "fsync", .run = run_fsync, .reply = reply_done, .changing = true, .settles = true};

/* The operations on an open file. */
static void begin_on_handle(fuse_req_t req, const struct face_op *op, fuse_ino_t ino, const char *data,
                            size_t size, off_t offset, const struct fuse_file_info *info)
{
    struct face_request *r = take(req, op, ino, NULL, NULL, data, data != NULL ? size : 0);
    if (r == NULL)
        return;
    r->handle = handle_of(info);
    r->size = size;
    r->offset = offset;
    face_begin(r, 0, 0);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
    begin_on_handle(req, &op_read, ino, NULL, size, offset, info);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *info)
{
    begin_on_handle(req, &op_write, ino, data, size, offset, info);
}

static void on_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    begin_on_handle(req, &op_flush, ino, NULL, 0, 0, info);
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *info)
{
    begin_on_handle(req, &op_fsync, ino, NULL, 0, 0, info);
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    fs_release(face_of(req)->tree, handle_of(info));
    fuse_reply_err(req, 0);
}

/* ---- names ---- */

static const struct face_op op_unlink = {
    .name = "unlink", .run = run_unlink, .reply = reply_done, .changing = true};
static const struct face_op op_rmdir = {
    .name = "rmdir", .run = run_rmdir, .reply = reply_done, .changing = true};
static const struct face_op op_rename = {
    .name = "rename", .run = run_rename, .reply = reply_done, .changing = true};

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct face_request *r = take(req, &op_unlink, parent, name, NULL, NULL, 0);
    if (r != NULL)
        face_begin(r, parent, 0);
}

/* The kernel locks the directory that goes as well: what is told of its names waits for the answer. */
static void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct face_request *r = take(req, &op_rmdir, parent, name, NULL, NULL, 0);
    if (r != NULL)
        face_begin(r, parent, fs_child_number(r->face->tree, parent, name));
}

static void on_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                      const char *new_name, unsigned flags)
{
    struct face_request *r = take(req, &op_rename, parent, name, new_name, NULL, 0);
    if (r == NULL)
        return;
    r->new_parent = new_parent;
    r->flags = (int)flags;
    face_begin(r, parent, new_parent);
}

/* ---- the filesystem ---- */

/* There is no such thing as the size of a control plane: what is told is the room for scratch files, so that
 * tools that look before they write go ahead. */
static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
    enum { BLOCK = 4096, SCRATCH = 64 << 20 };
    struct statvfs st = {
        .f_bsize = BLOCK,
        .f_frsize = BLOCK,
        .f_blocks = SCRATCH / BLOCK,
        .f_bfree = SCRATCH / BLOCK,
        .f_bavail = SCRATCH / BLOCK,
        .f_files = 1 << 20,
        .f_ffree = 1 << 20,
        .f_favail = 1 << 20,
        .f_namemax = 255,
    };
    fuse_reply_statfs(req, &st);
}

/* Left to the kernel: locks (local), lseek, fallocate, copy_file_range (read and write), poll, ioctl
 * (ENOTTY). */
const struct fuse_lowlevel_ops face_operations = {
    .init = face_init,
    .lookup = on_lookup,
    .forget = on_forget,
    .forget_multi = on_forget_multi,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .access = on_access,
    .readlink = on_readlink,
    .mknod = on_mknod,
    .mkdir = on_mkdir,
    .symlink = on_symlink,
    .link = on_link,
    .unlink = on_unlink,
    .rmdir = on_rmdir,
    .rename = on_rename,
    .open = on_open,
    .create = on_create,
    .read = on_read,
    .write = on_write,
    .flush = on_flush,
    .fsync = on_fsync,
    .release = on_release,
    .opendir = on_opendir,
    .readdir = on_readdir,
    .readdirplus = on_readdirplus,
    .releasedir = on_releasedir,
    .statfs = on_statfs,
    .getxattr = on_getxattr,
    .listxattr = on_listxattr,
    .setxattr = on_setxattr,
    .removexattr = on_removexattr,
};
