/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

extern char **environ;

enum { WATCH_MS = 100 }; /* how often a running program is asked whether it is still wanted */

char **aws_process_split(const char *command)
{
    size_t len = strlen(command);
    /* each argument takes one pointer and one NUL beyond its bytes, and at least one byte of the text */
    char **argv = calloc(1, (len / 2 + 2) * sizeof(*argv) + len + 1);
    if (!argv)
        return NULL;
    char *out = (char *)(argv + len / 2 + 2);
    size_t n = 0;
    char quote = 0;
    bool inside = false;
    for (const char *c = command; *c; c++) {
        if (!quote && (*c == ' ' || *c == '\t' || *c == '\n')) {
            if (inside)
                *out++ = 0;
            inside = false;
            continue;
        }
        if (!inside) {
            argv[n++] = out;
            inside = true;
        }
        if (quote && *c == quote)
            quote = 0;
        else if (!quote && (*c == '\'' || *c == '"'))
            quote = *c;
        else if (*c == '\\' && quote != '\'' && c[1])
            *out++ = *++c;
        else
            *out++ = *c;
    }
    *out = 0;
    if (n == 0 || quote) {
        free(argv);
        return NULL;
    }
    return argv;
}

static int64_t now_ms(void)
{
    return ecs_system_clock.now_ms(&ecs_system_clock);
}

/* 1 when there may be more. */
static int read_some(int fd, struct ecs_buf *output)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0)
        return errno == EINTR ? 1 : -errno;
    int r = n > 0 && ecs_buf_add(output, chunk, (size_t)n) < 0 ? output->failed : n > 0;
    explicit_bzero(chunk, sizeof(chunk));
    return r;
}

/* 0 at the end of the output, or -errno. */
static int read_output(const struct aws_env *env, int fd, int64_t deadline, struct ecs_buf *output)
{
    for (;;) {
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return -ETIMEDOUT;
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (env->unwanted && env->unwanted(env))
            return -ECANCELED;
        int r = poll(&poller, 1, left < WATCH_MS ? (int)left : WATCH_MS);
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r <= 0)
            continue;
        r = read_some(fd, output);
        if (r <= 0)
            return r;
    }
}

/* Waits for a program whose output has ended, for it may go on without it. */
static int reap(pid_t pid, int64_t deadline, int *ret_status)
{
    for (;;) {
        pid_t r = waitpid(pid, ret_status, WNOHANG);
        if (r == pid)
            return 0;
        if (r < 0 && errno == ECHILD) { /* SIGCHLD is ignored in this process: the output must do */
            *ret_status = 0;
            return 0;
        }
        if (r < 0 && errno != EINTR)
            return -errno;
        if (now_ms() >= deadline)
            return -ETIMEDOUT;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static int spawn(char *const argv[], int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
#if __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3); /* curl's sockets are inherited */
#endif
    /* a group of its own, so that what it starts is killed with it; no signal is blocked for it */
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

struct ecs_error *aws_process_run(const struct aws_env *env, char *const argv[], int timeout_ms,
                                  struct ecs_buf *output)
{
    int64_t deadline = now_ms() + timeout_ms;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return ecs_error_new(-errno, "CredentialProcess", "pipe: %s", strerror(errno));
    cleanup_close int in = fds[0];
    pid_t pid = 0;
    int r = spawn(argv, fds[1], &pid);
    close(fds[1]);
    if (r < 0)
        return ecs_error_new(-ENOKEY, "CredentialProcess", "credential_process %s: %s", argv[0],
                             strerror(-r));
    int status = 0;
    r = read_output(env, in, deadline, output);
    if (r == 0)
        r = reap(pid, deadline, &status);
    if (r < 0) {
        kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
        return ecs_error_new(r == -ETIMEDOUT ? -ETIMEDOUT : -ENOKEY, "CredentialProcess",
                             "credential_process %s: %s", argv[0],
                             r == -EFBIG ? "it writes too much" : strerror(-r));
    }
    if (WIFSIGNALED(status))
        return ecs_error_new(-ENOKEY, "CredentialProcess", "credential_process %s was killed by signal %d",
                             argv[0], WTERMSIG(status));
    if (WEXITSTATUS(status))
        return ecs_error_new(-ENOKEY, "CredentialProcess", "credential_process %s ended with status %d",
                             argv[0], WEXITSTATUS(status));
    return NULL;
}
