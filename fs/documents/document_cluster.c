/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<c>/cluster.json (UpdateCluster) and capacity-providers.json (PutClusterCapacityProviders). */
#include <errno.h>
#include <jansson.h>

#include "document.h"
#include "ecsfs/cleanup.h"

static int no_memory(struct ecs_error **ret_error)
{
    *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return -ENOMEM;
}

static bool changed_to(const struct fs_document *document, const struct ecs_action *action,
                       const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL);
    json_t *cluster = now ? ecs_doc_tree(now) : NULL;
    json_object_del(sent, "cluster");
    json_t *rest = sent && cluster ? fs_document_differences(document, sent, cluster) : NULL;
    bool happened = rest && json_object_size(rest) == 0;
    json_decref(rest);
    json_decref(cluster);
    json_decref(sent);
    return happened;
}

static int add_call(const struct fs_save *save, const char *operation, json_t *body,
                    bool (*happened)(const struct ecs_action *, const struct ecs_doc *), struct fs_plan *plan,
                    struct ecs_error **ret_error)
{
    json_object_set_new(body, "cluster", json_string(save->key.id));
    struct fs_plan_call *call;
    if (fs_plan_add(plan, operation, body, &call) < 0)
        return no_memory(ret_error);
    call->effect = ECS_EFFECT_UPDATE;
    call->key = save->key;
    call->member = "cluster";
    call->happened = happened;
    return 0;
}

static int refuse_absent(const struct fs_save *save, struct ecs_error **ret_error)
{
    *ret_error =
        ecs_error_new(-ESTALE, "ClusterNotFoundException", "there is no cluster %s any more", save->key.id);
    return -ESTALE;
}

/* With what the save leaves out. New reference; NULL with *ret_error. */
static json_t *changes(const struct fs_document *document, const struct fs_save *save,
                       struct ecs_error **ret_error)
{
    json_t *shown = document->render(save->now);
    json_t *differences = shown ? fs_document_differences(document, save->wanted, save->now) : NULL;
    int r = differences ? fs_document_left_out(document, save->wanted, shown, differences, ret_error)
                        : no_memory(ret_error);
    json_decref(shown);
    if (r == 0)
        return differences;
    json_decref(differences);
    return NULL;
}

/* ---- cluster.json ---- */

static json_t *render_cluster(const json_t *described)
{
    return fs_canon(ecs_api_find("ecs", "UpdateCluster")->input, described, FS_CANON_SHOW);
}

static bool cluster_updated(const struct ecs_action *action, const struct ecs_doc *now)
{
    return changed_to(&fs_cluster_document, action, now);
}

static int plan_cluster(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    if (!save->now)
        return refuse_absent(save, ret_error);
    json_t *differences = changes(&fs_cluster_document, save, ret_error);
    if (!differences)
        return (*ret_error)->err;
    if (json_object_size(differences) > 0)
        return add_call(save, "UpdateCluster", differences, cluster_updated, plan, ret_error);
    json_decref(differences);
    return 0;
}

static const struct fs_unset cluster_unset[] = {
    {"serviceConnectDefaults", "{\"namespace\":\"\"}", true},
    {0},
};

const struct fs_document fs_cluster_document = {
    .what = "cluster",
    .kind = ECS_CLUSTER,
    .input = "UpdateCluster",
    .output = "DescribeClusters",
    .described = "clusters",
    .wrappers = (const char *const[]){"clusters", "cluster", NULL},
    .hidden = (const char *const[]){"cluster", NULL},
    .unset = cluster_unset,
    .render = render_cluster,
    .plan = plan_cluster,
};

/* ---- capacity-providers.json ---- */

static const char *const lists[] = {"capacityProviders", "defaultCapacityProviderStrategy"};

/* Both lists are always shown: an empty one is what there is to edit. */
static json_t *render_providers(const json_t *described)
{
    json_t *document =
        fs_canon(ecs_api_find("ecs", "PutClusterCapacityProviders")->input, described, FS_CANON_SHOW);
    for (size_t i = 0; document && i < ARRAY_LEN(lists); i++) {
        if (!json_object_get(document, lists[i]))
            json_object_set_new(document, lists[i], json_array());
    }
    return document;
}

static bool providers_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    return changed_to(&fs_capacity_providers_document, action, now);
}

/* The call replaces both lists, so the one that does not differ is sent as it is. */
static int plan_providers(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    if (!save->now)
        return refuse_absent(save, ret_error);
    json_t *differences = changes(&fs_capacity_providers_document, save, ret_error);
    if (!differences)
        return (*ret_error)->err;
    if (json_object_size(differences) == 0) {
        json_decref(differences);
        return 0;
    }
    json_t *body = render_providers(save->now);
    json_object_update(body, differences);
    json_decref(differences);
    return add_call(save, "PutClusterCapacityProviders", body, providers_put, plan, ret_error);
}

static const struct fs_unset providers_unset[] = {
    {"capacityProviders", "[]", true},
    {"defaultCapacityProviderStrategy", "[]", true},
    {0},
};

const struct fs_document fs_capacity_providers_document = {
    .what = "list of capacity providers",
    .kind = ECS_CLUSTER,
    .input = "PutClusterCapacityProviders",
    .output = "DescribeClusters",
    .described = "clusters",
    .wrappers = (const char *const[]){"clusters", "cluster", NULL},
    .hidden = (const char *const[]){"cluster", NULL},
    .unset = providers_unset,
    .render = render_providers,
    .plan = plan_providers,
};
