/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_CAPACITY_PROVIDERS_H
#define LOCAL_CAPACITY_PROVIDERS_H

#include "request.h"

struct cluster;

/* FARGATE, FARGATE_SPOT. */
bool capacity_provider_is_fargate(const char *name);
/* Whether all providers named exist, and those of the strategy are among `names` (or, where that is
 * NULL, the cluster's own). False: refused. Any argument may be NULL. */
bool capacity_providers_known(struct request *rq, const struct cluster *cluster, const json_t *names,
                              const json_t *strategy);
void capacity_providers_free_all(struct region *region);

#endif
