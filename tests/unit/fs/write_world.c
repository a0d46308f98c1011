/* SPDX-License-Identifier: Apache-2.0 */
#include "write_world.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree_account.h"
#include "write_account.h"

struct world world;

void write_world_with(const struct fs_options *options)
{
    account_more = write_account_answer;
    write_account_loss = (struct write_account_loss){0};
    world_init(&world, options);
}

void write_world_setup(void)
{
    write_world_with(NULL);
}

void write_world_teardown(void)
{
    world_free(&world);
}

struct fs_inode *world_node(const char *path)
{
    int r;
    struct fs_inode *inode = world_at(&world, path, &r);
    ck_assert_msg(inode != NULL, "%s: %s", path, strerror(-r));
    return inode;
}

int world_changes(void)
{
    static const char *const operations[] = {"RegisterTaskDefinition",
                                             "DeregisterTaskDefinition",
                                             "CreateCluster",
                                             "DeleteCluster",
                                             "CreateService",
                                             "UpdateService",
                                             "DeleteService",
                                             "RunTask",
                                             "TagResource",
                                             "UntagResource"};
    int sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        sum += world_calls(&world, operations[i]);
    return sum;
}

/* ---- operations ---- */

struct fs_handle *world_open(const char *path, int flags)
{
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    struct fs_inode *inode = world_node(path);
    int r = WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, flags, &handle, &hints));
    ck_assert_msg(r == 0, "%s: %s", path, strerror(-r));
    return handle;
}

int world_write_at(struct fs_handle *handle, const char *text, off_t offset)
{
    struct fs_inode *inode = fs_handle_inode(handle);
    return WORLD_RUN(&world, inode, fs_write(world.tree, &world.rq, handle, text, strlen(text), offset));
}

int world_flush(struct fs_handle *handle)
{
    return WORLD_RUN(&world, fs_handle_inode(handle), fs_flush(world.tree, &world.rq, handle));
}

int world_fsync(struct fs_handle *handle)
{
    return WORLD_RUN(&world, fs_handle_inode(handle), fs_fsync(world.tree, &world.rq, handle));
}

int world_create(const char *directory, const char *name, const char *text, int flags)
{
    struct fs_inode *parent = world_node(directory), *inode = NULL;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    struct fs_attr attr;
    int r = WORLD_RUN(&world, parent,
                      fs_create(world.tree, &world.rq, parent, name, 0600, O_WRONLY | O_CREAT | flags, &inode,
                                &handle, &hints));
    if (r != 0)
        return r;
    r = WORLD_RUN(&world, inode, fs_getattr(world.tree, &world.rq, inode, &attr)); /* as the face does */
    ck_assert_int_eq(r, 0);
    r = *text ? world_write_at(handle, text, 0) : 0;
    int flushed = world_flush(handle);
    fs_release(world.tree, handle);
    return r ? r : flushed;
}

int world_rename(const char *from, const char *name, const char *to, const char *new_name, unsigned flags)
{
    struct fs_inode *a = world_node(from), *b = world_node(to);
    return WORLD_RUN(&world, a, fs_rename(world.tree, &world.rq, a, name, b, new_name, flags));
}

int world_unlink(const char *directory, const char *name)
{
    struct fs_inode *parent = world_node(directory);
    return WORLD_RUN(&world, parent, fs_unlink(world.tree, &world.rq, parent, name));
}

int world_mkdir(const char *directory, const char *name)
{
    struct fs_inode *parent = world_node(directory), *inode = NULL;
    int r = WORLD_RUN(
        &world, parent,
        (world.rq.pid = WORLD_MKDIR_PID, fs_mkdir(world.tree, &world.rq, parent, name, 0700, &inode)));
    ck_assert((r == 0) == (inode != NULL));
    return r;
}

int world_rmdir(const char *directory, const char *name)
{
    struct fs_inode *parent = world_node(directory);
    return WORLD_RUN(&world, parent, fs_rmdir(world.tree, &world.rq, parent, name));
}

bool world_has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *found = text; (found = strstr(found, line)); found++) {
        if ((found == text || found[-1] == '\n') && found[len] == '\n')
            return true;
    }
    return false;
}
