/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller of a request is doing: the kernel passes its thread on, but not for which system call it
 * asks. */
#ifndef FS_CALLER_H
#define FS_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

/* Is the thread in a system call that makes a name (mkdir, symlink, mknod, link)? The lookup before it is not
 * begun anew after ESTALE, as all others are: the caller would be told. False also when it cannot be known.
 * Reads /proc, which never waits. */
bool caller_makes_name(pid_t thread);
/* The same of what /proc/THREAD/syscall says: "83 0x7ffd... ...". */
bool caller_syscall_makes_name(const char *line);

#endif
