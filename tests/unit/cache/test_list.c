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

START_TEST(listing_37_services_then_reading_each_is_four_describes)
{
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    ck_assert_uint_eq(fake.len, 1);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'cluster':'prod','maxResults':100}"));
    fake_world(&fake, 37);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 37);
    for (int i = 0; i < 37; i++) {
        char id[16];
        struct ecs_key key = service_key(i, id);
        ck_assert_str_eq(ecs_list_at(list, (size_t)i), id);
        ck_assert(ecs_list_has(list, id));
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ask(&waiter, &key, &doc), 0);
    }
    ck_assert(!ecs_list_has(list, "s037"));
    ck_assert_uint_eq(fake_count(&fake, "ListServices"), 1);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 4);
}
END_TEST

/* PERFORMANCE's third goal: ten pages, a hundred describes, and what is listed first is described while the
 * rest is still being listed. */
START_TEST(a_thousand_services_are_110_calls)
{
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_world(&fake, 1000);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), 0);
    for (size_t i = 0; i < 1000; i++) {
        struct ecs_key key = {ECS_SERVICE, "prod", ecs_list_at(list, i)};
        ck_assert_int_eq(ask(&waiter, &key, &doc), 0);
    }
    ck_assert_uint_eq(fake_count(&fake, "ListServices"), 10);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 100);
}
END_TEST

/* A mere ls, again and again, lists and does not describe. */
START_TEST(listing_unread_is_not_read_ahead_again)
{
    struct waiter waiter;
    const struct ecs_list *list;
    for (int i = 0; i < 3; i++) {
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
        fake_world(&fake, 25);
        ecs_manual_clock_step(&fake.clock, 6000);
    }
    ck_assert_uint_eq(fake_count(&fake, "ListServices"), 3);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 3);
    ck_assert_str_eq(fake.told, "");
}
END_TEST

START_TEST(pages_are_joined_and_read_ahead_as_they_come)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0),
               "{'serviceArns':['" ARN "service/prod/a','" ARN "service/b'],'nextToken':'more'}");
    ecs_cache_pump(fake.cache);
    /* The describes of the first page are out before the second page is in. */
    ck_assert_uint_eq(fake.open, 2);
    ck_assert(fake_body_is(fake_find(&fake, "ListServices"),
                           "{'cluster':'prod','maxResults':100,'nextToken':'more'}"));
    ck_assert_int_eq(fake_find(&fake, "DescribeServices")->priority, ECS_PRIORITY_AHEAD);
    ck_assert_int_eq(waiter.woken, 0);
    /* An empty page with a token is no end. */
    fake_reply(&fake, fake_find(&fake, "ListServices"), "{'serviceArns':[],'nextToken':'yet more'}");
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_find(&fake, "ListServices"),
               "{'serviceArns':['" ARN "service/prod/c','" ARN "service/prod/a']}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 3);
    ck_assert_str_eq(ecs_list_at(list, 0), "a");
    ck_assert_str_eq(ecs_list_at(list, 2), "c");
}
END_TEST

START_TEST(a_token_that_repeats_is_an_error)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    for (int i = 0; i < 2; i++) {
        fake_reply(&fake, fake_find(&fake, "ListServices"), "{'serviceArns':['a/x'],'nextToken':'same'}");
        ecs_cache_pump(fake.cache);
    }
    ck_assert_ptr_null(fake_find(&fake, "ListServices"));
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), -EPROTO);
}
END_TEST

START_TEST(tokens_in_a_circle_are_an_error)
{
    static const char *const tokens[] = {"a", "b", "c", "d", "e", "c", "d",
                                         "e", "c", "d", "e", "c", "d", "e"};
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    struct ecs_call *call;
    for (size_t i = 0; i < ARRAY_LEN(tokens) && (call = fake_find(&fake, "ListServices")); i++) {
        fake_reply(&fake, call, "{'serviceArns':['a/x%zu'],'nextToken':'%s'}", i, tokens[i]);
        ecs_cache_pump(fake.cache);
    }
    ck_assert_ptr_null(fake_find(&fake, "ListServices"));
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), -EPROTO);
}
END_TEST

START_TEST(tasks_join_running_and_stopped)
{
    struct ecs_key tasks = {ECS_TASK, "prod", ""};
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), ECS_PARKED);
    ck_assert_uint_eq(fake.open, 2);
    ck_assert(
        fake_body_is(fake_open(&fake, 0), "{'cluster':'prod','desiredStatus':'RUNNING','maxResults':100}"));
    /* The second answers first: the order is the row's all the same. */
    fake_reply(&fake, fake_open(&fake, 1), "{'taskArns':['" ARN "task/prod/old']}");
    ecs_cache_pump(fake.cache);
    fake_reply(&fake, fake_open(&fake, 0), "{'taskArns':['" ARN "task/prod/new']}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 2);
    ck_assert_str_eq(ecs_list_at(list, 0), "new");
    ck_assert_str_eq(ecs_list_at(list, 1), "old");
}
END_TEST

/* Reads in listing order, one after another, without a listing's own read-ahead: 1, 2, 4, ... calls. */
START_TEST(misses_in_listing_order_widen)
{
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    char id[16];
    /* Two mere listings: the second has read nothing ahead. */
    for (int i = 0; i < 2; i++) {
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
        fake_world(&fake, 90);
        ecs_manual_clock_step(&fake.clock, i ? 0 : 6000);
    }
    size_t before = fake.len;
    waiter_init(&fake, &waiter);
    struct ecs_key key = service_key(0, id);
    ck_assert_int_eq(ask(&waiter, &key, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.len - before, 1);
    ck_assert_str_eq(fake_body_item(fake_open(&fake, 0), "services", 0), "s000");
    ck_assert_str_eq(fake_body_item(fake_open(&fake, 0), "services", 9), "s009");
    fake_world(&fake, 90);
    waiter_init(&fake, &waiter);
    key = service_key(10, id);
    ck_assert_int_eq(ask(&waiter, &key, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 2);
    ck_assert_int_eq(fake_open(&fake, 0)->priority, ECS_PRIORITY_READ);
    ck_assert_int_eq(fake_open(&fake, 1)->priority, ECS_PRIORITY_AHEAD);
    ck_assert_str_eq(fake_body_item(fake_open(&fake, 1), "services", 0), "s020");
    fake_world(&fake, 90);
    /* Past the middle of the window the next four are sent for, without a miss. */
    waiter_init(&fake, &waiter);
    key = service_key(25, id);
    ck_assert_int_eq(ask(&waiter, &key, &doc), 0);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 4);
    fake_world(&fake, 90);
    for (int i = 0; i < 90; i++) {
        waiter_init(&fake, &waiter);
        key = service_key(i, id);
        while (ask(&waiter, &key, &doc) == ECS_PARKED)
            fake_world(&fake, 90);
    }
    ck_assert_uint_eq(fake.len - before, 9); /* none twice */
}
END_TEST

START_TEST(read_ahead_keeps_to_its_bound)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    cleanup_free char *arns = strdup("");
    for (int i = 0; i < 200; i++) {
        char *more;
        ck_assert_int_gt(asprintf(&more, "%s%s'a/s%03d'", arns, i ? "," : "", i), 0);
        free(arns);
        arns = more;
    }
    fake_reply(&fake, fake_open(&fake, 0), "{'serviceArns':[%s]}", arns);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 10);
    /* A reader beyond what is on its way does not wait behind it. */
    struct ecs_key key = {ECS_SERVICE, "prod", "s150"};
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &key, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 11);
    ck_assert_str_eq(fake_body_item(fake_open(&fake, 10), "services", 0), "s150");
    fake_world(&fake, 200);
    ck_assert_uint_eq(fake_count(&fake, "DescribeServices"), 20);
}
END_TEST

START_TEST(interrupted_listing)
{
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_key tasks = {ECS_TASK, "prod", ""};
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), ECS_PARKED);
    ecs_cache_unpark(fake.cache, &waiter.want);
    ck_assert_uint_eq(fake.cancelled, 2);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), ECS_PARKED);
    fake_world(&fake, 3);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &tasks, &list), 0);
}
END_TEST

START_TEST(clusters_are_confirmed)
{
    struct ecs_key clusters = {ECS_CLUSTER, "", ""};
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &clusters, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'clusterArns':['" ARN "cluster/a','" ARN "cluster/dead']}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 0);
    ck_assert_uint_eq(fake.open, 1);
    ck_assert_int_eq(fake_open(&fake, 0)->priority, ECS_PRIORITY_READ);
    fake_reply(
        &fake, fake_open(&fake, 0),
        "{'clusters':[{'clusterName':'a','status':'ACTIVE'},{'clusterName':'dead','status':'INACTIVE'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &clusters, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 1);
    ck_assert_str_eq(ecs_list_at(list, 0), "a");
    ck_assert_uint_eq(fake.len, 2);
}
END_TEST

START_TEST(clusters_are_listed_when_describing_is_denied)
{
    struct ecs_key clusters = {ECS_CLUSTER, "", ""};
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &clusters, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'clusterArns':['" ARN "cluster/a']}");
    ecs_cache_pump(fake.cache);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "AccessDeniedException", "not you");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &clusters, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 1);
}
END_TEST

START_TEST(all_documents_several_calls_at_once)
{
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    ck_assert_uint_eq(fake.open, 1);
    fake_world(&fake, 25);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 3);
    ck_assert_int_eq(fake_open(&fake, 2)->priority, ECS_PRIORITY_READ);
    fake_world(&fake, 25);
    ck_assert_int_eq(waiter.woken, 2);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), 0);
    for (size_t i = 0; i < ecs_list_len(list); i++) {
        struct ecs_key key = {ECS_SERVICE, "prod", ecs_list_at(list, i)};
        doc = ecs_cache_peek(fake.cache, &key, NULL);
        ck_assert_ptr_nonnull(doc);
    }
    ck_assert_uint_eq(fake.len, 4);
    /* Fresher ones than are known: all are asked for again. */
    ecs_manual_clock_step(&fake.clock, 1);
    waiter_init(&fake, &waiter);
    waiter.want.fetched_after = true;
    while (ecs_cache_all(fake.cache, &waiter.want, &services, &list) == ECS_PARKED)
        fake_world(&fake, 25);
    ck_assert_uint_eq(fake.len, 8);
}
END_TEST

START_TEST(all_documents_abandoned)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_world(&fake, 300);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 10);
    ecs_cache_unpark(fake.cache, &waiter.want);
    ck_assert_uint_eq(fake.cancelled, 10);
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 0);
}
END_TEST

START_TEST(all_documents_first_error)
{
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    fake_world(&fake, 5);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_fail_aws(&fake, fake_open(&fake, 0), 400, "AccessDeniedException", "not you");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 2);
    ck_assert_int_eq(ecs_cache_all(fake.cache, &waiter.want, &services, &list), -EACCES);
}
END_TEST

START_TEST(what_a_new_list_does_not_name_is_dropped)
{
    struct ecs_key revisions = {ECS_REVISION, "web", ""}, first = {ECS_REVISION, "web", "1"};
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    int64_t left;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &revisions, &list), ECS_PARKED);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'familyPrefix':'web','status':'ACTIVE','maxResults':100}"));
    /* familyPrefix is a prefix: web-2 is another family. */
    fake_reply(&fake, fake_open(&fake, 0),
               "{'taskDefinitionArns':['" ARN "task-definition/web:1','" ARN "task-definition/web:2','" ARN
               "task-definition/web-2:7']}");
    ecs_cache_pump(fake.cache);
    ck_assert_uint_eq(fake.open, 0); /* no batch exists: nothing is read ahead */
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &revisions, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 2);
    ck_assert_int_eq(ask(&waiter, &first, &doc), ECS_PARKED);
    fake_world(&fake, 0);
    ck_assert_int_eq(ask(&waiter, &first, &doc), 0);
    ck_assert_ptr_nonnull(ecs_cache_peek(fake.cache, &first, &left));
    ck_assert_int_eq(left, INT64_MAX);
    /* For ever, until the list says otherwise. */
    ecs_manual_clock_step(&fake.clock, 100000000);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &first, &doc), 0);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &revisions, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'taskDefinitionArns':['" ARN "task-definition/web:2']}");
    ecs_cache_pump(fake.cache);
    ck_assert_ptr_null(ecs_cache_peek(fake.cache, &first, NULL));
    ck_assert_str_eq(fake.told, "revision web/\nrevision web/1\n");
}
END_TEST

static size_t parents_after(int64_t ms)
{
    struct ecs_cache_status status;
    ecs_manual_clock_step(&fake.clock, ms);
    ecs_cache_pump(fake.cache);
    ecs_cache_status(fake.cache, &status);
    return status.parents;
}

/* A mount lives for months, and clusters come and go. */
START_TEST(parents_below_which_nothing_is_known_go)
{
    enum { MINUTES = 60000, DAY = 86400000 };
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    size_t before = parents_after(0);
    for (int i = 0; i < 50; i++) {
        char cluster[16];
        snprintf(cluster, sizeof(cluster), "gone-%d", i);
        waiter_init(&fake, &waiter);
        struct ecs_key none = {ECS_SERVICE, cluster, ""}, service = {ECS_SERVICE, cluster, "web"};
        ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &none, &list), ECS_PARKED);
        fake_fail_aws(&fake, fake_open(&fake, 0), 400, "ClusterNotFoundException", "Cluster not found.");
        ecs_cache_pump(fake.cache);
        ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &none, &list), -ENOENT);
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &service, &doc), ECS_PARKED);
        ecs_cache_unpark(fake.cache, &waiter.want);
    }
    /* One is asked for now, and its call is on its way all the time. */
    struct waiter patient;
    struct ecs_key held = {ECS_SERVICE, "held", ""};
    waiter_init(&fake, &patient);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &patient.want, &held, &list), ECS_PARKED);
    ck_assert_uint_eq(parents_after(0), before + 51);
    parents_after(2 * MINUTES);
    parents_after(2 * MINUTES);
    ck_assert_uint_eq(parents_after(2 * MINUTES), before + 1);
    fake_world(&fake, 3);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &patient.want, &held, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 3);

    /* What it says is there for whoever comes back after a weekend without AWS, but not for ever. */
    ck_assert_uint_eq(parents_after(3 * (int64_t)DAY), before + 1);
    ck_assert_ptr_nonnull(ecs_cache_peek_list(fake.cache, &held, NULL));
    for (int day = 0; day < 7; day++)
        parents_after(DAY);
    ck_assert_ptr_null(ecs_cache_peek_list(fake.cache, &held, NULL));
    parents_after(DAY);
    ck_assert_uint_eq(parents_after(DAY), before);
}
END_TEST

START_TEST(documents_that_come_with_their_list)
{
    struct ecs_key fargate = {ECS_CAPACITY_PROVIDER, "", "FARGATE"},
                   none = {ECS_CAPACITY_PROVIDER, "", "none"};
    struct waiter waiter;
    struct ecs_doc *doc;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ask(&waiter, &fargate, &doc), ECS_PARKED);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'include':['TAGS'],'maxResults':10}"));
    fake_reply(&fake, fake_open(&fake, 0), "{'capacityProviders':[{'name':'FARGATE','status':'ACTIVE'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(waiter.woken, 1);
    ck_assert_int_eq(ask(&waiter, &fargate, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "status"), "ACTIVE");
    ck_assert_int_eq(ask(&waiter, &none, &doc), -ENOENT);
    ck_assert(ecs_cache_known_absent(fake.cache, &none, NULL));
    ck_assert_uint_eq(fake.len, 1);
}
END_TEST

START_TEST(deployments_of_a_service)
{
    struct ecs_key deployments = {ECS_SERVICE_DEPLOYMENT, "prod/web", ""};
    struct waiter waiter;
    const struct ecs_list *list;
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &deployments, &list), ECS_PARKED);
    ck_assert(fake_body_is(fake_open(&fake, 0), "{'cluster':'prod','service':'web','maxResults':100}"));
    fake_reply(&fake, fake_open(&fake, 0),
               "{'serviceDeployments':[{'serviceDeploymentArn':'" ARN "service-deployment/prod/web/d1'}]}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &deployments, &list), 0);
    ck_assert_str_eq(ecs_list_at(list, 0), "d1");
    /* The page tells the ARNs' root, so the read-ahead needs no other document. */
    ck_assert(fake_body_is(fake_open(&fake, 0),
                           "{'serviceDeploymentArns':['" ARN "service-deployment/prod/web/d1']}"));
}
END_TEST
static Suite *suite(void)
{
    Suite *suite = suite_create("cache: listing");
    TCase *tests = tcase_create("listing");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, listing_37_services_then_reading_each_is_four_describes);
    tcase_add_test(tests, a_thousand_services_are_110_calls);
    tcase_add_test(tests, listing_unread_is_not_read_ahead_again);
    tcase_add_test(tests, pages_are_joined_and_read_ahead_as_they_come);
    tcase_add_test(tests, a_token_that_repeats_is_an_error);
    tcase_add_test(tests, tokens_in_a_circle_are_an_error);
    tcase_add_test(tests, tasks_join_running_and_stopped);
    tcase_add_test(tests, misses_in_listing_order_widen);
    tcase_add_test(tests, read_ahead_keeps_to_its_bound);
    tcase_add_test(tests, interrupted_listing);
    tcase_add_test(tests, clusters_are_confirmed);
    tcase_add_test(tests, clusters_are_listed_when_describing_is_denied);
    tcase_add_test(tests, all_documents_several_calls_at_once);
    tcase_add_test(tests, all_documents_abandoned);
    tcase_add_test(tests, all_documents_first_error);
    tcase_add_test(tests, what_a_new_list_does_not_name_is_dropped);
    tcase_add_test(tests, parents_below_which_nothing_is_known_go);
    tcase_add_test(tests, documents_that_come_with_their_list);
    tcase_add_test(tests, deployments_of_a_service);
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
