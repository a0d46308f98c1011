/* SPDX-License-Identifier: Apache-2.0 */
/* services/<service>/stable: a read that waits. The AWS CLI's waiter also succeeds after a rollback; this one
 * looks at the deployment that was PRIMARY when the read began, and fails when that one does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"
#include "show.h"
#include "tree_private.h"

/* How often AWS is asked: as often as `stale` shows live things, within these. */
enum { LEAST_MS = 500, MOST_MS = 2000 };

/* What is waited for; kept in the request's progress. */
struct target {
    char *deployment, *task_definition;
};

static void free_target(void *memory)
{
    struct target *target = memory;
    free(target->deployment);
    free(target->task_definition);
    free(target);
}

static const char *field(const struct ecs_doc *doc, const char *name)
{
    const char *text = ecs_doc_field(doc, name);
    return text != NULL ? text : "";
}

static const char *short_of(const char *arn)
{
    const char *slash = strrchr(arn, '/');
    return slash != NULL ? slash + 1 : arn;
}

static struct target *target_of(struct fs_view *view, const struct ecs_doc *doc)
{
    struct fs_progress *progress = fs_progress(view->rq);
    if (progress == NULL || progress->memory != NULL)
        return progress != NULL ? progress->memory : NULL;
    struct target *target = calloc(1, sizeof(*target));
    if (target == NULL)
        return NULL;
    target->deployment = strdup(field(doc, "primaryDeploymentId"));
    target->task_definition = strdup(field(doc, "taskDefinition"));
    if (target->deployment == NULL || target->task_definition == NULL) {
        free_target(target);
        return NULL;
    }
    progress->memory = target;
    progress->memory_free = free_target;
    return target;
}

static int failed(struct fs_view *view, const struct target *target, const struct ecs_doc *doc)
{
    return fs_fail(view->rq, -EIO, "DeploymentFailed", "the deployment of %s failed: %s",
                   short_of(target->task_definition), field(doc, "rolloutStateReason"));
}

static int replaced(struct fs_view *view, const struct target *target, const struct ecs_doc *doc)
{
    return fs_fail(view->rq, -EIO, "DeploymentReplaced", "the deployment of %s gave way to one of %s: %s",
                   short_of(target->task_definition), short_of(field(doc, "taskDefinition")),
                   field(doc, "rolloutStateReason"));
}

static bool is_stable(const struct ecs_doc *doc)
{
    const char *rollout = field(doc, "rolloutState"); /* none with CODE_DEPLOY and EXTERNAL */
    return ecs_doc_field(doc, "activeTaskDefinition") == NULL &&
           strcmp(field(doc, "pendingCount"), "0") == 0 &&
           strcmp(field(doc, "runningCount"), field(doc, "desiredCount")) == 0 &&
           (rollout[0] == '\0' || strcmp(rollout, "COMPLETED") == 0);
}

/* 0: stable; FS_PARKED: not yet; -errno: it will not be. */
static int judge(struct fs_view *view, struct target *target, const struct ecs_doc *doc)
{
    if (strcmp(field(doc, "status"), "ACTIVE") != 0)
        return fs_fail(view->rq, -EIO, "ServiceNotActive", "%s is %s", view_service(view),
                       field(doc, "status"));
    if (strcmp(field(doc, "taskDefinition"), target->task_definition) != 0)
        return replaced(view, target, doc);
    const char *primary = field(doc, "primaryDeploymentId");
    if (strcmp(primary, target->deployment) != 0) { /* the same revision, deployed anew */
        char *copy = strdup(primary);
        if (copy == NULL)
            return -ENOMEM;
        free(target->deployment);
        target->deployment = copy;
    }
    if (strcmp(field(doc, "rolloutState"), "FAILED") == 0)
        return failed(view, target, doc);
    return is_stable(doc) ? 0 : FS_PARKED;
}

int fs_show_stable(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    struct target *target = target_of(view, doc);
    if (target == NULL)
        return -ENOMEM;
    r = judge(view, target, doc);
    if (r == 0)
        return ecs_buf_adds(text, "stable");
    if (r < 0 || view->rq->peek)
        return r;
    int64_t pause_ms = view->tree->options.stale_ms;
    pause_ms = pause_ms < LEAST_MS ? LEAST_MS : pause_ms > MOST_MS ? MOST_MS : pause_ms;
    view->rq->want.fetched_after = true;
    view->rq->patient = true;
    return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + pause_ms);
}
