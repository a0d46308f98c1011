/* SPDX-License-Identifier: Apache-2.0 */
/* Which blobs a repository has, and how long they are: its manifests tell. ECR itself has no list of layers.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "images.h"
#include "manifest.h"
#include "oci.h"
#include "public_registry.h"
#include "repositories.h"
#include "tree_private.h"

/* Kept with the repository's oci/ directory. Manifests never change, so this only grows. */
struct known {
    json_t *sizes; /* digest -> size */
    json_t *seen;  /* manifests that were looked into */
};

static void free_known(void *memory)
{
    struct known *known = memory;
    json_decref(known->sizes);
    json_decref(known->seen);
    free(known);
}

/* oci/ is the directory right below the repository's. */
static struct fs_inode *layout_of(const struct fs_view *view)
{
    struct fs_inode *at = view->inode != NULL ? view->inode : view->parent;
    while (at != NULL && at->parent != NULL && (at->parent->node->flags & FS_NESTS) == 0)
        at = at->parent;
    return at;
}

static struct known *known_of(const struct fs_view *view)
{
    struct fs_inode *layout = layout_of(view);
    struct fs_inode_more *more = layout != NULL ? fs_inode_more(layout) : NULL;
    if (more == NULL)
        return NULL;
    if (more->memory == NULL) {
        struct known *known = calloc(1, sizeof(*known));
        if (known == NULL)
            return NULL;
        known->sizes = json_object();
        known->seen = json_object();
        more->memory = known;
        more->memory_free = free_known;
    }
    struct known *known = more->memory;
    return known->sizes != NULL && known->seen != NULL ? known : NULL;
}

/* As AWS sent it. */
static int manifest_text(struct fs_view *view, const char *repository, const char *digest,
                         struct ecs_buf *bytes)
{
    struct ecs_key key = {ECS_MANIFEST, repository, digest};
    struct ecs_doc *doc;
    if (fs_repositories_of(view)->is_public)
        return fs_public_manifest(view, repository, digest, bytes);
    int r = fs_view_doc_of(view, &key, &doc);
    if (r != 0)
        return r;
    json_t *image = ecs_doc_tree(doc);
    const json_t *manifest = json_object_get(image, "imageManifest");
    r = json_is_string(manifest)
            ? ecs_buf_add(bytes, json_string_value(manifest), json_string_length(manifest))
            : -ENOENT;
    json_decref(image);
    return r;
}

/* What a manifest says it is made of. */
static int look_into(struct known *known, const char *digest, const struct ecs_buf *bytes)
{
    cleanup_manifest struct fs_manifest manifest = {0};
    int r = fs_manifest_read(bytes->data, bytes->len, &manifest);
    if (r < 0)
        return r;
    for (size_t i = 0; manifest.kind == FS_MANIFEST_IMAGE && i < manifest.len; i++)
        json_object_set_new(known->sizes, manifest.parts[i].digest,
                            json_integer((json_int_t)manifest.parts[i].size));
    json_object_set_new(known->sizes, digest, json_integer((json_int_t)bytes->len));
    return json_object_set_new(known->seen, digest, json_true()) < 0 ? -ENOMEM : 0;
}

/* All images' manifests, or (`ask` false) those known without asking. */
static int look_at_all(struct fs_view *view, struct known *known, const struct ecs_list *list, bool ask)
{
    bool peek = view->rq->peek;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX);
        const char *digest = ecs_list_at(list, i);
        if (json_object_get(known->seen, digest) != NULL)
            continue;
        view->rq->peek = peek || !ask;
        r = manifest_text(view, view_repository(view), digest, &bytes);
        view->rq->peek = peek;
        if (r == 0)
            r = look_into(known, digest, &bytes);
        else if (r == -ENOENT)
            r = json_object_set_new(known->seen, digest, json_true()) < 0 ? -ENOMEM : 0;
        else if (r == FS_PARKED && !ask)
            r = 0;
    }
    return r;
}

static int begin(struct fs_view *view, struct known **ret_known, const struct ecs_list **ret_list)
{
    struct ecs_key images = {fs_repositories_of(view)->image, view_repository(view), ""};
    *ret_known = known_of(view);
    if (*ret_known == NULL || images.parent == NULL)
        return -ENOMEM;
    return fs_view_list(view, &images, ret_list);
}

static bool take(const struct known *known, const struct ecs_list *list, const char *digest,
                 struct fs_blob *ret_blob)
{
    const json_t *size = json_object_get(known->sizes, digest);
    if (size == NULL)
        return false;
    ret_blob->is_manifest = ecs_list_has(list, digest);
    ret_blob->size = (uint64_t)json_integer_value(size);
    return true;
}

/* What no manifest names may have come just now: a push sends layers first. */
static int find_layer(struct fs_view *view, const char *digest, struct fs_blob *ret_blob)
{
    struct ecs_key key = {fs_repositories_of(view)->layer, view_repository(view), digest};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    if (r != 0)
        return r;
    const char *availability = ecs_doc_field(doc, "layerAvailability"),
               *size = ecs_doc_field(doc, "layerSize");
    if (availability == NULL || strcmp(availability, "AVAILABLE") != 0 || size == NULL)
        return -ENOENT;
    *ret_blob = (struct fs_blob){.size = strtoull(size, NULL, 10)};
    return 0;
}

int fs_blob_find(struct fs_view *view, const char *digest, struct fs_blob *ret_blob)
{
    struct known *known;
    const struct ecs_list *list;
    int r = begin(view, &known, &list);
    if (r != 0 || take(known, list, digest, ret_blob))
        return r;
    if (ecs_list_has(list, digest)) {
        cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX);
        r = manifest_text(view, view_repository(view), digest, &bytes);
        if (r == 0)
            r = look_into(known, digest, &bytes);
        return r != 0 ? r : take(known, list, digest, ret_blob) ? 0 : -ENOENT;
    }
    r = look_at_all(view, known, list, false);
    if (r == 0 && take(known, list, digest, ret_blob))
        return 0;
    if (r == 0)
        r = look_at_all(view, known, list, true);
    if (r != 0 || take(known, list, digest, ret_blob))
        return r;
    return find_layer(view, digest, ret_blob);
}

int fs_blob_all(struct fs_view *view, const json_t **ret_sizes)
{
    struct known *known;
    const struct ecs_list *list;
    int r = begin(view, &known, &list);
    if (r == 0)
        r = look_at_all(view, known, list, true);
    if (r == 0)
        *ret_sizes = known->sizes;
    return r;
}

int fs_manifest_bytes(struct fs_view *view, const char *repository, const char *digest, struct ecs_buf *bytes)
{
    int r = manifest_text(view, repository, digest, bytes);
    return r == 0 ? fs_check_digest(view->rq, digest, bytes->data, bytes->len) : r;
}
