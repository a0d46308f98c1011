/* SPDX-License-Identifier: Apache-2.0 */
/* A call on its way: its time, its place in a queue, and its end. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "retry.h"

int64_t aws_now(const struct aws_client *client)
{
    return client->clock->now_ms(client->clock);
}

int64_t aws_wall(const struct aws_client *client)
{
    return client->clock->wall_ms(client->clock);
}

static struct aws_queue *queue_of(const struct aws_task *task)
{
    return &task->lane->queues[task->call->priority];
}

void aws_task_enqueue(struct aws_client *client, struct aws_task *task, bool first)
{
    task->state = AWS_TASK_QUEUED;
    client->queued++;
    if (first)
        TAILQ_INSERT_HEAD(queue_of(task), task, link);
    else
        TAILQ_INSERT_TAIL(queue_of(task), task, link);
}

static void unlink_task(struct aws_client *client, struct aws_task *task)
{
    if (task->state == AWS_TASK_BACKOFF) {
        TAILQ_REMOVE(&client->backoff, task, link);
    } else if (task->state == AWS_TASK_QUEUED && task->lane) {
        TAILQ_REMOVE(queue_of(task), task, link);
        client->queued--;
    }
    TAILQ_REMOVE(&client->all, task, all);
}

/* Whether an error settles what became of a change whose earlier attempt may have been heard: AWS's verdict
 * on it does, and a 500 says itself that it does not. */
static bool settles(const struct ecs_error *error)
{
    enum aws_retry retry = aws_retry_of_answer(error);
    return error->http_status >= 500 ? retry == AWS_RETRY_AMBIGUOUS
                                     : error->http_status >= 400 && retry == AWS_RETRY_NO;
}

/* That a later attempt was throttled, refused or never left says nothing of the one before. */
static struct ecs_error *doubt(const struct aws_task *task, struct ecs_error *error)
{
    if (!error || !task->heard || settles(error) || strcmp(error->code, "AnswerLost") == 0)
        return error;
    struct ecs_error *lost = aws_own_error(task->call->operation, error->err, "AnswerLost",
                                           "%s; whether the change was made is not known", error->message);
    ecs_error_unref(error);
    return lost;
}

void aws_task_finish(struct aws_client *client, struct aws_task *task, struct ecs_error *error)
{
    struct ecs_call *call = task->call;
    unlink_task(client, task);
    aws_attempt_end(client, task);
    error = doubt(task, error);
    call->attempts = task->attempts;
    call->error = error;
    pthread_mutex_lock(&client->lock);
    aws_meter_call(&client->meter, call, error, aws_now(client) - task->submitted_ms);
    client->meter.in_flight--;
    pthread_mutex_unlock(&client->lock);
    aws_credentials_unref(task->credentials);
    free(task);
    ecs_mailbox_post(call->home, &call->letter);
}
