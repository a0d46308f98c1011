/* SPDX-License-Identifier: Apache-2.0 */
/* When a file's text last changed, remembered beyond its inode: the kernel forgets inodes when it likes, and
 * a time that went back would have make, rsync and editors take an old file for a new one, or a new one for
 * old. */
#ifndef FS_TIMES_H
#define FS_TIMES_H

#include <stdint.h>

struct fs_times;

struct fs_time {
    uint64_t ino;       /* 0: an empty place */
    uint64_t stamp;     /* of the text */
    int64_t changed_ms; /* wall; 0: not since it is known */
};

enum { FS_TIMES_MAX = 1 << 17 }; /* files remembered at most (3 MiB); those least lately seen go first */

struct fs_times *fs_times_new(void);
struct fs_times *fs_times_free(struct fs_times *times);
/* What is remembered of the file; valid until the next call; NULL. */
struct fs_time *fs_times_find(struct fs_times *times, uint64_t ino);
/* The same, made when there is none; NULL: out of memory. */
struct fs_time *fs_times_of(struct fs_times *times, uint64_t ino);

#endif
