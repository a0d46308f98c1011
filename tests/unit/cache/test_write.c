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

static void setup(void)
{
    finished = 0;
    finished_err = 0;
    fake_init(&fake, NULL);
}

static void teardown(void)
{
    fake_free(&fake);
}

static const struct ecs_key web = {ECS_SERVICE, "prod", "web"};
static const struct ecs_key services = {ECS_SERVICE, "prod", ""};

static void on_finished(struct ecs_action *action, const struct ecs_error *error)
{
    finished++;
    finished_err = error ? error->err : 0;
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

/* Scales to `desired`, as a write to desired-count does. */
static void scale_web(int desired)
{
    struct waiter waiter;
    waiter_init(&fake, &waiter);
    struct ecs_action *action = new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service");
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "UpdateService"),
               "{'service':{'serviceName':'web','status':'ACTIVE','desiredCount':%d}}", desired);
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ecs_action_unhold(action);
}

static void list_services(const char *arns)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "ListServices"), "{'serviceArns':[%s]}", arns);
    ecs_cache_pump(fake.cache);
    struct ecs_call *call;
    while ((call = fake_find(&fake, "DescribeServices"))) {
        fake_fail_aws(&fake, call, 400, "AccessDeniedException", "no");
        ecs_cache_pump(fake.cache);
    }
}

static bool listed(const char *id)
{
    const struct ecs_list *list = ecs_cache_peek_list(fake.cache, &services, NULL);
    return list && ecs_list_has(list, id);
}

static const struct ecs_key deployments = {ECS_SERVICE_DEPLOYMENT, "prod/web", ""};

/* What a read shows as the first deployment, AWS (if it is asked) having `first` alone. */
static const char *first_deployment(const char *first)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    int r = ecs_cache_list(fake.cache, &waiter.want, &deployments, &list);
    if (r == ECS_PARKED) {
        fake_reply(&fake, fake_find(&fake, "ListServiceDeployments"),
                   "{'serviceDeployments':[{'serviceDeploymentArn':'" ARN
                   "service-deployment/prod/web/%s'}]}",
                   first);
        ecs_cache_pump(fake.cache);
        r = ecs_cache_list(fake.cache, &waiter.want, &deployments, &list);
    }
    ck_assert_int_eq(r, 0);
    return ecs_list_at(list, 0);
}

START_TEST(a_write_to_a_service_forgets_the_list_of_its_deployments)
{
    ck_assert_str_eq(first_deployment("d1"), "d1");
    ck_assert_str_eq(first_deployment("d2"), "d1");
    ck_assert_uint_eq(fake_count(&fake, "ListServiceDeployments"), 1);
    scale_web(5);
    /* AWS's list lags, which is not believed for as long as it would be else ... */
    ck_assert_str_eq(first_deployment("d1"), "d1");
    ck_assert_uint_eq(fake_count(&fake, "ListServiceDeployments"), 2);
    ck_assert_str_eq(first_deployment("d2"), "d1");
    ecs_manual_clock_step(&fake.clock, 1000);
    ck_assert_str_eq(first_deployment("d2"), "d2");
    ck_assert_uint_eq(fake_count(&fake, "ListServiceDeployments"), 3);
    /* ... until the write has settled. */
    ecs_manual_clock_step(&fake.clock, 9000);
    ck_assert_str_eq(first_deployment("d2"), "d2");
    ecs_manual_clock_step(&fake.clock, 4999);
    ck_assert_str_eq(first_deployment("d3"), "d2");
    ck_assert_uint_eq(fake_count(&fake, "ListServiceDeployments"), 4);
}
END_TEST

/* Also of a service whose deployments nobody has asked for before, and of one whose answer told nothing. */
START_TEST(a_first_list_of_deployments_after_a_write_is_short_lived)
{
    struct waiter waiter;
    waiter_init(&fake, &waiter);
    struct ecs_action *action = new_action("UpdateService", ECS_EFFECT_FORGET, &web, NULL);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "UpdateService"), "{}");
    ecs_cache_pump(fake.cache);
    ecs_action_unhold(action);
    ck_assert_str_eq(first_deployment("d1"), "d1");
    ecs_manual_clock_step(&fake.clock, 1000);
    ck_assert_str_eq(first_deployment("d2"), "d2");
}
END_TEST

START_TEST(a_write_shows_at_once_with_no_read)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    waiter_init(&fake, &waiter);
    struct ecs_action *action = new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service");
    action->want_reply = true;
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    struct ecs_call *call = fake_open(&fake, 0);
    ck_assert(call->writing);
    ck_assert_int_eq(call->priority, ECS_PRIORITY_WRITE);
    fake_reply(&fake, call, "{'service':{'serviceName':'web','status':'ACTIVE','desiredCount':5}}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(finished, 1);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ck_assert_str_eq(ecs_doc_field(action->doc, "desiredCount"), "5");
    ck_assert_ptr_nonnull(strstr(action->reply, "\"desiredCount\": 5"));
    ecs_action_unhold(action);
    ck_assert_int_eq(read_web(99), 5);
    ck_assert_uint_eq(fake.len, 2);
    ck_assert_str_eq(fake.told, "service prod/web\n");
    ck_assert_str_eq(ecs_cache_previous(fake.cache, &web, "desiredCount"), "3");
}
END_TEST

/* Replies of UpdateService have no tags; those that are known stay. */
START_TEST(tags_survive_a_reply_without_them)
{
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'services':[{'serviceName':'web','status':'ACTIVE','tags':[{'key':'team','value':'a'}]}]}");
    ecs_cache_pump(fake.cache);
    scale_web(4);
    cleanup_free char *text = ecs_doc_text(ecs_cache_peek(fake.cache, &web, NULL), NULL);
    ck_assert_ptr_nonnull(strstr(text, "\"team\""));
}
END_TEST

START_TEST(a_fetch_begun_before_a_write_does_not_overwrite_it)
{
    struct waiter reader;
    struct ecs_doc *doc;
    ck_assert_int_eq(read_web(3), 3);
    ecs_manual_clock_step(&fake.clock, 6000);
    waiter_init(&fake, &reader);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &reader.want, &web, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    struct ecs_call *before = fake_find(&fake, "DescribeServices");
    scale_web(5);
    ck_assert_int_eq(reader.woken, 1);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &reader.want, &web, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "5");
    /* Even an answer that contradicts nothing that was known: 4 was never seen. */
    fake_reply(&fake, before, "{'services':[{'serviceName':'web','status':'ACTIVE','desiredCount':4}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(read_web(99), 5);
}
END_TEST

START_TEST(lagging_answers_are_dropped_while_a_write_settles)
{
    ck_assert_int_eq(read_web(3), 3);
    scale_web(5);
    ecs_manual_clock_step(&fake.clock, 5000);
    ck_assert_int_eq(read_web(3), 5); /* asked, and not believed */
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 2);
    ecs_manual_clock_step(&fake.clock, 1000);
    ck_assert_int_eq(read_web(99), 5);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 2);
    /* At the end of the time it is asked for again, and believed. */
    ecs_manual_clock_step(&fake.clock, 4000);
    ck_assert_int_eq(read_web(3), 3);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 3);
}
END_TEST

START_TEST(others_changes_are_believed_while_a_write_settles)
{
    ck_assert_int_eq(read_web(3), 3);
    scale_web(5);
    ecs_manual_clock_step(&fake.clock, 5000);
    ck_assert_int_eq(read_web(8), 8);
}
END_TEST

START_TEST(there_and_back_within_the_settling)
{
    ck_assert_int_eq(read_web(3), 3);
    scale_web(5);
    ecs_manual_clock_step(&fake.clock, 1000);
    scale_web(3);
    ecs_manual_clock_step(&fake.clock, 5000);
    ck_assert_int_eq(read_web(5), 3); /* lags */
    ecs_manual_clock_step(&fake.clock, 5000);
    ck_assert_int_eq(read_web(3), 3);
}
END_TEST

START_TEST(created_things_stay_listed)
{
    struct waiter waiter;
    list_services("'a/old'");
    waiter_init(&fake, &waiter);
    struct ecs_action *action = new_action("CreateService", ECS_EFFECT_CREATE, &web, "service");
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "CreateService"),
               "{'service':{'serviceName':'web','status':'ACTIVE','desiredCount':2}}");
    ecs_cache_pump(fake.cache);
    ecs_action_unhold(action);
    ck_assert(listed("web"));
    ck_assert(listed("old"));
    ck_assert_int_eq(read_web(99), 2);
    /* Neither a list without it nor MISSING is believed yet. */
    ecs_manual_clock_step(&fake.clock, 6000);
    list_services("'a/old'");
    ck_assert(listed("web"));
    ck_assert_int_eq(read_web(-1), 2);
    ecs_manual_clock_step(&fake.clock, 5000);
    ck_assert_int_eq(read_web(-1), -ENOENT);
    list_services("'a/old'");
    ck_assert(!listed("web"));
}
END_TEST

START_TEST(deleted_things_stay_out)
{
    struct waiter waiter;
    list_services("'a/old','a/web'");
    ck_assert_int_eq(read_web(2), 2);
    waiter_init(&fake, &waiter);
    struct ecs_action *action = new_action("DeleteService", ECS_EFFECT_DELETE, &web, NULL);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "DeleteService"),
               "{'service':{'serviceName':'web','status':'DRAINING'}}");
    ecs_cache_pump(fake.cache);
    ecs_action_unhold(action);
    ck_assert(!listed("web"));
    ck_assert(ecs_cache_known_absent(fake.cache, &web, NULL));
    ck_assert_int_eq(read_web(2), -ENOENT);
    ecs_manual_clock_step(&fake.clock, 6000);
    list_services("'a/old','a/web'");
    ck_assert(!listed("web"));
    ecs_manual_clock_step(&fake.clock, 6000);
    list_services("'a/old','a/web'");
    ck_assert(listed("web"));
    ck_assert_int_eq(read_web(2), 2);
}
END_TEST

/* A list asked for before the creation and answered after it. */
START_TEST(a_list_begun_before_a_creation)
{
    struct waiter reader, waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &reader);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &reader.want, &services, &list), ECS_PARKED);
    waiter_init(&fake, &waiter);
    struct ecs_action *action = new_action("CreateService", ECS_EFFECT_CREATE, &web, "service");
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "CreateService"),
               "{'service':{'serviceName':'web','status':'ACTIVE'}}");
    ecs_cache_pump(fake.cache);
    ecs_action_unhold(action);
    fake_reply(&fake, fake_find(&fake, "ListServices"), "{'serviceArns':[]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &reader.want, &services, &list), 0);
    ck_assert(ecs_list_has(list, "web"));
}
END_TEST

START_TEST(a_new_revision_is_its_familys_newest)
{
    struct ecs_key family = {ECS_FAMILY, "", "web"}, register_key = {ECS_REVISION, "web", ""};
    struct ecs_key tenth = {ECS_REVISION, "web", "10"}, families = {ECS_FAMILY, "", ""};
    struct ecs_key revisions = {ECS_REVISION, "web", ""};
    struct waiter waiter;
    struct ecs_doc *doc;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &family, &doc), ECS_PARKED);
    fake_world(&fake, 0);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &revisions, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'taskDefinitionArns':['" ARN "task-definition/web:9']}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &families, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'families':['web']}");
    ecs_cache_pump(fake.cache);
    struct ecs_action *action =
        new_action("RegisterTaskDefinition", ECS_EFFECT_CREATE, &register_key, "taskDefinition");
    action->id_from_reply = true;
    action->beside = "tags";
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'taskDefinition':{'family':'web','revision':10,'status':'ACTIVE'},'tags':[{'key':'k','value'"
               ":'v'}]}");
    ecs_cache_pump(fake.cache);
    ecs_action_unhold(action);
    doc = ecs_cache_peek(fake.cache, &tenth, NULL);
    ck_assert_ptr_nonnull(doc);
    cleanup_free char *text = ecs_doc_text(doc, NULL);
    ck_assert_ptr_nonnull(strstr(text, "\"tags\""));
    ck_assert_str_eq(ecs_doc_field(ecs_cache_peek(fake.cache, &family, NULL), "revision"), "10");
    ck_assert(ecs_list_has(ecs_cache_peek_list(fake.cache, &revisions, NULL), "10"));
    ck_assert(ecs_list_has(ecs_cache_peek_list(fake.cache, &revisions, NULL), "9"));

    /* And deregistering it makes the family's document unknown, and the revision inactive. */
    action = new_action("DeregisterTaskDefinition", ECS_EFFECT_DELETE, &tenth, NULL);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'taskDefinition':{'family':'web','revision':10,'status':'INACTIVE'}}");
    ecs_cache_pump(fake.cache);
    ecs_action_unhold(action);
    ck_assert(ecs_cache_known_absent(fake.cache, &tenth, NULL));
    ck_assert_ptr_null(ecs_cache_peek(fake.cache, &family, NULL));
    ck_assert(!ecs_list_has(ecs_cache_peek_list(fake.cache, &revisions, NULL), "10"));
    ck_assert_ptr_nonnull(ecs_cache_peek_list(fake.cache, &families, NULL));
}
END_TEST

START_TEST(several_resources_of_one_call)
{
    struct ecs_key tasks = {ECS_TASK, "prod", ""}, second = {ECS_TASK, "prod", "t2"};
    struct waiter waiter;
    struct ecs_action *action = new_action("RunTask", ECS_EFFECT_CREATE, &tasks, "tasks");
    action->id_from_reply = true;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'tasks':[{'taskArn':'" ARN "task/prod/t1','lastStatus':'PROVISIONING'},{'taskArn':'" ARN
               "task/prod/t2','lastStatus':'PENDING'}],'failures':[]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ck_assert_str_eq(ecs_doc_field(action->doc, "lastStatus"), "PROVISIONING");
    ck_assert_str_eq(ecs_doc_field(ecs_cache_peek(fake.cache, &second, NULL), "lastStatus"), "PENDING");
    ecs_action_unhold(action);
    /* A later listing that lags still has both. */
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), ECS_PARKED);
    fake_reply(&fake, fake_find(&fake, "ListTasks"), "{'taskArns':[]}");
    fake_reply(&fake, fake_find(&fake, "ListTasks"), "{'taskArns':[]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 2);
}
END_TEST

START_TEST(failures_of_a_write_are_its_error)
{
    struct ecs_key tasks = {ECS_TASK, "prod", ""};
    struct waiter waiter;
    struct ecs_action *action = new_action("RunTask", ECS_EFFECT_CREATE, &tasks, "tasks");
    action->id_from_reply = true;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'tasks':[],'failures':[{'reason':'RESOURCE:MEMORY','arn':'x'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -EBUSY);
    ck_assert_str_eq(action->error->code, "RESOURCE");
    ck_assert_int_eq(finished_err, -EBUSY);
    ecs_action_unhold(action);
}
END_TEST

START_TEST(a_refused_write_changes_nothing)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service");
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "InvalidParameterException", "no such thing");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), -EINVAL);
    ck_assert_str_eq(waiter.want.error->message, "no such thing");
    ecs_action_unhold(action);
    ck_assert_int_eq(read_web(99), 3);
}
END_TEST

START_TEST(forgetting_asks_again)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = new_action("TagResource", ECS_EFFECT_FORGET, &web, NULL);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), 0);
    ecs_action_unhold(action);
    ck_assert_str_eq(fake.told, "service prod/web\n");
    ck_assert_int_eq(read_web(4), 4);
}
END_TEST

START_TEST(nobody_waits_any_more)
{
    struct waiter waiter;
    ck_assert_int_eq(read_web(3), 3);
    struct ecs_action *action = new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service");
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_act(fake.cache, &waiter.want, action), ECS_PARKED);
    ecs_cache_unpark(fake.cache, &waiter.want);
    ecs_action_unhold(action);
    ck_assert_uint_eq(fake.cancelled, 1); /* the backend lets it go on, for it was sent */
    fake_reply(&fake, fake_open(&fake, 0),
               "{'service':{'serviceName':'web','status':'ACTIVE','desiredCount':5}}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(finished, 1);
    ck_assert_int_eq(finished_err, 0);
    ck_assert_int_eq(waiter.woken, 0);
    ck_assert_int_eq(read_web(99), 5);
}
END_TEST

START_TEST(an_action_let_go_unsent)
{
    ecs_action_unhold(new_action("UpdateService", ECS_EFFECT_UPDATE, &web, "service"));
    ck_assert_int_eq(finished, 0);
    ecs_action_unhold(NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: writing");
    TCase *tests = tcase_create("writing");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_write_shows_at_once_with_no_read);
    tcase_add_test(tests, tags_survive_a_reply_without_them);
    tcase_add_test(tests, a_fetch_begun_before_a_write_does_not_overwrite_it);
    tcase_add_test(tests, a_write_to_a_service_forgets_the_list_of_its_deployments);
    tcase_add_test(tests, a_first_list_of_deployments_after_a_write_is_short_lived);
    tcase_add_test(tests, lagging_answers_are_dropped_while_a_write_settles);
    tcase_add_test(tests, others_changes_are_believed_while_a_write_settles);
    tcase_add_test(tests, there_and_back_within_the_settling);
    tcase_add_test(tests, created_things_stay_listed);
    tcase_add_test(tests, deleted_things_stay_out);
    tcase_add_test(tests, a_list_begun_before_a_creation);
    tcase_add_test(tests, a_new_revision_is_its_familys_newest);
    tcase_add_test(tests, several_resources_of_one_call);
    tcase_add_test(tests, failures_of_a_write_are_its_error);
    tcase_add_test(tests, a_refused_write_changes_nothing);
    tcase_add_test(tests, forgetting_asks_again);
    tcase_add_test(tests, nobody_waits_any_more);
    tcase_add_test(tests, an_action_let_go_unsent);
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
