/* SPDX-License-Identifier: Apache-2.0 */
/* The write path's own state: what an inode holds that is only in this mount (inode->local), and what a mount
 * holds of it (tree->overlay). */
#ifndef FS_LOCAL_H
#define FS_LOCAL_H

#include <stdlib.h>

#include "rejected.h"
#include "scratch.h"
#include "tree/tree_private.h"
#include "writing.h"

enum fs_local_kind {
    FS_LOCAL_STAGED,  /* a document while it is written, and a moment longer */
    FS_LOCAL_SCRATCH, /* a scratch file or link */
    FS_LOCAL_DRAFT,   /* the directory of a family or service that is not yet at AWS */
    FS_LOCAL_UNBORN,  /* a name that becomes something at AWS once it is written (tags/<key>) */
};

struct fs_local {
    enum fs_local_kind kind;
};

/* A changing call of a save that nobody waits for any more: a next save waits for its outcome. */
struct fs_pending {
    unsigned refs;
    bool done;
};
enum { FS_PENDING_POLL_MS = 50 };
struct fs_pending *fs_pending_new(void);
struct fs_pending *fs_pending_unref(struct fs_pending *pending);

/* A save's place among those of its file. Part of the save. */
struct fs_turn {
    struct fs_request *rq; /* whose save it is */
    bool taken;
    struct fs_turn *next;
};

struct fs_staged {
    struct fs_local local;
    struct fs_writings writings; /* descriptors open for writing */
    struct fs_turn *turns;       /* saves; the first is under way */
    struct fs_pending *pending;
};

struct fs_scratch_file {
    struct fs_local local;
    struct fs_scratch scratch;
    struct fs_inode *inode;
    unsigned opened;                      /* descriptors */
    int64_t used_ms;                      /* monotonic: made, written, closed, sent */
    bool linked;                          /* has a name; the overlay then holds a reference on the inode */
    struct fs_scratch_file *next, **prev; /* in the overlay, as long as the inode lives */
};

struct fs_draft {
    struct fs_local local;
    struct fs_tree *tree;
    struct fs_inode *inode; /* the overlay holds a reference */
    int desired_count;      /* -1: none written yet */
    pid_t maker;            /* who made it and has seen nothing in it yet; 0: nobody */
    bool tried;             /* a call to create it was made: it may be at AWS, whatever the answer said */
    struct fs_draft *next, **prev;
};

struct fs_unborn {
    struct fs_local local;
};

/* A name of an editable file that was unlinked or renamed away here. */
struct fs_tombstone {
    struct fs_inode *parent; /* referenced */
    char *name;
    int64_t until_ms; /* monotonic */
    struct fs_tombstone *next;
};
enum { FS_TOMBSTONE_MS = 10000 };

struct fs_overlay {
    struct fs_tree *tree;
    struct fs_scratch_pool pool;
    struct fs_scratch_file *scratch;
    struct fs_draft *drafts;
    struct fs_tombstone *tombstones;
    struct fs_rejected rejected;
    struct fs_late_save *late; /* document_late.c */
};

/* NULL where the inode is no such thing. */
struct fs_staged *fs_staged_of(const struct fs_inode *inode);
struct fs_scratch_file *fs_scratch_of(const struct fs_inode *inode);
struct fs_draft *fs_draft_of(const struct fs_inode *inode);

/* ---- staged documents (document_file.c) ---- */

/* Made when there is none; NULL: out of memory, or the inode is something else. */
struct fs_staged *fs_staged_get(struct fs_inode *inode);
/* Nobody needs it: the inode is as its row says again. */
void fs_staged_settle(struct fs_inode *inode);

/* ---- turns (document_turn.c) ---- */

/* The last of those who want to save the file. It has to be given back. */
void fs_turn_take(struct fs_staged *staged, struct fs_turn *turn, struct fs_request *rq);
/* 0: it is this one's turn; FS_PARKED; -ENOMEM. */
int fs_turn_wait(struct fs_view *view, const struct fs_staged *staged, const struct fs_turn *turn);
/* The next one's turn comes. Does nothing for a turn that was given back before. */
void fs_turn_end(struct fs_tree *tree, struct fs_staged *staged, struct fs_turn *turn);

/* ---- scratch (scratch_file.c) ---- */

/* A new scratch file of that name, which is free. `target`: of a symbolic link, or NULL. The inode is
 * referenced by the overlay. 0, -ENOSPC, -ENOMEM. */
int fs_scratch_create(struct fs_tree *tree, struct fs_inode *parent, const char *name, const char *target,
                      struct fs_scratch_file **ret_file);
struct fs_scratch_file *fs_scratch_find(struct fs_tree *tree, const struct fs_inode *parent,
                                        const char *name);
/* What a push that broke off left in an image layout is let go an hour after it was last used. */
enum { FS_SCRATCH_ABANDONED_MS = 3600000 };
int64_t fs_scratch_due_ms(const struct fs_tree *tree); /* monotonic, of the next one; INT64_MAX: none */
void fs_scratch_tick(struct fs_tree *tree);
/* Takes its name away; its bytes go with the last who has it open. */
void fs_scratch_remove(struct fs_tree *tree, struct fs_scratch_file *file);
int fs_scratch_move(struct fs_tree *tree, struct fs_scratch_file *file, struct fs_inode *parent,
                    const char *name);

/* ---- tombstones (tombstone.c) ---- */

int fs_tombstone_add(struct fs_tree *tree, struct fs_inode *parent, const char *name);
bool fs_tombstone_stands(struct fs_tree *tree, const struct fs_inode *parent, const char *name);
void fs_tombstone_remove(struct fs_tree *tree, const struct fs_inode *parent, const char *name);

/* ---- names (change_names.c) ---- */

/* Has the directory files that editors edit? Then other names in it are scratch. */
bool fs_change_editable(const struct fs_node *directory);
/* Is the row a file that can be read and written as a whole? */
bool fs_change_is_edited(const struct fs_node *row);
/* Makes the name of a row with change->symlink point there: one call at most. 0, FS_PARKED, -errno. */
int fs_change_link(struct fs_view *directory, struct fs_view *child, const char *target);
/* What a name in a directory is. */
struct fs_named {
    const struct fs_node *row; /* NULL: none */
    char *id;                  /* malloc'd */
    struct fs_scratch_file *scratch;
    struct fs_draft *draft;
    bool tombstone;
    bool scratchable; /* nothing of AWS's can be called that here, and scratch is allowed */
    bool linkable;    /* also a link: an editor's lock, or what GNU ln renames */
};
/* Refuses a name that is to be made in a directory but belongs elsewhere (change->misplaced): -EPERM, or 0.
 */
int fs_change_placed(struct fs_view *directory, const char *name, mode_t type);
int fs_change_named(struct fs_tree *tree, struct fs_inode *parent, const char *name, struct fs_named *ret);
static inline void fs_named_free(struct fs_named *named)
{
    free(named->id);
}
#define cleanup_named __attribute__((cleanup(fs_named_free)))

/* ---- drafts (draft.c) ---- */

/* `maker`: the process that makes it, 0 where that is not known. */
int fs_draft_create(struct fs_tree *tree, struct fs_inode *parent, const struct fs_node *node,
                    const char *name, const char *id, pid_t maker, struct fs_inode **ret_inode);
/* To the process that made a draft it is as new as any directory: its document is not there until that
 * process creates it (cp -r, tar: O_EXCL) or lists the directory. */
bool fs_draft_hides(const struct fs_request *rq, const struct fs_inode *directory, const char *name);
struct fs_draft *fs_draft_find(struct fs_tree *tree, const struct fs_inode *parent, const char *name);
/* Saved, or removed: the directory is as its row says. */
void fs_draft_end(struct fs_tree *tree, struct fs_draft *draft);
/* The draft a file is in, or NULL. */
struct fs_draft *fs_draft_around(const struct fs_view *view);
/* The key of the document of "web:12", "web" or an ARN; its strings are in `family`. */
void fs_draft_definition_key(const char *text, char *family, size_t size, struct ecs_key *ret_key);
/* "FARGATE" where a task definition must have it and the cluster has no strategy of its own; else NULL. 0,
 * FS_PARKED, -errno. */
int fs_draft_launch_type(struct fs_view *view, const char *definition, const char **ret_type);

/* ---- saving (document_save.c) ---- */

/* Saves a text as the document of the view's row, in as many runs as it takes: FS_PARKED, 0, -errno. What it
 * remembers is in rq->progress; fs_saving tells whether one is under way there. A failure is told
 * to the user, and the text kept in rejected/. `judge` (may be NULL) hears the outcome once, also when the
 * request is interrupted (-EINTR). */
typedef void fs_judge_fn(void *arg, int err);
int fs_document_save(struct fs_view *view, const char *text, size_t len, fs_judge_fn *judge, void *arg);
bool fs_saving(const struct fs_request *rq);
int fs_saving_go_on(struct fs_view *view);
/* Saves with nobody to tell: what a memory mapping wrote after its file was closed. */
void fs_document_save_late(struct fs_tree *tree, struct fs_inode *inode, const char *text, size_t len);
bool fs_late_saves_due(const struct fs_tree *tree);
void fs_late_saves_run(struct fs_tree *tree);
void fs_late_saves_abandon(struct fs_tree *tree);
/* Tells what is wrong with a text that is no JSON object, and keeps it. Returns -EINVAL. */
int fs_document_refuse(struct fs_view *view, const char *text, size_t len);

/* Tells the limit (FS_STAGE_MAX). Returns -EFBIG. */
int fs_document_too_large(struct fs_view *view);
/* Tells the user and keeps the text; returns err. `error` is borrowed. */
int fs_keep_rejected(struct fs_view *view, const char *text, size_t len, struct ecs_error *error);

#endif
