/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache hands out is borrowed until the next pump. What is replaced before that rests here. */
#include <stdlib.h>

#include "list.h"
#include "state.h"

struct graveyard {
    struct graveyard *next;
    struct ecs_doc *doc;
    struct ecs_list *list;
    struct ecs_error *error;
};

static void bury(struct ecs_cache *cache, struct graveyard dead)
{
    if (!dead.doc && !dead.list && !dead.error)
        return;
    struct graveyard *grave = malloc(sizeof(*grave));
    if (!grave)
        return; /* out of memory: better a leak than a borrowed pointer into freed memory */
    dead.next = cache->graveyard;
    *grave = dead;
    cache->graveyard = grave;
}

void bury_doc(struct ecs_cache *cache, struct ecs_doc *doc)
{
    bury(cache, (struct graveyard){.doc = doc});
}

void bury_list(struct ecs_cache *cache, struct ecs_list *list)
{
    bury(cache, (struct graveyard){.list = list});
}

void bury_error(struct ecs_cache *cache, struct ecs_error *error)
{
    bury(cache, (struct graveyard){.error = error});
}

void graveyard_clear(struct ecs_cache *cache)
{
    while (cache->graveyard) {
        struct graveyard *grave = cache->graveyard;
        cache->graveyard = grave->next;
        ecs_doc_unref(grave->doc);
        ecs_list_free(grave->list);
        ecs_error_unref(grave->error);
        free(grave);
    }
}
