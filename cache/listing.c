/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: all pages of all of a row's listings, joined in the row's order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "reply.h"
#include "state.h"
#include "store.h"

enum {
    /* How long the document of something that no listing names is kept (a draining service that
     * somebody reads by name). */
    UNNAMED_KEEP_MS = 600000,
    /* How long AWS's list is shown that may lack what a write of ours has just begun. */
    UNSETTLED_STALE_MS = 1000,
};

struct chain {
    char **ids;
    size_t len, size;
    char *token; /* that the page on its way was asked for with */
    char *mark;  /* an earlier one: a circle of pages comes by it again */
    size_t pages, mark_at;
    struct fetch *fetch;
};

struct list_fetch {
    int64_t begun_ms;
    uint64_t begun_seq;
    bool ahead;      /* its documents are read ahead as its pages come in */
    bool confirming; /* all pages are here; the describes are waited for */
    bool cancelled;
    size_t pending; /* chains that are not at their end */
    struct ecs_error *error;
    size_t chains;
    struct chain chain[];
};

void list_fetch_free(struct list_fetch *fetch)
{
    if (!fetch)
        return;
    for (size_t i = 0; i < fetch->chains; i++) {
        for (size_t k = 0; k < fetch->chain[i].len; k++)
            free(fetch->chain[i].ids[k]);
        free(fetch->chain[i].ids);
        free(fetch->chain[i].token);
        free(fetch->chain[i].mark);
    }
    ecs_error_unref(fetch->error);
    free(fetch);
}

/* A cancelled one is freed with its last page. */
void list_fetch_let_go(struct list_fetch *fetch)
{
    if (--fetch->pending == 0 && fetch->cancelled)
        list_fetch_free(fetch);
}

static int page_start(struct ecs_cache *cache, struct listing *listing, struct list_fetch *list_fetch,
                      size_t chain, bool ahead)
{
    struct fetch *fetch = fetch_new(cache, listing, FETCH_PAGE, 0);
    char *body = fetch ? request_list(listing, chain, list_fetch->chain[chain].token) : NULL;
    if (!body) {
        free(fetch);
        return -ENOMEM;
    }
    fetch->call.body = body;
    fetch->list_fetch = list_fetch;
    fetch->chain = chain;
    list_fetch->chain[chain].fetch = fetch;
    fetch_submit(cache, fetch);
    return 0;
}

int list_start(struct ecs_cache *cache, struct listing *listing, bool ahead)
{
    if (listing->fetch) {
        listing->fetch->ahead |= ahead;
        return 0;
    }
    size_t chains = request_chains(listing->kind);
    struct list_fetch *fetch = calloc(1, sizeof(*fetch) + chains * sizeof(struct chain));
    if (!fetch)
        return -ENOMEM;
    fetch->begun_ms = now_ms(cache);
    fetch->begun_seq = cache->writes;
    fetch->chains = chains;
    /* What was read ahead before and then not asked for is not read ahead again: a mere ls. */
    fetch->ahead = ahead && cache->options.stale_ms > 0 && (!listing->standing.arrived_ms || listing->asked);
    listing->asked = false;
    listing->fetch = fetch;
    for (size_t i = 0; i < chains; i++) {
        int r = page_start(cache, listing, fetch, i, ahead);
        if (r == 0) {
            fetch->pending++;
        } else if (i == 0) {
            listing->fetch = NULL;
            list_fetch_free(fetch);
            return r;
        } else {
            fetch->error = ecs_error_new(r, "OutOfMemory", "out of memory");
        }
    }
    return 0;
}

/* Whether ids may be left out of the list for what the describes say of them. */
bool list_waits_for_describes(const struct listing *listing)
{
    return listing->fetch && listing->fetch->confirming;
}

static int chain_add(struct chain *chain, char *id)
{
    if (chain->len == chain->size) {
        size_t size = chain->size ? chain->size * 2 : 128;
        char **ids = realloc(chain->ids, size * sizeof(char *));
        if (!ids)
            return -ENOMEM;
        chain->ids = ids;
        chain->size = size;
    }
    chain->ids[chain->len++] = id;
    return 0;
}

/* The ids of a page, its documents where it has them, and the read-ahead that follows it. */
static int take_page(struct ecs_cache *cache, struct listing *listing, struct list_fetch *list_fetch,
                     struct fetch *fetch)
{
    struct reply *reply = fetch->call.result;
    struct chain *chain = &list_fetch->chain[fetch->chain];
    bool batch = fetch_batch(listing->kind) > 1;
    if (reply->arn) {
        store_learn(cache, reply->arn);
        if (!listing->arn_root && listing->kind->describe.owner_arn)
            listing->arn_root = request_arn_root(reply->arn);
    }
    for (size_t i = 0; i < reply->len; i++) {
        struct reply_item *item = &reply->items[i];
        struct entry *entry = NULL;
        if (item->doc || (list_fetch->ahead && batch))
            entry = entry_get(cache, listing, item->id);
        if (entry && item->doc)
            keep_answer(cache, entry, steal(item->doc), fetch->begun_ms, fetch->begun_seq);
        else if (entry)
            ahead_listed(cache, entry);
        if (chain_add(chain, item->id) < 0)
            return -ENOMEM;
        item->id = NULL;
    }
    return 0;
}

static void note_error(struct list_fetch *fetch, struct ecs_error *error)
{
    if (!fetch->error)
        fetch->error = ecs_error_ref(error);
}

static void tell(struct ecs_cache *cache, struct listing *listing)
{
    struct ecs_key key = {listing->kind_id, listing->parent, ""};
    if (cache->changed)
        cache->changed(cache->changed_arg, &key);
}

/* What a new list says of the documents: those it no longer names go, and what it names is not absent. */
static void review_entries(struct ecs_cache *cache, struct listing *listing, int64_t begun_ms)
{
    bool forever = listing->kind->lifetime == ECS_FOREVER;
    for (struct entry *entry = listing->entries, *next; entry; entry = next) {
        next = entry->next;
        bool named = listing->list && ecs_list_has(listing->list, entry->id);
        bool was_named = entry->named;
        entry->named = named;
        if (!entry->standing.arrived_ms || entry->fetch || entry->standing.begun_ms > begun_ms ||
            write_unsettled(cache, entry, begun_ms))
            continue;
        bool old = entry->standing.arrived_ms + UNNAMED_KEEP_MS < now_ms(cache);
        bool fresh = standing_fresh(cache, &entry->standing);
        if (named ? !entry->doc : entry->doc ? was_named || forever || old : !fresh) {
            drop_entry(cache, entry);
            entry_release(cache, entry);
        }
    }
}

void list_publish(struct ecs_cache *cache, struct listing *listing, struct ecs_list *list)
{
    struct ecs_list *old = listing->list;
    bool equal = old && list && ecs_list_hash(old) == ecs_list_hash(list);
    if (equal) {
        ecs_list_free(list);
        return;
    }
    cache->status.lists += (list != NULL) - (size_t)(old != NULL);
    cache->status.bytes += (list ? ecs_list_bytes(list) : 0) - (old ? ecs_list_bytes(old) : 0);
    listing->list = list;
    bury_list(cache, old);
    listing->scan_end = 0;
    listing->scan_width = 0;
    if (old || (list && listing->standing.arrived_ms))
        tell(cache, listing);
}

static void set_standing(struct ecs_cache *cache, struct listing *listing, int64_t begun_ms)
{
    listing->standing.begun_ms = begun_ms;
    listing->standing.arrived_ms = now_ms(cache);
    listing->standing.until_ms = begun_ms + cache->options.stale_ms;
    if (begun_ms < listing->unsettled_ms && cache->options.stale_ms > UNSETTLED_STALE_MS)
        listing->standing.until_ms = begun_ms + UNSETTLED_STALE_MS;
    trouble_set(cache, &listing->trouble, NULL);
}

/* Known not to be there: a describe said so, or (for a listing in force) we deleted it. */
static bool left_out(struct ecs_cache *cache, struct listing *listing, const char *id, int64_t begun_ms)
{
    if (overlay_says(cache, listing, id, begun_ms) < 0)
        return true;
    if (!listing->kind->list.confirm || overlay_says(cache, listing, id, begun_ms) > 0)
        return false;
    struct entry *entry = entry_find(cache, listing, id);
    return entry && entry->standing.arrived_ms && !entry->doc;
}

static struct ecs_list *join_chains(struct ecs_cache *cache, struct listing *listing,
                                    struct list_fetch *fetch)
{
    size_t len = 0, n = 0;
    for (size_t i = 0; i < fetch->chains; i++)
        len += fetch->chain[i].len;
    for (struct overlay *at = listing->overlays; at; at = at->next)
        len++;
    cleanup_free const char **ids = calloc(len + 1, sizeof(char *));
    if (!ids)
        return NULL;
    for (size_t i = 0; i < fetch->chains; i++)
        for (size_t k = 0; k < fetch->chain[i].len; k++)
            if (!left_out(cache, listing, fetch->chain[i].ids[k], fetch->begun_ms))
                ids[n++] = fetch->chain[i].ids[k];
    for (struct overlay *at = listing->overlays; at; at = at->next)
        if (overlay_says(cache, listing, at->id, fetch->begun_ms) > 0)
            ids[n++] = at->id; /* duplicates drop out */
    return kept_join(cache, listing, ecs_list_new(ids, n), fetch->begun_ms);
}

static void fail_list(struct ecs_cache *cache, struct listing *listing, struct list_fetch *fetch)
{
    if (fetch->error->err == -ENOENT) {
        list_publish(cache, listing, NULL);
        set_standing(cache, listing, fetch->begun_ms);
        review_entries(cache, listing, fetch->begun_ms);
    } else {
        trouble_set(cache, &listing->trouble, fetch->error);
    }
}

static void list_finish(struct ecs_cache *cache, struct listing *listing)
{
    struct list_fetch *fetch = steal(listing->fetch);
    struct ecs_list *list = NULL;
    if (!fetch->error && listing->write_seq <= fetch->begun_seq) {
        list = join_chains(cache, listing, fetch);
        if (!list)
            fetch->error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    }
    if (fetch->error) {
        fail_list(cache, listing, fetch);
    } else if (list) {
        list_publish(cache, listing, list);
        set_standing(cache, listing, fetch->begun_ms);
        review_entries(cache, listing, fetch->begun_ms);
        overlays_prune(cache, listing, fetch->begun_ms);
    } /* else: forgotten while it was on its way; who waits asks again */
    wake_all(cache, &listing->waiters);
    list_fetch_free(fetch);
}

/* The pages are in. Lists that name what is gone too wait for the describes. */
static void list_complete(struct ecs_cache *cache, struct listing *listing)
{
    struct list_fetch *fetch = listing->fetch;
    if (fetch->error || !listing->kind->list.confirm) {
        list_finish(cache, listing);
        return;
    }
    fetch->confirming = true;
    for (size_t i = 0; i < fetch->chains; i++) {
        for (size_t k = 0; k < fetch->chain[i].len; k++) {
            struct entry *entry = entry_get(cache, listing, fetch->chain[i].ids[k]);
            if (entry && entry_needed(cache, entry))
                ahead_push(cache, entry, false);
        }
    }
    ahead_run(cache);
    list_describes_done(cache, listing);
}

static bool listing_wanted(struct ecs_cache *cache, const struct listing *listing)
{
    for (size_t i = 0; i < cache->wanted_len; i++)
        if (cache->wanted[i]->listing == listing)
            return true;
    return false;
}

void list_describes_done(struct ecs_cache *cache, struct listing *listing)
{
    if (listing->describing || listing->ahead_head < listing->ahead_len || listing_wanted(cache, listing))
        return;
    if (list_waits_for_describes(listing))
        list_finish(cache, listing);
    wake_all(cache, &listing->all_waiters);
}

/* Whether the pages go in a circle, which would never end. As Brent finds cycles: the mark moves on at pages
 * 1, 2, 4, ..., so it comes to stand in the circle, and then the circle comes by it. */
static bool circles(struct chain *chain, const char *token)
{
    if (chain->mark && strcmp(chain->mark, token) == 0)
        return true;
    if (++chain->pages >= chain->mark_at) {
        free(chain->mark);
        chain->mark = strdup(token);
        chain->mark_at = 2 * chain->pages;
    }
    return false;
}

void list_page_home(struct ecs_cache *cache, struct fetch *fetch)
{
    struct listing *listing = fetch->listing;
    struct list_fetch *list_fetch = fetch->list_fetch;
    struct chain *chain = &list_fetch->chain[fetch->chain];
    struct reply *reply = fetch->call.result;
    bool more = false;
    chain->fetch = NULL;
    if (!list_fetch->cancelled && fetch->call.error) {
        note_error(list_fetch, fetch->call.error);
    } else if (!list_fetch->cancelled) {
        int r = take_page(cache, listing, list_fetch, fetch);
        /* A page may be short or empty; only a missing token ends the list. */
        more = r == 0 && reply->next_token && !list_fetch->error;
        if (more && circles(chain, reply->next_token))
            r = -EPROTO;
        if (more && r == 0) {
            free(chain->token);
            chain->token = steal(reply->next_token);
            r = page_start(cache, listing, list_fetch, fetch->chain, list_fetch->ahead);
        }
        if (r < 0) {
            more = false;
            cleanup_error struct ecs_error *error =
                ecs_error_new(r, r == -ENOMEM ? "OutOfMemory" : "MalformedReply", "%s: %s",
                              fetch->call.operation, r == -ENOMEM ? "out of memory" : "a page that repeats");
            note_error(list_fetch, error);
        }
    }
    fetch_done(cache, fetch);
    if (more || --list_fetch->pending > 0)
        return;
    if (list_fetch->cancelled)
        list_fetch_free(list_fetch);
    else
        list_complete(cache, listing);
}

void list_cancel(struct ecs_cache *cache, struct listing *listing)
{
    struct list_fetch *fetch = steal(listing->fetch);
    if (!fetch)
        return;
    fetch->cancelled = true;
    bool on_its_way = fetch->pending > 0;
    for (size_t i = 0; i < fetch->chains; i++)
        if (fetch->chain[i].fetch)
            fetch_cancel(cache, fetch->chain[i].fetch);
    ahead_drop(cache, listing);
    if (!on_its_way)
        list_fetch_free(fetch);
}

static void list_replace(struct ecs_cache *cache, struct listing *listing, const char *with,
                         const char *without)
{
    size_t len = ecs_list_len(listing->list), n = 0;
    cleanup_free const char **ids = calloc(len + 1, sizeof(char *));
    if (!ids)
        return;
    for (size_t i = 0; i < len; i++) {
        const char *id = ecs_list_at(listing->list, i);
        if (!without || strcmp(id, without) != 0)
            ids[n++] = id;
    }
    if (with)
        ids[n++] = with;
    struct ecs_list *list = ecs_list_new(ids, n);
    if (list)
        list_publish(cache, listing, list);
}

void list_join(struct ecs_cache *cache, struct listing *listing, const char *id)
{
    overlay_add(cache, listing, id, true);
    if (listing->list && !ecs_list_has(listing->list, id))
        list_replace(cache, listing, id, NULL);
}

void list_leave(struct ecs_cache *cache, struct listing *listing, const char *id)
{
    overlay_add(cache, listing, id, false);
    if (listing->list && ecs_list_has(listing->list, id))
        list_replace(cache, listing, NULL, id);
}

void list_forget(struct ecs_cache *cache, struct listing *listing)
{
    if (listing->fetch)
        listing->write_seq = ++cache->writes;
    list_publish(cache, listing, NULL);
    listing->standing = (struct standing){0};
}
