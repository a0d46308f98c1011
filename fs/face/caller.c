/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"

static const long makes_name[] = {
    SYS_mkdirat, SYS_symlinkat, SYS_mknodat, SYS_linkat,
#ifdef SYS_mkdir /* newer machines have the others only */
    SYS_mkdir,   SYS_symlink,   SYS_mknod,   SYS_link,
#endif
};

bool caller_syscall_makes_name(const char *line)
{
    char *end;
    long number = strtol(line, &end, 10);
    if (end == line || *end != ' ')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(makes_name); i++)
        if (makes_name[i] == number)
            return true;
    return false;
}

bool caller_makes_name(pid_t thread)
{
    char path[64], line[256];
    if (thread <= 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)thread);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
    if (len <= 0)
        return false;
    line[len] = '\0';
    return caller_syscall_makes_name(line);
}
