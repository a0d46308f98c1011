/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of repositories and of the registry, lifecycle policies and their previews. */
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "registry.h"

static bool is_json(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    json_decref(tree);
    return tree != NULL;
}

static json_t *reply_text(const struct repository *repository, const char *name, const char *text)
{
    return json_pack("{s:s, s:s, s:s}", "registryId", repository->record.region->world->account,
                     "repositoryName", repository->name, name, text);
}

static json_t *set_repository_policy(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    const char *text = repository ? require_text(rq, "policyText") : NULL;
    if (!text)
        return NULL;
    if (!is_json(text))
        return refuse_invalid(
            rq, "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository "
                "policy provided'");
    free(repository->policy);
    repository->policy = strdup(text);
    record_dirty(&repository->record);
    return reply_text(repository, "policyText", text);
}

static void *no_policy(struct request *rq, const struct repository *repository)
{
    return refuse(
        rq, "RepositoryPolicyNotFoundException",
        "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'",
        repository->name, rq->world->account);
}

static json_t *get_repository_policy(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    return repository->policy ? reply_text(repository, "policyText", repository->policy)
                              : no_policy(rq, repository);
}

static json_t *delete_repository_policy(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    if (!repository->policy)
        return no_policy(rq, repository);
    json_t *reply = reply_text(repository, "policyText", repository->policy);
    free(repository->policy);
    repository->policy = NULL;
    record_dirty(&repository->record);
    return reply;
}

static bool check_lifecycle(struct request *rq, const struct repository *repository, const char *text)
{
    const char *why;
    size_t len;
    free(lifecycle_evaluate(repository, text, &len, &why));
    if (why)
        refuse_invalid(
            rq,
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy "
            "validation failure: %s'",
            why);
    return !why;
}

static json_t *put_lifecycle_policy(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    const char *text = repository ? require_text(rq, "lifecyclePolicyText") : NULL;
    if (!text || !check_lifecycle(rq, repository, text))
        return NULL;
    free(repository->lifecycle);
    repository->lifecycle = strdup(text);
    repository->lifecycle_at = world_wall(rq->world);
    record_dirty(&repository->record);
    lifecycle_arm(repository);
    return reply_text(repository, "lifecyclePolicyText", text);
}

static void *no_lifecycle(struct request *rq, const struct repository *repository)
{
    return refuse(
        rq, "LifecyclePolicyNotFoundException",
        "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'",
        repository->name, rq->world->account);
}

static json_t *show_lifecycle(const struct repository *repository)
{
    json_t *reply = reply_text(repository, "lifecyclePolicyText", repository->lifecycle);
    json_object_set_new(reply, "lastEvaluatedAt", json_time(repository->lifecycle_at));
    return reply;
}

static json_t *get_lifecycle_policy(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    return repository->lifecycle ? show_lifecycle(repository) : no_lifecycle(rq, repository);
}

static json_t *delete_lifecycle_policy(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    if (!repository->lifecycle)
        return no_lifecycle(rq, repository);
    json_t *reply = show_lifecycle(repository);
    free(repository->lifecycle);
    repository->lifecycle = NULL;
    timer_disarm(&rq->world->timers, &repository->timer);
    record_dirty(&repository->record);
    return reply;
}

/* How long a preview is IN_PROGRESS. */
static const double preview_ms = 1000;

static bool preview_is_running(const struct repository *repository)
{
    const struct world *world = repository->record.region->world;
    return repository->preview_at &&
           world_wall(world) < repository->preview_at + world_span(world, preview_ms);
}

static json_t *start_lifecycle_policy_preview(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    const char *text = in_text(rq->in, "lifecyclePolicyText");
    text = text ? text : repository->lifecycle;
    if (!text)
        return no_lifecycle(rq, repository);
    if (preview_is_running(repository))
        return refuse(rq, "LifecyclePolicyPreviewInProgressException",
                      "The previous lifecycle policy preview request has not completed. Wait and try again.");
    if (!check_lifecycle(rq, repository, text))
        return NULL;
    char *copy = strdup(text);
    free(repository->preview_policy);
    repository->preview_policy = copy;
    repository->preview_at = world_wall(rq->world);
    record_dirty(&repository->record);
    json_t *reply = reply_text(repository, "lifecyclePolicyText", text);
    json_object_set_new(reply, "status", json_string("IN_PROGRESS"));
    return reply;
}

static json_t *show_expiry(const struct expiry *expiry)
{
    return json_pack("{s:O, s:s, s:o, s:{s:s}, s:I}", "imageTags", expiry->image->tags, "imageDigest",
                     expiry->image->digest, "imagePushedAt", json_time(expiry->image->pushed_at), "action",
                     "type", "EXPIRE", "appliedRulePriority", (json_int_t)expiry->priority);
}

static json_t *get_lifecycle_policy_preview(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    if (!repository->preview_at)
        return refuse(rq, "LifecyclePolicyPreviewNotFoundException",
                      "There is no dry run for this repository with name '%s' in the registry with id '%s'",
                      repository->name, rq->world->account);
    json_t *reply = reply_text(repository, "lifecyclePolicyText", repository->preview_policy);
    json_object_set_new(reply, "status",
                        json_string(preview_is_running(repository) ? "IN_PROGRESS" : "COMPLETE"));
    if (preview_is_running(repository))
        return reply;
    const char *why;
    size_t len;
    struct expiry *list = lifecycle_evaluate(repository, repository->preview_policy, &len, &why);
    json_t *results = json_array();
    for (size_t i = 0; i < len; i++)
        json_array_append_new(results, show_expiry(&list[i]));
    free(list);
    json_object_set_new(reply, "previewResults", results);
    json_object_set_new(reply, "summary", json_pack("{s:I}", "expiringImageTotalCount", (json_int_t)len));
    return reply;
}

/* --- of the registry --- */

static json_t *setting_of(struct request *rq, const char *name)
{
    return rq->region->registry ? json_object_get(rq->region->registry->settings, name) : NULL;
}

static bool set_setting(struct request *rq, const char *name, json_t *value)
{
    struct registry *registry = registry_of(rq->region);
    if (!registry || !value) {
        json_decref(value);
        return false;
    }
    json_object_set_new(registry->settings, name, value);
    record_dirty(&registry->record);
    return true;
}

static json_t *describe_registry(struct request *rq)
{
    json_t *replication = setting_of(rq, "replication");
    return json_pack("{s:s, s:o}", "registryId", rq->world->account, "replicationConfiguration",
                     replication ? json_incref(replication) : json_pack("{s:[]}", "rules"));
}

static json_t *put_replication_configuration(struct request *rq)
{
    const json_t *given = json_object_get(rq->in, "replicationConfiguration");
    if (!set_setting(rq, "replication", json_deep_copy(given)))
        return NULL;
    return json_pack("{s:O}", "replicationConfiguration", given);
}

static json_t *reply_policy(struct request *rq, json_t *text)
{
    return text ? json_pack("{s:s, s:o}", "registryId", rq->world->account, "policyText", text)
                : refuse(rq, "RegistryPolicyNotFoundException",
                         "Registry policy does not exist in the registry with id '%s'", rq->world->account);
}

static json_t *get_registry_policy(struct request *rq)
{
    return reply_policy(rq, json_incref(setting_of(rq, "policy")));
}

static json_t *put_registry_policy(struct request *rq)
{
    const char *text = require_text(rq, "policyText");
    if (!text)
        return NULL;
    if (!is_json(text))
        return refuse_invalid(
            rq, "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy "
                "provided'");
    return set_setting(rq, "policy", json_string(text)) ? reply_policy(rq, json_string(text)) : NULL;
}

static json_t *delete_registry_policy(struct request *rq)
{
    json_t *reply = reply_policy(rq, json_incref(setting_of(rq, "policy")));
    if (reply) {
        json_object_del(rq->region->registry->settings, "policy");
        record_dirty(&rq->region->registry->record);
    }
    return reply;
}

static json_t *get_registry_scanning_configuration(struct request *rq)
{
    json_t *scanning = setting_of(rq, "scanning");
    return json_pack("{s:s, s:o}", "registryId", rq->world->account, "scanningConfiguration",
                     scanning ? json_incref(scanning)
                              : json_pack("{s:s, s:[]}", "scanType", "BASIC", "rules"));
}

static json_t *put_registry_scanning_configuration(struct request *rq)
{
    const char *type = in_text(rq->in, "scanType");
    json_t *rules = json_deep_copy(json_object_get(rq->in, "rules"));
    json_t *scanning =
        json_pack("{s:s, s:o}", "scanType", type ? type : "BASIC", "rules", rules ? rules : json_array());
    json_incref(scanning);
    if (!set_setting(rq, "scanning", scanning)) {
        json_decref(scanning);
        return NULL;
    }
    return json_pack("{s:o}", "registryScanningConfiguration", scanning);
}

const struct operation ecr_policies_operations[] = {
    {"ecr", "GetRepositoryPolicy", get_repository_policy, BUCKET_ECR_READ, false},
    {"ecr", "SetRepositoryPolicy", set_repository_policy, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeleteRepositoryPolicy", delete_repository_policy, BUCKET_ECR_MODIFY, true},
    {"ecr", "GetLifecyclePolicy", get_lifecycle_policy, BUCKET_ECR_READ, false},
    {"ecr", "PutLifecyclePolicy", put_lifecycle_policy, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeleteLifecyclePolicy", delete_lifecycle_policy, BUCKET_ECR_MODIFY, true},
    {"ecr", "StartLifecyclePolicyPreview", start_lifecycle_policy_preview, BUCKET_ECR_MODIFY, true},
    {"ecr", "GetLifecyclePolicyPreview", get_lifecycle_policy_preview, BUCKET_ECR_READ, false},
    {"ecr", "DescribeRegistry", describe_registry, BUCKET_ECR_READ, false},
    {"ecr", "PutReplicationConfiguration", put_replication_configuration, BUCKET_ECR_MODIFY, true},
    {"ecr", "GetRegistryPolicy", get_registry_policy, BUCKET_ECR_READ, false},
    {"ecr", "PutRegistryPolicy", put_registry_policy, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeleteRegistryPolicy", delete_registry_policy, BUCKET_ECR_MODIFY, true},
    {"ecr", "GetRegistryScanningConfiguration", get_registry_scanning_configuration, BUCKET_ECR_READ, false},
    {"ecr", "PutRegistryScanningConfiguration", put_registry_scanning_configuration, BUCKET_ECR_MODIFY, true},
    {0},
};
