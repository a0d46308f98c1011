/* SPDX-License-Identifier: Apache-2.0 */
/* From names to rows: what a directory's rows say of a name, without and with asking the cache. */
#ifndef FS_ROWS_H
#define FS_ROWS_H

#include "node.h"

static inline bool fs_row_ends(const struct fs_node *row)
{
    return row->mode == 0;
}

/* Is a directory entry's name one of the directory's fixed rows? `directory` is a struct fs_node. */
bool fs_row_taken(const void *directory, const char *name);
/* The name of a child of a row without a name. malloc'd; NULL: out of memory. */
char *fs_row_name(const struct fs_node *directory, const struct fs_node *row, const char *id);
/* A directory of a row that nests, but no resource itself: only what lies below it is there. 0, -ENOENT,
 * FS_PARKED, -errno: of the resource. */
int fs_row_nest_present(struct fs_view *directory);
/* The key of the list that a directory's row without a name shows. Its strings live in the view. */
void fs_row_list_key(struct fs_view *directory, const struct fs_node *row, struct ecs_key *ret_key);
/* May be absent: needs a question before it is shown. */
bool fs_row_conditional(const struct fs_node *row);
/* Has it a way to be written? */
bool fs_row_writable(const struct fs_node *row);
/* Did the last question fail because the endpoint does not know the operation? */
bool fs_unknown_operation(const struct fs_view *view, int r);
/* The children of a row without a name. */
int fs_row_list(struct fs_view *directory, const struct fs_node *row, fs_emit_fn *emit, void *arg);

#endif
