/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache asks of documents beyond ecsfs/doc.h. */
#ifndef CACHE_DOC_PRIVATE_H
#define CACHE_DOC_PRIVATE_H

#include "ecsfs/doc.h"

/* The field at that place of the kind's row, or NULL. */
const char *ecs_doc_field_at(const struct ecs_doc *doc, size_t i);
const struct ecs_kind *ecs_doc_kind(const struct ecs_doc *doc);
/* The same document with its text packed, for keeping; takes over doc. Documents are made with plain text,
 * for that is on the network's thread, whose time is the scarcer, and answers that change nothing are never
 * packed. Without memory for it the document stays as it is. */
struct ecs_doc *ecs_doc_pack(struct ecs_doc *doc);
/* Memory of this document, without the dictionary that it shares. */
size_t ecs_doc_bytes(const struct ecs_doc *doc);

#endif
