/* SPDX-License-Identifier: Apache-2.0 */
/* Calls against a server of ours: what goes over the wire, what comes home. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "caller.h"
#include "data.h"
#include "ecsfs/cleanup.h"

static void say(struct said *said, int status, const char *body)
{
    said->status = status;
    said->body = strdup(body);
}

static char seen[4096], seen_body[256];

static void echo(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg;
    snprintf(seen, sizeof(seen), "%s", heard->head);
    snprintf(seen_body, sizeof(seen_body), "%s", heard->body);
    say(said, 200, "{\"clusters\":[],\"b\":1}");
}

START_TEST(success)
{
    struct server *server = server_start(echo, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_call(&caller, "DescribeClusters", "{\"clusters\":[\"a\"]}", false, 0);
    ck_assert_ptr_null(call->error);
    ck_assert_str_eq(call->result, "{\"b\":1,\"clusters\":[]}");
    ck_assert_int_eq(call->attempts, 1);
    ck_assert(call->sent_ms > 0);
    ck_assert_ptr_nonnull(strstr(seen, "POST / HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(
        strstr(seen, "X-Amz-Target: AmazonEC2ContainerServiceV20141113.DescribeClusters\r\n"));
    ck_assert_ptr_nonnull(strstr(seen, "Content-Type: application/x-amz-json-1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(seen, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDTEST/"));
    ck_assert_ptr_nonnull(strstr(seen, "User-Agent: ecsfs/"));
    ck_assert_str_eq(seen_body, "{\"clusters\":[\"a\"]}");
    caller_done(call);
    for (int i = 0; i < 5; i++)
        caller_done(caller_call(&caller, "ListClusters", "{}", false, 0));
    ck_assert_int_eq(server_connections(server), 1); /* kept */
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_str_eq(status.credentials, "environment");
    ck_assert_str_eq(status.region, "us-east-1");
    ck_assert(status.reachable);
    ck_assert_int_eq(status.calls, 6);
    ck_assert_int_eq(status.in_flight, 0);
    char *text;
    caller.backend->metrics(caller.backend, &text);
    ck_assert_ptr_nonnull(
        strstr(text, "ecsfs_aws_calls_total{service=\"ecs\",operation=\"ListClusters\",outcome=\"ok\"} 5\n"));
    free(text);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void refuse(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg, (void)heard;
    said->headers = "x-amzn-requestid: id-1\r\n";
    say(said, 400,
        "{\"__type\":\"com.amazonaws.ecs#ClusterNotFoundException\",\"message\":\"Cluster not found.\"}");
}

START_TEST(error_of_aws)
{
    struct server *server = server_start(refuse, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_call(&caller, "ListServices", "{}", false, 0);
    ck_assert_int_eq(call->error->err, -ENOENT);
    ck_assert_str_eq(call->error->code, "ClusterNotFoundException");
    ck_assert_str_eq(call->error->message, "Cluster not found.");
    ck_assert_str_eq(call->error->request_id, "id-1");
    ck_assert_str_eq(call->error->operation, "ListServices");
    ck_assert_int_eq(call->error->http_status, 400);
    ck_assert_int_eq(server_heard(server, NULL), 1);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void lose_first(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg;
    if (heard->count == 1)
        said->fault = FAULT_CLOSE;
}

/* A write whose answer was lost goes out once; a read, and a write with a client token, again. */
START_TEST(lost_answers)
{
    struct server *server = server_start(lose_first, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    /* a kept connection is at hand, which must not tempt curl to send a write again by itself */
    caller_done(caller_call(&caller, "ListClusters", "{}", false, 0));
    struct ecs_call *call = caller_call(&caller, "RegisterTaskDefinition", "{\"family\":\"a\"}", true, 0);
    ck_assert_str_eq(call->error->code, "AnswerLost");
    ck_assert_int_eq(call->error->err, -EIO);
    ck_assert_int_eq(server_heard(server, "RegisterTaskDefinition"), 1);
    caller_done(call);
    call = caller_call(&caller, "RunTask", "{\"taskDefinition\":\"a\",\"clientToken\":\"t\"}", true, 0);
    ck_assert_ptr_null(call->error);
    ck_assert_int_eq(server_heard(server, "RunTask"), 2);
    caller_done(call);
    call = caller_call(&caller, "RunTask", "{\"taskDefinition\":\"a\"}", true, 0);
    ck_assert_ptr_null(call->error);
    caller_done(call);
    call = caller_call(&caller, "DescribeTasks", "{}", false, 0);
    ck_assert_ptr_null(call->error);
    ck_assert_int_eq(server_heard(server, "DescribeTasks"), 2);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void think_not(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg, (void)heard;
    said->body = strdup("{\"service\":{}}");
}

/* The first answer is lost, or is a 500; what comes then is the handler's argument. */
struct then {
    int first, status;
    const char *body;
};

static void lose_then(void *arg, const struct heard *heard, struct said *said)
{
    const struct then *then = arg;
    said->status = heard->count == 1 ? then->first : then->status;
    if (said->status == 0)
        said->fault = FAULT_CLOSE;
    else
        said->body = strdup(heard->count == 1 ? "{\"__type\":\"ServerException\"}" : then->body);
}

/* That a repetition was refused says nothing of the first attempt, unless it is AWS's verdict. */
START_TEST(lost_then_refused)
{
    static const struct {
        struct then then;
        const char *code;
    } rows[] = {
        {{0, 503, "{\"__type\":\"ServiceUnavailableException\"}"}, "AnswerLost"},
        {{500, 503, "{\"__type\":\"ServiceUnavailableException\"}"}, "AnswerLost"},
        {{500, 400, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"}, "AnswerLost"},
        {{0, 500, "{\"__type\":\"ServerException\"}"}, "ServerException"},
        {{0, 400, "{\"__type\":\"InvalidParameterException\"}"}, "InvalidParameterException"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct then then = rows[i].then;
        struct server *server = server_start(lose_then, &then);
        struct caller caller;
        caller_start(&caller, server_url(server), NULL);
        struct ecs_call *call =
            caller_call(&caller, "RunTask", "{\"taskDefinition\":\"a\",\"clientToken\":\"t\"}", true, 0);
        ck_assert_str_eq(call->error->code, rows[i].code);
        ck_assert_int_eq(server_heard(server, "RunTask"), then.status == 400 && i == 4 ? 2 : 3);
        caller_done(call);
        caller_stop(&caller);
        server_stop(server);
    }
}
END_TEST

static struct ecs_error *no_room(struct ecs_call *call, struct json_t *reply)
{
    (void)call, (void)reply;
    return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
}

/* AWS has made the change, whatever became of its answer here. */
START_TEST(answered_without_room)
{
    struct server *server = server_start(think_not, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call call = {.home = caller.home,
                            .service = "ecs",
                            .operation = "UpdateService",
                            .body = (char *)"{}",
                            .writing = true,
                            .digest = no_room};
    caller.backend->submit(caller.backend, &call);
    ck_assert_ptr_eq(caller_take(&caller, 5000), &call);
    ck_assert_str_eq(call.error->code, "AnswerLost");
    ck_assert_int_eq(call.error->err, -ENOMEM);
    ecs_error_unref(call.error);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void hang(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg, (void)heard;
    said->fault = FAULT_HANG;
}

START_TEST(cancelled)
{
    struct server *server = server_start(hang, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_submit(&caller, "ListTasks", "{}", false, 0);
    while (!server_heard(server, NULL))
        caller_take(&caller, 10);
    caller.backend->cancel(caller.backend, call);
    ck_assert_ptr_eq(caller_take(&caller, 100), call);
    ck_assert_int_eq(call->error->err, -ECANCELED);
    /* a cancel that comes too late is for nobody */
    caller.backend->cancel(caller.backend, call);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void think(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg, (void)heard, (void)said;
    nanosleep(&(struct timespec){.tv_nsec = 400000000}, NULL);
}

/* A change under way is not cut off: neither by a cancel nor by the end, which waits for it. */
START_TEST(writes_end)
{
    struct server *server = server_start(think, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_submit(&caller, "UpdateService", "{}", true, 0);
    nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
    caller.backend->cancel(caller.backend, call);
    ck_assert_ptr_eq(caller_take(&caller, 5000), call);
    ck_assert_ptr_null(call->error);
    caller_done(call);
    caller_submit(&caller, "UpdateService", "{}", true, 0);
    nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
    caller.backend->stop(caller.backend);
    caller.backend->free(caller.backend);
    call = caller_take(&caller, 0);
    ck_assert_ptr_nonnull(call);
    ck_assert_ptr_null(call->error);
    caller_done(call);
    ecs_mailbox_free(caller.home);
    server_stop(server);
}
END_TEST

/* Never started, it still sends home what it was given. */
START_TEST(never_started)
{
    struct ecs_error *error = NULL;
    struct caller caller = {.home = ecs_mailbox_new(),
                            .backend = ecs_aws_new(&(struct ecs_aws_options){.region = "us-east-1"}, &error)};
    ck_assert_ptr_nonnull(caller.backend);
    struct ecs_call *call = caller_submit(&caller, "ListTasks", "{}", false, 0);
    caller.backend->cancel(caller.backend, call);
    caller.backend->stop(caller.backend);
    caller.backend->free(caller.backend);
    ck_assert_ptr_eq(caller_take(&caller, 0), call);
    ck_assert_int_eq(call->error->err, -ECANCELED);
    caller_done(call);
    ecs_mailbox_free(caller.home);
}
END_TEST

/* Who reads the last answers may ask on, and look at the status. */
START_TEST(asked_after_the_end)
{
    struct server *server = server_start(think, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    caller.backend->stop(caller.backend);
    struct ecs_call *call = caller_submit(&caller, "ListTasks", "{}", false, 0);
    ck_assert_ptr_eq(caller_take(&caller, 0), call);
    ck_assert_int_eq(call->error->err, -ECANCELED);
    caller_done(call);
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_str_eq(status.region, "us-east-1");
    ck_assert_uint_eq(status.in_flight, 0);
    caller.backend->free(caller.backend);
    ecs_mailbox_free(caller.home);
    server_stop(server);
}
END_TEST

START_TEST(timed_out)
{
    struct server *server = server_start(hang, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_call(&caller, "ListTasks", "{}", false, 300);
    ck_assert_int_eq(call->error->err, -ETIMEDOUT);
    ck_assert_str_eq(call->error->code, "Timeout");
    caller_done(call);
    call = caller_call(&caller, "UpdateService", "{}", true, 300);
    ck_assert_int_eq(call->error->err, -ETIMEDOUT);
    ck_assert_str_eq(call->error->code, "AnswerLost");
    caller_done(call);
    /* and one stopped in mid-flight comes home too */
    caller_submit(&caller, "ListTasks", "{}", false, 0);
    caller.backend->stop(caller.backend);
    caller.backend->free(caller.backend);
    call = caller_take(&caller, 0);
    ck_assert_int_eq(call->error->err, -ECANCELED);
    caller_done(call);
    ecs_mailbox_free(caller.home);
    server_stop(server);
}
END_TEST

START_TEST(unreachable)
{
    struct caller caller;
    caller_start(&caller, "http://127.0.0.1:9", NULL);
    struct ecs_call *call = caller_call(&caller, "ListTasks", "{}", false, 0);
    ck_assert_int_eq(call->error->err, -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(call->error->message, "127.0.0.1:9"));
    ck_assert_int_eq(call->attempts, 3);
    caller_done(call);
    /* a write that never left may be tried again, and its answer is not lost */
    call = caller_call(&caller, "UpdateService", "{}", true, 0);
    ck_assert_int_eq(call->error->err, -ECONNREFUSED);
    ck_assert_str_eq(call->error->code, "ConnectionRefused");
    caller_done(call);
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert(!status.reachable);
    ck_assert_ptr_nonnull(strstr(status.trouble, "127.0.0.1:9"));
    caller_stop(&caller);
    caller_start(&caller, "http://no-such-host.invalid", NULL);
    call = caller_call(&caller, "ListTasks", "{}", false, 0);
    ck_assert_int_eq(call->error->err, -EHOSTUNREACH);
    caller_done(call);
    caller_stop(&caller);
}
END_TEST

START_TEST(bad_set_up)
{
    struct ecs_error *error = NULL;
    unsetenv("AWS_REGION");
    ck_assert_ptr_null(ecs_aws_new(&(struct ecs_aws_options){0}, &error));
    ck_assert_str_eq(error->code, "NoRegion");
    error = ecs_error_unref(error);
    ck_assert_ptr_null(
        ecs_aws_new(&(struct ecs_aws_options){.region = "us-east-1", .endpoint_url = "ftp://x"}, &error));
    ck_assert_str_eq(error->code, "InvalidEndpoint");
    error = ecs_error_unref(error);
    ck_assert_ptr_null(ecs_aws_new(&(struct ecs_aws_options){.region = "us-east-1.evil.com"}, &error));
    ck_assert_str_eq(error->code, "InvalidRegion");
    error = ecs_error_unref(error);
    ck_assert_ptr_null(
        ecs_aws_new(&(struct ecs_aws_options){.region = "us-east-1", .profile = "nobody"}, &error));
    ck_assert_str_eq(error->code, "ProfileNotFound");
    error = ecs_error_unref(error);
}
END_TEST

int main(void)
{
    caller_clear_environment();
    Suite *suite = suite_create("calls");
    TCase *cases = tcase_create("calls");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, success);
    tcase_add_test(cases, error_of_aws);
    tcase_add_test(cases, lost_answers);
    tcase_add_test(cases, lost_then_refused);
    tcase_add_test(cases, answered_without_room);
    tcase_add_test(cases, cancelled);
    tcase_add_test(cases, writes_end);
    tcase_add_test(cases, never_started);
    tcase_add_test(cases, asked_after_the_end);
    tcase_add_test(cases, timed_out);
    tcase_add_test(cases, unreachable);
    tcase_add_test(cases, bad_set_up);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
