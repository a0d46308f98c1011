/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles, SSO sessions and services sections of the two shared files, merged. */
#ifndef ECSFS_AWS_PROFILE_H
#define ECSFS_AWS_PROFILE_H

#include "environment.h"
#include "ini.h"

enum aws_section_kind {
    AWS_PROFILE, /* of both files */
    AWS_SSO_SESSION,
    AWS_SERVICES,
    AWS_CREDENTIALS_FILE, /* profiles as the credentials file alone has them */
    AWS_SECTION_KINDS
};

struct aws_profiles {
    struct aws_ini kinds[AWS_SECTION_KINDS]; /* titles are bare names here, each once */
    char *config_path, *credentials_path;    /* where they were read from; NULL when from memory */
};

/* From bytes; either may be NULL. In the config file a profile is "[profile x]" ("[default]" needs
 * no prefix, and gives way to "[profile default]"); in the credentials file it is "[x]", and its
 * properties win. Errors name the file. NULL with *ret_error set. */
struct aws_profiles *aws_profiles_parse(const char *config, size_t config_len, const char *credentials,
                                        size_t credentials_len, struct ecs_error **ret_error);
/* Reads AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or those below ~/.aws. Files that are not
 * there are empty; files that cannot be read are an error. */
struct aws_profiles *aws_profiles_load(const struct aws_env *env, struct ecs_error **ret_error);
struct aws_profiles *aws_profiles_free(struct aws_profiles *profiles);

/* NULL when there is none of that name. */
const struct aws_section *aws_profiles_find(const struct aws_profiles *profiles, enum aws_section_kind kind,
                                            const char *name);
/* A nested property ("ecs =\n  endpoint_url = x" holds "endpoint_url" below "ecs"). The caller
 * frees it; NULL when absent. */
char *aws_section_nested(const struct aws_section *section, const char *name, const char *below);

ECS_CLEANUP(aws_profiles_free, struct aws_profiles *, aws_profiles_free)
#define cleanup_profiles __attribute__((cleanup(aws_profiles_free_p)))

#endif
