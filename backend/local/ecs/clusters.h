/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_CLUSTERS_H
#define LOCAL_CLUSTERS_H

#include "request.h"

struct cluster {
    struct record record; /* first */
    TAILQ_ENTRY(cluster) link;
    char *name;
    bool active; /* else INACTIVE: deleted, and describable for a while */
    json_t *settings, *configuration, *providers, *default_strategy, *connect_defaults; /* or NULL */
    struct service_list services;
    struct index services_by_name;
    struct task_list tasks;
    struct instance_list instances;
    struct timer forget; /* when INACTIVE */
};

struct cluster_counts {
    long instances, services, draining_services;
    long running, pending; /* tasks */
};

/* By name, ARN, or NULL for "default". NULL when there is none. */
struct cluster *cluster_find(const struct region *region, const char *name_or_arn);
/* The cluster that rq->in names in `member`: refuses with ClusterNotFoundException. */
struct cluster *cluster_of(struct request *rq, const char *member);
void cluster_count(const struct cluster *cluster, struct cluster_counts *ret_counts);
/* As the API shows it; `in` may carry include[]. */
json_t *cluster_show(const struct cluster *cluster, const json_t *in);
/* "web" of "web", of ".../cluster/web". */
const char *cluster_name_in(const char *name_or_arn);
void clusters_free_all(struct region *region);

#endif
