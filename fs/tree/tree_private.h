/* SPDX-License-Identifier: Apache-2.0 */
/* The tree's own state. For the files of this folder that make up the tree and the write path; rows
 * (node_*.c) get by with node.h. */
#ifndef FS_TREE_PRIVATE_H
#define FS_TREE_PRIVATE_H

#include "ecsfs/backend.h"
#include "ecsfs/clock.h"
#include "node.h"
#include "staging/overlay.h"
#include "times.h"
#include "tree.h"

struct fs_errors;  /* errors.c: the last failures */
struct fs_journal; /* journal.c */
struct fs_absent;  /* changed.c: names that the kernel was told not to be there */
struct fs_sleeper; /* sleep.c */
struct fs_late;    /* scalar.c: values that act when their file is closed */
struct fs_layer_cache;
struct fs_public;  /* public_registry.c */
struct fs_outcome; /* act.c: a call whose outcome is to be journaled */

struct fs_inodes {
    struct fs_inode **by_ino; /* chains, power of two */
    size_t ino_size, len;
    struct fs_inode_more **by_key;
    size_t key_size, key_len;
    struct fs_inode *unused[256]; /* new, not yet remembered by anybody; a ring */
    size_t unused_at;
};

struct fs_tree {
    struct fs_options options; /* strings are owned copies */
    struct fs_kernel kernel;
    struct ecs_cache *cache;     /* NULL until fs_tree_start */
    struct ecs_backend *backend; /* NULL until fs_tree_start */
    const struct ecs_clock *clock;
    int64_t started_ms;             /* wall: the time of what has none of its own */
    bool no_deployments;            /* the endpoint does not know service deployments (deployments.h) */
    bool no_pull_through;           /* nor pull-through cache rules (pull_through.c) */
    int64_t pull_through_denied_ms; /* monotonic: until then they are not asked for */
    uint64_t epoch;                 /* grows whenever anything shown may have changed; never 0 */

    struct fs_inodes inodes;
    struct fs_inode *root;
    struct fs_inode_more *watchers; /* inodes whose row watches kinds */
    struct fs_errors *errors;
    struct fs_journal *journal;
    struct fs_absent *absent;
    struct fs_times *times;
    struct fs_overlay *overlay;
    struct fs_sleeper *sleepers;
    struct fs_outcome *outcomes;
    struct fs_late *late;
    struct fs_public *open_registry; /* NULL until used */
    struct fs_layer_cache *layers;   /* NULL: none are kept */
};

static inline int64_t fs_now_ms(const struct fs_tree *tree)
{
    return tree->clock->now_ms(tree->clock);
}
static inline int64_t fs_wall_ms(const struct fs_tree *tree)
{
    return tree->clock->wall_ms(tree->clock);
}

/* inode.c */
int fs_inodes_init(struct fs_tree *tree);
void fs_inodes_free(struct fs_tree *tree);
/* Made when there is none; NULL: out of memory. */
struct fs_inode_more *fs_inode_more(struct fs_inode *inode);
/* Each inode that bears the key, one after another: NULL starts. */
struct fs_inode *fs_inode_by_key(struct fs_tree *tree, const struct ecs_key *key, struct fs_inode *after);

/* errors.c: newest last. `path` may be NULL. */
struct fs_errors *fs_errors_new(void);
struct fs_errors *fs_errors_free(struct fs_errors *errors);
/* `writing`: each is told; of a read's, the same is told once a minute. */
void fs_errors_record(struct fs_tree *tree, const char *path, const struct ecs_error *error, bool writing);
void fs_errors_clear(struct fs_tree *tree, const char *path); /* a write succeeded */
/* The last error of that path, not cleared since; borrowed; NULL. */
const struct ecs_error *fs_errors_last(const struct fs_tree *tree, const char *path);
int fs_errors_show(const struct fs_tree *tree, struct ecs_buf *text);

/* journal.c. NULL with errno when the file cannot be opened. */
struct fs_journal *fs_journal_new(const char *file);
struct fs_journal *fs_journal_free(struct fs_journal *journal);
struct fs_journal_row {
    int64_t wall_ms;
    uid_t uid;
    pid_t pid;
    const char *path, *operation, *arguments;
    const struct ecs_error *error; /* NULL: success */
    const char *note;              /* "dry run", or NULL */
};
void fs_journal_add(struct fs_journal *journal, const struct fs_journal_row *row);
int fs_journal_show(const struct fs_journal *journal, struct ecs_buf *text);
/* What a call was about, short: a few members with their values, of the others the names alone, for they may
 * be documents or secrets. */
int fs_journal_arguments(const char *operation, const char *body, struct ecs_buf *text);

/* act.c, scalar.c: the tree goes away */
void fs_outcomes_abandon(struct fs_tree *tree);
void fs_late_abandon(struct fs_tree *tree);

/* changed.c */
struct fs_absent *fs_absent_new(void);
struct fs_absent *fs_absent_free(struct fs_absent *absent);
/* The kernel was told that the name is not there, and may believe it for a while. */
void fs_absent_note(struct fs_tree *tree, const struct fs_inode *parent, const char *name);
/* Everything known below (and at) the inode may have changed. */
void fs_tell_below(struct fs_tree *tree, struct fs_inode *inode);
/* The root's /.ecsfs/<name>, when the kernel knows it. */
void fs_tell_own(struct fs_tree *tree, const char *name);

/* sleep.c */
void fs_sleep_cancel(struct fs_tree *tree, struct fs_request *rq);
int fs_sleep_timeout_ms(const struct fs_tree *tree);
void fs_sleep_tick(struct fs_tree *tree);
void fs_sleep_free(struct fs_tree *tree);

/* view.c: begins an operation on an inode (forgets the last question's error). */
void fs_begin(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode);
/* Lets go of what the request holds. */
void fs_progress_free(struct fs_request *rq);

#endif
