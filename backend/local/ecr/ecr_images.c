/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on images and layers. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "login.h"
#include "pages.h"
#include "registry.h"
#include "scan.h"
#include "store.h"

static json_t *image_id(const char *digest, const char *tag)
{
    return json_pack("{s:s*, s:s*}", "imageDigest", digest, "imageTag", tag);
}

static struct image *find_by_id(const struct repository *repository, const json_t *id)
{
    const char *digest = in_text(id, "imageDigest"), *tag = in_text(id, "imageTag");
    struct image *image = digest || tag ? image_find(repository, digest ? digest : tag) : NULL;
    return image && digest && tag && !image_has_tag(image, tag) ? NULL : image;
}

static void *not_found(struct request *rq, const struct repository *repository, const json_t *id)
{
    const char *digest = in_text(id, "imageDigest"), *tag = in_text(id, "imageTag");
    return refuse(
        rq, "ImageNotFoundException",
        "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with "
        "name '%s' in the registry with id '%s'",
        digest ? digest : "null", tag ? tag : "null", repository->name, rq->world->account);
}

static json_t *failure(const json_t *id)
{
    return json_pack("{s:O, s:s, s:s}", "imageId", id, "failureCode", "ImageNotFound", "failureReason",
                     "Requested image not found");
}

static json_t *failure_held(const struct image *image, const char *tag, const struct image *holder)
{
    return json_pack("{s:o, s:s, s:o}", "imageId", image_id(image->digest, tag), "failureCode",
                     "ImageReferencedByManifestList", "failureReason",
                     json_sprintf("Requested image referenced by manifest list: [%s]", holder->digest));
}

static const char *first_tag(const struct image *image)
{
    return json_string_value(json_array_get(image->tags, 0));
}

static json_t *show_image(const struct image *image, const char *tag)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s}", "registryId", image->record.region->world->account,
                     "repositoryName", image->repository->name, "imageId", image_id(image->digest, tag),
                     "imageManifest", image->manifest, "imageManifestMediaType", image->media_type);
}

static json_t *put_image(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    const char *manifest = repository ? require_text(rq, "imageManifest") : NULL;
    if (!manifest)
        return NULL;
    struct image_put put = {manifest, in_text(rq->in, "imageManifestMediaType"), in_text(rq->in, "imageTag"),
                            in_text(rq->in, "imageDigest"), strlen(manifest)};
    bool same;
    struct image *image = image_put(rq, repository, &put, &same);
    if (!image)
        return NULL;
    if (same)
        return refuse(
            rq, "ImageAlreadyExistsException",
            "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry "
            "with id '%s'",
            image->digest, put.tag ? put.tag : "null", repository->name, rq->world->account);
    return json_pack("{s:o}", "image", show_image(image, put.tag));
}

static json_t *batch_get_image(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    json_t *images = json_array(), *failures = json_array();
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(rq->in, "imageIds"), i, id)
    {
        struct image *image = find_by_id(repository, id);
        if (!image) {
            json_array_append_new(failures, failure(id));
            continue;
        }
        image->pulled_at = world_wall(rq->world);
        json_array_append_new(images, show_image(image, in_text(id, "imageTag")));
    }
    return json_pack("{s:o, s:o}", "images", images, "failures", failures);
}

/* Without its last tag an image goes; by its digest it goes with all its tags. One that an index names goes
 * after that index only. */
static void delete_one(struct repository *repository, const json_t *id, json_t *deleted, json_t *failures)
{
    struct image *image = find_by_id(repository, id);
    const char *tag = in_text(id, "imageTag");
    if (!image) {
        json_array_append_new(failures, failure(id));
        return;
    }
    const struct image *holder = !tag || json_array_size(image->tags) == 1 ? image_holder(image) : NULL;
    if (holder) {
        json_array_append_new(failures, failure_held(image, tag, holder));
        return;
    }
    if (tag) {
        json_array_append_new(deleted, image_id(image->digest, tag));
        image_drop_tag(image, tag);
    } else if (!json_array_size(image->tags)) {
        json_array_append_new(deleted, image_id(image->digest, NULL));
    }
    for (size_t i = 0; !tag && i < json_array_size(image->tags); i++)
        json_array_append_new(deleted,
                              image_id(image->digest, json_string_value(json_array_get(image->tags, i))));
    if (!tag || !json_array_size(image->tags))
        image_delete(image);
}

static json_t *batch_delete_image(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    json_t *deleted = json_array(), *failures = json_array();
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(rq->in, "imageIds"), i, id)
    {
        delete_one(repository, id, deleted, failures);
    }
    return json_pack("{s:o, s:o}", "imageIds", deleted, "failures", failures);
}

static bool passes(struct request *rq, bool tagged)
{
    const char *status = in_text(json_object_get(rq->in, "filter"), "tagStatus");
    return !status || strcmp(status, "ANY") == 0 || (strcmp(status, "TAGGED") == 0) == tagged;
}

static json_t *list_images(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    struct page page;
    if (!repository || !page_begin(rq, &page, 100, 1000))
        return NULL;
    struct image *image;
    TAILQ_FOREACH(image, &repository->images, link)
    {
        size_t tags = json_array_size(image->tags);
        if (!passes(rq, tags > 0))
            continue;
        for (size_t i = 0; i < (tags ? tags : 1); i++) {
            uint64_t place = (image->record.sequence << 16) + i + 1;
            if (page_wants(&page, place))
                page_add(&page, place,
                         image_id(image->digest, json_string_value(json_array_get(image->tags, i))));
        }
    }
    return page_reply(rq, &page, "imageIds");
}

static json_t *show_detail(const struct image *image)
{
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:I, s:o, s:s, s:s*}", "registryId", image->record.region->world->account,
                  "repositoryName", image->repository->name, "imageDigest", image->digest, "imageSizeInBytes",
                  (json_int_t)image->size, "imagePushedAt", json_time(image->pushed_at),
                  "imageManifestMediaType", image->media_type, "artifactMediaType", image->artifact_type);
    if (json_array_size(image->tags))
        json_object_set(tree, "imageTags", image->tags);
    if (image->subject)
        json_object_set_new(tree, "subjectManifestDigest", json_string(image->subject));
    json_object_set_new(tree, "imageStatus", json_string(image->archived ? "ARCHIVED" : "ACTIVE"));
    if (image->pulled_at)
        json_object_set_new(tree, "lastRecordedPullTime", json_time(image->pulled_at));
    if (image->scanned_at)
        json_object_set_new(tree, "imageScanStatus", scan_status(image));
    if (scan_is_complete(image))
        json_object_set_new(tree, "imageScanFindingsSummary",
                            json_pack("{s:o, s:o, s:o}", "imageScanCompletedAt",
                                      json_time(scan_completes_at(image)), "vulnerabilitySourceUpdatedAt",
                                      json_time(image->scanned_at), "findingSeverityCounts",
                                      scan_counts(image->digest)));
    return tree;
}

static json_t *describe_images(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    const json_t *ids = in_list(rq->in, "imageIds");
    struct page page;
    if (!repository)
        return NULL;
    if (ids && (in_text(rq->in, "nextToken") || json_object_get(rq->in, "maxResults")))
        return refuse_invalid(rq, "nextToken and maxResults can not be used with imageIds");
    if (!page_begin(rq, &page, 100, 1000))
        return NULL;
    size_t i;
    json_t *id;
    json_array_foreach(ids, i, id)
    {
        struct image *found = find_by_id(repository, id);
        if (!found) {
            json_decref(page.items);
            return not_found(rq, repository, id);
        }
        json_array_append_new(page.items, show_detail(found));
    }
    struct image *image;
    TAILQ_FOREACH(image, &repository->images, link)
    {
        if (!ids && passes(rq, json_array_size(image->tags) > 0) && page_wants(&page, image->record.sequence))
            page_add(&page, image->record.sequence, show_detail(image));
    }
    return page_reply(rq, &page, "imageDetails");
}

/* --- scans --- */

struct image *image_require(struct request *rq, struct repository *repository, const json_t *id)
{
    struct image *image = find_by_id(repository, id);
    return image ? image : not_found(rq, repository, id);
}

static struct image *scanned_image(struct request *rq, struct repository *repository)
{
    return repository ? image_require(rq, repository, json_object_get(rq->in, "imageId")) : NULL;
}

static json_t *start_image_scan(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    struct image *image = scanned_image(rq, repository);
    if (!image)
        return NULL;
    int64_t now = world_wall(rq->world);
    if (image->scanned_at && now - image->scanned_at < 24 * 3600 * 1000)
        return refuse(rq, "LimitExceededException",
                      "The scan quota per image has been exceeded. Wait and try again.");
    image->scanned_at = now;
    record_dirty(&image->record);
    return json_pack("{s:s, s:s, s:o, s:{s:s}}", "registryId", rq->world->account, "repositoryName",
                     repository->name, "imageId", image_id(image->digest, first_tag(image)),
                     "imageScanStatus", "status", "IN_PROGRESS");
}

static json_t *describe_image_scan_findings(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    struct image *image = scanned_image(rq, repository);
    if (!image)
        return NULL;
    if (!image->scanned_at)
        return refuse(rq, "ScanNotFoundException",
                      "Image scan does not exist for the image with '{imageDigest:'%s', imageTag:'%s'}' in "
                      "the repository "
                      "with name '%s' in the registry with id '%s'",
                      image->digest, first_tag(image) ? first_tag(image) : "null", repository->name,
                      rq->world->account);
    json_t *tree = json_pack("{s:s, s:s, s:o, s:o}", "registryId", rq->world->account, "repositoryName",
                             repository->name, "imageId", image_id(image->digest, first_tag(image)),
                             "imageScanStatus", scan_status(image));
    if (scan_is_complete(image))
        json_object_set_new(tree, "imageScanFindings",
                            json_pack("{s:o, s:o, s:o, s:o}", "imageScanCompletedAt",
                                      json_time(scan_completes_at(image)), "vulnerabilitySourceUpdatedAt",
                                      json_time(image->scanned_at), "findings", scan_findings(image->digest),
                                      "findingSeverityCounts", scan_counts(image->digest)));
    return tree;
}

/* --- layers --- */

static json_t *batch_check_layer_availability(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    json_t *layers = json_array(), *failures = json_array();
    size_t i;
    json_t *digest;
    json_array_foreach(json_object_get(rq->in, "layerDigests"), i, digest)
    {
        const char *text = json_string_value(digest);
        if (!text || !digest_is_valid(text)) {
            json_array_append_new(failures,
                                  json_pack("{s:O, s:s, s:s}", "layerDigest", digest, "failureCode",
                                            "InvalidLayerDigest", "failureReason", "Invalid layer digest"));
            continue;
        }
        int64_t size = layer_size(repository, text);
        json_t *row = json_pack("{s:s, s:s}", "layerDigest", text, "layerAvailability",
                                size < 0 ? "UNAVAILABLE" : "AVAILABLE");
        if (size >= 0)
            json_object_set_new(row, "layerSize", json_integer(size));
        json_array_append_new(layers, row);
    }
    return json_pack("{s:o, s:o}", "layers", layers, "failures", failures);
}

static json_t *get_download_url_for_layer(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    const char *digest = repository ? require_text(rq, "layerDigest") : NULL;
    if (!digest)
        return NULL;
    if (layer_size(repository, digest) < 0)
        return refuse(rq, "LayersNotFoundException",
                      "The layer with digest '%s' does not exist within the repository with name '%s' in the "
                      "registry with "
                      "id '%s'",
                      digest, repository->name, rq->world->account);
    char signature[LOGIN_SIGNATURE];
    int64_t until = world_wall(rq->world) + login_url_ms;
    return json_pack("{s:o, s:s}", "downloadUrl",
                     json_sprintf("http://%s/v2/%s/blobs/%s?region=%s&until=%lld&signature=%s",
                                  rq->world->endpoint[0] ? rq->world->endpoint : "ecs-local.invalid",
                                  repository->name, digest, rq->region->name, (long long)until,
                                  login_sign_layer(rq->world, rq->region->name, repository->name, digest,
                                                   until, signature)),
                     "layerDigest", digest);
}

static json_t *initiate_layer_upload(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    struct upload *upload = repository ? upload_new(repository) : NULL;
    return upload ? json_pack("{s:s, s:I}", "uploadId", upload_id(upload), "partSize", (json_int_t)10485760)
                  : NULL;
}

static struct upload *upload_of(struct request *rq, struct repository *repository)
{
    const char *id = repository ? require_text(rq, "uploadId") : NULL;
    struct upload *upload = id ? upload_find(rq->region, id) : NULL;
    if (id && (!upload || upload_repository(upload) != repository))
        return refuse(
            rq, "UploadNotFoundException",
            "Upload with id '%s' does not exist in the repository with name '%s' in registry with id '%s'",
            id, repository->name, rq->world->account);
    return upload;
}

/* A blob member: base64 in JSON. */
static unsigned char *decode(const char *text, size_t *ret_len)
{
    size_t len = strlen(text);
    unsigned char *data = malloc(len + 4);
    int got = data ? EVP_DecodeBlock(data, (const unsigned char *)text, (int)len) : -1;
    if (got < 0) {
        free(data);
        return NULL;
    }
    while (len && text[len - 1] == '=') {
        got--;
        len--;
    }
    *ret_len = (size_t)got;
    return data;
}

static json_t *upload_layer_part(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    struct upload *upload = upload_of(rq, repository);
    if (!upload)
        return NULL;
    json_int_t first = json_integer_value(json_object_get(rq->in, "partFirstByte"));
    json_int_t last = json_integer_value(json_object_get(rq->in, "partLastByte"));
    const char *text = json_string_value(json_object_get(rq->in, "layerPartBlob"));
    size_t len = 0;
    cleanup_free unsigned char *data = text ? decode(text, &len) : NULL;
    if (!data || last - first + 1 != (json_int_t)len || first != upload_size(upload))
        return refuse(rq, "InvalidLayerPartException",
                      "The layer part size is not valid, or the first byte specified is "
                      "not consecutive to the last byte of a previous layer part upload.");
    if (upload_add(upload, data, len) < 0)
        return refuse(rq, "ServerException", "The emulator cannot store the layer.");
    return json_pack("{s:s, s:s, s:s, s:I}", "registryId", rq->world->account, "repositoryName",
                     repository->name, "uploadId", upload_id(upload), "lastByteReceived", last);
}

static json_t *complete_layer_upload(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    struct upload *upload = upload_of(rq, repository);
    const char *digest = json_string_value(json_array_get(json_object_get(rq->in, "layerDigests"), 0));
    if (!upload)
        return NULL;
    if (!digest || !digest_is_valid(digest))
        return refuse_invalid(
            rq, "Invalid parameter at 'layerDigests' failed to satisfy constraint: 'Invalid digest'");
    if (upload_size(upload) == 0)
        return refuse(rq, "EmptyUploadException",
                      "The specified layer upload does not contain any layer parts.");
    if (layer_size(repository, digest) >= 0) {
        upload_free(upload);
        return refuse(
            rq, "LayerAlreadyExistsException",
            "Layer with digest '%s' already exists in the repository with name '%s' in registry with id '%s'",
            digest, repository->name, rq->world->account);
    }
    char id[ID_MAX];
    snprintf(id, sizeof(id), "%s", upload_id(upload));
    int r = upload_finish(upload, digest);
    if (r == -EBADMSG)
        return refuse(rq, "InvalidLayerException",
                      "The layer digest calculation performed by Amazon ECR upon receipt of the image layer "
                      "doesn't match "
                      "the digest specified.");
    if (r < 0)
        return refuse(rq, "ServerException", "The emulator cannot store the layer.");
    return json_pack("{s:s, s:s, s:s, s:s}", "registryId", rq->world->account, "repositoryName",
                     repository->name, "uploadId", id, "layerDigest", digest);
}

/* Not AWS's: the embedded emulator has no host to download from. {repositoryName, layerDigest, offset}
 * gives {data (base64, up to 256 KiB), size of the whole}. */
static json_t *local_read_layer_part(struct request *rq)
{
    enum { MOST = 256 * 1024 };
    struct repository *repository = repository_of(rq);
    const char *digest = repository ? require_text(rq, "layerDigest") : NULL;
    cleanup_free char *name = digest ? layer_name(repository, digest) : NULL;
    int64_t size = digest ? layer_size(repository, digest) : -1;
    if (!name)
        return NULL;
    if (size < 0)
        return refuse(rq, "LayersNotFoundException", "The layer with digest '%s' does not exist", digest);
    cleanup_free unsigned char *data = malloc(MOST);
    cleanup_free char *text = malloc(MOST / 3 * 4 + 8);
    int64_t len = data && text
                      ? store_blob_read(rq->world->store, name,
                                        json_integer_value(json_object_get(rq->in, "offset")), data, MOST)
                      : -ENOMEM;
    if (len < 0)
        return refuse(rq, "ServerException", "The emulator cannot read the layer.");
    EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    return json_pack("{s:s, s:I}", "data", text, "size", (json_int_t)size);
}

const struct operation ecr_images_operations[] = {
    {"ecr", "DescribeImages", describe_images, BUCKET_ECR_READ, false},
    {"ecr", "ListImages", list_images, BUCKET_ECR_READ, false},
    {"ecr", "BatchGetImage", batch_get_image, BUCKET_ECR_READ, false},
    {"ecr", "PutImage", put_image, BUCKET_ECR_PUT_IMAGE, true},
    {"ecr", "BatchDeleteImage", batch_delete_image, BUCKET_ECR_MODIFY, true},
    {"ecr", "StartImageScan", start_image_scan, BUCKET_ECR_MODIFY, true},
    {"ecr", "DescribeImageScanFindings", describe_image_scan_findings, BUCKET_ECR_READ, false},
    {"ecr", "BatchCheckLayerAvailability", batch_check_layer_availability, BUCKET_ECR_READ, false},
    {"ecr", "GetDownloadUrlForLayer", get_download_url_for_layer, BUCKET_ECR_READ, false},
    {"ecr", "InitiateLayerUpload", initiate_layer_upload, BUCKET_ECR_LAYER_UPLOAD, true},
    {"ecr", "UploadLayerPart", upload_layer_part, BUCKET_ECR_LAYER_PART, true},
    {"ecr", "CompleteLayerUpload", complete_layer_upload, BUCKET_ECR_LAYER_UPLOAD, true},
    {"ecr", "LocalReadLayerPart", local_read_layer_part, BUCKET_NONE, false},
    {0},
};
