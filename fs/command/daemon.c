/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"

/* LeakSanitizer needs ptrace of its own process. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const char READY = 'r';

static void __attribute__((noreturn)) wait_for_child(pid_t child, int line)
{
    char said = 0;
    ssize_t n;
    do
        n = read(line, &said, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1 && said == READY)
        _exit(EXIT_SUCCESS);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        fprintf(stderr, "ecsfs: ended by %s before it was ready\n", strsignal(WTERMSIG(status)));
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

int daemon_begin(bool foreground)
{
    int ends[2];
    if (foreground)
        return -1;
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        fprintf(stderr, "ecsfs: pipe: %m\n");
        exit(EXIT_FAILURE);
    }
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "ecsfs: fork: %m\n");
        exit(EXIT_FAILURE);
    }
    if (child > 0) {
        close(ends[1]);
        wait_for_child(child, ends[0]);
    }
    close(ends[0]);
    return ends[1];
}

void daemon_ready(int line)
{
    if (chdir("/") < 0 || line < 0)
        return;
    setsid();
    cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0)
        for (int fd = 0; fd <= 2; fd++)
            dup2(null, fd);
    if (write(line, &READY, 1) < 0)
        errno = 0; /* the parent is gone: nobody to tell */
    close(line);
}

void daemon_harden(void)
{
    struct rlimit none = {0, 0}, files;
    setrlimit(RLIMIT_CORE, &none);
    if (!SANITIZED)
        prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 8192) {
        files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}
