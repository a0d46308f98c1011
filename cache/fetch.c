/* SPDX-License-Identifier: Apache-2.0 */
/* Describe calls: what was missed in the same breath goes out together, filled up with siblings, once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "reply.h"
#include "state.h"
#include "store.h"

size_t fetch_batch(const struct ecs_kind *kind)
{
    return kind->describe.single || kind->describe.batch < 1 ? 1 : (size_t)kind->describe.batch;
}

/* On the backend's thread: nothing of the cache is touched but the fetch. */
static struct ecs_error *digest_docs(struct ecs_call *call, struct json_t *tree)
{
    const struct fetch *fetch = (const struct fetch *)call;
    struct reply *reply = NULL;
    struct ecs_error *error = reply_read_docs(fetch->kind, call->operation, tree, &reply);
    call->result = reply;
    return error;
}

static struct ecs_error *digest_page(struct ecs_call *call, struct json_t *tree)
{
    const struct fetch *fetch = (const struct fetch *)call;
    struct reply *reply = NULL;
    struct ecs_error *error = reply_read_page(fetch->kind, fetch->parent, tree, &reply);
    call->result = reply;
    return error;
}

struct fetch *fetch_new(struct ecs_cache *cache, struct listing *listing, enum fetch_what what, size_t n)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch) + n * sizeof(struct entry *));
    if (!fetch)
        return NULL;
    const struct ecs_kind *kind = listing->kind;
    fetch->listing = listing;
    fetch->kind = kind;
    fetch->parent = listing->parent;
    fetch->what = what;
    fetch->begun_ms = now_ms(cache);
    fetch->begun_seq = cache->writes;
    fetch->call.home = cache->mailbox;
    fetch->call.service = kind->service;
    fetch->call.operation = what == FETCH_PAGE ? kind->list.operation : kind->describe.operation;
    fetch->call.digest = what == FETCH_PAGE ? digest_page : digest_docs;
    fetch->call.priority = ECS_PRIORITY_READ;
    return fetch;
}

void fetch_submit(struct ecs_cache *cache, struct fetch *fetch)
{
    fetch->next = cache->fetches;
    fetch->prev = &cache->fetches;
    if (fetch->next)
        fetch->next->prev = &fetch->next;
    cache->fetches = fetch;
    cache->status.fetches++;
    away_sent(cache);
    cache->backend->submit(cache->backend, &fetch->call);
}

/* The call is home and read: everything of it is freed. */
void fetch_done(struct ecs_cache *cache, struct fetch *fetch)
{
    if (fetch->prev) {
        *fetch->prev = fetch->next;
        if (fetch->next)
            fetch->next->prev = fetch->prev;
    }
    reply_free(fetch->call.result);
    ecs_error_unref(fetch->call.error);
    free(fetch->call.body);
    free(fetch);
}

void fetch_end(struct fetch *fetch)
{
    if (fetch->list_fetch)
        list_fetch_let_go(fetch->list_fetch);
    for (size_t i = 0; i < fetch->n; i++)
        fetch->entries[i]->fetch = NULL;
    fetch_done(NULL, fetch);
}

int fetch_start(struct ecs_cache *cache, struct listing *listing, struct entry **entries, size_t n,
                bool ahead)
{
    struct fetch *fetch = fetch_new(cache, listing, FETCH_DOCS, n);
    char *body = fetch ? request_describe(listing, entries, n) : NULL;
    if (!body) {
        free(fetch);
        return -ENOMEM;
    }
    bool awaited = listing->all_waiters.first || list_waits_for_describes(listing);
    fetch->call.body = body;
    fetch->call.priority = ahead && !awaited ? ECS_PRIORITY_AHEAD : ECS_PRIORITY_READ;
    fetch->ahead = ahead;
    fetch->idle = ahead && !awaited;
    fetch->n = n;
    for (size_t i = 0; i < n; i++) {
        fetch->entries[i] = entries[i];
        entries[i]->fetch = fetch;
        entries[i]->force = false;
    }
    listing->describing++;
    if (ahead)
        cache->ahead_calls++;
    fetch_submit(cache, fetch);
    return 0;
}

bool entry_needed(struct ecs_cache *cache, struct entry *entry)
{
    const struct listing *listing = entry->listing;
    if (entry->fetch || entry->wanted || (listing->kind->describe.owner_arn && !listing->arn_root))
        return false;
    if (entry->force)
        return true;
    if (standing_fresh(cache, &entry->standing))
        return false;
    return !store_load(cache, entry);
}

int entry_want(struct ecs_cache *cache, struct entry *entry)
{
    if (entry->wanted)
        return 0;
    if (cache->wanted_len == cache->wanted_size) {
        size_t size = cache->wanted_size ? cache->wanted_size * 2 : 32;
        struct entry **wanted = realloc(cache->wanted, size * sizeof(struct entry *));
        if (!wanted)
            return -ENOMEM;
        cache->wanted = wanted;
        cache->wanted_size = size;
    }
    cache->wanted[cache->wanted_len++] = entry;
    entry->wanted = true;
    if (!cache->kicked && !cache->pumping) {
        cache->kicked = true;
        ecs_mailbox_post(cache->mailbox, &cache->kick);
    }
    return 0;
}

/* Fills a call up to the batch limit with the siblings that follow the last one, from the list's start again
 * at its end. Returns the place after the last one taken, for the read-ahead. */
static size_t fill(struct ecs_cache *cache, struct listing *listing, const struct ecs_list *list,
                   struct entry **entries, size_t *n, size_t batch, size_t from)
{
    size_t len = ecs_list_len(list), at = from;
    for (size_t i = 0; i < len && *n < batch; i++) {
        at = (from + i) % len;
        struct entry *sibling = entry_get(cache, listing, ecs_list_at(list, at));
        if (sibling && !(sibling->extra && sibling->extra->alone) && entry_needed(cache, sibling)) {
            sibling->wanted = true; /* taken: not twice in one call */
            entries[(*n)++] = sibling;
        } else if (sibling) {
            entry_release(cache, sibling);
        }
        at = from + i + 1;
    }
    return at;
}

/* In whose order documents are asked for: the listing's own list, or that of the kind with the same ids. */
static const struct ecs_list *siblings_of(struct ecs_cache *cache, const struct listing *listing)
{
    if (!listing->kind->describe.has_siblings)
        return listing->list;
    const struct listing *siblings = listing_find(cache, listing->kind->describe.siblings, listing->parent);
    return siblings ? siblings->list : NULL;
}

/* One call for the first wanted entry and for those wanted beside it. */
static void flush_one(struct ecs_cache *cache, struct entry **batch_entries)
{
    struct entry *first = cache->wanted[0];
    struct listing *listing = first->listing;
    bool alone = first->extra && first->extra->alone;
    size_t batch = alone ? 1 : fetch_batch(listing->kind), n = 0, kept = 0;
    for (size_t i = 0; i < cache->wanted_len; i++) {
        struct entry *entry = cache->wanted[i];
        bool fits = n < batch && entry->listing == listing &&
                    (entry == first || !(entry->extra && entry->extra->alone));
        if (fits)
            batch_entries[n++] = entry;
        else
            cache->wanted[kept++] = entry;
    }
    cache->wanted_len = kept;
    const struct ecs_list *list = siblings_of(cache, listing);
    ptrdiff_t at = list && !alone ? ecs_list_find(list, batch_entries[n - 1]->id) : -1;
    size_t filled_to = (size_t)at + 1;
    if (at >= 0)
        filled_to = fill(cache, listing, list, batch_entries, &n, batch, filled_to);
    for (size_t i = 0; i < n; i++)
        batch_entries[i]->wanted = false;
    if (fetch_start(cache, listing, batch_entries, n, false) < 0) {
        struct ecs_error *error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        for (size_t i = 0; i < n; i++) {
            keep_error(cache, batch_entries[i], error);
            wake_entry(cache, batch_entries[i]);
        }
        ecs_error_unref(error);
    } else if (at >= 0 && list == listing->list) {
        ahead_missed(cache, listing, (size_t)at, filled_to);
    }
}

void fetch_flush(struct ecs_cache *cache)
{
    struct entry *batch_entries[128]; /* no batch limit of AWS is above 100 */
    while (cache->wanted_len)
        flush_one(cache, batch_entries);
}

/* The parent is gone (ClusterNotFoundException), or the one thing that was asked for. */
static bool means_absent(const struct ecs_error *error)
{
    return error->err == -ENOENT;
}

/* AWS refuses a whole call for one malformed id in it: each is then asked for by itself. */
static bool one_may_spoil(const struct fetch *fetch, const struct ecs_error *error)
{
    return fetch->n > 1 && error->http_status == 400 && (error->err == -EINVAL || error->err == -EIO);
}

/* Whether somebody waits for it, by itself or with all of its listing. */
static bool matters(const struct entry *entry)
{
    return entry_awaited(entry) || entry->listing->all_waiters.first ||
           list_waits_for_describes(entry->listing);
}

/* The error is kept for those who wait; nobody else is told of it. */
static void fail_entry(struct ecs_cache *cache, struct entry *entry, struct ecs_error *error)
{
    if (matters(entry))
        keep_error(cache, entry, error);
}

static void fail_call(struct ecs_cache *cache, const struct fetch *fetch, struct entry *entry)
{
    struct ecs_error *error = fetch->call.error;
    if (one_may_spoil(fetch, error) && matters(entry) && entry_extra(entry)) {
        entry->extra->alone = true;
        if (entry_want(cache, entry) == 0)
            return;
    }
    fail_entry(cache, entry, error);
}

/* The item for an id; the reply mostly keeps the order of the request, so the search starts where the last
 * one ended. */
static struct reply_item *find_item(struct reply *reply, const char *id, size_t *at)
{
    for (size_t i = 0; i < reply->len; i++) {
        struct reply_item *item = &reply->items[(*at + i) % reply->len];
        if (!item->id || strcmp(item->id, id) == 0) {
            *at = (*at + i + 1) % reply->len;
            return item;
        }
    }
    return NULL;
}

static void keep_item(struct ecs_cache *cache, const struct fetch *fetch, struct entry *entry,
                      struct reply_item *item)
{
    const struct ecs_call *call = &fetch->call;
    int64_t begun = fetch->begun_ms;
    if (call->sent_ms > begun && call->sent_ms <= now_ms(cache))
        begun = call->sent_ms; /* it may have been paced */
    if (item && item->error)
        fail_entry(cache, entry, item->error);
    else
        keep_answer(cache, entry, item ? steal(item->doc) : NULL, begun, fetch->begun_seq);
}

void fetch_home(struct ecs_cache *cache, struct fetch *fetch)
{
    struct listing *listing = fetch->listing;
    struct ecs_call *call = &fetch->call;
    size_t at = 0;
    if (!fetch->cancelled) {
        listing->describing--;
        cache->ahead_calls -= fetch->ahead;
    }
    for (size_t i = 0; i < fetch->n; i++) {
        struct entry *entry = fetch->entries[i];
        entry->fetch = NULL;
        if (call->error && !means_absent(call->error))
            fail_call(cache, fetch, entry);
        else
            keep_item(cache, fetch, entry, call->error ? NULL : find_item(call->result, entry->id, &at));
        if (!entry->wanted) /* else it was refused in company, and is asked for again */
            wake_entry(cache, entry);
        entry_release(cache, entry);
    }
    fetch_done(cache, fetch);
    list_describes_done(cache, listing);
}

/* What is on its way for nobody is called back; its entries may be asked for anew at once. */
void fetch_cancel(struct ecs_cache *cache, struct fetch *fetch)
{
    if (fetch->cancelled)
        return;
    fetch->cancelled = true;
    cache->in_flight--;
    if (fetch->what == FETCH_DOCS) {
        fetch->listing->describing--;
        cache->ahead_calls -= fetch->ahead;
    }
    for (size_t i = 0; i < fetch->n; i++) {
        fetch->entries[i]->fetch = NULL;
        entry_release(cache, fetch->entries[i]);
    }
    fetch->n = 0;
    cache->backend->cancel(cache->backend, &fetch->call);
}

bool fetch_awaited(const struct fetch *fetch)
{
    if (fetch->idle || fetch->listing->all_waiters.first || list_waits_for_describes(fetch->listing))
        return true;
    for (size_t i = 0; i < fetch->n; i++)
        if (entry_awaited(fetch->entries[i]))
            return true;
    return false;
}

void fetch_abandoned(struct ecs_cache *cache, struct entry *entry)
{
    if (entry_awaited(entry))
        return;
    if (entry->wanted && !list_waits_for_describes(entry->listing) && !entry->listing->all_waiters.first) {
        size_t kept = 0;
        for (size_t i = 0; i < cache->wanted_len; i++)
            if (cache->wanted[i] != entry)
                cache->wanted[kept++] = cache->wanted[i];
        cache->wanted_len = kept;
        entry->wanted = false;
    }
    if (entry->fetch && !fetch_awaited(entry->fetch))
        fetch_cancel(cache, entry->fetch);
    else
        entry_release(cache, entry);
}
