/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/cache.h"

#include <errno.h>
#include <stdlib.h>

#include "reply.h"
#include "state.h"
#include "store.h"

static int default_int(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

struct ecs_cache *ecs_cache_new(struct ecs_backend *backend, const struct ecs_cache_options *options,
                                ecs_cache_changed_fn *changed, void *changed_arg)
{
    struct ecs_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    cache->backend = backend;
    cache->options = *options;
    cache->options.in_flight = default_int(options->in_flight, 10);
    if (!cache->options.clock)
        cache->options.clock = &ecs_system_clock;
    cache->changed = changed;
    cache->changed_arg = changed_arg;
    cache->ready.what = FOR_WAKE;
    cache->mailbox = ecs_mailbox_new();
    cache->store = options->cache_dir ? store_new(options->cache_dir) : NULL;
    if (!cache->mailbox || (options->cache_dir && !cache->store)) {
        ecs_mailbox_free(cache->mailbox);
        free(cache);
        errno = ENOMEM;
        return NULL;
    }
    return cache;
}

/* A letter is the kick, a fetch or an action; its call tells which. */
static void take_letter(struct ecs_cache *cache, struct ecs_letter *letter)
{
    if (letter == &cache->kick) {
        cache->kicked = false;
        return;
    }
    struct ecs_call *call = (struct ecs_call *)letter;
    if (is_action_call(call)) {
        away_home(cache, call, false);
        action_home(cache, (struct ecs_action *)call);
        return;
    }
    struct fetch *fetch = (struct fetch *)call;
    away_home(cache, call, fetch->cancelled);
    if (fetch->what == FETCH_PAGE)
        list_page_home(cache, fetch);
    else
        fetch_home(cache, fetch);
}

static void send_out(struct ecs_cache *cache)
{
    fetch_flush(cache);
    ahead_run(cache);
}

void ecs_cache_pump(struct ecs_cache *cache)
{
    struct ecs_letter *letter;
    cache->pumping = true;
    graveyard_clear(cache);
    while ((letter = ecs_mailbox_take(cache->mailbox)))
        take_letter(cache, letter);
    store_learn(cache, NULL);
    sweep(cache);
    away_check(cache);
    send_out(cache);
    while (cache->ready.first) {
        struct ecs_want *want = cache->ready.first;
        leave(want);
        want->wake(want); /* it may ask again at once, and be parked again */
        if (!cache->ready.first)
            send_out(cache);
    }
    cache->pumping = false;
}

int ecs_cache_fd(const struct ecs_cache *cache)
{
    return ecs_mailbox_fd(cache->mailbox);
}

int ecs_cache_timeout_ms(struct ecs_cache *cache)
{
    if (cache->wanted_len || cache->ready.first)
        return 0;
    return away_timeout_ms(cache);
}

struct ecs_cache *ecs_cache_free(struct ecs_cache *cache)
{
    struct ecs_letter *letter;
    if (!cache)
        return NULL;
    graveyard_clear(cache);
    cache->changed = NULL;
    while ((letter = ecs_mailbox_take(cache->mailbox))) {
        struct ecs_call *call = (struct ecs_call *)letter;
        if (letter == &cache->kick)
            continue;
        if (is_action_call(call))
            action_end(cache, (struct ecs_action *)call);
        else
            fetch_end((struct fetch *)call);
    }
    actions_end(cache);
    graveyard_clear(cache);
    tables_free(cache);
    store_free(cache->store);
    free(cache->wanted);
    ecs_mailbox_free(cache->mailbox);
    free(cache);
    return NULL;
}

void ecs_cache_status(const struct ecs_cache *cache, struct ecs_cache_status *ret_status)
{
    *ret_status = cache->status;
    ret_status->entries = cache->entry_count;
    ret_status->parents = cache->listing_count;
    ret_status->bytes +=
        cache->entry_count * sizeof(struct entry) + cache->entry_size * sizeof(struct entry *);
}
