/* SPDX-License-Identifier: Apache-2.0 */
/* What stays known when AWS has forgotten it: a stopped task, an hour after it stopped. Its last document is
 * the last word on it, and is listed as before, for as long as the cache lives; only the newest KEPT_MAX. */
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "state.h"

enum { KEPT_MAX = 1000, KEPT_SLACK = 100 };

static bool is_final(const struct entry *entry)
{
    const struct ecs_kind *kind = entry->listing->kind;
    const char *value = kind->kept_field && entry->doc ? ecs_doc_field(entry->doc, kind->kept_field) : NULL;
    return value && strcmp(value, kind->kept_value) == 0;
}

void kept_leave(struct ecs_cache *cache, struct entry *entry)
{
    if (!entry->kept)
        return;
    entry->kept = false;
    *entry->extra->kept_prev = entry->extra->kept_next;
    if (entry->extra->kept_next)
        entry->extra->kept_next->extra->kept_prev = entry->extra->kept_prev;
    cache->kept_len--;
}

static int newest_first(const void *a, const void *b)
{
    int64_t one = ecs_doc_time_ms((*(struct entry *const *)a)->doc);
    int64_t other = ecs_doc_time_ms((*(struct entry *const *)b)->doc);
    return one > other ? -1 : one < other;
}

static void prune(struct ecs_cache *cache, size_t slack)
{
    size_t n = 0;
    if (cache->kept_len <= KEPT_MAX + slack)
        return;
    cleanup_free struct entry **entries = calloc(cache->kept_len, sizeof(struct entry *));
    if (!entries)
        return;
    for (struct entry *at = cache->kept; at; at = at->extra->kept_next)
        entries[n++] = at;
    qsort(entries, n, sizeof(struct entry *), newest_first);
    for (size_t i = KEPT_MAX; i < n; i++)
        drop_entry(cache, entries[i]);
}

bool kept_take(struct ecs_cache *cache, struct entry *entry, int64_t begun_ms)
{
    if (entry->kept)
        return true;
    struct extra *extra = is_final(entry) ? entry_extra(entry) : NULL;
    if (!extra || extra->deleted)
        return false;
    entry->kept = true;
    extra->kept_next = cache->kept;
    extra->kept_prev = &cache->kept;
    if (extra->kept_next)
        extra->kept_next->extra->kept_prev = &extra->kept_next;
    cache->kept = entry;
    cache->kept_len++;
    entry->standing = (struct standing){begun_ms, now_ms(cache), INT64_MAX};
    prune(cache, KEPT_SLACK); /* not sorted for each one */
    return entry->kept;       /* it may be older than all the others */
}

struct ecs_list *kept_join(struct ecs_cache *cache, struct listing *listing, struct ecs_list *list,
                           int64_t begun_ms)
{
    size_t n = 0;
    if (!list || !listing->kind->kept_field)
        return list;
    for (struct entry *entry = listing->entries; entry; entry = entry->next)
        n += !ecs_list_has(list, entry->id) && kept_take(cache, entry, begun_ms);
    if (n == 0)
        return list;
    prune(cache, 0);
    size_t len = ecs_list_len(list);
    cleanup_free const char **ids = calloc(len + n, sizeof(char *));
    if (!ids)
        return ecs_list_free(list);
    for (size_t i = 0; i < len; i++)
        ids[i] = ecs_list_at(list, i);
    for (struct entry *entry = listing->entries; entry && n > 0; entry = entry->next)
        if (entry->kept && !ecs_list_has(list, entry->id)) {
            ids[len++] = entry->id;
            n--;
        }
    struct ecs_list *joined = ecs_list_new(ids, len);
    ecs_list_free(list);
    return joined;
}
