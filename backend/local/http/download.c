/* SPDX-License-Identifier: Apache-2.0 */
#include "download.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecr/registry.h"
#include "ecsfs/backend.h"
#include "ecsfs/cleanup.h"
#include "store.h"

/* What a URL names. Strings point into the URL, which is cut up. */
struct place {
    struct region *region;
    const char *repository, *digest;
};

static bool cut_at(char *text, const char *mark, const char **ret_rest)
{
    char *at = strstr(text, mark);
    if (at) {
        *at = 0;
        *ret_rest = at + strlen(mark);
    }
    return at != NULL;
}

/* "http://host/v2/team/app/blobs/sha256:...?region=eu-west-1"; or ECR Public's "/v2/<alias>/app/blobs/..." */
static bool take_apart(struct world *world, char *url, const char *what, struct place *ret_place)
{
    const char *region = NULL;
    char *path = strstr(url, "/v2/");
    bool is_public = path == url;
    if (!path || !cut_at(path, what, &ret_place->digest))
        return false;
    if (!is_public && !cut_at((char *)(uintptr_t)ret_place->digest, "?region=", &region))
        return false;
    if (region) /* what follows it is for who comes over HTTP */
        ((char *)(uintptr_t)region)[strcspn(region, "&")] = 0;
    ret_place->repository = is_public ? public_path(world, path + 4) : path + 4;
    ret_place->region = is_public ? public_region(world) : world_find_region(world, region);
    return ret_place->repository && ret_place->region;
}

static struct ecs_error *not_there(const struct ecs_call *call)
{
    return ecs_error_from_aws(call->operation, 404, "NoSuchKey", "The specified key does not exist.", "", 0);
}

static struct ecs_error *take_manifest(struct world *world, struct ecs_call *call)
{
    cleanup_free char *url = strdup(call->body);
    struct place place;
    struct repository *repository = url && take_apart(world, url, "/manifests/", &place)
                                        ? repository_find(place.region, place.repository)
                                        : NULL;
    struct image *image = repository ? image_find(repository, place.digest) : NULL;
    if (!image)
        return not_there(call);
    image->pulled_at = world_wall(world);
    call->bytes = strdup(image->manifest);
    call->bytes_len = call->bytes ? strlen(call->bytes) : 0;
    return call->bytes ? NULL : ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
}

static char *layer_of_url(struct world *world, const char *text)
{
    cleanup_free char *url = strdup(text);
    struct place place;
    if (!url || !take_apart(world, url, "/blobs/", &place))
        return NULL;
    struct repository *repository = repository_find(place.region, place.repository);
    return repository && layer_size(repository, place.digest) >= 0 ? layer_name(repository, place.digest)
                                                                   : NULL;
}

struct ecs_error *world_download(struct world *world, struct ecs_call *call)
{
    if (call->accept)
        return take_manifest(world, call);
    cleanup_free char *name = layer_of_url(world, call->body);
    cleanup_free char *data = malloc(call->range_len + 1);
    if (!name)
        return not_there(call);
    size_t len = 0;
    int64_t got = data ? 1 : -ENOMEM;
    while (got > 0 && len < call->range_len) {
        got = store_blob_read(world->store, name, (int64_t)(call->range_first + len), data + len,
                              call->range_len - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return ecs_error_new((int)got, "LayerUnreadable", "the emulator cannot read the layer");
    call->bytes = steal(data);
    call->bytes_len = len;
    return NULL;
}
