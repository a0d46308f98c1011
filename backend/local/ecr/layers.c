/* SPDX-License-Identifier: Apache-2.0 */
/* Layers, and their way in: appended to the store in parts while their digest is reckoned. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "http/upload.h"
#include "store.h"

/* One row of the store; a read takes no more than this at a time. */
enum { PART = 256 * 1024 };

static void format_digest(const unsigned char hash[32], char digest[DIGEST_MAX])
{
    size_t len = (size_t)snprintf(digest, DIGEST_MAX, "sha256:");
    for (int i = 0; i < 32; i++)
        len += (size_t)snprintf(digest + len, DIGEST_MAX - len, "%02x", hash[i]);
}

void digest_of(const void *data, size_t len, char digest[DIGEST_MAX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL);
    format_digest(hash, digest);
}

bool digest_is_valid(const char *digest)
{
    return strlen(digest) == 71 && strncmp(digest, "sha256:", 7) == 0 &&
           strspn(digest + 7, "0123456789abcdef") == 64;
}

char *layer_name(const struct repository *repository, const char *digest)
{
    char *name;
    return asprintf(&name, "layer/%s/%s@%s", repository->record.region->name, repository->name, digest) < 0
               ? NULL
               : name;
}

int64_t layer_size(const struct repository *repository, const char *digest)
{
    cleanup_free char *name = layer_name(repository, digest);
    return name ? store_blob_size(repository->record.region->world->store, name) : -ENOMEM;
}

struct upload *upload_new(struct repository *repository)
{
    struct upload *upload = calloc(1, sizeof(*upload));
    if (!upload)
        return NULL;
    upload->repository = repository;
    upload->pending = ECS_BUF(4 * PART);
    id_uuid(upload->id);
    upload->hash = EVP_MD_CTX_new();
    TAILQ_INSERT_TAIL(&repository->record.region->registry->uploads, upload, link);
    if (!upload->hash || EVP_DigestInit_ex(upload->hash, EVP_sha256(), NULL) != 1) {
        upload_free(upload);
        return NULL;
    }
    return upload;
}

struct upload *upload_find(const struct region *region, const char *id)
{
    struct upload *upload;
    if (region->registry)
        TAILQ_FOREACH(upload, &region->registry->uploads, link)
        {
            if (strcmp(upload->id, id) == 0)
                return upload;
        }
    return NULL;
}

const char *upload_id(const struct upload *upload)
{
    return upload->id;
}

const struct repository *upload_repository(const struct upload *upload)
{
    return upload->repository;
}

int64_t upload_size(const struct upload *upload)
{
    return upload->size;
}

static struct store *store_of(const struct upload *upload)
{
    return upload->repository->record.region->world->store;
}

static int flush(struct upload *upload)
{
    char name[ID_MAX + 16];
    snprintf(name, sizeof(name), "upload/%s", upload->id);
    int r = store_blob_append(store_of(upload), name, upload->pending.data ? upload->pending.data : "",
                              upload->pending.len);
    ecs_buf_truncate(&upload->pending, 0);
    return r;
}

int upload_add(struct upload *upload, const void *data, size_t len)
{
    const char *from = data;
    EVP_DigestUpdate(upload->hash, data, len);
    upload->size += (int64_t)len;
    while (len && upload->failed == 0) {
        size_t part = PART - upload->pending.len < len ? PART - upload->pending.len : len;
        upload->failed = ecs_buf_add(&upload->pending, from, part);
        if (upload->failed == 0 && upload->pending.len == PART)
            upload->failed = flush(upload);
        from += part;
        len -= part;
    }
    return upload->failed;
}

int upload_finish(struct upload *upload, const char *digest)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char its[DIGEST_MAX], from[ID_MAX + 16];
    cleanup_free char *name = layer_name(upload->repository, digest);
    snprintf(from, sizeof(from), "upload/%s", upload->id);
    EVP_DigestFinal_ex(upload->hash, hash, NULL);
    format_digest(hash, its);
    int r = !name ? -ENOMEM : strcmp(its, digest) != 0 ? -EBADMSG : upload->failed;
    if (r == 0 && (upload->pending.len || !upload->size))
        r = flush(upload);
    if (r == 0 && layer_size(upload->repository, digest) < 0)
        r = store_blob_rename(store_of(upload), from, name);
    upload_free(upload);
    return r;
}

void upload_free(struct upload *upload)
{
    char name[ID_MAX + 16];
    snprintf(name, sizeof(name), "upload/%s", upload->id);
    store_blob_delete(store_of(upload), name);
    TAILQ_REMOVE(&upload->repository->record.region->registry->uploads, upload, link);
    EVP_MD_CTX_free(upload->hash);
    ecs_buf_free(&upload->pending);
    free(upload);
}
