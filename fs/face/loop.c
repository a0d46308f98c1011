/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/log.h"

enum {
    DRAIN_MS = 5000,  /* for changes under way when we are told to end */
    NOTIFY_MS = 2000, /* for the notifier's last call */
    EVENTS = 8,
};

enum phase { SERVING, DRAINING, ENDING, ENDED };

struct loop {
    struct face *face;
    struct notifier *notifier;
    const struct loop_source *sources;
    size_t len;
    int epoll_fd, signal_fd;
    enum phase phase;
    int64_t phase_until_ms;
};

int loop_catch_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return -errno;
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int64_t now_ms(const struct loop *loop)
{
    return loop->face->clock->now_ms(loop->face->clock);
}

/* ---- the end ---- */

static void enter(struct loop *loop, enum phase phase, int64_t for_ms)
{
    loop->phase = phase;
    loop->phase_until_ms = now_ms(loop) + for_ms;
}

static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo info;
    if (read(loop->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (loop->phase == SERVING) {
        ecs_log(ECS_LOG_INFO, "%s: unmounting", strsignal((int)info.ssi_signo));
        enter(loop, DRAINING, DRAIN_MS);
    } else if (loop->phase == DRAINING) {
        loop->phase_until_ms = 0; /* asked twice */
    }
}

static void step_to_end(struct loop *loop)
{
    if (loop->phase == DRAINING &&
        (face_cancel(loop->face, false) == 0 || now_ms(loop) >= loop->phase_until_ms)) {
        face_cancel(loop->face, true);
        notifier_stop(loop->notifier);
        enter(loop, ENDING, NOTIFY_MS);
    }
    /* Requests go on being refused meanwhile: the notifier may wait for a lock that one of them holds. */
    if (loop->phase == ENDING) {
        face_cancel(loop->face, true);
        if (notifier_stopped(loop->notifier) || now_ms(loop) >= loop->phase_until_ms)
            loop->phase = ENDED;
    }
}

/* ---- waiting ---- */

static int sooner(int a, int b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

static int timeout_ms(struct loop *loop)
{
    int timeout = face_timeout_ms(loop->face);
    for (size_t i = 0; i < loop->len; i++)
        if (loop->sources[i].timeout_ms != NULL)
            timeout = sooner(timeout, loop->sources[i].timeout_ms(loop->sources[i].arg));
    if (loop->phase != SERVING) {
        int64_t left = loop->phase_until_ms - now_ms(loop);
        timeout = sooner(timeout, left < 0 ? 0 : (int)left);
    }
    return timeout;
}

static void run_due(struct loop *loop)
{
    for (size_t i = 0; i < loop->len; i++) {
        const struct loop_source *source = &loop->sources[i];
        if (source->timeout_ms != NULL && source->timeout_ms(source->arg) == 0)
            source->run(source->arg);
    }
}

static void dispatch(struct loop *loop, uint32_t tag)
{
    if (tag < loop->len) {
        loop->sources[tag].run(loop->sources[tag].arg);
    } else if (tag == loop->len) {
        if (!face_serve(loop->face))
            loop->phase = ENDED; /* unmounted */
    } else if (tag == loop->len + 1) {
        notifier_clear(loop->notifier);
    } else {
        take_signal(loop);
    }
}

static int watch(struct loop *loop, int fd, size_t tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)tag};
    if (fd < 0)
        return 0;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int watch_all(struct loop *loop)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < loop->len; i++)
        r = watch(loop, loop->sources[i].fd, i);
    if (r == 0)
        r = watch(loop, face_fd(loop->face), loop->len);
    if (r == 0)
        r = watch(loop, notifier_fd(loop->notifier), loop->len + 1);
    if (r == 0)
        r = watch(loop, loop->signal_fd, loop->len + 2);
    return r;
}

int loop_run(struct face *face, struct notifier *notifier, const struct loop_source *sources, size_t len,
             int signal_fd)
{
    cleanup_close int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        return -errno;
    struct loop loop = {.face = face,
                        .notifier = notifier,
                        .sources = sources,
                        .len = len,
                        .epoll_fd = epoll_fd,
                        .signal_fd = signal_fd};
    int r = watch_all(&loop);
    while (r == 0 && loop.phase != ENDED) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(epoll_fd, events, EVENTS, timeout_ms(&loop));
        if (n < 0 && errno != EINTR)
            r = -errno;
        for (int i = 0; i < n; i++)
            dispatch(&loop, events[i].data.u32);
        run_due(&loop);
        face_go_on(face);
        step_to_end(&loop);
    }
    notifier_stop(notifier);
    return r;
}
