/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

int fs_scratch_init(struct fs_scratch *scratch, struct fs_scratch_pool *pool, const char *target)
{
    if (pool->files == FS_SCRATCH_FILES)
        return -ENOSPC;
    *scratch = (struct fs_scratch){.pool = pool, .text = ECS_BUF(FS_SCRATCH_FILE_MAX)};
    if (target) {
        scratch->target = strdup(target);
        if (!scratch->target)
            return -ENOMEM;
    }
    pool->files++;
    return 0;
}

void fs_scratch_free(struct fs_scratch *scratch)
{
    if (!scratch->pool)
        return;
    scratch->pool->files--;
    scratch->pool->bytes -= scratch->text.len;
    ecs_buf_free(&scratch->text);
    fs_spool_free(scratch->spool);
    free(scratch->target);
    *scratch = (struct fs_scratch){0};
}

/* May the file be that long? */
static int reserve(const struct fs_scratch *scratch, uint64_t len)
{
    size_t now = scratch->text.len;
    if (len > FS_SCRATCH_FILE_MAX)
        return -ENOSPC;
    if (len > now && len - now > FS_SCRATCH_POOL_MAX - scratch->pool->bytes)
        return -ENOSPC;
    return 0;
}

static int account(struct fs_scratch *scratch, size_t before, int r)
{
    scratch->pool->bytes += scratch->text.len - before; /* modular: it may have shrunk */
    scratch->text.failed = 0;
    return r;
}

uint64_t fs_scratch_size(const struct fs_scratch *scratch)
{
    return scratch->spool ? fs_spool_size(scratch->spool) : scratch->text.len;
}

/* What grows too long for memory goes on on disk. */
static int spill(struct fs_scratch *scratch, uint64_t len)
{
    if (scratch->spool || !scratch->spills || len <= FS_SCRATCH_SPILL)
        return 0;
    struct fs_spool *spool = NULL;
    int r = fs_spool_new(&spool);
    if (r == 0 && scratch->text.len)
        r = fs_spool_write(spool, scratch->text.data, scratch->text.len, 0);
    if (r < 0) {
        fs_spool_free(spool);
        return r;
    }
    scratch->pool->bytes -= scratch->text.len;
    ecs_buf_free(&scratch->text);
    scratch->spool = spool;
    return 0;
}

int fs_scratch_write(struct fs_scratch *scratch, const char *data, size_t len, uint64_t offset)
{
    uint64_t end;
    if (len == 0)
        return 0;
    if (__builtin_add_overflow(offset, len, &end))
        return -ENOSPC;
    int r = spill(scratch, end);
    if (r == 0 && scratch->spool)
        return fs_spool_write(scratch->spool, data, len, offset);
    if (r == 0)
        r = reserve(scratch, end);
    if (r < 0)
        return r;
    size_t before = scratch->text.len;
    return account(scratch, before, ecs_buf_put(&scratch->text, (size_t)offset, data, len));
}

int fs_scratch_truncate(struct fs_scratch *scratch, uint64_t size)
{
    int r = spill(scratch, size);
    if (r == 0 && scratch->spool)
        return fs_spool_truncate(scratch->spool, size);
    if (r == 0)
        r = reserve(scratch, size);
    if (r < 0)
        return r;
    size_t before = scratch->text.len;
    return account(scratch, before, ecs_buf_truncate(&scratch->text, (size_t)size));
}

int fs_scratch_read(struct fs_scratch *scratch, size_t size, uint64_t offset, const char **ret_data,
                    size_t *ret_len)
{
    *ret_data = "";
    *ret_len = 0;
    if (scratch->spool)
        return fs_spool_read(scratch->spool, size, offset, ret_data, ret_len);
    if (offset >= scratch->text.len)
        return 0;
    size_t rest = scratch->text.len - (size_t)offset;
    *ret_data = scratch->text.data + offset;
    *ret_len = rest < size ? rest : size;
    return 0;
}

int fs_scratch_name(const char *name)
{
    static const char *const patterns[] = {
        "*~",
        ".*.sw[a-px]",
        ".*.swpx",
        "#*#",
        ".#*",
        "4913",
        ".~lock.*",
        "*.tmp",
        ".*.??????",
        "sed??????",
        "perl????????",
        "*.tmp.*",
        ".goutputstream-*",
        ".nfs*",
        "*.orig",
        "*.rej",
        "*.bak",
    };
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        if (fnmatch(patterns[i], name, 0) == 0)
            return 1;
    }
    return 0;
}

int fs_scratch_link_name(const char *name)
{
    return strncmp(name, ".#", 2) == 0;
}
