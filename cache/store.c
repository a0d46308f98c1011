/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/log.h"
#include "hash.h"
#include "list.h"
#include "state.h"
#include "store_file.h"

/* How often the backend's status is looked at while the account is not known. */
enum { LOOK_MS = 1000 };

struct store {
    char *dir;
    struct store_file *file;
    bool tried; /* opened, or in vain */
    int64_t looked_ms;
};

struct store *store_new(const char *dir)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->dir = strdup(dir);
    if (!store->dir)
        return store_free(store);
    return store;
}

struct store *store_free(struct store *store)
{
    if (store) {
        store_file_close(store->file);
        free(store->dir);
        free(store);
    }
    return NULL;
}

struct ecs_doc *store_doc_of(const struct ecs_kind *kind, const char *text, size_t len)
{
    json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    struct ecs_doc *doc = json_is_object(tree) ? ecs_doc_new(kind, tree) : NULL;
    json_decref(tree);
    return doc;
}

/* Region and account are the fourth and fifth part of an ARN. */
static bool parse_arn(const char *arn, char region[32], char account[16])
{
    return sscanf(arn, "arn:%*[^:]:%*[^:]:%31[^:]:%15[0-9]", region, account) == 2;
}

/* A file name of AWS's words and a hash: a region that is no plain word is not used. The partition is the
 * region's own: no region is in two. */
static void open_store(struct ecs_cache *cache, const char *region, const char *account, const char *endpoint)
{
    struct store *store = cache->store;
    char name[128];
    if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
        return;
    store->tried = true;
    snprintf(name, sizeof(name), "%s-%s-%016llx.docs", account, region,
             (unsigned long long)ecs_hash(endpoint, strlen(endpoint), 1));
    int r = store_file_open(store->dir, name, &store->file);
    if (r < 0)
        ecs_debug("the document store %s/%s cannot be used: %s", store->dir, name, strerror(-r));
}

void store_learn(struct ecs_cache *cache, const char *arn)
{
    struct store *store = cache->store;
    struct ecs_backend_status status = {0};
    char region[32] = "", account[16] = "";
    if (!store || store->tried)
        return;
    int64_t now = now_ms(cache);
    if (arn ? !parse_arn(arn, region, account) : store->looked_ms && now < store->looked_ms + LOOK_MS)
        return;
    cache->backend->status(cache->backend, &status);
    if (!arn) {
        store->looked_ms = now;
        snprintf(region, sizeof(region), "%s", status.region);
        snprintf(account, sizeof(account), "%s", status.account);
    }
    if (*region && *account)
        open_store(cache, region, account, status.endpoint);
}

static struct store_file *file_of(const struct ecs_cache *cache)
{
    return cache->store ? cache->store->file : NULL;
}

bool store_load(struct ecs_cache *cache, struct entry *entry)
{
    const struct listing *listing = entry->listing;
    struct store_file *file = file_of(cache);
    if (!file || entry->doc || entry->standing.arrived_ms || listing->kind->lifetime != ECS_FOREVER)
        return false;
    /* What AWS no longer lists may have become something else: it is asked for. */
    if (listing->list && !ecs_list_has(listing->list, entry->id))
        return false;
    /* Our own writes come first. */
    if (entry->extra && entry->extra->write_seq)
        return false;
    size_t len;
    cleanup_free char *text = store_file_get(file, listing->kind->name, listing->parent, entry->id, &len);
    struct ecs_doc *doc = text ? store_doc_of(listing->kind, text, len) : NULL;
    if (!doc)
        return false;
    keep_stored(cache, entry, doc);
    return true;
}

void store_keep(struct ecs_cache *cache, struct entry *entry)
{
    struct store_file *file = file_of(cache);
    size_t len;
    if (!file)
        return;
    if (!entry->doc) {
        store_drop(cache, entry);
        return;
    }
    cleanup_free char *text = ecs_doc_text(entry->doc, &len);
    if (text)
        store_file_put(file, entry->listing->kind->name, entry->listing->parent, entry->id, text, len);
}

void store_drop(struct ecs_cache *cache, struct entry *entry)
{
    struct store_file *file = file_of(cache);
    if (file)
        store_file_remove(file, entry->listing->kind->name, entry->listing->parent, entry->id);
}

void store_distrust(struct ecs_cache *cache)
{
    struct store_file *file = file_of(cache);
    if (!file)
        return;
    ecs_debug("the document store is of another account of the same name: cleared");
    store_file_clear(file);
    for (struct listing *listing = cache->listings; listing; listing = listing->next) {
        for (struct entry *entry = listing->entries, *next; entry; entry = next) {
            next = entry->next;
            if (entry->stored && entry->doc) {
                drop_entry(cache, entry);
                entry_release(cache, entry);
            }
        }
    }
}
