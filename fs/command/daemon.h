/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a daemon, early: the fork comes before any thread, lock or connection exists, and the parent stays
 * until the child has mounted or failed, so that errors are printed and counted where the command was typed.
 */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include <stdbool.h>

/* The parent does not return: it exits with 0 once the child is ready, else with the child's status.
 * Returns the child's line to it, -1 in the foreground. */
int daemon_begin(bool foreground);
/* Lets go of the terminal and of the parent. Closes the line. */
void daemon_ready(int line);

/* No core dumps, no ptrace by other programs of the user (credentials are in memory), enough descriptors. */
void daemon_harden(void);

#endif
