/* SPDX-License-Identifier: Apache-2.0 */
/* ecsfs --check: what a mount would meet, told before it is made. Nothing is mounted, and nothing at AWS is
 * changed: permissions to change are asked for with names that cannot exist, and where even that could change
 * something they are not asked for at all. */
#ifndef FS_CHECK_ACCOUNT_H
#define FS_CHECK_ACCOUNT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "ecsfs/backend.h"

struct fs_check_what {
    struct ecs_backend *backend;     /* not yet started; NULL: it could not be made, as `refused` says */
    const struct ecs_error *refused; /* borrowed */
    const char *mountpoint;          /* NULL: not named */
    const char *endpoint_url;        /* as given by option; NULL: not given */
    bool local, ro, allow_delete;
    int timeout_ms; /* of one call */
};

/* Prints a line a check. True: nothing is in the way. Starts the backend; the caller stops it. */
bool fs_check(const struct fs_check_what *what, FILE *out);

#endif
