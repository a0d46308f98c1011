/* SPDX-License-Identifier: Apache-2.0 */
/* Who writes a document: each descriptor has a stage of its own, for two who save a whole text at once must
 * never make one text of them. Pure, as stage.h.
 *
 * Nobody sees another's unsaved bytes, with one exception: for who opens a file that somebody just emptied
 * and did not write to yet, it is empty (exec 3>f; cat x >>f). */
#ifndef FS_WRITING_H
#define FS_WRITING_H

#include <stdbool.h>
#include <sys/types.h>

#include "stage.h"

struct fs_writing {
    struct fs_stage stage;
    unsigned refs;      /* the descriptor, and each save of it that is under way */
    bool maps;          /* the descriptor may be mapped for writing: it is open for reading too */
    pid_t writer;       /* who wrote last: sees what it wrote */
    int64_t written_ms; /* wall */
    uint64_t saving;    /* stage.writes + 1 of the save under way; 0: none */
    struct fs_writing *next, **prev;
};

/* Of one file; the newest first. */
struct fs_writings {
    struct fs_writing *newest;
};

/* A descriptor is opened for writing, and has one reference; NULL: out of memory. */
struct fs_writing *fs_writing_open(struct fs_writings *writings, bool maps, pid_t writer);
/* It is closed. */
void fs_writing_close(struct fs_writing *writing);
struct fs_writing *fs_writing_ref(struct fs_writing *writing);
void fs_writing_unref(struct fs_writing *writing);

/* Did another empty the file, and nobody write since? Then a stage that wants a text is seeded with none. */
bool fs_writings_emptied(const struct fs_writings *writings, const struct fs_writing *except);
/* The kernel writes a mapping's pages through any descriptor: whose they are. */
struct fs_writing *fs_writing_mapped(const struct fs_writings *writings, struct fs_writing *through);

#endif
