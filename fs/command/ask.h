/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to whoever typed the command, before it becomes a daemon. */
#ifndef FS_ASK_H
#define FS_ASK_H

/* The code that an MFA device shows, for ecs_aws_options.ask_mfa. Asks on the terminal; NULL when there is
 * none, when nothing is answered, or out of memory. malloc'd. */
char *ask_mfa(void *arg, const char *mfa_serial);

#endif
