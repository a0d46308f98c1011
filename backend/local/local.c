/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator as a backend: the world on a thread of its own, behind a mailbox. */
#include "ecsfs/local.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "http/download.h"
#include "input.h"
#include "world.h"

struct local {
    struct ecs_backend backend; /* first */
    struct world *world;        /* the thread's, once it runs */
    const struct ecs_clock *clock;
    struct ecs_mailbox *inbox;
    struct ecs_letter last; /* its arrival ends the thread */
    pthread_t thread;
    bool running, stopped;
    atomic_ulong calls, throttled, failed, in_flight;
    char state[256];
};

static void digest(struct ecs_call *call, json_t *reply)
{
    if (call->digest)
        call->error = call->digest(call, reply);
    json_decref(reply);
}

static json_t *read_body(const struct ecs_call *call)
{
    const char *body = call->body && *call->body ? call->body : "{}";
    return input_read(body, strlen(body));
}

static void answer(struct local *local, struct ecs_call *call)
{
    call->attempts = 1;
    call->sent_ms = local->clock->now_ms(local->clock);
    json_t *in = call->download ? NULL : read_body(call);
    json_t *reply = NULL;
    if (call->download)
        call->error = world_download(local->world, call);
    else if (!in)
        call->error = ecs_error_from_aws(call->operation, 400, "SerializationException",
                                         "The request is not valid JSON.", "", call->writing);
    else
        reply = world_call(local->world, call->region, call->service, call->operation, in, &call->error);
    json_decref(in);
    if (reply)
        digest(call, reply);
    atomic_fetch_add(&local->calls, 1);
    if (call->error)
        atomic_fetch_add(&local->failed, 1);
    if (call->error && strcmp(call->error->code, "ThrottlingException") == 0)
        atomic_fetch_add(&local->throttled, 1);
    atomic_fetch_sub(&local->in_flight, 1);
    ecs_mailbox_post(call->home, &call->letter);
}

static void *live(void *arg)
{
    struct local *local = arg;
    for (;;) {
        int64_t wait = world_tick(local->world);
        struct pollfd fd = {.fd = ecs_mailbox_fd(local->inbox), .events = POLLIN};
        poll(&fd, 1, wait < 0 || wait > 60000 ? 60000 : (int)wait);
        struct ecs_letter *letter;
        while ((letter = ecs_mailbox_take(local->inbox))) {
            if (letter == &local->last)
                return NULL;
            answer(local, (struct ecs_call *)letter);
        }
    }
}

static void refuse(struct ecs_call *call)
{
    call->error = ecs_error_new(-ECANCELED, "Cancelled", "the emulator has stopped");
    ecs_mailbox_post(call->home, &call->letter);
}

static void submit(struct ecs_backend *backend, struct ecs_call *call)
{
    struct local *local = (struct local *)backend;
    if (local->stopped) {
        refuse(call);
        return;
    }
    atomic_fetch_add(&local->in_flight, 1);
    ecs_mailbox_post(local->inbox, &call->letter);
}

static void cancel(struct ecs_backend *backend, struct ecs_call *call)
{
    (void)backend; /* every call is on its way home already */
    (void)call;
}

static void status(struct ecs_backend *backend, struct ecs_backend_status *ret_status)
{
    struct local *local = (struct local *)backend;
    *ret_status = (struct ecs_backend_status){.reachable = true};
    snprintf(ret_status->account, sizeof(ret_status->account), "%s", world_account(local->world));
    snprintf(ret_status->region, sizeof(ret_status->region), "%s", world_region(local->world));
    snprintf(ret_status->identity, sizeof(ret_status->identity), "arn:aws:iam::%s:user/local",
             world_account(local->world));
    snprintf(ret_status->endpoint, sizeof(ret_status->endpoint), "%s", local->state);
    ret_status->calls = atomic_load(&local->calls);
    ret_status->throttled = atomic_load(&local->throttled);
    ret_status->failed = atomic_load(&local->failed);
    ret_status->in_flight = atomic_load(&local->in_flight);
}

static void metrics(struct ecs_backend *backend, char **ret_text)
{
    struct local *local = (struct local *)backend;
    cleanup_buf struct ecs_buf text = ECS_BUF(1024);
    ecs_buf_addf(&text,
                 "# HELP ecsfs_local_calls_total Calls that the emulator answered.\n"
                 "# TYPE ecsfs_local_calls_total counter\necsfs_local_calls_total %lu\n"
                 "# HELP ecsfs_local_failed_total Calls that it refused.\n"
                 "# TYPE ecsfs_local_failed_total counter\necsfs_local_failed_total %lu\n",
                 atomic_load(&local->calls), atomic_load(&local->failed));
    *ret_text = ecs_buf_steal(&text, NULL);
}

static int start(struct ecs_backend *backend)
{
    struct local *local = (struct local *)backend;
    sigset_t all, before; /* signals are the loop thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&local->thread, NULL, live, local);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    local->running = r == 0;
    return -r;
}

/* Calls submitted before the last letter are answered. */
static void stop(struct ecs_backend *backend)
{
    struct local *local = (struct local *)backend;
    if (local->running) {
        ecs_mailbox_post(local->inbox, &local->last);
        pthread_join(local->thread, NULL);
    }
    struct ecs_letter *letter; /* only when it never ran */
    while ((letter = ecs_mailbox_take(local->inbox)))
        refuse((struct ecs_call *)letter);
    local->running = false;
    local->stopped = true;
}

static void free_local(struct ecs_backend *backend)
{
    struct local *local = (struct local *)backend;
    world_free(local->world);
    ecs_mailbox_free(local->inbox);
    free(local);
}

struct ecs_backend *ecs_local_new(const struct ecs_local_options *options, struct ecs_error **ret_error)
{
    struct local *local = calloc(1, sizeof(*local));
    if (local)
        local->inbox = ecs_mailbox_new();
    if (!local || !local->inbox) {
        free(local);
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    local->backend =
        (struct ecs_backend){"local", NULL, submit, cancel, status, NULL, metrics, start, stop, free_local};
    local->clock = options->clock ? options->clock : &ecs_system_clock;
    snprintf(local->state, sizeof(local->state), "local:%s", options->state_file ? options->state_file : "");
    local->world = world_new(options, ret_error);
    if (!local->world) {
        ecs_mailbox_free(local->inbox);
        free(local);
        return NULL;
    }
    local->backend.region = world_region(local->world);
    return &local->backend;
}
