/* SPDX-License-Identifier: Apache-2.0 */
/* Families and their revisions, as they are kept. */
#ifndef LOCAL_TASK_DEFINITION_STORE_H
#define LOCAL_TASK_DEFINITION_STORE_H

#include "task_definitions.h"

struct family *family_find(const struct region *region, const char *name);
/* The family's next revision. Takes over the document. NULL: out of memory. */
struct task_definition *task_definition_add(struct region *region, json_t *doc);
/* Marks it DELETE_IN_PROGRESS; it goes once nothing uses it. */
void task_definition_delete(struct task_definition *definition);

#endif
