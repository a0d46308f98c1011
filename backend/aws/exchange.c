/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "endpoint.h"
#include "retry.h"
#include "transfer.h"

enum { PAUSE_STEP_MS = 50, STALL_S = 15 };

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct ecs_buf *body = arg;
    return ecs_buf_add(body, data, size * count) == 0 ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct aws_answer *answer = arg;
    size_t len = size * count;
    char text[64] = "";
    if (len > 5 && len < sizeof(text) && strncasecmp(line, "date:", 5) == 0) {
        memcpy(text, line + 5, len - 5);
        time_t at = curl_getdate(text, NULL);
        answer->date_ms = at > 0 ? (int64_t)at * 1000 : 0;
    }
    return len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const struct aws_exchanger *exchanger = arg;
    return atomic_load(exchanger->unwanted_flag);
}

static void set_request(struct aws_exchanger *exchanger, const struct aws_exchange *request,
                        struct curl_slist *headers, struct aws_answer *answer)
{
    CURL *easy = exchanger->easy;
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer->body);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchanger);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

static struct ecs_error *perform(struct aws_exchanger *exchanger, const struct aws_exchange *request,
                                 struct aws_answer *answer)
{
    struct aws_url url = {0};
    char words[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(exchanger->easy, CURLOPT_ERRORBUFFER, words);
    CURLcode result = curl_easy_perform(exchanger->easy);
    curl_easy_setopt(exchanger->easy, CURLOPT_ERRORBUFFER, NULL);
    if (result == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(exchanger->easy, CURLINFO_RESPONSE_CODE, &status);
        answer->status = (int)status;
        return NULL;
    }
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return ecs_error_new(-ECANCELED, "Cancelled", "no longer wanted");
    const struct aws_transport *how = aws_transport_find(result);
    if (aws_url_parse(request->url, &url) < 0) /* it may hold a query: only its host is told */
        snprintf(url.host, sizeof(url.host), "%.*s", (int)strcspn(request->url, "?"), request->url);
    return ecs_error_new(how->err, how->name, "%s: %s%s%s%s", url.host, how->words, *words ? " (" : "", words,
                         *words ? ")" : "");
}

static struct ecs_error *exchange(const struct aws_env *env, const struct aws_exchange *request,
                                  struct aws_answer *answer)
{
    struct aws_exchanger *exchanger = (struct aws_exchanger *)env;
    if (!exchanger->easy)
        exchanger->easy = curl_easy_init();
    struct aws_transfer transfer = {
        .url = request->url,
        .plain_http = request->metadata || request->plain,
        .direct = request->metadata,
        .ca_bundle = exchanger->ca_bundle,
        .connect_ms = request->timeout_ms,
        .total_ms = request->timeout_ms,
        .stall_s = STALL_S,
    };
    struct curl_slist *headers = NULL;
    bool good = exchanger->easy && aws_transfer_set(exchanger->easy, &transfer);
    for (size_t i = 0; i < request->headers_len; i++)
        good = good && aws_headers_add(&headers, request->headers[i].name, request->headers[i].value);
    struct ecs_error *error;
    if (good) {
        set_request(exchanger, request, headers, answer);
        error = perform(exchanger, request, answer);
    } else {
        error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    }
    if (exchanger->easy)
        curl_easy_reset(exchanger->easy);
    aws_headers_free(headers);
    return error;
}

static bool unwanted(const struct aws_env *env)
{
    return atomic_load(((const struct aws_exchanger *)env)->unwanted_flag);
}

static void pause_ms(const struct aws_env *env, int ms)
{
    for (; ms > 0 && !unwanted(env); ms -= PAUSE_STEP_MS)
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_STEP_MS * 1000000L}, NULL);
}

void aws_exchanger_init(struct aws_exchanger *exchanger, const struct aws_env *env,
                        const atomic_bool *unwanted_flag, const char *ca_bundle)
{
    *exchanger = (struct aws_exchanger){.env = *env, .unwanted_flag = unwanted_flag, .ca_bundle = ca_bundle};
    exchanger->env.exchange = exchange;
    exchanger->env.pause = pause_ms;
    exchanger->env.unwanted = unwanted;
}

void aws_exchanger_end(struct aws_exchanger *exchanger)
{
    curl_easy_cleanup(exchanger->easy);
    exchanger->easy = NULL;
}
