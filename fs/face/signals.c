/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* What comes by the way. Not SIGTSTP: a shell waits for the job to stop. Not SIGALRM: it may be a timeout. */
static const uint64_t by_the_way =
    BIT(SIGCHLD) | BIT(SIGWINCH) | BIT(SIGURG) | BIT(SIGCONT) | BIT(SIGIO) | BIT(SIGPROF) | BIT(SIGVTALRM);

/* A line such as "ShdPnd:\t0000000000010000". */
static bool read_mask(const char *status, const char *name, uint64_t *ret_mask)
{
    const char *line = strstr(status, name);
    return line != NULL && sscanf(line + strlen(name), " %" SCNx64, ret_mask) == 1;
}

bool signals_want_end(pid_t thread)
{
    char path[64], status[8192];
    uint64_t own, shared, blocked;
    if (thread <= 0)
        return true;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t len = read(fd, status, sizeof(status) - 1);
    if (len <= 0)
        return true;
    status[len] = '\0';
    if (!read_mask(status, "\nSigPnd:", &own) || !read_mask(status, "\nShdPnd:", &shared) ||
        !read_mask(status, "\nSigBlk:", &blocked))
        return true;
    return ((own | shared) & ~blocked & ~by_the_way) != 0;
}
