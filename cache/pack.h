/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps texts small: zstd, with one dictionary a kind of document, learned from the first ones seen, for
 * documents of a kind differ in a few names and numbers only. Any thread. */
#ifndef CACHE_PACK_H
#define CACHE_PACK_H

#include <stddef.h>

#include "ecsfs/buf.h"

struct ecs_packing; /* a dictionary and the number of texts that need it */

/* Packs a text. `slot` (an ecs_kind_id) chooses the dictionary. On success *packed holds the bytes, or the
 * text itself where packing gained nothing (then packed->len == len), and *ret_packing is what
 * unpacking needs (NULL: none), to be let go with ecs_packing_unref. 0 or -ENOMEM. */
int ecs_pack(unsigned slot, const char *text, size_t len, struct ecs_buf *packed,
             struct ecs_packing **ret_packing);

/* The text of `len` bytes again, with a NUL after it; malloc'd. NULL: out of memory, or damaged bytes (which
 * only a file on disk can hold). */
char *ecs_unpack(const void *packed, size_t packed_len, size_t len, const struct ecs_packing *packing);

struct ecs_packing *ecs_packing_unref(struct ecs_packing *packing);

#endif
