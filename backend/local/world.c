/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "lag.h"
#include "request.h"
#include "state.h"
#include "store.h"
#include "validate.h"

/* A tick that meets more than this gives way to requests before it goes on. */
enum { EVENTS_A_TICK = 20000 };

static void look_at_clock(struct world *world)
{
    int64_t now = world->clock->now_ms(world->clock);
    world->wall_lag = world->clock->wall_ms(world->clock) - now;
    if (now > world->now)
        world->now = now;
}

struct loader {
    struct world *world;
    const struct record_kind *kind;
};

static int load_record(void *arg, const char *region_name, const char *arn, const char *body, size_t len)
{
    struct loader *loader = arg;
    struct region *region = world_find_region(loader->world, region_name);
    json_t *tree = json_loadb(body, len, 0, NULL);
    int r = !region ? -ENOMEM : !tree ? -EBADMSG : loader->kind->load(region, arn, tree);
    json_decref(tree);
    return r;
}

static int load(struct world *world)
{
    for (const struct record_kind *const *kind = record_kinds; *kind; kind++) {
        int r = store_each(world->store, (*kind)->name, load_record, &(struct loader){world, *kind});
        if (r < 0)
            return r;
    }
    /* Loading enters records as making them does; what is loaded is on disk already. */
    struct record *record;
    while ((record = STAILQ_FIRST(&world->dirty))) {
        STAILQ_REMOVE_HEAD(&world->dirty, dirty_link);
        record->dirty = false;
    }
    return 0;
}

static const char *first_set(const char *a, const char *b, const char *c, const char *d)
{
    return a && *a ? a : b && *b ? b : c && *c ? c : d;
}

static void set_options(struct world *world, const struct ecs_local_options *options)
{
    world->clock = options->clock ? options->clock : &ecs_system_clock;
    world->speed = options->speed > 0 ? options->speed : 1;
    world->pacing = options->pacing;
    snprintf(world->account, sizeof(world->account), "%.12s",
             first_set(options->account, NULL, NULL, "123456789012"));
    snprintf(world->region, sizeof(world->region), "%.31s",
             first_set(options->region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"));
}

struct world *world_new(const struct ecs_local_options *options, struct ecs_error **ret_error)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    STAILQ_INIT(&world->dirty);
    STAILQ_INIT(&world->graves);
    STAILQ_INIT(&world->regions);
    set_options(world, options);
    id_hex(world->login_key, sizeof(world->login_key) - 1);
    look_at_clock(world);
    world->store = store_open(options->state_file, ret_error);
    if (!world->store)
        return world_free(world);
    int r = load(world);
    if (r < 0) {
        *ret_error = ecs_error_new(r, "StateFile", "cannot read the state in %s: %s", options->state_file,
                                   strerror(-r));
        world->store = store_close(world->store); /* what is half loaded is not written back */
        return world_free(world);
    }
    return world;
}

static void drop_graves(struct world *world)
{
    struct grave *grave;
    while ((grave = STAILQ_FIRST(&world->graves))) {
        STAILQ_REMOVE_HEAD(&world->graves, link);
        free(grave);
    }
}

static int write_record(struct store *store, const struct record *record)
{
    json_t *tree = record->kind->dump(record);
    cleanup_free char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    if (!text)
        return -ENOMEM;
    return store_put(store, record->region->name, record->kind->name, record->arn, text, strlen(text));
}

static int write_changes(struct world *world)
{
    int r = store_begin(world->store);
    if (r < 0)
        return r;
    struct grave *grave;
    STAILQ_FOREACH(grave, &world->graves, link)
    {
        if (r == 0)
            r = store_delete(world->store, grave->region, grave->kind, grave->arn);
    }
    struct record *record;
    STAILQ_FOREACH(record, &world->dirty, dirty_link)
    {
        if (r == 0)
            r = write_record(world->store, record);
    }
    if (r == 0)
        r = store_commit(world->store);
    if (r < 0)
        store_rollback(world->store);
    return r;
}

/* What failed to be written stays marked, and goes with the next commit. */
static int commit(struct world *world)
{
    if (STAILQ_EMPTY(&world->dirty) && STAILQ_EMPTY(&world->graves))
        return 0;
    world->changes++;
    if (world->lag)
        lag_note(world->lag, world);
    if (store_keeps(world->store)) {
        int r = write_changes(world);
        if (r < 0)
            return r;
    }
    struct record *record;
    while ((record = STAILQ_FIRST(&world->dirty))) {
        STAILQ_REMOVE_HEAD(&world->dirty, dirty_link);
        record->dirty = false;
    }
    drop_graves(world);
    return 0;
}

static void free_region(struct region *region)
{
    region_free_all(region);
    index_free(&region->by_arn);
    throttle_free(region->throttle);
    free(region);
}

struct world *world_free(struct world *world)
{
    if (!world)
        return NULL;
    if (world->store)
        commit(world);
    struct region *region;
    while ((region = STAILQ_FIRST(&world->regions))) {
        STAILQ_REMOVE_HEAD(&world->regions, link);
        free_region(region);
    }
    drop_graves(world);
    OPENSSL_cleanse(world->login_key, sizeof(world->login_key));
    lag_free(world->lag);
    timers_free(&world->timers);
    store_close(world->store);
    free(world);
    return NULL;
}

/* Lives through what is due, each thing at its own time. */
static void live(struct world *world)
{
    int64_t until = world->clock->now_ms(world->clock);
    struct timer *timer;
    world->wall_lag = world->clock->wall_ms(world->clock) - until;
    for (int i = 0; i < EVENTS_A_TICK && (timer = timers_first(&world->timers)) && timer->due <= until; i++) {
        if (timer->due > world->now)
            world->now = timer->due;
        timer_disarm(&world->timers, timer);
        timer->fire(timer);
    }
    timer = timers_first(&world->timers);
    if (until > world->now && (!timer || timer->due > until))
        world->now = until;
}

int64_t world_tick(struct world *world)
{
    live(world);
    commit(world);
    struct timer *timer = timers_first(&world->timers);
    if (!timer)
        return -1;
    int64_t left = timer->due - world->clock->now_ms(world->clock);
    return left > 0 ? left : 0;
}

static void *refuse_unwritten(struct request *rq, int r)
{
    return refuse(rq, "ServerException", "The emulator cannot write its state: %s.", strerror(-r));
}

static bool is_of_ecs(const struct operation *operation)
{
    return strcmp(operation->service, "ecs") == 0;
}

/* On a full disk the first change is refused though it is made, as AWS's 5xx leave open too, and is written
 * as soon as there is room; until then changes are refused before they begin, and reads are answered. */
static json_t *carry_out(struct request *rq)
{
    bool writes = rq->operation->writes, late = rq->world->lag && !writes && is_of_ecs(rq->operation);
    int r =
        writes ? commit(rq->world) : 0; /* what waits for room: nothing more is begun before it is there */
    if (r < 0)
        return refuse_unwritten(rq, r);
    json_t *reply = late ? lag_answer(rq->world->lag, rq) : rq->operation->handler(rq);
    if (!reply && !rq->error)
        refuse_memory(rq);
    r = commit(rq->world);
    if (r < 0 && reply && writes) {
        json_decref(reply);
        return refuse_unwritten(rq, r);
    }
    return reply;
}

static json_t *answer(struct request *rq)
{
    if (!throttle_take(rq->region->throttle, rq->operation->bucket, rq->world->now))
        return refuse(rq, "ThrottlingException", "Rate exceeded");
    if (!request_is_valid(rq))
        return NULL;
    if (!rq->unknown)
        return carry_out(rq);
    json_t *known = request_known(rq);
    if (!known)
        return refuse_memory(rq);
    rq->in = known;
    json_t *reply = carry_out(rq);
    json_decref(known);
    return reply;
}

json_t *world_call(struct world *world, const char *region, const char *service, const char *operation,
                   const json_t *in, struct ecs_error **ret_error)
{
    static const struct operation unknown = {.name = ""};
    struct request rq = {.world = world, .operation = operation_find(service, operation), .in = in};
    id_uuid(rq.id);
    live(world);
    if (world->lag) { /* what is answered then is of one moment */
        commit(world);
        lag_note(world->lag, world);
    }
    json_t *reply = NULL;
    if (!rq.operation) {
        rq.operation = &unknown;
        refuse(&rq, "UnknownOperationException", "The emulator does not know %s of %s.", operation, service);
    } else if (!(rq.region = world_find_region(world, region))) {
        refuse_memory(&rq);
    } else {
        reply = answer(&rq);
    }
    if (!reply)
        *ret_error = rq.error;
    return reply;
}

void world_set_login_key(struct world *world, const char *secret)
{
    snprintf(world->login_key, sizeof(world->login_key), "%s", secret);
}

void world_set_endpoint(struct world *world, const char *address)
{
    snprintf(world->endpoint, sizeof(world->endpoint), "%s", address);
}

void world_set_lag(struct world *world, int64_t ms)
{
    lag_free(world->lag);
    world->lag = ms > 0 ? lag_new(ms) : NULL;
    if (world->lag)
        lag_note(world->lag, world);
}

int64_t world_lag(const struct world *world)
{
    return lag_ms(world->lag);
}

const char *world_region(const struct world *world)
{
    return world->region;
}

const char *world_account(const struct world *world)
{
    return world->account;
}
