/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt came to: home with it, or once more. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "client.h"
#include "download.h"
#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"
#include "query.h"
#include "reply.h"
#include "retry.h"

/* STS only tells who we are, and an endpoint of one's own need not have it. */
static void set_reachable(struct aws_client *client, const struct aws_task *task, bool reachable,
                          const char *trouble)
{
    if (strcmp(task->call->service, "sts") == 0)
        return;
    pthread_mutex_lock(&client->lock);
    client->reachable = reachable;
    snprintf(client->trouble, sizeof(client->trouble), "%.255s", trouble);
    pthread_mutex_unlock(&client->lock);
}

/* Again after a pause, when attempts, quota and deadline allow. */
static bool retry_later(struct aws_client *client, struct aws_task *task, int cost, int64_t now)
{
    if (task->unwanted || client->stopping || task->attempts >= client->config->max_attempts)
        return false;
    int64_t at = now + aws_backoff_ms(task->attempts, task->answer.retry_after_ms);
    if (at >= task->deadline_ms || !aws_lane_retry(task->lane, cost))
        return false;
    task->retry_cost = cost;
    task->not_before_ms = at;
    aws_attempt_end(client, task);
    task->state = AWS_TASK_BACKOFF;
    TAILQ_INSERT_TAIL(&client->backoff, task, link);
    return true;
}

static void retry_now(struct aws_client *client, struct aws_task *task)
{
    aws_attempt_end(client, task);
    aws_task_enqueue(client, task, true);
}

static bool may_repeat(const struct aws_task *task)
{
    return !task->call->writing || task->idempotent;
}

static int connect_errno(CURL *easy)
{
    long os = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
    return os == ENETUNREACH || os == EHOSTUNREACH || os == ETIMEDOUT ? (int)-os : -ECONNREFUSED;
}

static void transport_failed(struct aws_client *client, struct aws_task *task, CURLcode result, int64_t now)
{
    const struct aws_transport *how = aws_transport_find(result);
    long sent = 0;
    curl_easy_getinfo(task->easy, CURLINFO_REQUEST_SIZE, &sent);
    bool unsent = how->unsent || sent == 0;
    int err = result == CURLE_COULDNT_CONNECT ? connect_errno(task->easy) : how->err;
    bool too_large = result == CURLE_WRITE_ERROR;
    char words[CURL_ERROR_SIZE + 512];
    snprintf(words, sizeof(words), "%s: %s%s%s%s", task->host, how->words, *task->curl_error ? " (" : "",
             task->curl_error, *task->curl_error ? ")" : "");
    set_reachable(client, task, too_large, too_large ? "" : words);
    task->throttled = false;
    task->heard |= task->call->writing && !unsent;
    bool told_again = too_large && task->call->writing && task->idempotent; /* AWS tells again what it did */
    if ((told_again || (how->again && (unsent || may_repeat(task)))) &&
        retry_later(client, task, result == CURLE_OPERATION_TIMEDOUT ? AWS_TIMEOUT_COST : AWS_RETRY_COST,
                    now))
        return;
    struct ecs_error *error;
    if (task->call->writing && !unsent)
        error = aws_own_error(task->call->operation, err, "AnswerLost",
                              "%s; whether the change was made is not known", words);
    else
        error = aws_own_error(task->call->operation, err, how->name, "%s%s", words,
                              task->attempts > 1 ? " (tried again, the same)" : "");
    aws_task_finish(client, task, error);
}

/* Sends again with AWS's time when our clock is off. */
static bool correct_skew(struct aws_client *client, struct aws_task *task)
{
    if (task->resigned || task->unwanted || !task->answer.date_ms)
        return false;
    int64_t skew = task->answer.date_ms - aws_wall(client);
    int64_t off = skew - task->skew_ms;
    if (off > -AWS_SKEW_MS && off < AWS_SKEW_MS)
        return false;
    client->skew_ms = skew;
    task->resigned = true;
    retry_now(client, task);
    return true;
}

static bool renew_keys(struct aws_client *client, struct aws_task *task, int64_t now)
{
    if (task->rekeyed || task->unwanted || !aws_keys_refused(client, task->credentials, now))
        return false;
    task->rekeyed = true;
    retry_now(client, task);
    return true;
}

static void note_throttle(struct aws_client *client, struct aws_task *task, int64_t now)
{
    aws_lane_throttled(task->lane, now);
    pthread_mutex_lock(&client->lock);
    client->meter.throttled++;
    pthread_mutex_unlock(&client->lock);
}

static struct ecs_error *with_remedy(const struct aws_task *task, struct ecs_error *error)
{
    if (aws_retry_of_answer(error) != AWS_RETRY_KEYS || !task->credentials || !*task->credentials->remedy)
        return error;
    return ecs_error_context(error, 0, "%s refused the keys from %s; %s", task->host,
                             task->credentials->source, task->credentials->remedy);
}

static void refused(struct aws_client *client, struct aws_task *task, int status, int64_t now)
{
    struct ecs_error *error = aws_reply_error(&(struct aws_failure){
        .operation = task->call->operation,
        .status = status,
        .error_type = task->answer.error_type,
        .request_id = task->answer.request_id,
        .body = task->reply.data ? task->reply.data : "",
        .len = task->reply.len,
        .writing = task->call->writing,
    });
    task->throttled = aws_is_throttle(error);
    if (task->throttled)
        note_throttle(client, task, now);
    bool again = false;
    switch (aws_retry_of_answer(error)) {
    case AWS_RETRY_NO:
        break;
    case AWS_RETRY_REFUSED:
        again = retry_later(client, task, AWS_RETRY_COST, now);
        break;
    case AWS_RETRY_AMBIGUOUS:
        task->heard |= task->call->writing;
        again = may_repeat(task) && retry_later(client, task, AWS_RETRY_COST, now);
        break;
    case AWS_RETRY_SKEW:
        again = correct_skew(client, task);
        break;
    case AWS_RETRY_KEYS:
        again = renew_keys(client, task, now);
        break;
    }
    if (again)
        ecs_error_unref(error);
    else
        aws_task_finish(client, task, with_remedy(task, error));
}

static void note_identity(struct aws_client *client, const json_t *tree)
{
    const char *arn = json_string_value(json_object_get(tree, "Arn"));
    const char *account = json_string_value(json_object_get(tree, "Account"));
    aws_identity_keep(client, arn, account);
}

/* Takes over `why`. */
static struct ecs_error *unreadable(const struct aws_task *task, struct ecs_error *why)
{
    bool writing = task->call->writing;
    struct ecs_error *error =
        aws_own_error(task->call->operation, why->err, writing ? "AnswerLost" : why->code, "%s: %s%s",
                      task->host, why->message, writing ? "; whether the change was made is not known" : "");
    ecs_error_unref(why);
    return error;
}

/* AWS answers {} where there is nothing to say, so a reply of no bytes is a cut one. */
static bool is_cut(const struct aws_task *task)
{
    const struct ecs_api_operation *operation = ecs_api_find(task->call->service, task->call->operation);
    return task->reply.len == 0 && operation && operation->output && operation->output->members_len;
}

static json_t *read_reply(const struct aws_task *task, struct ecs_error **ret_error)
{
    const char *text = task->reply.data ? task->reply.data : "";
    if (is_cut(task)) {
        *ret_error = ecs_error_new(-EPROTO, "MalformedReply", "the reply is empty");
        return NULL;
    }
    return task->service->protocol == AWS_QUERY
               ? aws_query_parse(task->call->operation, text, task->reply.len, ret_error)
               : aws_reply_parse(text, task->reply.len, ret_error);
}

static void succeeded(struct aws_client *client, struct aws_task *task, int64_t now)
{
    struct ecs_call *call = task->call;
    struct ecs_error *error = NULL;
    json_t *tree = read_reply(task, &error);
    task->heard |= task->call->writing;
    aws_lane_content(task->lane, now, task->retry_cost);
    if (!tree && task->call->writing && task->idempotent &&
        retry_later(client, task, AWS_RETRY_COST, now)) { /* AWS tells again what it did */
        ecs_error_unref(error);
        return;
    }
    if (!tree) {
        error = unreadable(task, error);
    } else {
        if (strcmp(call->operation, "GetCallerIdentity") == 0)
            note_identity(client, tree);
        if (call->digest)
            error = call->digest(call, tree);
    }
    json_decref(tree);
    aws_task_finish(client, task, error);
}

/* The Date header has whole seconds, and the answer took its time to come. */
static void note_clock(struct aws_client *client, const struct aws_task *task, int64_t now)
{
    if (!task->answer.date_ms)
        return;
    int64_t off = task->answer.date_ms - aws_wall(client), near = now - task->attempt_ms + 1000;
    pthread_mutex_lock(&client->lock);
    client->clock_off_ms = off > -near && off < near ? 0 : off;
    pthread_mutex_unlock(&client->lock);
}

void aws_attempt_done(struct aws_client *client, struct aws_task *task, CURLcode result)
{
    int64_t now = aws_now(client);
    if (result != CURLE_OK) {
        transport_failed(client, task, result, now);
        return;
    }
    set_reachable(client, task, true, "");
    note_clock(client, task, now);
    long status = 0;
    curl_easy_getinfo(task->easy, CURLINFO_RESPONSE_CODE, &status);
    if (task->call->download && status / 100 == 2)
        aws_task_finish(client, task, aws_download_take(task->call, (int)status, &task->reply));
    else if (status >= 200 && status < 300)
        succeeded(client, task, now);
    else
        refused(client, task, (int)status, now);
}
