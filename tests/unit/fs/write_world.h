/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up account with answers to all that changes it, and the operations that change names. */
#ifndef TEST_WRITE_WORLD_H
#define TEST_WRITE_WORLD_H

#include <stdbool.h>

#include "tree_world.h"

#define FAMILY "/task-definitions/web"
#define LATEST FAMILY "/latest.json"
#define SERVICES "/clusters/prod/services"
#define GOOD "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"example/app:9\"}]}\n"
#define BETTER "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"example/app:10\"}]}\n"
#define REFUSED "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"refused\"}]}\n"

extern struct world world;

void write_world_with(const struct fs_options *options);
void write_world_setup(void);
void write_world_teardown(void);
struct fs_inode *world_node(const char *path);
int world_changes(void);
struct fs_handle *world_open(const char *path, int flags);
int world_write_at(struct fs_handle *handle, const char *text, off_t offset);
int world_flush(struct fs_handle *handle);
int world_fsync(struct fs_handle *handle);
int world_create(const char *directory, const char *name, const char *text, int flags);
int world_rename(const char *from, const char *name, const char *to, const char *new_name, unsigned flags);
int world_unlink(const char *directory, const char *name);
enum { WORLD_MKDIR_PID = 4343 }; /* mkdir(1) is a process of its own */
int world_mkdir(const char *directory, const char *name);
int world_rmdir(const char *directory, const char *name);
bool world_has_line(const char *text, const char *line);

#endif
