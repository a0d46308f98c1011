/* SPDX-License-Identifier: Apache-2.0 */
/* The network thread: letters in, transfers through curl's multi interface, calls home. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "ecsfs/log.h"
#include "retry.h"

enum {
    IDLE_MS = 60000,   /* nothing to do: the mailbox wakes the thread */
    EXPIRE_MS = 50,    /* how often deadlines are looked at */
    READS_FLYING = 40, /* with those before them in priority */
    AHEAD_FLYING = 24,
    WRITES_FLYING = 64,
};

static const unsigned most_flying[AWS_PRIORITIES] = {
    [ECS_PRIORITY_WRITE] = WRITES_FLYING,
    [ECS_PRIORITY_READ] = READS_FLYING,
    [ECS_PRIORITY_AHEAD] = AHEAD_FLYING,
};

static struct ecs_error *cancelled(const struct ecs_call *call)
{
    return aws_own_error(call->operation, -ECANCELED, "Cancelled", "no longer wanted");
}

/* Places a new call in its lane. */
static void admit(struct aws_client *client, struct aws_task *task)
{
    const struct ecs_call *call = task->call;
    TAILQ_INSERT_TAIL(&client->all, task, all);
    task->state = AWS_TASK_QUEUED;
    task->service = aws_service_find(call->service);
    if (client->stopping) {
        aws_task_finish(client, task, cancelled(call));
        return;
    }
    if (!task->service) {
        aws_task_finish(client, task,
                        aws_own_error(call->operation, -EOPNOTSUPP, "UnknownService",
                                      "no service is called \"%s\"", call->service));
        return;
    }
    const char *region = call->region ? call->region : client->config->region;
    if (task->service->home_region)
        region = task->service->home_region;
    if (!aws_region_valid(region)) {
        aws_task_finish(client, task,
                        aws_own_error(call->operation, -EINVAL, "InvalidRegion",
                                      "\"%s\" cannot be the name of a region", region));
        return;
    }
    task->lane =
        aws_lane_get(&client->lanes, call->service, call->operation, region, client->pacing, aws_now(client));
    if (!task->lane) {
        aws_task_finish(client, task,
                        aws_own_error(call->operation, -ENOMEM, "OutOfMemory", "out of memory"));
        return;
    }
    aws_task_enqueue(client, task, false);
}

static void cancel_task(struct aws_client *client, struct aws_task *task)
{
    if (task->state == AWS_TASK_FLYING && task->call->writing)
        task->unwanted = true;
    else
        aws_task_finish(client, task, cancelled(task->call));
}

static void take_cancel(struct aws_client *client, struct aws_cancel *cancel)
{
    struct aws_task *task;
    TAILQ_FOREACH(task, &client->all, all)
    if (task->call == cancel->call) {
        cancel_task(client, task);
        break;
    }
    free(cancel);
}

static void begin_stop(struct aws_client *client)
{
    client->stopping = true;
    client->stop_by_ms = aws_now(client) + AWS_DRAIN_MS;
    struct aws_task *task = TAILQ_FIRST(&client->all), *next;
    for (; task; task = next) {
        next = TAILQ_NEXT(task, all);
        cancel_task(client, task);
    }
}

static void take_letters(struct aws_client *client)
{
    struct ecs_letter *taken;
    while ((taken = ecs_mailbox_take(client->input))) {
        struct aws_letter *letter = (struct aws_letter *)taken;
        switch (letter->kind) {
        case AWS_LETTER_CALL:
            admit(client, (struct aws_task *)letter);
            break;
        case AWS_LETTER_CANCEL:
            take_cancel(client, (struct aws_cancel *)letter);
            break;
        case AWS_LETTER_CREDENTIALS:
            aws_keys_arrived(client, letter, aws_now(client));
            break;
        case AWS_LETTER_STOP:
            begin_stop(client);
            break;
        }
    }
}

static struct ecs_error *too_late(struct aws_client *client, const struct aws_task *task)
{
    const char *operation = task->call->operation;
    if (task->throttled)
        return aws_own_error(operation, -EBUSY, "Throttled",
                             "%s: AWS throttles calls of class %s, and did until the time was up", task->host,
                             task->lane->class->name);
    if (task->attempts)
        return aws_own_error(operation, -ETIMEDOUT, "Timeout", "%s: no success in time", task->host);
    struct ecs_error *error = aws_keys_late(client, operation);
    if (error)
        return error;
    return aws_own_error(operation, -EBUSY, "Paced",
                         "too many calls of class %s are waiting for AWS's rate limit of %g a second",
                         task->lane->class->name, task->lane->rate);
}

/* Ends what waited too long. Transfers have their own timeouts. */
static void expire(struct aws_client *client, int64_t now)
{
    if (now < client->expire_next_ms)
        return;
    client->expire_next_ms = now + EXPIRE_MS;
    struct aws_task *task = TAILQ_FIRST(&client->all), *next;
    for (; task; task = next) {
        next = TAILQ_NEXT(task, all);
        if (task->state != AWS_TASK_FLYING && now >= task->deadline_ms)
            aws_task_finish(client, task, too_late(client, task));
    }
}

/* Calls whose pause is over queue again, before those of their lane that never left. */
static int64_t wake(struct aws_client *client, int64_t now)
{
    int64_t next_ms = now + IDLE_MS;
    struct aws_task *task = TAILQ_FIRST(&client->backoff), *next;
    for (; task; task = next) {
        next = TAILQ_NEXT(task, link);
        if (task->not_before_ms > now) {
            if (task->not_before_ms < next_ms)
                next_ms = task->not_before_ms;
            continue;
        }
        TAILQ_REMOVE(&client->backoff, task, link);
        aws_task_enqueue(client, task, true);
    }
    return next_ms;
}

static void launch_lane(struct aws_client *client, struct aws_lane *lane, unsigned priority, int64_t now,
                        int64_t *next_ms)
{
    struct aws_task *task;
    while ((task = TAILQ_FIRST(&lane->queues[priority])) && client->flying < most_flying[priority]) {
        int64_t ready;
        if (!aws_lane_take(lane, now, &ready)) {
            if (ready < *next_ms)
                *next_ms = ready;
            if (!task->paced) {
                task->paced = true;
                pthread_mutex_lock(&client->lock);
                client->meter.paced++;
                pthread_mutex_unlock(&client->lock);
            }
            return;
        }
        TAILQ_REMOVE(&lane->queues[priority], task, link);
        client->queued--;
        task->state = AWS_TASK_FLYING;
        struct ecs_error *error = aws_attempt_start(client, task, now);
        if (error)
            aws_task_finish(client, task, error);
    }
}

static void fail_queued(struct aws_client *client, struct ecs_error *error)
{
    struct aws_task *task = TAILQ_FIRST(&client->all), *next;
    for (; task; task = next) {
        next = TAILQ_NEXT(task, all);
        if (task->state == AWS_TASK_QUEUED)
            aws_task_finish(
                client, task,
                aws_own_error(task->call->operation, error->err, error->code, "%s", error->message));
    }
}

/* Sends what may go, most wanted first. Returns when to come again, at the latest. */
static int64_t launch(struct aws_client *client, int64_t now)
{
    int64_t next_ms = now + IDLE_MS;
    if (!client->queued)
        return next_ms;
    struct ecs_error *error = NULL;
    if (!aws_keys_ready(client, now, &error)) {
        if (error)
            fail_queued(client, error);
        ecs_error_unref(error);
        return next_ms;
    }
    for (unsigned priority = 0; priority < AWS_PRIORITIES; priority++) {
        struct aws_lane *lane;
        SLIST_FOREACH(lane, &client->lanes, link)
        launch_lane(client, lane, priority, now, &next_ms);
    }
    return next_ms;
}

static void collect(struct aws_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct aws_task *task = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &task);
        aws_attempt_done(client, task, message->data.result);
    }
}

/* Whether the thread may end. Changing calls under way at the end of the time come home unknown. */
static bool stopped(struct aws_client *client, int64_t now)
{
    if (!client->stopping)
        return false;
    while (now >= client->stop_by_ms && !TAILQ_EMPTY(&client->all)) {
        struct aws_task *task = TAILQ_FIRST(&client->all);
        aws_task_finish(client, task,
                        aws_own_error(task->call->operation, -ETIMEDOUT, "AnswerLost",
                                      "%s had not answered when the backend stopped; whether the change was "
                                      "made is not known",
                                      task->host));
    }
    return TAILQ_EMPTY(&client->all);
}

static int poll_ms(const struct aws_client *client, int64_t now, int64_t next_ms)
{
    if (client->stopping && client->stop_by_ms < next_ms)
        next_ms = client->stop_by_ms;
    if ((client->queued || !TAILQ_EMPTY(&client->backoff)) && client->expire_next_ms < next_ms)
        next_ms = client->expire_next_ms;
    return next_ms > now ? (int)(next_ms - now) : 0;
}

void *aws_network_run(void *arg)
{
    struct aws_client *client = arg;
    pthread_setname_np(pthread_self(), "ecsfs-net");
    aws_keys_begin(client);
    for (;;) {
        take_letters(client);
        int64_t now = aws_now(client);
        expire(client, now);
        int64_t next_ms = wake(client, now);
        int64_t launch_ms = launch(client, now);
        if (launch_ms < next_ms)
            next_ms = launch_ms;
        int running = 0;
        curl_multi_perform(client->multi, &running);
        unsigned flying = client->flying;
        collect(client);
        now = aws_now(client);
        if (stopped(client, now))
            break;
        if (client->flying != flying) /* connections are free: more may go */
            continue;
        struct curl_waitfd input = {.fd = ecs_mailbox_fd(client->input), .events = CURL_WAIT_POLLIN};
        curl_multi_poll(client->multi, &input, 1, poll_ms(client, now, next_ms), NULL);
    }
    return NULL;
}
