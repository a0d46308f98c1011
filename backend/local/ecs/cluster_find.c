/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster by its name or ARN, for whoever lives in one. */
#include <string.h>

#include "clusters.h"

const char *cluster_name_in(const char *name_or_arn)
{
    return strncmp(name_or_arn, "arn:", 4) == 0 ? last_part(name_or_arn) : name_or_arn;
}

struct cluster *cluster_find(const struct region *region, const char *name_or_arn)
{
    struct cluster *cluster =
        index_get(&region->clusters_by_name, name_or_arn ? cluster_name_in(name_or_arn) : "default");
    return cluster && record_is_seen(&cluster->record) ? cluster : NULL;
}

struct cluster *cluster_of(struct request *rq, const char *member)
{
    struct cluster *cluster = cluster_find(rq->region, in_text(rq->in, member));
    if (!cluster)
        return refuse(rq, "ClusterNotFoundException", "Cluster not found.");
    if (!cluster->active)
        return refuse(rq, "ClusterNotFoundException", "The referenced cluster was inactive.");
    return cluster;
}
