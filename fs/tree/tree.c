/* SPDX-License-Identifier: Apache-2.0 */
/* The tree's life, and the end of every request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "images/layer_cache.h"
#include "images/public_registry.h"
#include "tree_private.h"

static int copy_text(const char **text)
{
    if (*text == NULL)
        return 0;
    *text = strdup(*text);
    return *text != NULL ? 0 : -ENOMEM;
}

static int copy_options(struct fs_tree *tree, const struct fs_options *options)
{
    tree->options = *options;
    int r = copy_text(&tree->options.source);
    r |= copy_text(&tree->options.options);
    r |= copy_text(&tree->options.journal_file);
    r |= copy_text(&tree->options.layer_dir);
    return r < 0 ? -ENOMEM : 0;
}

static int init(struct fs_tree *tree, const struct fs_options *options)
{
    int r = copy_options(tree, options);
    if (r < 0)
        return r;
    tree->clock = options->clock != NULL ? options->clock : &ecs_system_clock;
    tree->started_ms = fs_wall_ms(tree);
    tree->epoch = 1;
    tree->journal = fs_journal_new(options->journal_file);
    if (tree->journal == NULL)
        return -errno;
    if (options->layer_dir != NULL && options->layer_bytes > 0)
        tree->layers = fs_layer_cache_new(options->layer_dir, options->layer_bytes); /* or it does without */
    tree->errors = fs_errors_new();
    tree->absent = fs_absent_new();
    tree->times = fs_times_new();
    r = fs_inodes_init(tree);
    if (r < 0 || tree->errors == NULL || tree->absent == NULL || tree->times == NULL)
        return -ENOMEM;
    tree->overlay = fs_overlay_new(tree);
    return tree->overlay != NULL ? 0 : -ENOMEM;
}

struct fs_tree *fs_tree_new(const struct fs_options *options, const struct fs_kernel *kernel)
{
    struct fs_tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL)
        return NULL;
    tree->kernel = *kernel;
    int r = init(tree, options);
    if (r == 0)
        return tree;
    fs_tree_free(tree);
    errno = -r;
    return NULL;
}

void fs_tree_start(struct fs_tree *tree, struct ecs_cache *cache, struct ecs_backend *backend)
{
    tree->cache = cache;
    tree->backend = backend;
}

struct fs_tree *fs_tree_free(struct fs_tree *tree)
{
    if (tree == NULL)
        return NULL;
    fs_late_abandon(tree);
    fs_outcomes_abandon(tree);
    fs_sleep_free(tree);
    tree->open_registry = fs_public_free(tree->open_registry);
    tree->overlay = fs_overlay_free(tree->overlay);
    fs_inodes_free(tree);
    fs_layer_cache_free(tree->layers);
    fs_times_free(tree->times);
    fs_absent_free(tree->absent);
    fs_errors_free(tree->errors);
    fs_journal_free(tree->journal);
    free((char *)tree->options.source);
    free((char *)tree->options.options);
    free((char *)tree->options.journal_file);
    free((char *)tree->options.layer_dir);
    free(tree);
    return NULL;
}

static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

int fs_tree_timeout_ms(struct fs_tree *tree)
{
    return sooner(fs_sleep_timeout_ms(tree), fs_overlay_timeout_ms(tree));
}

void fs_tree_tick(struct fs_tree *tree)
{
    fs_sleep_tick(tree);
    fs_overlay_tick(tree);
}

/* What is not AWS's or a person's failure: names that are not there, and our own plumbing. */
static bool worth_recording(const struct fs_request *rq, int r, const struct ecs_error **ret_error)
{
    const struct fs_progress *progress = rq->progress;
    *ret_error = progress != NULL ? progress->error : NULL;
    if (*ret_error != NULL)
        return true;
    *ret_error = rq->want.error;
    return *ret_error != NULL && r != -ENOENT && r != -EINTR && r != -ENOMEM;
}

static void record(struct fs_tree *tree, const struct fs_request *rq, const struct fs_inode *inode, int r)
{
    const struct ecs_error *error;
    bool failed = r < 0 && worth_recording(rq, r, &error);
    bool succeeded = r >= 0 && rq->progress != NULL && rq->progress->succeeded;
    if (!failed && !succeeded)
        return;
    cleanup_buf struct ecs_buf path = ECS_BUF(8192);
    const char *name = rq->progress != NULL ? rq->progress->name : NULL;
    if (fs_inode_path(inode, name, &path) < 0)
        return;
    if (succeeded)
        fs_errors_clear(tree, path.data);
    else
        fs_errors_record(tree, path.data, error, rq->progress != NULL && rq->progress->error != NULL);
}

static int fold(int r)
{
    return r == -EKEYEXPIRED || r == -EKEYREJECTED || r == -ENOKEY ? -EACCES : r;
}

int fs_request_end(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int r)
{
    record(tree, rq, inode != NULL ? inode : tree->root, r);
    rq->want.error = NULL;
    fs_progress_free(rq);
    return tree->options.posix_errno ? fold(r) : r;
}

void fs_request_interrupt(struct fs_tree *tree, struct fs_request *rq)
{
    fs_sleep_cancel(tree, rq);
    if (tree->cache != NULL)
        ecs_cache_unpark(tree->cache, &rq->want);
    rq->want.error = NULL;
    fs_progress_free(rq);
}
