/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>

static atomic_int most_level = ECS_LOG_WARNING;
static atomic_int use_syslog;
static const char *program = "ecsfs";

void ecs_log_open(const char *ident, enum ecs_log_level most, int to_syslog)
{
    program = ident;
    most_level = most;
    use_syslog = to_syslog;
    if (to_syslog)
        openlog(ident, LOG_PID, LOG_DAEMON);
}

void ecs_log(enum ecs_log_level level, const char *format, ...)
{
    if ((int)level > most_level)
        return;
    va_list args;
    va_start(args, format);
    if (use_syslog) {
        vsyslog((int)level, format, args);
    } else {
        char line[1024];
        vsnprintf(line, sizeof(line), format, args);
        fprintf(stderr, "%s: %s\n", program, line);
    }
    va_end(args);
}
