/* SPDX-License-Identifier: Apache-2.0 */
#include "layer_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"

enum { HEX = 64, NAME = 96, ABANDONED_S = 24 * 3600 };

static const char coming[] = "coming."; /* written by somebody, or left by who was killed */

struct fs_layer_cache {
    int directory;
    uint64_t most;
};

struct fs_layer_writer {
    struct fs_layer_cache *cache;
    int fd;
    char hex[HEX + 1], name[NAME];
    uint64_t size, written;
    bool failed;
};

static void remove_abandoned(int directory);

struct fs_layer_cache *fs_layer_cache_new(const char *directory, uint64_t most)
{
    struct fs_layer_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->most = most;
    cache->directory = -1;
    if (mkdir(directory, 0700) == 0 || errno == EEXIST)
        cache->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cache->directory < 0) {
        int reason = errno;
        free(cache);
        errno = reason;
        return NULL;
    }
    remove_abandoned(cache->directory);
    return cache;
}

struct fs_layer_cache *fs_layer_cache_free(struct fs_layer_cache *cache)
{
    if (cache != NULL)
        close(cache->directory);
    free(cache);
    return NULL;
}

/* "sha256:<hex>" -> "<hex>"; nothing else can be the name of a file here. */
static const char *hex_of(const char *digest)
{
    if (strncmp(digest, "sha256:", 7) != 0 || strlen(digest) != 7 + HEX ||
        strspn(digest + 7, "0123456789abcdef") != HEX)
        return NULL;
    return digest + 7;
}

int fs_layer_cache_open(struct fs_layer_cache *cache, const char *digest, uint64_t size)
{
    const char *hex = cache != NULL ? hex_of(digest) : NULL;
    int fd = hex != NULL ? openat(cache->directory, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    struct stat st;
    if (fd < 0)
        return -ENOENT;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size != UINT64_MAX && (uint64_t)st.st_size != size)) {
        close(fd);
        fs_layer_cache_drop(cache, digest);
        return -ENOENT;
    }
    futimens(fd, NULL); /* read last now; when that fails it only goes earlier */
    return fd;
}

void fs_layer_cache_drop(struct fs_layer_cache *cache, const char *digest)
{
    const char *hex = cache != NULL ? hex_of(digest) : NULL;
    if (hex != NULL)
        unlinkat(cache->directory, hex, 0);
}

/* ---- making room ---- */

struct kept {
    char hex[HEX + 1];
    uint64_t size;
    struct timespec used;
};

static int compare_used(const void *a, const void *b)
{
    const struct timespec *left = &((const struct kept *)a)->used, *right = &((const struct kept *)b)->used;
    if (left->tv_sec != right->tv_sec)
        return left->tv_sec < right->tv_sec ? -1 : 1;
    return left->tv_nsec < right->tv_nsec ? -1 : left->tv_nsec > right->tv_nsec;
}

static DIR *open_list(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL && fd >= 0)
        close(fd);
    return list;
}

/* The layers there are; the caller frees. Another mount may add and remove meanwhile: then it bounds them. */
static struct kept *list_kept(int directory, size_t *ret_len, uint64_t *ret_sum)
{
    DIR *list = open_list(directory);
    struct kept *all = NULL;
    size_t size = 0;
    struct dirent *entry;
    *ret_len = 0;
    *ret_sum = 0;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        struct stat st;
        if (strlen(entry->d_name) != HEX || fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (*ret_len == size) {
            struct kept *more = realloc(all, (size = size * 2 + 64) * sizeof(*all));
            if (more == NULL)
                break;
            all = more;
        }
        struct kept *kept = &all[(*ret_len)++];
        memcpy(kept->hex, entry->d_name, HEX + 1);
        kept->size = (uint64_t)st.st_size;
        kept->used = st.st_mtim;
        *ret_sum += kept->size;
    }
    if (list != NULL)
        closedir(list);
    return all;
}

/* So that `more` bytes fit. */
static void make_room(struct fs_layer_cache *cache, uint64_t more)
{
    size_t len;
    uint64_t sum;
    cleanup_free struct kept *all = list_kept(cache->directory, &len, &sum);
    if (all == NULL || sum + more <= cache->most)
        return;
    qsort(all, len, sizeof(*all), compare_used);
    for (size_t i = 0; i < len && sum + more > cache->most; i++) {
        unlinkat(cache->directory, all[i].hex, 0);
        sum -= all[i].size;
    }
}

static void remove_abandoned(int directory)
{
    DIR *list = open_list(directory);
    struct dirent *entry;
    struct stat st;
    while (list != NULL && (entry = readdir(list)) != NULL)
        if (strncmp(entry->d_name, coming, sizeof(coming) - 1) == 0 &&
            fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < time(NULL) - ABANDONED_S)
            unlinkat(directory, entry->d_name, 0);
    if (list != NULL)
        closedir(list);
}

/* ---- coming in ---- */

struct fs_layer_writer *fs_layer_cache_begin(struct fs_layer_cache *cache, const char *digest, uint64_t size)
{
    static unsigned long number;
    const char *hex = cache != NULL ? hex_of(digest) : NULL;
    if (hex == NULL || size > cache->most)
        return NULL;
    struct fs_layer_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return NULL;
    writer->cache = cache;
    writer->size = size;
    memcpy(writer->hex, hex, HEX + 1);
    snprintf(writer->name, sizeof(writer->name), "%s%ld.%lu", coming, (long)getpid(), ++number);
    writer->fd = openat(cache->directory, writer->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (writer->fd < 0) {
        free(writer);
        return NULL;
    }
    return writer;
}

void fs_layer_writer_add(struct fs_layer_writer *writer, const void *data, size_t len)
{
    const char *from = data;
    while (writer != NULL && !writer->failed && len > 0) {
        ssize_t n = write(writer->fd, from, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* the disk is full: others need it more */
            writer->failed = true;
            return;
        }
        from += n;
        len -= (size_t)n;
        writer->written += (uint64_t)n;
    }
}

void fs_layer_writer_keep(struct fs_layer_writer *writer)
{
    if (writer != NULL && !writer->failed && writer->written == writer->size) {
        int directory = writer->cache->directory;
        make_room(writer->cache, writer->size);
        if (renameat(directory, writer->name, directory, writer->hex) == 0)
            writer->name[0] = '\0';
    }
    fs_layer_writer_free(writer);
}

void fs_layer_writer_free(struct fs_layer_writer *writer)
{
    if (writer == NULL)
        return;
    close(writer->fd);
    if (writer->name[0] != '\0')
        unlinkat(writer->cache->directory, writer->name, 0);
    free(writer);
}
