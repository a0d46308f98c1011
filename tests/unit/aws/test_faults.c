/* SPDX-License-Identifier: Apache-2.0 */
/* Every fault against every kind of call: the right errno, in bounded time, nothing done twice.
 * "lasting": each answer goes wrong. "once": only the first does. In the table printed, "EIO 3/1" is three
 * requests sent, and what was asked done once. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "caller.h"
#include "data.h"
#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

enum { ATTEMPTS = 3, OPERATIONS = 5 };

static const struct {
    const char *name, *body;
    bool writing, token; /* token: AWS knows a repetition */
} operations[OPERATIONS] = {
    {"ListServices", "{}", false, false},
    {"DescribeServices", "{\"services\":[\"a\"]}", false, false},
    {"UpdateService", "{\"service\":\"a\"}", true, false},
    {"RegisterTaskDefinition", "{\"family\":\"a\"}", true, false},
    {"RunTask", "{\"taskDefinition\":\"a\",\"clientToken\":\"t\"}", true, true},
};

enum repeat {
    NEVER, /* another try would not help, or not in time */
    SAFE,  /* only where nothing can happen twice */
    TOKEN, /* only a write that AWS knows again: a read would get the same reply, and nothing is lost by it */
    ALWAYS /* refused for certain: any call */
};

static char *giant(void)
{
    size_t len = 5 << 20;
    char *text = malloc(len + 1);
    memset(text, 'x', len);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + len - 2, "\"}", 3);
    return text;
}

static char many_headers[128 * 1024];

static char *deep(void)
{
    struct ecs_buf text = ECS_BUF(1 << 20);
    for (int i = 0; i < 1000; i++)
        ecs_buf_adds(&text, "{\"a\":");
    ecs_buf_adds(&text, "1");
    for (int i = 0; i < 1000; i++)
        ecs_buf_adds(&text, "}");
    return ecs_buf_steal(&text, NULL);
}

static const struct fault_row {
    const char *name;
    struct said said;
    char *(*make_body)(void);
    const char *body;
    int err; /* of a call that does not succeed; of writes too */
    enum repeat repeat;
    bool done; /* the server did what was asked, before the fault */
    bool lost; /* so writes come home as AnswerLost */
    int timeout_ms;
} rows[] = {
    {"throttle",
     {.status = 400},
     NULL,
     "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
     EBUSY,
     ALWAYS,
     false,
     false,
     8000},
    {"500",
     {.status = 500},
     NULL,
     "{\"__type\":\"ServerException\",\"message\":\"x\"}",
     EIO,
     SAFE,
     true,
     false,
     8000},
    {"503",
     {.status = 503},
     NULL,
     "{\"__type\":\"ServiceUnavailableException\"}",
     EIO,
     ALWAYS,
     false,
     false,
     8000},
    {"503 of a proxy",
     {.status = 503, .type = "text/html"},
     NULL,
     "<html>Service Unavailable</html>",
     EIO,
     SAFE,
     true,
     false,
     8000},
    {"reset", {.fault = FAULT_RESET}, NULL, NULL, EIO, SAFE, true, true, 8000},
    {"close", {.fault = FAULT_CLOSE}, NULL, NULL, EIO, SAFE, true, true, 8000},
    {"hang", {.fault = FAULT_HANG}, NULL, NULL, ETIMEDOUT, NEVER, true, true, 500},
    {"slow body", {.fault = FAULT_SLOW}, NULL, "{\"a\":\"0123456789\"}", ETIMEDOUT, NEVER, true, true, 500},
    {"cut off", {.fault = FAULT_TRUNCATE}, NULL, "{\"a\":\"0123456789\"}", EIO, SAFE, true, true, 8000},
    {"truncated JSON", {0}, NULL, "{\"a\":\"01234", EPROTO, TOKEN, true, true, 8000},
    {"empty reply", {0}, NULL, "", EPROTO, TOKEN, true, true, 8000},
    {"duplicate keys", {0}, NULL, "{\"a\":1,\"a\":2}", EPROTO, TOKEN, true, true, 8000},
    {"giant body", {0}, giant, NULL, EPROTO, TOKEN, true, true, 8000},
    {"giant headers", {.headers = many_headers}, NULL, "{}", EPROTO, TOKEN, true, true, 8000},
    {"deep JSON", {0}, deep, NULL, EPROTO, TOKEN, true, true, 8000},
    {"wrong types", {0}, NULL, "[1,2]", EPROTO, TOKEN, true, true, 8000},
    {"HTML", {.type = "text/html"}, NULL, "<html>hello</html>", EPROTO, TOKEN, true, true, 8000},
    {"HTML 502",
     {.status = 502, .type = "text/html"},
     NULL,
     "<html>bad gateway</html>",
     EIO,
     SAFE,
     true,
     false,
     8000},
    {"redirect",
     {.status = 302, .headers = "Location: http://127.0.0.1:9/\r\n"},
     NULL,
     "",
     EPROTO,
     NEVER,
     false,
     false,
     8000},
    {"expired token",
     {.status = 400},
     NULL,
     "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}",
     EKEYEXPIRED,
     NEVER,
     false,
     false,
     8000},
    {"access denied",
     {.status = 400},
     NULL,
     "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}",
     EACCES,
     NEVER,
     false,
     false,
     8000},
    {"clock skew",
     {.status = 400, .headers = "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"},
     NULL,
     "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}",
     EKEYREJECTED,
     ALWAYS,
     false,
     false,
     8000},
    {"dropped keep-alive", {.fault = FAULT_KEEPALIVE}, NULL, "{}", 0, NEVER, true, false, 8000},
};

struct stage {
    const struct fault_row *row;
    bool once;
    int done[OPERATIONS];
};

static void serve(void *arg, const struct heard *heard, struct said *said)
{
    struct stage *stage = arg;
    size_t i = 0;
    while (i < OPERATIONS && strcmp(operations[i].name, heard->operation) != 0)
        i++;
    if (stage->once && heard->count > 1) {
        if (!operations[i].token || !stage->done[i])
            stage->done[i]++;
        return;
    }
    *said = stage->row->said;
    if (stage->row->make_body)
        said->body = stage->row->make_body();
    else if (stage->row->body)
        said->body = strdup(stage->row->body);
    if (stage->row->done && (!operations[i].token || !stage->done[i]))
        stage->done[i]++;
}

static int64_t now_ms(void)
{
    return ecs_system_clock.now_ms(&ecs_system_clock);
}

struct expectation {
    int err;
    const char *code; /* NULL: any */
    int requests;
};

static struct expectation expect(const struct fault_row *row, size_t i, bool once)
{
    bool repeats = row->repeat == ALWAYS || (row->repeat == TOKEN && operations[i].token) ||
                   (row->repeat == SAFE && (!operations[i].writing || operations[i].token));
    bool skew = strcmp(row->name, "clock skew") == 0;
    struct expectation e = {row->err, NULL, 1};
    if (once && repeats)
        return (struct expectation){0, NULL, 2};
    if (repeats)
        e.requests = skew ? 2 : ATTEMPTS;
    if (row->lost && operations[i].writing)
        e.code = "AnswerLost";
    return e;
}

static int check_call(const struct fault_row *row, size_t i, bool once, const struct ecs_call *call,
                      int requests, int done, int64_t took_ms)
{
    struct expectation e = expect(row, i, once);
    int err = call->error ? -call->error->err : 0;
    char cell[64];
    snprintf(cell, sizeof(cell), "%s%s %d/%d", err ? strerrorname_np(err) : "ok",
             call->error && strcmp(call->error->code, "AnswerLost") == 0 ? "*" : "", requests, done);
    printf("%-19s", cell);
    bool good =
        err == e.err && requests == e.requests && took_ms < row->timeout_ms + 500 &&
        (!e.code || strcmp(call->error->code, e.code) == 0) && (!operations[i].writing || done <= 1) &&
        (!call->error || (strcmp(call->error->operation, operations[i].name) == 0 && *call->error->message));
    if (!good)
        fprintf(stderr,
                "%s %s %s: errno %d, %d requests, done %d, %lld ms, %s; expected errno %d, %d requests, %s\n",
                row->name, once ? "once" : "lasting", operations[i].name, err, requests, done,
                (long long)took_ms, call->error ? call->error->code : "", e.err, e.requests,
                e.code ? e.code : "");
    return good;
}

static int run_row(const struct fault_row *row, bool once)
{
    struct stage stage = {.row = row, .once = once};
    struct server *server = server_start(serve, &stage);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    int64_t from = now_ms(), took[OPERATIONS] = {0};
    struct ecs_call *calls[OPERATIONS];
    for (size_t i = 0; i < OPERATIONS; i++)
        calls[i] = caller_submit(&caller, operations[i].name, operations[i].body, operations[i].writing,
                                 row->timeout_ms);
    for (size_t n = 0; n < OPERATIONS; n++) {
        struct ecs_call *call = caller_take(&caller, 20000);
        ck_assert_msg(call != NULL, "a call did not come home");
        for (size_t i = 0; i < OPERATIONS; i++)
            if (calls[i] == call)
                took[i] = now_ms() - from;
    }
    printf("%-19s%-8s", row->name, once ? "once" : "lasting");
    int good = 0;
    for (size_t i = 0; i < OPERATIONS; i++) {
        int heard = server_heard(server, operations[i].name);
        good += check_call(row, i, once, calls[i], heard, stage.done[i], took[i]);
        caller_done(calls[i]);
    }
    printf("\n");
    caller_stop(&caller);
    server_stop(server);
    return good;
}

START_TEST(matrix)
{
    int good = 0, all = 0;
    printf("%-27s", "");
    for (size_t i = 0; i < OPERATIONS; i++)
        printf("%-18.18s ", operations[i].name);
    printf("\n");
    for (int once = 0; once < 2; once++)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            good += run_row(&rows[i], once);
            all += OPERATIONS;
        }
    printf("(errno, requests/done; * AnswerLost)\nfault matrix %d/%d\n", good, all);
    ck_assert_int_eq(good, all);
}
END_TEST

int main(void)
{
    for (size_t i = 0; i + 8 < sizeof(many_headers); i += 8)
        memcpy(many_headers + i, "X-A: b\r\n", 8);
    caller_clear_environment();
    Suite *suite = suite_create("faults");
    TCase *cases = tcase_create("faults");
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, matrix);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
