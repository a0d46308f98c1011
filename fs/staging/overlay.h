/* SPDX-License-Identifier: Apache-2.0 */
/* What exists in this mount only: drafts, scratch files, tombstones, staged documents. The write
 * path's; the tree asks it here. */
#ifndef FS_OVERLAY_H
#define FS_OVERLAY_H

#include "tree/node.h"

enum { FS_NOT_LOCAL = 2 }; /* nothing local of that name: ask the rows */

struct fs_overlay;

struct fs_overlay *fs_overlay_new(struct fs_tree *tree); /* NULL: out of memory */
/* At the end, before the inodes are freed: those that still hold a `local` follow, each through
 * fs_overlay_inode_free. */
struct fs_overlay *fs_overlay_free(struct fs_overlay *overlay);

/* 0 with *ret_inode; -ENOENT: hidden here (a tombstone, a draft's document); FS_NOT_LOCAL. */
int fs_overlay_lookup(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
                      struct fs_inode **ret_inode);
/* Names that are only here; and names of AWS that are hidden. */
typedef int fs_overlay_emit_fn(void *arg, const char *name, mode_t type);
int fs_overlay_list(struct fs_tree *tree, struct fs_inode *parent, fs_overlay_emit_fn *emit, void *arg);
bool fs_overlay_hides(struct fs_tree *tree, struct fs_inode *parent, const char *name);
/* Attributes of a scratch file, a draft, the size of a staged document: `attr` is preset with owner, mode,
 * number and times. 0, or FS_NOT_LOCAL. Called only for inodes with `local`. */
int fs_overlay_attr(struct fs_view *view, struct fs_attr *attr);
int fs_overlay_readlink(struct fs_view *view, struct ecs_buf *text); /* only with `local` */
/* Is the directory a draft? Then every row with a store or document is there, empty, and nothing else;
 * and its stores are this: as fs_node.store, with the same restart rules as fs_write. */
bool fs_overlay_is_draft(const struct fs_inode *directory);
/* The caller was shown what is in the directory. */
void fs_overlay_shown(const struct fs_request *rq, struct fs_inode *directory);
/* What a file of a draft shows: what was written to it and is kept with the draft. */
int fs_overlay_draft_show(struct fs_view *view, struct ecs_buf *text);
int fs_overlay_draft_store(struct fs_view *view, const char *text, struct ecs_action **ret_action);
/* The inode goes away: frees inode->local. Only with `local`. */
void fs_overlay_inode_free(struct fs_inode *inode);
/* Which ops open it; only with `local`; NULL: as its row says. */
const struct fs_file_ops *fs_overlay_ops(const struct fs_inode *inode, int flags);
/* Milliseconds until tick has something to do; -1: nothing. */
int fs_overlay_timeout_ms(struct fs_tree *tree);
void fs_overlay_tick(struct fs_tree *tree);

#endif
