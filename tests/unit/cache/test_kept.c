/* SPDX-License-Identifier: Apache-2.0 */
/* Stopped tasks that AWS has forgotten: kept, listed, never asked for again; the newest of them. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "fake.h"

static struct fake fake;
static const struct ecs_key tasks = {ECS_TASK, "prod", ""};

static void setup(void)
{
    fake_init(&fake, NULL);
}

static void teardown(void)
{
    fake_free(&fake);
}

static struct ecs_key task(int n, char id[16])
{
    snprintf(id, 16, "t%05d", n);
    return (struct ecs_key){ECS_TASK, "prod", id};
}

/* Answers ListTasks (both of them) with tasks [from, to), stopped, and DescribeTasks with those asked for
 * that are among them. */
static void serve(int from, int to)
{
    struct ecs_call *call;
    ecs_cache_pump(fake.cache);
    while ((call = fake_open(&fake, 0))) {
        cleanup_buf struct ecs_buf text = ECS_BUF(1 << 20);
        bool list = strcmp(call->operation, "ListTasks") == 0;
        ecs_buf_adds(&text, list ? "{'taskArns':[" : "{'tasks':[");
        const char *comma = "", *item;
        if (list && strstr(call->body, "STOPPED") != NULL)
            for (int i = from; i < to; i++, comma = ",")
                ecs_buf_addf(&text, "%s'arn:aws:ecs:r:1:task/prod/t%05d'", comma, i);
        for (size_t i = 0; !list && (item = fake_body_item(call, "tasks", i)); i++)
            if (atoi(item + 1) >= from && atoi(item + 1) < to) {
                ecs_buf_addf(&text,
                             "%s{'taskArn':'arn:aws:ecs:r:1:task/prod/%s','lastStatus':'STOPPED',"
                             "'stopCode':'UserInitiated','createdAt':%d}",
                             comma, item, 1700000000 + atoi(item + 1));
                comma = ",";
            }
        ecs_buf_adds(&text, "]}");
        fake_reply(&fake, call, "%s", text.data);
        ecs_cache_pump(fake.cache);
    }
}

static size_t know_all(int from, int to)
{
    struct waiter waiter;
    const struct ecs_list *list = NULL;
    waiter_init(&fake, &waiter);
    for (int i = 0; i < 50 && ecs_cache_all(fake.cache, &waiter.want, &tasks, &list) == ECS_PARKED; i++)
        serve(from, to);
    ck_assert_ptr_nonnull(list);
    return ecs_list_len(list);
}

START_TEST(what_aws_forgets_stays)
{
    char id[16];
    struct ecs_key key = task(1, id);
    ck_assert_uint_eq(know_all(0, 3), 3);
    ecs_manual_clock_step(&fake.clock, 10000);
    ck_assert_uint_eq(know_all(2, 4), 4); /* 0 and 1 are forgotten, 3 is new */
    struct waiter waiter;
    struct ecs_doc *doc;
    ecs_manual_clock_step(&fake.clock, 3600000);
    waiter_init(&fake, &waiter);
    size_t asked = fake.len;
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &key, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "stopCode"), "UserInitiated");
    ck_assert_uint_eq(fake.len, asked);
    ecs_cache_forget_all(fake.cache);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &key, &doc), 0);
}
END_TEST

START_TEST(what_a_describe_does_not_find_any_more_stays_too)
{
    char id[16];
    struct ecs_key key = task(1, id);
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &key, &doc), ECS_PARKED);
    serve(0, 3);
    ecs_manual_clock_step(&fake.clock, 10000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &key, &doc), ECS_PARKED);
    serve(5, 6);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &key, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "lastStatus"), "STOPPED");
    ck_assert_uint_eq(know_all(5, 6), 2);
}
END_TEST

START_TEST(only_the_newest_are_kept)
{
    char id[16];
    ck_assert_uint_eq(know_all(0, 1500), 1500);
    ecs_manual_clock_step(&fake.clock, 10000);
    size_t left = know_all(1499, 1500);
    ck_assert_uint_ge(left, 1001);
    ck_assert_uint_le(left, 1101);
    struct ecs_key oldest = task(0, id);
    ck_assert_ptr_null(ecs_cache_peek(fake.cache, &oldest, NULL));
    struct ecs_key newest = task(1498, id);
    ck_assert_ptr_nonnull(ecs_cache_peek(fake.cache, &newest, NULL));
    ecs_manual_clock_step(&fake.clock, 10000);
    ck_assert_uint_eq(know_all(1499, 1500), left); /* and stay so */
    struct ecs_cache_status status;
    ecs_cache_status(fake.cache, &status);
    ck_assert_uint_eq(status.documents, left);
}
END_TEST

START_TEST(without_the_cluster_they_go)
{
    struct waiter waiter;
    const struct ecs_list *list;
    ck_assert_uint_eq(know_all(0, 3), 3);
    ecs_manual_clock_step(&fake.clock, 10000);
    ck_assert_uint_eq(know_all(0, 1), 3);
    ecs_manual_clock_step(&fake.clock, 10000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    struct ecs_call *call;
    while ((call = fake_open(&fake, 0))) {
        fake_fail_aws(&fake, call, 400, "ClusterNotFoundException", "Cluster not found.");
        ecs_cache_pump(fake.cache);
    }
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), -ENOENT);
    struct ecs_cache_status status;
    ecs_cache_status(fake.cache, &status);
    ck_assert_uint_eq(status.documents, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cache_kept");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_aws_forgets_stays);
    tcase_add_test(tests, what_a_describe_does_not_find_any_more_stays_too);
    tcase_add_test(tests, only_the_newest_are_kept);
    tcase_add_test(tests, without_the_cluster_they_go);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
