/* SPDX-License-Identifier: Apache-2.0 */
/* The questions: what is known answers at once, the rest is asked for and waited for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doc_private.h"
#include "list.h"
#include "state.h"
#include "store.h"

/* After a failed refetch, a known thing is shown stale for that long before AWS is asked again. */
enum { RETRY_MS = 1000 };

enum verdict {
    KNOWN,  /* what is known answers */
    STALE,  /* it answers though it is old, for AWS cannot be reached */
    FAILED, /* the trouble answers */
    NEEDED, /* it has to be asked for */
};

static bool answers(const struct ecs_cache *cache, const struct standing *standing,
                    const struct ecs_want *want, bool forever)
{
    if (!standing->arrived_ms)
        return false;
    if (forever)
        return true;
    if (want->fetched_after)
        return standing->begun_ms >= want->since_ms;
    return standing_fresh(cache, standing) || standing->arrived_ms >= want->since_ms;
}

/* `present`: there is something to show while AWS is away. */
static enum verdict judge(const struct ecs_cache *cache, const struct standing *standing,
                          const struct trouble *trouble, const struct ecs_want *want, bool present,
                          bool forever)
{
    if (answers(cache, standing, want, forever && present))
        return KNOWN;
    bool showable = present && !want->fetched_after;
    if (trouble && trouble->error) {
        bool away = is_away_error(trouble->error);
        if (showable && away && now_ms(cache) < trouble->ms + RETRY_MS)
            return STALE;
        if (trouble->ms >= want->since_ms)
            return showable && away ? STALE : FAILED;
    }
    return NEEDED;
}

static enum verdict judge_entry(const struct ecs_cache *cache, const struct entry *entry,
                                const struct ecs_want *want)
{
    return judge(cache, &entry->standing, entry->extra ? &entry->extra->trouble : NULL, want,
                 entry->doc != NULL, entry->kept || entry->listing->kind->lifetime == ECS_FOREVER);
}

static int fail(struct ecs_cache *cache, struct ecs_want *want, struct ecs_error *error)
{
    want->error = error;
    return error->err;
}

/* An error that no entry keeps; it lives until the next pump. */
static int fail_new(struct ecs_cache *cache, struct ecs_want *want, struct ecs_error *error)
{
    bury_error(cache, error);
    return fail(cache, want, error);
}

static int fail_memory(struct ecs_cache *cache, struct ecs_want *want)
{
    return fail_new(cache, want, ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory"));
}

static int fail_absent(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_kind *kind,
                       const char *id)
{
    return fail_new(cache, want, ecs_error_new(-ENOENT, "NotFound", "there is no %s \"%s\"", kind->name, id));
}

static void begin(struct ecs_want *want)
{
    want->error = NULL;
    want->stale = false;
}

static int answer_entry(struct ecs_cache *cache, struct ecs_want *want, struct entry *entry,
                        struct ecs_doc **ret_doc, bool stale)
{
    want->stale = stale;
    cache->status.stale_served += stale;
    if (!entry->doc)
        return fail_absent(cache, want, entry->listing->kind, entry->id);
    *ret_doc = entry->doc;
    return 0;
}

/* Operations that take ARNs only: the owner's document tells account and region. 0, ECS_PARKED or -errno. */
static int learn_arn_root(struct ecs_cache *cache, struct ecs_want *want, struct listing *listing,
                          const char *id)
{
    const struct ecs_kind *kind = listing->kind;
    if (listing->arn_root || !kind->describe.owner_arn)
        return 0;
    const char *slash = strrchr(listing->parent, '/');
    cleanup_free char *parent =
        slash ? strndup(listing->parent, (size_t)(slash - listing->parent)) : strdup("");
    if (!parent)
        return fail_memory(cache, want);
    struct ecs_key owner = {kind->describe.owner, parent, slash ? slash + 1 : listing->parent};
    if (kind->describe.owner_same)
        owner = (struct ecs_key){kind->describe.owner, listing->parent, id};
    struct ecs_doc *doc = ecs_cache_peek(cache, &owner, NULL); /* however old: it never moves */
    int r = doc ? 0 : ecs_cache_doc(cache, want, &owner, &doc);
    if (r != 0)
        return r;
    const char *arn = ecs_doc_field(doc, kind->describe.owner_arn);
    listing->arn_root = arn ? request_arn_root(arn) : NULL;
    if (!listing->arn_root)
        return fail_new(
            cache, want,
            ecs_error_new(-EPROTO, "MalformedReply", "the %s has no ARN", ecs_kinds[owner.kind]->name));
    return 0;
}

/* The list, as far as the caller needs it to have come: 0, ECS_PARKED or -errno. */
static int ask_list(struct ecs_cache *cache, struct ecs_want *want, struct listing *listing, bool ahead)
{
    const struct ecs_kind *kind = listing->kind;
    if (!kind->list.operation)
        return fail_new(cache, want,
                        ecs_error_new(-EOPNOTSUPP, "NoList", "there is no list of %ss", kind->name));
    enum verdict verdict =
        judge(cache, &listing->standing, &listing->trouble, want, listing->list != NULL, false);
    if (verdict == FAILED)
        return fail(cache, want, listing->trouble.error);
    if (verdict == NEEDED) {
        bool on_its_way = listing->fetch != NULL;
        if (list_start(cache, listing, ahead) < 0)
            return fail_memory(cache, want);
        cache->status.misses += !on_its_way;
        if (!cache->away || !listing->list || want->fetched_after) {
            park(&listing->waiters, want);
            return ECS_PARKED;
        }
    }
    want->stale = verdict != KNOWN;
    cache->status.stale_served += want->stale;
    if (!listing->list)
        return fail_absent(cache, want, kind, listing->parent);
    return 0;
}

/* Kinds whose documents come with the list. */
static int ask_listed_doc(struct ecs_cache *cache, struct ecs_want *want, struct listing *listing,
                          const char *id, struct ecs_doc **ret_doc)
{
    struct entry *entry = entry_find(cache, listing, id);
    if (entry && judge_entry(cache, entry, want) == KNOWN) {
        cache->status.hits++;
        return answer_entry(cache, want, entry, ret_doc, false);
    }
    int r = ask_list(cache, want, listing, false);
    if (r != 0)
        return r;
    if (!entry || !entry->doc)
        return fail_absent(cache, want, listing->kind, id);
    *ret_doc = entry->doc;
    return 0;
}

/* Sends for it and parks, or shows what is known when AWS is away. */
static int ask_entry(struct ecs_cache *cache, struct ecs_want *want, struct entry *entry,
                     struct ecs_doc **ret_doc)
{
    struct extra *extra = entry_extra(entry);
    if (!extra)
        return fail_memory(cache, want);
    bool show = cache->away && entry->doc && !want->fetched_after;
    if (!entry->fetch) {
        if (!entry->wanted)
            cache->status.misses++;
        if (entry_want(cache, entry) < 0)
            return fail_memory(cache, want);
    }
    if (show)
        return answer_entry(cache, want, entry, ret_doc, true);
    park(&extra->waiters, want);
    return ECS_PARKED;
}

int ecs_cache_doc(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_key *key,
                  struct ecs_doc **ret_doc)
{
    begin(want);
    struct listing *listing = listing_get(cache, key->kind, key->parent);
    if (!listing)
        return fail_memory(cache, want);
    listing->asked = true;
    if (!listing->kind->describe.operation)
        return ask_listed_doc(cache, want, listing, key->id, ret_doc);
    struct entry *entry = entry_get(cache, listing, key->id);
    if (!entry)
        return fail_memory(cache, want);
    enum verdict verdict = judge_entry(cache, entry, want);
    if (verdict == NEEDED && store_load(cache, entry))
        verdict = judge_entry(cache, entry, want);
    switch (verdict) {
    case KNOWN:
        cache->status.hits++;
        ahead_passed(cache, listing, key->id);
        return answer_entry(cache, want, entry, ret_doc, false);
    case STALE:
        return answer_entry(cache, want, entry, ret_doc, true);
    case FAILED:
        return fail(cache, want, entry->extra->trouble.error);
    case NEEDED:
        break;
    }
    int r = learn_arn_root(cache, want, listing, key->id);
    if (r != 0) {
        entry_release(cache, entry);
        return r;
    }
    return ask_entry(cache, want, entry, ret_doc);
}

int ecs_cache_list(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_key *key,
                   const struct ecs_list **ret_list)
{
    begin(want);
    struct listing *listing = listing_get(cache, key->kind, key->parent);
    if (!listing)
        return fail_memory(cache, want);
    int r = ask_list(cache, want, listing, true);
    if (r == 0) {
        cache->status.hits++;
        *ret_list = listing->list;
    }
    return r;
}

/* Asks for one of all: 0 known, 1 on its way, or -errno. */
static int ask_one_of_all(struct ecs_cache *cache, struct ecs_want *want, struct entry *entry)
{
    enum verdict verdict = judge_entry(cache, entry, want);
    if (verdict == NEEDED && store_load(cache, entry))
        verdict = KNOWN;
    if (verdict == FAILED)
        return fail(cache, want, entry->extra->trouble.error);
    if (verdict == STALE || (verdict == NEEDED && cache->away && entry->doc && !want->fetched_after))
        want->stale = true;
    if (verdict != NEEDED)
        return 0;
    if (ahead_push(cache, entry, true) < 0)
        return fail_memory(cache, want);
    return want->stale && cache->away && entry->doc ? 0 : 1;
}

int ecs_cache_all(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_key *list_key,
                  const struct ecs_list **ret_list)
{
    begin(want);
    struct listing *listing = listing_get(cache, list_key->kind, list_key->parent);
    if (!listing)
        return fail_memory(cache, want);
    int r = ask_list(cache, want, listing, false);
    listing->asked = true;
    if (r != 0)
        return r;
    bool stale = want->stale, waits = false;
    r = learn_arn_root(cache, want, listing, "");
    if (r != 0)
        return r;
    size_t len = listing->kind->describe.operation ? ecs_list_len(listing->list) : 0;
    for (size_t i = 0; i < len; i++) {
        struct entry *entry = entry_get(cache, listing, ecs_list_at(listing->list, i));
        r = entry ? ask_one_of_all(cache, want, entry) : fail_memory(cache, want);
        if (r < 0)
            return r;
        waits |= r > 0;
        stale |= want->stale;
    }
    want->stale = stale;
    *ret_list = listing->list;
    if (!waits) {
        cache->status.hits++;
        return 0;
    }
    park(&listing->all_waiters, want);
    if (!cache->kicked && !cache->pumping) {
        cache->kicked = true;
        ecs_mailbox_post(cache->mailbox, &cache->kick);
    }
    return ECS_PARKED;
}

static int64_t left(const struct ecs_cache *cache, const struct standing *standing)
{
    if (standing->until_ms == INT64_MAX)
        return INT64_MAX;
    int64_t ms = standing->until_ms - now_ms(cache);
    return ms > 0 ? ms : 0;
}

struct ecs_doc *ecs_cache_peek(struct ecs_cache *cache, const struct ecs_key *key, int64_t *ret_fresh_ms)
{
    struct listing *listing = listing_find(cache, key->kind, key->parent);
    struct entry *entry = listing ? entry_find(cache, listing, key->id) : NULL;
    if (!entry || !entry->doc)
        return NULL;
    if (ret_fresh_ms)
        *ret_fresh_ms = left(cache, &entry->standing);
    return entry->doc;
}

const struct ecs_list *ecs_cache_peek_list(struct ecs_cache *cache, const struct ecs_key *key,
                                           int64_t *ret_fresh_ms)
{
    struct listing *listing = listing_find(cache, key->kind, key->parent);
    if (!listing || !listing->list)
        return NULL;
    if (ret_fresh_ms)
        *ret_fresh_ms = left(cache, &listing->standing);
    return listing->list;
}

bool ecs_cache_known_absent(struct ecs_cache *cache, const struct ecs_key *key, int64_t *ret_fresh_ms)
{
    struct listing *listing = listing_find(cache, key->kind, key->parent);
    struct entry *entry = listing ? entry_find(cache, listing, key->id) : NULL;
    const struct standing *standing = entry ? &entry->standing : NULL;
    /* Documents that come with the list are absent when the list lacks them. */
    if (!entry && listing && listing->list && !listing->kind->describe.operation)
        standing = &listing->standing;
    if (!standing || (entry && entry->doc) || !standing_fresh(cache, standing))
        return false;
    if (ret_fresh_ms)
        *ret_fresh_ms = left(cache, standing);
    return true;
}

const char *ecs_cache_previous(struct ecs_cache *cache, const struct ecs_key *key, const char *field)
{
    struct listing *listing = listing_find(cache, key->kind, key->parent);
    struct entry *entry = listing ? entry_find(cache, listing, key->id) : NULL;
    const struct extra *extra = entry ? entry->extra : NULL;
    for (size_t i = 0; extra && i < extra->previous_len; i++)
        if (strcmp(listing->kind->fields[i].name, field) == 0)
            return extra->previous[i];
    return NULL;
}

static void forget_listing(struct ecs_cache *cache, struct listing *listing)
{
    for (struct entry *entry = listing->entries, *next; entry; entry = next) {
        next = entry->next;
        if (!entry->kept) /* nobody could tell it again */
            forget_entry(cache, entry);
    }
    list_forget(cache, listing);
}

void ecs_cache_forget(struct ecs_cache *cache, const struct ecs_key *key)
{
    struct listing *listing = listing_find(cache, key->kind, key->parent);
    if (!listing)
        return;
    if (!*key->id || listing->kind->list.describes) { /* one document comes with all others */
        forget_listing(cache, listing);
        return;
    }
    struct entry *entry = entry_find(cache, listing, key->id);
    if (entry && !entry->kept)
        forget_entry(cache, entry);
}

void ecs_cache_forget_all(struct ecs_cache *cache)
{
    for (struct listing *listing = cache->listings; listing; listing = listing->next)
        forget_listing(cache, listing);
}
