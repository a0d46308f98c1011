/* SPDX-License-Identifier: Apache-2.0 */
/* What the user set, wherever they set it: options, variables, profile; in this order. */
#ifndef ECSFS_AWS_CONFIG_H
#define ECSFS_AWS_CONFIG_H

#include "endpoint.h"
#include "profile.h"

struct aws_config {
    struct aws_profiles *profiles;
    char *profile;                     /* the selected one's name */
    bool profile_by_option;            /* the environment's keys do not count then */
    const struct aws_section *section; /* of the selected profile; NULL: none */
    char *region;                      /* NULL: unknown */
    char *endpoint_url;                /* the option's; NULL: none */
    bool fips, dualstack;
    char *ca_bundle; /* NULL: the system's */
    int max_attempts;
    const char *mfa_code; /* asked for before daemonising, good for one AssumeRole; not owned; NULL: none */
};

/* Unknown profiles, bad values and unreadable files are errors (-EINVAL for most). A missing region
 * is none here. NULL with *ret_error set. The environment must outlive it. */
struct aws_config *aws_config_load(const struct aws_env *env, const char *profile, const char *region,
                                   const char *endpoint_url, struct ecs_error **ret_error);
struct aws_config *aws_config_free(struct aws_config *config);

/* Variable first (NULL: none), then the profile's property (NULL: none). NULL when neither is set. */
const char *aws_config_get(const struct aws_config *config, const struct aws_env *env, const char *variable,
                           const char *property);

struct aws_endpoint {
    struct aws_url url;
    bool custom; /* the user named it: plain http is theirs to choose */
};
/* Where a service is reached: the option, AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's
 * services section, its endpoint_url, else AWS's own host. 0, or -errno with *ret_error set. */
int aws_config_endpoint(const struct aws_config *config, const struct aws_env *env,
                        const struct aws_service *service, const char *region,
                        struct aws_endpoint *ret_endpoint, struct ecs_error **ret_error);

ECS_CLEANUP(aws_config_free, struct aws_config *, aws_config_free)
#define cleanup_config __attribute__((cleanup(aws_config_free_p)))

#endif
