/* SPDX-License-Identifier: Apache-2.0 */
/* Where the state is kept: SQLite, one row a record. The working set is in memory; every request
 * and every tick that changed something is one transaction, committed before its answer goes out,
 * so a kill at any moment leaves whole requests behind.
 *
 * Blobs (image layers and manifests) live only here. A store without a file keeps its blobs in an
 * in-memory database, and no records at all. */
#ifndef LOCAL_STORE_H
#define LOCAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ecs_error;
struct store;

/* NULL file: in memory. NULL with *ret_error set: cannot be opened, or is not a state file of ours. */
struct store *store_open(const char *file, struct ecs_error **ret_error);
struct store *store_close(struct store *store);
/* Records are worth writing (there is a file). */
bool store_keeps(const struct store *store);

/* 0 or -EIO, -ENOSPC, -EBUSY. */
int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);
int store_put(struct store *store, const char *region, const char *kind, const char *key, const char *body,
              size_t len);
int store_delete(struct store *store, const char *region, const char *kind, const char *key);

/* Every record of a kind, in the order of its creation. Stops at the first non-zero return. */
typedef int store_each_fn(void *arg, const char *region, const char *key, const char *body, size_t len);
int store_each(struct store *store, const char *kind, store_each_fn *each, void *arg);

/* Blobs by name, in parts: an upload appends under a name of its own, and is renamed once it is
 * whole. What is left of uploads (names beginning with "upload/") goes when the store is opened. */
int store_blob_append(struct store *store, const char *name, const void *data, size_t len);
int64_t store_blob_size(struct store *store, const char *name); /* -ENOENT */
/* Up to `size` bytes from `offset`; the count read, 0 at the end. */
int64_t store_blob_read(struct store *store, const char *name, int64_t offset, void *data, size_t size);
int store_blob_rename(struct store *store, const char *from, const char *to);
int store_blob_delete(struct store *store, const char *name);
/* All whose name begins so. */
int store_blob_delete_all(struct store *store, const char *prefix);

#endif
