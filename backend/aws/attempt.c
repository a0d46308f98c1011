/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a call: built, signed, and given to curl. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"
#include "download.h"
#include "ecsfs/cleanup.h"
#include "query.h"
#include "reply.h"
#include "transfer.h"

static void copy_value(char *to, size_t size, const char *value, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(to, value, len);
    to[len] = 0;
}

/* 0: no date. Taken for one, it would put our clock off by decades. */
static int64_t read_date(const char *text)
{
    int64_t seconds = (int64_t)curl_getdate(text, NULL);
    return seconds > 0 ? seconds * 1000 : 0;
}

/* What a server says, in milliseconds: an hour at most. -1: no number (a date), or a negative one. */
static int64_t read_pause(const char *text, int64_t unit_ms)
{
    enum { MOST_MS = 3600000 };
    char *end;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || n < 0)
        return -1;
    return n > MOST_MS / unit_ms ? MOST_MS : n * unit_ms;
}

static void take_header(struct aws_answer_headers *answer, const char *name, size_t name_len,
                        const char *value, size_t len)
{
    char text[64];
    copy_value(text, sizeof(text), value, len);
    if (name_len == 16 && strncasecmp(name, "x-amzn-errortype", 16) == 0)
        copy_value(answer->error_type, sizeof(answer->error_type), value, len);
    else if (name_len == 16 && strncasecmp(name, "x-amzn-requestid", 16) == 0)
        copy_value(answer->request_id, sizeof(answer->request_id), value, len);
    else if (name_len == 4 && strncasecmp(name, "date", 4) == 0)
        answer->date_ms = read_date(text);
    else if (name_len == 17 && strncasecmp(name, "x-amz-retry-after", 17) == 0)
        answer->retry_after_ms = read_pause(text, 1);
    else if (name_len == 11 && strncasecmp(name, "retry-after", 11) == 0 && answer->retry_after_ms < 0)
        answer->retry_after_ms = read_pause(text, 1000);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct aws_answer_headers *answer = &((struct aws_task *)arg)->answer;
    size_t len = size * count, all = len;
    if (len >= 5 && strncmp(line, "HTTP/", 5) == 0) /* of the next answer, after one of status 1xx */
        *answer = (struct aws_answer_headers){.retry_after_ms = -1, .bytes = answer->bytes};
    answer->bytes += len;
    if (answer->bytes > AWS_HEADERS_MAX)
        return 0;
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return all;
    const char *value = colon + 1;
    len -= (size_t)(value - line);
    while (len && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    while (len && (value[len - 1] == '\r' || value[len - 1] == '\n' || value[len - 1] == ' '))
        len--;
    take_header(answer, line, (size_t)(colon - line), value, len);
    return all;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct aws_task *task = arg;
    return ecs_buf_add(&task->reply, data, size * count) == 0 ? size * count : 0;
}

static CURL *take_easy(struct aws_client *client)
{
    return client->easies_len ? client->easies[--client->easies_len] : curl_easy_init();
}

void aws_attempt_end(struct aws_client *client, struct aws_task *task)
{
    if (task->easy) {
        curl_multi_remove_handle(client->multi, task->easy);
        curl_easy_reset(task->easy); /* forgets the headers; connections are the multi handle's */
        if (client->easies_len < AWS_EASY_KEPT)
            client->easies[client->easies_len++] = task->easy;
        else
            curl_easy_cleanup(task->easy);
        task->easy = NULL;
        client->flying--;
    }
    aws_headers_free(task->headers);
    task->headers = NULL;
    free(task->url);
    task->url = NULL;
    free(task->form);
    task->form = NULL;
    aws_rest_free(&task->rest);
    ecs_buf_free(&task->reply);
}

static struct ecs_error *no_memory(const struct aws_task *task)
{
    return aws_own_error(task->call->operation, -ENOMEM, "OutOfMemory", "out of memory");
}

/* One request as it goes over the wire. */
struct message {
    const char *method, *query, *body;
    char path[4608];
    struct aws_header headers[8];
    size_t len;
};

static void add(struct message *message, const char *name, const char *value)
{
    message->headers[message->len++] = (struct aws_header){name, value};
}

/* Signs and fills task->headers. */
static int sign(struct aws_client *client, struct aws_task *task, struct message *message)
{
    const struct aws_credentials *credentials = task->credentials;
    char date[AWS_DATE_TEXT], hash[AWS_SHA256_HEX];
    aws_sign_date(client->clock->wall_ms(client->clock) + task->skew_ms, date);
    aws_sha256_hex(message->body, strlen(message->body), hash);
    add(message, "Host", task->host);
    add(message, "X-Amz-Date", date);
    if (credentials->session_token)
        add(message, "X-Amz-Security-Token", credentials->session_token);
    struct aws_signable request = {
        .method = message->method,
        .path = message->path,
        .query = message->query,
        .headers = message->headers,
        .headers_len = message->len,
        .payload_hash = hash,
        .date = date,
        .region = task->lane->region,
        .service = task->service->signing,
    };
    struct aws_keys keys = {credentials->access_key_id, credentials->secret_access_key};
    cleanup_free char *authorization = NULL;
    int r = aws_sign(&request, &keys, &client->signing, &authorization);
    if (r < 0)
        return r;
    add(message, "Authorization", authorization);
    add(message, "Accept", "application/json");
    for (size_t i = 0; i < message->len; i++)
        if (!aws_headers_add(&task->headers, message->headers[i].name, message->headers[i].value))
            return -ENOMEM;
    /* curl would ask before a large body, and wait a second for those who do not answer that */
    struct curl_slist *longer = curl_slist_append(task->headers, "Expect:");
    if (!longer)
        return -ENOMEM;
    task->headers = longer;
    return 0;
}

static long at_least_1(int64_t ms)
{
    return ms < 1 ? 1 : (long)ms;
}

static void set_body(CURL *easy, const struct message *message)
{
    if (*message->body || message->method[0] == 'P') {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, message->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(message->body));
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, message->method);
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* Each time before the request goes out. A change that its caller gave up is not sent again by curl either:
 * it could undo what the caller did since. */
static int before_request(void *arg, char *to_ip, char *from_ip, int to_port, int from_port)
{
    const struct aws_task *task = arg;
    return task->unwanted ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
#endif

static bool set_up(struct aws_client *client, struct aws_task *task, bool plain_http,
                   const struct message *message, int64_t now)
{
    bool writing = task->call->writing;
    int64_t left = task->deadline_ms - now;
    int64_t attempt = writing || left < AWS_READ_ATTEMPT_MS ? left : AWS_READ_ATTEMPT_MS;
    struct aws_transfer transfer = {
        .url = task->url,
        .plain_http = plain_http,
        .ca_bundle = client->config->ca_bundle,
        .connect_ms = at_least_1(attempt < AWS_CONNECT_MS ? attempt : AWS_CONNECT_MS),
        .total_ms = at_least_1(attempt),
        .stall_s = writing ? AWS_STALL_WRITE_S : AWS_STALL_S,
    };
    CURL *easy = task->easy;
    bool good = aws_transfer_set(easy, &transfer);
    set_body(easy, message);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, task->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, task);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, task);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, task->curl_error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, task);
    /* When a kept connection turns out dead, curl sends the request again by itself, though the
     * first may have been heard. So what must not happen twice gets a new connection. */
    if (writing && !task->idempotent)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
#if LIBCURL_VERSION_NUM >= 0x075000
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, task);
#endif
    return good;
}

/* The protocols differ in where the input goes. `target` has room for the header's value. */
static struct ecs_error *put_input(struct aws_task *task, struct message *message, char *target, size_t size)
{
    const struct ecs_call *call = task->call;
    const char *body = call->body ? call->body : "{}";
    int r = 0;
    switch (task->service->protocol) {
    case AWS_JSON_1_1:
        snprintf(target, size, "%s.%s", task->service->target, call->operation);
        message->body = body;
        add(message, "Content-Type", "application/x-amz-json-1.1");
        add(message, "X-Amz-Target", target);
        break;
    case AWS_QUERY:
        message->body = task->form = aws_query_form(call->operation, task->service->target, body);
        add(message, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        r = task->form ? 0 : -EINVAL;
        break;
    case AWS_REST_JSON:
        r = aws_rest_make(call->operation, body, &task->rest);
        if (r < 0)
            break;
        message->method = task->rest.method;
        message->query = task->rest.query;
        message->body = task->rest.body;
        strncat(message->path, task->rest.path, sizeof(message->path) - strlen(message->path) - 1);
        add(message, "Content-Type", "application/json");
        break;
    }
    if (r == -EOPNOTSUPP)
        return aws_own_error(call->operation, r, "UnknownOperation", "%s has no such operation",
                             call->service);
    if (r < 0)
        return aws_own_error(call->operation, r, "InvalidRequest", "the input does not fit: %s",
                             strerror(-r));
    return NULL;
}

/* Where a download is from. A path is of ECR Public's registry, or of what stands for it. */
static char *download_url(const struct ecs_call *call, const struct aws_endpoint *endpoint)
{
    char *url;
    if (call->body[0] != '/')
        return strdup(call->body);
    const char *host = endpoint->custom ? endpoint->url.host : AWS_PUBLIC_REGISTRY;
    const char *scheme = endpoint->custom && endpoint->url.plain ? "http" : "https";
    return asprintf(&url, "%s://%s%s", scheme, host, call->body) < 0 ? NULL : url;
}

static bool add_download_headers(struct aws_task *task)
{
    const struct ecs_call *call = task->call;
    char range[64];
    aws_download_range(call, range, sizeof(range));
    return call->accept ? aws_headers_add(&task->headers, "Accept", call->accept)
                        : aws_headers_add(&task->headers, "Range", range);
}

/* The registry leads to where its layers lie. curl gives this token to no other host. */
static bool allow_token(CURL *easy, const char *bearer)
{
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, bearer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 2L) == CURLE_OK;
}

/* The bytes of a layer, or a manifest. */
static struct ecs_error *build_download(struct aws_client *client, struct aws_task *task, int64_t now)
{
    const struct ecs_call *call = task->call;
    struct aws_endpoint endpoint;
    struct ecs_error *error = NULL;
    if (aws_config_endpoint(client->config, &client->env, task->service, task->lane->region, &endpoint,
                            &error) < 0)
        return error;
    struct message message = {.method = "GET", .body = ""};
    task->url = download_url(call, &endpoint);
    aws_download_host(task->url ? task->url : "", task->host, sizeof(task->host));
    task->reply = ECS_BUF(call->range_len);
    if (!task->url || !add_download_headers(task) || !(task->easy = take_easy(client)))
        return no_memory(task);
    client->flying++;
    /* http only where the user himself named such an endpoint */
    bool good = set_up(client, task, endpoint.custom && endpoint.url.plain, &message, now);
    if (good && call->bearer)
        good = allow_token(task->easy, call->bearer);
    return good ? NULL : no_memory(task);
}

static struct ecs_error *build(struct aws_client *client, struct aws_task *task, int64_t now)
{
    struct aws_endpoint endpoint;
    struct ecs_error *error = NULL;
    if (aws_config_endpoint(client->config, &client->env, task->service, task->lane->region, &endpoint,
                            &error) < 0)
        return error;
    const struct aws_url *url = &endpoint.url;
    memcpy(task->host, url->host, sizeof(task->host));
    struct message message = {.method = "POST"};
    char target[160];
    snprintf(message.path, sizeof(message.path), "%s", url->path);
    error = put_input(task, &message, target, sizeof(target));
    if (error)
        return error;
    if (!*message.path)
        strcpy(message.path, "/");
    bool query = message.query && *message.query;
    if (asprintf(&task->url, "%s://%s%s%s%s", url->plain ? "http" : "https", url->host, message.path,
                 query ? "?" : "", query ? message.query : "") < 0) {
        task->url = NULL;
        return no_memory(task);
    }
    if (sign(client, task, &message) < 0)
        return no_memory(task);
    task->easy = take_easy(client);
    if (!task->easy)
        return no_memory(task);
    client->flying++;
    return set_up(client, task, endpoint.custom && url->plain, &message, now) ? NULL : no_memory(task);
}

struct ecs_error *aws_attempt_start(struct aws_client *client, struct aws_task *task, int64_t now)
{
    aws_credentials_unref(task->credentials);
    task->credentials = aws_credentials_ref(client->credentials);
    task->skew_ms = client->skew_ms;
    task->reply = ECS_BUF(AWS_REPLY_MAX);
    task->answer = (struct aws_answer_headers){.retry_after_ms = -1};
    task->curl_error[0] = 0;
    task->attempt_ms = now;
    struct ecs_error *error =
        task->call->download ? build_download(client, task, now) : build(client, task, now);
    if (!error && curl_multi_add_handle(client->multi, task->easy) != CURLM_OK)
        error = no_memory(task);
    if (error) {
        aws_attempt_end(client, task);
        return error;
    }
    task->state = AWS_TASK_FLYING;
    task->attempts++;
    if (!task->call->sent_ms)
        task->call->sent_ms = now;
    pthread_mutex_lock(&client->lock);
    client->meter.requests++;
    client->meter.retries += task->attempts > 1;
    pthread_mutex_unlock(&client->lock);
    return NULL;
}
