/* SPDX-License-Identifier: Apache-2.0 */
/* Listings by kind and parent, entries by listing and id. */
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "list.h"
#include "state.h"

static size_t listing_bucket(enum ecs_kind_id kind, const char *parent, size_t size)
{
    return (size_t)ecs_hash(parent, strlen(parent), (uint64_t)kind) & (size - 1);
}

static size_t entry_bucket(const struct listing *listing, const char *id, size_t size)
{
    return (size_t)ecs_hash(id, strlen(id), (uint64_t)(uintptr_t)listing) & (size - 1);
}

struct listing *listing_find(struct ecs_cache *cache, enum ecs_kind_id kind, const char *parent)
{
    if (!cache->listing_size)
        return NULL;
    struct listing *at = cache->listing_buckets[listing_bucket(kind, parent, cache->listing_size)];
    while (at && (at->kind_id != kind || strcmp(at->parent, parent) != 0))
        at = at->chain;
    return at;
}

struct entry *entry_find(struct ecs_cache *cache, struct listing *listing, const char *id)
{
    if (!cache->entry_size)
        return NULL;
    struct entry *at = cache->entry_buckets[entry_bucket(listing, id, cache->entry_size)];
    while (at && (at->listing != listing || strcmp(at->id, id) != 0))
        at = at->chain;
    return at;
}

/* Grows to hold one more at no more than one a bucket. Failing to grow is no harm once there is a table. */
static bool room_for_listing(struct ecs_cache *cache)
{
    if (cache->listing_count < cache->listing_size)
        return true;
    size_t size = cache->listing_size ? cache->listing_size * 2 : 64;
    struct listing **buckets = calloc(size, sizeof(struct listing *));
    if (!buckets)
        return cache->listing_size > 0;
    for (struct listing *at = cache->listings; at; at = at->next) {
        struct listing **bucket = &buckets[listing_bucket(at->kind_id, at->parent, size)];
        at->chain = *bucket;
        *bucket = at;
    }
    free(cache->listing_buckets);
    cache->listing_buckets = buckets;
    cache->listing_size = size;
    return true;
}

static bool room_for_entry(struct ecs_cache *cache)
{
    if (cache->entry_count < cache->entry_size)
        return true;
    size_t size = cache->entry_size ? cache->entry_size * 2 : 256;
    struct entry **buckets = calloc(size, sizeof(struct entry *));
    if (!buckets)
        return cache->entry_size > 0;
    for (struct listing *listing = cache->listings; listing; listing = listing->next) {
        for (struct entry *at = listing->entries; at; at = at->next) {
            struct entry **bucket = &buckets[entry_bucket(listing, at->id, size)];
            at->chain = *bucket;
            *bucket = at;
        }
    }
    free(cache->entry_buckets);
    cache->entry_buckets = buckets;
    cache->entry_size = size;
    return true;
}

struct listing *listing_get(struct ecs_cache *cache, enum ecs_kind_id kind, const char *parent)
{
    struct listing *listing = listing_find(cache, kind, parent);
    if (listing)
        return listing;
    if (!room_for_listing(cache) || !(listing = calloc(1, sizeof(*listing))))
        return NULL;
    listing->parent = strdup(parent);
    if (!listing->parent) {
        free(listing);
        return NULL;
    }
    listing->kind = ecs_kinds[kind];
    listing->kind_id = kind;
    listing->waiters.what = FOR_LIST;
    listing->all_waiters.what = FOR_ALL;
    struct listing **bucket = &cache->listing_buckets[listing_bucket(kind, parent, cache->listing_size)];
    listing->chain = *bucket;
    *bucket = listing;
    listing->next = cache->listings;
    cache->listings = listing;
    cache->listing_count++;
    return listing;
}

struct entry *entry_get(struct ecs_cache *cache, struct listing *listing, const char *id)
{
    struct entry *entry = entry_find(cache, listing, id);
    if (entry)
        return entry;
    size_t len = strlen(id);
    if (!room_for_entry(cache) || !(entry = calloc(1, sizeof(*entry) + len + 1)))
        return NULL;
    memcpy(entry->id, id, len + 1);
    entry->listing = listing;
    entry->next = listing->entries;
    entry->prev = &listing->entries;
    if (entry->next)
        entry->next->prev = &entry->next;
    listing->entries = entry;
    struct entry **bucket = &cache->entry_buckets[entry_bucket(listing, id, cache->entry_size)];
    entry->chain = *bucket;
    *bucket = entry;
    cache->entry_count++;
    return entry;
}

struct extra *entry_extra(struct entry *entry)
{
    if (!entry->extra) {
        entry->extra = calloc(1, sizeof(*entry->extra));
        if (entry->extra) {
            entry->extra->entry = entry;
            entry->extra->waiters.what = FOR_ENTRY;
        }
    }
    return entry->extra;
}

static void extra_free(struct extra *extra)
{
    if (!extra)
        return;
    ecs_error_unref(extra->trouble.error);
    befores_free(extra->befores);
    for (size_t i = 0; i < extra->previous_len; i++)
        free(extra->previous[i]);
    free(extra->previous);
    free(extra);
}

static void entry_free(struct ecs_cache *cache, struct entry *entry)
{
    struct entry **at = &cache->entry_buckets[entry_bucket(entry->listing, entry->id, cache->entry_size)];
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    *entry->prev = entry->next;
    if (entry->next)
        entry->next->prev = entry->prev;
    cache->entry_count--;
    kept_leave(cache, entry);
    ecs_doc_unref(entry->doc);
    extra_free(entry->extra);
    free(entry);
}

void entry_release(struct ecs_cache *cache, struct entry *entry)
{
    bool busy = entry->fetch || entry->wanted || entry->queued || entry_awaited(entry);
    bool tells = entry->doc || entry->standing.arrived_ms || (entry->extra && entry->extra->trouble.error);
    /* Our own writes are remembered until they have settled, and previous values as long as there is a
     * document. */
    bool wrote = entry->extra && entry->extra->write_seq;
    if (!busy && !tells && !wrote)
        entry_free(cache, entry);
}

static void listing_free(struct ecs_cache *cache, struct listing *listing)
{
    while (listing->entries)
        entry_free(cache, listing->entries);
    list_fetch_free(listing->fetch);
    overlays_free(listing);
    ecs_list_free(listing->list);
    ecs_error_unref(listing->trouble.error);
    free(listing->ahead);
    free(listing->arn_root);
    free(listing->parent);
    free(listing);
}

static bool listing_held(const struct ecs_cache *cache, const struct listing *listing)
{
    if (listing->fetch || listing->in_ahead || listing->waiters.first || listing->all_waiters.first)
        return true;
    for (const struct fetch *fetch = cache->fetches; fetch; fetch = fetch->next) /* cancelled ones too */
        if (fetch->listing == listing)
            return true;
    return false;
}

bool listing_release(struct ecs_cache *cache, struct listing **link)
{
    struct listing *listing = *link;
    bool tells = listing->list || listing->entries || listing->overlays || listing->standing.arrived_ms ||
                 listing->trouble.error || now_ms(cache) < listing->unsettled_ms;
    if (tells || listing_held(cache, listing))
        return false;
    struct listing **chain =
        &cache->listing_buckets[listing_bucket(listing->kind_id, listing->parent, cache->listing_size)];
    while (*chain != listing)
        chain = &(*chain)->chain;
    *chain = listing->chain;
    *link = listing->next;
    cache->listing_count--;
    listing_free(cache, listing);
    return true;
}

void tables_free(struct ecs_cache *cache)
{
    while (cache->listings) {
        struct listing *listing = cache->listings;
        cache->listings = listing->next;
        listing_free(cache, listing);
    }
    free(cache->listing_buckets);
    free(cache->entry_buckets);
}
