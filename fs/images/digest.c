/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: the names of images, manifests and layers. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "images.h"
#include "oci.h"
#include "tree/nodes.h"
#include "tree/show.h"

bool fs_accept_digest(const char *id)
{
    return strncmp(id, "sha256:", 7) == 0 && strlen(id) == 71 && strspn(id + 7, "0123456789abcdef") == 64;
}

void fs_digest_of(const void *data, size_t len, char digest[FS_DIGEST_TEXT])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    SHA256(data, len, sum);
    strcpy(digest, "sha256:");
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(digest + 7 + 2 * i, 3, "%02x", sum[i]);
}

bool fs_digest_matches(const char *digest, const void *data, size_t len)
{
    char its[FS_DIGEST_TEXT];
    fs_digest_of(data, len, its);
    return strcmp(digest, its) == 0;
}

int fs_check_digest(struct fs_request *rq, const char *digest, const void *data, size_t len)
{
    char its[FS_DIGEST_TEXT];
    fs_digest_of(data, len, its);
    if (strcmp(digest, its) == 0)
        return 0;
    return fs_fail(rq, -EPROTO, "DigestMismatch", "what AWS sent for %s hashes to %s", digest, its);
}
