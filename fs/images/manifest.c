/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tree/nodes.h"

#define DOCKER "application/vnd.docker.distribution.manifest."
#define OCI "application/vnd.oci.image."

static const char *const types[] = {
    OCI "manifest.v1+json", OCI "index.v1+json",   DOCKER "v2+json",
    DOCKER "list.v2+json",  DOCKER "v1+prettyjws", DOCKER "v1+json",
};

bool fs_manifest_type_known(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

/* False: it has no digest as ECR's are, or no size. */
static bool add_part(struct fs_manifest *manifest, const json_t *descriptor)
{
    const char *digest = json_string_value(json_object_get(descriptor, "digest"));
    const json_t *size = json_object_get(descriptor, "size");
    if (digest == NULL || !fs_accept_digest(digest) || !json_is_integer(size) || json_integer_value(size) < 0)
        return false;
    const json_t *annotations = json_object_get(descriptor, "annotations");
    manifest->parts[manifest->len++] = (struct fs_descriptor){
        .digest = digest,
        .size = (uint64_t)json_integer_value(size),
        .tag = json_string_value(json_object_get(annotations, "org.opencontainers.image.ref.name")),
    };
    return true;
}

static int read_parts(struct fs_manifest *manifest, const json_t *config, const json_t *list)
{
    size_t i;
    const json_t *descriptor;
    manifest->parts = calloc(json_array_size(list) + 1, sizeof(*manifest->parts));
    if (manifest->parts == NULL)
        return -ENOMEM;
    if (config != NULL)
        manifest->has_config = add_part(manifest, config);
    json_array_foreach((json_t *)list, i, descriptor)
    {
        if (!add_part(manifest, descriptor) && manifest->bad == 0)
            manifest->bad = i + 1;
    }
    return 0;
}

int fs_manifest_of(json_t *tree, struct fs_manifest *ret_manifest)
{
    const json_t *layers = json_object_get(tree, "layers"), *manifests = json_object_get(tree, "manifests");
    const char *type = json_string_value(json_object_get(tree, "mediaType"));
    *ret_manifest = (struct fs_manifest){.tree = json_incref(tree)};
    if (json_is_array(manifests)) {
        ret_manifest->kind = FS_MANIFEST_INDEX;
        ret_manifest->type = type != NULL ? type : OCI "index.v1+json";
        return read_parts(ret_manifest, NULL, manifests);
    }
    if (json_is_array(layers)) {
        ret_manifest->kind = FS_MANIFEST_IMAGE;
        ret_manifest->type = type != NULL ? type : OCI "manifest.v1+json"; /* the old ones do not say */
        return read_parts(ret_manifest, json_object_get(tree, "config"), layers);
    }
    return 0;
}

int fs_manifest_read(const char *text, size_t len, struct fs_manifest *ret_manifest)
{
    json_error_t where;
    json_t *tree = json_loadb(text != NULL ? text : "", len, 0, &where);
    bool no_memory = tree == NULL && json_error_code(&where) == json_error_out_of_memory;
    int r = no_memory ? -ENOMEM : fs_manifest_of(tree, ret_manifest);
    json_decref(tree);
    return r;
}

void fs_manifest_free(struct fs_manifest *manifest)
{
    json_decref(manifest->tree);
    free(manifest->parts);
    *manifest = (struct fs_manifest){0};
}
