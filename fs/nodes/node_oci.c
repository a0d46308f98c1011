/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/<repository>/oci/: an OCI image layout
 *
 *     $ skopeo copy oci:repositories/team/app/oci:v1 docker-archive:app.tar
 *     $ skopeo copy oci:built:v2 oci:repositories/team/app/oci:v2
 *     $ umoci unpack --image repositories/team/app/oci:v1 bundle
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "changes/change.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "images/images.h"
#include "images/oci.h"
#include "images/repositories.h"
#include "tree/nodes.h"
#include "tree/show.h"

static int show_layout(struct fs_view *view, struct ecs_buf *text)
{
    return ecs_buf_adds(text, "{\"imageLayoutVersion\": \"1.0.0\"}");
}

/* ---- index.json: a descriptor for each tag ---- */

/* An image of Docker's form is named by its OCI form: tools for layouts see no other. */
static const char *shown_type(const char *type)
{
    if (type == NULL || strcmp(type, "application/vnd.docker.distribution.manifest.v2+json") == 0)
        return "application/vnd.oci.image.manifest.v1+json";
    return strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json") == 0
               ? "application/vnd.oci.image.index.v1+json"
               : type;
}

static int add_descriptor(struct fs_view *view, const char *tag, const char *digest, json_t *manifests)
{
    struct ecs_key key = {fs_repositories_of(view)->image, view_repository(view), digest};
    char shown[FS_DIGEST_TEXT];
    struct ecs_doc *doc;
    uint64_t size;
    int r = fs_view_doc_of(view, &key, &doc);
    const char *type = r == 0 ? ecs_doc_field(doc, "imageManifestMediaType") : NULL;
    cleanup_free char *kept = type != NULL ? strdup(type) : NULL;
    if (r == 0)
        r = fs_blob_shown(view, digest, shown, &size);
    if (r != 0)
        return r == -ENOENT ? 0 : r; /* deleted meanwhile */
    bool converted = strcmp(shown, digest) != 0;
    json_t *descriptor = json_pack(
        "{s:s, s:s, s:I, s:{s:s}}", "mediaType", converted || kept == NULL ? shown_type(kept) : kept,
        "digest", shown, "size", (json_int_t)size, "annotations", "org.opencontainers.image.ref.name", tag);
    return json_array_append_new(manifests, descriptor) < 0 ? -ENOMEM : 0;
}

static int show_index(struct fs_view *view, struct ecs_buf *text)
{
    const json_t *tags;
    const char *tag;
    json_t *digest;
    int r = fs_image_tags(view, &tags);
    if (r != 0)
        return r;
    json_t *manifests = json_array(), *held = json_incref((json_t *)tags);
    json_object_foreach(held, tag, digest) if (r == 0) r =
        add_descriptor(view, tag, json_string_value(digest), manifests);
    json_decref(held);
    json_t *index = json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType",
                              "application/vnd.oci.image.index.v1+json", "manifests", manifests);
    if (r == 0)
        r = index != NULL ? fs_canon_text(index, text) : -ENOMEM;
    json_decref(index);
    return r;
}

/* ---- blobs/sha256/<hex> ---- */

static bool accept_hex(const char *id)
{
    return strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

static int list_blobs(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    const json_t *sizes;
    const char *digest;
    json_t *size;
    int r = fs_blob_all(directory, &sizes);
    if (r == 0)
        json_object_foreach((json_t *)sizes, digest, size) if (r == 0 && fs_accept_digest(digest)) r =
            emit(arg, digest + 7);
    return r;
}

static int find_blob(struct fs_view *view, struct fs_blob *ret_blob)
{
    char digest[FS_DIGEST_TEXT];
    snprintf(digest, sizeof(digest), "sha256:%.64s", view->id);
    return fs_blob_find(view, digest, ret_blob);
}

static int has_blob(struct fs_view *child)
{
    struct fs_blob blob;
    return find_blob(child, &blob);
}

static int blob_size(struct fs_view *view, off_t *ret_size)
{
    struct fs_blob blob;
    int r = find_blob(view, &blob);
    if (r == 0)
        *ret_size = (off_t)blob.size;
    return r;
}

static const struct fs_entries blobs = {.list = list_blobs, .has = has_blob};

static const struct fs_node blob_rows[] = {
    {NULL, FS_FILE_RW, FS_RAW, .entries = &blobs, .accept = accept_hex, .ops = &fs_blob_ops,
     .size = blob_size, .change = &fs_blob_change, .called = "<hex>",
     .help = "manifests, configurations, layers: streamed; what is copied here goes up"},
    {0},
};

static const struct fs_node algorithm_rows[] = {
    {"sha256", FS_DIR, FS_SPOOLS, .children = blob_rows},
    {0},
};

const struct fs_node fs_oci_nodes[] = {
    {"oci-layout", FS_FILE_RW, .show = show_layout, .document = &fs_oci_layout_document},
    {"index.json", FS_FILE_RW, .show = show_index, .document = &fs_oci_index_document,
     .watches = FS_WATCH(ECS_IMAGE) | FS_WATCH(ECS_PUBLIC_IMAGE),
     .help = "its tags; saving it tags what it names and puts what was copied into blobs/"},
    {"blobs", FS_DIR, .children = algorithm_rows},
    {0},
};
