/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* "docker.io/library/nginx:1.27" of "nginx:1.27": the reference a runtime resolves. */
static char *full_reference(const char *image)
{
    const char *slash = strchr(image, '/');
    size_t host = slash ? (size_t)(slash - image) : 0;
    bool has_host = slash && (memchr(image, '.', host) || memchr(image, ':', host) || strncmp(image, "localhost/", 10) == 0);
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
        asprintf(ret_reason,
                 "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                 "%s: %s: not found", reference, reference) < 0)
        *ret_reason = NULL;
    return -ENOENT;
}

int image_pull(struct region *region, const char *image, char digest[DIGEST_TEXT], char **ret_reason)
{
    *ret_reason = NULL;
    if (strstr(image, "does-not-exist"))
        return not_found(image, ret_reason);
    make_digest(image, digest);
    char host[128];
    snprintf(host, sizeof(host), "%s.dkr.ecr.%s.amazonaws.com/", region->world->account, region->name);
    if (strncmp(image, host, strlen(host)) != 0)
        return 0;
    return not_found(image, ret_reason); /* the registry is still empty */
}
