/* SPDX-License-Identifier: Apache-2.0 */
/* Where credentials come from; each source has a file of its name. They block, each within its time. */
#ifndef ECSFS_AWS_SOURCES_H
#define ECSFS_AWS_SOURCES_H

#include "credentials.h"
#include "plan.h"

enum { AWS_EXCHANGE_MS = 10000, AWS_PROCESS_MS = 60000 };

/* What to do about a host of AWS's that does not answer. */
#define AWS_WAY_REMEDY "look at HTTPS_PROXY and the firewall"

/* Credentials; or NULL with *ret_error: it is configured, but does not serve; or NULL without: it is not
 * configured. */
typedef struct aws_credentials *aws_source(const struct aws_config *config, const struct aws_env *env,
                                           struct ecs_error **ret_error);

aws_source aws_from_environment;  /* AWS_ACCESS_KEY_ID, ... */
aws_source aws_from_web_identity; /* AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN */
aws_source aws_from_container;    /* ECS, EKS */
aws_source aws_from_imds;         /* EC2's instance metadata, version 2 only */

/* The base of a plan. Credentials, or NULL with *ret_error. */
struct aws_credentials *aws_from_keys(const struct aws_env *env, const struct aws_profiles *profiles,
                                      const struct aws_section *profile, struct ecs_error **ret_error);
struct aws_credentials *aws_from_sso(const struct aws_config *config, const struct aws_env *env,
                                     const struct aws_plan *plan, struct ecs_error **ret_error);
struct aws_credentials *aws_from_process(const struct aws_env *env, const struct aws_section *profile,
                                         struct ecs_error **ret_error);

/* STS. The session is named by the profile, a variable, or us. */
struct aws_credentials *aws_assume_role(const struct aws_config *config, const struct aws_env *env,
                                        const struct aws_section *profile, const struct aws_credentials *with,
                                        struct ecs_error **ret_error);
struct aws_credentials *aws_assume_web_identity(const struct aws_config *config, const struct aws_env *env,
                                                const char *role_arn, const char *token_file,
                                                const char *session_name, struct ecs_error **ret_error);

/* The URL that a container's credentials come from; the caller frees it. NULL with *ret_error (code
 * "NotConfigured": no variable names one). Plain http only to this host's and the metadata addresses. */
char *aws_container_url(const struct aws_env *env, struct ecs_error **ret_error);
/* "http://169.254.169.254"; the overrides (NULL: none) stand in for options of the caller. The
 * caller frees it. NULL with *ret_error. */
char *aws_imds_endpoint(const struct aws_config *config, const struct aws_env *env,
                        const char *endpoint_override, const char *mode_override,
                        struct ecs_error **ret_error);

/* source_exchange.c: an exchange, tried again after 429, 5xx and lost connections, at most three times in
 * all. NULL with a status of 2xx or any other that is final. */
struct ecs_error *aws_exchange_again(const struct aws_env *env, const struct aws_exchange *request,
                                     struct aws_answer *answer);
/* AWS's error in an answer; never NULL. */
struct ecs_error *aws_exchange_error(const char *operation, const struct aws_answer *answer);

#endif
