/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/<r>/repository.json and the registry's replication.json and scanning.json. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "document.h"

static int no_memory(struct ecs_error **ret_error)
{
    *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return -ENOMEM;
}

static json_t *shown(const char *operation, const json_t *described)
{
    return fs_canon(ecs_api_find("ecr", operation)->input, described, FS_CANON_SHOW);
}

/* A lost answer: is what was sent there now? */
static bool put_happened(const struct fs_document *document, const struct ecs_action *action,
                         const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL), *there = now != NULL ? ecs_doc_tree(now) : NULL;
    json_object_del(sent, "repositoryName");
    json_t *rest = sent != NULL && there != NULL ? fs_document_differences(document, sent, there) : NULL;
    bool happened = rest != NULL && json_object_size(rest) == 0;
    json_decref(rest);
    json_decref(there);
    json_decref(sent);
    return happened;
}

static int add_call(const struct fs_save *save, const char *operation, json_t *body,
                    bool (*happened)(const struct ecs_action *, const struct ecs_doc *), struct fs_plan *plan,
                    struct ecs_error **ret_error)
{
    struct fs_plan_call *call;
    if (fs_plan_add(plan, operation, body, &call) < 0)
        return no_memory(ret_error);
    call->effect = ECS_EFFECT_FORGET; /* the reply leaves the rest of the document out */
    call->key = save->key;
    call->happened = happened;
    return 0;
}

/* ---- repository.json ---- */

static json_t *render_repository(const json_t *described)
{
    json_t *document = shown("CreateRepository", described);
    json_object_del(document, "repositoryName");
    json_object_del(document, "registryId");
    return document;
}

static bool repository_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    return put_happened(&fs_repository_document, action, now);
}

static json_t *wanted_or_now(const struct fs_save *save, const char *member)
{
    json_t *value = json_object_get(save->wanted, member);
    return value != NULL ? value : json_object_get(save->now, member);
}

/* The filters go with a mutability that has exclusions, and with no other. */
static int put_mutability(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    json_t *mutability = wanted_or_now(save, "imageTagMutability");
    json_t *filters = wanted_or_now(save, "imageTagMutabilityExclusionFilters");
    const char *text = json_string_value(mutability);
    json_t *body = json_pack("{s:s, s:O}", "repositoryName", save->key.id, "imageTagMutability", mutability);
    if (body != NULL && filters != NULL && text != NULL && strstr(text, "_WITH_EXCLUSION") != NULL)
        json_object_set(body, "imageTagMutabilityExclusionFilters", filters);
    return add_call(save, "PutImageTagMutability", body, repository_put, plan, ret_error);
}

static int put_scanning(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    json_t *body = json_pack("{s:s, s:O}", "repositoryName", save->key.id, "imageScanningConfiguration",
                             json_object_get(save->wanted, "imageScanningConfiguration"));
    return add_call(save, "PutImageScanningConfiguration", body, repository_put, plan, ret_error);
}

static int plan_repository(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    if (save->now == NULL) {
        *ret_error = ecs_error_new(-ESTALE, "RepositoryNotFoundException",
                                   "there is no repository %s any more", save->key.id);
        return -ESTALE;
    }
    json_t *differences = fs_document_differences(&fs_repository_document, save->wanted, save->now);
    if (differences == NULL)
        return no_memory(ret_error);
    int r = 0;
    if (json_object_get(differences, "encryptionConfiguration") != NULL) {
        *ret_error =
            ecs_error_new(-EINVAL, "NotUpdatable",
                          "encryptionConfiguration: AWS cannot change the encryption of a repository; "
                          "choose it when it is created (repositories/create)");
        r = -EINVAL;
    }
    if (r == 0 && (json_object_get(differences, "imageTagMutability") != NULL ||
                   json_object_get(differences, "imageTagMutabilityExclusionFilters") != NULL))
        r = put_mutability(save, plan, ret_error);
    if (r == 0 && json_object_get(differences, "imageScanningConfiguration") != NULL)
        r = put_scanning(save, plan, ret_error);
    json_decref(differences);
    return r;
}

const struct fs_document fs_repository_document = {
    .what = "repository",
    .service = "ecr",
    .kind = ECS_REPOSITORY,
    .input = "CreateRepository",
    .output = "DescribeRepositories",
    .described = "repositories",
    .wrappers = (const char *const[]){"repositories", "repository", NULL},
    .hidden = (const char *const[]){"repositoryName", "registryId", "tags", NULL},
    .render = render_repository,
    .plan = plan_repository,
};

/* ---- registry/replication.json, scanning.json: each call replaces the whole ---- */

/* The list of rules is shown when it is empty too: it is what there is to edit. */
static json_t *with_rules(json_t *object)
{
    if (object != NULL && json_object_get(object, "rules") == NULL)
        json_object_set_new(object, "rules", json_array());
    return object;
}

static json_t *render_replication(const json_t *described)
{
    json_t *document = shown("PutReplicationConfiguration", described);
    if (document != NULL && json_object_get(document, "replicationConfiguration") == NULL)
        json_object_set_new(document, "replicationConfiguration", json_object());
    with_rules(json_object_get(document, "replicationConfiguration"));
    return document;
}

static json_t *render_scanning(const json_t *described)
{
    return with_rules(shown("PutRegistryScanningConfiguration", described));
}

/* What a save leaves out is sent as it is. */
static int plan_whole(const struct fs_document *document, const char *operation,
                      bool (*happened)(const struct ecs_action *, const struct ecs_doc *),
                      const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    json_t *differences = fs_document_differences(document, save->wanted, save->now);
    size_t changed = json_object_size(differences);
    json_decref(differences);
    if (differences == NULL)
        return no_memory(ret_error);
    if (changed == 0)
        return 0;
    json_t *body = document->render(save->now);
    if (body == NULL)
        return no_memory(ret_error);
    json_object_update(body, (json_t *)save->wanted);
    return add_call(save, operation, body, happened, plan, ret_error);
}

static bool replication_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    return put_happened(&fs_replication_document, action, now);
}

static int plan_replication(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_whole(&fs_replication_document, "PutReplicationConfiguration", replication_put, save, plan,
                      ret_error);
}

const struct fs_document fs_replication_document = {
    .what = "replication configuration",
    .service = "ecr",
    .kind = ECS_REGISTRY,
    .input = "PutReplicationConfiguration",
    .output = "DescribeRegistry",
    .wrappers = (const char *const[]){NULL},
    .hidden = (const char *const[]){"registryId", NULL},
    .render = render_replication,
    .plan = plan_replication,
};

static bool signing_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL), *there = now != NULL ? ecs_doc_tree(now) : NULL;
    bool happened = there != NULL && json_equal(json_object_get(sent, "signingConfiguration"), there);
    json_decref(there);
    json_decref(sent);
    return happened;
}

static const struct ecs_shape *signing_shape(void)
{
    return ecs_shape_member(ecs_api_find("ecr", "PutSigningConfiguration")->input, "signingConfiguration")
        ->shape;
}

static json_t *render_signing(const json_t *described)
{
    return with_rules(fs_canon(signing_shape(), described, FS_CANON_SHOW));
}

static int plan_signing(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    if (save->now != NULL && fs_canon_equal(signing_shape(), save->wanted, save->now))
        return 0;
    return add_call(save, "PutSigningConfiguration", json_pack("{s:O}", "signingConfiguration", save->wanted),
                    signing_put, plan, ret_error);
}

const struct fs_document fs_signing_document = {
    .what = "signing configuration",
    .service = "ecr",
    .kind = ECS_REGISTRY_SIGNING,
    .input = "PutSigningConfiguration",
    .within = "signingConfiguration",
    .output = "GetSigningConfiguration",
    .described = "signingConfiguration",
    .wrappers = (const char *const[]){"signingConfiguration", NULL},
    .hidden = (const char *const[]){"registryId", NULL},
    .creates = true,
    .render = render_signing,
    .plan = plan_signing,
};

static bool scanning_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    return put_happened(&fs_scanning_document, action, now);
}

static int plan_scanning(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_whole(&fs_scanning_document, "PutRegistryScanningConfiguration", scanning_put, save, plan,
                      ret_error);
}

const struct fs_document fs_scanning_document = {
    .what = "scanning configuration",
    .service = "ecr",
    .kind = ECS_REGISTRY_SCANNING,
    .input = "PutRegistryScanningConfiguration",
    .output = "GetRegistryScanningConfiguration",
    .described = "scanningConfiguration",
    .wrappers = (const char *const[]){"scanningConfiguration", NULL},
    .hidden = (const char *const[]){"registryId", NULL},
    .render = render_scanning,
    .plan = plan_scanning,
};
