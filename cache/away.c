/* SPDX-License-Identifier: Apache-2.0 */
/* When AWS cannot be reached: what is known is shown, and said to be stale. */
#include <errno.h>

#include "state.h"

/* Errors that say nothing about the thing asked for. Access denied is no such error. */
bool is_away_error(const struct ecs_error *error)
{
    switch (error->err) {
    case -EIO: /* 5xx. An unknown 4xx is AWS's verdict on what was asked */
        return error->http_status == 0 || error->http_status >= 500;
    case -EBUSY: /* throttled */
    case -ETIMEDOUT:
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -ENETUNREACH:
    case -EHOSTUNREACH:
    case -EPROTO:
    case -EKEYEXPIRED:
    case -ENOKEY:
        return true;
    default:
        return false;
    }
}

void away_sent(struct ecs_cache *cache)
{
    if (cache->in_flight++ == 0)
        cache->progress_ms = now_ms(cache);
}

void away_home(struct ecs_cache *cache, const struct ecs_call *call, bool cancelled)
{
    if (cancelled)
        return;
    cache->in_flight--;
    if (call->error && call->error->http_status == 0)
        return; /* AWS said nothing: timed out, refused, called back */
    cache->progress_ms = now_ms(cache);
    cache->away = false;
}

/* Those that wait for the refetch of a known thing. */
static void wake_known(struct ecs_cache *cache)
{
    for (struct fetch *fetch = cache->fetches; fetch; fetch = fetch->next) {
        for (size_t i = 0; i < fetch->n; i++)
            if (fetch->entries[i]->doc)
                wake_entry(cache, fetch->entries[i]);
        if (fetch->listing->list)
            wake_all(cache, &fetch->listing->waiters);
        wake_all(cache, &fetch->listing->all_waiters);
    }
}

void away_check(struct ecs_cache *cache)
{
    if (cache->in_flight <= 0)
        cache->away = false;
    else if (!cache->away && now_ms(cache) >= cache->progress_ms + cache->options.grace_ms) {
        cache->away = true;
        wake_known(cache);
    }
}

int away_timeout_ms(const struct ecs_cache *cache)
{
    if (cache->in_flight <= 0 || cache->away)
        return -1;
    int64_t left = cache->progress_ms + cache->options.grace_ms - now_ms(cache);
    return left > 0 ? (int)left : 0;
}
