/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ECSFS_AWS_PROCESS_H
#define ECSFS_AWS_PROCESS_H

#include "environment.h"

/* Runs argv[0] (found in PATH) without a shell, standard input empty, and adds its standard output to
 * `output`. Its standard error goes on to ours; the last line of it, of at most 200 bytes, is in the error,
 * nothing of its output ever is. A program that fails, writes more than the buffer takes, or runs longer than
 * timeout_ms or than it is wanted (it is then killed) is an error, "CredentialProcess". */
struct ecs_error *aws_process_run(const struct aws_env *env, char *const argv[], int timeout_ms,
                                  struct ecs_buf *output);

/* Splits a command line as a shell would without expanding anything: blanks, '...', "...", and a
 * backslash. A NULL-terminated array, one allocation for the caller to free; NULL when a quote is left open,
 * nothing is in it, or memory is out. */
char **aws_process_split(const char *command);

#endif
