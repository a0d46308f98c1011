/* SPDX-License-Identifier: Apache-2.0 */
/* Why a caller was interrupted. The kernel tells that some signal came, not which, and tells it once. Most
 * that reach a waiting call do not mean to end it: SIGCHLD of a shell's background job, SIGWINCH, SIGURG by
 * which Go moves its goroutines. Ended by EINTR, `echo 5 > desired-count` would fail though AWS did it, and
 * Go and Python would write it again. */
#ifndef FS_SIGNALS_H
#define FS_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

enum {
    SIGNALS_POLL_MS = 50, /* how often to look again, once an interrupt was found to mean nothing */
};

/* Is a signal pending for that thread that a person or a timer sent to end what it does? True also when it
 * cannot be known. Reads /proc, which never waits. */
bool signals_want_end(pid_t thread);

#endif
