/* SPDX-License-Identifier: Apache-2.0 */
/* The store's file: records appended one after another, found through an index in memory. Made for damage: a
 * record that does not match its checksum is as good as absent, and what follows a broken one is cut off.
 *
 *     $ head -c 20 ~/.cache/ecsfs/123456789012-eu-west-1-0f3c....docs
 *     ecsfs documents 1
 */
#ifndef CACHE_STORE_FILE_H
#define CACHE_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_file;

/* Opens or creates dir/name; dir and its missing parents are made with mode 0700, the file with 0600. Only
 * one process writes: another reads what was there. 0 or -errno: -EPERM when the directory or the file is
 * somebody else's or open to others. */
int store_file_open(const char *dir, const char *name, struct store_file **ret_file);
struct store_file *store_file_close(struct store_file *file); /* NULL is fine; returns NULL */

/* Text of a key, malloc'd with a NUL; NULL: there is none, or it is damaged. */
char *store_file_get(struct store_file *file, const char *kind, const char *parent, const char *id,
                     size_t *ret_len);
bool store_file_has(const struct store_file *file, const char *kind, const char *parent, const char *id);
/* 0 or -errno; -EROFS when another process writes. */
int store_file_put(struct store_file *file, const char *kind, const char *parent, const char *id,
                   const char *text, size_t len);
int store_file_remove(struct store_file *file, const char *kind, const char *parent, const char *id);
/* Drops everything. */
int store_file_clear(struct store_file *file);

#endif
