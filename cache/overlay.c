/* SPDX-License-Identifier: Apache-2.0 */
/* Read-your-writes while AWS's answers lag behind: for settle_ms after a write of ours, answers that show
 * what was before it are not believed. */
#include <stdlib.h>
#include <string.h>

#include "doc_private.h"
#include "state.h"

static bool unsettled(const struct ecs_cache *cache, int64_t write_ms, int64_t begun_ms)
{
    return begun_ms < write_ms + cache->options.settle_ms;
}

bool write_unsettled(const struct ecs_cache *cache, const struct entry *entry, int64_t begun_ms)
{
    return entry->extra && entry->extra->write_seq && unsettled(cache, entry->extra->write_ms, begun_ms);
}

void befores_free(struct before *befores)
{
    while (befores) {
        struct before *next = befores->next;
        ecs_doc_unref(befores->doc);
        free(befores);
        befores = next;
    }
}

/* Forgets what no answer begun from now on can show any more. */
static void befores_prune(struct ecs_cache *cache, struct extra *extra)
{
    struct before **at = &extra->befores;
    while (*at && unsettled(cache, (*at)->ms, now_ms(cache)))
        at = &(*at)->next;
    befores_free(*at); /* newest first: the rest is older */
    *at = NULL;
}

/* Best effort: without memory for it, a lagging answer may be shown. */
void remember_before(struct ecs_cache *cache, struct entry *entry)
{
    struct extra *extra = entry_extra(entry);
    if (!extra || !entry->doc)
        return;
    befores_prune(cache, extra);
    struct before *before = malloc(sizeof(*before));
    if (!before)
        return;
    *before = (struct before){extra->befores, ecs_doc_ref(entry->doc), now_ms(cache)};
    extra->befores = before;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool contradicts_write(struct ecs_cache *cache, struct entry *entry, const struct ecs_doc *answer,
                       int64_t begun_ms)
{
    const struct ecs_field *fields = entry->listing->kind->fields;
    if (!entry->extra || !entry->doc)
        return false;
    for (const struct before *before = entry->extra->befores; before; before = before->next) {
        if (!unsettled(cache, before->ms, begun_ms))
            continue;
        for (size_t i = 0; fields && fields[i].name; i++) {
            const char *theirs = ecs_doc_field_at(answer, i);
            if (fields[i].written && !same(theirs, ecs_doc_field_at(entry->doc, i)) &&
                same(theirs, ecs_doc_field_at(before->doc, i)))
                return true;
        }
    }
    return false;
}

int overlay_add(struct ecs_cache *cache, struct listing *listing, const char *id, bool joined)
{
    size_t len = strlen(id);
    struct overlay *overlay = malloc(sizeof(*overlay) + len + 1);
    if (!overlay)
        return -1;
    overlay->next = listing->overlays;
    overlay->ms = now_ms(cache);
    overlay->joined = joined;
    memcpy(overlay->id, id, len + 1);
    listing->overlays = overlay;
    return 0;
}

void overlay_withdraw(struct listing *listing, const char *id)
{
    struct overlay **at = &listing->overlays;
    while (*at) {
        struct overlay *said = *at;
        if (strcmp(said->id, id) == 0) {
            *at = said->next;
            free(said);
        } else {
            at = &said->next;
        }
    }
}

int overlay_says(const struct ecs_cache *cache, const struct listing *listing, const char *id,
                 int64_t begun_ms)
{
    for (const struct overlay *at = listing->overlays; at; at = at->next) /* the newest word counts */
        if (strcmp(at->id, id) == 0)
            return !unsettled(cache, at->ms, begun_ms) ? 0 : at->joined ? 1 : -1;
    return 0;
}

void overlays_prune(struct ecs_cache *cache, struct listing *listing, int64_t begun_ms)
{
    struct overlay **at = &listing->overlays;
    while (*at && unsettled(cache, (*at)->ms, begun_ms))
        at = &(*at)->next;
    while (*at) {
        struct overlay *old = *at;
        *at = old->next;
        free(old);
    }
}

void overlays_free(struct listing *listing)
{
    while (listing->overlays) {
        struct overlay *old = listing->overlays;
        listing->overlays = old->next;
        free(old);
    }
}
