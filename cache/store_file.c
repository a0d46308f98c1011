/* SPDX-License-Identifier: Apache-2.0 */
#include "store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <zstd.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "hash.h"

static const char title[] = "ecsfs documents 1\n";

enum {
    TITLE_LEN = sizeof(title) - 1,
    RECORD_MAGIC = 0x43644345,
    LEVEL = 3,
    TEXT_MAX = 16 << 20,
    KEY_MAX = 4096,        /* kind, parent and id, each with its NUL */
    WINDOW = 64 << 10,     /* bytes looked at together when the file is walked */
    FILE_MAX = 512 << 20,  /* beyond that nothing more is kept */
    COMPACT_MIN = 1 << 20, /* dead bytes that are worth a rewrite */
};

/* Then the key (kind, parent and id, each with its NUL) and the packed text, absent for a removal. In the
 * machine's byte order: a cache is not carried about, and another order has another magic. */
struct record {
    uint32_t magic;
    uint32_t size;     /* of all, with this header */
    uint32_t text_len; /* unpacked; 0: the key is removed */
    uint32_t key_len;
    uint64_t sum; /* over what follows, seeded with the lengths */
};

struct slot {
    uint64_t key; /* its hash; 0: free */
    uint64_t at;  /* offset in the file; 0: removed */
};

struct store_file {
    int fd;
    bool writes;
    uint64_t end, live; /* bytes of the file, and of records in force */
    struct slot *slots;
    size_t slots_size, slots_used;
    char *dir, *name;
    ZSTD_CCtx
        *compressor; /* made with the first document, for a new one a document costs more than its work */
};

static uint64_t key_hash(const char *key, size_t len)
{
    uint64_t hash = ecs_hash(key, len, 0x657563);
    return hash ? hash : 1;
}

static uint64_t record_sum(const struct record *record, const void *rest)
{
    uint64_t seed = ((uint64_t)record->text_len << 32) ^ record->key_len ^ ((uint64_t)record->size << 13);
    return ecs_hash(rest, record->size - sizeof(*record), seed);
}

static struct slot *find_slot(const struct store_file *file, uint64_t key)
{
    if (!file->slots_size)
        return NULL;
    size_t i = (size_t)key & (file->slots_size - 1);
    while (file->slots[i].key && file->slots[i].key != key)
        i = (i + 1) & (file->slots_size - 1);
    return &file->slots[i];
}

static int index_put(struct store_file *file, uint64_t key, uint64_t at)
{
    if ((file->slots_used + 1) * 3 > file->slots_size * 2) {
        struct slot *old = file->slots;
        size_t old_size = file->slots_size, size = old_size ? old_size * 2 : 256;
        struct slot *slots = calloc(size, sizeof(*slots));
        if (!slots)
            return -ENOMEM;
        file->slots = slots;
        file->slots_size = size;
        for (size_t i = 0; i < old_size; i++)
            if (old[i].key)
                *find_slot(file, old[i].key) = old[i];
        free(old);
    }
    struct slot *slot = find_slot(file, key);
    file->slots_used += !slot->key;
    *slot = (struct slot){key, at};
    return 0;
}

static int full_pread(int fd, void *to, size_t len, uint64_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, (char *)to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

/* Whether a record can stand at that place at all. Its sum is looked at when it is read. */
static bool plausible(const struct record *record, uint64_t left)
{
    return record->magic == RECORD_MAGIC && record->size > sizeof(*record) && record->size <= left &&
           record->key_len >= 3 && record->key_len <= KEY_MAX &&
           record->key_len <= record->size - sizeof(*record) && record->text_len <= TEXT_MAX;
}

/* Read, not mapped: whoever cuts the file meanwhile would kill us with SIGBUS. */
struct window {
    int fd;
    uint64_t at;
    size_t len;
    char data[WINDOW];
};

/* Bytes of the file, at most WINDOW; NULL: it does not have them any more. */
static const char *look(struct window *window, uint64_t at, size_t len)
{
    if (at < window->at || at + len > window->at + window->len) {
        ssize_t n;
        do
            n = pread(window->fd, window->data, WINDOW, (off_t)at);
        while (n < 0 && errno == EINTR);
        window->at = at;
        window->len = n > 0 ? (size_t)n : 0;
    }
    return window->len - (size_t)(at - window->at) >= len ? window->data + (at - window->at) : NULL;
}

static uint32_t size_at(const struct store_file *file, uint64_t at)
{
    struct record record;
    return full_pread(file->fd, &record, sizeof(record), at) == 0 && plausible(&record, file->live)
               ? record.size
               : 0;
}

/* Walks the records and enters them; the end is where they stop making sense. */
static int read_index(struct store_file *file, uint64_t size)
{
    if (size == TITLE_LEN)
        return 0;
    cleanup_free struct window *window = malloc(sizeof(*window));
    if (!window)
        return -ENOMEM;
    window->fd = file->fd;
    window->at = window->len = 0;
    int r = 0;
    while (r == 0 && size - file->end >= sizeof(struct record)) {
        struct record record;
        const char *found = look(window, file->end, sizeof(record));
        if (!found)
            break;
        memcpy(&record, found, sizeof(record));
        if (!plausible(&record, size - file->end) ||
            !(found = look(window, file->end + sizeof(record), record.key_len)))
            break;
        uint64_t key = key_hash(found, record.key_len);
        struct slot *old = find_slot(file, key);
        if (old && old->key && old->at)
            file->live -= size_at(file, old->at);
        r = index_put(file, key, record.text_len ? file->end : 0);
        file->live += record.text_len ? record.size : 0;
        file->end += record.size;
    }
    return r;
}

/* Makes the directory and what is missing above it. */
static int make_dirs(const char *dir)
{
    char path[PATH_MAX];
    if (strlen(dir) >= sizeof(path))
        return -ENAMETOOLONG;
    strcpy(path, dir);
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Ours alone: documents may hold the values of environment variables. */
static int check_private(int fd, mode_t type)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    return (st.st_mode & S_IFMT) != type || st.st_uid != geteuid() || (st.st_mode & 022) ? -EPERM : 0;
}

static int open_private(const char *dir, const char *name)
{
    int r = make_dirs(dir);
    if (r < 0)
        return r;
    cleanup_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -errno;
    r = check_private(dir_fd, S_IFDIR);
    if (r < 0)
        return r;
    cleanup_close int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ELOOP ? -EPERM : -errno;
    r = check_private(fd, S_IFREG);
    if (r < 0)
        return r;
    if (fchmod(fd, 0600) < 0)
        return -errno;
    int open_fd = fd;
    fd = -1;
    return open_fd;
}

static int full_write(int fd, const void *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, (const char *)data + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

/* An empty file, or one of another version, begins anew. */
static int check_title(struct store_file *file, uint64_t *size)
{
    char head[TITLE_LEN];
    file->end = TITLE_LEN;
    if (*size >= TITLE_LEN && full_pread(file->fd, head, TITLE_LEN, 0) == 0 &&
        memcmp(head, title, TITLE_LEN) == 0)
        return 0;
    if (!file->writes)
        return -EROFS;
    if (ftruncate(file->fd, 0) < 0)
        return -errno;
    *size = TITLE_LEN;
    return full_write(file->fd, title, TITLE_LEN);
}

static char *read_record(const struct store_file *file, uint64_t at, struct record *ret_record)
{
    if (full_pread(file->fd, ret_record, sizeof(*ret_record), at) < 0 || !plausible(ret_record, FILE_MAX))
        return NULL;
    size_t len = ret_record->size - sizeof(*ret_record);
    cleanup_free char *rest = malloc(len);
    if (!rest || full_pread(file->fd, rest, len, at + sizeof(*ret_record)) < 0)
        return NULL;
    return record_sum(ret_record, rest) == ret_record->sum ? steal(rest) : NULL;
}

/* Copies the records in force to a new file that takes the old one's place. */
static int compact(struct store_file *file)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", file->dir, file->name) >= (int)sizeof(path) ||
        snprintf(temporary, sizeof(temporary), "%s/%s.new", file->dir, file->name) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    cleanup_close int fd =
        open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : full_write(fd, title, TITLE_LEN);
    uint64_t end = TITLE_LEN;
    for (size_t i = 0; i < file->slots_size && r == 0; i++) {
        struct record record;
        if (!file->slots[i].at)
            continue;
        cleanup_free char *rest = read_record(file, file->slots[i].at, &record);
        if (rest)
            r = full_write(fd, &record, sizeof(record));
        if (rest && r == 0)
            r = full_write(fd, rest, record.size - sizeof(record));
        file->slots[i].at = rest ? end : 0;
        end += rest ? record.size : 0;
    }
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0) {
        unlink(temporary);
        return r;
    }
    close(file->fd);
    file->fd = fd;
    fd = -1;
    file->end = file->live = end;
    return 0;
}

static int open_file(struct store_file *file)
{
    struct stat st;
    int r = open_private(file->dir, file->name);
    if (r < 0)
        return r;
    file->fd = r;
    file->writes = flock(file->fd, LOCK_EX | LOCK_NB) == 0;
    if (fstat(file->fd, &st) < 0)
        return -errno;
    uint64_t size = (uint64_t)st.st_size;
    r = size > FILE_MAX + 0ull ? -EFBIG : check_title(file, &size);
    if (r == 0)
        r = read_index(file, size);
    if (r < 0)
        return r;
    if (file->writes && file->end < size && ftruncate(file->fd, (off_t)file->end) < 0)
        return -errno;
    /* A rewrite that fails half-way has changed offsets: the file is then read anew next time. */
    if (file->writes && file->end - file->live > file->live + COMPACT_MIN)
        return compact(file);
    return 0;
}

int store_file_open(const char *dir, const char *name, struct store_file **ret_file)
{
    struct store_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->fd = -1;
    file->dir = strdup(dir);
    file->name = strdup(name);
    int r = file->dir && file->name ? open_file(file) : -ENOMEM;
    if (r < 0) {
        store_file_close(file);
        return r;
    }
    *ret_file = file;
    return 0;
}

struct store_file *store_file_close(struct store_file *file)
{
    if (!file)
        return NULL;
    if (file->fd >= 0)
        close(file->fd);
    ZSTD_freeCCtx(file->compressor);
    free(file->slots);
    free(file->dir);
    free(file->name);
    free(file);
    return NULL;
}

static int add_key(struct ecs_buf *buf, const char *kind, const char *parent, const char *id)
{
    ecs_buf_add(buf, kind, strlen(kind) + 1);
    ecs_buf_add(buf, parent, strlen(parent) + 1);
    return ecs_buf_add(buf, id, strlen(id) + 1);
}

static const struct slot *find_key(const struct store_file *file, const char *kind, const char *parent,
                                   const char *id, struct ecs_buf *key)
{
    if (add_key(key, kind, parent, id) < 0)
        return NULL;
    const struct slot *slot = find_slot(file, key_hash(key->data, key->len));
    return slot && slot->key && slot->at ? slot : NULL;
}

bool store_file_has(const struct store_file *file, const char *kind, const char *parent, const char *id)
{
    cleanup_buf struct ecs_buf key = ECS_BUF(KEY_MAX);
    return find_key(file, kind, parent, id, &key) != NULL;
}

char *store_file_get(struct store_file *file, const char *kind, const char *parent, const char *id,
                     size_t *ret_len)
{
    cleanup_buf struct ecs_buf key = ECS_BUF(KEY_MAX);
    struct record record;
    const struct slot *slot = find_key(file, kind, parent, id, &key);
    cleanup_free char *rest = slot ? read_record(file, slot->at, &record) : NULL;
    if (!rest || record.key_len != key.len || memcmp(rest, key.data, key.len) != 0)
        return NULL;
    cleanup_free char *text = malloc((size_t)record.text_len + 1);
    if (!text)
        return NULL;
    size_t packed = record.size - sizeof(record) - key.len;
    size_t n = ZSTD_decompress(text, record.text_len, rest + key.len, packed);
    if (n != record.text_len)
        return NULL;
    text[n] = 0;
    *ret_len = n;
    return steal(text);
}

/* One write(2) a record: whoever else reads sees it whole or not at all, or broken by its sum. */
static int append(struct store_file *file, const struct ecs_buf *key, const void *packed, size_t packed_len,
                  size_t text_len)
{
    cleanup_buf struct ecs_buf out = ECS_BUF(TEXT_MAX + 65536);
    struct record record = {
        .magic = RECORD_MAGIC,
        .size = (uint32_t)(sizeof(record) + key->len + packed_len),
        .text_len = (uint32_t)text_len,
        .key_len = (uint32_t)key->len,
    };
    if (!file->writes)
        return -EROFS;
    if (file->end + record.size > FILE_MAX)
        return -EFBIG;
    ecs_buf_add(&out, &record, sizeof(record));
    ecs_buf_add(&out, key->data, key->len);
    if (ecs_buf_add(&out, packed, packed_len) < 0)
        return out.failed;
    record.sum = record_sum(&record, out.data + sizeof(record));
    memcpy(out.data, &record, sizeof(record));
    int r = full_write(file->fd, out.data, out.len);
    if (r < 0) { /* a full disk: what was written of it goes again */
        if (ftruncate(file->fd, (off_t)file->end) < 0)
            file->writes = false;
        return r;
    }
    /* Not where the file ended for us, should somebody have cut it. */
    off_t end = lseek(file->fd, 0, SEEK_CUR);
    if (end < (off_t)record.size)
        return end < 0 ? -errno : -EIO;
    file->end = (uint64_t)end;
    return index_put(file, key_hash(key->data, key->len), text_len ? file->end - record.size : 0);
}

int store_file_put(struct store_file *file, const char *kind, const char *parent, const char *id,
                   const char *text, size_t len)
{
    cleanup_buf struct ecs_buf key = ECS_BUF(KEY_MAX);
    if (len == 0 || len > TEXT_MAX)
        return -EINVAL;
    int r = add_key(&key, kind, parent, id);
    if (r < 0)
        return r;
    size_t bound = ZSTD_compressBound(len);
    cleanup_free char *packed = malloc(bound);
    if (!packed)
        return -ENOMEM;
    if (!file->compressor && !(file->compressor = ZSTD_createCCtx()))
        return -ENOMEM;
    size_t n = ZSTD_compressCCtx(file->compressor, packed, bound, text, len, LEVEL);
    return ZSTD_isError(n) ? -ENOMEM : append(file, &key, packed, n, len);
}

int store_file_remove(struct store_file *file, const char *kind, const char *parent, const char *id)
{
    cleanup_buf struct ecs_buf key = ECS_BUF(KEY_MAX);
    if (!find_key(file, kind, parent, id, &key))
        return key.failed;
    return append(file, &key, "", 0, 0);
}

int store_file_clear(struct store_file *file)
{
    free(steal(file->slots));
    file->slots_size = file->slots_used = 0;
    if (!file->writes)
        return -EROFS;
    file->live = 0;
    file->end = TITLE_LEN;
    return ftruncate(file->fd, TITLE_LEN) < 0 ? -errno : 0;
}
