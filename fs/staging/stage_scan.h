/* SPDX-License-Identifier: Apache-2.0 */
/* Tells, while bytes arrive, when they are one complete JSON object: a write that completes a
 * document is its commit. Strict JSON (RFC 8259) with a fixed memory, each byte looked at once,
 * however small the pieces. Names and numbers are not interpreted, and UTF-8 is not judged: the
 * parser does that once, when the whole is there. */
#ifndef FS_STAGE_SCAN_H
#define FS_STAGE_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum { FS_SCAN_DEPTH = 256 }; /* objects and arrays within each other; deeper is broken */

enum fs_scan_result {
    FS_SCAN_MORE,   /* the beginning of an object, or nothing but white space */
    FS_SCAN_WHOLE,  /* one object, and nothing but white space around it */
    FS_SCAN_BROKEN, /* no continuation can make it one object */
};

struct fs_scan {
    size_t at; /* bytes fed; of a broken text, the offset of the byte that broke it */
    uint8_t state, number;
    uint16_t depth;
    uint8_t key;                       /* the string is an object's key */
    uint8_t hex;                       /* digits of \uXXXX still to come */
    const char *literal;               /* what is left of true, false, null */
    uint8_t arrays[FS_SCAN_DEPTH / 8]; /* at each depth: is it an array? */
};

/* An all-zero scan is at its beginning. Once broken it stays so until it is zeroed. */
enum fs_scan_result fs_scan_feed(struct fs_scan *scan, const char *data, size_t len);
enum fs_scan_result fs_scan_result(const struct fs_scan *scan);

#endif
