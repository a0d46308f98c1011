/* SPDX-License-Identifier: Apache-2.0 */
/* account/capacity-providers/<name>/capacity-provider.json (UpdateCapacityProvider). Which group of instances
 * it stands for cannot be changed and is in describe.json. */
#include <errno.h>
#include <jansson.h>

#include "document.h"
#include "ecsfs/cleanup.h"

static json_t *render(const json_t *described)
{
    json_t *shown = fs_canon(ecs_api_find("ecs", "UpdateCapacityProvider")->input, described, FS_CANON_SHOW);
    json_object_del(shown, "cluster"); /* the ARN of the one that managed instances belong to */
    return shown;
}

static bool updated(const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL);
    json_t *there = now ? ecs_doc_tree(now) : NULL;
    json_t *rest =
        sent && there ? fs_document_differences(&fs_capacity_provider_document, sent, there) : NULL;
    bool happened = rest && json_object_size(rest) == 0;
    json_decref(rest);
    json_decref(there);
    json_decref(sent);
    return happened;
}

/* What AWS says of a provider has more in it than can be updated: what is compared is what is shown. */
static int plan(const struct fs_save *save, struct fs_plan *ret_plan, struct ecs_error **ret_error)
{
    struct fs_plan_call *call;
    json_t *now = render(save->now);
    json_t *body = now ? fs_document_differences(&fs_capacity_provider_document, save->wanted, now) : NULL;
    json_decref(now);
    if (body && json_object_size(body) == 0) {
        json_decref(body);
        return 0;
    }
    if (body)
        json_object_set_new(body, "name", json_string(save->key.id));
    if (fs_plan_add(ret_plan, "UpdateCapacityProvider", body, &call) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return -ENOMEM;
    }
    call->effect = ECS_EFFECT_UPDATE;
    call->key = save->key;
    call->member = "capacityProvider";
    call->happened = updated;
    return 0;
}

const struct fs_document fs_capacity_provider_document = {
    .what = "capacity provider",
    .kind = ECS_CAPACITY_PROVIDER,
    .input = "UpdateCapacityProvider",
    .output = "DescribeCapacityProviders",
    .described = "capacityProviders",
    .wrappers = (const char *const[]){"capacityProviders", "capacityProvider", NULL},
    .name = "name",
    .hidden = (const char *const[]){"cluster", NULL},
    .render = render,
    .plan = plan,
};
