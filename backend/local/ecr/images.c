/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "registry.h"

/* "docker.io/library/nginx:1.27" of "nginx:1.27": the reference a runtime resolves. */
static char *full_reference(const char *image)
{
    const char *slash = strchr(image, '/');
    size_t host = slash ? (size_t)(slash - image) : 0;
    bool has_host = slash && (memchr(image, '.', host) || memchr(image, ':', host) ||
                              strncmp(image, "localhost/", 10) == 0);
    const char *last = slash ? strrchr(image, '/') : image;
    const char *tag = strpbrk(last, ":@") ? "" : ":latest";
    char *text;
    if (asprintf(&text, "%s%s%s%s", has_host ? "" : "docker.io/", slash ? "" : "library/", image, tag) < 0)
        return NULL;
    return text;
}

static void make_digest(const char *image, char digest[DIGEST_TEXT])
{
    const char *at = strstr(image, "@sha256:");
    if (at && strlen(at) == 1 + 7 + 64) {
        snprintf(digest, DIGEST_TEXT, "%s", at + 1);
        return;
    }
    size_t len = (size_t)snprintf(digest, DIGEST_TEXT, "sha256:");
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = image; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    for (int i = 0; i < 4; i++) {
        hash = (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9u;
        len += (size_t)snprintf(digest + len, DIGEST_TEXT - len, "%016" PRIx64, hash);
    }
}

static int not_found(const char *image, char **ret_reason)
{
    cleanup_free char *reference = full_reference(image);
    if (!reference ||
        asprintf(
            ret_reason,
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
            "%s: %s: not found",
            reference, reference) < 0)
        *ret_reason = NULL;
    return -ENOENT;
}

/* "name:tag" behind the host of our own ECR, in whatever region or public, or of our own HTTP face. */
static const char *path_in_own_registry(struct region *region, const char *image, struct region **ret_home)
{
    struct world *world = region->world;
    char host[128];
    *ret_home = region;
    size_t len = (size_t)snprintf(host, sizeof(host), "%s/", world->endpoint);
    if (len > 1 && strncmp(image, host, len) == 0)
        return image + len;
    static const char public_host[] = "public.ecr.aws/";
    if (strncmp(image, public_host, sizeof(public_host) - 1) == 0) {
        *ret_home = public_region(world);
        return *ret_home ? public_path(world, image + sizeof(public_host) - 1) : NULL;
    }
    len = (size_t)snprintf(host, sizeof(host), "%s.dkr.ecr.", world->account);
    const char *rest = strncmp(image, host, len) == 0 ? strstr(image + len, ".amazonaws.com") : NULL;
    const char *slash = rest ? strchr(rest, '/') : NULL;
    char name[32];
    if (!slash || (size_t)(rest - image) - len >= sizeof(name))
        return NULL;
    snprintf(name, sizeof(name), "%.*s", (int)(rest - image - (long)len), image + len);
    *ret_home = world_find_region(world, name);
    return *ret_home ? slash + 1 : NULL;
}

static const struct image *find_own(const struct region *region, const char *path)
{
    const char *at = strchr(path, '@'), *colon = strrchr(path, ':');
    const char *end = at ? at : colon ? colon : path + strlen(path);
    cleanup_free char *name = strndup(path, (size_t)(end - path));
    /* "name:tag@digest": the digest counts. */
    char *tag = name && at ? strchr(name, ':') : NULL;
    if (tag)
        *tag = 0;
    const struct repository *repository = name ? repository_find(region, name) : NULL;
    return repository ? image_find(repository, at ? at + 1 : colon ? colon + 1 : "latest") : NULL;
}

int image_pull(struct region *region, const char *image, char digest[DIGEST_TEXT], char **ret_reason)
{
    *ret_reason = NULL;
    if (strstr(image, "does-not-exist"))
        return not_found(image, ret_reason);
    make_digest(image, digest);
    struct region *home;
    const char *path = path_in_own_registry(region, image, &home);
    if (!path)
        return 0;
    const struct image *found = find_own(home, path);
    if (!found)
        return not_found(image, ret_reason);
    snprintf(digest, DIGEST_TEXT, "%s", found->digest);
    return 0;
}
