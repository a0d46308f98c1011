/* SPDX-License-Identifier: Apache-2.0 */
/* Changing calls: sent once, followed to their outcome even when nobody waits any more. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/json.h"
#include "reply.h"
#include "state.h"

/* What the cache adds to an action, in the same allocation; action->cache_private points to it. */
struct action_state {
    struct ecs_action action;          /* first */
    struct action_state *next, **prev; /* in cache->looking */
    struct ecs_cache *cache;
    struct ecs_cache_waiters waiters;
    struct ecs_doc *before; /* as the resource was, for the digest */
    struct ecs_want look;   /* after a lost answer */
    struct ecs_error *lost;
    bool sent_again;
    int64_t begun_ms;
    char *parent, *id;
};

static struct action_state *state_of(const struct ecs_action *action)
{
    return action->cache_private;
}

static bool reads_docs(const struct ecs_action *action)
{
    return action->member || action->effect == ECS_EFFECT_UPDATE || action->effect == ECS_EFFECT_CREATE;
}

/* On the backend's thread: nothing is touched but the action, which is the backend's meanwhile. */
static struct ecs_error *digest_action(struct ecs_call *call, struct json_t *tree)
{
    struct ecs_action *action = (struct ecs_action *)call;
    const struct ecs_kind *kind = ecs_kinds[action->key.kind];
    cleanup_reply struct reply *reply = NULL;
    if (reads_docs(action)) {
        struct ecs_error *error = reply_read_written(kind, call->operation, action->member, action->beside,
                                                     tree, state_of(action)->before, &reply);
        if (error)
            return error;
    } else {
        reply = calloc(1, sizeof(*reply));
    }
    if (reply && action->want_reply)
        reply->text = ecs_json_text(tree, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (!reply || (action->want_reply && !reply->text))
        return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    call->result = steal(reply);
    return NULL;
}

bool is_action_call(const struct ecs_call *call)
{
    return call->digest == digest_action;
}

struct ecs_action *ecs_action_new(const char *service, const char *operation, char *body,
                                  enum ecs_effect effect, const struct ecs_key *key, const char *member)
{
    struct action_state *state = calloc(1, sizeof(*state));
    if (!state) {
        free(body);
        return NULL;
    }
    struct ecs_action *action = &state->action;
    action->cache_private = state;
    action->call.service = service;
    action->call.operation = operation;
    action->call.body = body;
    action->call.priority = ECS_PRIORITY_WRITE;
    action->call.writing = true;
    action->call.digest = digest_action;
    action->effect = effect;
    action->member = member;
    action->held = true;
    state->waiters.what = FOR_ACTION;
    state->parent = strdup(key ? key->parent : "");
    state->id = strdup(key ? key->id : "");
    action->key = (struct ecs_key){key ? key->kind : ECS_CLUSTER, state->parent, state->id};
    if (!body || !state->parent || !state->id)
        return ecs_action_unhold(action);
    return action;
}

static void action_free(struct ecs_action *action)
{
    struct action_state *state = state_of(action);
    ecs_doc_unref(state->before);
    ecs_doc_unref(action->doc);
    ecs_error_unref(action->error);
    ecs_error_unref(state->lost);
    free(action->reply);
    free(action->call.body);
    free(action->call.bytes);
    if (action->call.bearer)
        explicit_bzero(action->call.bearer, strlen(action->call.bearer));
    free(action->call.bearer);
    free(state->parent);
    free(state->id);
    free(state);
}

struct ecs_action *ecs_action_unhold(struct ecs_action *action)
{
    if (!action)
        return NULL;
    action->held = false;
    if (action->done || !action->started)
        action_free(action);
    return NULL;
}

static void submit(struct ecs_cache *cache, struct ecs_action *action)
{
    struct action_state *state = state_of(action);
    struct ecs_doc *before = ecs_cache_peek(cache, &action->key, NULL);
    ecs_doc_unref(state->before);
    state->before = ecs_doc_ref(before);
    state->begun_ms = now_ms(cache);
    action->call.home = cache->mailbox;
    action->call.error = NULL;
    action->call.result = NULL;
    action->call.attempts = 0;
    action->call.sent_ms = 0;
    action->call.backend_private = NULL;
    away_sent(cache);
    cache->backend->submit(cache->backend, &action->call);
}

int ecs_cache_act(struct ecs_cache *cache, struct ecs_want *want, struct ecs_action *action)
{
    struct action_state *state = state_of(action);
    want->error = action->error;
    want->stale = false;
    if (action->done)
        return action->error ? action->error->err : 0;
    if (!action->started) {
        action->started = true;
        state->cache = cache;
        submit(cache, action);
    }
    park(&state->waiters, want);
    return ECS_PARKED;
}

/* An unsent call is called back; one that AWS may have is followed to its end. */
void action_interrupted(struct ecs_cache *cache, struct ecs_cache_waiters *waiters)
{
    struct action_state *state = container_of(waiters, struct action_state, waiters);
    if (!state->prev)
        cache->backend->cancel(cache->backend, &state->action.call);
}

/* Takes over the error. */
static void finish(struct ecs_cache *cache, struct ecs_action *action, struct ecs_error *error)
{
    struct action_state *state = state_of(action);
    if (state->prev) {
        *state->prev = state->next;
        if (state->next)
            state->next->prev = state->prev;
        state->prev = NULL;
    }
    action->done = true;
    action->error = error;
    wake_all(cache, &state->waiters);
    if (action->finished)
        action->finished(action, error);
    if (!action->held)
        action_free(action);
}

/* What a write tells of one resource; takes over doc. */
static void keep_one(struct ecs_cache *cache, struct ecs_action *action, const char *id, struct ecs_doc *doc)
{
    struct listing *listing = listing_get(cache, action->key.kind, action->key.parent);
    struct entry *entry = listing ? entry_get(cache, listing, id) : NULL;
    if (!entry) {
        ecs_doc_unref(doc);
        return;
    }
    bool gone = is_gone(doc);
    keep_written(cache, entry, doc, state_of(action)->begun_ms);
    if (gone)
        list_leave(cache, listing, id);
    else if (action->effect == ECS_EFFECT_CREATE)
        list_join(cache, listing, id);
    keep_relations(cache, entry, action->effect == ECS_EFFECT_CREATE);
}

static void forget_one(struct ecs_cache *cache, const struct ecs_action *action)
{
    if (action->effect == ECS_EFFECT_NONE) /* of nothing: a reading call's key is no key */
        return;
    struct listing *listing = listing_get(cache, action->key.kind, action->key.parent);
    if (!listing)
        return;
    struct ecs_key list_key = {action->key.kind, action->key.parent, ""};
    if (listing->kind->list.describes) /* what is known of one came with the list */
        ecs_cache_forget(cache, &list_key);
    if (!*action->key.id) {
        list_forget(cache, listing);
        return;
    }
    forget_begun(cache, listing->kind, listing->parent, action->key.id);
    struct entry *entry = entry_get(cache, listing, action->key.id);
    /* An answer asked for before is on its way perhaps to an entry that nothing is known of yet. */
    if (entry && entry_extra(entry))
        forget_entry(cache, entry);
    if (action->effect == ECS_EFFECT_CREATE)
        list_join(cache, listing, action->key.id);
}

static void delete_one(struct ecs_cache *cache, const struct ecs_action *action)
{
    struct listing *listing = listing_get(cache, action->key.kind, action->key.parent);
    struct entry *entry = listing ? entry_get(cache, listing, action->key.id) : NULL;
    if (!entry)
        return;
    keep_written(cache, entry, NULL, state_of(action)->begun_ms);
    list_leave(cache, listing, action->key.id);
    keep_relations(cache, entry, false);
}

/* The success of a call, as the cache sees it. */
static void apply(struct ecs_cache *cache, struct ecs_action *action, struct reply *reply)
{
    cache->writes++;
    bool kept = false;
    for (size_t i = 0; reply && i < reply->len; i++) {
        struct reply_item *item = &reply->items[i];
        bool theirs = action->id_from_reply || reply->len > 1 || !*action->key.id;
        const char *id = theirs ? item->id : action->key.id;
        if (!action->doc)
            action->doc = ecs_doc_ref(item->doc);
        if (!id || !item->doc || (action->effect != ECS_EFFECT_UPDATE && action->effect != ECS_EFFECT_CREATE))
            continue;
        keep_one(cache, action, id, steal(item->doc));
        kept = true;
    }
    switch (action->effect) {
    case ECS_EFFECT_NONE:
        break;
    case ECS_EFFECT_UPDATE:
    case ECS_EFFECT_CREATE:
        if (!kept)
            forget_one(cache, action); /* the reply did not tell: ask */
        break;
    case ECS_EFFECT_DELETE:
        delete_one(cache, action);
        break;
    case ECS_EFFECT_FORGET:
        forget_one(cache, action);
        break;
    }
}

/* What to look at after a lost answer: the action's own key; for something new whose id only the reply would
 * have told, what bears the newest one's document (a family for its revisions). False: there is nothing. */
static bool look_key(const struct ecs_action *action, struct ecs_key *ret_key)
{
    *ret_key = action->key;
    if (*action->key.id)
        return true;
    for (unsigned i = 0; i < ECS_KINDS; i++) {
        if (ecs_kinds[i] && ecs_kinds[i]->is_alias && ecs_kinds[i]->alias_kind == action->key.kind) {
            *ret_key = (struct ecs_key){(enum ecs_kind_id)i, "", action->key.parent};
            return true;
        }
    }
    return false;
}

static void happened_after_all(struct ecs_cache *cache, struct ecs_action *action, struct ecs_doc *now)
{
    struct reply reply = {0};
    struct reply_item item = {0};
    struct ecs_key key;
    if (now && look_key(action, &key) && key.kind == action->key.kind) {
        item = (struct reply_item){(char *)key.id, ecs_doc_ref(now), NULL};
        reply = (struct reply){.items = &item, .len = 1};
    } else if (now) {
        cache->writes++;
        struct listing *listing = listing_find(cache, action->key.kind, action->key.parent);
        if (listing)
            list_forget(cache, listing);
        action->doc = ecs_doc_ref(now);
        finish(cache, action, NULL);
        return;
    }
    apply(cache, action, &reply);
    ecs_doc_unref(item.doc);
    finish(cache, action, NULL);
}

/* Woken with what is there now, or with why that cannot be told. */
static void look(struct ecs_want *want)
{
    struct action_state *state = container_of(want, struct action_state, look);
    struct ecs_action *action = &state->action;
    struct ecs_cache *cache = state->cache;
    struct ecs_key key;
    struct ecs_doc *doc = NULL;
    if (!look_key(action, &key))
        return;
    int r = ecs_cache_doc(cache, want, &key, &doc);
    if (r == ECS_PARKED)
        return;
    if (r < 0 && r != -ENOENT) { /* not to be known: the loss is the outcome */
        forget_one(cache, action);
        finish(cache, action, steal(state->lost));
    } else if (action->happened(action, doc)) {
        happened_after_all(cache, action, doc);
    } else if (!state->sent_again && state->waiters.first) { /* else nobody is left who wants it */
        state->sent_again = true;
        *state->prev = state->next;
        if (state->next)
            state->next->prev = state->prev;
        state->prev = NULL;
        submit(cache, action);
    } else {
        finish(cache, action, steal(state->lost));
    }
}

/* The answer was lost, or was a 5xx: AWS may have done it. Look before trying again. Takes over the error. */
static void start_looking(struct ecs_cache *cache, struct ecs_action *action, struct ecs_error *error)
{
    struct action_state *state = state_of(action);
    struct ecs_key key;
    if (!action->happened || !look_key(action, &key)) {
        cache->writes++;
        forget_one(cache, action);
        finish(cache, action, error);
        return;
    }
    ecs_error_unref(state->lost);
    state->lost = error;
    struct listing *listing = listing_get(cache, key.kind, key.parent);
    struct entry *entry = listing ? entry_get(cache, listing, key.id) : NULL;
    if (entry && entry_extra(entry)) { /* no answer asked for before will do */
        entry->extra->write_seq = ++cache->writes;
        if (entry->standing.begun_ms >= now_ms(cache))
            entry->standing.begun_ms = now_ms(cache) - 1;
    }
    state->next = cache->looking;
    state->prev = &cache->looking;
    if (state->next)
        state->next->prev = &state->next;
    cache->looking = state;
    state->look = (struct ecs_want){.since_ms = now_ms(cache), .fetched_after = true, .wake = look};
    look(&state->look);
}

/* No answer came, or one that only says that something broke: perhaps after the work was done. */
static bool may_have_happened(const struct ecs_error *error)
{
    return strcmp(error->code, "AnswerLost") == 0 || ecs_error_ambiguous(error);
}

/* A refused creation does not say that there is nothing: a first try of it may have been carried out. */
static void forget_absence(struct ecs_cache *cache, const struct ecs_action *action)
{
    if (action->effect == ECS_EFFECT_CREATE && *action->key.id &&
        ecs_cache_known_absent(cache, &action->key, NULL))
        ecs_cache_forget(cache, &action->key);
}

void action_home(struct ecs_cache *cache, struct ecs_action *action)
{
    cleanup_reply struct reply *reply = action->call.result;
    struct ecs_error *error = action->call.error;
    action->call.result = NULL;
    action->call.error = NULL;
    if (error && may_have_happened(error)) {
        start_looking(cache, action, error);
    } else if (error) {
        forget_absence(cache, action);
        finish(cache, action, error);
    } else {
        apply(cache, action, reply);
        if (reply)
            action->reply = steal(reply->text);
        finish(cache, action, NULL);
    }
}

void action_end(struct ecs_cache *cache, struct ecs_action *action)
{
    struct action_state *state = state_of(action);
    reply_free(steal(action->call.result));
    struct ecs_error *error = state->lost ? steal(state->lost) : steal(action->call.error);
    state->waiters.first = NULL; /* who waits may be gone already */
    finish(cache, action, error);
}

void actions_end(struct ecs_cache *cache)
{
    while (cache->looking)
        action_end(cache, &cache->looking->action);
}
