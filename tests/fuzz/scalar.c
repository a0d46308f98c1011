/* SPDX-License-Identifier: Apache-2.0 */
/* What is written to scalars: the first byte chooses the file, a 0xff byte ends a write, the rest is
 * written. The tree is on dry_run and has no cache: a value that is taken shows in the journal only. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "target.h"
#include "tree/tree_private.h"

static const char *const paths[] = {
    "clusters/prod/services/web/desired-count",        "clusters/prod/services/web/task-definition",
    "clusters/prod/services/web/force-new-deployment", "clusters/prod/tasks/0123/stop",
    "clusters/prod/container-instances/0123/status",   ".ecsfs/refresh",
};

static void ignore_inode(void *arg, uint64_t ino, bool attr_only) {}
static void ignore_entry(void *arg, uint64_t parent, const char *name) {}

static struct fs_inode *find(struct fs_tree *tree, const char *path)
{
    char copy[128], *save = NULL;
    struct fs_inode *inode = tree->root;
    strcpy(copy, path);
    for (char *name = strtok_r(copy, "/", &save); name != NULL; name = strtok_r(NULL, "/", &save)) {
        const struct fs_node *row;
        char *id;
        if (fs_row_find(tree, inode, name, &row, &id) != 0)
            abort();
        inode = fs_inode_child(tree, inode, row, name, id);
        free(id);
        if (inode == NULL)
            abort();
    }
    return inode;
}

static struct fs_request begin(void)
{
    return (struct fs_request){.want = {.since_ms = 1}, .pid = 7};
}

/* The journal's numbers must be ones that UpdateService takes. */
static void check_journal(struct fs_tree *tree)
{
    struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    fs_journal_show(tree->journal, &text);
    const char *at = text.data;
    while (at != NULL && (at = strstr(at, "desiredCount=")) != NULL) {
        at += strlen("desiredCount=");
        char *end;
        long long count = strtoll(at, &end, 10);
        if (!isdigit((unsigned char)*at) || count < 0 || count > INT32_MAX || *end != ':')
            abort();
    }
    ecs_buf_free(&text);
}

static void write_all(struct fs_tree *tree, struct fs_handle *handle, const char *data, size_t size)
{
    off_t offset = 0;
    while (size > 0) {
        const char *end = memchr(data, 0xff, size);
        size_t len = end != NULL ? (size_t)(end - data) : size;
        struct fs_request rq = begin();
        int r = len > 0 ? fs_write(tree, &rq, handle, data, len, offset) : 0;
        if (r > 0)
            abort(); /* nothing here has to wait */
        fs_request_end(tree, &rq, fs_handle_inode(handle), r);
        offset += (off_t)len;
        len += end != NULL;
        data += len;
        size -= len;
    }
    struct fs_request rq = begin();
    fs_request_end(tree, &rq, fs_handle_inode(handle), fs_flush(tree, &rq, handle));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct fs_options options = {.source = "fuzz", .options = "", .dry_run = true};
    struct fs_kernel kernel = {ignore_inode, ignore_entry, NULL};
    struct fs_tree *tree = fs_tree_new(&options, &kernel);
    if (tree == NULL)
        return 0;
    struct fs_inode *inode = find(tree, paths[data[0] % ARRAY_LEN(paths)]);
    struct fs_request rq = begin();
    struct fs_handle *handle;
    struct fs_open_hints hints;
    if (fs_open(tree, &rq, inode, O_WRONLY | O_TRUNC, &handle, &hints) != 0)
        abort();
    write_all(tree, handle, (const char *)data + 1, size - 1);
    fs_release(tree, handle);
    if (data[0] % ARRAY_LEN(paths) == 0)
        check_journal(tree);
    fs_tree_free(tree);
    return 0;
}
