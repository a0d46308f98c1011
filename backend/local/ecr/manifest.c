/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest says: an index or a manifest list names manifests, any other one its layers. */
#include <string.h>

#include "ecsfs/cleanup.h"
#include "registry.h"

bool manifest_is_index(const json_t *manifest)
{
    return json_is_array(json_object_get(manifest, "manifests"));
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
