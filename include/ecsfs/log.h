/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's log: standard error in the foreground, syslog once daemonised. Library functions
 * log at debug only; the caller at the edge logs once. Never hand it a secret. */
#ifndef ECSFS_LOG_H
#define ECSFS_LOG_H

enum ecs_log_level { ECS_LOG_ERROR = 3, ECS_LOG_WARNING = 4, ECS_LOG_INFO = 6, ECS_LOG_DEBUG = 7 };

void ecs_log_open(const char *ident, enum ecs_log_level most, int to_syslog);
void ecs_log(enum ecs_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define ecs_debug(...) ecs_log(ECS_LOG_DEBUG, __VA_ARGS__)

#endif
