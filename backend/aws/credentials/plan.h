/* SPDX-License-Identifier: Apache-2.0 */
/* How a profile leads to credentials: where they begin, and which roles are assumed from there. */
#ifndef ECSFS_AWS_PLAN_H
#define ECSFS_AWS_PLAN_H

#include "profile.h"

enum aws_base {
    AWS_BASE_KEYS,         /* aws_access_key_id and its secret */
    AWS_BASE_SOURCE,       /* credential_source: Environment, EcsContainer, Ec2InstanceMetadata */
    AWS_BASE_WEB_IDENTITY, /* web_identity_token_file and role_arn */
    AWS_BASE_SSO,
    AWS_BASE_PROCESS, /* credential_process */
};

enum { AWS_PLAN_ROLES = 16 };

struct aws_plan {
    enum aws_base base;
    const struct aws_section *profile;               /* that the base is of */
    const struct aws_section *session;               /* of SSO; NULL: the old form, all in the profile */
    const char *source;                              /* credential_source */
    const struct aws_section *roles[AWS_PLAN_ROLES]; /* profiles whose role_arn is assumed, in order */
    size_t roles_len;
};

/* 0, or -errno with *ret_error. Code "NotConfigured" when the selected profile is not there or says
 * nothing of credentials; else what is wrong with it. The plan points into the profiles. */
int aws_plan_make(const struct aws_profiles *profiles, const char *selected, struct aws_plan *ret_plan,
                  struct ecs_error **ret_error);
/* The first role of the plan that wants a code of an MFA device; NULL: none does. */
const char *aws_plan_mfa(const struct aws_plan *plan);

#endif
