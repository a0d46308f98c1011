/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of Amazon ECR. DescribeRepositories and DescribeImages give whole documents in pages of 1000: one
 * listing answers for all, so nothing asks for one repository or image by itself, and a walk costs a call for
 * a thousand. */
#include "kinds.h"

static const struct ecs_field repository_fields[] = {
    {"repositoryArn", "repositoryArn"},
    {"repositoryName", "repositoryName"},
    {"repositoryUri", "repositoryUri"},
    {"registryId", "registryId"},
    {"createdAt", "createdAt"},
    {"imageTagMutability", "imageTagMutability"},
    {0},
};

const struct ecs_kind ecs_kind_repository = {
    .name = "repository",
    .service = "ecr",
    .list = {.operation = "DescribeRepositories",
             .member = "repositories",
             .item = "repositoryName",
             .page = 1000,
             .describes = true},
    .describe = {.id = "repositoryName"},
    .time = "createdAt",
    .fields = repository_fields,
};

static const struct ecs_field repository_policy_fields[] = {
    {"policyText", "policyText"},
    {0},
};

const struct ecs_kind ecs_kind_repository_policy = {
    .name = "repository-policy",
    .service = "ecr",
    .describe = {.operation = "GetRepositoryPolicy",
                 .ids = "repositoryName",
                 .single = true,
                 .id = "repositoryName"},
    .fields = repository_policy_fields,
};

static const struct ecs_field lifecycle_policy_fields[] = {
    {"lifecyclePolicyText", "lifecyclePolicyText"},
    {0},
};

const struct ecs_kind ecs_kind_lifecycle_policy = {
    .name = "lifecycle-policy",
    .service = "ecr",
    .describe = {.operation = "GetLifecyclePolicy",
                 .ids = "repositoryName",
                 .single = true,
                 .id = "repositoryName"},
    .fields = lifecycle_policy_fields,
};

static const struct ecs_field no_fields[] = {{0}};

const struct ecs_kind ecs_kind_repository_tags = {
    .name = "repository-tags",
    .service = "ecr",
    .describe = {.operation = "ListTagsForResource",
                 .ids = "resourceArn",
                 .single = true,
                 .format = "%3$s:repository/%2$s",
                 .owner = ECS_REPOSITORY,
                 .owner_arn = "repositoryArn",
                 .owner_same = true},
    .fields = no_fields,
};

static const struct ecs_field image_fields[] = {
    {"imageDigest", "imageDigest"},
    {"imagePushedAt", "imagePushedAt"},
    {"imageSizeInBytes", "imageSizeInBytes"},
    {"imageManifestMediaType", "imageManifestMediaType"},
    {"scanStatus", "imageScanStatus.status"},
    {"scanCompletedAt", "imageScanFindingsSummary.imageScanCompletedAt"},
    {"firstTag", "imageTags[0]"},
    {"imageStatus", "imageStatus"}, /* ACTIVE, ARCHIVED, ACTIVATING */
    {"subject", "subjectManifestDigest"},
    {0},
};

const struct ecs_kind ecs_kind_image = {
    .name = "image",
    .service = "ecr",
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

/* A manifest is what its digest says, for ever. Without acceptedMediaTypes ECR converts what it thinks a
 * client does not know, and the bytes would no longer hash to the digest. */
static const struct ecs_field manifest_fields[] = {
    {"imageManifestMediaType", "imageManifestMediaType"},
    {0},
};

const struct ecs_kind ecs_kind_manifest = {
    .name = "manifest",
    .service = "ecr",
    .describe = {.operation = "BatchGetImage",
                 .ids = "imageIds",
                 .batch = 100,
                 .object = "imageDigest",
                 .has_siblings = true,
                 .siblings = ECS_IMAGE,
                 .parents = {"repositoryName"},
                 .input = "{\"acceptedMediaTypes\":["
                          "\"application/vnd.oci.image.manifest.v1+json\","
                          "\"application/vnd.oci.image.index.v1+json\","
                          "\"application/vnd.docker.distribution.manifest.v2+json\","
                          "\"application/vnd.docker.distribution.manifest.list.v2+json\","
                          "\"application/vnd.docker.distribution.manifest.v1+prettyjws\","
                          "\"application/vnd.docker.distribution.manifest.v1+json\"]}",
                 .member = "images",
                 .id = "imageId.imageDigest"},
    .lifetime = ECS_FOREVER,
    .fields = manifest_fields,
};

static const struct ecs_field layer_fields[] = {
    {"layerAvailability", "layerAvailability"}, /* AVAILABLE, UNAVAILABLE */
    {"layerSize", "layerSize"},
    {0},
};

/* Layers that no manifest of an image names (yet). */
const struct ecs_kind ecs_kind_layer = {
    .name = "layer",
    .service = "ecr",
    .describe = {.operation = "BatchCheckLayerAvailability",
                 .ids = "layerDigests",
                 .batch = 100,
                 .parents = {"repositoryName"},
                 .member = "layers",
                 .id = "layerDigest"},
    .fields = layer_fields,
};

static const struct ecs_field scan_findings_fields[] = {
    {"status", "imageScanStatus.status"},
    {0},
};

const struct ecs_kind ecs_kind_scan_findings = {
    .name = "scan-findings",
    .service = "ecr",
    .describe = {.operation = "DescribeImageScanFindings",
                 .ids = "imageId",
                 .single = true,
                 .object = "imageDigest",
                 .parents = {"repositoryName"},
                 .input = "{\"maxResults\":1000}"},
    .fields = scan_findings_fields,
};

static const struct ecs_field registry_fields[] = {
    {"registryId", "registryId"},
    {"firstReplication", "replicationConfiguration.rules[0].destinations[0].region"},
    {0},
};

const struct ecs_kind ecs_kind_registry = {
    .name = "registry",
    .service = "ecr",
    .describe = {.operation = "DescribeRegistry", .single = true},
    .fields = registry_fields,
};

static const struct ecs_field registry_policy_fields[] = {
    {"policyText", "policyText"},
    {0},
};

const struct ecs_kind ecs_kind_registry_policy = {
    .name = "registry-policy",
    .service = "ecr",
    .describe = {.operation = "GetRegistryPolicy", .single = true},
    .fields = registry_policy_fields,
};

const struct ecs_kind ecs_kind_registry_scanning = {
    .name = "registry-scanning",
    .service = "ecr",
    .describe = {.operation = "GetRegistryScanningConfiguration",
                 .single = true,
                 .member = "scanningConfiguration",
                 .beside = "registryId"},
    .fields = registry_fields,
};

static const struct ecs_field pull_through_rule_fields[] = {
    {"ecrRepositoryPrefix", "ecrRepositoryPrefix"},
    {0},
};

const struct ecs_kind ecs_kind_pull_through_rule = {
    .name = "pull-through-rule",
    .service = "ecr",
    .list = {.operation = "DescribePullThroughCacheRules",
             .member = "pullThroughCacheRules",
             .item = "ecrRepositoryPrefix",
             .page = 1000,
             .describes = true},
    .describe = {.id = "ecrRepositoryPrefix"},
    .time = "createdAt",
    .fields = pull_through_rule_fields,
};

static const struct ecs_field creation_template_fields[] = {
    {"prefix", "prefix"},
    {0},
};

const struct ecs_kind ecs_kind_creation_template = {
    .name = "creation-template",
    .service = "ecr",
    .list = {.operation = "DescribeRepositoryCreationTemplates",
             .member = "repositoryCreationTemplates",
             .item = "prefix",
             .page = 1000,
             .describes = true},
    .describe = {.id = "prefix"},
    .time = "createdAt",
    .fields = creation_template_fields,
};

const struct ecs_kind ecs_kind_repository_scanning = {
    .name = "repository-scanning",
    .service = "ecr",
    .describe = {.operation = "BatchGetRepositoryScanningConfiguration",
                 .ids = "repositoryNames",
                 .batch = 25,
                 .has_siblings = true,
                 .siblings = ECS_REPOSITORY,
                 .member = "scanningConfigurations",
                 .id = "repositoryName"},
    .fields = no_fields,
};

const struct ecs_kind ecs_kind_image_replication = {
    .name = "image-replication",
    .service = "ecr",
    .describe = {.operation = "DescribeImageReplicationStatus",
                 .ids = "imageId",
                 .single = true,
                 .object = "imageDigest",
                 .parents = {"repositoryName"}},
    .fields = no_fields,
};

const struct ecs_kind ecs_kind_image_signing = {
    .name = "image-signing",
    .service = "ecr",
    .describe = {.operation = "DescribeImageSigningStatus",
                 .ids = "imageId",
                 .single = true,
                 .object = "imageDigest",
                 .parents = {"repositoryName"}},
    .fields = no_fields,
};

const struct ecs_kind ecs_kind_registry_signing = {
    .name = "registry-signing",
    .service = "ecr",
    .describe = {.operation = "GetSigningConfiguration", .single = true, .member = "signingConfiguration"},
    .fields = no_fields,
};

static const struct ecs_field registry_setting_fields[] = {
    {"value", "value"},
    {0},
};

const struct ecs_kind ecs_kind_registry_setting = {
    .name = "registry-setting",
    .service = "ecr",
    .describe = {.operation = "GetAccountSetting", .ids = "name", .single = true, .id = "name"},
    .fields = registry_setting_fields,
};

const struct ecs_kind ecs_kind_pull_time_exclusion = {
    .name = "pull-time-exclusion",
    .service = "ecr",
    .list = {.operation = "ListPullTimeUpdateExclusions", .member = "pullTimeUpdateExclusions", .page = 1000},
    .fields = no_fields,
};
