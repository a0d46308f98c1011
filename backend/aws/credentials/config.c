/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

enum { DEFAULT_ATTEMPTS = 3, MOST_ATTEMPTS = 20 };

const char *aws_config_get(const struct aws_config *config, const struct aws_env *env, const char *variable,
                           const char *property)
{
    const char *value = variable ? aws_env_get(env, variable) : NULL;
    if (!value && property)
        value = aws_section_get(config->section, property);
    return value && *value ? value : NULL;
}

static struct ecs_error *choose_profile(struct aws_config *config, const struct aws_env *env,
                                        const char *option)
{
    const char *variable = "AWS_PROFILE";
    const char *name = option ? option : aws_env_get(env, variable);
    if (!name)
        name = aws_env_get(env, variable = "AWS_DEFAULT_PROFILE");
    config->profile_by_option = option != NULL;
    config->profile = strdup(name ? name : "default");
    if (!config->profile)
        return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    config->section = aws_profiles_find(config->profiles, AWS_PROFILE, config->profile);
    if (name && !config->section && strcmp(name, "default") != 0)
        return ecs_error_new(
            -EINVAL, "ProfileNotFound",
            "there is no profile \"%s\" (named by %s) in %s or %s; see `aws configure list-profiles`", name,
            option ? "the option profile=" : variable,
            config->profiles->config_path ? config->profiles->config_path : "the config file",
            config->profiles->credentials_path ? config->profiles->credentials_path : "the credentials file");
    return NULL;
}

static struct ecs_error *choose_region(struct aws_config *config, const struct aws_env *env,
                                       const char *option)
{
    const char *region = option;
    if (!region)
        region = aws_env_get(env, "AWS_REGION");
    if (!region)
        region = aws_config_get(config, env, "AWS_DEFAULT_REGION", "region");
    if (!region)
        return NULL;
    if (!aws_region_valid(region))
        return ecs_error_new(-EINVAL, "InvalidRegion", "\"%s\" cannot be the name of a region", region);
    config->region = strdup(region);
    return config->region ? NULL : ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
}

static struct ecs_error *choose_rest(struct aws_config *config, const struct aws_env *env,
                                     const char *endpoint_url)
{
    config->fips = aws_is_true(aws_config_get(config, env, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
    config->dualstack =
        aws_is_true(aws_config_get(config, env, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
    const char *bundle = aws_config_get(config, env, "AWS_CA_BUNDLE", "ca_bundle");
    if (bundle)
        config->ca_bundle =
            strncmp(bundle, "~/", 2) == 0 ? aws_env_path(env, NULL, bundle + 2) : strdup(bundle);
    if (endpoint_url)
        config->endpoint_url = strdup(endpoint_url);
    if ((bundle && !config->ca_bundle) || (endpoint_url && !config->endpoint_url))
        return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    config->max_attempts = DEFAULT_ATTEMPTS;
    const char *attempts = aws_config_get(config, env, "AWS_MAX_ATTEMPTS", "max_attempts");
    if (attempts) {
        char *end;
        long n = strtol(attempts, &end, 10);
        if (*end || n < 1)
            return ecs_error_new(-EINVAL, "InvalidConfiguration", "max_attempts is \"%s\", not 1 or more",
                                 attempts);
        /* More are never made: the deadline comes first. The AWS CLI takes any number. */
        config->max_attempts = n < MOST_ATTEMPTS ? (int)n : MOST_ATTEMPTS;
    }
    const char *mode = aws_config_get(config, env, "AWS_RETRY_MODE", "retry_mode");
    if (mode && strcmp(mode, "standard") != 0 && strcmp(mode, "adaptive") != 0 && strcmp(mode, "legacy") != 0)
        return ecs_error_new(-EINVAL, "InvalidConfiguration",
                             "retry_mode is \"%s\", not standard, adaptive or legacy", mode);
    return NULL;
}

struct aws_config *aws_config_load(const struct aws_env *env, const char *profile, const char *region,
                                   const char *endpoint_url, struct ecs_error **ret_error)
{
    cleanup_config struct aws_config *config = calloc(1, sizeof(*config));
    if (!config) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    config->profiles = aws_profiles_load(env, ret_error);
    if (!config->profiles)
        return NULL;
    struct ecs_error *error = choose_profile(config, env, profile);
    if (!error)
        error = choose_region(config, env, region);
    if (!error)
        error = choose_rest(config, env, endpoint_url);
    if (error) {
        *ret_error = error;
        return NULL;
    }
    return steal(config);
}

struct aws_config *aws_config_free(struct aws_config *config)
{
    if (!config)
        return NULL;
    aws_profiles_free(config->profiles);
    free(config->profile);
    free(config->region);
    free(config->endpoint_url);
    free(config->ca_bundle);
    free(config);
    return NULL;
}

/* "ECR PUBLIC" is ECR_PUBLIC in a variable's name and ecr_public in the file. */
static void name_service(char *out, size_t size, const char *before, const char *id, int (*letter)(int))
{
    snprintf(out, size, "%s", before);
    size_t at = strlen(out);
    for (; *id && at + 1 < size; id++)
        out[at++] = (char)(*id == ' ' ? '_' : letter((unsigned char)*id));
    out[at] = 0;
}

/* A user's own endpoint for the service; the caller frees it. NULL: none. */
static char *find_custom(const struct aws_config *config, const struct aws_env *env,
                         const struct aws_service *service)
{
    if (config->endpoint_url)
        return strdup(config->endpoint_url);
    if (aws_is_true(aws_config_get(config, env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                   "ignore_configured_endpoint_urls")))
        return NULL;
    char name[64];
    name_service(name, sizeof(name), "AWS_ENDPOINT_URL_", service->id, toupper);
    const char *url = aws_env_get(env, name);
    if (!url)
        url = aws_env_get(env, "AWS_ENDPOINT_URL");
    if (url)
        return strdup(url);
    const char *section = aws_section_get(config->section, "services");
    if (section) {
        name_service(name, sizeof(name), "", service->id, tolower);
        char *nested = aws_section_nested(aws_profiles_find(config->profiles, AWS_SERVICES, section), name,
                                          "endpoint_url");
        if (nested)
            return nested;
    }
    url = aws_section_get(config->section, "endpoint_url");
    return url && *url ? strdup(url) : NULL;
}

int aws_config_endpoint(const struct aws_config *config, const struct aws_env *env,
                        const struct aws_service *service, const char *region,
                        struct aws_endpoint *ret_endpoint, struct ecs_error **ret_error)
{
    cleanup_free char *url = find_custom(config, env, service);
    ret_endpoint->custom = url != NULL;
    int r = 0;
    if (url && (config->fips || config->dualstack)) {
        *ret_error =
            ecs_error_new(-EINVAL, "InvalidConfiguration", "%s and a custom endpoint (%s) do not go together",
                          config->fips ? "use_fips_endpoint" : "use_dualstack_endpoint", url);
        return -EINVAL;
    }
    if (!url)
        r = aws_endpoint_url(service, region, config->fips, config->dualstack, &url);
    if (r == 0)
        r = aws_url_parse(url, &ret_endpoint->url);
    if (r < 0)
        *ret_error = ecs_error_new(r, "InvalidEndpoint", "\"%s\" is no endpoint URL for %s",
                                   url ? url : region, service->name);
    return r;
}
