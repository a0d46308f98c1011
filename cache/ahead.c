/* SPDX-License-Identifier: Apache-2.0 */
/* Read-ahead: who reads one document after another in listing order, or has just listed them, will
 * want the next. At most options.in_flight such calls are on their way at once. */
#include <errno.h>
#include <stdlib.h>

#include "list.h"
#include "state.h"

/* What one listing may read ahead by itself, in calls: a directory of ten thousand tasks may merely have been
 * listed, and the account's buckets are shared with the console. */
enum { LISTED_CALLS_MAX = 100 };

static void enqueue_listing(struct ecs_cache *cache, struct listing *listing, bool first)
{
    if (listing->in_ahead)
        return;
    struct listing **at = &cache->ahead_first;
    while (!first && *at)
        at = &(*at)->ahead_next;
    listing->ahead_next = *at;
    *at = listing;
    listing->in_ahead = true;
}

static void dequeue_listing(struct ecs_cache *cache, struct listing *listing)
{
    struct listing **at = &cache->ahead_first;
    while (*at && *at != listing)
        at = &(*at)->ahead_next;
    if (*at)
        *at = listing->ahead_next;
    listing->ahead_next = NULL;
    listing->in_ahead = false;
    listing->ahead_head = listing->ahead_len = 0;
}

static bool make_room(struct listing *listing)
{
    if (listing->ahead_len < listing->ahead_size)
        return true;
    if (listing->ahead_head > listing->ahead_size / 2) {
        for (size_t i = listing->ahead_head; i < listing->ahead_len; i++)
            listing->ahead[i - listing->ahead_head] = listing->ahead[i];
        listing->ahead_len -= listing->ahead_head;
        listing->ahead_head = 0;
        return true;
    }
    size_t size = listing->ahead_size ? listing->ahead_size * 2 : 32;
    struct entry **ahead = realloc(listing->ahead, size * sizeof(struct entry *));
    if (!ahead)
        return false;
    listing->ahead = ahead;
    listing->ahead_size = size;
    return true;
}

int ahead_push(struct ecs_cache *cache, struct entry *entry, bool force)
{
    struct listing *listing = entry->listing;
    entry->force |= force;
    if (entry->queued || entry->fetch || entry->wanted)
        return 0;
    if (!make_room(listing))
        return -ENOMEM;
    listing->ahead[listing->ahead_len++] = entry;
    entry->queued = true;
    bool awaited = listing->all_waiters.first || list_waits_for_describes(listing);
    enqueue_listing(cache, listing, awaited || force);
    return 0;
}

void ahead_listed(struct ecs_cache *cache, struct entry *entry)
{
    struct listing *listing = entry->listing;
    size_t most = LISTED_CALLS_MAX * fetch_batch(listing->kind);
    if (listing->ahead_len - listing->ahead_head < most && entry_needed(cache, entry))
        ahead_push(cache, entry, false);
    else
        entry_release(cache, entry);
}

/* The next `calls` calls' worth of documents from a place of the list on. */
static void push_from(struct ecs_cache *cache, struct listing *listing, size_t from, size_t calls)
{
    size_t len = ecs_list_len(listing->list), most = calls * fetch_batch(listing->kind), n = 0, at = from;
    for (; at < len && n < most; at++) {
        struct entry *entry = entry_get(cache, listing, ecs_list_at(listing->list, at));
        if (!entry)
            break;
        if (entry_needed(cache, entry) && ahead_push(cache, entry, false) == 0)
            n++;
        else
            entry_release(cache, entry);
    }
    listing->scan_end = at;
}

static void widen(const struct ecs_cache *cache, struct listing *listing)
{
    listing->scan_width *= 2;
    if (listing->scan_width > cache->options.in_flight)
        listing->scan_width = cache->options.in_flight;
}

/* A call went out for the document at a place, filled up to another. Misses in listing order widen: 1, 2,
 * 4, ... calls, the one that somebody waits for being the first. */
void ahead_missed(struct ecs_cache *cache, struct listing *listing, size_t at, size_t filled_to)
{
    size_t len = ecs_list_len(listing->list), batch = fetch_batch(listing->kind);
    bool in_order = listing->scan_width && at >= listing->scan_end && at <= listing->scan_end + batch;
    if (in_order)
        widen(cache, listing);
    else
        listing->scan_width = 1;
    if (cache->options.stale_ms <= 0 && listing->kind->lifetime != ECS_FOREVER)
        listing->scan_width = 1; /* it would be too old before it is read */
    listing->scan_end = filled_to < len ? filled_to : len;
    if (listing->scan_width > 1)
        push_from(cache, listing, listing->scan_end, (size_t)listing->scan_width - 1);
}

/* A document that was read ahead is asked for: past the middle of the window the next one is sent for, so
 * that a scan does not stop at each window's end. */
void ahead_passed(struct ecs_cache *cache, struct listing *listing, const char *id)
{
    if (listing->scan_width < 2 || !listing->list || listing->scan_end >= ecs_list_len(listing->list))
        return;
    ptrdiff_t at = ecs_list_find(listing->list, id);
    size_t half = (size_t)listing->scan_width * fetch_batch(listing->kind) / 2;
    if (at < 0 || (size_t)at >= listing->scan_end || (size_t)at + half < listing->scan_end)
        return;
    widen(cache, listing);
    push_from(cache, listing, listing->scan_end, (size_t)listing->scan_width);
    if (!cache->kicked && !cache->pumping) {
        cache->kicked = true;
        ecs_mailbox_post(cache->mailbox, &cache->kick);
    }
}

/* The next call's worth of a listing's queue; 0 when it is empty. */
static size_t take_batch(struct ecs_cache *cache, struct listing *listing, struct entry **entries,
                         size_t batch)
{
    size_t n = 0;
    while (n < batch && listing->ahead_head < listing->ahead_len) {
        struct entry *entry = listing->ahead[listing->ahead_head++];
        entry->queued = false;
        bool alone = entry->extra && entry->extra->alone;
        if (!entry_needed(cache, entry)) {
            entry_release(cache, entry);
        } else if (!alone) {
            entries[n++] = entry;
        } else if (n == 0) {
            entries[n++] = entry;
            break;
        } else { /* by itself, next time */
            entry->queued = true;
            listing->ahead_head--;
            break;
        }
    }
    return n;
}

void ahead_run(struct ecs_cache *cache)
{
    struct entry *entries[128];
    while (cache->ahead_first && cache->ahead_calls < cache->options.in_flight) {
        struct listing *listing = cache->ahead_first;
        size_t n = take_batch(cache, listing, entries, fetch_batch(listing->kind));
        if (listing->ahead_head == listing->ahead_len)
            dequeue_listing(cache, listing);
        if (n && fetch_start(cache, listing, entries, n, true) < 0) {
            struct ecs_error *error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
            for (size_t i = 0; i < n; i++)
                keep_error(cache, entries[i], error);
            ecs_error_unref(error);
        }
        list_describes_done(cache, listing);
    }
}

void ahead_drop(struct ecs_cache *cache, struct listing *listing)
{
    while (listing->ahead_head < listing->ahead_len) {
        struct entry *entry = listing->ahead[listing->ahead_head++];
        entry->queued = false;
        entry->force = false;
        entry_release(cache, entry);
    }
    dequeue_listing(cache, listing);
}
