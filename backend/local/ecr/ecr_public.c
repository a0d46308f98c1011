/* SPDX-License-Identifier: Apache-2.0 */
/* ECR Public: one registry for all regions. Most of its operations do what ECR's of the same name do, in a
 * region of their own; what is different stands here. */
#include <stdio.h>
#include <string.h>

#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"
#include "login.h"
#include "pages.h"
#include "registry.h"

static const char region_name[] = "public";

bool region_is_public(const struct region *region)
{
    return strcmp(region->name, region_name) == 0;
}

struct region *public_region(struct world *world)
{
    return world_find_region(world, region_name);
}

char *public_alias(const struct world *world, char alias[PUBLIC_ALIAS_MAX])
{
    snprintf(alias, PUBLIC_ALIAS_MAX, "e%.7s", world->account);
    return alias;
}

const char *public_path(const struct world *world, const char *path)
{
    char alias[PUBLIC_ALIAS_MAX];
    size_t len = strlen(public_alias(world, alias));
    return strncmp(path, alias, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* Members that only ECR's own answers have drop out. Takes the reply over. */
static json_t *project(const struct request *rq, json_t *reply)
{
    const struct ecs_api_operation *api = ecs_api_find("ecr-public", rq->operation->name);
    json_t *part = reply && api && api->output ? ecs_shape_project(api->output, reply) : json_incref(reply);
    json_decref(reply);
    return part;
}

/* As ECR does it. */
static json_t *as_private(struct request *rq)
{
    struct request inner = *rq;
    inner.operation = operation_find("ecr", rq->operation->name);
    inner.region = public_region(rq->world);
    if (!inner.operation || !inner.region)
        return NULL;
    json_t *reply = inner.operation->handler(&inner);
    rq->error = inner.error;
    return project(rq, reply);
}

static struct repository *find(struct request *rq)
{
    struct request inner = *rq;
    inner.region = public_region(rq->world);
    struct repository *repository = inner.region ? repository_of(&inner) : NULL;
    rq->error = inner.error;
    return repository;
}

/* --- catalog data --- */

/* As it is shown: a logo that came as bytes has an address from then on. */
static json_t *take_catalog(const struct request *rq, const struct repository *repository,
                            const json_t *given)
{
    static const char *const members[] = {"aboutText", "architectures", "description", "operatingSystems",
                                          "usageText"};
    json_t *catalog = json_object();
    copy_members(catalog, given, members, ARRAY_LEN(members));
    if (in_text(given, "logoImageBlob"))
        json_object_set_new(
            catalog, "logoUrl",
            json_sprintf("https://logos.ecs-local.invalid/%s/%s", rq->world->account, repository->name));
    json_object_set_new(catalog, "marketplaceCertified", json_false());
    return catalog;
}

static void keep_catalog(struct repository *repository, json_t *catalog)
{
    json_object_set_new(repository->settings, "catalogData", catalog);
    record_dirty(&repository->record);
}

static json_t *create_repository(struct request *rq)
{
    json_t *reply = as_private(rq);
    struct repository *repository = reply ? find(rq) : NULL;
    if (!repository)
        return reply;
    json_t *catalog = take_catalog(rq, repository, json_object_get(rq->in, "catalogData"));
    json_object_set(reply, "catalogData", catalog);
    keep_catalog(repository, catalog);
    return reply;
}

static json_t *get_repository_catalog_data(struct request *rq)
{
    struct repository *repository = find(rq);
    if (!repository)
        return NULL;
    json_t *catalog = json_object_get(repository->settings, "catalogData");
    return json_pack("{s:o}", "catalogData", catalog ? json_incref(catalog) : json_object());
}

static json_t *put_repository_catalog_data(struct request *rq)
{
    struct repository *repository = find(rq);
    if (!repository)
        return NULL;
    keep_catalog(repository, take_catalog(rq, repository, json_object_get(rq->in, "catalogData")));
    return get_repository_catalog_data(rq);
}

static json_t *get_registry_catalog_data(struct request *rq)
{
    struct region *region = public_region(rq->world);
    json_t *name =
        region && region->registry ? json_object_get(region->registry->settings, "displayName") : NULL;
    return json_pack("{s:{s:o}}", "registryCatalogData", "displayName",
                     name ? json_incref(name) : json_string(""));
}

static json_t *put_registry_catalog_data(struct request *rq)
{
    struct region *region = public_region(rq->world);
    struct registry *registry = region ? registry_of(region) : NULL;
    const char *name = in_text(rq->in, "displayName");
    if (!registry)
        return NULL;
    json_object_set_new(registry->settings, "displayName", json_string(name ? name : ""));
    record_dirty(&registry->record);
    return get_registry_catalog_data(rq);
}

/* --- the registry --- */

static json_t *describe_registries(struct request *rq)
{
    char alias[PUBLIC_ALIAS_MAX];
    public_alias(rq->world, alias);
    return json_pack(
        "{s:[{s:s, s:o, s:o, s:b, s:[{s:s, s:s, s:b, s:b}]}]}", "registries", "registryId",
        rq->world->account, "registryArn",
        json_sprintf("arn:aws:ecr-public::%s:registry/%s", rq->world->account, rq->world->account),
        "registryUri", json_sprintf("public.ecr.aws/%s", alias), "verified", 0, "aliases", "name", alias,
        "status", "ACTIVE", "primaryRegistryAlias", 1, "defaultRegistryAlias", 1);
}

/* As ECR's, but one, and without its host. */
static json_t *get_authorization_token(struct request *rq)
{
    json_t *reply = operation_find("ecr", "GetAuthorizationToken")->handler(rq);
    json_t *data = json_incref(json_array_get(json_object_get(reply, "authorizationData"), 0));
    json_decref(reply);
    json_object_del(data, "proxyEndpoint");
    return data ? json_pack("{s:o}", "authorizationData", data) : NULL;
}

/* One row a tag, untagged images have none. */
static json_t *describe_image_tags(struct request *rq)
{
    struct repository *repository = find(rq);
    struct page page;
    struct image *image;
    if (!repository || !page_begin(rq, &page, 100, 1000))
        return NULL;
    TAILQ_FOREACH(image, &repository->images, link)
    {
        for (size_t i = 0; i < json_array_size(image->tags); i++) {
            uint64_t place = (image->record.sequence << 16) + i + 1;
            if (!page_wants(&page, place))
                continue;
            page_add(&page, place,
                     json_pack("{s:O, s:o, s:{s:s, s:I, s:o, s:s, s:s*}}", "imageTag",
                               json_array_get(image->tags, i), "createdAt", json_time(image->pushed_at),
                               "imageDetail", "imageDigest", image->digest, "imageSizeInBytes",
                               (json_int_t)image->size, "imagePushedAt", json_time(image->pushed_at),
                               "imageManifestMediaType", image->media_type, "artifactMediaType",
                               image->artifact_type));
        }
    }
    return page_reply(rq, &page, "imageTagDetails");
}

const struct operation ecr_public_operations[] = {
    {"ecr-public", "DescribeRepositories", as_private, BUCKET_ECR_READ, false},
    {"ecr-public", "CreateRepository", create_repository, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "DeleteRepository", as_private, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "GetRepositoryCatalogData", get_repository_catalog_data, BUCKET_ECR_READ, false},
    {"ecr-public", "PutRepositoryCatalogData", put_repository_catalog_data, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "GetRegistryCatalogData", get_registry_catalog_data, BUCKET_ECR_READ, false},
    {"ecr-public", "PutRegistryCatalogData", put_registry_catalog_data, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "DescribeRegistries", describe_registries, BUCKET_ECR_READ, false},
    {"ecr-public", "GetAuthorizationToken", get_authorization_token, BUCKET_ECR_READ, false},
    {"ecr-public", "GetRepositoryPolicy", as_private, BUCKET_ECR_READ, false},
    {"ecr-public", "SetRepositoryPolicy", as_private, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "DeleteRepositoryPolicy", as_private, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "ListTagsForResource", as_private, BUCKET_ECR_READ, false},
    {"ecr-public", "TagResource", as_private, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "UntagResource", as_private, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "DescribeImages", as_private, BUCKET_ECR_READ, false},
    {"ecr-public", "DescribeImageTags", describe_image_tags, BUCKET_ECR_READ, false},
    {"ecr-public", "PutImage", as_private, BUCKET_ECR_PUT_IMAGE, true},
    {"ecr-public", "BatchDeleteImage", as_private, BUCKET_ECR_MODIFY, true},
    {"ecr-public", "BatchCheckLayerAvailability", as_private, BUCKET_ECR_READ, false},
    {"ecr-public", "InitiateLayerUpload", as_private, BUCKET_ECR_LAYER_UPLOAD, true},
    {"ecr-public", "UploadLayerPart", as_private, BUCKET_ECR_LAYER_PART, true},
    {"ecr-public", "CompleteLayerUpload", as_private, BUCKET_ECR_LAYER_UPLOAD, true},
    {0},
};
