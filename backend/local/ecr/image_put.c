/* SPDX-License-Identifier: Apache-2.0 */
/* An image comes in: its manifest is checked against what the repository has, and tagged. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "registry.h"

static bool check_index(struct request *rq, const struct repository *repository, const json_t *manifest)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(manifest, "manifests"), i, row)
    {
        const char *digest = in_text(row, "digest");
        if (!digest || !image_find(repository, digest)) {
            refuse(
                rq, "ReferencedImagesNotFoundException",
                "Images with digests '[%s]' required for pushing image into repository with name '%s' in the "
                "registry with id '%s' do not exist",
                digest ? digest : "", repository->name, rq->world->account);
            return false;
        }
    }
    return true;
}

static bool check_layer(struct request *rq, const struct repository *repository, const json_t *row,
                        int64_t *size)
{
    const char *digest = in_text(row, "digest");
    int64_t its = digest ? layer_size(repository, digest) : -ENOENT;
    /* Layers with urls (Windows base layers) are not kept here. */
    if (its < 0 && !in_list(row, "urls")) {
        refuse(rq, "LayersNotFoundException",
               "Layers with digests '[%s]' required for pushing image into repository with name '%s' in the "
               "registry "
               "with id '%s' do not exist",
               digest ? digest : "", repository->name, rq->world->account);
        return false;
    }
    *size += its > 0 ? its : 0;
    return true;
}

static bool check_layers(struct request *rq, const struct repository *repository, const json_t *manifest,
                         int64_t *size)
{
    size_t i;
    json_t *row;
    *size = 0;
    if (json_is_object(json_object_get(manifest, "config")) &&
        !check_layer(rq, repository, json_object_get(manifest, "config"), size))
        return false;
    *size = 0; /* ECR counts the layers, compressed */
    json_array_foreach(json_object_get(manifest, "layers"), i, row)
    {
        if (!check_layer(rq, repository, row, size))
            return false;
    }
    return true;
}

static bool is_excluded(const struct repository *repository, const char *tag)
{
    size_t i;
    json_t *filter;
    json_array_foreach(json_object_get(repository->settings, "imageTagMutabilityExclusionFilters"), i, filter)
    {
        const char *pattern = in_text(filter, "filter");
        if (pattern && fnmatch(pattern, tag, 0) == 0)
            return true;
    }
    return false;
}

static bool is_immutable(const struct repository *repository, const char *tag)
{
    const char *mutability = in_text(repository->settings, "imageTagMutability");
    if (!mutability || strncmp(mutability, "MUTABLE", 7) == 0)
        return mutability && strcmp(mutability, "MUTABLE") != 0 && is_excluded(repository, tag);
    return strcmp(mutability, "IMMUTABLE") == 0 || !is_excluded(repository, tag);
}

static bool move_tag(struct request *rq, struct image *image, const char *tag)
{
    struct repository *repository = image->repository;
    struct image *holder = image_find(repository, tag);
    if (holder && holder != image && is_immutable(repository, tag)) {
        refuse(rq, "ImageTagAlreadyExistsException",
               "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because "
               "the tag is "
               "immutable.",
               tag, repository->name);
        return false;
    }
    if (holder && holder != image)
        image_drop_tag(holder, tag);
    if (holder != image)
        image_add_tag(image, tag);
    return true;
}

static bool tag_is_free(struct request *rq, const struct repository *repository, const char *tag,
                        const char *digest)
{
    struct image *holder = tag ? image_find(repository, tag) : NULL;
    if (!holder || strcmp(holder->digest, digest) == 0 || !is_immutable(repository, tag))
        return true;
    refuse(rq, "ImageTagAlreadyExistsException",
           "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the "
           "tag is "
           "immutable.",
           tag, repository->name);
    return false;
}

char *image_subject(const json_t *manifest)
{
    const char *digest = in_text(json_object_get(manifest, "subject"), "digest");
    return digest && digest_is_valid(digest) ? strdup(digest) : NULL;
}

static struct image *make(struct request *rq, struct repository *repository, const struct image_put *put,
                          const json_t *manifest, const char *digest, int64_t size)
{
    struct image *image = image_new(repository, digest);
    const char *artifact = in_text(manifest, "artifactType");
    if (!artifact)
        artifact = in_text(json_object_get(manifest, "config"), "mediaType");
    if (!image)
        return refuse_memory(rq);
    image->media_type = strdup(put->media_type);
    image->subject = image_subject(manifest);
    image->artifact_type = artifact ? strdup(artifact) : NULL;
    image->manifest = strndup(put->manifest, put->len);
    image->size = size + (manifest_is_index(manifest) ? (int64_t)put->len : 0);
    if (in_bool(json_object_get(repository->settings, "imageScanningConfiguration"), "scanOnPush"))
        image->scanned_at = world_wall(rq->world);
    lifecycle_arm(repository);
    return image;
}

/* Of the manifest and its tag, whatever the repository has. */
static bool is_well_formed(struct request *rq, struct image_put *put, const json_t *manifest)
{
    const char *why = NULL;
    put->media_type = manifest_type(manifest, put->media_type, &why);
    if (why)
        refuse_invalid(rq, "Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%s'", why);
    else if (put->tag && !tag_is_valid(put->tag))
        refuse_invalid(rq, "Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy "
                           "regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}''");
    return !rq->error;
}

static struct image *put_well_formed(struct request *rq, struct repository *repository,
                                     const struct image_put *put, const json_t *manifest, bool *ret_same)
{
    char digest[DIGEST_MAX];
    int64_t size = 0;
    digest_of(put->manifest, put->len, digest);
    struct image *image = image_find(repository, digest);
    if (put->digest && strcmp(put->digest, digest) != 0)
        return refuse(
            rq, "ImageDigestDoesNotMatchException",
            "The provided digest '%s' does not match the digest '%s' calculated by ECR for the image.",
            put->digest, digest);
    if (!tag_is_free(rq, repository, put->tag, digest))
        return NULL;
    if (image) {
        *ret_same = !put->tag || image_has_tag(image, put->tag);
        return image;
    }
    bool whole = manifest_is_index(manifest) ? check_index(rq, repository, manifest)
                                             : check_layers(rq, repository, manifest, &size);
    return whole ? make(rq, repository, put, manifest, digest, size) : NULL;
}

struct image *image_put(struct request *rq, struct repository *repository, const struct image_put *put,
                        bool *ret_same)
{
    struct image_put typed = *put;
    json_t *manifest = json_loadb(put->manifest, put->len, 0, NULL);
    *ret_same = false;
    struct image *image = is_well_formed(rq, &typed, manifest)
                              ? put_well_formed(rq, repository, &typed, manifest, ret_same)
                              : NULL;
    json_decref(manifest);
    return image && (!put->tag || move_tag(rq, image, put->tag)) ? image : NULL;
}
