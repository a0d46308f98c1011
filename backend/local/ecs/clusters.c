/* SPDX-License-Identifier: Apache-2.0 */
#include "clusters.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account_settings.h"
#include "capacity_providers.h"
#include "container_instances.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "pages.h"
#include "services.h"
#include "tasks.h"

/* How long a deleted cluster can be described as INACTIVE. */
static const double forget_ms = 3600e3;

static void cluster_free(struct cluster *cluster)
{
    struct region *region = cluster->record.region;
    tasks_free_all(cluster);
    services_free_all(cluster);
    container_instances_free_all(cluster);
    timer_disarm(&region->world->timers, &cluster->forget);
    if (index_get(&region->clusters_by_name, cluster->name) == cluster)
        index_remove(&region->clusters_by_name, cluster->name);
    TAILQ_REMOVE(&region->clusters, cluster, link);
    index_free(&cluster->services_by_name);
    record_free(&cluster->record);
    json_decref(cluster->settings);
    json_decref(cluster->configuration);
    json_decref(cluster->providers);
    json_decref(cluster->default_strategy);
    json_decref(cluster->connect_defaults);
    free(cluster->name);
    free(cluster);
}

void clusters_free_all(struct region *region)
{
    struct cluster *cluster;
    while ((cluster = TAILQ_FIRST(&region->clusters)))
        cluster_free(cluster);
    index_free(&region->clusters_by_name);
}

static void forget(struct timer *timer)
{
    struct cluster *cluster = container_of(timer, struct cluster, forget);
    record_delete(&cluster->record);
    cluster_free(cluster);
}

static struct cluster *cluster_new(struct region *region, const char *name)
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    if (!cluster)
        return NULL;
    TAILQ_INIT(&cluster->services);
    TAILQ_INIT(&cluster->tasks);
    TAILQ_INIT(&cluster->instances);
    cluster->active = true;
    cluster->forget.fire = forget;
    cluster->name = strdup(name);
    TAILQ_INSERT_TAIL(&region->clusters, cluster, link);
    int r = record_init(&cluster->record, &cluster_kind, region, arn_new(region, "ecs", "cluster/%s", name));
    if (!cluster->name || r < 0 || index_put(&region->clusters_by_name, cluster->name, cluster) < 0) {
        cluster_free(cluster);
        return NULL;
    }
    return cluster;
}

/* The members of a cluster that are kept as they were given. */
static const struct kept {
    const char *name;
    size_t offset;
} kept[] = {
    {"settings", offsetof(struct cluster, settings)},
    {"configuration", offsetof(struct cluster, configuration)},
    {"capacityProviders", offsetof(struct cluster, providers)},
    {"defaultCapacityProviderStrategy", offsetof(struct cluster, default_strategy)},
    {"serviceConnectDefaults", offsetof(struct cluster, connect_defaults)},
};

static json_t **kept_member(const struct cluster *cluster, const struct kept *row)
{
    return (json_t **)((char *)(uintptr_t)cluster + row->offset);
}

static json_t *dump(const struct record *record)
{
    const struct cluster *cluster = (const struct cluster *)record;
    json_t *tree =
        json_pack("{s:s, s:b, s:O*}", "name", cluster->name, "active", cluster->active, "tags", record->tags);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (*kept_member(cluster, &kept[i]))
            json_object_set(tree, kept[i].name, *kept_member(cluster, &kept[i]));
    return tree;
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    const char *name = in_text(body, "name");
    struct cluster *cluster = name ? cluster_new(region, name) : NULL;
    if (!cluster)
        return name ? -ENOMEM : -EBADMSG;
    cluster->active = in_bool(body, "active");
    cluster->record.tags = json_incref(json_object_get(body, "tags"));
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        *kept_member(cluster, &kept[i]) = json_incref(json_object_get(body, kept[i].name));
    if (!cluster->active)
        world_later(region->world, &cluster->forget, forget_ms);
    return 0;
}

const struct record_kind cluster_kind = {"cluster", dump, load};

static bool name_is_valid(const char *name)
{
    size_t len = strlen(name);
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    return len >= 1 && len <= 255;
}

/* settings[] given, or those of the account. */
static json_t *settings_of(struct request *rq)
{
    json_t *settings = json_deep_copy(json_object_get(rq->in, "settings"));
    if (!json_array_size(settings)) {
        json_decref(settings);
        settings = json_pack("[{s:s, s:s}]", "name", "containerInsights", "value",
                             account_setting(rq->region, "containerInsights"));
    }
    return settings;
}

static bool is_same_request(struct request *rq, const struct cluster *cluster)
{
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const json_t *given = json_object_get(rq->in, kept[i].name);
        if (given && !json_is_null(given) && *kept_member(cluster, &kept[i]) &&
            !json_equal(given, *kept_member(cluster, &kept[i])))
            return false;
    }
    return true;
}

/* What a changing call answers: all but the statistics. */
static json_t *reply_cluster(const struct cluster *cluster)
{
    json_t *in = json_pack("{s:[s, s, s]}", "include", "SETTINGS", "CONFIGURATIONS", "TAGS");
    json_t *reply = json_pack("{s:o}", "cluster", cluster_show(cluster, in));
    json_decref(in);
    return reply;
}

static json_t *create_anew(struct request *rq, const char *name)
{
    json_t *tags = take_tags(rq, "tags");
    if (!tags)
        return NULL;
    struct cluster *old = cluster_find(rq->region, name);
    if (old) { /* INACTIVE: its name is free again */
        record_delete(&old->record);
        cluster_free(old);
    }
    struct cluster *cluster = cluster_new(rq->region, name);
    if (!cluster) {
        json_decref(tags);
        return refuse_memory(rq);
    }
    cluster->record.tags = tags;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        *kept_member(cluster, &kept[i]) = json_deep_copy(json_object_get(rq->in, kept[i].name));
    json_decref(cluster->settings);
    cluster->settings = settings_of(rq);
    return reply_cluster(cluster);
}

static json_t *create_cluster(struct request *rq)
{
    const char *name = in_text(rq->in, "clusterName");
    if (!name)
        name = "default";
    if (!name_is_valid(name))
        return refuse_invalid(
            rq, "Cluster name is invalid. Up to 255 letters (uppercase and lowercase), numbers, "
                "underscores, and hyphens are allowed.");
    if (!capacity_providers_known(rq, NULL, json_object_get(rq->in, "capacityProviders"),
                                  json_object_get(rq->in, "defaultCapacityProviderStrategy")))
        return NULL;
    struct cluster *cluster = cluster_find(rq->region, name);
    if (cluster && cluster->active) {
        if (!is_same_request(rq, cluster))
            return refuse_invalid(rq,
                                  "Arguments on this idempotent request are inconsistent with arguments used "
                                  "in previous request(s).");
        return reply_cluster(cluster);
    }
    return create_anew(rq, name);
}

static json_t *describe_clusters(struct request *rq)
{
    const json_t *names = in_list(rq->in, "clusters");
    if (json_array_size(names) > 100)
        return refuse_invalid(rq, "clusters can have at most 100 items.");
    json_t *clusters = json_array(), *failures = json_array();
    for (size_t i = 0; i < (names ? json_array_size(names) : 1); i++) {
        const char *name = names ? json_string_value(json_array_get(names, i)) : "default";
        struct cluster *cluster = cluster_find(rq->region, name);
        if (cluster) {
            json_array_append_new(clusters, cluster_show(cluster, rq->in));
        } else {
            cleanup_free char *arn = arn_new(rq->region, "ecs", "cluster/%s", cluster_name_in(name));
            add_failure(failures, arn, "MISSING");
        }
    }
    return json_pack("{s:o, s:o}", "clusters", clusters, "failures", failures);
}

static json_t *list_clusters(struct request *rq)
{
    struct page page;
    if (!page_begin(rq, &page, 100, 100))
        return NULL;
    struct cluster *cluster;
    TAILQ_FOREACH(cluster, &rq->region->clusters, link)
    {
        if (cluster->active && page_wants(&page, cluster->record.sequence))
            page_add(&page, cluster->record.sequence, json_string(cluster->record.arn));
    }
    return page_reply(rq, &page, "clusterArns");
}

static void replace(struct request *rq, struct cluster *cluster, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        json_t *given = json_object_get(rq->in, name);
        if (strcmp(kept[i].name, name) == 0 && given && !json_is_null(given)) {
            json_decref(*kept_member(cluster, &kept[i]));
            *kept_member(cluster, &kept[i]) = json_deep_copy(given);
            record_dirty(&cluster->record);
        }
    }
}

static json_t *update_cluster(struct request *rq)
{
    if (!require_text(rq, "cluster"))
        return NULL;
    struct cluster *cluster = cluster_of(rq, "cluster");
    if (!cluster)
        return NULL;
    replace(rq, cluster, "settings");
    replace(rq, cluster, "configuration");
    replace(rq, cluster, "serviceConnectDefaults");
    return reply_cluster(cluster);
}

static json_t *update_cluster_settings(struct request *rq)
{
    struct cluster *cluster = require_text(rq, "cluster") ? cluster_of(rq, "cluster") : NULL;
    if (!cluster)
        return NULL;
    if (!in_list(rq->in, "settings"))
        return refuse_invalid(rq, "Settings cannot be empty.");
    replace(rq, cluster, "settings");
    return reply_cluster(cluster);
}

static json_t *put_cluster_capacity_providers(struct request *rq)
{
    struct cluster *cluster = require_text(rq, "cluster") ? cluster_of(rq, "cluster") : NULL;
    if (!cluster)
        return NULL;
    const json_t *providers = json_object_get(rq->in, "capacityProviders");
    const json_t *strategy = json_object_get(rq->in, "defaultCapacityProviderStrategy");
    if (!providers || !strategy)
        return refuse_invalid(rq, "capacityProviders and defaultCapacityProviderStrategy must be specified.");
    if (!capacity_providers_known(rq, cluster, providers, strategy))
        return NULL;
    const char *used = services_using_other_provider(cluster, providers);
    if (used)
        return refuse(rq, "ResourceInUseException",
                      "The specified capacity provider is in use and cannot be removed: %s", used);
    replace(rq, cluster, "capacityProviders");
    replace(rq, cluster, "defaultCapacityProviderStrategy");
    return reply_cluster(cluster);
}

static json_t *delete_cluster(struct request *rq)
{
    struct cluster *cluster =
        require_text(rq, "cluster") ? cluster_find(rq->region, in_text(rq->in, "cluster")) : NULL;
    if (!cluster)
        return rq->error ? NULL : refuse(rq, "ClusterNotFoundException", "Cluster not found.");
    struct cluster_counts counts;
    cluster_count(cluster, &counts);
    if (counts.services + counts.draining_services)
        return refuse(rq, "ClusterContainsServicesException",
                      "The Cluster cannot be deleted while Services are active.");
    if (counts.running + counts.pending)
        return refuse(rq, "ClusterContainsTasksException",
                      "The Cluster cannot be deleted while Tasks are active.");
    if (counts.instances)
        return refuse(rq, "ClusterContainsContainerInstancesException",
                      "The Cluster cannot be deleted while Container Instances are active or draining.");
    if (cluster->active) {
        cluster->active = false;
        record_dirty(&cluster->record);
        world_later(rq->world, &cluster->forget, forget_ms);
    }
    return reply_cluster(cluster);
}

const struct operation clusters_operations[] = {
    {"ecs", "CreateCluster", create_cluster, BUCKET_CLUSTER_MODIFY, true},
    {"ecs", "DescribeClusters", describe_clusters, BUCKET_CLUSTER_READ, false},
    {"ecs", "ListClusters", list_clusters, BUCKET_CLUSTER_READ, false},
    {"ecs", "UpdateCluster", update_cluster, BUCKET_CLUSTER_MODIFY, true},
    {"ecs", "UpdateClusterSettings", update_cluster_settings, BUCKET_CLUSTER_MODIFY, true},
    {"ecs", "PutClusterCapacityProviders", put_cluster_capacity_providers, BUCKET_CLUSTER_MODIFY, true},
    {"ecs", "DeleteCluster", delete_cluster, BUCKET_CLUSTER_MODIFY, true},
    {0},
};
