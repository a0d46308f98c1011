/* SPDX-License-Identifier: Apache-2.0 */
/* Changing things at AWS: the one way through which every changing call of the tree goes, so that
 * `ro`, `dry_run` and the journal hold for all of them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree_private.h"

/* A call under way, to be journaled whoever still waits for it. Stands in the action's place for its
 * arg and callbacks. */
struct fs_outcome {
    struct fs_tree *tree; /* NULL: the tree is gone */
    uid_t uid;
    pid_t pid;
    char *path, *arguments;
    const char *operation;
    void *arg;
    void (*finished)(struct ecs_action *action, const struct ecs_error *error);
    bool (*happened)(const struct ecs_action *action, const struct ecs_doc *now);
    struct fs_outcome *next, **prev;
};

struct fs_progress *fs_progress(struct fs_request *rq)
{
    if (rq->progress == NULL)
        rq->progress = calloc(1, sizeof(*rq->progress));
    return rq->progress;
}

void fs_progress_free(struct fs_request *rq)
{
    struct fs_progress *progress = rq->progress;
    if (progress == NULL)
        return;
    rq->progress = NULL;
    ecs_action_unhold(progress->action);
    ecs_error_unref(progress->error);
    if (progress->memory_free != NULL)
        progress->memory_free(progress->memory);
    free(progress->name);
    free(progress->line);
    free(progress);
}

int fs_fail(struct fs_request *rq, int err, const char *code, const char *format, ...)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress == NULL)
        return -ENOMEM;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ecs_error_unref(progress->error);
    progress->error = ecs_error_new(err, code, "%s", text);
    return err;
}

int fs_may_change(struct fs_view *view)
{
    return view->tree->options.ro && (view->node->flags & FS_LOCAL) == 0 ? -EROFS : 0;
}

static void free_outcome(struct fs_outcome *outcome)
{
    if (outcome->prev != NULL) {
        *outcome->prev = outcome->next;
        if (outcome->next != NULL)
            outcome->next->prev = outcome->prev;
    }
    free(outcome->path);
    free(outcome->arguments);
    free(outcome);
}

static void add_row(const struct fs_outcome *outcome, const struct ecs_error *error, const char *note)
{
    struct fs_tree *tree = outcome->tree;
    struct fs_journal_row row = {.wall_ms = fs_wall_ms(tree),
                                 .uid = outcome->uid,
                                 .pid = outcome->pid,
                                 .path = outcome->path,
                                 .operation = outcome->operation,
                                 .arguments = outcome->arguments,
                                 .error = error,
                                 .note = note};
    fs_journal_add(tree->journal, &row);
}

static void journal(const struct fs_outcome *outcome, const struct ecs_error *error, const char *note)
{
    add_row(outcome, error, note);
    outcome->tree->epoch++;
    fs_tell_own(outcome->tree, "journal");
}

/* "ok web:12": AWS numbers what is registered. */
static const char *registered(const struct ecs_action *action, struct ecs_buf *text)
{
    const char *revision = action->key.kind == ECS_REVISION && action->doc != NULL
                               ? ecs_doc_field(action->doc, "revision")
                               : NULL;
    if (revision == NULL || strcmp(action->call.operation, "RegisterTaskDefinition") != 0)
        return NULL;
    ecs_buf_addf(text, "ok %s:%s", action->key.parent, revision);
    return text->failed ? NULL : text->data;
}

static void on_finished(struct ecs_action *action, const struct ecs_error *error)
{
    cleanup_buf struct ecs_buf note = ECS_BUF(1024);
    struct fs_outcome *outcome = action->arg;
    action->arg = outcome->arg;
    action->finished = outcome->finished;
    action->happened = outcome->happened;
    if (outcome->tree != NULL)
        journal(outcome, error, registered(action, &note));
    if (outcome->tree != NULL && action->finished != NULL)
        action->finished(action, error);
    free_outcome(outcome);
}

static bool on_happened(const struct ecs_action *action, const struct ecs_doc *now)
{
    struct fs_outcome *outcome = action->arg;
    struct ecs_action seen = *action;
    seen.arg = outcome->arg;
    return outcome->happened(&seen, now);
}

static struct fs_outcome *new_outcome(struct fs_view *view, const struct ecs_action *action)
{
    struct fs_outcome *outcome = calloc(1, sizeof(*outcome));
    if (outcome == NULL)
        return NULL;
    cleanup_buf struct ecs_buf path = ECS_BUF(8192);
    cleanup_buf struct ecs_buf arguments = ECS_BUF(4096);
    const struct fs_progress *progress = view->rq->progress;
    if (view->inode != NULL)
        fs_inode_path(view->inode, progress != NULL ? progress->name : NULL, &path);
    else
        fs_inode_path(view->parent, view->name, &path); /* what is about to come or go */
    fs_journal_arguments(action->call.operation, action->call.body, &arguments);
    outcome->tree = view->tree;
    outcome->uid = view->rq->uid;
    outcome->pid = view->rq->pid;
    outcome->operation = action->call.operation;
    outcome->path = ecs_buf_steal(&path, NULL);
    outcome->arguments = ecs_buf_steal(&arguments, NULL);
    outcome->arg = action->arg;
    outcome->finished = action->finished;
    outcome->happened = action->happened;
    if (outcome->path != NULL && outcome->arguments != NULL)
        return outcome;
    free_outcome(outcome);
    return NULL;
}

static void follow(struct fs_outcome *outcome, struct ecs_action *action)
{
    struct fs_tree *tree = outcome->tree;
    outcome->next = tree->outcomes;
    if (outcome->next != NULL)
        outcome->next->prev = &outcome->next;
    outcome->prev = &tree->outcomes;
    tree->outcomes = outcome;
    action->arg = outcome;
    action->finished = on_finished;
    if (action->happened != NULL)
        action->happened = on_happened;
}

int fs_act(struct fs_view *view, struct ecs_action *action)
{
    struct fs_progress *progress = action != NULL ? fs_progress(view->rq) : NULL;
    struct fs_outcome *outcome = progress != NULL ? new_outcome(view, action) : NULL;
    if (outcome == NULL) {
        ecs_action_unhold(action);
        return -ENOMEM;
    }
    int r = fs_may_change(view);
    if (r < 0 || view->tree->options.dry_run || view->tree->cache == NULL) {
        if (r == 0 && view->tree->options.dry_run)
            journal(outcome, NULL, "dry run");
        else if (r == 0)
            r = -EIO;
        free_outcome(outcome);
        ecs_action_unhold(action);
        return r;
    }
    follow(outcome, action);
    ecs_action_unhold(progress->action);
    progress->action = action;
    progress->acting = true;
    return fs_act_wait(view);
}

int fs_act_wait(struct fs_view *view)
{
    struct fs_progress *progress = view->rq->progress;
    int r = ecs_cache_act(view->tree->cache, &view->rq->want, progress->action);
    if (r == FS_PARKED)
        return r;
    progress->acting = false;
    progress->succeeded = r == 0;
    const struct ecs_error *error =
        progress->action->error != NULL ? progress->action->error : view->rq->want.error;
    if (r < 0 && error != NULL) {
        ecs_error_unref(progress->error);
        progress->error = ecs_error_ref((struct ecs_error *)error);
    }
    return r;
}

/* Who waits for the call's outcome hears that nobody will know it. */
static void give_up(struct fs_outcome *outcome)
{
    cleanup_error struct ecs_error *error =
        ecs_error_new(-EINTR, "OutcomeUnknown", "unmounted before there was an answer: it may have happened");
    add_row(outcome, error, NULL);
    struct ecs_action action = {.arg = outcome->arg};
    if (outcome->finished != NULL)
        outcome->finished(&action, error);
}

void fs_outcomes_abandon(struct fs_tree *tree)
{
    while (tree->outcomes != NULL) {
        struct fs_outcome *outcome = tree->outcomes;
        give_up(outcome);
        tree->outcomes = outcome->next;
        if (outcome->next != NULL)
            outcome->next->prev = &tree->outcomes;
        outcome->tree = NULL;
        outcome->prev = NULL;
        outcome->next = NULL;
    }
}
