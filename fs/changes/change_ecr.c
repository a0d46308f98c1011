/* SPDX-License-Identifier: Apache-2.0 */
/* What making and removing names does to repositories, images and their tags; repositories/create. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "change.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "images/images.h"
#include "images/oci.h"
#include "images/repositories.h"
#include "stream.h"
#include "tree/nodes.h"
#include "tree/show.h"

static int made(struct ecs_action *action, struct ecs_action **ret_action)
{
    *ret_action = action;
    return action != NULL ? 0 : -ENOMEM;
}

/* ---- repositories ---- */

static int create_repository(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "repositoryName", view->key.id);
    return made(fs_action(fs_repositories_of(view)->service, "CreateRepository", input, ECS_EFFECT_CREATE,
                          &view->key, "repository"),
                ret_action);
}

/* AWS refuses while there are images in it. */
static int delete_repository(struct fs_view *view, struct ecs_action **ret_action)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r == -ENOENT)
        return fs_fail(view->rq, -ENOTEMPTY, "NoRepository", "%s is no repository; it only leads to some",
                       view->key.id);
    if (r != 0)
        return r;
    json_t *input = json_pack("{s:s}", "repositoryName", view->key.id);
    return made(fs_action(fs_repositories_of(view)->service, "DeleteRepository", input, ECS_EFFECT_DELETE,
                          &view->key, NULL),
                ret_action);
}

/* `cp -r layout repositories/new` would make repositories of its directories, and push nothing. */
#define OCI_LAYOUT "an OCI image layout", "oci"
static const struct fs_misplaced layout_parts[] = {
    {"oci-layout", S_IFREG, OCI_LAYOUT, NULL},
    {"index.json", S_IFREG, OCI_LAYOUT, NULL},
    {"blobs", S_IFDIR, OCI_LAYOUT, "mkdir '<repository>%2Fblobs' makes a repository of that name"},
    {0},
};

const struct fs_change fs_repository_change = {
    .mkdir = create_repository,
    .rmdir = delete_repository,
    .misplaced = layout_parts,
    .removes = "deletes the repository",
};

static int delete_policy(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "repositoryName", view->key.id);
    return made(fs_action(fs_repositories_of(view)->service, "DeleteRepositoryPolicy", input,
                          ECS_EFFECT_DELETE, &view->key, NULL),
                ret_action);
}

static int delete_lifecycle_policy(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "repositoryName", view->key.id);
    return made(fs_action("ecr", "DeleteLifecyclePolicy", input, ECS_EFFECT_DELETE, &view->key, NULL),
                ret_action);
}

static int delete_registry_policy(struct fs_view *view, struct ecs_action **ret_action)
{
    return made(fs_action("ecr", "DeleteRegistryPolicy", json_object(), ECS_EFFECT_DELETE, &view->key, NULL),
                ret_action);
}

static int delete_signing(struct fs_view *view, struct ecs_action **ret_action)
{
    return made(
        fs_action("ecr", "DeleteSigningConfiguration", json_object(), ECS_EFFECT_DELETE, &view->key, NULL),
        ret_action);
}

const struct fs_change fs_signing_change = {.unlink = delete_signing,
                                            .removes = "ends the signing of images"};
const struct fs_change fs_repository_policy_change = {.unlink = delete_policy,
                                                      .removes = "deletes the policy"};
const struct fs_change fs_lifecycle_policy_change = {.unlink = delete_lifecycle_policy,
                                                     .removes = "deletes the policy"};
const struct fs_change fs_registry_policy_change = {.unlink = delete_registry_policy,
                                                    .removes = "deletes the policy"};

/* ---- images and their tags ---- */

/* HTTP 200 with failures[] is a failure: the member has the reply looked at. Which images are left, and with
 * which tags, the list tells. */
static int delete_image(struct fs_view *view, const char *repository, const char *member, const char *id,
                        struct ecs_action **ret_action)
{
    struct ecs_key images = {fs_repositories_of(view)->image, repository, ""};
    json_t *input = json_pack("{s:s, s:[{s:s}]}", "repositoryName", repository, "imageIds", member, id);
    return made(fs_action(fs_repositories_of(view)->service, "BatchDeleteImage", input, ECS_EFFECT_FORGET,
                          &images, "imageIds"),
                ret_action);
}

static int remove_image(struct fs_view *view, struct ecs_action **ret_action)
{
    return delete_image(view, view->key.parent, "imageDigest", view->key.id, ret_action);
}

const struct fs_change fs_image_change = {.rmdir = remove_image, .removes = "deletes the image and its tags"};

static int untag_image(struct fs_view *view, struct ecs_action **ret_action)
{
    return delete_image(view, view_repository(view), "imageTag", view->id, ret_action);
}

/* "../images/sha256:...", the digest alone, or another tag beside it. */
static int digest_of_target(struct fs_view *view, const json_t *tags, const char *target,
                            const char **ret_digest)
{
    static const char images[] = "../images/";
    const char *digest =
        strncmp(target, images, sizeof(images) - 1) == 0 ? target + sizeof(images) - 1 : target;
    if (!fs_accept_digest(digest))
        digest = json_string_value(json_object_get(tags, target));
    if (digest == NULL)
        return fs_fail(
            view->rq, -EINVAL, "InvalidValue",
            "a tag points to ../images/sha256:<digest> or to another tag beside it; got \"%.200s\"", target);
    *ret_digest = digest;
    return 0;
}

/* One PutImage, with the manifest's own bytes: re-serialised, it would be another image. */
static int put_tag(struct fs_view *view, const char *digest, struct ecs_action **ret_action)
{
    const struct fs_repositories *sides = fs_repositories_of(view);
    const char *repository = view_repository(view);
    struct ecs_key images = {sides->image, repository, ""}, image = {sides->image, repository, digest};
    cleanup_buf struct ecs_buf manifest = ECS_BUF(FS_TEXT_MAX);
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &image, &doc);
    if (r == -ENOENT)
        return fs_fail(view->rq, -EINVAL, "ImageNotFoundException", "there is no image %s in %s", digest,
                       repository);
    cleanup_free char *type = NULL;
    if (r == 0 && ecs_doc_field(doc, "imageManifestMediaType") != NULL)
        type = strdup(ecs_doc_field(doc, "imageManifestMediaType"));
    if (r == 0)
        r = fs_manifest_bytes(view, repository, digest, &manifest);
    if (r != 0)
        return r;
    json_t *input =
        json_pack("{s:s, s:s%, s:s, s:s, s:s*}", "repositoryName", repository, "imageManifest", manifest.data,
                  manifest.len, "imageTag", view->id, "imageDigest", digest, "imageManifestMediaType", type);
    return made(fs_action(sides->service, "PutImage", input, ECS_EFFECT_FORGET, &images, NULL), ret_action);
}

static int tag_image(struct fs_view *view, const char *target, struct ecs_action **ret_action)
{
    const json_t *tags;
    const char *digest = NULL;
    int r = fs_image_tags(view, &tags);
    if (r == 0)
        r = digest_of_target(view, tags, target, &digest);
    if (r != 0)
        return r;
    const char *now = json_string_value(json_object_get(tags, view->id));
    if (now != NULL && strcmp(now, digest) == 0)
        return 0; /* it is there already */
    return put_tag(view, digest, ret_action);
}

const struct fs_change fs_image_tag_change = {
    .unlink = untag_image,
    .symlink = tag_image,
    .removes = "removes the tag, and with its last tag the image",
};

/* ---- repositories/create ---- */

static const struct fs_document create_request = {
    .what = "CreateRepository document",
    .service = "ecr",
    .input = "CreateRepository",
    .output = "CreateRepository",
    .described = "repository",
    .wrappers = (const char *const[]){NULL},
};

static int create_by_document(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *input = NULL;
    int r = 0;
    if (*text == '{')
        r = fs_stream_read(view, &create_request, text, &input);
    else
        input = json_pack("{s:s}", "repositoryName", text);
    if (r < 0)
        return r;
    const char *name = json_string_value(json_object_get(input, "repositoryName"));
    struct ecs_key key = {ECS_REPOSITORY, "", name};
    if (name == NULL || !fs_accept_repository(name)) {
        json_decref(input);
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "create takes %s; repositoryName is missing or no name",
                       fs_create_repository_stream.takes);
    }
    r = made(fs_action(fs_repositories_of(view)->service, "CreateRepository", json_incref(input),
                       ECS_EFFECT_CREATE, &key, "repository"),
             ret_action);
    json_decref(input);
    return r;
}

static int tell_repository(struct fs_view *view, const json_t *reply, struct ecs_buf *out)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(reply, "repository"), "repositoryName"));
    return ecs_buf_addf(out, "%s\n", name != NULL ? name : "");
}

const struct fs_stream fs_create_repository_stream = {
    .takes = "a name or a CreateRepository document",
    .act = create_by_document,
    .answer = tell_repository,
};
