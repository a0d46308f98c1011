/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "document.h"
#include "sources.h"

struct aws_credentials *aws_from_environment(const struct aws_config *config, const struct aws_env *env,
                                             struct ecs_error **ret_error)
{
    if (config->profile_by_option)
        return NULL;
    const char *id = aws_env_get(env, "AWS_ACCESS_KEY_ID"),
               *secret = aws_env_get(env, "AWS_SECRET_ACCESS_KEY");
    if (!id)
        return NULL;
    if (!secret) {
        *ret_error = ecs_error_new(-ENOKEY, "PartialCredentials",
                                   "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        return NULL;
    }
    /* The older name first, and the time of expiry, as the AWS CLI has it. */
    const char *token = aws_env_get(env, "AWS_SECURITY_TOKEN"),
               *expires = aws_env_get(env, "AWS_CREDENTIAL_EXPIRATION");
    int64_t expires_ms = 0;
    if (expires && aws_time_parse(expires, &expires_ms) < 0) {
        *ret_error =
            ecs_error_new(-EINVAL, "InvalidConfiguration",
                          "AWS_CREDENTIAL_EXPIRATION is \"%.40s\", not a time with its zone", expires);
        return NULL;
    }
    struct aws_credentials *found =
        aws_credentials_new(id, secret, token ? token : aws_env_get(env, "AWS_SESSION_TOKEN"),
                            aws_env_get(env, "AWS_ACCOUNT_ID"), expires_ms);
    if (!found) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    aws_credentials_describe(found, "mount again with fresh keys in the environment", "environment");
    return found;
}
