/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer whose largest size must be named (after curl's DYNBUF): what AWS sends
 * and what a user writes can never eat more memory than its reader allowed for. */
#ifndef ECSFS_BUF_H
#define ECSFS_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct ecs_buf {
    char *data; /* always NUL-terminated once anything was added; NULL while empty */
    size_t len; /* bytes, without the NUL */
    size_t max; /* the largest len ever allowed */
    size_t size;
    bool secret; /* what it held is wiped where it moves and ends */
    int failed;  /* 0, or the first error (-ENOMEM, -EFBIG); later adds do nothing */
};

#define ECS_BUF(max_bytes) ((struct ecs_buf){.max = (max_bytes)})
/* For keys, tokens and what holds them. (What is stolen is the taker's to wipe.) */
#define ECS_BUF_SECRET(max_bytes) ((struct ecs_buf){.max = (max_bytes), .secret = true})

/* All return 0, -ENOMEM, or -EFBIG when the buffer would pass its max; the error is sticky in
 * `failed`, so a writer may check once, at the end. */
int ecs_buf_add(struct ecs_buf *buf, const void *data, size_t len);
int ecs_buf_adds(struct ecs_buf *buf, const char *text);
int ecs_buf_addf(struct ecs_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int ecs_buf_vaddf(struct ecs_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Replaces the bytes from `at` on, growing with zero bytes when `at` is past the end. */
int ecs_buf_put(struct ecs_buf *buf, size_t at, const void *data, size_t len);
/* Cuts to len, or grows with zero bytes. */
int ecs_buf_truncate(struct ecs_buf *buf, size_t len);

/* Hands the data to the caller, who frees it ("" when empty). NULL when an add has failed, for then the data
 * is cut, and when out of memory. Either way the buffer is empty afterwards and may be used again. */
char *ecs_buf_steal(struct ecs_buf *buf, size_t *ret_len);
void ecs_buf_free(struct ecs_buf *buf);

#define cleanup_buf __attribute__((cleanup(ecs_buf_free)))

#endif
