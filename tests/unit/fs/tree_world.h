/* SPDX-License-Identifier: Apache-2.0 */
/* A tree over a small made-up account, without a mount and without threads: calls are answered when the
 * test's operation waits for them, and counted. */
#ifndef TEST_TREE_WORLD_H
#define TEST_TREE_WORLD_H

#include <jansson.h>

#include "ecsfs/backend.h"
#include "ecsfs/cache.h"
#include "ecsfs/clock.h"
#include "tree/tree.h"

enum { WORLD_CALLS = 65536, WORLD_TEXT = 262144 };

struct world {
    struct ecs_backend backend; /* first */
    struct ecs_manual_clock clock;
    struct fs_tree *tree;
    struct ecs_cache *cache;
    json_t *account; /* {"clusters": {name: {...}}, "families": {name: [document, ...]}} */
    struct ecs_call *queue[WORLD_CALLS];
    size_t queued;
    json_t *counts; /* operation -> how often */
    json_t *last;   /* operation -> its last input */
    bool hung;      /* answers nothing */
    /* The next call of this operation fails so (once). */
    const char *fail_operation, *fail_code, *fail_message;
    int fail_status;
    char told[65536]; /* what the kernel was told: "inode /clusters/prod\n", "entry /clusters/prod web\n" */
    bool woken;
    struct fs_request rq;
};

/* One cluster "prod" with services web (3 tasks) and api, families web (1 to 3) and api, an instance. */
void world_init(struct world *world, const struct fs_options *options);
void world_free(struct world *world);
void world_step(struct world *world, int64_t by_ms);
/* Calls made in all, or of one operation. */
int world_calls(const struct world *world, const char *operation);
void world_forget_counts(struct world *world);
json_t *world_service(struct world *world, const char *name);
json_t *world_task(struct world *world, const char *id);

/* Operations on paths, run to their end. 0 or -errno (-EBUSY: it waits and nothing answers). */
struct fs_inode *world_at(struct world *world, const char *path, int *ret_error);
int world_lookup(struct world *world, const char *path);
/* The text of a file in a static buffer, NULL with errno set. */
const char *world_cat(struct world *world, const char *path);
int world_write(struct world *world, const char *path, const char *text);
/* Names, sorted, one a line. */
const char *world_ls(struct world *world, const char *path);
int world_stat(struct world *world, const char *path, struct fs_attr *ret_attr);
const char *world_readlink(struct world *world, const char *path);
const char *world_xattr(struct world *world, const char *path, const char *name);
/* Lookup and getattr of every listed name below, as find does; how many files and directories. */
int world_walk(struct world *world, const char *path, bool read);

/* Begins a request; answers what it waits for; true when it should be run again. */
void world_begin(struct world *world);
bool world_again(struct world *world, int r);
int world_end(struct world *world, struct fs_inode *inode, int r);

/* Called when the tree's own code is entered and left, when set (allocations that fail): whether it was in.
 */
extern bool (*world_guard)(bool in);
bool world_enter(bool in);

#define WORLD_RUN(world, inode, expression)     \
    ({                                          \
        int run_r_;                             \
        world_begin(world);                     \
        do {                                    \
            world_enter(true);                  \
            run_r_ = (expression);              \
            world_enter(false);                 \
        } while (world_again((world), run_r_)); \
        world_end((world), (inode), run_r_);    \
    })

#endif
