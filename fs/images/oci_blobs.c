/* SPDX-License-Identifier: Apache-2.0 */
/* Which blobs a repository has, and how long they are: its manifests tell. ECR itself has no list of layers.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "images.h"
#include "manifest.h"
#include "oci.h"
#include "oci_form.h"
#include "public_registry.h"
#include "repositories.h"
#include "tree/tree_private.h"

/* Kept with the repository's oci/ directory. Manifests never change, so this only grows. */
struct known {
    json_t *sizes; /* digest -> size */
    json_t *seen;  /* manifests that were looked into */
    json_t *forms; /* digest -> the digest of its OCI form; true: that of a list, not made yet */
    json_t *texts; /* digest of a form -> its bytes */
};

static void free_known(void *memory)
{
    struct known *known = memory;
    json_decref(known->sizes);
    json_decref(known->seen);
    json_decref(known->forms);
    json_decref(known->texts);
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
        known->forms = json_object();
        known->texts = json_object();
        more->memory = known;
        more->memory_free = free_known;
    }
    struct known *known = more->memory;
    bool whole = known->sizes != NULL && known->seen != NULL && known->forms != NULL && known->texts != NULL;
    return whole ? known : NULL;
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

/* ---- images of Docker's form, in OCI's ---- */

static int keep_form(struct known *known, const char *digest, const struct ecs_buf *text)
{
    char form[FS_DIGEST_TEXT];
    fs_digest_of(text->data, text->len, form);
    int r = json_object_set_new(known->forms, digest, json_string(form));
    r |= json_object_set_new(known->texts, form, json_stringn(text->data, text->len));
    r |= json_object_set_new(known->sizes, form, json_integer((json_int_t)text->len));
    return r < 0 ? -ENOMEM : 0;
}

/* That of a list is made when those of its images are known. */
static int note_form(struct known *known, const char *digest, const struct fs_manifest *manifest)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    if (!fs_oci_form_wanted(manifest) || json_object_get(known->forms, digest) != NULL)
        return 0;
    if (manifest->kind == FS_MANIFEST_INDEX)
        return json_object_set_new(known->forms, digest, json_true()) < 0 ? -ENOMEM : 0;
    int r = fs_oci_form_make(manifest, NULL, NULL, &text);
    return r == 0 ? keep_form(known, digest, &text) : r == -ENOMEM ? r : 0; /* it stays as it is */
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
    if (note_form(known, digest, &manifest) < 0)
        return -ENOMEM;
    return json_object_set_new(known->seen, digest, json_true()) < 0 ? -ENOMEM : 0;
}

static int look_at(struct fs_view *view, struct known *known, const char *digest)
{
    cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX);
    if (json_object_get(known->seen, digest) != NULL)
        return 0;
    int r = manifest_text(view, view_repository(view), digest, &bytes);
    return r == 0 ? look_into(known, digest, &bytes) : r;
}

struct lister {
    struct fs_view *view;
    struct known *known;
};

static int form_of_child(void *arg, const char *digest, const char **ret_digest, uint64_t *ret_size)
{
    const struct lister *lister = arg;
    int r = look_at(lister->view, lister->known, digest);
    *ret_digest = json_string_value(json_object_get(lister->known->forms, digest));
    if (r != 0 || *ret_digest == NULL)
        return r != 0 ? r : -ENOENT;
    *ret_size = (uint64_t)json_integer_value(json_object_get(lister->known->sizes, *ret_digest));
    return 0;
}

/* Makes the form of a list, if it is one whose form was not made. */
static int make_list_form(struct fs_view *view, struct known *known, const char *digest)
{
    cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX), text = ECS_BUF(FS_TEXT_MAX);
    cleanup_manifest struct fs_manifest manifest = {0};
    struct lister lister = {view, known};
    if (!json_is_true(json_object_get(known->forms, digest)))
        return 0;
    int r = manifest_text(view, view_repository(view), digest, &bytes);
    if (r == 0)
        r = fs_manifest_read(bytes.data, bytes.len, &manifest);
    if (r == 0)
        r = fs_oci_form_make(&manifest, form_of_child, &lister, &text);
    if (r == 0)
        return keep_form(known, digest, &text);
    if (r == -EINVAL)
        return json_object_del(known->forms, digest) < 0 ? -ENOMEM : 0;
    return r;
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
    for (size_t i = 0; r == 0 && ask && i < ecs_list_len(list); i++)
        r = make_list_form(view, known, ecs_list_at(list, i));
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
    ret_blob->is_manifest = ecs_list_has(list, digest) || json_object_get(known->texts, digest) != NULL;
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
        r = look_at(view, known, digest);
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

int fs_blob_shown(struct fs_view *view, const char *digest, char shown[FS_DIGEST_TEXT], uint64_t *ret_size)
{
    struct known *known;
    const struct ecs_list *list;
    int r = begin(view, &known, &list);
    if (r == 0)
        r = look_at(view, known, digest);
    if (r == 0)
        r = make_list_form(view, known, digest);
    if (r != 0)
        return r;
    const char *form = json_string_value(json_object_get(known->forms, digest));
    snprintf(shown, FS_DIGEST_TEXT, "%s", form != NULL ? form : digest);
    *ret_size = (uint64_t)json_integer_value(json_object_get(known->sizes, shown));
    return 0;
}

static const char *source_of(const struct known *known, const char *form)
{
    const char *digest;
    json_t *its;
    json_object_foreach(known->forms, digest, its)
    {
        if (json_is_string(its) && strcmp(json_string_value(its), form) == 0)
            return digest;
    }
    return NULL;
}

int fs_blob_source(struct fs_view *view, const char *digest, char source[FS_DIGEST_TEXT])
{
    struct known *known;
    const struct ecs_list *list;
    struct fs_blob blob;
    snprintf(source, FS_DIGEST_TEXT, "%s", digest);
    int r = begin(view, &known, &list);
    if (r != 0 || ecs_list_has(list, digest))
        return r;
    if (json_object_get(known->texts, digest) == NULL)
        r = fs_blob_find(view, digest, &blob); /* forms are known when all manifests are */
    if (r != 0)
        return r == -ENOENT ? 0 : r;
    const char *of = source_of(known, digest);
    if (of != NULL)
        snprintf(source, FS_DIGEST_TEXT, "%s", of);
    return 0;
}

int fs_blob_text(struct fs_view *view, const char *digest, struct ecs_buf *bytes)
{
    struct known *known;
    const struct ecs_list *list;
    int r = begin(view, &known, &list);
    if (r != 0)
        return r;
    const json_t *text = json_object_get(known->texts, digest);
    return text != NULL ? ecs_buf_add(bytes, json_string_value(text), json_string_length(text))
                        : fs_manifest_bytes(view, view_repository(view), digest, bytes);
}
