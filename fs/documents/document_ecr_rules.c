/* SPDX-License-Identifier: Apache-2.0 */
/* registry/pull-through-cache/<prefix>.json and creation-templates/<prefix>.json: what AWS keeps by prefix.
 * The first save creates, later ones update, and what an update cannot change is refused by name. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "document.h"
#include "tree/show.h"

struct rules {
    const struct fs_document *document;
    const char *create, *update, *remove;
};

static const struct rules pull_through, templates;

static json_t *shown(const char *operation, const json_t *described)
{
    json_t *document = fs_canon(ecs_api_find("ecr", operation)->input, described, FS_CANON_SHOW);
    json_object_del(document, "registryId");
    return document;
}

static int add_call(const struct fs_save *save, const char *operation, json_t *input, struct fs_plan *plan,
                    struct ecs_error **ret_error)
{
    struct fs_plan_call *call;
    if (fs_plan_add(plan, operation, input, &call) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return -ENOMEM;
    }
    call->effect = ECS_EFFECT_FORGET;
    call->key = save->key;
    return 0;
}

static int plan_rule(const struct rules *rules, const struct fs_save *save, struct fs_plan *plan,
                     struct ecs_error **ret_error)
{
    const struct ecs_shape *update = ecs_api_find("ecr", rules->update)->input;
    if (save->now == NULL)
        return add_call(save, rules->create, json_incref((json_t *)save->wanted), plan, ret_error);
    json_t *input = fs_document_differences(rules->document, save->wanted, save->now);
    const char *name;
    json_t *value;
    json_object_foreach(input, name, value)
    {
        if (ecs_shape_member(update, name) != NULL)
            continue;
        *ret_error =
            ecs_error_new(-EINVAL, "NotUpdatable", "%s: AWS cannot change it; remove the %s and make it anew",
                          name, rules->document->what);
        json_decref(input);
        return -EINVAL;
    }
    if (json_object_size(input) == 0) {
        json_decref(input);
        return 0;
    }
    json_object_set_new(input, rules->document->name, json_string(save->key.id));
    return add_call(save, rules->update, input, plan, ret_error);
}

static int remove_rule(const struct rules *rules, struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", rules->document->name, view->key.id);
    *ret_action = fs_action("ecr", rules->remove, input, ECS_EFFECT_FORGET, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

/* ---- pull-through-cache/ ---- */

static json_t *render_pull_through(const json_t *described)
{
    return shown("CreatePullThroughCacheRule", described);
}

static int plan_pull_through(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_rule(&pull_through, save, plan, ret_error);
}

static int remove_pull_through(struct fs_view *view, struct ecs_action **ret_action)
{
    return remove_rule(&pull_through, view, ret_action);
}

const struct fs_document fs_pull_through_document = {
    .what = "pull-through cache rule",
    .service = "ecr",
    .kind = ECS_PULL_THROUGH_RULE,
    .input = "CreatePullThroughCacheRule",
    .output = "DescribePullThroughCacheRules",
    .described = "pullThroughCacheRules",
    .wrappers = (const char *const[]){"pullThroughCacheRules", NULL},
    .name = "ecrRepositoryPrefix",
    .hidden = (const char *const[]){"registryId", NULL},
    .creates = true,
    .render = render_pull_through,
    .plan = plan_pull_through,
};

static const struct rules pull_through = {&fs_pull_through_document, "CreatePullThroughCacheRule",
                                          "UpdatePullThroughCacheRule", "DeletePullThroughCacheRule"};

const struct fs_change fs_pull_through_change = {.unlink = remove_pull_through,
                                                 .removes = "deletes the rule"};

/* ---- creation-templates/ ---- */

static json_t *render_template(const json_t *described)
{
    return shown("CreateRepositoryCreationTemplate", described);
}

static int plan_template(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    return plan_rule(&templates, save, plan, ret_error);
}

static int remove_template(struct fs_view *view, struct ecs_action **ret_action)
{
    return remove_rule(&templates, view, ret_action);
}

const struct fs_document fs_creation_template_document = {
    .what = "repository creation template",
    .service = "ecr",
    .kind = ECS_CREATION_TEMPLATE,
    .input = "CreateRepositoryCreationTemplate",
    .output = "DescribeRepositoryCreationTemplates",
    .described = "repositoryCreationTemplates",
    .wrappers = (const char *const[]){"repositoryCreationTemplates", "repositoryCreationTemplate", NULL},
    .name = "prefix",
    .hidden = (const char *const[]){"registryId", NULL},
    .creates = true,
    .render = render_template,
    .plan = plan_template,
};

static const struct rules templates = {&fs_creation_template_document, "CreateRepositoryCreationTemplate",
                                       "UpdateRepositoryCreationTemplate",
                                       "DeleteRepositoryCreationTemplate"};

const struct fs_change fs_creation_template_change = {.unlink = remove_template,
                                                      .removes = "deletes the template"};
