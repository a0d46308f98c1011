/* SPDX-License-Identifier: Apache-2.0 */
/* When AWS cannot be reached. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "fake.h"

static struct fake fake;

static void setup(void)
{
    fake_init(&fake, NULL);
}

static void teardown(void)
{
    fake_free(&fake);
}

static const struct ecs_key web = {ECS_SERVICE, "prod", "web"};
static const struct ecs_key services = {ECS_SERVICE, "prod", ""};

static int ask(struct waiter *waiter, struct ecs_doc **ret_doc)
{
    return ecs_cache_doc(fake.cache, &waiter->want, &web, ret_doc);
}

static void answer_web(int desired)
{
    fake_reply(&fake, fake_find(&fake, "DescribeServices"),
               "{'services':[{'serviceName':'web','status':'ACTIVE','desiredCount':%d}]}", desired);
    ecs_cache_pump(fake.cache);
}

static void know_web(void)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    answer_web(3);
    ecs_manual_clock_step(&fake.clock, 10000); /* and it is old now */
}

static const struct {
    int err;
    int http_status;
    const char *code;
    bool stale;
} errors[] = {
    {-EIO, 503, "ServiceUnavailable", true},
    {-EBUSY, 400, "ThrottlingException", true},
    {-ETIMEDOUT, 0, "Timeout", true},
    {-ECONNREFUSED, 0, "ConnectionRefused", true},
    {-ENETUNREACH, 0, "Unreachable", true},
    {-EHOSTUNREACH, 0, "Unreachable", true},
    {-EPROTO, 0, "MalformedReply", true},
    {-EKEYEXPIRED, 400, "ExpiredTokenException", true},
    {-ENOKEY, 0, "NoCredentials", true},
    {-EACCES, 400, "AccessDeniedException", false},
    {-EINVAL, 400, "InvalidParameterException", false},
    {-EKEYREJECTED, 403, "InvalidClientTokenId", false},
    {-EIO, 400, "SomethingNewException", false},
    {-EOPNOTSUPP, 400, "UnknownOperationException", false},
};

static struct ecs_error *make_error(int i)
{
    if (errors[i].http_status)
        return ecs_error_from_aws("DescribeServices", errors[i].http_status, errors[i].code, "message", "r",
                                  0);
    return ecs_error_new(errors[i].err, errors[i].code, "message");
}

START_TEST(known_things_are_served_stale)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    know_web();
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_fail(&fake, fake_find(&fake, "DescribeServices"), make_error(_i));
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    if (!errors[_i].stale) {
        ck_assert_int_eq(ask(&waiter, &doc), errors[_i].err);
        ck_assert_str_eq(waiter.want.error->code, errors[_i].code);
        return;
    }
    ck_assert_int_eq(ask(&waiter, &doc), 0);
    ck_assert(waiter.want.stale);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "3");
    /* For a moment nobody asks in vain again; then AWS is asked anew. */
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), 0);
    ck_assert(waiter.want.stale);
    ck_assert_uint_eq(fake.open, 0);
    ecs_manual_clock_step(&fake.clock, 1000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    answer_web(4);
    ck_assert_int_eq(ask(&waiter, &doc), 0);
    ck_assert(!waiter.want.stale);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "4");
}
END_TEST

START_TEST(unknown_things_fail)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_fail(&fake, fake_find(&fake, "DescribeServices"), make_error(_i));
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &doc), errors[_i].err);
}
END_TEST

/* What must have been fetched after the open is not answered with something older. */
START_TEST(fetched_after_is_never_stale)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    know_web();
    waiter_init(&fake, &waiter);
    waiter.want.fetched_after = true;
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_fail(&fake, fake_find(&fake, "DescribeServices"), make_error(0));
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &doc), -EIO);
}
END_TEST

START_TEST(a_list_is_served_stale)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_world(&fake, 2);
    ecs_manual_clock_step(&fake.clock, 10000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_fail(&fake, fake_find(&fake, "ListServices"), make_error(3));
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), 0);
    ck_assert(waiter.want.stale);
    ck_assert_uint_eq(ecs_list_len(list), 2);
}
END_TEST

START_TEST(a_hanging_aws_is_waited_for_a_moment_only)
{
    struct waiter first, second, third;
    struct ecs_doc *doc;
    know_web();
    waiter_init(&fake, &first);
    ck_assert_int_eq(ask(&first, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_timeout_ms(fake.cache), 1000);
    ecs_manual_clock_step(&fake.clock, 999);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(first.woken, 0);
    ck_assert_int_eq(ecs_cache_timeout_ms(fake.cache), 1);
    ecs_manual_clock_step(&fake.clock, 1);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(first.woken, 1);
    ck_assert_int_eq(ask(&first, &doc), 0);
    ck_assert(first.want.stale);
    ck_assert_int_eq(ecs_cache_timeout_ms(fake.cache), -1);
    /* Later ones at once, and still one call. */
    ecs_manual_clock_step(&fake.clock, 5000);
    waiter_init(&fake, &second);
    ck_assert_int_eq(ask(&second, &doc), 0);
    ck_assert(second.want.stale);
    ck_assert_uint_eq(fake.open, 1);
    /* One that needs a newer one waits on. */
    waiter_init(&fake, &third);
    third.want.fetched_after = true;
    ck_assert_int_eq(ask(&third, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(third.woken, 0);
    ecs_cache_unpark(fake.cache, &third.want);
    ck_assert_uint_eq(fake.open, 0);
    ecs_cache_pump(fake.cache);
    /* AWS is back. */
    waiter_init(&fake, &second);
    ck_assert_int_eq(ask(&second, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    answer_web(4);
    ck_assert_int_eq(ask(&second, &doc), 0);
    ck_assert(!second.want.stale);
}
END_TEST

/* The refetch in the background goes on when its waiters were answered stale, and its answer counts. */
START_TEST(the_background_refetch_counts)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    know_web();
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_manual_clock_step(&fake.clock, 1000);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &doc), 0);
    ck_assert_uint_eq(fake.open, 1);
    answer_web(4);
    ck_assert_str_eq(fake.told, "service prod/web\n");
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), 0);
    ck_assert(!waiter.want.stale);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "4");
}
END_TEST

/* A slow call among others that are answered is no sign of anything. */
START_TEST(progress_elsewhere_is_progress)
{
    struct ecs_key api = {ECS_SERVICE, "test", "api"};
    struct waiter slow, other;
    struct ecs_doc *doc;
    know_web();
    waiter_init(&fake, &slow);
    ck_assert_int_eq(ask(&slow, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_manual_clock_step(&fake.clock, 700);
    waiter_init(&fake, &other);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &other.want, &api, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 1), "{'services':[]}");
    ecs_manual_clock_step(&fake.clock, 400);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(slow.woken, 0);
    ecs_manual_clock_step(&fake.clock, 1000);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(slow.woken, 1);
}
END_TEST

START_TEST(an_unknown_thing_is_waited_for)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_manual_clock_step(&fake.clock, 30000);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 0);
    ck_assert_int_eq(ecs_cache_timeout_ms(fake.cache), -1);
    ecs_cache_unpark(fake.cache, &waiter.want);
    ck_assert_uint_eq(fake.cancelled, 1);
}
END_TEST

START_TEST(all_documents_while_away)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    while (ecs_cache_all(fake.cache, &waiter.want, &services, &list) == ECS_PARKED)
        fake_world(&fake, 12);
    ecs_manual_clock_step(&fake.clock, 10000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_manual_clock_step(&fake.clock, 1000);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), 0);
    ck_assert(waiter.want.stale);
    ck_assert_uint_eq(ecs_list_len(list), 12);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: AWS away");
    TCase *tests = tcase_create("away");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, known_things_are_served_stale, 0, ARRAY_LEN(errors));
    tcase_add_loop_test(tests, unknown_things_fail, 0, ARRAY_LEN(errors));
    tcase_add_test(tests, fetched_after_is_never_stale);
    tcase_add_test(tests, a_list_is_served_stale);
    tcase_add_test(tests, a_hanging_aws_is_waited_for_a_moment_only);
    tcase_add_test(tests, the_background_refetch_counts);
    tcase_add_test(tests, progress_elsewhere_is_progress);
    tcase_add_test(tests, an_unknown_thing_is_waited_for);
    tcase_add_test(tests, all_documents_while_away);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
