/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a layer on its way to ECR: in a file without a name, which goes with its descriptor. Pure. */
#ifndef FS_SPOOL_H
#define FS_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct fs_spool;

/* In TMPDIR, or /var/tmp. 0 or -errno. */
int fs_spool_new(struct fs_spool **ret_spool);
struct fs_spool *fs_spool_free(struct fs_spool *spool); /* NULL is fine; returns NULL */

uint64_t fs_spool_size(const struct fs_spool *spool);
/* All of it or -errno (-ENOSPC: the disk is full; the file is then as long as it was). */
int fs_spool_write(struct fs_spool *spool, const char *data, size_t len, uint64_t offset);
int fs_spool_truncate(struct fs_spool *spool, uint64_t size);
/* Borrowed until the next read; *ret_len 0 at the end. At most 8 MiB at a time. 0 or -errno. */
int fs_spool_read(struct fs_spool *spool, size_t size, uint64_t offset, const char **ret_data,
                  size_t *ret_len);
/* 64 hex digits of the SHA-256 and NUL. What was written in order is hashed already. 0 or -errno. */
int fs_spool_sha256(struct fs_spool *spool, char hex[65]);

#endif
