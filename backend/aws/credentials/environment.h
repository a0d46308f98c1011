/* SPDX-License-Identifier: Apache-2.0 */
/* The world as the credential chain and the configuration see it: variables, files, HTTP exchanges
 * outside of AWS calls, other programs, the clock. Injected, so that recorded cases can be replayed. */
#ifndef ECSFS_AWS_ENVIRONMENT_H
#define ECSFS_AWS_ENVIRONMENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "ecsfs/error.h"
#include "sigv4.h"

enum {
    AWS_EXCHANGE_HEADERS = 8,
    AWS_EXCHANGE_MAX = 256 * 1024, /* bytes of an answer, at most */
};

struct aws_exchange {
    const char *method, *url;
    struct aws_header headers[AWS_EXCHANGE_HEADERS];
    size_t headers_len;
    const char *body; /* NULL: none */
    int timeout_ms;
    bool metadata; /* a metadata host: plain http allowed, never through a proxy */
    bool plain;    /* plain http allowed: an endpoint that the user named */
};

struct aws_answer {
    int status;
    int64_t date_ms;     /* of the Date header; 0: none */
    struct ecs_buf body; /* initialised by the caller; cleansed and freed by aws_answer_free */
};
void aws_answer_free(struct aws_answer *answer);
#define cleanup_answer __attribute__((cleanup(aws_answer_free)))
#define AWS_ANSWER ((struct aws_answer){.body = ECS_BUF_SECRET(AWS_EXCHANGE_MAX)})

/* Which source the chain waits for, told by its thread to those that wait for the chain. */
struct aws_waiting {
    pthread_mutex_t lock;
    char source[128],
        remedy[128]; /* "credential_process aws-vault"; what to do when it is slow. "": none yet */
};

struct aws_env {
    /* NULL when unset. Blank is unset. */
    const char *(*get)(const struct aws_env *env, const char *name);
    /* 0, or -errno. */
    int (*read_file)(const struct aws_env *env, const char *path, struct ecs_buf *into);
    /* Replaces the file atomically, mode 0600. 0, or -errno. */
    int (*write_file)(const struct aws_env *env, const char *path, const char *text);
    /* NULL when an answer came, whatever its status. Blocks, at most timeout_ms. */
    struct ecs_error *(*exchange)(const struct aws_env *env, const struct aws_exchange *request,
                                  struct aws_answer *answer);
    /* Runs a program without a shell and takes its standard output. */
    struct ecs_error *(*run)(const struct aws_env *env, char *const argv[], int timeout_ms,
                             struct ecs_buf *output);
    /* Waits before trying an exchange again; returns early when the chain is no longer wanted. */
    void (*pause)(const struct aws_env *env, int ms);
    /* Nobody wants the outcome any more: give up soon. May be NULL. */
    bool (*unwanted)(const struct aws_env *env);
    const struct ecs_clock *clock;
    /* AWS's clock minus ours, as far as it is known; who finds it to be another sets it. NULL: 0. */
    int64_t *skew_ms;
    struct aws_waiting *waiting; /* NULL: nobody wants to know */
};

/* The variable, or NULL when it is unset or blank. */
const char *aws_env_get(const struct aws_env *env, const char *name);
/* A path below the home directory, or the variable's value with a leading "~/" resolved. The caller
 * frees it; NULL when out of memory. */
char *aws_env_path(const struct aws_env *env, const char *variable, const char *below_home);
/* A source is about to be asked that may take long: for `waiting`. */
void aws_env_waits(const struct aws_env *env, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "true" in any case. */
bool aws_is_true(const char *value);

/* This process's own: getenv, files, programs. Without exchange and pause, which curl gives. */
extern const struct aws_env aws_process_env;

#endif
