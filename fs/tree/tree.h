/* SPDX-License-Identifier: Apache-2.0 */
/* The tree, as the FUSE face sees it: paths in, bytes and errnos out. No FUSE type is known here, so
 * all of it is tested without a mount. The face (face*.c) translates; the tree decides.
 *
 * Loop thread only; nothing blocks. An operation returns 0, -errno, or FS_PARKED: it waits, and
 * rq->want.wake will be called once; the face then calls the same function with the same arguments
 * again. What such an operation must remember between its runs is in rq->progress. */
#ifndef FS_TREE_H
#define FS_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "ecsfs/buf.h"
#include "ecsfs/cache.h"

enum { FS_PARKED = ECS_PARKED };

struct fs_tree;
struct fs_inode;
struct fs_handle;   /* an open file */
struct fs_progress; /* of a changing operation that is under way */

/* One operation of a caller. The face embeds it, sets want.since_ms and want.wake, and ends it with
 * fs_request_end (done) or fs_request_interrupt (a signal came; reply EINTR afterwards). */
struct fs_request {
    struct ecs_want want;
    uid_t uid;
    gid_t gid;
    pid_t pid;
    bool peek;    /* never fetch and never wait: FS_PARKED means "not known now" and nothing was parked */
    bool listing; /* asks whether a name is to be listed; what only who names it may read is not */
    bool patient; /* set by an operation that waits for the world, not for an answer: no deadline */
    struct fs_progress *progress;
};

struct fs_attr {
    struct stat st;      /* st_ino is the node id; stable across remounts */
    int64_t valid_ms;    /* how long the kernel may keep it; INT64_MAX: for ever */
    uint64_t generation; /* of the number: another one once the directory was removed */
};

struct fs_options {
    const char *source;  /* "aws", "aws:eu-west-1", "local", "local:FILE": as given */
    const char *options; /* the mount options as given, for .ecsfs/options.json (no secrets in it) */
    uid_t uid;           /* owner of everything */
    gid_t gid;
    bool ro, allow_delete, dry_run, posix_errno;
    int64_t stale_ms;
    const char *journal_file; /* appended to; opened by fs_tree_new, before the mount; NULL: memory only */
    const char *layer_dir;    /* where layers are kept (layer_cache.h); NULL: nowhere */
    uint64_t layer_bytes;     /* at most; 0: none are kept */
    const struct ecs_clock *clock;
};

/* What the tree tells the kernel; called on the loop thread, must only queue. */
struct fs_kernel {
    void (*inval_inode)(void *arg, uint64_t ino, bool attr_only);
    void (*inval_entry)(void *arg, uint64_t parent, const char *name);
    void *arg;
};

/* The cache is created with fs_tree_changed as its callback and the tree as its argument, and given
 * here afterwards by fs_tree_start. NULL with errno. */
struct fs_tree *fs_tree_new(const struct fs_options *options, const struct fs_kernel *kernel);
void fs_tree_start(struct fs_tree *tree, struct ecs_cache *cache, struct ecs_backend *backend);
struct fs_tree *fs_tree_free(struct fs_tree *tree); /* before the cache is freed; takes NULL; returns NULL */
void fs_tree_changed(void *tree, const struct ecs_key *key);
/* Milliseconds until fs_tree_tick has something to do (tombstones heal, drafts...); -1: nothing. */
int fs_tree_timeout_ms(struct fs_tree *tree);
void fs_tree_tick(struct fs_tree *tree);

/* Every operation of a request ends with exactly one of these. end: `r` is its result and `inode` what it was
 * about (NULL: unknown): a failure of AWS or of a user's text is recorded for .ecsfs/errors and the xattr.
 * Returns the errno to reply with (posix_errno folds some). */
int fs_request_end(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int r);
void fs_request_interrupt(struct fs_tree *tree, struct fs_request *rq);

/* Inodes. The root's number is 1. An inode stays while the kernel knows it (lookup count), somebody has it
 * open, or a child of it does. fs_remember adds to the lookup count: once for each entry replied. */
struct fs_inode *fs_inode_find(struct fs_tree *tree, uint64_t ino);
uint64_t fs_inode_number(const struct fs_inode *inode);
/* The number that a name in a directory has or would have; 0: the directory is not known. */
uint64_t fs_child_number(struct fs_tree *tree, uint64_t parent, const char *name);
void fs_remember(struct fs_tree *tree, struct fs_inode *inode);
void fs_forget(struct fs_tree *tree, uint64_t ino, uint64_t nlookup);

/* Names and attributes. *ret_entry_valid_ms: how long the kernel may believe the name, or, with -ENOENT,
 * its absence (0: not at all). */
int fs_lookup(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
              struct fs_inode **ret_inode, int64_t *ret_entry_valid_ms);
int fs_getattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_attr *ret_attr);
/* The file's own errors and staleness; "user.ecsfs.error", "user.ecsfs.stale", ... -ENODATA. */
int fs_getxattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, const char *name,
                struct ecs_buf *ret_value);
int fs_listxattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode,
                 struct ecs_buf *ret_names);
int fs_readlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode,
                struct ecs_buf *ret_target);
int fs_access(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int mask);

/* A directory's names, as they were when it was opened; "." and ".." are the face's. */
struct fs_dirent {
    const char *name;
    mode_t type; /* S_IFDIR, S_IFREG, S_IFLNK */
    uint64_t ino;
};
struct fs_dir {
    struct fs_dirent *entries;
    size_t len;
    char *names; /* what the entries' names point into */
};
int fs_readdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_dir **ret_dir);
struct fs_dir *fs_dir_free(struct fs_dir *dir);

/* Files. How the face opens it for the kernel. */
struct fs_open_hints {
    bool keep_cache; /* the pages the kernel holds are what open would read */
    bool direct_io;  /* no size known, or a handle for writing scalars and streams */
    bool no_flush;   /* read only: nothing happens at flush */
    bool nonseekable;
};
int fs_open(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int flags,
            struct fs_handle **ret_handle, struct fs_open_hints *ret_hints);
/* *ret_data is borrowed until the next call; *ret_len 0 at the end of file. */
int fs_read(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle, size_t size, off_t offset,
            const char **ret_data, size_t *ret_len);
/* Takes all of it or fails. */
int fs_write(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle, const char *data,
             size_t len, off_t offset);
int fs_flush(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle);
int fs_fsync(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle);
void fs_release(struct fs_tree *tree, struct fs_handle *handle);
struct fs_inode *fs_handle_inode(const struct fs_handle *handle);

/* handle may be NULL. */
int fs_truncate(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_handle *handle,
                off_t size);
/* chmod, chown, utimens: succeed and do nothing where nothing is lost by it. */
int fs_setattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode);
int fs_create(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
              mode_t mode, int flags, struct fs_inode **ret_inode, struct fs_handle **ret_handle,
              struct fs_open_hints *ret_hints);
int fs_mkdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
             mode_t mode, struct fs_inode **ret_inode);
int fs_symlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
               const char *target, struct fs_inode **ret_inode);
int fs_unlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name);
int fs_rmdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name);
/* flags: RENAME_NOREPLACE; others are -EINVAL. */
int fs_rename(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *from, const char *name,
              struct fs_inode *to, const char *new_name, unsigned flags);

#endif
