/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential_process prints; and the same bytes as its command line. */
#include <stdlib.h>
#include <string.h>

#include "aws_keys.h"
#include "credentials/process.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ecs_error *error = NULL;
    struct aws_credentials *keys = aws_document_parse(AWS_DOCUMENT_PROCESS, (const char *)data, size, &error);
    check_keys(keys, error);
    char *command = calloc(1, size + 1);
    if (command)
        memcpy(command, data, size);
    char **argv = command ? aws_process_split(command) : NULL;
    size_t len = 0;
    for (size_t i = 0; argv && argv[i]; i++)
        len += strlen(argv[i]);
    if (command && len > strlen(command))
        abort();
    free(argv);
    free(command);
    return 0;
}
