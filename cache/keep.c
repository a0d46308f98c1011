/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer or a write makes known of one resource, and who is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doc_private.h"
#include "state.h"
#include "store.h"

bool standing_fresh(const struct ecs_cache *cache, const struct standing *standing)
{
    return standing->arrived_ms && standing->until_ms > now_ms(cache);
}

/* Whether `gone`, words with spaces between them, has the document's status. */
bool is_gone(const struct ecs_doc *doc)
{
    const char *gone = ecs_doc_kind(doc)->gone, *status = gone ? ecs_doc_field(doc, "status") : NULL;
    size_t len = status ? strlen(status) : 0;
    while (len && gone && *gone) {
        size_t word = strcspn(gone, " ");
        if (word == len && memcmp(gone, status, len) == 0)
            return true;
        gone += word + (gone[word] == ' ');
    }
    return false;
}

void trouble_set(struct ecs_cache *cache, struct trouble *trouble, struct ecs_error *error)
{
    bury_error(cache, trouble->error);
    trouble->error = ecs_error_ref(error);
    trouble->ms = error ? now_ms(cache) : 0;
}

static void tell(struct ecs_cache *cache, const struct entry *entry)
{
    struct ecs_key key = entry_key(entry);
    if (cache->changed)
        cache->changed(cache->changed_arg, &key);
}

static void set_standing(struct ecs_cache *cache, struct entry *entry, int64_t begun_ms)
{
    bool forever = entry->doc && entry->listing->kind->lifetime == ECS_FOREVER;
    entry->standing.begun_ms = begun_ms;
    entry->standing.arrived_ms = now_ms(cache);
    entry->standing.until_ms = forever ? INT64_MAX : begun_ms + cache->options.stale_ms;
    if (entry->extra && entry->extra->trouble.error)
        trouble_set(cache, &entry->extra->trouble, NULL);
}

/* The old values of `written` fields that now have another. Best effort. */
static void keep_previous(struct entry *entry, const struct ecs_doc *old, const struct ecs_doc *now)
{
    const struct ecs_field *fields = entry->listing->kind->fields;
    size_t n = 0;
    while (fields && fields[n].name)
        n++;
    for (size_t i = 0; i < n; i++) {
        const char *was = ecs_doc_field_at(old, i), *is = ecs_doc_field_at(now, i);
        if (!fields[i].written || !was || !is || strcmp(was, is) == 0)
            continue;
        struct extra *extra = entry_extra(entry);
        if (!extra)
            return;
        if (!extra->previous) {
            extra->previous = calloc(n, sizeof(char *));
            if (!extra->previous)
                return;
            extra->previous_len = n;
        }
        char *copy = strdup(was);
        if (copy) {
            free(extra->previous[i]);
            extra->previous[i] = copy;
        }
    }
}

static void count_doc(struct ecs_cache *cache, const struct ecs_doc *doc, int sign)
{
    if (!doc)
        return;
    cache->status.documents += (size_t)sign;
    cache->status.bytes += (size_t)sign * ecs_doc_bytes(doc);
}

/* The account is known from the first ARN that a document shows. */
static void learn_account(struct ecs_cache *cache, const struct ecs_doc *doc)
{
    const struct ecs_field *fields = ecs_doc_kind(doc)->fields;
    for (size_t i = 0; cache->store && fields && fields[i].name; i++) {
        const char *text = ecs_doc_field_at(doc, i);
        if (text && strncmp(text, "arn:", 4) == 0)
            store_learn(cache, text);
    }
}

/* Puts a document (NULL: absent) in force; takes it over. An equal one changes nothing but its age. */
static void put_doc(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc, int64_t begun_ms)
{
    struct ecs_doc *old = entry->doc;
    bool known = entry->standing.arrived_ms != 0;
    bool equal = old && doc && ecs_doc_hash(old) == ecs_doc_hash(doc);
    if (equal) {
        ecs_doc_unref(doc);
        set_standing(cache, entry, begun_ms);
        return;
    }
    if (doc) {
        learn_account(cache, doc);
        doc = ecs_doc_pack(doc);
    }
    if (old && doc)
        keep_previous(entry, old, doc);
    count_doc(cache, old, -1);
    count_doc(cache, doc, +1);
    entry->doc = doc;
    bury_doc(cache, old);
    set_standing(cache, entry, begun_ms);
    if (entry->listing->kind->lifetime == ECS_FOREVER)
        store_keep(cache, entry);
    entry->stored = false;
    if (known && (old || doc))
        tell(cache, entry);
}

/* From the store on disk: it is there already, and nobody knew anything else of it. */
void keep_stored(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc)
{
    entry->doc = ecs_doc_pack(doc);
    count_doc(cache, entry->doc, +1);
    set_standing(cache, entry, now_ms(cache));
    entry->stored = true;
}

/* An answer that a write of ours has overtaken: the write's word stands, and answers who waited, but is
 * not held fresh for longer than it takes the write to settle. */
static void keep_own_word(struct ecs_cache *cache, struct entry *entry, int64_t begun_ms)
{
    set_standing(cache, entry, begun_ms);
    int64_t settled = entry->extra->write_ms + cache->options.settle_ms;
    if (entry->standing.until_ms > settled)
        entry->standing.until_ms = settled;
}

/* The document of an alias (a family's newest revision) is that of the other kind's resource too. */
static void keep_alias(struct ecs_cache *cache, struct entry *entry, int64_t begun_ms, uint64_t begun_seq)
{
    const struct ecs_kind *kind = entry->listing->kind;
    const char *parent = ecs_doc_field(entry->doc, kind->alias_parent);
    const char *id = ecs_doc_field(entry->doc, kind->alias_id);
    struct listing *listing = parent && id ? listing_get(cache, kind->alias_kind, parent) : NULL;
    struct entry *other = listing ? entry_get(cache, listing, id) : NULL;
    size_t len;
    if (!other)
        return;
    store_load(cache, other);
    if (other->doc && ecs_doc_time_ms(other->doc) == ecs_doc_time_ms(entry->doc))
        return;
    if (other->doc && other->stored)
        store_distrust(cache); /* what cannot change has changed; it drops `other` */
    other = entry_get(cache, listing, id);
    if (!other)
        return;
    /* Fields and dictionary are the kind's own, so it is made anew. */
    cleanup_free char *text = ecs_doc_text(entry->doc, &len);
    struct ecs_doc *doc = text ? store_doc_of(listing->kind, text, len) : NULL;
    if (doc) {
        keep_answer(cache, other, doc, begun_ms, begun_seq);
        wake_entry(cache, other);
    }
    entry_release(cache, other);
}

void keep_answer(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc, int64_t begun_ms,
                 uint64_t begun_seq)
{
    cleanup_doc struct ecs_doc *answer = doc;
    struct extra *extra = entry->extra;
    if (extra && extra->write_seq > begun_seq)
        return; /* asked before our write: it says nothing */
    if (entry->standing.arrived_ms && begun_ms < entry->standing.begun_ms)
        return; /* overtaken by a later answer */
    if (answer && is_gone(answer))
        answer = ecs_doc_unref(answer);
    if (write_unsettled(cache, entry, begun_ms) &&
        ((extra->created && !answer) || (extra->deleted && answer) ||
         (answer && contradicts_write(cache, entry, answer, begun_ms)))) {
        keep_own_word(cache, entry, begun_ms);
        return;
    }
    if (!answer && kept_take(cache, entry, begun_ms))
        return;
    put_doc(cache, entry, steal(answer), begun_ms);
    if (entry->doc && entry->listing->kind->is_alias)
        keep_alias(cache, entry, begun_ms, begun_seq);
}

void keep_error(struct ecs_cache *cache, struct entry *entry, struct ecs_error *error)
{
    struct extra *extra = entry_extra(entry);
    if (extra)
        trouble_set(cache, &extra->trouble, error);
}

void keep_written(struct ecs_cache *cache, struct entry *entry, struct ecs_doc *doc, int64_t begun_ms)
{
    if (doc && is_gone(doc))
        doc = ecs_doc_unref(doc);
    remember_before(cache, entry);
    struct extra *extra = entry_extra(entry);
    if (extra) {
        extra->write_seq = cache->writes;
        extra->write_ms = now_ms(cache);
        extra->created = doc != NULL;
        extra->deleted = doc == NULL;
    }
    put_doc(cache, entry, doc, begun_ms);
    if (!doc) /* ours to know until AWS has settled */
        entry->standing.until_ms = now_ms(cache) + cache->options.settle_ms;
    wake_entry(cache, entry);
}

void drop_entry(struct ecs_cache *cache, struct entry *entry)
{
    bool known = entry->standing.arrived_ms != 0;
    kept_leave(cache, entry);
    count_doc(cache, entry->doc, -1);
    bury_doc(cache, steal(entry->doc));
    entry->standing = (struct standing){0};
    if (entry->extra)
        trouble_set(cache, &entry->extra->trouble, NULL);
    entry->stored = false;
    if (entry->listing->kind->lifetime == ECS_FOREVER)
        store_drop(cache, entry);
    if (known)
        tell(cache, entry);
}

/* Answers on their way were asked for before, so they are not believed either. */
void forget_entry(struct ecs_cache *cache, struct entry *entry)
{
    if (entry->fetch || entry->extra) {
        struct extra *extra = entry_extra(entry);
        if (extra) {
            extra->write_seq = ++cache->writes;
            extra->write_ms = now_ms(cache);
            extra->created = extra->deleted = false;
        }
    }
    drop_entry(cache, entry);
    entry_release(cache, entry);
}
