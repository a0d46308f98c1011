/* SPDX-License-Identifier: Apache-2.0 */
/* The INI dialect of ~/.aws/config and ~/.aws/credentials, from bytes to sections. Knows nothing of
 * what sections mean (profile.c does). */
#ifndef ECSFS_AWS_INI_H
#define ECSFS_AWS_INI_H

#include <stddef.h>

#include "ecsfs/error.h"

enum { AWS_INI_MAX = 1 << 20 }; /* bytes of a file, at most */

struct aws_property {
    char *name;  /* lower case */
    char *value; /* continuation lines joined by newlines; "\na = b\nc = d" for nested ones */
};

struct aws_section {
    char *title; /* what stands in the brackets, trimmed */
    struct aws_property *properties;
    size_t properties_len;
};

struct aws_ini {
    struct aws_section *sections; /* as they come in the file, also when a title comes again */
    size_t sections_len;
};

/* Errors (-EINVAL, "ConfigParse") name the line. The bytes need not end in NUL nor be UTF-8.
 * On error *ret_ini is empty. */
int aws_ini_parse(const char *text, size_t len, struct aws_ini *ret_ini, struct ecs_error **ret_error);
void aws_ini_free(struct aws_ini *ini);

/* The last property of that name, or NULL. */
const char *aws_section_get(const struct aws_section *section, const char *name);
/* Sets or replaces; 0 or -ENOMEM. */
int aws_section_set(struct aws_section *section, const char *name, const char *value);
void aws_section_free(struct aws_section *section);

#define cleanup_ini __attribute__((cleanup(aws_ini_free)))

#endif
