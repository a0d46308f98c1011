/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: the one thread that owns the tree, the cache and all answers to the kernel. It waits for the
 * kernel, for what the sources bring, for the notifier, for time, and for signals. */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include <stddef.h>

#include "face.h"

/* Something else that the loop waits for. */
struct loop_source {
    int fd;                       /* -1: none */
    int (*timeout_ms)(void *arg); /* until it is due; -1: not; may be NULL */
    void (*run)(void *arg);       /* its descriptor is readable, or it is due */
    void *arg;
};

/* SIGINT, SIGTERM and SIGHUP no longer kill but arrive at the loop; SIGPIPE is ignored. Before any thread
 * is started. Returns the descriptor that they arrive on, or -errno. */
int loop_catch_signals(void);

/* Runs until unmounted or told to end by a signal. Then reads are refused, changes under way are waited for
 * a few seconds (a second signal ends that), and the notifier's threads have ended if they could.
 * 0, or -errno when the loop could not run. */
int loop_run(struct face *face, struct notifier *notifier, const struct loop_source *sources, size_t len,
             int signal_fd);

#endif
