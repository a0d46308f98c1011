/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, priorities, backoff, clock skew, keys that expire: by a clock that the test moves where
 * time is long. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "caller.h"
#include "data.h"
#include "ecsfs/cleanup.h"
#include "lane.h"
#include "retry.h"
#include "sigv4.h"

START_TEST(classes)
{
    static const struct {
        const char *service, *operation, *name;
    } cases[] = {
        {"ecs", "DescribeServices", "service-read"},
        {"ecs", "UpdateService", "service-modify"},
        {"ecs", "CreateTaskSet", "service-modify"},
        {"ecs", "UpdateServicePrimaryTaskSet", "service-modify"},
        {"ecs", "RegisterTaskDefinition", "task-definition-modify"},
        {"ecs", "ListTaskDefinitionFamilies", "task-definition-read"},
        {"ecs", "DeleteTaskDefinitions", "task-definition-delete"},
        {"ecs", "ListServicesByNamespace", "namespace-read"},
        {"ecs", "ListServiceDeployments", "service-deployments"},
        {"ecs", "UpdateTaskProtection", "task-protection"},
        {"ecs", "RunTask", "task-modify"},
        {"ecs", "StopTask", "task-modify"},
        {"ecs", "DescribeTasks", "task-read"},
        {"ecs", "UpdateContainerInstancesState", "task-modify"},
        {"ecs", "DescribeContainerInstances", "task-read"},
        {"ecs", "TagResource", "tags-modify"},
        {"ecs", "UntagResource", "tags-modify"},
        {"ecs", "ListTagsForResource", "tags-read"},
        {"ecs", "PutAccountSettingDefault", "settings-modify"},
        {"ecs", "CreateCapacityProvider", "capacity-provider-modify"},
        {"ecs", "PutClusterCapacityProviders", "cluster-modify"},
        {"ecs", "DeleteCluster", "cluster-modify"},
        {"ecr", "PutImage", "image-put"},
        {"ecr", "GetLayer", "layer-bytes"},
        {"ecr-public", "GetLayer", "public-layer-bytes"},
        {"logs", "GetLogEvents", "log-events"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_str_eq(aws_class_find(cases[i].service, cases[i].operation)->name, cases[i].name);
}
END_TEST

/* AWS's side of the bargain, at the other end of a line with jitter. */
struct bucket {
    double tokens, burst, rate;
    int64_t filled_ms;
};

static bool bucket_take(struct bucket *bucket, int64_t now)
{
    if (now > bucket->filled_ms) {
        bucket->tokens += bucket->rate * (double)(now - bucket->filled_ms) / 1000;
        if (bucket->tokens > bucket->burst)
            bucket->tokens = bucket->burst;
        bucket->filled_ms = now;
    }
    if (bucket->tokens < 1)
        return false;
    bucket->tokens -= 1;
    return true;
}

/* 5000 services: 50 lists and 500 describes through a bucket of 100 and 20 a second. */
START_TEST(five_thousand)
{
    struct aws_lanes lanes = SLIST_HEAD_INITIALIZER(lanes);
    struct bucket server = {100, 100, 20, 0};
    int64_t now = 1, ready;
    int throttled = 0, calls = 0, left = 550;
    while (left) {
        struct aws_lane *lane = aws_lane_get(&lanes, "ecs", "DescribeServices", "us-east-1", true, now);
        if (!aws_lane_take(lane, now, &ready)) {
            now = ready;
            continue;
        }
        calls++;
        if (bucket_take(&server, now + (calls * 7) % 5)) { /* 0 to 4 ms on the way */
            left--;
            aws_lane_content(lane, now, 0);
        } else {
            throttled++;
            aws_lane_throttled(lane, now);
        }
    }
    double ideal = 450 / 20.0, took = (double)now / 1000;
    printf("5000 services: %d calls, %d throttled, %.2f s (the bucket's own: %.2f s)\n", calls, throttled,
           took, ideal);
    ck_assert_int_le(calls, 553);
    ck_assert_int_le(throttled, 1);
    ck_assert(took <= ideal * 1.03);
    aws_lanes_free(&lanes);
}
END_TEST

/* Someone else uses the same account: the lane slows down, and speeds up again. */
START_TEST(adaptive)
{
    struct aws_lanes lanes = SLIST_HEAD_INITIALIZER(lanes);
    int64_t now = 1, ready = 0;
    struct aws_lane *lane = aws_lane_get(&lanes, "ecs", "DescribeServices", "us-east-1", true, now);
    ck_assert(aws_lane_take(lane, now, &ready));
    aws_lane_throttled(lane, now); /* alone: the bucket is empty, no more */
    ck_assert(lane->rate == 20);
    ck_assert(!aws_lane_take(lane, now, &ready));
    aws_lane_throttled(lane, now += 5000);
    aws_lane_throttled(lane, now + 5); /* of the same burst: counts once */
    ck_assert(lane->rate == 10);
    ck_assert(!aws_lane_take(lane, now + 5, &ready));
    ck_assert_int_ge(ready, now + 90);
    ck_assert_int_le(ready, now + 110);
    for (int i = 0; i < 40; i++)
        aws_lane_throttled(lane, now += 2000);
    ck_assert(lane->rate == 2); /* never slower than a tenth */
    for (int i = 0; i < 30; i++)
        aws_lane_content(lane, now += 1000, 0);
    ck_assert(lane->rate == 20);
    /* another region has a bucket of its own */
    struct aws_lane *other = aws_lane_get(&lanes, "ecs", "ListServices", "eu-west-1", true, now);
    ck_assert_ptr_ne(other, lane);
    ck_assert_ptr_eq(aws_lane_get(&lanes, "ecs", "ListServices", "us-east-1", true, now), lane);
    aws_lanes_free(&lanes);
}
END_TEST

START_TEST(quota)
{
    struct aws_lanes lanes = SLIST_HEAD_INITIALIZER(lanes);
    struct aws_lane *lane = aws_lane_get(&lanes, "ecs", "ListTasks", "us-east-1", false, 1);
    int retries = 0;
    while (aws_lane_retry(lane, AWS_RETRY_COST))
        retries++;
    ck_assert_int_eq(retries, 100);
    aws_lane_content(lane, 1, AWS_RETRY_COST);
    ck_assert(aws_lane_retry(lane, AWS_RETRY_COST));
    ck_assert(!aws_lane_retry(lane, AWS_RETRY_COST));
    aws_lanes_free(&lanes);
}
END_TEST

START_TEST(backoff)
{
    int64_t most = 0;
    for (int i = 0; i < 500; i++) {
        int64_t wait = aws_backoff_ms(1 + i % 9, -1);
        ck_assert_int_ge(wait, 0);
        ck_assert_int_lt(wait, i % 9 < 5 ? 1000 << (i % 9) : 20001);
        most = wait > most ? wait : most;
    }
    ck_assert_int_gt(most, 10000);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_ge(aws_backoff_ms(1, 3000), 3000);
        ck_assert_int_le(aws_backoff_ms(1, 3600000), 6000);
    }
}
END_TEST

static int64_t now_ms(void)
{
    return ecs_system_clock.now_ms(&ecs_system_clock);
}

static void fine(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg, (void)heard, (void)said;
}

/* 200 reads fill the lane of tags (50, then 20 a second); a read that somebody waits for overtakes those
 * ahead of need, and a write of another class does not wait at all. */
START_TEST(priorities)
{
    struct server *server = server_start(fine, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), &(struct ecs_aws_options){.pacing = true});
    int64_t from = now_ms();
    for (int i = 0; i < 90; i++) {
        struct ecs_call *call = calloc(1, sizeof(*call));
        *call = (struct ecs_call){.home = caller.home,
                                  .service = strdup("ecs"),
                                  .operation = strdup("ListTagsForResource"),
                                  .body = strdup("{}"),
                                  .priority = ECS_PRIORITY_AHEAD};
        caller.backend->submit(caller.backend, call);
    }
    while (server_heard(server, NULL) < 49)
        ;
    caller_submit(&caller, "ListTagsForResource", "{\"wanted\":1}", false, 0);
    caller_submit(&caller, "UpdateService", "{}", true, 0);
    int ahead = 0, read_left = 0, write_left = 0; /* reads-ahead not yet home */
    for (int i = 0; i < 92; i++) {
        struct ecs_call *call = caller_take(&caller, 10000);
        ck_assert_ptr_nonnull(call);
        ck_assert_ptr_null(call->error);
        if (call->writing)
            write_left = 90 - ahead;
        else if (call->priority == ECS_PRIORITY_READ)
            read_left = 90 - ahead;
        else
            ahead++;
        caller_done(call);
    }
    int64_t all_ms = now_ms() - from;
    printf("91 paced calls in %lld ms; a read overtook %d of the 41 waiting reads-ahead, a write %d\n",
           (long long)all_ms, read_left, write_left);
    ck_assert_int_ge(all_ms, 1900); /* 42 at 20 a second */
    ck_assert_int_ge(read_left, 5); /* in order of arrival: 0 */
    ck_assert_int_ge(write_left, 5);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

/* A paced call that reaches its deadline in the queue is EBUSY, and was never sent. */
START_TEST(paced_out)
{
    struct server *server = server_start(fine, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), &(struct ecs_aws_options){.pacing = true});
    caller_done(caller_call(&caller, "ListClusters", "{}", false, 0)); /* the keys are there */
    server_reset(server);
    for (int i = 0; i < 40; i++)
        caller_submit(&caller, "UpdateClusterSettings", "{}", true, 2500);
    int busy = 0;
    for (int i = 0; i < 40; i++) {
        struct ecs_call *call = caller_take(&caller, 5000);
        if (call->error) {
            ck_assert_int_eq(call->error->err, -EBUSY);
            ck_assert_str_eq(call->error->code, "Paced");
            ck_assert_int_eq(call->attempts, 0);
            busy++;
        }
        caller_done(call);
    }
    ck_assert_int_ge(busy, 10);
    ck_assert_int_eq(server_heard(server, NULL), 40 - busy);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void throttle_all(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg, (void)heard;
    said->status = 400;
    said->body = strdup("{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}");
}

/* What was throttled and then had no token for its next attempt in time is EBUSY too, no timeout. */
START_TEST(throttled_out)
{
    struct server *server = server_start(throttle_all, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), &(struct ecs_aws_options){.pacing = true});
    for (int i = 0; i < 8; i++)
        caller_submit(&caller, "RegisterTaskDefinition", "{}", true, 950);
    for (int i = 0; i < 8; i++) {
        struct ecs_call *call = caller_take(&caller, 20000);
        ck_assert_ptr_nonnull(call);
        ck_assert_int_eq(call->error->err, -EBUSY);
        caller_done(call);
    }
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void come_later(void *arg, const struct heard *heard, struct said *said)
{
    int64_t *when = arg;
    when[heard->count > 1] = now_ms();
    if (heard->count > 1)
        return;
    said->status = 503;
    said->headers = "x-amz-retry-after: 1500\r\n";
}

START_TEST(retry_after)
{
    int64_t when[2] = {0};
    struct server *server = server_start(come_later, when);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_call(&caller, "ListServices", "{}", false, 0);
    ck_assert_ptr_null(call->error);
    ck_assert_int_ge(when[1] - when[0], 1500);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

/* A server whose clock is an hour ahead refuses signatures of another hour, as AWS does. */
static void strict_clock(void *arg, const struct heard *heard, struct said *said)
{
    const int64_t *ahead_ms = arg;
    static char headers[128];
    char date[64], text[AWS_DATE_TEXT], ours[AWS_DATE_TEXT];
    time_t now = (time_t)((ecs_system_clock.wall_ms(&ecs_system_clock) + *ahead_ms) / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(headers, sizeof(headers), "Date: %s\r\n", date);
    said->headers = headers;
    heard_header(heard, "x-amz-date", text, sizeof(text));
    aws_sign_date((int64_t)now * 1000, ours);
    if (strncmp(text, ours, 11) != 0) {
        said->status = 400;
        said->body = strdup("{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}");
    }
}

START_TEST(skew)
{
    int64_t ahead_ms = 3600000;
    struct server *server = server_start(strict_clock, &ahead_ms);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_call(&caller, "UpdateService", "{}", true, 0);
    ck_assert_ptr_null(call->error);
    ck_assert_int_eq(call->attempts, 2);
    caller_done(call);
    call = caller_call(&caller, "ListServices", "{}", false, 0);
    ck_assert_int_eq(call->attempts, 1); /* the offset is kept */
    caller_done(call);
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_int_ge(status.clock_off_ms, ahead_ms - 3000);
    ck_assert_int_le(status.clock_off_ms, ahead_ms + 3000);
    caller_stop(&caller);
    server_stop(server);
}
END_TEST

static void bad_date(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg;
    said->headers = "Date: the day before yesterday\r\nRetry-After: 99999999999999999999\r\n";
    if (heard->count > 1)
        return;
    said->status = 400;
    said->body = strdup("{\"__type\":\"InvalidSignatureException\",\"message\":\"no\"}");
}

/* What is no date says nothing of our clock. */
START_TEST(skew_of_no_date)
{
    struct server *server = server_start(bad_date, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), NULL);
    struct ecs_call *call = caller_call(&caller, "ListServices", "{}", false, 0);
    ck_assert_int_eq(call->error->err, -EKEYREJECTED);
    ck_assert_int_eq(call->attempts, 1);
    caller_done(call);
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_int_eq(status.clock_off_ms, 0);
    caller_stop(&caller);
    server_stop(server);
    ck_assert(!aws_transport_find(CURLE_OUT_OF_MEMORY)->unsent); /* it may run out in mid-reply */
}
END_TEST

/* The credentials file changes under way, as after a rotation: a call refused for old keys goes out again
 * with the new ones, read anew. */
static void want_new(void *arg, const struct heard *heard, struct said *said)
{
    (void)arg;
    if (strstr(heard->head, "Credential=NEWKEY/"))
        return;
    FILE *file = fopen(getenv("AWS_SHARED_CREDENTIALS_FILE"), "w");
    fprintf(file, "[p]\naws_access_key_id = NEWKEY\naws_secret_access_key = B\n");
    fclose(file);
    said->status = 400;
    said->body =
        strdup("{\"__type\":\"ExpiredTokenException\",\"message\":\"The security token is expired\"}");
}

START_TEST(rotated)
{
    char path[] = "/tmp/ecsfs-test-XXXXXX";
    int fd = mkstemp(path);
    dprintf(fd, "[p]\naws_access_key_id = OLDKEY\naws_secret_access_key = A\n");
    close(fd);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    struct server *server = server_start(want_new, NULL);
    struct caller caller;
    caller_start(&caller, server_url(server), &(struct ecs_aws_options){.profile = "p"});
    struct ecs_call *call = NULL;
    for (int64_t until = now_ms() + 8000; now_ms() < until;) {
        call = caller_call(&caller, "ListServices", "{}", false, 0);
        if (!call->error)
            break;
        ck_assert_int_eq(call->error->err, -EKEYEXPIRED);
        ck_assert_ptr_nonnull(strstr(call->error->message, "put fresh keys into the profile"));
        caller_done(call);
        call = NULL;
        nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    }
    ck_assert_ptr_nonnull(call);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
    unlink(path);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
}
END_TEST

/* Without any credentials: at once, with what to do, and nothing goes out. */
START_TEST(no_credentials)
{
    struct server *server = server_start(fine, NULL);
    char path[] = "/tmp/ecsfs-test-XXXXXX";
    int fd = mkstemp(path);
    dprintf(fd, "[p]\nregion = us-east-1\n");
    close(fd);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    struct caller caller;
    caller_start(&caller, server_url(server), &(struct ecs_aws_options){.profile = "p"});
    for (int i = 0; i < 3; i++) {
        int64_t from = now_ms();
        struct ecs_call *call = caller_call(&caller, "ListServices", "{}", false, 0);
        ck_assert_int_eq(call->error->err, -ENOKEY);
        ck_assert_str_eq(call->error->code, "NoCredentials");
        ck_assert_ptr_nonnull(strstr(call->error->message, "aws configure"));
        ck_assert_int_le(now_ms() - from, 3000);
        caller_done(call);
    }
    ck_assert_int_eq(server_heard(server, NULL), 0);
    caller_stop(&caller);
    server_stop(server);
    unlink(path);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
}
END_TEST

int main(void)
{
    caller_clear_environment();
    Suite *suite = suite_create("pacing");
    TCase *cases = tcase_create("pacing");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, classes);
    tcase_add_test(cases, five_thousand);
    tcase_add_test(cases, adaptive);
    tcase_add_test(cases, quota);
    tcase_add_test(cases, backoff);
    tcase_add_test(cases, priorities);
    tcase_add_test(cases, paced_out);
    tcase_add_test(cases, throttled_out);
    tcase_add_test(cases, retry_after);
    tcase_add_test(cases, skew);
    tcase_add_test(cases, skew_of_no_date);
    tcase_add_test(cases, rotated);
    tcase_add_test(cases, no_credentials);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
