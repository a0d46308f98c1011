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
static int finished, finished_err;
static bool it_happened;
static const struct ecs_doc *seen;

static void setup(void)
{
    finished = 0;
    finished_err = 0;
    it_happened = false;
    seen = NULL;
    fake_init(&fake, NULL);
}

static void teardown(void)
{
    fake_free(&fake);
}

static const struct ecs_key web = {ECS_SERVICE, "prod", "web"};

static void on_finished(struct ecs_action *action, const struct ecs_error *error)
{
    finished++;
    finished_err = error ? error->err : 0;
}

static bool on_happened(const struct ecs_action *action, const struct ecs_doc *now)
{
    seen = now;
    return it_happened;
}

static struct ecs_action *new_action(const char *operation, enum ecs_effect effect, const struct ecs_key *key,
                                     const char *member)
{
    struct ecs_action *action = ecs_action_new("ecs", operation, strdup("{}"), effect, key, member);
    ck_assert_ptr_nonnull(action);
    action->finished = on_finished;
    return action;
}

/* A read at this time: the desired count that it shows, having answered `desired` if AWS was asked. */
static int read_web(int desired)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    int r = ecs_cache_doc(fake.cache, &waiter.want, &web, &doc);
    if (r == ECS_PARKED) {
        ecs_cache_pump(fake.cache);
        struct ecs_call *call = fake_find(&fake, "DescribeServices");
        if (desired < 0)
            fake_reply(&fake, call, "{'failures':[{'arn':'web','reason':'MISSING'}]}");
        else
            fake_reply(&fake, call,
                       "{'services':[{'serviceName':'web','status':'ACTIVE','desiredCount':%d}]}", desired);
        ecs_cache_pump(fake.cache);
        ck_assert_int_eq(waiter.woken, 1);
        r = ecs_cache_doc(fake.cache, &waiter.want, &web, &doc);
    }
    if (r < 0)
        return r;
    return atoi(ecs_doc_field(doc, "desiredCount"));
}

static void lose_answer(void)
{
    fake_fail(&fake, fake_find(&fake, "UpdateService"),
              ecs_error_new(-ETIMEDOUT, "AnswerLost", "the connection broke after the call was sent"));
    ecs_cache_pump(fake.cache);
}

static struct ecs_action *start_update(struct waiter *waiter)
{
    struct ecs_action *action = new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service");
    action->happened = on_happened;
    waiter_init(&fake, waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter->want, action), ECS_PARKED);
    return action;
}

static void answer_look(int desired)
{
    fake_reply(&fake, fake_find(&fake, "DescribeServices"),
               "{'services':[{'serviceName':'web','status':'ACTIVE','desiredCount':%d}]}", desired);
    ecs_cache_pump(fake.cache);
}

START_TEST(lost_answer_but_it_happened)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = start_update(&waiter);
    lose_answer();
    ck_assert_int_eq(waiter.woken, 0);
    it_happened = true;
    answer_look(5);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_ptr_nonnull(seen);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ck_assert_uint_eq(fake_count(&fake, "UpdateService"), 1);
    ecs_action_unhold(action);
    ck_assert_int_eq(finished, 1);
    ck_assert_int_eq(read_web(99), 5);
}
END_TEST

START_TEST(lost_answer_is_sent_again_once)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = start_update(&waiter);
    lose_answer();
    answer_look(3);
    ck_assert_uint_eq(fake_count(&fake, "UpdateService"), 2);
    ck_assert_int_eq(finished, 0);
    fake_reply(&fake, fake_find(&fake, "UpdateService"),
               "{'service':{'serviceName':'web','status':'ACTIVE','desiredCount':5}}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ecs_action_unhold(action);
    ck_assert_int_eq(read_web(99), 5);
}
END_TEST

START_TEST(lost_twice_and_not_done)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = start_update(&waiter);
    lose_answer();
    answer_look(3);
    lose_answer();
    answer_look(3);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -ETIMEDOUT);
    ck_assert_uint_eq(fake_count(&fake, "UpdateService"), 2);
    ck_assert_int_eq(finished, 1);
    ecs_action_unhold(action);
}
END_TEST

/* A 500 may come after the work was done: UpdateService is not idempotent for AWS, so it is looked at, too.
 */
START_TEST(a_server_error_is_looked_at)
{
    static const struct {
        int status;
        const char *code;
    } said[] = {{500, "ServerException"}, {502, "HTTP502"}, {503, "HTTP503"}, {504, "HTTP504"}};
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        struct waiter waiter;
        struct ecs_action *action = start_update(&waiter);
        fake_fail_aws(&fake, fake_find(&fake, "UpdateService"), said[i].status, said[i].code, "x");
        ecs_cache_pump(fake.cache);
        ck_assert_int_eq(waiter.woken, 0);
        it_happened = true;
        answer_look(5);
        ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
        ecs_action_unhold(action);
        ck_assert_uint_eq(fake_count(&fake, "UpdateService"), i + 1);
    }
    ck_assert_int_eq(finished, (int)ARRAY_LEN(said));
}
END_TEST

START_TEST(what_is_refused_is_not_looked_at)
{
    struct waiter waiter;
    struct ecs_action *action = start_update(&waiter);
    fake_fail_aws(&fake, fake_find(&fake, "UpdateService"), 503, "ServiceUnavailable", "x");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -EIO);
    ecs_action_unhold(action);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 0);
}
END_TEST

/* Who gave up was told that it failed: nothing is changed behind their back. */
START_TEST(lost_and_nobody_waits_any_more)
{
    struct waiter waiter;
    struct ecs_action *action = start_update(&waiter);
    lose_answer();
    ecs_cache_unpark(fake.cache, &waiter.want);
    answer_look(3);
    ck_assert_uint_eq(fake_count(&fake, "UpdateService"), 1);
    ck_assert_int_eq(finished, 1);
    ck_assert_int_eq(finished_err, -ETIMEDOUT);
    ecs_action_unhold(action);
}
END_TEST

START_TEST(lost_and_the_look_fails)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = start_update(&waiter);
    lose_answer();
    fake_fail_aws(&fake, fake_find(&fake, "DescribeServices"), 503, "ServiceUnavailable", "away");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -ETIMEDOUT);
    ecs_action_unhold(action);
    ck_assert_int_eq(read_web(5), 5); /* nothing is known of it any more */
}
END_TEST

START_TEST(lost_without_a_way_to_look)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = start_update(&waiter);
    action->happened = NULL;
    lose_answer();
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -ETIMEDOUT);
    ecs_action_unhold(action);
    ck_assert_uint_eq(fake_count(&fake, "UpdateService"), 1);
    ck_assert_int_eq(read_web(5), 5);
}
END_TEST

/* A layer's URL, a log's lines: what failed says nothing of clusters. */
START_TEST(a_reading_action_forgets_nothing)
{
    struct ecs_key clusters = {ECS_CLUSTER, "", ""};
    const struct ecs_list *list;
    struct waiter waiter;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &clusters, &list), ECS_PARKED);
    fake_world(&fake, 2);
    ck_assert_ptr_nonnull(ecs_cache_peek_list(fake.cache, &clusters, NULL));
    struct ecs_action *action = new_action("GetLogEvents", ECS_EFFECT_NONE, NULL, NULL);
    action->call.writing = false;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_fail_aws(&fake, fake_find(&fake, "GetLogEvents"), 500, "ServerException", "x");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -EIO);
    ecs_action_unhold(action);
    ck_assert_ptr_nonnull(ecs_cache_peek_list(fake.cache, &clusters, NULL));
}
END_TEST

/* One save is one revision: a lost answer to a register looks at the family's newest. */
START_TEST(lost_register_looks_at_the_family)
{
    struct ecs_key key = {ECS_REVISION, "web", ""};
    struct waiter waiter;
    struct ecs_action *action =
        new_action("RegisterTaskDefinition", ECS_EFFECT_CREATE, &key, "taskDefinition");
    action->id_from_reply = true;
    action->happened = on_happened;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_fail(&fake, fake_open(&fake, 0), ecs_error_new(-ETIMEDOUT, "AnswerLost", "lost"));
    ecs_cache_pump(fake.cache);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'taskDefinition':'web','include':['TAGS']}"));
    it_happened = true;
    fake_world(&fake, 0);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ck_assert_str_eq(ecs_doc_field(action->doc, "revision"), "9");
    ecs_action_unhold(action);
    ck_assert_uint_eq(fake_count(&fake, "RegisterTaskDefinition"), 1);
}
END_TEST

START_TEST(the_cache_goes_with_an_action_under_way)
{
    struct waiter waiter;
    struct ecs_action *held = start_update(&waiter);
    struct ecs_action *other = new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service");
    struct waiter second;
    waiter_init(&fake, &second);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &second.want, other), ECS_PARKED);
    ecs_action_unhold(other);
    fake_free(&fake);
    ck_assert_int_eq(finished, 2);
    ck_assert_int_eq(finished_err, -ECANCELED);
    ck_assert(held->done);
    ecs_action_unhold(held);
    fake_init(&fake, NULL);
}
END_TEST

START_TEST(the_cache_goes_while_looking)
{
    struct waiter waiter;
    struct ecs_action *action = start_update(&waiter);
    lose_answer();
    fake_free(&fake);
    ck_assert_int_eq(finished_err, -ETIMEDOUT);
    ecs_action_unhold(action);
    fake_init(&fake, NULL);
}
END_TEST
static Suite *suite(void)
{
    Suite *suite = suite_create("cache: lost answers");
    TCase *tests = tcase_create("lost");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, lost_answer_but_it_happened);
    tcase_add_test(tests, lost_answer_is_sent_again_once);
    tcase_add_test(tests, lost_twice_and_not_done);
    tcase_add_test(tests, a_server_error_is_looked_at);
    tcase_add_test(tests, what_is_refused_is_not_looked_at);
    tcase_add_test(tests, lost_and_nobody_waits_any_more);
    tcase_add_test(tests, lost_and_the_look_fails);
    tcase_add_test(tests, lost_without_a_way_to_look);
    tcase_add_test(tests, a_reading_action_forgets_nothing);
    tcase_add_test(tests, lost_register_looks_at_the_family);
    tcase_add_test(tests, the_cache_goes_with_an_action_under_way);
    tcase_add_test(tests, the_cache_goes_while_looking);
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
