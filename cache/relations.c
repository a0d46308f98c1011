/* SPDX-License-Identifier: Apache-2.0 */
/* What a write to one kind means to the kinds that show the same thing: a new revision is its family's
 * newest, a deregistered one is no longer ACTIVE but INACTIVE, an updated service may have begun a
 * deployment. The rows tell which kinds those are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "state.h"
#include "store.h"

static struct ecs_doc *as_kind(const struct ecs_kind *kind, const struct ecs_doc *doc)
{
    size_t len;
    cleanup_free char *text = ecs_doc_text(doc, &len);
    return text ? store_doc_of(kind, text, len) : NULL;
}

/* The entry is an alias (a family): its document's own kind has it too. */
static void keep_original(struct ecs_cache *cache, struct entry *entry, bool created)
{
    const struct ecs_kind *kind = entry->listing->kind;
    const char *parent = entry->doc ? ecs_doc_field(entry->doc, kind->alias_parent) : NULL;
    const char *id = entry->doc ? ecs_doc_field(entry->doc, kind->alias_id) : NULL;
    struct listing *listing = parent && id ? listing_get(cache, kind->alias_kind, parent) : NULL;
    struct entry *original = listing ? entry_get(cache, listing, id) : NULL;
    if (!original)
        return;
    struct ecs_doc *doc = as_kind(listing->kind, entry->doc);
    if (doc)
        keep_written(cache, original, doc, entry->standing.begun_ms);
    if (created)
        list_join(cache, listing, id);
}

/* The entry is what an alias stands for (a revision): is it, or was it, the newest one? */
static void keep_alias_of(struct ecs_cache *cache, enum ecs_kind_id alias, struct entry *entry, bool created)
{
    const char *name = entry->listing->parent;
    struct listing *listing = listing_get(cache, alias, "");
    struct entry *family = listing ? entry_get(cache, listing, name) : NULL;
    if (!family || !entry_extra(family))
        return;
    if (entry->doc && created) {
        struct ecs_doc *doc = as_kind(listing->kind, entry->doc);
        if (doc)
            keep_written(cache, family, doc, entry->standing.begun_ms);
        list_join(cache, listing, name);
        return;
    }
    const char *newest = family->doc ? ecs_doc_field(family->doc, listing->kind->alias_id) : NULL;
    if (!entry->doc && (!newest || strcmp(newest, entry->id) == 0)) {
        forget_entry(cache, family);
        if (!entry->listing->list ||
            ecs_list_len(entry->listing->list) == 0) { /* it may have been the last */
            overlay_withdraw(listing, name);
            list_forget(cache, listing);
        }
    }
}

void forget_begun(struct ecs_cache *cache, const struct ecs_kind *kind, const char *parent, const char *id)
{
    cleanup_free char *under = NULL;
    if (!kind->begins || asprintf(&under, "%s/%s", parent, id) < 0)
        return;
    struct listing *listing = listing_get(cache, kind->begun_kind, under);
    if (!listing)
        return;
    list_forget(cache, listing);
    listing->unsettled_ms = now_ms(cache) + cache->options.settle_ms;
}

void keep_relations(struct ecs_cache *cache, struct entry *entry, bool created)
{
    const struct ecs_kind *kind = entry->listing->kind;
    forget_begun(cache, kind, entry->listing->parent, entry->id);
    if (kind->is_alias)
        keep_original(cache, entry, created);
    for (unsigned i = 0; i < ECS_KINDS; i++)
        if (ecs_kinds[i] && ecs_kinds[i]->is_alias && ecs_kinds[i]->alias_kind == entry->listing->kind_id)
            keep_alias_of(cache, (enum ecs_kind_id)i, entry, created);
    struct listing *next = NULL;
    if (!entry->doc && kind->has_next)
        next = listing_find(cache, kind->next_kind, entry->listing->parent);
    struct entry *moved = next ? entry_find(cache, next, entry->id) : NULL;
    if (moved)
        forget_entry(cache, moved);
    if (next)
        list_forget(cache, next);
}
