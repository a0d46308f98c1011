/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: ecsfs [SOURCE] MOUNTPOINT [-o OPTIONS], as every FUSE filesystem, so that mount(8) and
 * fstab can use it. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecsfs/buf.h"

enum options_source { SOURCE_AWS, SOURCE_LOCAL };

/* Strings are owned. */
struct options {
    char *source; /* as given: "aws", "aws:eu-west-1", "local", "local:FILE" */
    enum options_source source_kind;
    char *state_file; /* of local:FILE, absolute; NULL: in memory */
    char *mountpoint; /* as given */

    char *region, *profile, *endpoint_url; /* NULL: not given */
    char *regions;                         /* "eu-west-1:us-east-1" */
    char *cache_dir;                       /* NULL: the default; "none": nothing is kept */
    bool ro, allow_delete, dry_run, posix_errno;
    bool pacing, pacing_given;
    int64_t stale_ms, timeout_ms;
    uint64_t layer_bytes; /* of layers kept in the cache_dir */
    unsigned max_read;    /* 0: not given */

    bool foreground, debug, help, version;
    bool check; /* --check: the mountpoint may be NULL */
    bool allow_other;
    struct ecs_buf fuse;  /* options for the kernel and fusermount3, comma-separated */
    struct ecs_buf given; /* the -o options, without secrets */
};

/* 0; or -EINVAL with one line in `why` that says what is wrong; or -ENOMEM. Defaults are filled in.
 * With help or version set, nothing else was looked at. */
int options_parse(struct options *options, int argc, char **argv, char *why, size_t why_size);
void options_free(struct options *options);

/* What -h prints. */
extern const char options_help[];

#endif
