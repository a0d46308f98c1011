/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <string.h>

static const char *get(const struct aws_section *profile, const char *name)
{
    const char *value = aws_section_get(profile, name);
    return value && *value ? value : NULL;
}

static struct ecs_error *wrong(const struct aws_section *profile, const char *what)
{
    return ecs_error_new(-ENOKEY, "InvalidConfiguration", "in profile %s: %s", profile->title, what);
}

static bool has_keys(const struct aws_section *profile)
{
    return get(profile, "aws_access_key_id") || get(profile, "aws_secret_access_key");
}

static struct ecs_error *base_on_keys(struct aws_plan *plan, const struct aws_section *profile)
{
    if (!get(profile, "aws_access_key_id"))
        return wrong(profile, "profile missing aws_access_key_id");
    if (!get(profile, "aws_secret_access_key"))
        return wrong(profile, "profile missing aws_secret_access_key");
    plan->base = AWS_BASE_KEYS;
    return NULL;
}

static struct ecs_error *base_on_sso(const struct aws_profiles *profiles, struct aws_plan *plan,
                                     const struct aws_section *profile)
{
    const char *session = get(profile, "sso_session");
    plan->base = AWS_BASE_SSO;
    if (get(profile, "sso_role_name") && !get(profile, "sso_account_id"))
        return wrong(profile, "if `sso_role_name` is set, then `sso_account_id` must also be set");
    if (get(profile, "sso_account_id") && !get(profile, "sso_role_name"))
        return wrong(profile, "if `sso_account_id` is set, then `sso_role_name` must also be set");
    if (session) {
        plan->session = aws_profiles_find(profiles, AWS_SSO_SESSION, session);
        if (!plan->session)
            return ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                 "sso-session named `%s` (referenced by profile `%s`) was not found", session,
                                 profile->title);
        const char *region = get(profile, "sso_region"), *url = get(profile, "sso_start_url");
        const char *its_region = get(plan->session, "sso_region"),
                   *its_url = get(plan->session, "sso_start_url");
        if (region && (!its_region || strcmp(region, its_region) != 0))
            return wrong(profile,
                         "`sso_region` can only be specified in the [sso-session] config when a session "
                         "name is given");
        if (url && (!its_url || strcmp(url, its_url) != 0))
            return wrong(profile, "`sso_start_url` can only be specified in the [sso-session] config when a "
                                  "session name is given");
    }
    const struct aws_section *from = plan->session ? plan->session : profile;
    if (!get(from, "sso_region"))
        return wrong(from, "`sso_region` was missing");
    if (!get(from, "sso_start_url"))
        return wrong(from, "`sso_start_url` was missing");
    return NULL;
}

static bool has_sso(const struct aws_section *profile)
{
    static const char *const names[] = {"sso_session", "sso_start_url", "sso_account_id", "sso_role_name"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (get(profile, names[i]))
            return true;
    return false;
}

/* A profile that assumes no role from another. botocore's order; keys in the credentials file come before
 * a program, those in the config file after it. */
static struct ecs_error *find_base(const struct aws_profiles *profiles, struct aws_plan *plan,
                                   const struct aws_section *profile)
{
    plan->profile = profile;
    if (get(profile, "web_identity_token_file")) {
        plan->base = AWS_BASE_WEB_IDENTITY;
        if (!get(profile, "role_arn"))
            return wrong(profile, "`web_identity_token_file` was specified but `role_arn` was missing");
        return NULL;
    }
    if (has_sso(profile))
        return base_on_sso(profiles, plan, profile);
    const struct aws_section *file = aws_profiles_find(profiles, AWS_CREDENTIALS_FILE, profile->title);
    if (get(profile, "credential_process") && !(file && has_keys(file))) {
        plan->base = AWS_BASE_PROCESS;
        return NULL;
    }
    if (has_keys(profile))
        return base_on_keys(plan, profile);
    if (get(profile, "login_session"))
        return wrong(profile, "`login_session` (of `aws login`) is not understood; export its keys with "
                              "`aws configure export-credentials`, or name that as credential_process");
    return ecs_error_new(-ENOKEY, "NotConfigured", "profile `%s` did not contain credential information",
                         profile->title);
}

static struct ecs_error *take_role(struct aws_plan *plan, const struct aws_section *profile)
{
    if (plan->roles_len == AWS_PLAN_ROLES)
        return wrong(profile, "too many roles in a row");
    plan->roles[plan->roles_len++] = profile;
    return NULL;
}

/* The next step from a profile: *ret_next is the profile it builds on, NULL when it is the base. */
static struct ecs_error *step(const struct aws_profiles *profiles, struct aws_plan *plan,
                              const struct aws_section *profile, const char **ret_next)
{
    const char *role = get(profile, "role_arn"), *next = get(profile, "source_profile");
    const char *source = get(profile, "credential_source");
    *ret_next = NULL;
    if (!role || (!next && !source && get(profile, "web_identity_token_file")))
        return find_base(profiles, plan, profile);
    if (next && source)
        return wrong(profile, "profile contained both source_profile and credential_source");
    if (!next && !source)
        return wrong(profile,
                     "profile must contain `source_profile` or `credential_source` to assume its role");
    struct ecs_error *error = take_role(plan, profile);
    if (error)
        return error;
    plan->profile = profile;
    plan->source = source;
    if (source)
        plan->base = AWS_BASE_SOURCE;
    else if (strcmp(next, profile->title) == 0) /* its own keys, then the role */
        return base_on_keys(plan, profile);
    else
        *ret_next = next;
    return NULL;
}

static bool visited(const struct aws_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->roles_len; i++)
        if (strcmp(plan->roles[i]->title, name) == 0)
            return true;
    return false;
}

static struct ecs_error *follow(const struct aws_profiles *profiles, const char *selected,
                                struct aws_plan *plan)
{
    const struct aws_section *profile = aws_profiles_find(profiles, AWS_PROFILE, selected);
    if (!profile)
        return ecs_error_new(-ENOKEY, "NotConfigured", "%s",
                             profiles->kinds[AWS_PROFILE].sections_len ? "there is no such profile"
                                                                       : "No profiles were defined");
    for (;;) {
        const char *next;
        struct ecs_error *error = step(profiles, plan, profile, &next);
        if (error || !next)
            return error;
        if (visited(plan, next))
            return ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                 "profile formed an infinite loop: %s again after %s", next, profile->title);
        const struct aws_section *named = aws_profiles_find(profiles, AWS_PROFILE, next);
        if (!named)
            return ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                 "could not find source profile %s referenced from %s", next, profile->title);
        profile = named;
        if (has_keys(profile)) { /* a source's keys end the chain, whatever role it names */
            plan->profile = profile;
            return base_on_keys(plan, profile);
        }
    }
}

int aws_plan_make(const struct aws_profiles *profiles, const char *selected, struct aws_plan *ret_plan,
                  struct ecs_error **ret_error)
{
    *ret_plan = (struct aws_plan){0};
    struct ecs_error *error = follow(profiles, selected, ret_plan);
    if (!error) { /* found from the selected profile down; assumed from the base up */
        for (size_t i = 0, j = ret_plan->roles_len; i + 1 < j; i++) {
            const struct aws_section *swap = ret_plan->roles[i];
            ret_plan->roles[i] = ret_plan->roles[--j];
            ret_plan->roles[j] = swap;
        }
        return 0;
    }
    /* only the selected profile may say nothing */
    if (strcmp(error->code, "NotConfigured") == 0 && ret_plan->roles_len) {
        *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration", "%s", error->message);
        ecs_error_unref(error);
    } else {
        *ret_error = error;
    }
    return (*ret_error)->err;
}

const char *aws_plan_mfa(const struct aws_plan *plan)
{
    for (size_t i = 0; i < plan->roles_len; i++)
        if (get(plan->roles[i], "mfa_serial"))
            return get(plan->roles[i], "mfa_serial");
    return NULL;
}
