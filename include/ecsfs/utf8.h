/* SPDX-License-Identifier: Apache-2.0 */
/* One character of UTF-8 at a time, for names and messages that others wrote. */
#ifndef ECSFS_UTF8_H
#define ECSFS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at `at`, in NUL-terminated text; 0 where none is valid (overlong, a surrogate, past
 * U+10FFFF, cut short). */
static inline size_t ecs_utf8_len(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

/* Whether the character of that length is a control character: C0, DEL or C1, which act on a terminal. */
static inline bool ecs_utf8_is_control(const unsigned char *at, size_t len)
{
    return (len == 1 && (at[0] < 0x20 || at[0] == 0x7f)) || (len == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

#endif
