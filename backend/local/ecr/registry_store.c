/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "http/upload.h"
#include "kinds.h"
#include "registry.h"
#include "store.h"

struct registry *registry_of(struct region *region)
{
    if (region->registry)
        return region->registry;
    struct registry *registry = calloc(1, sizeof(*registry));
    if (!registry)
        return NULL;
    TAILQ_INIT(&registry->repositories);
    TAILQ_INIT(&registry->uploads);
    registry->settings = json_object();
    if (record_init(&registry->record, &registry_kind, region, strdup("registry")) < 0) {
        json_decref(registry->settings);
        free(registry);
        return NULL;
    }
    return region->registry = registry;
}

struct repository *repository_find(const struct region *region, const char *name)
{
    return region->registry ? index_get(&region->registry->by_name, name) : NULL;
}

static void image_free(struct image *image)
{
    struct repository *repository = image->repository;
    if (index_get(&repository->images_by_digest, image->digest) == image)
        index_remove(&repository->images_by_digest, image->digest);
    TAILQ_REMOVE(&repository->images, image, link);
    record_free(&image->record);
    json_decref(image->tags);
    free(image->media_type);
    free(image->manifest);
    free(image->artifact_type);
    free(image->subject);
    free(image);
}

static void repository_free(struct repository *repository)
{
    struct registry *registry = repository->record.region->registry;
    struct image *image;
    while ((image = TAILQ_FIRST(&repository->images)))
        image_free(image);
    timer_disarm(&repository->record.region->world->timers, &repository->timer);
    index_free(&repository->images_by_digest);
    if (index_get(&registry->by_name, repository->name) == repository)
        index_remove(&registry->by_name, repository->name);
    TAILQ_REMOVE(&registry->repositories, repository, link);
    record_free(&repository->record);
    json_decref(repository->settings);
    char *texts[] = {repository->name, repository->policy, repository->lifecycle, repository->preview_policy};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    free(repository);
}

void registry_free_all(struct region *region)
{
    struct registry *registry = region->registry;
    struct repository *repository;
    struct upload *upload;
    if (!registry)
        return;
    while ((upload = TAILQ_FIRST(&registry->uploads)))
        upload_free(upload);
    while ((repository = TAILQ_FIRST(&registry->repositories)))
        repository_free(repository);
    index_free(&registry->by_name);
    json_decref(registry->settings);
    record_free(&registry->record);
    free(registry);
    region->registry = NULL;
}

static void insert_sorted(struct registry *registry, struct repository *repository)
{
    struct repository *other;
    TAILQ_FOREACH_REVERSE(other, &registry->repositories, repository_list, link)
    {
        if (strcmp(other->name, repository->name) < 0) {
            TAILQ_INSERT_AFTER(&registry->repositories, other, repository, link);
            return;
        }
    }
    TAILQ_INSERT_HEAD(&registry->repositories, repository, link);
}

static char *repository_arn(const struct region *region, const char *name)
{
    char *arn;
    if (!region_is_public(region))
        return arn_new(region, "ecr", "repository/%s", name);
    return asprintf(&arn, "arn:aws:ecr-public::%s:repository/%s", region->world->account, name) < 0 ? NULL
                                                                                                    : arn;
}

struct repository *repository_new(struct region *region, const char *name)
{
    struct registry *registry = registry_of(region);
    struct repository *repository = registry ? calloc(1, sizeof(*repository)) : NULL;
    if (!repository || !(repository->name = strdup(name))) {
        free(repository);
        return NULL;
    }
    TAILQ_INIT(&repository->images);
    repository->timer.fire = lifecycle_run;
    repository->created = world_wall(region->world);
    insert_sorted(registry, repository);
    if (record_init(&repository->record, &repository_kind, region, repository_arn(region, name)) < 0 ||
        index_put(&registry->by_name, repository->name, repository) < 0) {
        repository_free(repository);
        return NULL;
    }
    return repository;
}

void repository_delete(struct repository *repository)
{
    struct store *store = repository->record.region->world->store;
    struct image *image;
    cleanup_free char *prefix = layer_name(repository, "");
    while ((image = TAILQ_FIRST(&repository->images)))
        image_delete(image);
    if (prefix)
        store_blob_delete_all(store, prefix);
    struct upload *upload;
    bool again = true;
    while (again) { /* layers on their way into it */
        again = false;
        TAILQ_FOREACH(upload, &repository->record.region->registry->uploads, link)
        {
            if (upload->repository == repository) {
                upload_free(upload);
                again = true;
                break;
            }
        }
    }
    record_delete(&repository->record);
    repository_free(repository);
}

struct image *image_new(struct repository *repository, const char *digest)
{
    struct region *region = repository->record.region;
    struct image *image = calloc(1, sizeof(*image));
    char *key = NULL;
    if (!image)
        return NULL;
    image->repository = repository;
    snprintf(image->digest, sizeof(image->digest), "%s", digest);
    image->tags = json_array();
    image->pushed_at = world_wall(region->world);
    TAILQ_INSERT_TAIL(&repository->images, image, link);
    if (asprintf(&key, "%s@%s", repository->record.arn, digest) < 0)
        key = NULL;
    if (record_init(&image->record, &image_kind, region, key) < 0 ||
        index_put(&repository->images_by_digest, image->digest, image) < 0) {
        image_free(image);
        return NULL;
    }
    return image;
}

void image_delete(struct image *image)
{
    record_delete(&image->record);
    image_free(image);
}

bool image_has_tag(const struct image *image, const char *tag)
{
    return list_has(image->tags, tag);
}

struct image *image_find(const struct repository *repository, const char *tag_or_digest)
{
    struct image *image;
    if (strncmp(tag_or_digest, "sha256:", 7) == 0)
        return index_get(&repository->images_by_digest, tag_or_digest);
    TAILQ_FOREACH(image, &repository->images, link)
    {
        if (image_has_tag(image, tag_or_digest))
            return image;
    }
    return NULL;
}

void image_add_tag(struct image *image, const char *tag)
{
    json_array_append_new(image->tags, json_string(tag));
    record_dirty(&image->record);
}

void image_drop_tag(struct image *image, const char *tag)
{
    for (size_t i = 0; i < json_array_size(image->tags); i++)
        if (strcmp(json_string_value(json_array_get(image->tags, i)), tag) == 0)
            json_array_remove(image->tags, i--);
    record_dirty(&image->record);
}

/* --- the records --- */

static char *own_text(const json_t *body, const char *name)
{
    const char *text = in_text(body, name);
    return text ? strdup(text) : NULL;
}

static json_t *dump_registry(const struct record *record)
{
    return json_pack("{s:O}", "settings", ((const struct registry *)record)->settings);
}

static int load_registry(struct region *region, const char *key, const json_t *body)
{
    (void)key;
    struct registry *registry = registry_of(region);
    if (!registry)
        return -ENOMEM;
    json_decref(registry->settings);
    registry->settings = json_incref(json_object_get(body, "settings"));
    return 0;
}

static json_t *dump_repository(const struct record *record)
{
    const struct repository *repository = (const struct repository *)record;
    return json_pack("{s:s, s:I, s:O, s:s*, s:s*, s:I, s:I, s:s*, s:O*}", "name", repository->name, "created",
                     (json_int_t)repository->created, "settings", repository->settings, "policy",
                     repository->policy, "lifecycle", repository->lifecycle, "lifecycleAt",
                     (json_int_t)repository->lifecycle_at, "previewAt", (json_int_t)repository->preview_at,
                     "previewPolicy", repository->preview_policy, "tags", record->tags);
}

static int load_repository(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    const char *name = in_text(body, "name");
    struct repository *repository = name ? repository_new(region, name) : NULL;
    if (!repository)
        return name ? -ENOMEM : -EBADMSG;
    repository->created = json_integer_value(json_object_get(body, "created"));
    repository->settings = json_incref(json_object_get(body, "settings"));
    repository->policy = own_text(body, "policy");
    repository->lifecycle = own_text(body, "lifecycle");
    repository->lifecycle_at = json_integer_value(json_object_get(body, "lifecycleAt"));
    repository->preview_at = json_integer_value(json_object_get(body, "previewAt"));
    repository->preview_policy = own_text(body, "previewPolicy");
    repository->record.tags = json_incref(json_object_get(body, "tags"));
    lifecycle_arm(repository);
    return 0;
}

static json_t *dump_image(const struct record *record)
{
    const struct image *image = (const struct image *)record;
    return json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:O, s:I, s:s*, s:b, s:I, s:I, s:I}", "repository",
                     image->repository->name, "digest", image->digest, "mediaType", image->media_type,
                     "manifest", image->manifest, "artifactType", image->artifact_type, "imageTags",
                     image->tags, "pushed", (json_int_t)image->pushed_at, "subject", image->subject,
                     "archived", image->archived, "pulled", (json_int_t)image->pulled_at, "scanned",
                     (json_int_t)image->scanned_at, "size", (json_int_t)image->size);
}

static int load_image(struct region *region, const char *key, const json_t *body)
{
    (void)key;
    const char *name = in_text(body, "repository"), *digest = in_text(body, "digest");
    struct repository *repository = name ? repository_find(region, name) : NULL;
    struct image *image = repository && digest ? image_new(repository, digest) : NULL;
    if (!image)
        return repository && digest ? -ENOMEM : -EBADMSG;
    image->media_type = own_text(body, "mediaType");
    image->manifest = own_text(body, "manifest");
    image->artifact_type = own_text(body, "artifactType");
    image->subject = own_text(body, "subject");
    image->archived = in_bool(body, "archived");
    json_decref(image->tags);
    image->tags = json_incref(json_object_get(body, "imageTags"));
    image->pushed_at = json_integer_value(json_object_get(body, "pushed"));
    image->pulled_at = json_integer_value(json_object_get(body, "pulled"));
    image->scanned_at = json_integer_value(json_object_get(body, "scanned"));
    image->size = json_integer_value(json_object_get(body, "size"));
    return 0;
}

const struct record_kind registry_kind = {"registry", dump_registry, load_registry};
const struct record_kind repository_kind = {"repository", dump_repository, load_repository};
const struct record_kind image_kind = {"image", dump_image, load_image};
