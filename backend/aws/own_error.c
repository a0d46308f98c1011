/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "client.h"

struct ecs_error *aws_own_error(const char *operation, int err, const char *code, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return ecs_error_context(ecs_error_from_aws(operation, 0, code, message, NULL, 0), err, "%s", "");
}
