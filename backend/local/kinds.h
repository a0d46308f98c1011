/* SPDX-License-Identifier: Apache-2.0 */
/* All kinds of records, in the order in which they are loaded: what is referred to comes first. */
#ifndef LOCAL_KINDS_H
#define LOCAL_KINDS_H

#include "state.h"

extern const struct record_kind settings_kind, provider_kind, cluster_kind, family_kind, task_definition_kind,
    instance_kind, service_kind, task_kind, token_kind, registry_kind, repository_kind, image_kind,
    log_group_kind, log_stream_kind, log_lines_kind;

extern const struct record_kind *const record_kinds[]; /* ends with NULL */

/* Frees all that a region holds. */
void region_free_all(struct region *region);

#endif
