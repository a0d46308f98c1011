/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a layout's index.json: what it names and ECR has not is put, images before the tags that name them.
 * A tag that the index no longer names stays: nothing is removed here. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "images.h"
#include "manifest.h"
#include "oci.h"
#include "repositories.h"
#include "staging/local.h"
#include "tree/nodes.h"
#include "tree/show.h"

/* What is to be put, in its order: [[digest, tag or null], ...]. */
static int add_put(json_t *puts, const char *digest, const char *tag)
{
    json_t *put = tag != NULL ? json_pack("[s, s]", digest, tag) : json_pack("[s, n]", digest);
    return json_array_append_new(puts, put) < 0 ? -ENOMEM : 0;
}

/* A manifest that was written into blobs/ and waits there. */
static struct fs_scratch_file *waiting(const struct fs_view *view, const char *digest)
{
    for (struct fs_scratch_file *file = view->tree->overlay->scratch; file != NULL; file = file->next) {
        const struct fs_inode *layout = file->inode->parent;
        if (!file->linked || file->scratch.spool != NULL || strcmp(file->inode->name, digest + 7) != 0)
            continue;
        while (layout != NULL && layout != view->parent)
            layout = layout->parent;
        if (layout != NULL)
            return file;
    }
    return NULL;
}

static int bytes_of(struct fs_view *view, const char *digest, struct ecs_buf *bytes)
{
    const struct fs_scratch_file *file = waiting(view, digest);
    if (file != NULL) {
        int r = ecs_buf_add(bytes, file->scratch.text.data, file->scratch.text.len);
        return r == 0 ? fs_check_digest(view->rq, digest, bytes->data, bytes->len) : r;
    }
    int r = fs_manifest_bytes(view, view_repository(view), digest, bytes);
    return r == -ENOENT ? fs_fail(view->rq, -EINVAL, "ManifestMissing",
                                  "%s is in the index, but was not found in blobs/", digest)
                        : r;
}

/* ECR would say of an unknown type only that some parameter is invalid. */
static int check_type(struct fs_view *view, const char *digest, const struct fs_manifest *manifest)
{
    if (manifest->kind == FS_MANIFEST_NONE)
        return fs_fail(view->rq, -EINVAL, "InvalidManifest", "%s is no manifest", digest);
    if (manifest->bad != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidManifest",
                       "%s: the %s[%zu] has no digest sha256:<64 hex digits>, or no size", digest,
                       manifest->kind == FS_MANIFEST_INDEX ? "manifests" : "layers", manifest->bad - 1);
    if (!fs_manifest_type_known(manifest->type))
        return fs_fail(view->rq, -EINVAL, "UnknownMediaType",
                       "%s is of a type that ECR does not take: %.200s", digest, manifest->type);
    return 0;
}

/* An index in an index in an index: none is deeper. */
enum { DEPTH_MAX = 3 };

/* What waits here is put; the images of an index before it. What ECR has already is taken as it is. */
static int add_waiting(struct fs_view *view, json_t *puts, const char *digest, const char *tag, int depth)
{
    cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX);
    cleanup_manifest struct fs_manifest manifest = {0};
    if (waiting(view, digest) == NULL) {
        char source[FS_DIGEST_TEXT];
        int found = fs_blob_source(view, digest, source);
        return found == 0 ? add_put(puts, source, tag) : found;
    }
    if (depth > DEPTH_MAX)
        return fs_fail(view->rq, -EINVAL, "InvalidManifest", "%s: an index too deep in others", digest);
    int r = bytes_of(view, digest, &bytes);
    if (r == 0)
        r = fs_manifest_read(bytes.data, bytes.len, &manifest);
    if (r == 0)
        r = check_type(view, digest, &manifest);
    for (size_t i = 0; r == 0 && manifest.kind == FS_MANIFEST_INDEX && i < manifest.len; i++)
        r = add_waiting(view, puts, manifest.parts[i].digest, NULL, depth + 1);
    return r == 0 ? add_put(puts, digest, tag) : r;
}

static int plan_puts(struct fs_view *view, const json_t *wanted, json_t *puts)
{
    cleanup_manifest struct fs_manifest index = {0};
    int r = fs_manifest_of((json_t *)wanted, &index);
    if (r == 0 && index.kind != FS_MANIFEST_INDEX)
        return fs_fail(view->rq, -EINVAL, "InvalidDocument", "an index has a list of manifests");
    if (r == 0 && index.bad != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidDocument",
                       "manifests[%zu]: no digest sha256:<64 hex digits>, or no size", index.bad - 1);
    for (size_t i = 0; r == 0 && i < index.len; i++)
        r = add_waiting(view, puts, index.parts[i].digest, index.parts[i].tag, 0);
    return r;
}

static int is_there(struct fs_view *view, const char *digest, const char *tag, bool *ret_there)
{
    struct ecs_key key = {fs_repositories_of(view)->image, view_repository(view), ""};
    const json_t *tags;
    const struct ecs_list *list;
    int r = fs_image_tags(view, &tags);
    if (r == 0)
        r = fs_view_list(view, &key, &list);
    if (r != 0)
        return r;
    const char *now = tag != NULL ? json_string_value(json_object_get(tags, tag)) : NULL;
    *ret_there = tag != NULL ? now != NULL && strcmp(now, digest) == 0 : ecs_list_has(list, digest) != 0;
    return 0;
}

static int put(struct fs_view *view, const char *digest, const char *tag)
{
    cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX);
    struct ecs_key images = {fs_repositories_of(view)->image, view_repository(view), ""};
    int r = bytes_of(view, digest, &bytes);
    if (r != 0)
        return r;
    cleanup_manifest struct fs_manifest manifest = {0};
    r = fs_manifest_read(bytes.data, bytes.len, &manifest);
    if (r < 0)
        return r;
    json_t *input =
        json_pack("{s:s, s:s%, s:s*, s:s}", "repositoryName", images.parent, "imageManifest", bytes.data,
                  bytes.len, "imageManifestMediaType", manifest.type, "imageDigest", digest);
    if (input != NULL && tag != NULL)
        json_object_set_new(input, "imageTag", json_string(tag));
    return fs_act(view, fs_action(fs_repositories_of(view)->service, "PutImage", input, ECS_EFFECT_FORGET,
                                  &images, NULL));
}

/* The manifest is at ECR: what waited here may go. */
static void forget_waiting(struct fs_view *view, const char *digest)
{
    struct fs_scratch_file *file = waiting(view, digest);
    if (file == NULL || view->tree->options.dry_run)
        return;
    fs_tell_entry(view->tree, file->inode->parent, file->inode->name);
    fs_scratch_remove(view->tree, file);
}

/* One image under one tag again is what was wanted. */
static int wait(struct fs_view *view)
{
    int r = fs_act_wait(view);
    struct fs_progress *progress = view->rq->progress;
    if (r != -EEXIST || progress->error == NULL ||
        strcmp(progress->error->code, "ImageAlreadyExistsException") != 0)
        return r;
    progress->error = ecs_error_unref(progress->error);
    return 0;
}

static int make_puts(struct fs_view *view, json_t *puts, int *step)
{
    int r = 0;
    for (; r == 0 && *step < (int)json_array_size(puts); (*step)++) {
        json_t *each = json_array_get(puts, (size_t)*step);
        const char *digest = json_string_value(json_array_get(each, 0));
        const char *tag = json_string_value(json_array_get(each, 1));
        bool there = false;
        r = fs_acting(view->rq) ? wait(view) : is_there(view, digest, tag, &there);
        if (r != 0)
            return r;
        if (!there && view->rq->progress->action == NULL)
            r = put(view, digest, tag);
        if (r != 0)
            return r;
        view->rq->progress->action = ecs_action_unhold(view->rq->progress->action);
    }
    for (size_t i = 0; i < json_array_size(puts); i++)
        forget_waiting(view, json_string_value(json_array_get(json_array_get(puts, i), 0)));
    return 0;
}

/* The plan is made anew in each run, and is the same each time: what waits is let go only in the end. */
static int commit_index(struct fs_view *view, const json_t *wanted, int *step)
{
    json_t *puts = json_array();
    view->rq->patient = true; /* as many calls as it names images */
    int r = puts != NULL ? plan_puts(view, wanted, puts) : -ENOMEM;
    if (r == 0)
        r = make_puts(view, puts, step);
    json_decref(puts);
    return r;
}

const struct fs_document fs_oci_index_document = {
    .what = "image index", .service = "ecr", .kind = ECS_IMAGE, .text = "", .commit = commit_index};

/* Tools write it with every push. */
static int commit_layout(struct fs_view *view, const json_t *wanted, int *step)
{
    const char *version = json_string_value(json_object_get(wanted, "imageLayoutVersion"));
    if (version != NULL && strcmp(version, "1.0.0") == 0)
        return 0;
    return fs_fail(view->rq, -EINVAL, "InvalidDocument", "imageLayoutVersion: only 1.0.0 is known");
}

const struct fs_document fs_oci_layout_document = {
    .what = "image layout", .service = "ecr", .kind = ECS_IMAGE, .text = "", .commit = commit_layout};
