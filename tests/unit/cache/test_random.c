/* SPDX-License-Identifier: Apache-2.0 */
/* Random readers, writers, interrupts, faults and orders of answers, against a small account that changes by
 * itself. Whatever happens: nobody waits for ever, nobody is woken twice for one wait, a write of ours shows
 * at once, and when all is quiet the cache shows the account as it is.
 *
 * A failing seed is printed; ECSFS_SEED=n runs that one alone, ECSFS_SEEDS=n that many. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "fake.h"

enum { PARENTS = 3, SERVICES = 25, WANTS = 12, STEPS = 400, SEEDS = 150 };

static struct fake fake;
static uint64_t seed;

static unsigned pick(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 11) % n);
}

/* The account: -1 is not there. */
static int desired[PARENTS][SERVICES];

enum question { DOC, LIST, ALL, ACT, QUESTIONS };

struct asker {
    struct ecs_want want; /* first */
    bool parked;
    int woken;
    enum question question;
    int parent, service;
    struct ecs_action *action;
};
static struct asker askers[WANTS];
static bool going; /* the cache is being freed: what comes home is told, and not kept */

static void on_wake(struct ecs_want *want)
{
    struct asker *asker = (struct asker *)want;
    ck_assert(asker->parked);
    ck_assert_int_eq(asker->woken, 0);
    asker->woken = 1;
}

static const char *parent_name(int parent)
{
    static const char *const names[PARENTS] = {"a", "b", "c"};
    return names[parent];
}

static const char *service_name(int service)
{
    static char names[SERVICES][8];
    snprintf(names[service], sizeof(names[service]), "s%02d", service);
    return names[service];
}

static int index_of(const char *name)
{
    return atoi(name + 1);
}

static json_t *show(int parent, int service)
{
    return json_pack("{s:s, s:s, s:i}", "serviceName", service_name(service), "status", "ACTIVE",
                     "desiredCount", desired[parent][service]);
}

static json_t *reply_to(const struct ecs_call *call)
{
    json_t *input = json_loads(call->body, 0, NULL), *reply = json_object(), *id;
    int parent = json_string_value(json_object_get(input, "cluster"))[0] - 'a';
    if (strcmp(call->operation, "ListServices") == 0) {
        json_t *arns = json_array();
        for (int i = 0; i < SERVICES; i++)
            if (desired[parent][i] >= 0)
                json_array_append_new(arns, json_sprintf("x/%s", service_name(i)));
        json_object_set_new(reply, "serviceArns", arns);
    } else if (strcmp(call->operation, "DescribeServices") == 0) {
        json_t *docs = json_array();
        size_t i;
        json_array_foreach(json_object_get(input, "services"), i, id)
        {
            int service = index_of(json_string_value(id));
            if (desired[parent][service] >= 0)
                json_array_append_new(docs, show(parent, service));
        }
        json_object_set_new(reply, "services", docs);
    } else {
        int service = index_of(json_string_value(json_object_get(input, "service")));
        desired[parent][service] = (int)json_integer_value(json_object_get(input, "desiredCount"));
        json_object_set_new(reply, "service", show(parent, service));
    }
    json_decref(input);
    return reply;
}

static void answer(struct ecs_call *call)
{
    json_t *reply = reply_to(call);
    cleanup_free char *text = json_dumps(reply, 0);
    json_decref(reply);
    fake_reply(&fake, call, "%s", text);
}

static void answer_some(bool faults)
{
    if (!fake.open)
        return;
    struct ecs_call *call = fake_open(&fake, pick((unsigned)fake.open));
    switch (faults ? pick(12) : 11) {
    case 0:
        fake_fail_aws(&fake, call, 503, "ServiceUnavailable", "away");
        break;
    case 1:
        fake_fail_aws(&fake, call, 400, "AccessDeniedException", "no");
        break;
    case 2:
        fake_fail_aws(&fake, call, 400, "InvalidParameterException", "bad");
        break;
    case 3:
        fake_fail(&fake, call, ecs_error_new(-ECONNREFUSED, "ConnectionRefused", "refused"));
        break;
    default:
        answer(call);
    }
    if (pick(2))
        ecs_cache_pump(fake.cache);
}

/* Asks the asker's question, first or again. */
static void ask(struct asker *asker)
{
    const struct ecs_list *list;
    struct ecs_doc *doc;
    struct ecs_key key = {ECS_SERVICE, parent_name(asker->parent), ""};
    int r = 0;
    asker->woken = 0;
    switch (asker->question) {
    case DOC:
        key.id = service_name(asker->service);
        r = ecs_cache_doc(fake.cache, &asker->want, &key, &doc);
        if (r == 0)
            ck_assert_ptr_nonnull(ecs_doc_field(doc, "desiredCount"));
        break;
    case LIST:
        r = ecs_cache_list(fake.cache, &asker->want, &key, &list);
        break;
    case ALL:
        r = ecs_cache_all(fake.cache, &asker->want, &key, &list);
        break;
    case ACT:
        key.id = service_name(asker->service);
        r = ecs_cache_act(fake.cache, &asker->want, asker->action);
        if (r != ECS_PARKED)
            asker->action = ecs_action_unhold(asker->action);
        break;
    default:
        break;
    }
    asker->parked = r == ECS_PARKED;
    ck_assert(asker->parked == (asker->want.at != NULL));
    if (r < 0)
        ck_assert_ptr_nonnull(asker->want.error);
}

/* A write of ours shows at once, and its creation is listed. */
static void on_finished(struct ecs_action *action, const struct ecs_error *error)
{
    if (error || going)
        return;
    const struct ecs_doc *doc = ecs_cache_peek(fake.cache, &action->key, NULL);
    struct ecs_key list_key = {ECS_SERVICE, action->key.parent, ""};
    const struct ecs_list *list = ecs_cache_peek_list(fake.cache, &list_key, NULL);
    ck_assert_ptr_nonnull(doc);
    ck_assert_int_eq(atoi(ecs_doc_field(doc, "desiredCount")), (int)(intptr_t)action->arg);
    ck_assert(!list || ecs_list_has(list, action->key.id));
}

static void start(struct asker *asker)
{
    *asker =
        (struct asker){.want = {.since_ms = fake.clock.now, .wake = on_wake, .fetched_after = pick(4) == 0},
                       .question = (enum question)pick(QUESTIONS),
                       .parent = (int)pick(PARENTS),
                       .service = (int)pick(SERVICES)};
    if (asker->question == ACT) {
        struct ecs_key key = {ECS_SERVICE, parent_name(asker->parent), service_name(asker->service)};
        char *body;
        int count = (int)pick(9);
        ck_assert_int_gt(asprintf(&body, "{\"cluster\":\"%s\",\"service\":\"%s\",\"desiredCount\":%d}",
                                  key.parent, key.id, count),
                         0);
        asker->action = ecs_action_new("ecs", "UpdateService", body, ECS_EFFECT_CREATE, &key, "service");
        asker->action->arg = (void *)(intptr_t)count;
        asker->action->finished = on_finished;
    }
    ask(asker);
}

static void interrupt(struct asker *asker)
{
    if (!asker->parked)
        return;
    ecs_cache_unpark(fake.cache, &asker->want);
    ck_assert_ptr_null(asker->want.at);
    asker->action = ecs_action_unhold(asker->action);
    asker->parked = false;
}

static void step(void)
{
    struct asker *asker = &askers[pick(WANTS)];
    switch (pick(10)) {
    case 0:
    case 1:
    case 2:
        if (!asker->parked)
            start(asker);
        else if (asker->woken)
            ask(asker);
        break;
    case 3:
    case 4:
    case 5:
        answer_some(true);
        break;
    case 6:
        ecs_cache_pump(fake.cache);
        break;
    case 7:
        if (pick(3) == 0)
            interrupt(asker);
        break;
    case 8:
        ecs_manual_clock_step(&fake.clock, pick(3) ? pick(300) : pick(8000));
        break;
    default: {
        int parent = (int)pick(PARENTS), service = (int)pick(SERVICES);
        struct ecs_key key = {ECS_SERVICE, parent_name(parent), pick(2) ? service_name(service) : ""};
        unsigned what = pick(12);
        if (what == 0)
            ecs_cache_forget(fake.cache, &key);
        else if (what == 1)
            ecs_cache_forget_all(fake.cache);
        else
            desired[parent][service] = (int)pick(10) - 1; /* somebody else */
    }
    }
}

/* All calls are answered, all that are woken ask again, until nothing moves. */
static void settle(void)
{
    for (int rounds = 0; rounds < 1000; rounds++) {
        ecs_cache_pump(fake.cache);
        while (fake.open)
            answer_some(false);
        ecs_cache_pump(fake.cache);
        bool quiet = fake.open == 0;
        for (int i = 0; i < WANTS; i++) {
            if (!askers[i].parked)
                continue;
            ck_assert_msg(askers[i].woken || fake.open, "asker %d waits for nothing", i);
            if (askers[i].woken)
                ask(&askers[i]);
            quiet = false;
        }
        if (quiet)
            return;
    }
    ck_abort_msg("it never settles");
}

static void compare(void)
{
    ecs_manual_clock_step(&fake.clock, 60000);
    for (int parent = 0; parent < PARENTS; parent++) {
        struct asker reader = {
            .want = {.since_ms = fake.clock.now, .wake = on_wake}, .question = ALL, .parent = parent};
        askers[0] = reader;
        ask(&askers[0]);
        settle();
        struct ecs_key key = {ECS_SERVICE, parent_name(parent), ""};
        const struct ecs_list *list = ecs_cache_peek_list(fake.cache, &key, NULL);
        ck_assert_ptr_nonnull(list);
        for (int i = 0; i < SERVICES; i++) {
            key.id = service_name(i);
            ck_assert_int_eq(ecs_list_has(list, key.id), desired[parent][i] >= 0);
            struct ecs_doc *doc = ecs_cache_peek(fake.cache, &key, NULL);
            if (desired[parent][i] >= 0) {
                ck_assert_ptr_nonnull(doc);
                ck_assert_int_eq(atoi(ecs_doc_field(doc, "desiredCount")), desired[parent][i]);
            }
        }
    }
}

static void run(uint64_t with)
{
    struct ecs_cache_options options = {.stale_ms = with % 5 ? 5000 : 0,
                                        .grace_ms = 1000,
                                        .settle_ms = with % 7 ? 10000 : 0,
                                        .in_flight = 1 + (int)(with % 4)};
    seed = with * 0x9e3779b97f4a7c15u + 1;
    memset(askers, 0, sizeof(askers));
    for (int parent = 0; parent < PARENTS; parent++)
        for (int i = 0; i < SERVICES; i++)
            desired[parent][i] = (int)pick(10) - 1;
    fake_init(&fake, &options);
    for (int i = 0; i < STEPS; i++)
        step();
    if (with % 3) {
        settle();
        compare();
    }
    /* Else the cache goes with everything under way. */
    going = true;
    fake_free(&fake);
    going = false;
    for (int i = 0; i < WANTS; i++)
        ecs_action_unhold(askers[i].action);
}

START_TEST(random_lives)
{
    const char *one = getenv("ECSFS_SEED");
    uint64_t with = one ? strtoull(one, NULL, 10) : (uint64_t)_i;
    fprintf(stderr, "seed %llu\r", (unsigned long long)with);
    run(with);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: random lives");
    TCase *tests = tcase_create("random");
    tcase_set_timeout(tests, 60);
    const char *seeds = getenv("ECSFS_SEEDS");
    tcase_add_loop_test(tests, random_lives, 1, seeds ? atoi(seeds) : SEEDS);
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
