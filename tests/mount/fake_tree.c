/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of a few files that behave in every way the face must stand, for testing the face alone:
 *
 *     hello        "hello", for ever
 *     slow         opening it takes 300 ms
 *     never        opening it waits for ever; ever: with patience (no deadline)
 *     value        write a name: after 50 ms it is what `mirror` says and a name in names/ (the one
 *                  before goes); the kernel believes both for ever, unless it is told. A thousand
 *                  other notices go before
 *     mirror
 *     names/       one name, that of value; a lookup of hang-ANY waits for ever
 *     hang/ANY     a lookup that waits for ever
 *     made/        mkdir in it takes 100 ms and tells of names in made/ and names/
 *     many/        a thousand files
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../fs/tree/tree.h"
#include "ecsfs/cleanup.h"

enum ino { ROOT = 1, HELLO, SLOW, NEVER, EVER, VALUE, MIRROR, NAMES, HANG, MADE, MANY, NAMED, MANY0 = 1000 };
enum { MANY_LEN = 1000, MADE0 = 100000, NAME_MOST = 64, TEXT_MOST = 80 };

struct fs_inode {
    uint64_t ino;
};

struct fs_handle {
    struct fs_inode inode;
    char text[TEXT_MOST];
};

/* A request that sleeps; its progress. */
struct fs_progress {
    struct fs_progress *next;
    struct fs_request *rq;
    int64_t at_ms;
    bool woken;
};

struct fs_tree {
    struct fs_kernel kernel;
    const struct ecs_clock *clock;
    struct fs_progress *sleepers;
    char value[NAME_MOST + 1];
    bool told_write; /* in the log, once */
    char made[100][NAME_MOST + 1];
    size_t made_len;
    long remembered;
    struct fs_inode inodes[MANY0 + MANY_LEN], made_inodes[100];
};

static const struct {
    const char *name;
    uint64_t ino;
    mode_t mode;
} rows[] = {
    {"hello", HELLO, S_IFREG | 0400}, {"slow", SLOW, S_IFREG | 0400},   {"never", NEVER, S_IFREG | 0400},
    {"ever", EVER, S_IFREG | 0400},   {"value", VALUE, S_IFREG | 0600}, {"mirror", MIRROR, S_IFREG | 0400},
    {"names", NAMES, S_IFDIR | 0700}, {"hang", HANG, S_IFDIR | 0700},   {"made", MADE, S_IFDIR | 0700},
    {"many", MANY, S_IFDIR | 0700},
};

struct fs_tree *fs_tree_new(const struct fs_options *options, const struct fs_kernel *kernel)
{
    struct fs_tree *tree = calloc(1, sizeof(*tree));
    tree->kernel = *kernel;
    tree->clock = options->clock;
    strcpy(tree->value, "one");
    for (size_t i = 0; i < ARRAY_LEN(tree->inodes); i++)
        tree->inodes[i].ino = i;
    for (size_t i = 0; i < ARRAY_LEN(tree->made_inodes); i++)
        tree->made_inodes[i].ino = MADE0 + i;
    return tree;
}

struct fs_tree *fs_tree_free(struct fs_tree *tree)
{
    if (tree->sleepers != NULL)
        fprintf(stderr, "fake tree: requests were left asleep\n");
    free(tree);
    return NULL;
}

static int64_t now_ms(struct fs_tree *tree)
{
    return tree->clock->now_ms(tree->clock);
}

/* FS_PARKED until that much time has passed since the request began; -1: for ever. */
static int sleep_for(struct fs_tree *tree, struct fs_request *rq, int64_t ms)
{
    if (rq->peek)
        return FS_PARKED;
    if (rq->progress == NULL) {
        struct fs_progress *sleeper = calloc(1, sizeof(*sleeper));
        *sleeper = (struct fs_progress){tree->sleepers, rq, ms < 0 ? INT64_MAX : now_ms(tree) + ms, false};
        tree->sleepers = rq->progress = sleeper;
    }
    return rq->progress->woken ? 0 : FS_PARKED;
}

static void end_sleep(struct fs_tree *tree, struct fs_request *rq)
{
    for (struct fs_progress **link = &tree->sleepers; *link; link = &(*link)->next)
        if (*link == rq->progress) {
            *link = rq->progress->next;
            break;
        }
    free(rq->progress);
    rq->progress = NULL;
}

int fs_tree_timeout_ms(struct fs_tree *tree)
{
    int64_t soonest = INT64_MAX;
    for (struct fs_progress *sleeper = tree->sleepers; sleeper; sleeper = sleeper->next)
        if (!sleeper->woken && sleeper->at_ms < soonest)
            soonest = sleeper->at_ms;
    if (soonest == INT64_MAX)
        return -1;
    return soonest <= now_ms(tree) ? 0 : (int)(soonest - now_ms(tree));
}

void fs_tree_tick(struct fs_tree *tree)
{
    for (struct fs_progress *sleeper = tree->sleepers; sleeper; sleeper = sleeper->next)
        if (!sleeper->woken && sleeper->at_ms <= now_ms(tree)) {
            sleeper->woken = true;
            sleeper->rq->want.wake(&sleeper->rq->want);
        }
}

int fs_request_end(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int r)
{
    end_sleep(tree, rq);
    return -r;
}

void fs_request_interrupt(struct fs_tree *tree, struct fs_request *rq)
{
    end_sleep(tree, rq);
}

struct fs_inode *fs_inode_find(struct fs_tree *tree, uint64_t ino)
{
    if (ino >= MADE0 && ino - MADE0 < tree->made_len)
        return &tree->made_inodes[ino - MADE0];
    return ino < ARRAY_LEN(tree->inodes) ? &tree->inodes[ino] : NULL;
}

uint64_t fs_inode_number(const struct fs_inode *inode)
{
    return inode->ino;
}

uint64_t fs_child_number(struct fs_tree *tree, uint64_t parent, const char *name)
{
    return 0; /* no directory of its goes away */
}

void fs_remember(struct fs_tree *tree, struct fs_inode *inode)
{
    tree->remembered++;
}

void fs_forget(struct fs_tree *tree, uint64_t ino, uint64_t nlookup)
{
    tree->remembered -= (long)nlookup;
}

static int found(struct fs_tree *tree, uint64_t ino, struct fs_inode **ret_inode, int64_t *ret_valid)
{
    *ret_inode = fs_inode_find(tree, ino);
    *ret_valid = INT64_MAX;
    return 0;
}

int fs_lookup(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
              struct fs_inode **ret_inode, int64_t *ret_valid)
{
    int n;
    if (parent->ino == ROOT) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (strcmp(name, rows[i].name) == 0)
                return found(tree, rows[i].ino, ret_inode, ret_valid);
    } else if (parent->ino == HANG || (parent->ino == NAMES && strncmp(name, "hang-", 5) == 0)) {
        return sleep_for(tree, rq, -1);
    } else if (parent->ino == NAMES && strcmp(name, tree->value) == 0) {
        return found(tree, NAMED, ret_inode, ret_valid);
    } else if (parent->ino == MADE) {
        for (size_t i = 0; i < tree->made_len; i++)
            if (strcmp(tree->made[i], name) == 0)
                return found(tree, MADE0 + i, ret_inode, ret_valid);
    } else if (parent->ino == MANY && sscanf(name, "file-%d", &n) == 1 && n >= 0 && n < MANY_LEN) {
        return found(tree, (uint64_t)(MANY0 + n), ret_inode, ret_valid);
    }
    *ret_valid = INT64_MAX;
    return -ENOENT;
}

static void text_of(struct fs_tree *tree, uint64_t ino, char text[TEXT_MOST])
{
    if (ino == VALUE || ino == MIRROR)
        snprintf(text, TEXT_MOST, "%s\n", tree->value);
    else if (ino == HELLO || ino == SLOW)
        snprintf(text, TEXT_MOST, "hello\n");
    else if (ino >= MANY0 && ino < MANY0 + MANY_LEN)
        snprintf(text, TEXT_MOST, "%d\n", (int)(ino - MANY0));
    else
        text[0] = '\0';
}

int fs_getattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_attr *attr)
{
    char text[TEXT_MOST];
    mode_t mode = inode->ino == ROOT || inode->ino >= MADE0 ? S_IFDIR | 0700 : S_IFREG | 0400;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].ino == inode->ino)
            mode = rows[i].mode;
    text_of(tree, inode->ino, text);
    *attr = (struct fs_attr){.valid_ms = INT64_MAX};
    attr->st = (struct stat){.st_ino = inode->ino,
                             .st_mode = mode,
                             .st_nlink = 1,
                             .st_uid = getuid(),
                             .st_gid = getgid(),
                             .st_size = (off_t)strlen(text)};
    return 0;
}

int fs_getxattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, const char *name,
                struct ecs_buf *value)
{
    return strcmp(name, "user.ecsfs.error") == 0 ? ecs_buf_adds(value, "none") : -ENODATA;
}

int fs_listxattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct ecs_buf *names)
{
    return ecs_buf_add(names, "user.ecsfs.error", sizeof("user.ecsfs.error"));
}

int fs_readlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct ecs_buf *target)
{
    return -EINVAL;
}

int fs_access(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int mask)
{
    return 0;
}

static void add_entry(struct fs_dir *dir, char **at, const char *name, mode_t type, uint64_t ino)
{
    dir->entries[dir->len++] = (struct fs_dirent){*at, type & S_IFMT, ino};
    *at = stpcpy(*at, name) + 1;
}

int fs_readdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_dir **ret_dir)
{
    struct fs_dir *dir = calloc(1, sizeof(*dir));
    char name[32];
    dir->entries = calloc(MANY_LEN, sizeof(*dir->entries));
    char *at = dir->names = calloc(MANY_LEN, NAME_MOST + 1);
    if (inode->ino == ROOT)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            add_entry(dir, &at, rows[i].name, rows[i].mode, rows[i].ino);
    if (inode->ino == NAMES)
        add_entry(dir, &at, tree->value, S_IFREG, NAMED);
    if (inode->ino == MADE)
        for (size_t i = 0; i < tree->made_len; i++)
            add_entry(dir, &at, tree->made[i], S_IFDIR, MADE0 + i);
    for (int i = 0; inode->ino == MANY && i < MANY_LEN; i++) {
        snprintf(name, sizeof(name), "file-%d", i);
        add_entry(dir, &at, name, S_IFREG, (uint64_t)(MANY0 + i));
    }
    *ret_dir = dir;
    return 0;
}

struct fs_dir *fs_dir_free(struct fs_dir *dir)
{
    free(dir->entries);
    free(dir->names);
    free(dir);
    return NULL;
}

int fs_open(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int flags,
            struct fs_handle **ret_handle, struct fs_open_hints *hints)
{
    int r = 0;
    rq->patient = inode->ino == EVER;
    if (inode->ino == SLOW)
        r = sleep_for(tree, rq, 300);
    if (inode->ino == NEVER || inode->ino == EVER)
        r = sleep_for(tree, rq, -1);
    if (r != 0)
        return r;
    struct fs_handle *handle = calloc(1, sizeof(*handle));
    handle->inode = *inode;
    text_of(tree, inode->ino, handle->text);
    *hints = (struct fs_open_hints){.keep_cache = true, .direct_io = inode->ino == VALUE};
    hints->no_flush = inode->ino != VALUE;
    *ret_handle = handle;
    return 0;
}

int fs_read(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle, size_t size, off_t offset,
            const char **ret_data, size_t *ret_len)
{
    size_t len = strlen(handle->text), at = offset < (off_t)len ? (size_t)offset : len;
    *ret_data = handle->text + at;
    *ret_len = len - at < size ? len - at : size;
    return 0;
}

int fs_write(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle, const char *data,
             size_t len, off_t offset)
{
    if (handle->inode.ino != VALUE || len == 0 || len > NAME_MOST)
        return -EINVAL;
    if (!tree->told_write) {
        tree->told_write = true;
        fputs("ecsfs-fake: a write to value is under way\n", stderr);
    }
    int r = sleep_for(tree, rq, 50);
    if (r != 0)
        return r;
    tree->kernel.inval_entry(tree->kernel.arg, NAMES, tree->value);
    memcpy(tree->value, data, len);
    tree->value[data[len - 1] == '\n' ? len - 1 : len] = '\0';
    tree->kernel.inval_entry(tree->kernel.arg, NAMES, tree->value);
    for (int i = 0; i < MANY_LEN; i++)
        tree->kernel.inval_inode(tree->kernel.arg, (uint64_t)(MANY0 + i), false);
    tree->kernel.inval_inode(tree->kernel.arg, MIRROR, false);
    tree->kernel.inval_inode(tree->kernel.arg, NAMES, false);
    return 0;
}

int fs_flush(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle)
{
    return 0;
}

int fs_fsync(struct fs_tree *tree, struct fs_request *rq, struct fs_handle *handle)
{
    return 0;
}

void fs_release(struct fs_tree *tree, struct fs_handle *handle)
{
    free(handle);
}

int fs_truncate(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_handle *handle,
                off_t size)
{
    return 0;
}

int fs_setattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode)
{
    return 0;
}

int fs_create(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
              mode_t mode, int flags, struct fs_inode **ret_inode, struct fs_handle **ret_handle,
              struct fs_open_hints *hints)
{
    return -EPERM;
}

int fs_mkdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
             mode_t mode, struct fs_inode **ret_inode)
{
    if (parent->ino != MADE || tree->made_len == ARRAY_LEN(tree->made) || strlen(name) > NAME_MOST)
        return -EPERM;
    int r = sleep_for(tree, rq, 100);
    if (r != 0)
        return r;
    strcpy(tree->made[tree->made_len], name);
    *ret_inode = &tree->made_inodes[tree->made_len++];
    tree->kernel.inval_entry(tree->kernel.arg, MADE, name);
    tree->kernel.inval_entry(tree->kernel.arg, MADE, "another");
    tree->kernel.inval_entry(tree->kernel.arg, NAMES, "another");
    tree->kernel.inval_inode(tree->kernel.arg, MADE, false);
    return 0;
}

int fs_symlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
               const char *target, struct fs_inode **ret_inode)
{
    return -EPERM;
}

int fs_unlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name)
{
    return -EPERM;
}

int fs_rmdir(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name)
{
    return -EPERM;
}

int fs_rename(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *from, const char *name,
              struct fs_inode *to, const char *new_name, unsigned flags)
{
    return -EPERM;
}
