/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of scratch files: what editors and tools write beside a document before they rename it into
 * place, their locks, backups and swap files. In memory only, bounded, never sent. Layers on their way to ECR
 * are the exception: they spill to disk. Pure. */
#ifndef FS_SCRATCH_H
#define FS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecsfs/buf.h"
#include "spool.h"

enum {
    FS_SCRATCH_FILE_MAX = 16 << 20, /* bytes of a file */
    FS_SCRATCH_POOL_MAX = 64 << 20, /* bytes of all files of a mount */
    FS_SCRATCH_FILES = 1024,
    FS_SCRATCH_SPILL = 4 << 20, /* bytes: no manifest is larger */
};

/* What all files of a mount share; begins all-zero. */
struct fs_scratch_pool {
    size_t bytes, files;
};

struct fs_scratch {
    struct fs_scratch_pool *pool;
    struct ecs_buf text;
    char *target;           /* of a symbolic link; else NULL */
    bool spills;            /* it may be large (a layer): beyond FS_SCRATCH_SPILL it is on disk */
    struct fs_spool *spool; /* then; text is empty */
    int64_t modified_ms;    /* wall */
};

/* `target` NULL makes a file. 0, -ENOSPC, -ENOMEM. */
int fs_scratch_init(struct fs_scratch *scratch, struct fs_scratch_pool *pool, const char *target);
void fs_scratch_free(struct fs_scratch *scratch);

uint64_t fs_scratch_size(const struct fs_scratch *scratch);
/* All of it or nothing: -ENOSPC beyond the bounds, -ENOMEM. */
int fs_scratch_write(struct fs_scratch *scratch, const char *data, size_t len, uint64_t offset);
int fs_scratch_truncate(struct fs_scratch *scratch, uint64_t size);
/* Borrowed until the next change or read; *ret_len 0 at the end. 0, or -errno of the disk. */
int fs_scratch_read(struct fs_scratch *scratch, size_t size, uint64_t offset, const char **ret_data,
                    size_t *ret_len);

/* Names that only an editor gives to what it keeps for itself: they are scratch even where any name could be
 * a resource of AWS (a tag's key). */
int fs_scratch_name(const char *name);
/* Of those, the ones that are links: ".#td.json -> me@host.123:456", emacs's lock. */
int fs_scratch_link_name(const char *name);

#endif
