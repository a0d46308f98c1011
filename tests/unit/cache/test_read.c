/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "fake.h"

#define ARN "arn:aws:ecs:eu-west-1:123456789012:"

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

static int ask(struct waiter *waiter, const struct ecs_key *key, struct ecs_doc **ret_doc)
{
    return ecs_cache_doc(fake.cache, &waiter->want, key, ret_doc);
}

static struct ecs_key service_key(int i, char id[16])
{
    snprintf(id, 16, "s%03d", i);
    return (struct ecs_key){ECS_SERVICE, "prod", id};
}

/* One describe that says desiredCount of web. */
static void answer_web(int desired)
{
    fake_reply(&fake, fake_find(&fake, "DescribeServices"),
               "{'services':[{'serviceName':'web','status':'ACTIVE','desiredCount':%d}]}", desired);
    ecs_cache_pump(fake.cache);
}

/* Asks anew and answers, as a read at this time would. */
static void read_web(int desired)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    answer_web(desired);
    ck_assert_int_eq(ask(&waiter, &web, &doc), 0);
}

START_TEST(hundred_first_readers_are_one_call)
{
    struct waiter waiters[100];
    struct ecs_doc *doc;
    for (int i = 0; i < 100; i++) {
        waiter_init(&fake, &waiters[i]);
        ck_assert_int_eq(ask(&waiters[i], &web, &doc), ECS_PARKED);
    }
    ck_assert_int_eq(ecs_cache_timeout_ms(fake.cache), 0);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.len, 1);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'cluster':'prod','include':['TAGS'],'services':['web']}"));
    ck_assert_int_eq(fake_open(&fake, 0)->priority, ECS_PRIORITY_READ);
    answer_web(3);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(waiters[i].woken, 1);
        ck_assert_int_eq(ask(&waiters[i], &web, &doc), 0);
        ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "3");
        ck_assert(!waiters[i].want.stale);
    }
    ck_assert_uint_eq(fake.len, 1);
    ck_assert_str_eq(fake.told, "");
}
END_TEST

START_TEST(same_breath_is_one_call)
{
    struct waiter waiters[12];
    struct ecs_doc *doc;
    char id[16];
    for (int i = 0; i < 12; i++) {
        waiter_init(&fake, &waiters[i]);
        struct ecs_key key = service_key(i, id);
        ck_assert_int_eq(ask(&waiters[i], &key, &doc), ECS_PARKED);
    }
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.len, 2);
    ck_assert_uint_eq(fake_body_items(fake_open(&fake, 0), "services"), 10);
    ck_assert_uint_eq(fake_body_items(fake_open(&fake, 1), "services"), 2);
    fake_world(&fake, 12);
    for (int i = 0; i < 12; i++) {
        struct ecs_key key = service_key(i, id);
        ck_assert_int_eq(waiters[i].woken, 1);
        ck_assert_int_eq(ask(&waiters[i], &key, &doc), 0);
    }
}
END_TEST

START_TEST(absence_is_known_for_a_while)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    int64_t left = -1;
    waiter_init(&fake, &waiter);
    ck_assert(!ecs_cache_known_absent(fake.cache, &web, &left));
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'services':[],'failures':[{'arn':'" ARN "service/prod/web','reason':'MISSING'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -ENOENT);
    ck_assert_str_eq(waiter.want.error->message, "there is no service \"web\"");
    ck_assert(ecs_cache_known_absent(fake.cache, &web, &left));
    ck_assert_int_eq(left, 5000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -ENOENT);
    ck_assert_uint_eq(fake.len, 1);
    ecs_manual_clock_step(&fake.clock, 5000);
    read_web(2);
    ck_assert_str_eq(fake.told, "service prod/web\n"); /* the kernel holds a negative entry */
    ck_assert(!ecs_cache_known_absent(fake.cache, &web, NULL));
}
END_TEST

START_TEST(neither_returned_nor_failed_is_absent)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0), "{'services':[]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -ENOENT);
}
END_TEST

START_TEST(a_failure_is_of_its_item)
{
    struct waiter one, other;
    struct ecs_doc *doc;
    struct ecs_key api = {ECS_SERVICE, "prod", "api"};
    waiter_init(&fake, &one);
    waiter_init(&fake, &other);
    ck_assert_int_eq(ask(&one, &web, &doc), ECS_PARKED);
    ck_assert_int_eq(ask(&other, &api, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'services':[{'serviceName':'web','status':'ACTIVE'}],'failures':[{'arn':'" ARN
               "service/prod/api','reason':'ACCESS_DENIED','detail':'no way'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&one, &web, &doc), 0);
    ck_assert_int_eq(ask(&other, &api, &doc), -EIO);
    ck_assert_str_eq(other.want.error->code, "ACCESS_DENIED");
    ck_assert_ptr_nonnull(strstr(other.want.error->message, "no way"));
}
END_TEST

START_TEST(gone_status_is_absence)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0), "{'services':[{'serviceName':'web','status':'INACTIVE'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -ENOENT);
}
END_TEST

START_TEST(a_parent_that_is_gone_is_absence)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "ClusterNotFoundException", "Cluster not found.");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -ENOENT);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "ClusterNotFoundException", "Cluster not found.");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), -ENOENT);
}
END_TEST

/* AWS refuses the whole call for one bad name in it. */
START_TEST(one_refused_name_does_not_spoil_its_siblings)
{
    struct waiter good, bad;
    struct ecs_doc *doc;
    struct ecs_key odd = {ECS_SERVICE, "prod", "a b"};
    waiter_init(&fake, &good);
    waiter_init(&fake, &bad);
    ck_assert_int_eq(ask(&good, &web, &doc), ECS_PARKED);
    ck_assert_int_eq(ask(&bad, &odd, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 1);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "InvalidParameterException", "Invalid identifier");
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 2);
    ck_assert_uint_eq(fake_body_items(fake_open(&fake, 0), "services"), 1);
    answer_web(1);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "InvalidParameterException", "Invalid identifier");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&good, &web, &doc), 0);
    ck_assert_int_eq(ask(&bad, &odd, &doc), -EINVAL);
}
END_TEST

START_TEST(fresh_for_stale_ms_and_told_of_changes_only)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    int64_t left;
    read_web(3);
    ck_assert_ptr_nonnull(ecs_cache_peek(fake.cache, &web, &left));
    ck_assert_int_eq(left, 5000);
    ecs_manual_clock_step(&fake.clock, 4999);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), 0);
    ecs_manual_clock_step(&fake.clock, 1);
    ck_assert_ptr_nonnull(ecs_cache_peek(fake.cache, &web, &left));
    ck_assert_int_eq(left, 0);
    read_web(3);
    ck_assert_str_eq(fake.told, "");
    ecs_manual_clock_step(&fake.clock, 5000);
    read_web(4);
    ck_assert_str_eq(fake.told, "service prod/web\n");
    ck_assert_uint_eq(fake.len, 3);
    ck_assert_str_eq(ecs_cache_previous(fake.cache, &web, "desiredCount"), "3");
    ck_assert_ptr_null(ecs_cache_previous(fake.cache, &web, "taskDefinition"));
}
END_TEST

/* What a want waited for answers it though it was old when it came. */
START_TEST(a_slow_answer_answers_its_waiter)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_manual_clock_step(&fake.clock, 7000);
    answer_web(3);
    ck_assert_int_eq(ask(&waiter, &web, &doc), 0);
    ecs_manual_clock_step(&fake.clock, 1);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
}
END_TEST

START_TEST(fetched_after_wants_a_later_call)
{
    struct waiter early, late;
    struct ecs_doc *doc;
    waiter_init(&fake, &early);
    ck_assert_int_eq(ask(&early, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_manual_clock_step(&fake.clock, 10);
    waiter_init(&fake, &late);
    late.want.fetched_after = true;
    ck_assert_int_eq(ask(&late, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 1);
    answer_web(3);
    ck_assert_int_eq(early.woken, 1);
    ck_assert_int_eq(ask(&early, &web, &doc), 0);
    ck_assert_int_eq(ask(&late, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    answer_web(4);
    ck_assert_int_eq(ask(&late, &web, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "4");
    ck_assert_uint_eq(fake.len, 2);
}
END_TEST

START_TEST(an_error_is_of_those_who_waited)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "AccessDeniedException", "not you");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -EACCES);
    ck_assert_str_eq(waiter.want.error->message, "not you");
    ecs_manual_clock_step(&fake.clock, 1);
    read_web(3);
}
END_TEST

START_TEST(interrupted_waiters_cancel_their_call)
{
    struct waiter one, two;
    struct ecs_doc *doc;
    waiter_init(&fake, &one);
    waiter_init(&fake, &two);
    ck_assert_int_eq(ask(&one, &web, &doc), ECS_PARKED);
    ck_assert_int_eq(ask(&two, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_cache_unpark(fake.cache, &one.want);
    ck_assert_uint_eq(fake.cancelled, 0);
    ecs_cache_unpark(fake.cache, &two.want);
    ck_assert_uint_eq(fake.cancelled, 1);
    /* Before the cancelled call is home, somebody asks again. */
    waiter_init(&fake, &one);
    ck_assert_int_eq(ask(&one, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.len, 2);
    answer_web(3);
    ck_assert_int_eq(one.woken, 1);
    ck_assert_int_eq(two.woken, 0);
    ck_assert_int_eq(ask(&one, &web, &doc), 0);
}
END_TEST

START_TEST(interrupted_before_it_was_sent)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_unpark(fake.cache, &waiter.want);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.len, 0);
}
END_TEST

START_TEST(a_family_is_its_newest_revision)
{
    struct ecs_key family = {ECS_FAMILY, "", "web"}, ninth = {ECS_REVISION, "web", "9"};
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &family, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'taskDefinition':'web','include':['TAGS']}"));
    fake_world(&fake, 0);
    ck_assert_int_eq(ask(&waiter, &family, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "revision"), "9");
    ck_assert_int_eq(ask(&waiter, &ninth, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "family"), "web");
    ck_assert_int_eq(ecs_doc_time_ms(doc), 1700000000250);
    ck_assert_uint_eq(fake.len, 1);
}
END_TEST

START_TEST(arns_are_made_from_the_owner)
{
    struct ecs_key revision = {ECS_SERVICE_REVISION, "prod/web", "42"};
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &revision, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_find(&fake, "DescribeServices"),
               "{'services':[{'serviceName':'web','status':'ACTIVE','serviceArn':'" ARN
               "service/prod/web'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ask(&waiter, &revision, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert(
        fake_body_is(fake_open(&fake, 0), "{'serviceRevisionArns':['" ARN "service-revision/prod/web/42']}"));
    fake_reply(&fake, fake_open(&fake, 0),
               "{'serviceRevisions':[{'serviceRevisionArn':'" ARN
               "service-revision/prod/web/42','createdAt':1700000000}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &revision, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "createdAt"), "2023-11-14T22:13:20Z");
}
END_TEST

START_TEST(identity_takes_no_ids)
{
    struct ecs_key caller = {ECS_IDENTITY, "", "caller"};
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &caller, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{}"));
    fake_reply(&fake, fake_open(&fake, 0),
               "{'Account':'123456789012','Arn':'arn:aws:iam::123456789012:root'}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &caller, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "Account"), "123456789012");
}
END_TEST

START_TEST(malformed_replies_are_errors)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0), "{'services':'many'}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ask(&waiter, &web, &doc), -EPROTO);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'serviceArns':[7]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), -EPROTO);
}
END_TEST

START_TEST(forgotten_things_are_asked_for_again)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    read_web(3);
    ecs_cache_forget(fake.cache, &web);
    ck_assert_str_eq(fake.told, "service prod/web\n");
    read_web(3);
    ecs_cache_forget(fake.cache, &services);
    ck_assert_ptr_null(ecs_cache_peek(fake.cache, &web, NULL));
    /* An answer asked for before the forgetting does not count. */
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ecs_cache_forget_all(fake.cache);
    answer_web(3);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ask(&waiter, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    answer_web(4);
    ck_assert_int_eq(ask(&waiter, &web, &doc), 0);
}
END_TEST

/* A shell that looks up a thousand names that are not there leaves nothing behind. */
START_TEST(absent_names_are_swept)
{
    struct ecs_cache_status before, full, after;
    struct waiter waiter;
    struct ecs_doc *doc;
    read_web(3);
    ecs_cache_status(fake.cache, &before);
    for (int i = 0; i < 1000; i++) {
        char id[16];
        struct ecs_key key = service_key(i, id);
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ask(&waiter, &key, &doc), ECS_PARKED);
        ecs_cache_pump(fake.cache);
        fake_reply(&fake, fake_open(&fake, 0), "{'services':[]}");
        ecs_cache_pump(fake.cache);
    }
    ecs_cache_status(fake.cache, &full);
    ck_assert_uint_eq(full.entries, 1001);
    ecs_manual_clock_step(&fake.clock, 120000);
    ecs_cache_pump(fake.cache);
    ecs_cache_status(fake.cache, &after);
    ck_assert_uint_eq(after.entries, before.entries);
    ck_assert_uint_eq(after.documents, 1);
}
END_TEST

/* What no list names and nobody reads any more goes after a day. */
START_TEST(unasked_documents_are_swept)
{
    struct ecs_cache_status status;
    read_web(3);
    ecs_manual_clock_step(&fake.clock, 23 * 3600000);
    ecs_cache_pump(fake.cache);
    ecs_cache_status(fake.cache, &status);
    ck_assert_uint_eq(status.documents, 1);
    ecs_manual_clock_step(&fake.clock, 2 * 3600000);
    ecs_cache_pump(fake.cache);
    ecs_cache_status(fake.cache, &status);
    ck_assert_uint_eq(status.documents, 0);
    ck_assert_uint_eq(status.entries, 0);
    read_web(4);
}
END_TEST

START_TEST(the_cache_can_go_while_others_wait)
{
    struct waiter one, two;
    struct ecs_doc *doc;
    const struct ecs_list *list;
    waiter_init(&fake, &one);
    waiter_init(&fake, &two);
    ck_assert_int_eq(ask(&one, &web, &doc), ECS_PARKED);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &two.want, &services, &list), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 2);
    fake_free(&fake);
    ck_assert_int_eq(one.woken + two.woken, 0);
    fake_init(&fake, NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: reading");
    TCase *tests = tcase_create("reading");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, hundred_first_readers_are_one_call);
    tcase_add_test(tests, same_breath_is_one_call);
    tcase_add_test(tests, absence_is_known_for_a_while);
    tcase_add_test(tests, neither_returned_nor_failed_is_absent);
    tcase_add_test(tests, a_failure_is_of_its_item);
    tcase_add_test(tests, gone_status_is_absence);
    tcase_add_test(tests, a_parent_that_is_gone_is_absence);
    tcase_add_test(tests, one_refused_name_does_not_spoil_its_siblings);
    tcase_add_test(tests, fresh_for_stale_ms_and_told_of_changes_only);
    tcase_add_test(tests, a_slow_answer_answers_its_waiter);
    tcase_add_test(tests, fetched_after_wants_a_later_call);
    tcase_add_test(tests, an_error_is_of_those_who_waited);
    tcase_add_test(tests, interrupted_waiters_cancel_their_call);
    tcase_add_test(tests, interrupted_before_it_was_sent);
    tcase_add_test(tests, a_family_is_its_newest_revision);
    tcase_add_test(tests, arns_are_made_from_the_owner);
    tcase_add_test(tests, identity_takes_no_ids);
    tcase_add_test(tests, malformed_replies_are_errors);
    tcase_add_test(tests, forgotten_things_are_asked_for_again);
    tcase_add_test(tests, absent_names_are_swept);
    tcase_add_test(tests, unasked_documents_are_swept);
    tcase_add_test(tests, the_cache_can_go_while_others_wait);
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
