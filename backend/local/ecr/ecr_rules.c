/* SPDX-License-Identifier: Apache-2.0 */
/* Pull-through cache rules and repository creation templates: kept and shown. (The emulator fetches
 * nothing from an upstream, and makes no repository by itself.) Both are lists by prefix. */
#include <string.h>

#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"
#include "registry.h"

/* What the two have in common, and where they differ. */
static const struct kind {
    const char *setting, *key, *keys, *list;
    const char *wrapper; /* a member that holds the shown one; NULL: it is the reply itself */
    const char *exists, *missing, *noun;
    const char *members[12];
} pull_through =
    {
        "pullThrough",
        "ecrRepositoryPrefix",
        "ecrRepositoryPrefixes",
        "pullThroughCacheRules",
        NULL,
        "PullThroughCacheRuleAlreadyExistsException",
        "PullThroughCacheRuleNotFoundException",
        "Pull through cache rule",
        {"ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRegistry", "credentialArn", "customRoleArn",
         "upstreamRepositoryPrefix"},
},
  templates = {
      "templates",
      "prefix",
      "prefixes",
      "repositoryCreationTemplates",
      "repositoryCreationTemplate",
      "TemplateAlreadyExistsException",
      "TemplateNotFoundException",
      "Repository creation template",
      {"prefix", "description", "encryptionConfiguration", "resourceTags", "imageTagMutability",
       "imageTagMutabilityExclusionFilters", "repositoryPolicy", "lifecyclePolicy", "appliedFor",
       "customRoleArn"},
};

/* prefix -> document; NULL: no memory. */
static json_t *all_of(struct request *rq, const struct kind *kind)
{
    struct registry *registry = registry_of(rq->region);
    json_t *all = registry ? json_object_get(registry->settings, kind->setting) : NULL;
    if (registry && !all) {
        all = json_object();
        json_object_set_new(registry->settings, kind->setting, all);
    }
    return all;
}

static size_t members_of(const struct kind *kind)
{
    size_t count = 0;
    while (count < ARRAY_LEN(kind->members) && kind->members[count])
        count++;
    return count;
}

/* Only the members that this operation's answer has: they differ from one to the next. */
static json_t *project(const struct request *rq, json_t *tree)
{
    const struct ecs_api_operation *api = ecs_api_find("ecr", rq->operation->name);
    json_t *part = api && api->output ? ecs_shape_project(api->output, tree) : json_incref(tree);
    json_decref(tree);
    return part;
}

static json_t *shown(struct request *rq, const struct kind *kind, json_t *document)
{
    json_t *tree = json_copy(document);
    if (!kind->wrapper) {
        json_object_set_new(tree, "registryId", json_string(rq->world->account));
        return project(rq, tree);
    }
    return json_pack("{s:s, s:o}", "registryId", rq->world->account, kind->wrapper, tree);
}

static void *missing(struct request *rq, const struct kind *kind, const char *prefix)
{
    return refuse(rq, kind->missing, "%s with prefix '%s' does not exist in the registry with id '%s'",
                  kind->noun, prefix, rq->world->account);
}

static json_t *find(struct request *rq, const struct kind *kind, const char **ret_prefix)
{
    *ret_prefix = require_text(rq, kind->key);
    json_t *document = *ret_prefix ? json_object_get(all_of(rq, kind), *ret_prefix) : NULL;
    return document || !*ret_prefix ? document : missing(rq, kind, *ret_prefix);
}

static json_t *create(struct request *rq, const struct kind *kind)
{
    const char *prefix = require_text(rq, kind->key);
    json_t *all = prefix ? all_of(rq, kind) : NULL;
    if (!all)
        return NULL;
    if (json_object_get(all, prefix))
        return refuse(rq, kind->exists, "%s with prefix '%s' already exists in the registry with id '%s'",
                      kind->noun, prefix, rq->world->account);
    json_t *document = json_pack("{s:o}", "createdAt", json_time(world_wall(rq->world)));
    copy_members(document, rq->in, kind->members, members_of(kind));
    json_object_set_new(all, prefix, document);
    record_dirty(&rq->region->registry->record);
    return shown(rq, kind, document);
}

static json_t *update(struct request *rq, const struct kind *kind)
{
    const char *prefix;
    json_t *before = find(rq, kind, &prefix);
    if (!before)
        return NULL;
    json_t *document = json_deep_copy(before);
    copy_members(document, rq->in, kind->members, members_of(kind));
    json_object_set_new(document, "updatedAt", json_time(world_wall(rq->world)));
    json_object_set_new(all_of(rq, kind), prefix, document);
    record_dirty(&rq->region->registry->record);
    return shown(rq, kind, document);
}

static json_t *drop(struct request *rq, const struct kind *kind)
{
    const char *prefix;
    json_t *document = find(rq, kind, &prefix);
    if (!document)
        return NULL;
    json_t *reply = shown(rq, kind, document);
    json_object_del(all_of(rq, kind), prefix);
    record_dirty(&rq->region->registry->record);
    return reply;
}

/* Few enough for one page. */
static json_t *describe(struct request *rq, const struct kind *kind)
{
    const json_t *wanted = in_list(rq->in, kind->keys);
    json_t *all = all_of(rq, kind), *list = json_array(), *document;
    const char *prefix;
    for (size_t i = 0; i < json_array_size(wanted) && !kind->wrapper; i++) {
        prefix = json_string_value(json_array_get(wanted, i));
        if (prefix && !json_object_get(all, prefix)) {
            json_decref(list);
            return missing(rq, kind, prefix);
        }
    }
    json_object_foreach(all, prefix, document)
    {
        if (!wanted || list_has(wanted, prefix)) {
            json_t *row = json_copy(document);
            if (!kind->wrapper)
                json_object_set_new(row, "registryId", json_string(rq->world->account));
            json_array_append_new(list, row);
        }
    }
    json_t *reply = json_pack("{s:o}", kind->list, list);
    if (kind->wrapper)
        json_object_set_new(reply, "registryId", json_string(rq->world->account));
    return reply;
}

static json_t *create_pull_through_cache_rule(struct request *rq)
{
    return require_text(rq, "upstreamRegistryUrl") ? create(rq, &pull_through) : NULL;
}
static json_t *update_pull_through_cache_rule(struct request *rq)
{
    return update(rq, &pull_through);
}
static json_t *delete_pull_through_cache_rule(struct request *rq)
{
    return drop(rq, &pull_through);
}
static json_t *describe_pull_through_cache_rules(struct request *rq)
{
    return describe(rq, &pull_through);
}
static json_t *validate_pull_through_cache_rule(struct request *rq)
{
    const char *prefix;
    json_t *document = find(rq, &pull_through, &prefix);
    json_t *reply = document ? shown(rq, &pull_through, document) : NULL;
    if (reply)
        json_object_set_new(reply, "isValid", json_true());
    return reply;
}
static json_t *create_template(struct request *rq)
{
    return create(rq, &templates);
}
static json_t *update_template(struct request *rq)
{
    return update(rq, &templates);
}
static json_t *delete_template(struct request *rq)
{
    return drop(rq, &templates);
}
static json_t *describe_templates(struct request *rq)
{
    return describe(rq, &templates);
}

const struct operation ecr_rules_operations[] = {
    {"ecr", "DescribePullThroughCacheRules", describe_pull_through_cache_rules, BUCKET_ECR_READ, false},
    {"ecr", "CreatePullThroughCacheRule", create_pull_through_cache_rule, BUCKET_ECR_MODIFY, true},
    {"ecr", "UpdatePullThroughCacheRule", update_pull_through_cache_rule, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeletePullThroughCacheRule", delete_pull_through_cache_rule, BUCKET_ECR_MODIFY, true},
    {"ecr", "ValidatePullThroughCacheRule", validate_pull_through_cache_rule, BUCKET_ECR_READ, false},
    {"ecr", "DescribeRepositoryCreationTemplates", describe_templates, BUCKET_ECR_READ, false},
    {"ecr", "CreateRepositoryCreationTemplate", create_template, BUCKET_ECR_MODIFY, true},
    {"ecr", "UpdateRepositoryCreationTemplate", update_template, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeleteRepositoryCreationTemplate", delete_template, BUCKET_ECR_MODIFY, true},
    {0},
};
