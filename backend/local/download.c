/* SPDX-License-Identifier: Apache-2.0 */
#include "download.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/backend.h"
#include "ecsfs/cleanup.h"
#include "registry.h"
#include "store.h"

/* "http://host/v2/team/app/blobs/sha256:...?region=eu-west-1", cut into its parts. */
static bool take_apart(char *url, char **ret_repository, char **ret_digest, char **ret_region)
{
    char *path = strstr(url, "/v2/");
    char *blobs = path ? strstr(path, "/blobs/") : NULL;
    char *query = blobs ? strchr(blobs, '?') : NULL;
    if (!query || strncmp(query, "?region=", 8) != 0)
        return false;
    *blobs = *query = 0;
    *ret_repository = path + 4;
    *ret_digest = blobs + 7;
    *ret_region = query + 8;
    return true;
}

static char *layer_of_url(struct world *world, const char *text)
{
    cleanup_free char *url = strdup(text);
    char *repository_name, *digest, *region_name;
    if (!url || !take_apart(url, &repository_name, &digest, &region_name))
        return NULL;
    struct region *region = world_find_region(world, region_name);
    struct repository *repository = region ? repository_find(region, repository_name) : NULL;
    return repository && layer_size(repository, digest) >= 0 ? layer_name(repository, digest) : NULL;
}

struct ecs_error *world_download(struct world *world, struct ecs_call *call)
{
    cleanup_free char *name = layer_of_url(world, call->body);
    cleanup_free char *data = malloc(call->range_len + 1);
    if (!name)
        return ecs_error_from_aws(call->operation, 404, "NoSuchKey", "The specified key does not exist.", "",
                                  0);
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
