/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that stand in a profile. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sources.h"

/* The file that the keys are in, as a person writes it. */
static void name_file(const struct aws_env *env, const struct aws_profiles *profiles, const char *profile,
                      char *name, size_t size)
{
    const struct aws_section *file = aws_profiles_find(profiles, AWS_CREDENTIALS_FILE, profile);
    const char *path = file && aws_section_get(file, "aws_access_key_id") ? profiles->credentials_path
                                                                          : profiles->config_path;
    const char *home = aws_env_get(env, "HOME");
    size_t len = home ? strlen(home) : 0;
    if (path && len && strncmp(path, home, len) == 0 && path[len] == '/')
        snprintf(name, size, "~%s", path + len);
    else
        snprintf(name, size, "%s", path ? path : "");
}

struct aws_credentials *aws_from_keys(const struct aws_env *env, const struct aws_profiles *profiles,
                                      const struct aws_section *profile, struct ecs_error **ret_error)
{
    const char *token = aws_section_get(profile, "aws_security_token"); /* first, as the AWS CLI has it */
    struct aws_credentials *found = aws_credentials_new(
        aws_section_get(profile, "aws_access_key_id"), aws_section_get(profile, "aws_secret_access_key"),
        token ? token : aws_section_get(profile, "aws_session_token"),
        aws_section_get(profile, "aws_account_id"), 0);
    if (!found) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    char file[64];
    name_file(env, profiles, profile->title, file, sizeof(file));
    aws_credentials_describe(found, "put fresh keys into the profile", "profile %.50s (%s)", profile->title,
                             file);
    return found;
}
