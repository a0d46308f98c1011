/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of Amazon ECR Public: as those of ECR, whose rows tell more. Its API gives no manifests and no
 * layers: they come from its registry (fs/images/public_registry.c). */
#include "kinds.h"

static const struct ecs_field no_fields[] = {{0}};

static const struct ecs_field repository_fields[] = {
    {"repositoryArn", "repositoryArn"}, {"repositoryName", "repositoryName"},
    {"repositoryUri", "repositoryUri"}, {"registryId", "registryId"},
    {"createdAt", "createdAt"},         {0},
};

const struct ecs_kind ecs_kind_public_repository = {
    .name = "public-repository",
    .service = "ecr-public",
    .list = {.operation = "DescribeRepositories",
             .member = "repositories",
             .item = "repositoryName",
             .page = 1000,
             .describes = true},
    .describe = {.id = "repositoryName"},
    .time = "createdAt",
    .fields = repository_fields,
};

const struct ecs_kind ecs_kind_public_catalog = {
    .name = "public-catalog",
    .service = "ecr-public",
    .describe = {.operation = "GetRepositoryCatalogData",
                 .ids = "repositoryName",
                 .single = true,
                 .member = "catalogData",
                 .id = "repositoryName"},
    .fields = no_fields,
};

static const struct ecs_field policy_fields[] = {
    {"policyText", "policyText"},
    {0},
};

const struct ecs_kind ecs_kind_public_policy = {
    .name = "public-policy",
    .service = "ecr-public",
    .describe = {.operation = "GetRepositoryPolicy",
                 .ids = "repositoryName",
                 .single = true,
                 .id = "repositoryName"},
    .fields = policy_fields,
};

const struct ecs_kind ecs_kind_public_tags = {
    .name = "public-tags",
    .service = "ecr-public",
    .describe = {.operation = "ListTagsForResource",
                 .ids = "resourceArn",
                 .single = true,
                 .format = "%3$s:repository/%2$s",
                 .owner = ECS_PUBLIC_REPOSITORY,
                 .owner_arn = "repositoryArn",
                 .owner_same = true},
    .fields = no_fields,
};

static const struct ecs_field image_fields[] = {
    {"imageDigest", "imageDigest"},
    {"imagePushedAt", "imagePushedAt"},
    {"imageSizeInBytes", "imageSizeInBytes"},
    {"imageManifestMediaType", "imageManifestMediaType"},
    {"firstTag", "imageTags[0]"},
    {0},
};

const struct ecs_kind ecs_kind_public_image = {
    .name = "public-image",
    .service = "ecr-public",
    .list = {.operation = "DescribeImages",
             .member = "imageDetails",
             .item = "imageDigest",
             .parents = {"repositoryName"},
             .page = 1000,
             .describes = true},
    .describe = {.id = "imageDigest"},
    .time = "imagePushedAt",
    .fields = image_fields,
};

static const struct ecs_field layer_fields[] = {
    {"layerAvailability", "layerAvailability"},
    {"layerSize", "layerSize"},
    {0},
};

const struct ecs_kind ecs_kind_public_layer = {
    .name = "public-layer",
    .service = "ecr-public",
    .describe = {.operation = "BatchCheckLayerAvailability",
                 .ids = "layerDigests",
                 .batch = 100,
                 .parents = {"repositoryName"},
                 .member = "layers",
                 .id = "layerDigest"},
    .fields = layer_fields,
};

const struct ecs_kind ecs_kind_public_registry = {
    .name = "public-registry",
    .service = "ecr-public",
    .describe = {.operation = "DescribeRegistries", .single = true},
    .fields = no_fields,
};

const struct ecs_kind ecs_kind_public_registry_catalog = {
    .name = "public-registry-catalog",
    .service = "ecr-public",
    .describe = {.operation = "GetRegistryCatalogData", .single = true, .member = "registryCatalogData"},
    .fields = no_fields,
};
