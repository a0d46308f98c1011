/* SPDX-License-Identifier: Apache-2.0 */
/* The store on disk: documents that cannot change, kept across remounts. Every failure of it is
 * harmless: what it does not have is asked for. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct ecs_cache;
struct ecs_doc;
struct ecs_kind;
struct entry;
struct store;

/* `dir` is made (mode 0700) when the account is known. NULL: out of memory. */
struct store *store_new(const char *dir);
struct store *store_free(struct store *store); /* NULL is fine; returns NULL */

/* Documents are those of one account, region and endpoint; the store opens once these are known: from an ARN
 * that AWS sent, or from the backend's status, which is looked at when arn is NULL. */
void store_learn(struct ecs_cache *cache, const char *arn);

/* Puts the entry's document into force when the store has it. */
bool store_load(struct ecs_cache *cache, struct entry *entry);
/* The entry's document is new (NULL: gone). */
void store_keep(struct ecs_cache *cache, struct entry *entry);
void store_drop(struct ecs_cache *cache, struct entry *entry);
/* AWS contradicted a stored document that cannot change: they are of an account that was made anew (a test
 * endpoint). All are dropped. */
void store_distrust(struct ecs_cache *cache);

/* A document made of its canonical text. NULL: out of memory, or not JSON. */
struct ecs_doc *store_doc_of(const struct ecs_kind *kind, const char *text, size_t len);

#endif
