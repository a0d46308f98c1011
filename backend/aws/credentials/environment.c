/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "process.h"

const char *aws_env_get(const struct aws_env *env, const char *name)
{
    const char *value = env->get(env, name);
    for (const char *c = value; c && *c; c++)
        if (!isspace((unsigned char)*c))
            return value;
    return NULL;
}

char *aws_env_path(const struct aws_env *env, const char *variable, const char *below_home)
{
    const char *path = variable ? aws_env_get(env, variable) : NULL;
    if (path && strncmp(path, "~/", 2) != 0)
        return strdup(path);
    const char *home = aws_env_get(env, "HOME");
    struct passwd entry, *user = NULL;
    char room[4096];
    if (!home && getpwuid_r(getuid(), &entry, room, sizeof(room), &user) == 0 && user)
        home = user->pw_dir;
    if (!home)
        home = "";
    char *out = NULL;
    return asprintf(&out, "%s/%s", home, path ? path + 2 : below_home) < 0 ? NULL : out;
}

void aws_env_waits(const struct aws_env *env, const char *remedy, const char *format, ...)
{
    struct aws_waiting *waiting = env->waiting;
    if (!waiting)
        return;
    pthread_mutex_lock(&waiting->lock);
    snprintf(waiting->remedy, sizeof(waiting->remedy), "%s", remedy);
    va_list args;
    va_start(args, format);
    vsnprintf(waiting->source, sizeof(waiting->source), format, args);
    va_end(args);
    pthread_mutex_unlock(&waiting->lock);
}

bool aws_is_true(const char *value)
{
    return value && strcasecmp(value, "true") == 0;
}

void aws_answer_free(struct aws_answer *answer)
{
    ecs_buf_free(&answer->body);
}

static const char *process_get(const struct aws_env *env, const char *name)
{
    (void)env;
    return getenv(name);
}

static int process_read(const struct aws_env *env, const char *path, struct ecs_buf *into)
{
    (void)env;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    char chunk[4096];
    ssize_t n;
    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            ecs_buf_add(into, chunk, (size_t)n);
    } while ((n > 0 && !into->failed) || (n < 0 && errno == EINTR));
    int r = n < 0 ? -errno : into->failed;
    OPENSSL_cleanse(chunk, sizeof(chunk));
    return r;
}

static int write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

static int process_write(const struct aws_env *env, const char *path, const char *text)
{
    (void)env;
    cleanup_free char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    cleanup_close int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, text);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(temporary);
    return r;
}

static struct ecs_error *process_run(const struct aws_env *env, char *const argv[], int timeout_ms,
                                     struct ecs_buf *output)
{
    return aws_process_run(env, argv, timeout_ms, output);
}

const struct aws_env aws_process_env = {
    .get = process_get,
    .read_file = process_read,
    .write_file = process_write,
    .run = process_run,
    .clock = &ecs_system_clock,
};
