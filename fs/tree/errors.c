/* SPDX-License-Identifier: Apache-2.0 */
/* The last failures, for .ecsfs/errors and the xattr user.ecsfs.error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "show.h"
#include "tree_private.h"

enum { KEPT = 256, AGAIN_MS = 60000 };

struct failure {
    int64_t wall_ms; /* to be shown */
    int64_t ms;      /* monotonic */
    char *path;      /* NULL: an empty slot */
    struct ecs_error *error;
    bool cleared; /* a later write of the path succeeded */
};

struct fs_errors {
    struct failure ring[KEPT];
    size_t at; /* the oldest; the next to be overwritten */
};

static void empty(struct failure *failure)
{
    free(failure->path);
    ecs_error_unref(failure->error);
    *failure = (struct failure){0};
}

struct fs_errors *fs_errors_new(void)
{
    return calloc(1, sizeof(struct fs_errors));
}

struct fs_errors *fs_errors_free(struct fs_errors *errors)
{
    for (size_t i = 0; errors != NULL && i < KEPT; i++)
        empty(&errors->ring[i]);
    free(errors);
    return NULL;
}

/* A walk meets the same failure again and again: it is told once in a while, so that the failures of writes
 * are not pushed out. */
static bool told_lately(const struct fs_errors *errors, const char *path, const struct ecs_error *error,
                        int64_t now_ms)
{
    for (size_t i = 0; i < KEPT; i++) {
        const struct failure *failure = &errors->ring[i];
        if (failure->path != NULL && !failure->cleared && now_ms - failure->ms < AGAIN_MS &&
            strcmp(failure->path, path) == 0 && strcmp(failure->error->code, error->code) == 0 &&
            strcmp(failure->error->message, error->message) == 0)
            return true;
    }
    return false;
}

void fs_errors_record(struct fs_tree *tree, const char *path, const struct ecs_error *error, bool writing)
{
    struct fs_errors *errors = tree->errors;
    if (!writing && told_lately(errors, path, error, fs_now_ms(tree)))
        return;
    struct failure *failure = &errors->ring[errors->at];
    empty(failure);
    failure->path = strdup(path);
    if (failure->path == NULL)
        return;
    failure->wall_ms = fs_wall_ms(tree);
    failure->ms = fs_now_ms(tree);
    failure->error = ecs_error_ref((struct ecs_error *)error);
    errors->at = (errors->at + 1) % KEPT;
    tree->epoch++;
    fs_tell_own(tree, "errors");
}

void fs_errors_clear(struct fs_tree *tree, const char *path)
{
    for (size_t i = 0; i < KEPT; i++) {
        struct failure *failure = &tree->errors->ring[i];
        if (failure->path != NULL && strcmp(failure->path, path) == 0)
            failure->cleared = true;
    }
}

const struct ecs_error *fs_errors_last(const struct fs_tree *tree, const char *path)
{
    const struct fs_errors *errors = tree->errors;
    for (size_t i = 1; i <= KEPT; i++) {
        const struct failure *failure = &errors->ring[(errors->at + KEPT - i) % KEPT];
        if (failure->path != NULL && strcmp(failure->path, path) == 0)
            return failure->cleared ? NULL : failure->error;
    }
    return NULL;
}

/* 2026-11-23T18:20:00Z /clusters/prod/services/web/desired-count UpdateService ServiceNotFoundException:
 * Service not found. (request 0a1b) */
static void add_failure(const struct failure *failure, struct ecs_buf *text)
{
    char when[ECS_TIME_TEXT];
    const struct ecs_error *error = failure->error;
    ecs_buf_addf(text, "%s ", ecs_time_format(failure->wall_ms, when));
    fs_add_safe(text, failure->path);
    if (error->operation[0] != '\0')
        ecs_buf_addf(text, " %s", error->operation);
    ecs_buf_addf(text, " %s: %s", error->code, error->message);
    if (error->request_id[0] != '\0')
        ecs_buf_addf(text, " (request %s)", error->request_id);
    ecs_buf_adds(text, "\n");
}

int fs_errors_show(const struct fs_tree *tree, struct ecs_buf *text)
{
    for (size_t i = 0; i < KEPT; i++) {
        const struct failure *failure = &tree->errors->ring[(tree->errors->at + i) % KEPT];
        if (failure->path != NULL)
            add_failure(failure, text);
    }
    return text->failed;
}
