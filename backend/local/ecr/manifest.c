/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest says, and whether it is one: an index or a manifest list names manifests, any other one its
 * configuration and layers. */
#include <string.h>
#include <strings.h>

#include "ecsfs/cleanup.h"
#include "registry.h"

bool manifest_is_index(const json_t *manifest)
{
    return json_is_array(json_object_get(manifest, "manifests"));
}

static bool has_digest(const json_t *row)
{
    const char *digest = in_text(row, "digest");
    return digest && digest_is_valid(digest);
}

static bool have_digests(const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (!has_digest(row))
            return false;
    }
    return json_is_array(rows);
}

struct manifest_type {
    const char *name;
    bool index;
};

/* One that does not say is Docker's image, or OCI's index: there "mediaType" may be left out. */
static const struct manifest_type types[] = {
    {"application/vnd.docker.distribution.manifest.v2+json", false},
    {"application/vnd.oci.image.index.v1+json", true},
    {"application/vnd.oci.image.manifest.v1+json", false},
    {"application/vnd.docker.distribution.manifest.list.v2+json", true},
};

static const struct manifest_type *type_of(const json_t *manifest, const char *stated)
{
    const char *name = stated ? stated : in_text(manifest, "mediaType");
    if (!name)
        return &types[manifest_is_index(manifest)];
    size_t len = strcspn(name, "; "); /* a Content-Type may have parameters */
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strlen(types[i].name) == len && strncasecmp(types[i].name, name, len) == 0)
            return &types[i];
    return NULL;
}

const char *manifest_type(const json_t *manifest, const char *stated, const char **ret_why)
{
    const struct manifest_type *type = type_of(manifest, stated);
    const json_t *own = json_object_get(manifest, "mediaType"), *layers = json_object_get(manifest, "layers");
    if (!json_is_object(manifest))
        *ret_why = "Invalid JSON syntax";
    else if (json_integer_value(json_object_get(manifest, "schemaVersion")) != 2)
        *ret_why = "schemaVersion must be 2";
    else if (!type)
        *ret_why = "The media type is none of an image, a manifest list or an index of Docker or OCI";
    else if (own && (!json_is_string(own) || strcmp(json_string_value(own), type->name) != 0))
        *ret_why = "mediaType is another one than that of the request";
    else if (type->index && (layers || !have_digests(json_object_get(manifest, "manifests"))))
        *ret_why = "manifests must be a list, each with a digest";
    else if (!type->index && (manifest_is_index(manifest) || !have_digests(layers) ||
                              !has_digest(json_object_get(manifest, "config"))))
        *ret_why = "config and layers must have digests";
    else
        return type->name;
    return NULL;
}

bool tag_is_valid(const char *tag)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len = strspn(tag, word);
    return len >= 1 && len <= 300 && !tag[len] && *tag != '.' && *tag != '-';
}

void image_name_children(const struct image *image, json_t *digests)
{
    /* Most images are none: the word is looked for before their JSON is read. */
    json_t *manifest = strstr(image->manifest, "manifests") ? json_loads(image->manifest, 0, NULL) : NULL,
           *row;
    size_t i;
    json_array_foreach(json_object_get(manifest, "manifests"), i, row)
    {
        const char *digest = in_text(row, "digest");
        if (digest)
            json_object_set_new(digests, digest, json_true());
    }
    json_decref(manifest);
}

const struct image *image_holder(const struct image *image)
{
    const struct image *index;
    TAILQ_FOREACH(index, &image->repository->images, link)
    {
        if (index == image || !strstr(index->manifest, image->digest))
            continue;
        json_t *digests = json_object();
        image_name_children(index, digests);
        bool named = json_object_get(digests, image->digest) != NULL;
        json_decref(digests);
        if (named)
            return index;
    }
    return NULL;
}
