/* SPDX-License-Identifier: Apache-2.0 */
#include "capacity_providers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "pages.h"

struct provider {
    struct record record; /* first */
    TAILQ_ENTRY(provider) link;
    char *name;
    json_t *group, *managed; /* autoScalingGroupProvider, managedInstancesProvider; or NULL */
    char *cluster;           /* of a managed-instances provider, or NULL */
};

static const char *const of_aws[] = {"FARGATE", "FARGATE_SPOT"};

bool capacity_provider_is_fargate(const char *name)
{
    return name && (strcmp(name, of_aws[0]) == 0 || strcmp(name, of_aws[1]) == 0);
}

static struct provider *find(const struct region *region, const char *name_or_arn)
{
    struct provider *provider;
    TAILQ_FOREACH(provider, &region->providers, link)
    {
        if (strcmp(provider->name, cluster_name_in(name_or_arn)) == 0)
            return provider;
    }
    return NULL;
}

static bool known(struct request *rq, const char *name)
{
    if (name && (capacity_provider_is_fargate(name) || find(rq->region, name)))
        return true;
    refuse_invalid(rq,
                   "The specified capacity provider '%s' was not found. Specify a valid name or ARN and try "
                   "again.",
                   name ? name : "");
    return false;
}

bool capacity_providers_known(struct request *rq, const struct cluster *cluster, const json_t *names,
                              const json_t *strategy)
{
    size_t i;
    json_t *item;
    if (!names && cluster)
        names = cluster->providers;
    json_array_foreach(names, i, item)
    {
        if (!known(rq, json_string_value(item)))
            return false;
    }
    long bases = 0, weights = 0;
    json_array_foreach(strategy, i, item)
    {
        const char *name = in_text(item, "capacityProvider");
        if (!known(rq, name))
            return false;
        if (!list_has(names, name)) {
            refuse_invalid(
                rq, "The specified capacity provider strategy cannot contain a capacity provider that is "
                    "not associated with the cluster. Associate the capacity provider with the cluster "
                    "and try again.");
            return false;
        }
        bases += in_int(item, "base", 0) > 0;
        weights += in_int(item, "weight", 0);
    }
    if (bases > 1)
        refuse_invalid(rq,
                       "Only one capacity provider in a strategy can have a base value greater than zero.");
    else if (json_array_size(strategy) && weights == 0)
        refuse_invalid(
            rq, "The specified capacity provider strategy must have at least one capacity provider with "
                "a weight value greater than zero.");
    return rq->error == NULL;
}

static void provider_free(struct provider *provider)
{
    TAILQ_REMOVE(&provider->record.region->providers, provider, link);
    record_free(&provider->record);
    json_decref(provider->group);
    json_decref(provider->managed);
    free(provider->name);
    free(provider->cluster);
    free(provider);
}

void capacity_providers_free_all(struct region *region)
{
    struct provider *provider;
    while ((provider = TAILQ_FIRST(&region->providers)))
        provider_free(provider);
}

static struct provider *provider_new(struct region *region, const char *name)
{
    struct provider *provider = calloc(1, sizeof(*provider));
    if (!provider)
        return NULL;
    provider->name = strdup(name);
    TAILQ_INSERT_TAIL(&region->providers, provider, link);
    if (record_init(&provider->record, &provider_kind, region,
                    arn_new(region, "ecs", "capacity-provider/%s", name)) < 0 ||
        !provider->name) {
        provider_free(provider);
        return NULL;
    }
    return provider;
}

static json_t *dump(const struct record *record)
{
    const struct provider *provider = (const struct provider *)record;
    return json_pack("{s:s, s:O*, s:O*, s:s*, s:O*}", "name", provider->name, "group", provider->group,
                     "managed", provider->managed, "cluster", provider->cluster, "tags", record->tags);
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    const char *name = in_text(body, "name"), *cluster = in_text(body, "cluster");
    struct provider *provider = name ? provider_new(region, name) : NULL;
    if (!provider)
        return name ? -ENOMEM : -EBADMSG;
    provider->group = json_incref(json_object_get(body, "group"));
    provider->managed = json_incref(json_object_get(body, "managed"));
    provider->cluster = cluster ? strdup(cluster) : NULL;
    provider->record.tags = json_incref(json_object_get(body, "tags"));
    return 0;
}

const struct record_kind provider_kind = {"capacity-provider", dump, load};

static json_t *show(const struct provider *provider, bool with_tags, const char *update_status)
{
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:s, s:O*, s:O*, s:s*, s:s*, s:o}", "capacityProviderArn",
                  provider->record.arn, "name", provider->name, "status", "ACTIVE", "type",
                  provider->managed ? "MANAGED_INSTANCES" : "EC2_AUTOSCALING", "autoScalingGroupProvider",
                  provider->group, "managedInstancesProvider", provider->managed, "cluster",
                  provider->cluster, "updateStatus", update_status, "tags",
                  with_tags && provider->record.tags ? json_incref(provider->record.tags) : json_array());
    return tree;
}

/* Those of AWS itself, in every account. */
static json_t *show_fargate(const struct region *region, const char *name)
{
    cleanup_free char *arn = arn_new(region, "ecs", "capacity-provider/%s", name);
    return json_pack("{s:s, s:s, s:s, s:s, s:[]}", "capacityProviderArn", arn, "name", name, "status",
                     "ACTIVE", "type", name, "tags");
}

/* Fills in what AWS fills in. */
static json_t *take_group(const json_t *given)
{
    json_t *group = json_deep_copy(given);
    json_t *scaling = json_object_get(group, "managedScaling");
    if (!scaling)
        json_object_set_new(group, "managedScaling", scaling = json_pack("{s:s}", "status", "DISABLED"));
    if (scaling && in_text(scaling, "status") && strcmp(in_text(scaling, "status"), "ENABLED") == 0) {
        json_t *defaults = json_pack("{s:i, s:i, s:i, s:i}", "targetCapacity", 100, "minimumScalingStepSize",
                                     1, "maximumScalingStepSize", 10000, "instanceWarmupPeriod", 300);
        json_object_update_missing(scaling, defaults);
        json_decref(defaults);
    }
    json_t *defaults =
        json_pack("{s:s, s:s}", "managedTerminationProtection", "DISABLED", "managedDraining", "ENABLED");
    json_object_update_missing(group, defaults);
    json_decref(defaults);
    return group;
}

static json_t *create_capacity_provider(struct request *rq)
{
    const char *name = require_text(rq, "name");
    if (!name)
        return NULL;
    static const char *const reserved[] = {"aws", "ecs", "fargate"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strncasecmp(name, reserved[i], strlen(reserved[i])) == 0)
            return refuse_invalid(
                rq, "The specified capacity provider name is invalid. The name cannot be prefixed "
                    "with aws, ecs, or fargate. Specify a valid name and try again.");
    const json_t *group = json_object_get(rq->in, "autoScalingGroupProvider");
    const json_t *managed = json_object_get(rq->in, "managedInstancesProvider");
    if (!group == !managed)
        return refuse_invalid(rq,
                              "Exactly one of autoScalingGroupProvider and managedInstancesProvider must be "
                              "specified.");
    if (find(rq->region, name))
        return refuse_invalid(
            rq, "A capacity provider with the specified name already exists. Specify a unique name "
                "and try again.");
    json_t *tags = take_tags(rq, "tags");
    struct provider *provider = tags ? provider_new(rq->region, name) : NULL;
    if (!provider) {
        json_decref(tags);
        return NULL;
    }
    const char *cluster = in_text(rq->in, "cluster");
    provider->record.tags = tags;
    provider->group = group ? take_group(group) : NULL;
    provider->managed = json_deep_copy(managed);
    provider->cluster = cluster ? strdup(cluster) : NULL;
    return json_pack("{s:o}", "capacityProvider", show(provider, true, "CREATE_COMPLETE"));
}

static json_t *describe_capacity_providers(struct request *rq)
{
    struct page page;
    const json_t *names = in_list(rq->in, "capacityProviders");
    if (json_array_size(names) > 100)
        return refuse_invalid(rq, "capacityProviders can have at most 100 items.");
    if (!page_begin(rq, &page, 10, 10))
        return NULL;
    json_t *failures = json_array();
    for (size_t i = 0; i < ARRAY_LEN(of_aws); i++)
        if ((!names || list_has(names, of_aws[i])) && page_wants(&page, i + 1))
            page_add(&page, i + 1, show_fargate(rq->region, of_aws[i]));
    struct provider *provider;
    TAILQ_FOREACH(provider, &rq->region->providers, link)
    {
        uint64_t place = provider->record.sequence + ARRAY_LEN(of_aws);
        if ((!names || list_has(names, provider->name) || list_has(names, provider->record.arn)) &&
            page_wants(&page, place))
            page_add(&page, place, show(provider, in_includes(rq->in, "TAGS"), NULL));
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name && !capacity_provider_is_fargate(cluster_name_in(name)) && !find(rq->region, name)) {
            cleanup_free char *arn =
                arn_new(rq->region, "ecs", "capacity-provider/%s", cluster_name_in(name));
            add_failure(failures, arn, "MISSING");
        }
    }
    json_t *reply = page_reply(rq, &page, "capacityProviders");
    json_object_set_new(reply, "failures", failures);
    return reply;
}

static json_t *update_capacity_provider(struct request *rq)
{
    const char *name = require_text(rq, "name");
    struct provider *provider = name ? find(rq->region, name) : NULL;
    if (!provider)
        return name
                   ? refuse_invalid(rq,
                                    "The specified capacity provider does not exist. Specify a valid name or "
                                    "ARN and try again.")
                   : NULL;
    const json_t *change = json_object_get(rq->in, "autoScalingGroupProvider");
    if (provider->group && change) {
        json_t *copy = json_deep_copy(change);
        json_object_update_recursive(provider->group, copy);
        json_decref(copy);
    }
    change = json_object_get(rq->in, "managedInstancesProvider");
    if (provider->managed && change) {
        json_t *copy = json_deep_copy(change);
        json_object_update_recursive(provider->managed, copy);
        json_decref(copy);
    }
    record_dirty(&provider->record);
    return json_pack("{s:o}", "capacityProvider", show(provider, true, "UPDATE_COMPLETE"));
}

static json_t *delete_capacity_provider(struct request *rq)
{
    const char *name = require_text(rq, "capacityProvider");
    if (!name)
        return NULL;
    if (capacity_provider_is_fargate(cluster_name_in(name)))
        return refuse_invalid(rq, "The specified capacity provider is reserved and cannot be deleted.");
    struct provider *provider = find(rq->region, name);
    if (!provider)
        return refuse_invalid(
            rq, "The specified capacity provider does not exist. Specify a valid name or ARN and "
                "try again.");
    struct cluster *cluster;
    TAILQ_FOREACH(cluster, &rq->region->clusters, link)
    {
        if (cluster->active && list_has(cluster->providers, provider->name))
            return refuse_client(
                rq,
                "The capacity provider cannot be deleted because it is associated with cluster: "
                "%s. Remove the capacity provider from the cluster and try again.",
                cluster->name);
    }
    json_t *shown = show(provider, true, "DELETE_COMPLETE");
    json_object_set_new(shown, "status", json_string("INACTIVE"));
    record_delete(&provider->record);
    provider_free(provider);
    return json_pack("{s:o}", "capacityProvider", shown);
}

const struct operation capacity_providers_operations[] = {
    {"ecs", "CreateCapacityProvider", create_capacity_provider, BUCKET_PROVIDER_MODIFY, true},
    {"ecs", "DescribeCapacityProviders", describe_capacity_providers, BUCKET_PROVIDER_READ, false},
    {"ecs", "UpdateCapacityProvider", update_capacity_provider, BUCKET_PROVIDER_MODIFY, true},
    {"ecs", "DeleteCapacityProvider", delete_capacity_provider, BUCKET_PROVIDER_MODIFY, true},
    {0},
};
