/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a row: rendering it, and knowing without rendering whether it changed. */
#ifndef FS_TEXT_H
#define FS_TEXT_H

#include "node.h"

/* A stamp differs when the text does; never 0. Rendered into `text` only when there is no cheaper way
 * to tell (then text->len is its length). 0, FS_PARKED, -errno. */
int fs_text_stamp(struct fs_view *view, uint64_t *ret_stamp, struct ecs_buf *text, bool *ret_rendered);
/* Length of the text; remembers it in the view's inode, if any. */
int fs_text_size(struct fs_view *view, off_t *ret_size);
/* Is it a file that people write? Then its time is that of its text alone. */
bool fs_text_is_edited(const struct fs_node *row);
/* When the text last changed, as far as is known here, of an inode's view (wall); 0: not since it is known.
 * After fs_text_size. */
int64_t fs_text_changed_ms(const struct fs_view *view);

#endif
