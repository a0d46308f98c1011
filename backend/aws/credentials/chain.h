/* SPDX-License-Identifier: Apache-2.0 */
/* The credential chain, in botocore's order. */
#ifndef ECSFS_AWS_CHAIN_H
#define ECSFS_AWS_CHAIN_H

#include "credentials.h"

/* New credentials, or NULL with *ret_error: "NoCredentials" (-ENOKEY) when nothing is configured, otherwise
 * why what is configured does not serve, with what to do about it. Blocks on files, programs and
 * hosts, each with its timeout. */
struct aws_credentials *aws_chain_resolve(const struct aws_config *config, const struct aws_env *env,
                                          struct ecs_error **ret_error);

#endif
