/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a document while somebody writes it, and the decision when it is a save. Pure: no
 * tree, no AWS, no time. See RELIABILITY's table of how editors really save; the rules here are:
 *
 *  - A save is the first of: the write that completes one JSON object from offset 0 on; fsync or
 *    flush of a complete text with something staged. (The fourth, a rename onto the name, brings its own
 * text.)
 *  - An incomplete text at flush is refused for the one who opened the file; a flush by another
 *    process ("(echo {; cat x; echo }) > f": the child's close) leaves it alone.
 *  - A text that can never become one JSON object is refused in the very write that broke it, for
 *    a shell loses what close says.
 *  - Empty never commits; without new bytes there is no save.
 *  - A refusal sticks to fsync and every flush until the next write. */
#ifndef FS_STAGE_H
#define FS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecsfs/buf.h"
#include "stage_scan.h"

enum { FS_STAGE_MAX = 4 << 20 }; /* bytes of a document; beyond it -EFBIG */

struct fs_stage {
    struct ecs_buf text;
    struct fs_scan scan; /* of the text's beginning, while `straight` */
    bool begun;          /* the text stands for the file's: it was emptied, or seeded with what was there */
    bool straight;       /* written in order from offset 0 up to scan.at */
    bool staged;         /* bytes that no save has judged */
    bool mapped;         /* the last of them came from a memory mapping */
    int verdict;         /* of the last save: 0 or -errno; sticky until the next write */
    uint64_t writes;     /* grows with each: a save that was overtaken does not judge what came later */
};

/* What the caller has to do. Negative: refuse with this errno. */
enum fs_stage_step {
    FS_STAGE_DONE,   /* nothing */
    FS_STAGE_SAVE,   /* save the text, then fs_stage_judge() */
    FS_STAGE_BROKEN, /* the text is no JSON object: tell the user so, then fs_stage_judge() */
};

void fs_stage_init(struct fs_stage *stage);
void fs_stage_free(struct fs_stage *stage);

/* Opened without O_TRUNC: the first write or truncation needs the file's text before it. */
static inline bool fs_stage_wants_text(const struct fs_stage *stage)
{
    return !stage->begun;
}
/* 0, -ENOMEM, -EFBIG. */
int fs_stage_seed(struct fs_stage *stage, const char *text, size_t len);

/* `mapped`: the page cache writes for a memory mapping (FUSE gives pid 0), at times and in pieces of
 * its own: such a write neither saves nor fails. After -EFBIG and -ENOMEM the stage is as before. */
int fs_stage_write(struct fs_stage *stage, const char *data, size_t len, uint64_t offset, bool mapped);
/* To 0 (also O_TRUNC): begins anew. Never a save. */
int fs_stage_truncate(struct fs_stage *stage, uint64_t size);
int fs_stage_fsync(struct fs_stage *stage);
int fs_stage_flush(struct fs_stage *stage, bool by_opener);
/* Nobody has it open any more. SAVE only for what a mapping wrote after the last close. */
int fs_stage_release(struct fs_stage *stage);

/* The outcome of a save that began when stage->writes was `writes`. err 0 or -errno. */
void fs_stage_judge(struct fs_stage *stage, uint64_t writes, int err);

#endif
