/* SPDX-License-Identifier: Apache-2.0 */
/* Where a mount keeps things and where it appears; all of it settled before mounting, and none of it below
 * the mountpoint: a daemon that opens a file in its own mount waits for itself. */
#ifndef FS_PLACES_H
#define FS_PLACES_H

#include <stddef.h>

/* The mountpoint without links. 0, or -errno with the reason in `why`. The caller frees. */
int places_mountpoint(const char *given, char **ret_path, char *why, size_t why_size);
/* Can this process mount FUSE at all? 0, or -errno with the reason. */
int places_check_fuse(char *why, size_t why_size);

/* The directory for state (the journal) and for the cache, made with mode 0700 when absent: systemd's, XDG's,
 * or below the home directory. 0, or -errno with the reason. The caller frees. */
int places_state_dir(char **ret_path, char *why, size_t why_size);
int places_cache_dir(char **ret_path, char *why, size_t why_size);
/* The same for a directory that the user named. */
int places_make_dir(const char *path, char *why, size_t why_size);

/* 0, or -EINVAL with the reason when the file or directory lies below the mountpoint. */
int places_outside(const char *mountpoint, const char *path, const char *what, char *why, size_t why_size);

#endif
