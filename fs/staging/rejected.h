/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of refused saves, newest last, so that no edit is ever lost (.ecsfs/rejected/), and for
 * a few seconds the memory of why: a tool that tries the same text again makes no second call. Pure. */
#ifndef FS_REJECTED_H
#define FS_REJECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecsfs/error.h"

enum {
    FS_REJECTED_KEPT = 64,         /* texts */
    FS_REJECTED_BYTES = 32 << 20,  /* of all texts */
    FS_REJECTED_REMEMBERED = 5000, /* ms beyond the last close */
};

struct fs_rejected_text {
    char *name; /* "2026-11-23T18:20:00Z-web-latest.json", unique */
    char *text;
    size_t len;
    int64_t wall_ms;
    uint64_t ino;            /* of the file it was meant for */
    struct ecs_error *error; /* why; NULL: out of memory */
    int64_t until_ms;        /* monotonic: remembered until then; INT64_MAX: while it is open; 0: not */
};

struct fs_rejected {
    struct fs_rejected_text *texts[FS_REJECTED_KEPT];
    size_t len, bytes;
};

void fs_rejected_free(struct fs_rejected *rejected);

struct fs_rejection {
    uint64_t ino;
    const char *label; /* "web-latest.json" */
    const char *text;
    size_t len;
    struct ecs_error *error; /* referenced */
    bool remember;           /* a verdict on the content */
    bool open;               /* a descriptor is open: remembered until fs_rejected_closed and 5 s more */
    int64_t now_ms, wall_ms;
};
/* Keeps a copy; the oldest go when there are too many. The same text of the same file again only renews
 * what is there. True when there is a new text. */
bool fs_rejected_add(struct fs_rejected *rejected, const struct fs_rejection *rejection);
/* Why that text was refused for that file a moment ago; borrowed; NULL. */
struct ecs_error *fs_rejected_find(const struct fs_rejected *rejected, uint64_t ino, const char *text,
                                   size_t len, int64_t now_ms);
/* The last descriptor of the file was closed. */
void fs_rejected_closed(struct fs_rejected *rejected, uint64_t ino, int64_t now_ms);
/* By its name; NULL. */
const struct fs_rejected_text *fs_rejected_named(const struct fs_rejected *rejected, const char *name);

#endif
