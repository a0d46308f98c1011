/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "reply.h"
#include "retry.h"
#include "sources.h"

static const struct {
    const char *name;
    aws_source *ask;
} named[] = {
    {"Environment", aws_from_environment},
    {"EcsContainer", aws_from_container},
    {"Ec2InstanceMetadata", aws_from_imds},
};

static struct aws_credentials *from_named(const struct aws_config *config, const struct aws_env *env,
                                          const struct aws_plan *plan, struct ecs_error **ret_error)
{
    size_t i = 0;
    while (i < ARRAY_LEN(named) && strcasecmp(named[i].name, plan->source) != 0)
        i++;
    if (i == ARRAY_LEN(named)) {
        *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                   "credential_source \"%s\" of profile %s is not known", plan->source,
                                   plan->profile->title);
        return NULL;
    }
    struct aws_config own = *config;
    own.profile_by_option = false; /* a profile that asks for the environment means it */
    struct aws_credentials *found = named[i].ask(&own, env, ret_error);
    if (!found && !*ret_error)
        *ret_error =
            ecs_error_new(-ENOKEY, "NoCredentials", "profile %s takes its keys from %s, where there are none",
                          plan->profile->title, plan->source);
    return found;
}

static struct aws_credentials *from_base(const struct aws_config *config, const struct aws_env *env,
                                         const struct aws_plan *plan, struct ecs_error **ret_error)
{
    switch (plan->base) {
    case AWS_BASE_KEYS:
        return aws_from_keys(env, config->profiles, plan->profile, ret_error);
    case AWS_BASE_SOURCE:
        return from_named(config, env, plan, ret_error);
    case AWS_BASE_WEB_IDENTITY:
        return aws_assume_web_identity(config, env, aws_section_get(plan->profile, "role_arn"),
                                       aws_section_get(plan->profile, "web_identity_token_file"),
                                       aws_section_get(plan->profile, "role_session_name"), ret_error);
    case AWS_BASE_SSO:
        return aws_from_sso(config, env, plan, ret_error);
    case AWS_BASE_PROCESS:
        return aws_from_process(env, plan->profile, ret_error);
    }
    return NULL;
}

static struct aws_credentials *from_plan(const struct aws_config *config, const struct aws_env *env,
                                         const struct aws_plan *plan, struct ecs_error **ret_error)
{
    struct aws_credentials *found = from_base(config, env, plan, ret_error);
    for (size_t i = 0; i < plan->roles_len && found; i++) {
        struct aws_credentials *role = aws_assume_role(config, env, plan->roles[i], found, ret_error);
        aws_credentials_unref(found);
        found = role;
    }
    return found;
}

/* The selected profile, when it assumes a role from another source. */
static struct aws_credentials *from_role(const struct aws_config *config, const struct aws_env *env,
                                         struct ecs_error **ret_error)
{
    const struct aws_section *profile = config->section;
    struct aws_plan plan;
    if (!aws_section_get(profile, "role_arn") ||
        (!aws_section_get(profile, "source_profile") && !aws_section_get(profile, "credential_source")))
        return NULL;
    if (aws_plan_make(config->profiles, config->profile, &plan, ret_error) < 0)
        return NULL;
    return from_plan(config, env, &plan, ret_error);
}

static struct aws_credentials *from_profile(const struct aws_config *config, const struct aws_env *env,
                                            struct ecs_error **ret_error)
{
    struct aws_plan plan;
    struct ecs_error *error = NULL;
    if (aws_plan_make(config->profiles, config->profile, &plan, &error) == 0)
        return from_plan(config, env, &plan, ret_error);
    if (strcmp(error->code, "NotConfigured") == 0)
        ecs_error_unref(error);
    else
        *ret_error = error;
    return NULL;
}

/* Not on an instance, or one without a role: then there are no credentials at all, and saying so
 * helps more than IMDS's words. */
static struct aws_credentials *from_imds_last(const struct aws_config *config, const struct aws_env *env,
                                              struct ecs_error **ret_error)
{
    struct ecs_error *error = NULL;
    struct aws_credentials *found = aws_from_imds(config, env, &error);
    if (error && (error->err == -ECANCELED || strcmp(error->code, "InvalidConfiguration") == 0 ||
                  strcmp(error->code, "InvalidCredentialsDocument") == 0))
        *ret_error = error;
    else
        ecs_error_unref(error);
    return found;
}

static aws_source *const sources[] = {
    aws_from_environment, from_role, aws_from_web_identity, from_profile, aws_from_container, from_imds_last,
};

/* Keys go into header lines; a file's value may run over several. */
static bool is_one_line(const struct aws_credentials *found)
{
    return !strpbrk(found->access_key_id, "\r\n") &&
           !(found->session_token && strpbrk(found->session_token, "\r\n"));
}

struct aws_credentials *aws_chain_resolve(const struct aws_config *config, const struct aws_env *env,
                                          struct ecs_error **ret_error)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        struct ecs_error *error = NULL;
        struct aws_credentials *found = sources[i](config, env, &error);
        if (found && is_one_line(found))
            return found;
        if (found) {
            error = ecs_error_new(-ENOKEY, "InvalidConfiguration", "a key from %s runs over several lines",
                                  found->source);
            aws_credentials_unref(found);
        }
        if (error) {
            *ret_error = error;
            return NULL;
        }
    }
    *ret_error =
        ecs_error_new(-ENOKEY, "NoCredentials",
                      "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run `aws configure`, "
                      "or `aws configure sso` and `aws sso login` (profile %s)",
                      config->profile);
    return NULL;
}
