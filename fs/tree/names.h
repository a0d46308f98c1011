/* SPDX-License-Identifier: Apache-2.0 */
/* Names of AWS as names in a directory, and back (DESIGN, rule 10). */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <stdbool.h>

enum { FS_NAME_MAX = 255 }; /* bytes; the kernel's NAME_MAX */

/* What stands in a directory for `id`: percent-encoded (%XX, upper-case hex) where a slash, a
 * control character, DEL, "%", invalid UTF-8, "." or ".." is; its first byte too when `taken` says that
 * the name is an entry of ours. With the suffix it fits FS_NAME_MAX: of a longer one the first 180
 * bytes stand (whole characters), then "%~" and 16 hex digits of the SHA-256 of the id.
 * malloc'd; NULL: out of memory. "" becomes "%". */
char *fs_name_encode(const char *id, const char *suffix, bool (*taken)(const void *arg, const char *name),
                     const void *arg);

/* The id that fs_name_encode makes `name` of. *ret_id is malloc'd.
 * 0; -ENOENT: nothing is encoded so; -ENOMEM; -E2BIG: a shortened name: only a listing can tell whose. */
int fs_name_decode(const char *name, const char *suffix, bool (*taken)(const void *arg, const char *name),
                   const void *arg, char **ret_id);

#endif
