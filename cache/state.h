/* SPDX-License-Identifier: Apache-2.0 */
/* The cache's own structures. Loop thread only, but for what a fetch lends to its digest. */
#ifndef CACHE_STATE_H
#define CACHE_STATE_H

#include "ecsfs/cache.h"
#include "ecsfs/cleanup.h"

enum waiting_for { FOR_ENTRY, FOR_LIST, FOR_ALL, FOR_ACTION, FOR_WAKE };

struct ecs_cache_waiters {
    struct ecs_want *first;
    enum waiting_for what;
};

/* How an entry or a listing stands: what is known since when, and what went wrong last. */
struct standing {
    int64_t begun_ms;   /* when the call that told it was sent */
    int64_t arrived_ms; /* when it told it; 0: nothing is known */
    int64_t until_ms;   /* fresh before that */
};

struct trouble {
    struct ecs_error *error;
    int64_t ms;
};

/* A document as it was before a write of ours, while an answer may still show it. */
struct before {
    struct before *next;
    struct ecs_doc *doc;
    int64_t ms; /* of the write */
};

/* What few entries have. */
struct extra {
    struct entry *entry;
    struct ecs_cache_waiters waiters;
    struct trouble trouble;
    uint64_t write_seq; /* cache->writes at our last write; 0: none */
    int64_t write_ms;   /* its time */
    bool created;       /* by us: "not there" is not believed for a while */
    bool deleted;       /* by us: "there" is not believed for a while */
    bool alone;         /* fetched without siblings: AWS refused the call that it was in */
    struct before *befores;
    struct entry *kept_next, **kept_prev; /* in cache->kept */
    char **previous; /* by place in the row: values before their last change; `written` fields only */
    size_t previous_len;
};

struct entry {
    struct entry *chain;        /* in the table's bucket */
    struct entry *next, **prev; /* in its listing */
    struct listing *listing;
    struct ecs_doc *doc; /* NULL: absent, or unknown (standing) */
    struct standing standing;
    struct fetch *fetch; /* on its way */
    struct extra *extra;
    bool wanted : 1; /* in cache->wanted */
    bool queued : 1; /* in listing->ahead */
    bool force : 1;  /* fetch it though it is fresh: somebody wants it newer */
    bool named : 1;  /* the last listing named it */
    bool stored : 1; /* the document came from the store on disk */
    bool kept : 1;   /* AWS has forgotten it, we have not (kept.c) */
    char id[];
};

/* What our own creations and deletions say about a list, while AWS's answers may lag. */
struct overlay {
    struct overlay *next;
    int64_t ms;
    bool joined; /* else left */
    char id[];
};

/* All resources of one kind under one parent: their list and their documents. */
struct listing {
    struct listing *chain, *next;
    const struct ecs_kind *kind;
    enum ecs_kind_id kind_id;
    char *parent;
    char *arn_root; /* for formats with %3$s, once known */

    struct ecs_list *list; /* NULL: unknown, or the parent is not there (standing) */
    struct standing standing;
    struct trouble trouble;
    uint64_t write_seq;
    struct overlay *overlays;
    int64_t unsettled_ms; /* until then AWS's list may lack what a write of ours began */
    struct list_fetch *fetch;
    struct ecs_cache_waiters waiters, all_waiters;

    struct entry *entries;
    struct entry **ahead; /* to be described, in order, from ahead_head on */
    size_t ahead_head, ahead_len, ahead_size;
    struct listing *ahead_next; /* in cache->ahead_first while ahead is not empty */
    bool in_ahead;
    int describing;  /* describe calls on their way */
    bool asked;      /* a document was asked for since the last listing */
    size_t scan_end; /* where the last read-ahead ended */
    int scan_width;  /* how many calls it had; 0: no scan yet */
};

enum fetch_what { FETCH_DOCS, FETCH_PAGE };

struct fetch {
    struct ecs_call call; /* first */
    struct fetch *next, **prev;
    struct listing *listing;
    const struct ecs_kind *kind; /* kind and parent for the digest */
    const char *parent;
    enum fetch_what what;
    int64_t begun_ms;
    uint64_t begun_seq; /* cache->writes then */
    bool cancelled;
    bool ahead; /* counted in cache->ahead_calls */
    bool idle;  /* nobody waited when it was sent: it is not cancelled for want of waiters */
    /* FETCH_PAGE */
    struct list_fetch *list_fetch;
    size_t chain;
    /* FETCH_DOCS */
    size_t n;
    struct entry *entries[];
};

struct ecs_cache {
    struct ecs_backend *backend;
    struct ecs_cache_options options;
    ecs_cache_changed_fn *changed;
    void *changed_arg;
    struct ecs_mailbox *mailbox;
    struct ecs_letter kick; /* wakes the loop for what is wanted */
    bool kicked, pumping;

    struct listing **listing_buckets, *listings;
    size_t listing_size, listing_count;
    struct entry **entry_buckets;
    size_t entry_size, entry_count;

    struct entry **wanted; /* missed, to be asked for at the next flush */
    size_t wanted_len, wanted_size;
    struct listing *ahead_first; /* with something to read ahead, in turn */
    int ahead_calls;
    struct fetch *fetches;        /* on their way */
    struct action_state *looking; /* actions whose answer was lost, that look whether they happened */
    int in_flight;                /* calls on their way, of any sort, that were not cancelled */
    int64_t progress_ms;          /* when a call last came home, or the first one left */
    bool away;                    /* no call came home for grace_ms */
    uint64_t writes;              /* how many writes of ours came home */

    struct entry *kept; /* what AWS has forgotten, newest first */
    size_t kept_len;

    int64_t swept_ms;

    struct ecs_cache_waiters ready; /* to be woken by this pump */
    struct graveyard *graveyard;    /* what was borrowed until the next pump */
    struct store *store;
    struct ecs_cache_status status;
};

static inline int64_t now_ms(const struct ecs_cache *cache)
{
    return cache->options.clock->now_ms(cache->options.clock);
}

/* table.c: finding and making */
struct listing *listing_find(struct ecs_cache *cache, enum ecs_kind_id kind, const char *parent);
struct listing *listing_get(struct ecs_cache *cache, enum ecs_kind_id kind, const char *parent);
struct entry *entry_find(struct ecs_cache *cache, struct listing *listing, const char *id);
struct entry *entry_get(struct ecs_cache *cache, struct listing *listing, const char *id);
struct extra *entry_extra(struct entry *entry); /* NULL: out of memory */
/* Frees it when nothing is known of it and nobody holds it. */
void entry_release(struct ecs_cache *cache, struct entry *entry);
/* Frees *link, one of cache->listings, when nothing is known of it and nobody holds it: true. */
bool listing_release(struct ecs_cache *cache, struct listing **link);
void tables_free(struct ecs_cache *cache);
static inline struct ecs_key entry_key(const struct entry *entry)
{
    return (struct ecs_key){entry->listing->kind_id, entry->listing->parent, entry->id};
}

/* graveyard.c: things that callers may have borrowed live until the next pump */
void bury_doc(struct ecs_cache *cache, struct ecs_doc *doc);
void bury_list(struct ecs_cache *cache, struct ecs_list *list);
void bury_error(struct ecs_cache *cache, struct ecs_error *error);
void graveyard_clear(struct ecs_cache *cache);

/* park.c */
void park(struct ecs_cache_waiters *waiters, struct ecs_want *want);
void leave(struct ecs_want *want);
void wake_all(struct ecs_cache *cache, struct ecs_cache_waiters *waiters);
static inline void wake_entry(struct ecs_cache *cache, struct entry *entry)
{
    if (entry->extra)
        wake_all(cache, &entry->extra->waiters);
}
static inline bool entry_awaited(const struct entry *entry)
{
    return entry->extra && entry->extra->waiters.first;
}

/* keep.c: what an answer or a write makes known */
bool is_gone(const struct ecs_doc *doc);
/* An answer; seq is cache->writes when it was asked for. Takes over doc; NULL: AWS says it is not there. */
void keep_answer(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc, int64_t begun_ms,
                 uint64_t begun_seq);
void keep_error(struct ecs_cache *cache, struct entry *entry, struct ecs_error *error);
/* What a write of ours established; takes over doc (NULL: gone). */
void keep_written(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc, int64_t begun_ms);
void keep_stored(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc);
void forget_entry(struct ecs_cache *cache, struct entry *entry);
/* Nothing of this entry is known any more, without a word about why. */
void drop_entry(struct ecs_cache *cache, struct entry *entry);
void trouble_set(struct ecs_cache *cache, struct trouble *trouble, struct ecs_error *error);
bool standing_fresh(const struct ecs_cache *cache, const struct standing *standing);

/* kept.c: what outlives AWS's memory of it */
/* AWS says that the entry is not there: true when its last document stays known all the same. */
bool kept_take(struct ecs_cache *cache, struct entry *entry, int64_t begun_ms);
void kept_leave(struct ecs_cache *cache, struct entry *entry);
/* The list with what AWS does not name any more and we keep. Takes it over; NULL: out of memory. */
struct ecs_list *kept_join(struct ecs_cache *cache, struct listing *listing, struct ecs_list *list,
                           int64_t begun_ms);

/* overlay.c: read-your-writes while AWS's answers lag */
void remember_before(struct ecs_cache *cache, struct entry *entry);
bool contradicts_write(struct ecs_cache *cache, struct entry *entry, const struct ecs_doc *answer,
                       int64_t begun_ms);
bool write_unsettled(const struct ecs_cache *cache, const struct entry *entry, int64_t begun_ms);
void befores_free(struct before *befores);
int overlay_add(struct ecs_cache *cache, struct listing *listing, const char *id, bool joined);
/* What was said of it holds no longer: AWS's word counts. */
void overlay_withdraw(struct listing *listing, const char *id);
/* 1 joined, -1 left, 0 nothing said, for a list asked for at begun_ms. */
int overlay_says(const struct ecs_cache *cache, const struct listing *listing, const char *id,
                 int64_t begun_ms);
void overlays_prune(struct ecs_cache *cache, struct listing *listing, int64_t begun_ms);
void overlays_free(struct listing *listing);

/* listing.c */
int list_start(struct ecs_cache *cache, struct listing *listing, bool ahead);
void list_page_home(struct ecs_cache *cache, struct fetch *fetch);
void list_cancel(struct ecs_cache *cache, struct listing *listing);
void list_describes_done(struct ecs_cache *cache, struct listing *listing);
bool list_waits_for_describes(const struct listing *listing);
void list_fetch_free(struct list_fetch *fetch);
void list_fetch_let_go(struct list_fetch *fetch);
/* Puts a list in force; takes it over. NULL: the parent is not there. */
void list_publish(struct ecs_cache *cache, struct listing *listing, struct ecs_list *list);
void list_join(struct ecs_cache *cache, struct listing *listing, const char *id);
void list_leave(struct ecs_cache *cache, struct listing *listing, const char *id);
void list_forget(struct ecs_cache *cache, struct listing *listing);

/* fetch.c: describes */
int entry_want(struct ecs_cache *cache, struct entry *entry);
void fetch_flush(struct ecs_cache *cache);
int fetch_start(struct ecs_cache *cache, struct listing *listing, struct entry **entries, size_t n,
                bool ahead);
void fetch_home(struct ecs_cache *cache, struct fetch *fetch);
void fetch_cancel(struct ecs_cache *cache, struct fetch *fetch);
bool fetch_awaited(const struct fetch *fetch);
void fetch_abandoned(struct ecs_cache *cache, struct entry *entry);
struct fetch *fetch_new(struct ecs_cache *cache, struct listing *listing, enum fetch_what what, size_t n);
void fetch_submit(struct ecs_cache *cache, struct fetch *fetch);
/* Its call is home, but the cache is going. */
void fetch_end(struct fetch *fetch);
void fetch_done(struct ecs_cache *cache, struct fetch *fetch);
size_t fetch_batch(const struct ecs_kind *kind);
/* Whether reading ahead would gain anything for it (looks into the store on disk first). */
bool entry_needed(struct ecs_cache *cache, struct entry *entry);

/* ahead.c */
int ahead_push(struct ecs_cache *cache, struct entry *entry, bool force);
void ahead_listed(struct ecs_cache *cache, struct entry *entry);
void ahead_missed(struct ecs_cache *cache, struct listing *listing, size_t at, size_t filled_to);
void ahead_passed(struct ecs_cache *cache, struct listing *listing, const char *id);
void ahead_run(struct ecs_cache *cache);
void ahead_drop(struct ecs_cache *cache, struct listing *listing);

/* away.c */
bool is_away_error(const struct ecs_error *error);
void away_sent(struct ecs_cache *cache);
void away_home(struct ecs_cache *cache, const struct ecs_call *call, bool cancelled);
void away_check(struct ecs_cache *cache);
int away_timeout_ms(const struct ecs_cache *cache);

/* sweep.c: now and then, from the pump */
void sweep(struct ecs_cache *cache);

/* action.c */
void action_home(struct ecs_cache *cache, struct ecs_action *action);
bool is_action_call(const struct ecs_call *call);

/* relations.c: told after a write of ours to `entry` is in force */
void keep_relations(struct ecs_cache *cache, struct entry *entry, bool created);
/* The same of a write that told nothing: only what it may have begun is not to be known. */
void forget_begun(struct ecs_cache *cache, const struct ecs_kind *kind, const char *parent, const char *id);

/* Before the cache goes: what is under way ends as it stands, without another call. */
void action_end(struct ecs_cache *cache, struct ecs_action *action);
void actions_end(struct ecs_cache *cache);
void action_interrupted(struct ecs_cache *cache, struct ecs_cache_waiters *waiters);

/* request.c: the inputs of calls. malloc'd JSON; NULL: out of memory */
char *request_list(const struct listing *listing, size_t chain, const char *next_token);
char *request_describe(const struct listing *listing, struct entry *const *entries, size_t n);
size_t request_chains(const struct ecs_kind *kind);
/* The root of an ARN ("arn:aws:ecs:eu-west-1:123456789012"); malloc'd, NULL: not an ARN, or out of memory. */
char *request_arn_root(const char *arn);

#endif
