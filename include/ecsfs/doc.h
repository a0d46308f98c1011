/* SPDX-License-Identifier: Apache-2.0 */
/* A document: what AWS says of one resource, kept small. Its fields (see kind.h) as text, and the
 * whole as compressed canonical JSON; no JSON tree outlives a call. Immutable and counted; it may
 * be made on a backend's thread and read on the loop's. */
#ifndef ECSFS_DOC_H
#define ECSFS_DOC_H

#include <stddef.h>
#include <stdint.h>

#include "ecsfs/kind.h"

struct json_t;
struct ecs_doc;

/* Makes a document of a decoded describe output. Timestamps (numbers under a member whose name ends
 * with "At", "Date" or "Time") become "2026-11-23T18:20:00Z". NULL when out of memory. */
struct ecs_doc *ecs_doc_new(const struct ecs_kind *kind, const struct json_t *tree);

struct ecs_doc *ecs_doc_ref(struct ecs_doc *doc);
struct ecs_doc *ecs_doc_unref(struct ecs_doc *doc); /* takes NULL, returns NULL */

/* The field of that name in its kind's row, or NULL when AWS did not send it. */
const char *ecs_doc_field(const struct ecs_doc *doc, const char *name);
/* The resource's own time, Unix milliseconds; 0 when unknown. */
int64_t ecs_doc_time_ms(const struct ecs_doc *doc);
/* Equal for documents whose content is equal (a hash of the canonical text). */
uint64_t ecs_doc_hash(const struct ecs_doc *doc);
/* Canonical JSON: two-space indent, sorted keys, closing newline. malloc'd; NULL: out of memory. */
char *ecs_doc_text(const struct ecs_doc *doc, size_t *ret_len);
/* Length of that text without making it. */
size_t ecs_doc_text_len(const struct ecs_doc *doc);
/* The tree, a new reference for the caller; NULL: out of memory. */
struct json_t *ecs_doc_tree(const struct ecs_doc *doc);

static inline void ecs_doc_unref_p(struct ecs_doc **doc)
{
    *doc = ecs_doc_unref(*doc);
}
#define cleanup_doc __attribute__((cleanup(ecs_doc_unref_p)))

/* A listing: ids in AWS's order, without duplicates. Immutable while it can be seen. */
struct ecs_list;
size_t ecs_list_len(const struct ecs_list *list);
const char *ecs_list_at(const struct ecs_list *list, size_t i);
int ecs_list_has(const struct ecs_list *list, const char *id);
uint64_t ecs_list_hash(const struct ecs_list *list);

#endif
