/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"

enum { READ_MAX = 8 << 20 };

struct fs_spool {
    int fd;
    uint64_t size, hashed; /* the first `hashed` bytes are in the hash, and were not written again since */
    EVP_MD_CTX *hash;
    char *buffer;
    size_t buffer_size;
};

/* Not every filesystem can make a file without a name. */
static int open_nameless(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char *name;
    if (asprintf(&name, "%s/ecsfs-layer.XXXXXX", directory) < 0)
        return -1;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    free(name);
    return fd;
}

int fs_spool_new(struct fs_spool **ret_spool)
{
    const char *directory = getenv("TMPDIR");
    struct fs_spool *spool = calloc(1, sizeof(*spool));
    if (spool == NULL)
        return -ENOMEM;
    spool->fd = open_nameless(directory != NULL && *directory == '/' ? directory : "/var/tmp");
    int r = spool->fd < 0 ? -errno : 0;
    spool->hash = EVP_MD_CTX_new();
    if (r == 0 && (spool->hash == NULL || EVP_DigestInit_ex(spool->hash, EVP_sha256(), NULL) != 1))
        r = -ENOMEM;
    if (r < 0)
        fs_spool_free(spool);
    else
        *ret_spool = spool;
    return r;
}

struct fs_spool *fs_spool_free(struct fs_spool *spool)
{
    if (spool != NULL) {
        if (spool->fd >= 0)
            close(spool->fd);
        EVP_MD_CTX_free(spool->hash);
        free(spool->buffer);
        free(spool);
    }
    return NULL;
}

uint64_t fs_spool_size(const struct fs_spool *spool)
{
    return spool->size;
}

static void forget_hash(struct fs_spool *spool)
{
    spool->hashed = 0;
    EVP_DigestInit_ex(spool->hash, EVP_sha256(), NULL);
}

int fs_spool_write(struct fs_spool *spool, const char *data, size_t len, uint64_t offset)
{
    size_t done = 0;
    if (offset > INT64_MAX - len)
        return -EFBIG;
    while (done < len) {
        ssize_t n = pwrite(spool->fd, data + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int r = -errno;
            if (ftruncate(spool->fd, (off_t)spool->size) < 0)
                return r;
            return r;
        }
        done += (size_t)n;
    }
    if (offset < spool->hashed)
        forget_hash(spool);
    if (offset == spool->hashed && EVP_DigestUpdate(spool->hash, data, len) == 1)
        spool->hashed += len;
    if (offset + len > spool->size)
        spool->size = offset + len;
    return 0;
}

int fs_spool_truncate(struct fs_spool *spool, uint64_t size)
{
    if (size > INT64_MAX)
        return -EFBIG;
    if (ftruncate(spool->fd, (off_t)size) < 0)
        return -errno;
    if (size < spool->hashed)
        forget_hash(spool);
    spool->size = size;
    return 0;
}

int fs_spool_read(struct fs_spool *spool, size_t size, uint64_t offset, const char **ret_data,
                  size_t *ret_len)
{
    *ret_data = "";
    *ret_len = 0;
    if (offset >= spool->size)
        return 0;
    if (size > READ_MAX)
        size = READ_MAX;
    if (size > spool->size - offset)
        size = (size_t)(spool->size - offset);
    if (size > spool->buffer_size) {
        char *buffer = realloc(spool->buffer, size);
        if (buffer == NULL)
            return -ENOMEM;
        spool->buffer = buffer;
        spool->buffer_size = size;
    }
    while (*ret_len < size) {
        ssize_t n = pread(spool->fd, spool->buffer + *ret_len, size - *ret_len, (off_t)(offset + *ret_len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        *ret_len += (size_t)n;
    }
    *ret_data = spool->buffer;
    return 0;
}

int fs_spool_sha256(struct fs_spool *spool, char hex[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    while (spool->hashed < spool->size) {
        const char *data;
        size_t len;
        int r = fs_spool_read(spool, READ_MAX, spool->hashed, &data, &len);
        if (r < 0)
            return r;
        EVP_DigestUpdate(spool->hash, data, len);
        spool->hashed += len;
    }
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool good = copy != NULL && EVP_MD_CTX_copy_ex(copy, spool->hash) == 1 &&
                EVP_DigestFinal_ex(copy, sum, NULL) == 1;
    EVP_MD_CTX_free(copy);
    for (size_t i = 0; good && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return good ? 0 : -ENOMEM;
}
