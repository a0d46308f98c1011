/* SPDX-License-Identifier: Apache-2.0 */
/* The store on disk: documents that cannot change, kept across remounts. Every failure of it is
 * harmless: what it does not have is asked for. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct ecs_cache;
struct ecs_kind;
struct entry;
struct listing;
struct store;

/* `dir` is made (mode 0700) when the first document is kept. NULL: out of memory. */
struct store *store_new(const char *dir);
struct store *store_free(struct store *store);

/* Told an ARN of ours, or asked to look at the backend's status: once the account is known, the store can be
 * opened, for its documents are those of one account. */
void store_learn(struct ecs_cache *cache);

/* Puts the entry's document into force when the store has it. */
bool store_load(struct ecs_cache *cache, struct entry *entry);
/* The entry's document is new, or gone. */
void store_keep(struct ecs_cache *cache, struct entry *entry);
void store_drop(struct ecs_cache *cache, struct entry *entry);

/* A new list is in force: what it does not name is dropped. */
void store_listed(struct ecs_cache *cache, struct listing *listing);

/* A document made of its canonical text. NULL: out of memory, or not JSON. */
struct ecs_doc *store_doc_of(const struct ecs_kind *kind, const char *text, size_t len);

#endif
