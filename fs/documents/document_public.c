/* SPDX-License-Identifier: Apache-2.0 */
/* public-repositories/<r>/catalog.json and registry/public/catalog.json: what ECR Public's gallery shows.
 * Each call replaces the whole. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "document.h"

/* The shape of the catalog data is within that of the call's input. */
static const struct ecs_shape *catalog_shape(void)
{
    const struct ecs_shape *input = ecs_api_find("ecr-public", "PutRepositoryCatalogData")->input;
    return ecs_shape_member(input, "catalogData")->shape;
}

static json_t *render_catalog(const json_t *described)
{
    return fs_canon(catalog_shape(), described, FS_CANON_SHOW);
}

/* A lost answer: does nothing of what was sent differ from what is there? A logo comes back as its address.
 */
static bool catalog_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL), *there = now != NULL ? ecs_doc_tree(now) : NULL;
    json_t *catalog = json_object_get(sent, "catalogData");
    bool happened = there != NULL && json_object_get(catalog, "logoImageBlob") == NULL &&
                    fs_canon_equal(catalog_shape(), catalog, there);
    json_decref(there);
    json_decref(sent);
    return happened;
}

static int plan(const struct fs_save *save, const char *operation, json_t *body,
                bool (*happened)(const struct ecs_action *, const struct ecs_doc *), struct fs_plan *plan,
                struct ecs_error **ret_error)
{
    struct fs_plan_call *call;
    if (fs_plan_add(plan, operation, body, &call) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return -ENOMEM;
    }
    call->effect = ECS_EFFECT_FORGET;
    call->key = save->key;
    call->happened = happened;
    return 0;
}

/* What is equal makes no call. What is left out is taken away, but for the logo, which is never shown. */
static int plan_catalog(const struct fs_save *save, struct fs_plan *ret_plan, struct ecs_error **ret_error)
{
    bool logo = json_object_get(save->wanted, "logoImageBlob") != NULL;
    if (!logo && save->now != NULL && fs_canon_equal(catalog_shape(), save->wanted, save->now))
        return 0;
    return plan(save, "PutRepositoryCatalogData",
                json_pack("{s:s, s:O}", "repositoryName", save->key.id, "catalogData", save->wanted),
                catalog_put, ret_plan, ret_error);
}

const struct fs_document fs_public_catalog_document = {
    .what = "catalog data",
    .service = "ecr-public",
    .kind = ECS_PUBLIC_CATALOG,
    .input = "PutRepositoryCatalogData",
    .within = "catalogData",
    .output = "GetRepositoryCatalogData",
    .described = "catalogData",
    .wrappers = (const char *const[]){"catalogData", NULL},
    .hidden = (const char *const[]){NULL},
    .creates = true,
    .render = render_catalog,
    .plan = plan_catalog,
};

/* ---- the registry's ---- */

static json_t *render_registry(const json_t *described)
{
    return fs_canon(ecs_api_find("ecr-public", "PutRegistryCatalogData")->input, described, FS_CANON_SHOW);
}

static const char *name_in(const json_t *catalog)
{
    const char *name = json_string_value(json_object_get(catalog, "displayName"));
    return name != NULL ? name : "";
}

static bool registry_put(const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL), *there = now != NULL ? ecs_doc_tree(now) : NULL;
    bool happened = there != NULL && strcmp(name_in(sent), name_in(there)) == 0;
    json_decref(there);
    json_decref(sent);
    return happened;
}

static int plan_registry(const struct fs_save *save, struct fs_plan *ret_plan, struct ecs_error **ret_error)
{
    if (strcmp(name_in(save->wanted), name_in(save->now)) == 0)
        return 0;
    return plan(save, "PutRegistryCatalogData", json_pack("{s:s}", "displayName", name_in(save->wanted)),
                registry_put, ret_plan, ret_error);
}

const struct fs_document fs_public_registry_catalog_document = {
    .what = "catalog data",
    .service = "ecr-public",
    .kind = ECS_PUBLIC_REGISTRY_CATALOG,
    .input = "PutRegistryCatalogData",
    .output = "GetRegistryCatalogData",
    .described = "registryCatalogData",
    .wrappers = (const char *const[]){"registryCatalogData", NULL},
    .hidden = (const char *const[]){NULL},
    .creates = true,
    .render = render_registry,
    .plan = plan_registry,
};
