/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_form.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

#define DOCKER "application/vnd.docker."
#define OCI "application/vnd.oci.image."

static const struct {
    const char *docker, *oci;
} types[] = {
    {DOCKER "distribution.manifest.v2+json", OCI "manifest.v1+json"},
    {DOCKER "distribution.manifest.list.v2+json", OCI "index.v1+json"},
    {DOCKER "container.image.v1+json", OCI "config.v1+json"},
    {DOCKER "image.rootfs.diff.tar", OCI "layer.v1.tar"},
    {DOCKER "image.rootfs.diff.tar.gzip", OCI "layer.v1.tar+gzip"},
    {DOCKER "image.rootfs.diff.tar.zstd", OCI "layer.v1.tar+zstd"},
    {DOCKER "image.rootfs.foreign.diff.tar", OCI "layer.nondistributable.v1.tar"},
    {DOCKER "image.rootfs.foreign.diff.tar.gzip", OCI "layer.nondistributable.v1.tar+gzip"},
};

static const char *oci_type(const char *docker)
{
    for (size_t i = 0; docker != NULL && i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(types[i].docker, docker) == 0)
            return types[i].oci;
    return NULL;
}

bool fs_oci_form_wanted(const struct fs_manifest *manifest)
{
    return manifest->kind != FS_MANIFEST_NONE && strncmp(manifest->type, DOCKER, sizeof(DOCKER) - 1) == 0 &&
           oci_type(manifest->type) != NULL && manifest->bad == 0;
}

/* In its place among the members, so that a manifest always gives the same bytes. */
static int set_type(json_t *object)
{
    const char *type = oci_type(json_string_value(json_object_get(object, "mediaType")));
    if (type == NULL)
        return -EINVAL;
    return json_object_set_new(object, "mediaType", json_string(type)) < 0 ? -ENOMEM : 0;
}

static int convert_child(json_t *row, fs_oci_child_fn *child, void *arg)
{
    const char *digest = json_string_value(json_object_get(row, "digest")), *now;
    uint64_t size;
    int r = child(arg, digest != NULL ? digest : "", &now, &size);
    if (r != 0)
        return r == -ENOENT ? 0 : r;
    r = json_object_set_new(row, "digest", json_string(now));
    r |= json_object_set_new(row, "size", json_integer((json_int_t)size));
    return r < 0 ? -ENOMEM : set_type(row);
}

static int convert(json_t *tree, const struct fs_manifest *manifest, fs_oci_child_fn *child, void *arg)
{
    bool index = manifest->kind == FS_MANIFEST_INDEX;
    json_t *row;
    size_t i;
    int r = set_type(tree);
    if (r == 0 && !index)
        r = set_type(json_object_get(tree, "config"));
    json_array_foreach(json_object_get(tree, index ? "manifests" : "layers"), i, row) if (r == 0) r =
        index ? convert_child(row, child, arg) : set_type(row);
    return r;
}

int fs_oci_form_make(const struct fs_manifest *manifest, fs_oci_child_fn *child, void *arg,
                     struct ecs_buf *text)
{
    json_t *tree = json_deep_copy(manifest->tree);
    int r = tree != NULL ? convert(tree, manifest, child, arg) : -ENOMEM;
    cleanup_free char *bytes = r == 0 ? json_dumps(tree, JSON_COMPACT) : NULL;
    json_decref(tree);
    if (r != 0)
        return r;
    return bytes != NULL ? ecs_buf_adds(text, bytes) : -ENOMEM;
}
