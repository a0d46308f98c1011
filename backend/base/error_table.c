/* SPDX-License-Identifier: Apache-2.0 */
/* AWS error code -> errno, on one screen. A code may be a pattern of fnmatch(3). The first row
 * that matches wins; rows with a message ask for both (ECS tells absence only in its message). */
#include <errno.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "ecsfs/error.h"

static const struct {
    const char *code;    /* fnmatch pattern */
    const char *message; /* a part of the message, or NULL */
    int err;
} table[] = {
    {"AccessDenied*", NULL, -EACCES},
    {"BlockedException", NULL, -EACCES},
    {"KmsException", NULL, -EACCES},
    {"ExpiredToken*", NULL, -EKEYEXPIRED},
    {"UnauthorizedSSOToken*", NULL, -EKEYEXPIRED},
    {"RequestExpired", NULL, -EKEYEXPIRED},
    {"UnrecognizedClient*", NULL, -EKEYREJECTED},
    {"InvalidClientTokenId", NULL, -EKEYREJECTED},
    {"InvalidSignature*", NULL, -EKEYREJECTED},
    {"IncompleteSignature*", NULL, -EKEYREJECTED},
    {"SignatureDoesNotMatch", NULL, -EKEYREJECTED},
    {"MissingAuthenticationToken*", NULL, -EKEYREJECTED},
    {"RequestTimeTooSkewed", NULL, -EKEYREJECTED},
    {"RequestInTheFuture", NULL, -EKEYREJECTED},
    {"AuthFailure", NULL, -EKEYREJECTED},
    {"ServiceNotActiveException", NULL, -ESTALE},
    {"ClusterContains*", NULL, -ENOTEMPTY},
    {"RepositoryNotEmpty*", NULL, -ENOTEMPTY},
    {"*NotFound*", NULL, -ENOENT},
    {"ClientException", "Unable to describe task definition", -ENOENT},
    {"ClientException", "The specified task definition does not exist", -ENOENT},
    {"*AlreadyExists*", NULL, -EEXIST},
    {"ClientException", "Too many concurrent attempts", -EBUSY}, /* RegisterTaskDefinition of one family */
    {"UnsupportedFeatureException", NULL, -EOPNOTSUPP},
    {"UnknownOperationException", NULL, -EOPNOTSUPP},
    {"InvalidAction", NULL, -EOPNOTSUPP},
    {"NotImplemented*", NULL, -EOPNOTSUPP},
    {"LimitExceeded*", NULL, -EDQUOT},
    {"AttributeLimitExceeded*", NULL, -EDQUOT},
    {"ServiceQuotaExceeded*", NULL, -EDQUOT},
    {"TooManyTags*", NULL, -EDQUOT},
    {"UpdateInProgress*", NULL, -EBUSY},
    {"Conflict*", NULL, -EBUSY},
    {"ResourceInUse*", NULL, -EBUSY},
    {"Throttl*", NULL, -EBUSY},
    {"TooManyRequests*", NULL, -EBUSY},
    {"RequestLimitExceeded", NULL, -EBUSY},
    {"RequestThrottled*", NULL, -EBUSY},
    {"EC2Throttled*", NULL, -EBUSY},
    {"ProvisionedThroughputExceeded*", NULL, -EBUSY},
    {"BandwidthLimitExceeded", NULL, -EBUSY},
    {"TransactionInProgress*", NULL, -EBUSY},
    {"SlowDown", NULL, -EBUSY},
    {"PriorRequestNotComplete", NULL, -EBUSY},
    {"InvalidParameter*", NULL, -EINVAL},
    {"Validation*", NULL, -EINVAL},
    {"ClientException", NULL, -EINVAL},
    {"PlatformUnknownException", NULL, -EINVAL},
    {"PlatformTaskDefinitionIncompatibility*", NULL, -EINVAL},
    {"InternalFailure", NULL, -EIO},
    {"ServerException", NULL, -EIO},
    {"ServiceUnavailable*", NULL, -EIO},
    {"InternalServer*", NULL, -EIO},
};

int ecs_error_errno(const char *code, const char *message)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (fnmatch(table[i].code, code, 0) != 0)
            continue;
        if (table[i].message && (!message || !strstr(message, table[i].message)))
            continue;
        return table[i].err;
    }
    return 0;
}
