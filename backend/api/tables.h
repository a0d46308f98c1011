/* SPDX-License-Identifier: Apache-2.0 */
/* What compile.py makes of the .api texts. */
#ifndef ECSFS_API_TABLES_H
#define ECSFS_API_TABLES_H

#include <pthread.h>
#include <regex.h>

#include "ecsfs/api.h"

/* Sorted by service, then by name. */
extern const struct ecs_api_operation api_operations[];
extern const size_t api_operations_len;

/* AWS's pattern and what regcomp(3) makes the same of; posix is NULL where nothing does. Sorted by aws. */
struct api_pattern {
    const char *aws, *posix;
};
extern const struct api_pattern api_patterns[];
extern const size_t api_patterns_len;

/* The compiled form of api_patterns[i], made when it is first wanted; guarded by pattern.c's lock
 * until ready, immutable afterwards. */
struct api_compiled {
    enum { API_UNTRIED, API_READY, API_UNUSABLE } state;
    regex_t expression;
};
extern struct api_compiled api_compiled[];

/* Whether all of the text matches; true as well when nothing can tell. From any thread. */
bool api_pattern_matches(const char *aws_pattern, const char *text, size_t len);

#endif
