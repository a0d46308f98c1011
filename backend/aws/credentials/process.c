/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

extern char **environ;

enum { WATCH_MS = 100 };      /* how often a running program is asked whether it is still wanted */
enum { COMPLAINT_MAX = 200 }; /* bytes of its last words in an error */

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
        return errno == EINTR || errno == EAGAIN ? 1 : -errno;
    int r = n > 0 && ecs_buf_add(output, chunk, (size_t)n) < 0 ? output->failed : n > 0;
    explicit_bzero(chunk, sizeof(chunk));
    return r;
}

/* Of what a program writes to its standard error: the last line that is not blank, and the one that comes. */
struct complaint {
    char last[COMPLAINT_MAX + 1], line[COMPLAINT_MAX + 1];
    size_t len;
};

static void end_line(struct complaint *complaint)
{
    if (complaint->len == 0)
        return;
    complaint->line[complaint->len] = 0;
    memcpy(complaint->last, complaint->line, complaint->len + 1);
    complaint->len = 0;
}

static void take_text(struct complaint *complaint, const char *text, size_t len)
{
    for (const char *c = text; c < text + len; c++) {
        if (*c == '\n' || *c == '\r')
            end_line(complaint);
        else if (*c && complaint->len < COMPLAINT_MAX && (complaint->len || (*c != ' ' && *c != '\t')))
            complaint->line[complaint->len++] = *c;
    }
}

/* A person at the terminal may have to answer. Where it would block, the rest is left out. */
static void pass_on(const char *text, size_t len)
{
    struct pollfd ours = {.fd = 2, .events = POLLOUT};
    while (len && poll(&ours, 1, 0) == 1 && ours.revents == POLLOUT) {
        ssize_t n = write(2, text, len);
        if (n <= 0)
            break;
        text += n;
        len -= (size_t)n;
    }
}

/* What there is now, at most what a pipe holds. False at the end. */
static bool listen_to(int fd, struct complaint *complaint)
{
    char chunk[4096];
    for (int i = 0; i < 16; i++) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        take_text(complaint, chunk, (size_t)n);
        pass_on(chunk, (size_t)n);
    }
    return true;
}

/* 0 at the end of the output, or -errno. */
static int read_output(const struct aws_env *env, int out, int err, int64_t deadline, struct ecs_buf *output,
                       struct complaint *complaint)
{
    struct pollfd pollers[] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    for (;;) {
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return -ETIMEDOUT;
        if (env->unwanted && env->unwanted(env))
            return -ECANCELED;
        int r = poll(pollers, 2, left < WATCH_MS ? (int)left : WATCH_MS);
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r <= 0)
            continue;
        if (pollers[1].revents && !listen_to(err, complaint))
            pollers[1].fd = -1;
        r = pollers[0].revents ? read_some(out, output) : 1;
        if (r <= 0)
            return r;
    }
}

/* Waits for a program whose output has ended, for it may go on without it, and complain. */
static int reap(pid_t pid, int err, int64_t deadline, struct complaint *complaint, int *ret_status)
{
    for (;;) {
        pid_t r = waitpid(pid, ret_status, WNOHANG);
        int why = errno;
        listen_to(err, complaint);
        if (r == pid)
            return 0;
        if (r < 0 && why == ECHILD) { /* SIGCHLD is ignored in this process: the output must do */
            *ret_status = 0;
            return 0;
        }
        if (r < 0 && why != EINTR)
            return -why;
        if (now_ms() >= deadline)
            return -ETIMEDOUT;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static int spawn(char *const argv[], int out, int err, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
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

/* With the program's own last words, which tell more than a status. */
static struct ecs_error *failed(int err, const char *program, struct complaint *complaint, const char *format,
                                ...) __attribute__((format(printf, 4, 5)));
static struct ecs_error *failed(int err, const char *program, struct complaint *complaint, const char *format,
                                ...)
{
    char what[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    end_line(complaint);
    return ecs_error_new(err, "CredentialProcess", "credential_process %s%s%s%s", program, what,
                         *complaint->last ? ": " : "", complaint->last);
}

/* Both ends close on exec; the reading end never blocks. */
static int open_pipe(int fds[2])
{
    return pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

struct ecs_error *aws_process_run(const struct aws_env *env, char *const argv[], int timeout_ms,
                                  struct ecs_buf *output)
{
    int64_t deadline = now_ms() + timeout_ms;
    int outs[2] = {-1, -1}, errs[2] = {-1, -1};
    pid_t pid = 0;
    int r = open_pipe(outs);
    if (r == 0)
        r = open_pipe(errs);
    cleanup_close int out = outs[0], err = errs[0];
    int piped = r;
    if (r == 0)
        r = spawn(argv, outs[1], errs[1], &pid);
    if (outs[1] >= 0)
        close(outs[1]);
    if (errs[1] >= 0)
        close(errs[1]);
    if (r < 0)
        return ecs_error_new(piped < 0 ? r : -ENOKEY, "CredentialProcess", "credential_process %s: %s",
                             argv[0], strerror(-r));
    struct complaint complaint = {.len = 0};
    int status = 0;
    r = read_output(env, out, err, deadline, output, &complaint);
    if (r == 0)
        r = reap(pid, err, deadline, &complaint, &status);
    if (r < 0) {
        kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
        listen_to(err, &complaint);
        return failed(r == -ETIMEDOUT ? -ETIMEDOUT : -ENOKEY, argv[0], &complaint, ": %s",
                      r == -EFBIG ? "it writes too much" : strerror(-r));
    }
    if (WIFSIGNALED(status))
        return failed(-ENOKEY, argv[0], &complaint, " was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status))
        return failed(-ENOKEY, argv[0], &complaint, " ended with status %d", WEXITSTATUS(status));
    return NULL;
}
