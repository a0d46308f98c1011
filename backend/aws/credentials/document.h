/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials out of the documents that others write: metadata hosts, programs, SSO, STS. Nothing here
 * trusts the bytes. */
#ifndef ECSFS_AWS_DOCUMENT_H
#define ECSFS_AWS_DOCUMENT_H

#include "credentials.h"

enum aws_document {
    AWS_DOCUMENT_METADATA, /* AccessKeyId, SecretAccessKey, Token, Expiration, AccountId; Code when it failed
                            */
    AWS_DOCUMENT_PROCESS,  /* Version 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId */
    AWS_DOCUMENT_SSO,      /* {"roleCredentials": {accessKeyId, ..., expiration in milliseconds}} */
};

/* NULL with *ret_error ("InvalidCredentialsDocument", -ENOKEY, never quoting the text). */
struct aws_credentials *aws_document_parse(enum aws_document kind, const char *text, size_t len,
                                           struct ecs_error **ret_error);
/* The <Credentials> of an STS answer. The account is that of the assumed role's ARN. */
struct aws_credentials *aws_document_parse_sts(const char *xml, size_t len, struct ecs_error **ret_error);

/* "2022-05-02T18:36:00Z", "...+00:00", "...UTC", with or without a fraction, to Unix milliseconds. -EINVAL.
 */
int aws_time_parse(const char *text, int64_t *ret_wall_ms);

#endif
