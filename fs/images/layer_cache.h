/* SPDX-License-Identifier: Apache-2.0 */
/* Layers on disk, by digest: what was read once from its beginning to its end, and hashed to its name, is not
 * downloaded again, by this mount or another. Bounded: the ones that were read longest ago go. Pure. */
#ifndef FS_LAYER_CACHE_H
#define FS_LAYER_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct fs_layer_cache;
struct fs_layer_writer;

/* In the directory, which is made with mode 0700; at most so many bytes of layers. NULL with errno. */
struct fs_layer_cache *fs_layer_cache_new(const char *directory, uint64_t most);
struct fs_layer_cache *fs_layer_cache_free(struct fs_layer_cache *cache); /* takes NULL; returns NULL */

/* In all of these the cache may be NULL: then nothing is kept. `digest` is "sha256:" and 64 hex digits. */

/* The caller closes the descriptor. What is not of that length is not there (UINT64_MAX: any length).
 * -ENOENT. */
int fs_layer_cache_open(struct fs_layer_cache *cache, const char *digest, uint64_t size);
/* It is not what its name says. */
void fs_layer_cache_drop(struct fs_layer_cache *cache, const char *digest);

/* A layer of that length comes. NULL: it is not to be kept (too large, or the disk does not let us). */
struct fs_layer_writer *fs_layer_cache_begin(struct fs_layer_cache *cache, const char *digest, uint64_t size);
/* Its next bytes. What cannot be written is not kept; nobody need care. */
void fs_layer_writer_add(struct fs_layer_writer *writer, const void *data, size_t len);
/* It came whole, and hashed to its name: it is kept, and others make room. Frees the writer. NULL is fine. */
void fs_layer_writer_keep(struct fs_layer_writer *writer);
void fs_layer_writer_free(struct fs_layer_writer *writer); /* it did not; NULL is fine */

#endif
