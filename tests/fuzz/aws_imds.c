/* SPDX-License-Identifier: Apache-2.0 */
/* What metadata hosts, SSO and STS answer with: keys. */
#include "aws_keys.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct ecs_error *error = NULL;
    struct aws_credentials *keys = aws_document_parse(AWS_DOCUMENT_METADATA, text, size, &error);
    check_keys(keys, error);
    error = NULL;
    keys = aws_document_parse(AWS_DOCUMENT_SSO, text, size, &error);
    check_keys(keys, error);
    error = NULL;
    keys = aws_document_parse_sts(text, size, &error);
    check_keys(keys, error);
    return 0;
}
