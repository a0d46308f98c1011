/* SPDX-License-Identifier: Apache-2.0 */
#include "ecr_account.h"

#include "ecsfs/backend.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char digests[3][72];

static const char *text_in(const json_t *input, const char *member)
{
    const char *text = json_string_value(json_object_get(input, member));
    return text ? text : "";
}

const char *ecr_account_layer(void)
{
    static char layer[ECR_LAYER_SIZE];
    if (layer[1] == 0)
        for (size_t i = 0; i < sizeof(layer); i++)
            layer[i] = (char)(i * 7 + i / 4096);
    return layer;
}

const char *ecr_account_layer_hex(void)
{
    static char hex[65];
    unsigned char sum[SHA256_DIGEST_LENGTH];
    if (hex[0] == 0) {
        SHA256((const unsigned char *)ecr_account_layer(), ECR_LAYER_SIZE, sum);
        for (size_t i = 0; i < sizeof(sum); i++)
            snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    }
    return hex;
}

enum ecr_account_harm ecr_account_harm;

void ecr_account_download(struct ecs_call *call)
{
    if (ecr_account_harm == ECR_EXPIRED || ecr_account_harm == ECR_REFUSED) {
        if (ecr_account_harm == ECR_EXPIRED)
            ecr_account_harm = ECR_WHOLE;
        call->error = ecs_error_from_aws(call->operation, 403, "AccessDenied", "Request has expired", "", 0);
        return;
    }
    size_t rest = ECR_LAYER_SIZE - (size_t)call->range_first;
    call->bytes_len = (call->range_len < rest ? call->range_len : rest) - (ecr_account_harm == ECR_SHORT);
    call->bytes = malloc(call->bytes_len);
    memcpy(call->bytes, ecr_account_layer() + call->range_first, call->bytes_len);
    if (ecr_account_harm == ECR_WRONG)
        call->bytes[0] ^= 1;
}

/* Bytes that no JSON writer would make again. */
static void make_manifest(int i, char *text, size_t size)
{
    char layers[160] = "";
    if (i == 2)
        snprintf(layers, sizeof(layers), ", \"layers\":[{\"size\":%d,\"digest\":\"sha256:%s\"}]",
                 ECR_LAYER_SIZE, ecr_account_layer_hex());
    snprintf(text, size,
             "{ \"schemaVersion\":2,\n\t\"config\": {\"size\": %d, \"digest\": \"sha256:%064d\"}%s }\n", i, i,
             layers);
}

static void digest_of(const char *text, char digest[72])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), sum);
    size_t len = (size_t)snprintf(digest, 72, "sha256:");
    for (size_t i = 0; i < sizeof(sum); i++)
        len += (size_t)snprintf(digest + len, 72 - len, "%02x", sum[i]);
}

const char *ecr_account_digest(int i)
{
    char text[512];
    make_manifest(i, text, sizeof(text));
    digest_of(text, digests[i]);
    return digests[i];
}

static void add_repository(json_t *repositories, const char *name)
{
    json_object_set_new(repositories, name,
                        json_pack("{s:{s:o, s:s, s:o, s:s, s:i, s:s, s:{s:b}}, s:{}, s:[{s:s, s:s}]}",
                                  "describe", "repositoryArn",
                                  json_sprintf("arn:aws:ecr:eu-west-1:123456789012:repository/%s", name),
                                  "repositoryName", name, "repositoryUri", json_sprintf(ECR_HOST "/%s", name),
                                  "registryId", "123456789012", "createdAt", 1700000000, "imageTagMutability",
                                  "MUTABLE", "imageScanningConfiguration", "scanOnPush", 0, "images", "tags",
                                  "Key", "owner", "Value", "shop"));
}

void ecr_account_fill(json_t *account)
{
    static const char *const names[] = {"team/app", "team", "team/images", "deep/er"};
    json_t *repositories = json_object();
    json_object_set_new(account, "repositories", repositories);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        add_repository(repositories, names[i]);
    json_t *images = json_object_get(json_object_get(repositories, "team/app"), "images");
    for (int i = 0; i < 3; i++) {
        char manifest[512];
        make_manifest(i, manifest, sizeof(manifest));
        json_t *image = json_pack("{s:s, s:{s:s, s:s, s:i, s:i, s:s}}", "manifest", manifest, "describe",
                                  "imageDigest", ecr_account_digest(i), "repositoryName", "team/app",
                                  "imagePushedAt", 1700000000 + i, "imageSizeInBytes", 1000 + i,
                                  "imageManifestMediaType", "application/vnd.oci.image.manifest.v1+json");
        json_t *describe = json_object_get(image, "describe");
        if (i > 0)
            json_object_set_new(describe, "imageTags", json_pack("[o]", json_sprintf("v%d", i)));
        if (i == 1)
            json_object_set_new(describe, "imageScanStatus", json_pack("{s:s}", "status", "COMPLETE"));
        if (i == 1)
            json_object_set_new(
                describe, "imageScanFindingsSummary",
                json_pack("{s:{s:i, s:i}}", "findingSeverityCounts", "HIGH", 3, "CRITICAL", 2));
        json_object_set_new(images, ecr_account_digest(i), image);
    }
}

struct answer {
    json_t *repositories, *repository, *input;
    const char *code, *message;
};

static json_t *refuse(struct answer *answer, const char *code, const char *message)
{
    answer->code = code;
    answer->message = message;
    return NULL;
}

static json_t *describe_repositories(struct answer *answer)
{
    json_t *list = json_array(), *repository;
    const char *name;
    json_object_foreach(answer->repositories, name, repository)
        json_array_append(list, json_object_get(repository, "describe"));
    return json_pack("{s:o}", "repositories", list);
}

static json_t *create_repository(struct answer *answer)
{
    const char *name = text_in(answer->input, "repositoryName");
    if (answer->repository)
        return refuse(answer, "RepositoryAlreadyExistsException", "it exists");
    add_repository(answer->repositories, name);
    return json_pack("{s:O}", "repository",
                     json_object_get(json_object_get(answer->repositories, name), "describe"));
}

static json_t *delete_repository(struct answer *answer)
{
    if (json_object_size(json_object_get(answer->repository, "images")) > 0)
        return refuse(answer, "RepositoryNotEmptyException", "it has images");
    json_t *reply = json_pack("{s:O}", "repository", json_object_get(answer->repository, "describe"));
    json_object_del(answer->repositories, text_in(answer->input, "repositoryName"));
    return reply;
}

static json_t *describe_images(struct answer *answer)
{
    json_t *list = json_array(), *image;
    const char *digest;
    json_object_foreach(json_object_get(answer->repository, "images"), digest, image)
        json_array_append(list, json_object_get(image, "describe"));
    return json_pack("{s:o}", "imageDetails", list);
}

static json_t *get_images(struct answer *answer)
{
    json_t *list = json_array(), *id;
    size_t i;
    json_array_foreach(json_object_get(answer->input, "imageIds"), i, id)
    {
        const char *digest = text_in(id, "imageDigest");
        json_t *image = json_object_get(json_object_get(answer->repository, "images"), digest);
        if (image)
            json_array_append_new(
                list,
                json_pack("{s:{s:s}, s:O, s:O}", "imageId", "imageDigest", digest, "imageManifest",
                          json_object_get(image, "manifest"), "imageManifestMediaType",
                          json_object_get(json_object_get(image, "describe"), "imageManifestMediaType")));
    }
    return json_pack("{s:o, s:[]}", "images", list, "failures");
}

/* The tag leaves every image; a tag that was the last takes no image with it here. */
static void drop_tag(json_t *images, const char *tag)
{
    const char *digest;
    json_t *image, *each;
    size_t i;
    json_object_foreach(images, digest, image)
    {
        json_t *tags = json_object_get(json_object_get(image, "describe"), "imageTags");
        json_array_foreach(tags, i, each) if (strcmp(json_string_value(each), tag) == 0)
        {
            json_array_remove(tags, i);
            break;
        }
    }
}

static json_t *put_image(struct answer *answer)
{
    char digest[72];
    const char *tag = text_in(answer->input, "imageTag");
    json_t *images = json_object_get(answer->repository, "images");
    digest_of(text_in(answer->input, "imageManifest"), digest);
    json_t *image = json_object_get(images, digest);
    if (!image)
        return refuse(answer, "LayersNotFoundException", "no such layers");
    if (strcmp(text_in(json_object_get(answer->repository, "describe"), "imageTagMutability"), "IMMUTABLE") ==
        0)
        return refuse(answer, "ImageTagAlreadyExistsException",
                      "The image tag already exists and cannot be overwritten");
    drop_tag(images, tag);
    json_t *describe = json_object_get(image, "describe");
    if (!json_object_get(describe, "imageTags"))
        json_object_set_new(describe, "imageTags", json_array());
    json_array_append_new(json_object_get(describe, "imageTags"), json_string(tag));
    return json_pack("{s:{s:{s:s}}}", "image", "imageId", "imageDigest", digest);
}

static json_t *delete_images(struct answer *answer)
{
    json_t *images = json_object_get(answer->repository, "images");
    json_t *id = json_array_get(json_object_get(answer->input, "imageIds"), 0);
    if (json_object_get(id, "imageTag"))
        drop_tag(images, text_in(id, "imageTag"));
    else if (json_object_del(images, text_in(id, "imageDigest")) < 0)
        return json_pack("{s:[], s:[{s:O, s:s, s:s}]}", "imageIds", "failures", "imageId", id, "failureCode",
                         "ImageNotFound", "failureReason", "Requested image not found");
    return json_pack("{s:[O], s:[]}", "imageIds", id, "failures");
}

static json_t *get_policy(struct answer *answer)
{
    json_t *text = json_object_get(answer->repository, "policy");
    return text ? json_pack("{s:O, s:s}", "policyText", text, "repositoryName",
                            text_in(answer->input, "repositoryName"))
                : refuse(answer, "RepositoryPolicyNotFoundException", "no policy");
}

static json_t *set_policy(struct answer *answer)
{
    json_object_set(answer->repository, "policy", json_object_get(answer->input, "policyText"));
    return get_policy(answer);
}

static json_t *delete_policy(struct answer *answer)
{
    json_t *reply = get_policy(answer);
    json_object_del(answer->repository, "policy");
    return reply;
}

static json_t *get_lifecycle(struct answer *answer)
{
    return refuse(answer, "LifecyclePolicyNotFoundException", "no policy");
}

static json_t *put_mutability(struct answer *answer)
{
    json_object_set(json_object_get(answer->repository, "describe"), "imageTagMutability",
                    json_object_get(answer->input, "imageTagMutability"));
    return json_object();
}

static json_t *list_tags(struct answer *answer)
{
    const char *name = strstr(text_in(answer->input, "resourceArn"), ":repository/");
    json_t *repository = name ? json_object_get(answer->repositories, name + 12) : NULL;
    return repository ? json_pack("{s:O}", "tags", json_object_get(repository, "tags"))
                      : refuse(answer, "InvalidParameterException", "no such resource");
}

static json_t *download_url(struct answer *answer)
{
    (void)answer;
    return json_pack("{s:s}", "downloadUrl", "https://layers.example/signed");
}

/* 2500 findings, in pages. */
static json_t *scan_findings(struct answer *answer)
{
    int from = atoi(text_in(answer->input, "nextToken"));
    json_t *findings = json_array();
    for (int i = from; i < from + 1000 && i < 2500; i++)
        json_array_append_new(findings, json_pack("{s:o}", "name", json_sprintf("CVE-%04d", i)));
    json_t *reply = json_pack("{s:{s:s}, s:{s:o}}", "imageScanStatus", "status", "COMPLETE",
                              "imageScanFindings", "findings", findings);
    if (from < 2000)
        json_object_set_new(reply, "nextToken", json_sprintf("%d", from + 1000));
    return reply;
}

static json_t *check_layers(struct answer *answer)
{
    json_t *digest = json_array_get(json_object_get(answer->input, "layerDigests"), 0);
    return json_pack("{s:[{s:O, s:s}]}", "layers", "layerDigest", digest, "layerAvailability", "UNAVAILABLE");
}

const char *ecr_account_rule;

static json_t *pull_through_rules(struct answer *answer)
{
    (void)answer;
    json_t *rules = json_array();
    if (ecr_account_rule)
        json_array_append_new(rules, json_pack("{s:s}", "ecrRepositoryPrefix", ecr_account_rule));
    return json_pack("{s:o}", "pullThroughCacheRules", rules);
}

static json_t *scanning_configurations(struct answer *answer)
{
    json_t *list = json_array(), *name;
    size_t i;
    json_array_foreach(json_object_get(answer->input, "repositoryNames"), i, name) json_array_append_new(
        list, json_pack("{s:O, s:s}", "repositoryName", name, "scanFrequency", "MANUAL"));
    return json_pack("{s:o, s:[]}", "scanningConfigurations", list, "failures");
}

static json_t *describe_registry(struct answer *answer)
{
    (void)answer;
    return json_pack("{s:s, s:{s:[]}}", "registryId", "123456789012", "replicationConfiguration", "rules");
}

static json_t *no_signing(struct answer *answer)
{
    return refuse(answer, "SigningConfigurationNotFoundException", "no signing configuration");
}

static json_t *authorization(struct answer *answer)
{
    static int asked;
    (void)answer;
    return json_pack("{s:[{s:s, s:o}]}", "authorizationData", "authorizationToken",
                     ++asked % 2 ? "QVdTOmZpcnN0" : "QVdTOnNlY29uZA==", "proxyEndpoint",
                     json_string("https://" ECR_HOST));
}

static const struct {
    const char *operation;
    json_t *(*answer)(struct answer *answer);
    int of_repository; /* refused when there is none */
} answers[] = {
    {"DescribeRepositories", describe_repositories, 0},
    {"CreateRepository", create_repository, 0},
    {"DeleteRepository", delete_repository, 1},
    {"DescribeImages", describe_images, 1},
    {"BatchGetImage", get_images, 1},
    {"PutImage", put_image, 1},
    {"BatchDeleteImage", delete_images, 1},
    {"GetRepositoryPolicy", get_policy, 1},
    {"SetRepositoryPolicy", set_policy, 1},
    {"DeleteRepositoryPolicy", delete_policy, 1},
    {"GetLifecyclePolicy", get_lifecycle, 1},
    {"PutImageTagMutability", put_mutability, 1},
    {"GetDownloadUrlForLayer", download_url, 1},
    {"BatchCheckLayerAvailability", check_layers, 1},
    {"DescribeImageScanFindings", scan_findings, 1},
    {"ListTagsForResource", list_tags, 0},
    {"GetAuthorizationToken", authorization, 0},
    {"DescribePullThroughCacheRules", pull_through_rules, 0},
    {"DescribeRegistry", describe_registry, 0},
    {"BatchGetRepositoryScanningConfiguration", scanning_configurations, 0},
    {"GetSigningConfiguration", no_signing, 0},
};

json_t *ecr_account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                           const char **ret_message)
{
    struct answer answer = {.repositories = json_object_get(account, "repositories"),
                            .input = input,
                            .code = *ret_code,
                            .message = *ret_message};
    answer.repository = json_object_get(answer.repositories, text_in(input, "repositoryName"));
    json_t *reply = NULL;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        if (strcmp(answers[i].operation, operation) != 0)
            continue;
        reply = answers[i].of_repository && !answer.repository
                    ? refuse(&answer, "RepositoryNotFoundException", "The repository does not exist")
                    : answers[i].answer(&answer);
    }
    *ret_code = answer.code;
    *ret_message = answer.message;
    return reply;
}
