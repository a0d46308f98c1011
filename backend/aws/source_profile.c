/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that stand in a profile. */
#include <errno.h>

#include "sources.h"

struct aws_credentials *aws_from_keys(const struct aws_section *profile, struct ecs_error **ret_error)
{
    struct aws_credentials *found = aws_credentials_new(
        aws_section_get(profile, "aws_access_key_id"), aws_section_get(profile, "aws_secret_access_key"),
        aws_section_get(profile, "aws_session_token"), aws_section_get(profile, "aws_account_id"), 0);
    if (found)
        aws_credentials_describe(found, "put fresh keys into the profile", "profile %s", profile->title);
    else
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return found;
}
