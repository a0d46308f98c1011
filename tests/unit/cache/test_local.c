/* SPDX-License-Identifier: Apache-2.0 */
/* The cache over the embedded emulator: real calls, real threads, real time (fifty times as fast). */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cache.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/local.h"

enum { PATIENCE_MS = 10000 };

static struct ecs_backend *backend;
static struct ecs_cache *cache;
static int told;

static void on_changed(void *arg, const struct ecs_key *key)
{
    told++;
}

static void setup(void)
{
    struct ecs_error *error = NULL;
    struct ecs_local_options local = {.region = "eu-west-1", .speed = 50};
    struct ecs_cache_options options = {
        .stale_ms = 20, .grace_ms = 1000, .settle_ms = 100, .in_flight = 10, .clock = &ecs_system_clock};
    backend = ecs_local_new(&local, &error);
    ck_assert_msg(backend != NULL, "%s", error ? error->message : "");
    ck_assert_int_eq(backend->start(backend), 0);
    cache = ecs_cache_new(backend, &options, on_changed, NULL);
    ck_assert_ptr_nonnull(cache);
}

static void teardown(void)
{
    backend->stop(backend);
    ecs_cache_free(cache);
    backend->free(backend);
}

struct waiter {
    struct ecs_want want; /* first */
    bool woken;
};

static void on_wake(struct ecs_want *want)
{
    ((struct waiter *)want)->woken = true;
}

static int64_t now(void)
{
    return ecs_system_clock.now_ms(&ecs_system_clock);
}

static struct waiter begin(void)
{
    return (struct waiter){.want = {.since_ms = now(), .wake = on_wake}};
}

/* The loop that the daemon has. */
static void wait_for(struct waiter *waiter)
{
    int64_t end = now() + PATIENCE_MS;
    waiter->woken = false;
    while (!waiter->woken) {
        struct pollfd fd = {.fd = ecs_cache_fd(cache), .events = POLLIN};
        int timeout = ecs_cache_timeout_ms(cache);
        poll(&fd, 1, timeout < 0 ? 100 : timeout);
        ecs_cache_pump(cache);
        ck_assert_msg(now() < end, "nobody answers");
    }
}

static int doc_of(const struct ecs_key *key, struct ecs_doc **ret_doc)
{
    struct waiter waiter = begin();
    int r;
    while ((r = ecs_cache_doc(cache, &waiter.want, key, ret_doc)) == ECS_PARKED)
        wait_for(&waiter);
    return r;
}

static int list_of(const struct ecs_key *key, const struct ecs_list **ret_list)
{
    struct waiter waiter = begin();
    int r;
    while ((r = ecs_cache_list(cache, &waiter.want, key, ret_list)) == ECS_PARKED)
        wait_for(&waiter);
    return r;
}

static int act(const char *operation, const char *json, enum ecs_effect effect, const struct ecs_key *key,
               const char *member, bool id_from_reply)
{
    char *body = strdup(json);
    for (char *at = body; *at; at++)
        if (*at == '\'')
            *at = '"';
    struct waiter waiter = begin();
    struct ecs_action *action = ecs_action_new("ecs", operation, body, effect, key, member);
    ck_assert_ptr_nonnull(action);
    action->id_from_reply = id_from_reply;
    int r;
    while ((r = ecs_cache_act(cache, &waiter.want, action)) == ECS_PARKED)
        wait_for(&waiter);
    if (r < 0)
        fprintf(stderr, "%s: %s: %s\n", operation, action->error->code, action->error->message);
    ecs_action_unhold(action);
    return r;
}

static const struct ecs_key cluster = {ECS_CLUSTER, "", "prod"}, clusters = {ECS_CLUSTER, "", ""};
static const struct ecs_key family = {ECS_FAMILY, "", "web"}, revisions = {ECS_REVISION, "web", ""};
static const struct ecs_key web = {ECS_SERVICE, "prod", "web"}, services = {ECS_SERVICE, "prod", ""};
static const struct ecs_key tasks = {ECS_TASK, "prod", ""};

static void make_world(int desired)
{
    char json[512];
    ck_assert_int_eq(
        act("CreateCluster", "{'clusterName':'prod'}", ECS_EFFECT_CREATE, &cluster, "cluster", false), 0);
    ck_assert_int_eq(act("RegisterTaskDefinition",
                         "{'family':'web','networkMode':'awsvpc','cpu':'256','memory':'512','"
                         "requiresCompatibilities':['FARGATE'],"
                         "'containerDefinitions':[{'name':'app','image':'httpd','essential':true}]}",
                         ECS_EFFECT_CREATE, &revisions, "taskDefinition", true),
                     0);
    snprintf(json, sizeof(json),
             "{'cluster':'prod','serviceName':'web','taskDefinition':'web','desiredCount':%d,'launchType':'"
             "FARGATE',"
             "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['subnet-1']}}}",
             desired);
    ck_assert_int_eq(act("CreateService", json, ECS_EFFECT_CREATE, &web, "service", false), 0);
}

static void wait_running(const char *count)
{
    int64_t end = now() + PATIENCE_MS;
    struct ecs_doc *doc;
    do {
        ck_assert_int_eq(doc_of(&web, &doc), 0);
        ck_assert_msg(now() < end, "runningCount stays %s", ecs_doc_field(doc, "runningCount"));
    } while (strcmp(ecs_doc_field(doc, "runningCount"), count) != 0);
}

START_TEST(a_service_lives)
{
    struct ecs_doc *doc;
    const struct ecs_list *list;
    make_world(3);
    ck_assert_int_eq(list_of(&clusters, &list), 0);
    ck_assert(ecs_list_has(list, "prod"));
    ck_assert_int_eq(list_of(&services, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 1);
    wait_running("3");
    ck_assert_int_gt(told, 0);
    ck_assert_int_eq(doc_of(&web, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "3");
    ck_assert_ptr_nonnull(ecs_doc_field(doc, "lastEvent"));
    ck_assert_int_gt(ecs_doc_time_ms(doc), 1700000000000);
    ck_assert_int_eq(doc_of(&cluster, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "runningTasksCount"), "3");
}
END_TEST

START_TEST(scaling_shows_at_once)
{
    struct ecs_doc *doc;
    make_world(1);
    wait_running("1");
    ck_assert_int_eq(act("UpdateService", "{'cluster':'prod','service':'web','desiredCount':2}",
                         ECS_EFFECT_UPDATE, &web, "service", false),
                     0);
    ck_assert_str_eq(ecs_doc_field(ecs_cache_peek(cache, &web, NULL), "desiredCount"), "2");
    ck_assert_str_eq(ecs_cache_previous(cache, &web, "desiredCount"), "1");
    wait_running("2");
    ck_assert_int_eq(act("UpdateService", "{'cluster':'prod','service':'web','desiredCount':-1}",
                         ECS_EFFECT_UPDATE, &web, "service", false),
                     -EINVAL);
    ck_assert_int_eq(doc_of(&web, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "2");
}
END_TEST

START_TEST(tasks_are_joined_and_all_are_known)
{
    struct waiter waiter = begin();
    const struct ecs_list *list;
    int r;
    make_world(3);
    wait_running("3");
    while ((r = ecs_cache_all(cache, &waiter.want, &tasks, &list)) == ECS_PARKED)
        wait_for(&waiter);
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(ecs_list_len(list), 3);
    char id[64];
    snprintf(id, sizeof(id), "%s", ecs_list_at(list, 0));
    struct ecs_key first = {ECS_TASK, "prod", id};
    struct ecs_doc *doc = ecs_cache_peek(cache, &first, NULL);
    ck_assert_str_eq(ecs_doc_field(doc, "lastStatus"), "RUNNING");
    ck_assert_str_eq(ecs_doc_field(doc, "group"), "service:web");
    char json[256];
    snprintf(json, sizeof(json), "{'cluster':'prod','task':'%s','reason':'a test'}", id);
    ck_assert_int_eq(act("StopTask", json, ECS_EFFECT_UPDATE, &first, "task", false), 0);
    ck_assert_str_eq(ecs_doc_field(ecs_cache_peek(cache, &first, NULL), "desiredStatus"), "STOPPED");
    /* The stopped one stays listed, and a new one comes. */
    int64_t end = now() + PATIENCE_MS;
    do {
        ck_assert_int_eq(list_of(&tasks, &list), 0);
        ck_assert_msg(now() < end, "no new task");
        ck_assert(ecs_list_has(list, id));
    } while (ecs_list_len(list) < 4);
}
END_TEST

START_TEST(revisions_come_and_go)
{
    struct ecs_key first = {ECS_REVISION, "web", "1"}, inactive = {ECS_INACTIVE_REVISION, "web", ""};
    struct ecs_key gone = {ECS_INACTIVE_REVISION, "web", "1"};
    struct ecs_doc *doc;
    const struct ecs_list *list;
    make_world(0);
    ck_assert_int_eq(doc_of(&family, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "revision"), "1");
    ck_assert_int_eq(list_of(&inactive, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 0);
    ck_assert_int_eq(
        act("DeregisterTaskDefinition", "{'taskDefinition':'web:1'}", ECS_EFFECT_DELETE, &first, NULL, false),
        0);
    ck_assert_int_eq(doc_of(&first, &doc), -ENOENT);
    ck_assert_int_eq(doc_of(&family, &doc), -ENOENT);
    ck_assert_int_eq(list_of(&revisions, &list), 0);
    ck_assert_uint_eq(ecs_list_len(list), 0);
    ck_assert_int_eq(list_of(&inactive, &list), 0);
    ck_assert(ecs_list_has(list, "1"));
    ck_assert_int_eq(doc_of(&gone, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "status"), "INACTIVE");
}
END_TEST

START_TEST(every_kind_of_ecs_answers)
{
    struct ecs_doc *doc;
    const struct ecs_list *list;
    char id[128];
    make_world(1);
    wait_running("1");
    for (unsigned i = 0; i < ECS_KINDS; i++) {
        const struct ecs_kind *kind = ecs_kinds[i];
        const char *parent = kind->list.parents[1] ? "prod/web" : kind->list.parents[0] ? "prod" : "";
        if (kind->list.parents[0] && strcmp(kind->list.parents[0], "familyPrefix") == 0)
            parent = "web";
        struct ecs_key key = {(enum ecs_kind_id)i, parent, ""};
        if (!kind->list.operation || strcmp(kind->service, "ecs") != 0)
            continue;
        int r = list_of(&key, &list);
        /* The emulator may say that it has no such operation, but nothing else. Task sets are of services
         * with another deployment controller. */
        int refusal = i == ECS_TASK_SET ? -EINVAL : -EOPNOTSUPP;
        ck_assert_msg(r == 0 || r == refusal, "%s: %s", kind->list.operation, strerror(-r));
        if (r < 0 || ecs_list_len(list) == 0)
            continue;
        snprintf(id, sizeof(id), "%s", ecs_list_at(list, 0));
        key.id = id;
        r = doc_of(&key, &doc);
        ck_assert_msg(r == 0, "%s %s/%s: %s", kind->name, parent, id, strerror(-r));
    }
    struct ecs_key caller = {ECS_IDENTITY, "", "caller"};
    ck_assert_int_eq(doc_of(&caller, &doc), 0);
    ck_assert_str_eq(ecs_doc_field(doc, "Account"), "123456789012");
    struct ecs_key nothing = {ECS_SERVICE, "prod", "nothing"}, nowhere = {ECS_SERVICE, "nowhere", "web"};
    ck_assert_int_eq(doc_of(&nothing, &doc), -ENOENT);
    ck_assert_int_eq(doc_of(&nowhere, &doc), -ENOENT);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: with the emulator");
    TCase *tests = tcase_create("emulator");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_service_lives);
    tcase_add_test(tests, scaling_shows_at_once);
    tcase_add_test(tests, tasks_are_joined_and_all_are_known);
    tcase_add_test(tests, revisions_come_and_go);
    tcase_add_test(tests, every_kind_of_ecs_answers);
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
