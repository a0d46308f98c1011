/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "caller.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/log.h"
#include "face.h"
#include "signals.h"

enum {
    RETRY_MS = 2000,     /* within which a caller's second lookup of a path is the same one */
    IN_THE_WAY_MS = 300, /* that a lookup may keep a notice waiting */
};

static int64_t now_ms(const struct face *face)
{
    return face->clock->now_ms(face->clock);
}

/* For -d only: finer than the clock that decides. */
static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void face_requests_init(struct face_requests *requests)
{
    *requests = (struct face_requests){0};
    requests->last = &requests->first;
    requests->ready_last = &requests->ready;
}

/* ---- -d ---- */

static void trace(const struct face_request *r)
{
    if (!r->face->trace)
        return;
    char what[400];
    int at = snprintf(what, sizeof(what), "%-9s %llx", r->op->name, (unsigned long long)r->ino);
    if (r->name != NULL && at < (int)sizeof(what))
        at += snprintf(what + at, sizeof(what) - (size_t)at, " '%.128s'", r->name);
    if (r->new_name != NULL && at < (int)sizeof(what))
        at += snprintf(what + at, sizeof(what) - (size_t)at, " to %llx '%.128s'",
                       (unsigned long long)r->new_parent, r->new_name);
    if (r->size != 0 && at < (int)sizeof(what))
        snprintf(what + at, sizeof(what) - (size_t)at, " %zu at %lld", r->size, (long long)r->offset);
    int64_t took_us = now_us() - r->began_us;
    ecs_debug("%s = %s (pid %d, %lld.%03lld ms)", what, r->error != 0 ? strerrorname_np(r->error) : "ok",
              (int)r->rq.pid, (long long)(took_us / 1000), (long long)(took_us % 1000));
}

/* ---- the lists ---- */

static void link_last(struct face_requests *requests, struct face_request *r)
{
    r->next = NULL;
    r->prev = requests->last;
    *requests->last = r;
    requests->last = &r->next;
    requests->len++;
}

static void unlink_request(struct face_requests *requests, struct face_request *r)
{
    *r->prev = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    else
        requests->last = r->prev;
    requests->len--;
}

static void push_ready(struct face_requests *requests, struct face_request *r)
{
    r->ready_next = NULL;
    *requests->ready_last = r;
    requests->ready_last = &r->ready_next;
}

static struct face_request *pop_ready(struct face_requests *requests)
{
    struct face_request *r = requests->ready;
    if (r == NULL)
        return NULL;
    requests->ready = r->ready_next;
    if (requests->ready == NULL)
        requests->ready_last = &requests->ready;
    return r;
}

static void remove_ready(struct face_requests *requests, struct face_request *r)
{
    struct face_request **link = &requests->ready;
    while (*link != r)
        link = &(*link)->ready_next;
    *link = r->ready_next;
    if (requests->ready_last == &r->ready_next)
        requests->ready_last = link;
}

/* ---- states ---- */

/* The kernel tells of a signal once. After one that meant nothing, those that follow have to be looked for.
 */
static void shrug_off(struct face_request *r)
{
    if (!r->shrugged)
        r->face->requests.shrugged++;
    r->shrugged = true;
}

static void leave_state(struct face_request *r)
{
    struct face_requests *requests = &r->face->requests;
    if (r->state == FACE_READY)
        remove_ready(requests, r);
    if (r->state == FACE_READY || r->state == FACE_PARKED)
        requests->parked--;
    if (r->state == FACE_FINISHING)
        requests->finishing--;
    if (r->shrugged)
        requests->shrugged--;
    if (r->in_the_way_ms != 0)
        requests->in_the_way--;
    r->shrugged = false;
    r->in_the_way_ms = 0;
    r->state = FACE_RUNNING;
}

static void wake(struct ecs_want *want)
{
    struct face_request *r = container_of(want, struct face_request, rq.want);
    if (r->state == FACE_PARKED) {
        r->state = FACE_READY;
        push_ready(&r->face->requests, r);
    } else {
        r->woken = true;
    }
}

/* The last of it: the answer goes out, and what waited for its directory's lock may go on. */
static void answer(struct face_request *r)
{
    struct face *face = r->face;
    leave_state(r);
    trace(r);
    if (r->error != 0) {
        if (r->op->drop != NULL)
            r->op->drop(face, r);
        face_wire_refuse(r, r->error);
    } else {
        r->op->reply(face, r);
    }
    unlink_request(&face->requests, r);
    for (size_t i = 0; i < ARRAY_LEN(r->holds); i++)
        notifier_release(face->notifier, &r->holds[i]);
    ecs_buf_free(&r->text);
    ecs_buf_free(&r->given);
    free(r);
}

static void abandon(struct face_request *r, int error)
{
    fs_request_interrupt(r->face->tree, &r->rq);
    r->error = error;
    answer(r);
}

static void finish(struct face_request *r)
{
    struct face *face = r->face;
    r->ticket = r->op->changing ? notifier_ticket(face->notifier, r->mark) : 0;
    if (r->ticket == 0 || notifier_settled(face->notifier, r->ticket)) {
        answer(r);
        return;
    }
    r->state = FACE_FINISHING;
    r->finish_by_ms = now_ms(face) + face->notice_ms;
    face->requests.finishing++;
}

/* A notice that waits for a directory's lock keeps everybody out of that directory, and may have to wait for
 * this very lookup. ESTALE has the kernel let go of the lock and begin the path anew; but only once, so the
 * same caller is not told so again soon, but waits. The lookup before a mkdir or symlink the kernel does not
 * begin anew at all, and it keeps everybody out by itself: it waits for its answer, where it can be told from
 * others; where not, most are given the time to be answered. */
static bool in_the_way(const struct face_request *r)
{
    return r->op->lookup && notifier_is_giving(r->face->notifier, r->holds[0].ino);
}

static bool may_begin_anew(struct face_request *r)
{
    struct face_requests *requests = &r->face->requests;
    for (size_t i = 0; i < ARRAY_LEN(requests->retried); i++)
        if (requests->retried[i].pid == r->rq.pid && r->began_ms - requests->retried[i].at_ms < RETRY_MS)
            return false;
    requests->retried[requests->retried_next++ % ARRAY_LEN(requests->retried)] =
        (struct face_retry){r->rq.pid, r->began_ms};
    return true;
}

static void park(struct face_request *r)
{
    struct face_requests *requests = &r->face->requests;
    if (!r->watched) {
        r->watched = true;
        if (face_wire_watch(r)) {
            abandon(r, EINTR);
            return;
        }
    }
    r->state = FACE_PARKED;
    requests->parked++;
    if (in_the_way(r)) {
        r->in_the_way_ms = now_ms(r->face) + IN_THE_WAY_MS;
        requests->in_the_way++;
    }
    if (r->woken) {
        r->state = FACE_READY;
        push_ready(requests, r);
    }
}

static void run(struct face_request *r)
{
    struct face *face = r->face;
    r->state = FACE_RUNNING;
    r->woken = false;
    int result = r->op->run(face, r);
    if (result == FS_PARKED) {
        park(r);
        return;
    }
    struct fs_inode *inode = fs_inode_find(face->tree, r->ino);
    r->error = abs(fs_request_end(face->tree, &r->rq, inode, result));
    finish(r);
}

void face_begin(struct face_request *r, uint64_t lock, uint64_t other_lock)
{
    struct face *face = r->face;
    r->began_ms = now_ms(face);
    if (face->trace)
        r->began_us = now_us();
    r->rq.want.since_ms = r->began_ms;
    r->rq.want.wake = wake;
    r->mark = r->op->settles ? NOTIFIER_MARK_ALL : notifier_mark(face->notifier);
    link_last(&face->requests, r);
    if (r->op->locks_pages)
        notifier_hold_pages(face->notifier, &r->holds[0], r->ino);
    if (lock != 0)
        notifier_hold(face->notifier, &r->holds[0], lock);
    if (other_lock != 0 && other_lock != lock)
        notifier_hold(face->notifier, &r->holds[1], other_lock);
    run(r);
}

void face_interrupt(struct face_request *r)
{
    if (r->state == FACE_FINISHING)
        answer(r); /* the change is made: say so, the kernel's caches catch up */
    else if (r->state != FACE_RUNNING && signals_want_end(r->rq.pid))
        abandon(r, EINTR);
    else
        shrug_off(r);
}

/* ---- time ---- */

static int64_t deadline_of(const struct face_request *r)
{
    if (r->state == FACE_FINISHING)
        return r->finish_by_ms;
    if (r->in_the_way_ms != 0)
        return r->in_the_way_ms;
    return r->rq.patient ? INT64_MAX : r->began_ms + r->face->timeout_ms;
}

static void expire(struct face_request *r)
{
    if (r->state == FACE_FINISHING) {
        ecs_debug("%s is answered before the kernel took all notices of what it changed", r->op->name);
        answer(r);
        return;
    }
    if (r->in_the_way_ms != 0) {
        r->in_the_way_ms = 0;
        r->face->requests.in_the_way--;
        if (in_the_way(r) && !caller_makes_name(r->rq.pid) && may_begin_anew(r))
            abandon(r, ESTALE);
        return;
    }
    ecs_log(ECS_LOG_WARNING, "%s waited %lld ms for an answer and was given up", r->op->name,
            (long long)(now_ms(r->face) - r->began_ms));
    abandon(r, ETIMEDOUT);
}

/* Signals that came after one that meant nothing. */
static void look_for_signals(struct face *face, int64_t now)
{
    struct face_requests *requests = &face->requests;
    struct face_request *r;
    if (requests->shrugged == 0 || now < requests->look_at_ms)
        return;
    requests->look_at_ms = now + SIGNALS_POLL_MS;
    for (struct face_request *next = requests->first; (r = next) != NULL;) {
        next = r->next;
        if (r->shrugged)
            face_interrupt(r);
    }
}

void face_go_on(struct face *face)
{
    struct face_requests *requests = &face->requests;
    struct face_request *r;

    while ((r = pop_ready(requests)) != NULL) {
        requests->parked--;
        run(r);
    }
    if (requests->parked + requests->finishing == 0)
        return;
    int64_t now = now_ms(face);
    look_for_signals(face, now);
    for (struct face_request *next = requests->first; (r = next) != NULL;) {
        next = r->next;
        if (r->state == FACE_FINISHING && notifier_settled(face->notifier, r->ticket))
            answer(r);
        else if (deadline_of(r) <= now)
            expire(r);
        else if (requests->finishing + requests->in_the_way == 0 && !r->rq.patient)
            break; /* the younger ones have longer */
    }
}

int face_timeout_ms(struct face *face)
{
    struct face_requests *requests = &face->requests;
    if (requests->ready != NULL)
        return 0;
    int64_t soonest = INT64_MAX;
    for (const struct face_request *r = requests->first; r != NULL; r = r->next) {
        int64_t deadline = deadline_of(r);
        if (deadline < soonest)
            soonest = deadline;
        if (requests->finishing + requests->in_the_way == 0 && !r->rq.patient)
            break;
    }
    if (requests->shrugged > 0 && requests->look_at_ms < soonest)
        soonest = requests->look_at_ms;
    if (soonest == INT64_MAX)
        return -1;
    int64_t left = soonest - now_ms(face);
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

unsigned long face_cancel(struct face *face, bool all)
{
    struct face_request *r;
    for (struct face_request *next = face->requests.first; (r = next) != NULL;) {
        next = r->next;
        if (r->state == FACE_FINISHING) {
            answer(r);
        } else if (!r->op->changing) {
            abandon(r, EINTR);
        } else if (all) {
            ecs_log(ECS_LOG_WARNING, "unmounted while %s of '%s' was under way: its outcome is not known",
                    r->op->name, r->name != NULL ? r->name : "an open file");
            abandon(r, EINTR);
        }
    }
    return face->requests.len;
}
