/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: JSON that AWS holds as text and judges itself. What is equal as JSON is equal. */
#include <errno.h>
#include <jansson.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"

static json_t *parsed(const json_t *described, const char *member)
{
    const char *text = json_string_value(json_object_get(described, member));
    return text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static int plan_text(const struct fs_document *document, const char *operation, const char *name,
                     bool (*happened)(const struct ecs_action *, const struct ecs_doc *),
                     const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    json_t *now = parsed(save->now, document->text);
    bool same = now != NULL && json_equal(now, save->wanted);
    json_decref(now);
    if (same)
        return 0;
    cleanup_free char *text = ecs_json_text(save->wanted, JSON_COMPACT);
    json_t *body = text != NULL ? json_pack("{s:s}", document->text, text) : NULL;
    if (body != NULL && name != NULL)
        json_object_set_new(body, name, json_string(save->key.id));
    struct fs_plan_call *call;
    if (fs_plan_add(plan, operation, body, &call) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return -ENOMEM;
    }
    call->effect = ECS_EFFECT_UPDATE;
    call->key = save->key;
    call->happened = happened;
    return 0;
}

static bool text_put(const char *member, const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL), *there = now != NULL ? ecs_doc_tree(now) : NULL;
    json_t *a = parsed(sent, member), *b = parsed(there, member);
    bool happened = a != NULL && b != NULL && json_equal(a, b);
    json_decref(a);
    json_decref(b);
    json_decref(there);
    json_decref(sent);
    return happened;
}

static json_t *render_policy(const json_t *described)
{
    return parsed(described, "policyText");
}

static json_t *render_lifecycle(const json_t *described)
{
    return parsed(described, "lifecyclePolicyText");
}

static bool policy_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    return text_put("policyText", action, now);
}

static bool lifecycle_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    return text_put("lifecyclePolicyText", action, now);
}

static int plan_policy(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_text(&fs_repository_policy_document, "SetRepositoryPolicy", "repositoryName", policy_put,
                     save, plan, ret_error);
}

static int plan_lifecycle(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_text(&fs_lifecycle_policy_document, "PutLifecyclePolicy", "repositoryName", lifecycle_put,
                     save, plan, ret_error);
}

static int plan_registry(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_text(&fs_registry_policy_document, "PutRegistryPolicy", NULL, policy_put, save, plan,
                     ret_error);
}

static int plan_public(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_text(&fs_public_policy_document, "SetRepositoryPolicy", "repositoryName", policy_put, save,
                     plan, ret_error);
}

const struct fs_document fs_public_policy_document = {
    .what = "repository policy",
    .service = "ecr-public",
    .kind = ECS_PUBLIC_POLICY,
    .text = "policyText",
    .creates = true,
    .render = render_policy,
    .plan = plan_public,
};

const struct fs_document fs_repository_policy_document = {
    .what = "repository policy",
    .service = "ecr",
    .kind = ECS_REPOSITORY_POLICY,
    .text = "policyText",
    .creates = true,
    .render = render_policy,
    .plan = plan_policy,
};

const struct fs_document fs_lifecycle_policy_document = {
    .what = "lifecycle policy",
    .service = "ecr",
    .kind = ECS_LIFECYCLE_POLICY,
    .text = "lifecyclePolicyText",
    .creates = true,
    .render = render_lifecycle,
    .plan = plan_lifecycle,
};

const struct fs_document fs_registry_policy_document = {
    .what = "registry policy",
    .service = "ecr",
    .kind = ECS_REGISTRY_POLICY,
    .text = "policyText",
    .creates = true,
    .render = render_policy,
    .plan = plan_registry,
};
