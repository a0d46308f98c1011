/* SPDX-License-Identifier: Apache-2.0 */
/* services/<service>/stable: a read that waits. The AWS CLI's waiter also succeeds after a rollback; this one
 * looks at the deployment that was PRIMARY when the read began, and fails when that one does. When it is
 * settled already, the newest deployment's own outcome tells (where the endpoint knows deployments), unless
 * what runs is just what this mount asked for last: scaling a service, long after a rollback, waits for the
 * tasks alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deployments.h"
#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* How often AWS is asked: as often as `stale` shows live things, within these. */
enum { LEAST_MS = 500, MOST_MS = 2000 };

enum { NOT_YET = FS_PARKED + 1 };

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

/* What this mount's last write to the service brought about: its directory's memory. Empty: nothing yet. */
struct asked {
    char *deployment, *task_definition;
};

static void free_asked(void *memory)
{
    struct asked *asked = memory;
    free(asked->deployment);
    free(asked->task_definition);
    free(asked);
}

static const char *field(const struct ecs_doc *doc, const char *name)
{
    const char *text = ecs_doc_field(doc, name);
    return text != NULL ? text : "";
}

bool fs_stable_watch(struct fs_inode *service)
{
    struct fs_inode_more *more = fs_inode_more(service);
    if (more == NULL || more->memory != NULL)
        return more != NULL;
    more->memory = calloc(1, sizeof(struct asked));
    if (more->memory == NULL)
        return false;
    more->memory_free = free_asked;
    fs_inode_ref(service);
    return true;
}

void fs_stable_asked(struct fs_inode *service, const struct ecs_doc *doc)
{
    struct asked *asked = service->more->memory;
    free(asked->deployment);
    free(asked->task_definition);
    asked->deployment = strdup(field(doc, "primaryDeploymentId"));
    asked->task_definition = strdup(field(doc, "taskDefinition"));
}

/* Is what the service has now what this mount asked for last? */
static bool is_asked(const struct fs_view *view, const struct ecs_doc *doc)
{
    const struct fs_inode_more *more = view->parent != NULL ? view->parent->more : NULL;
    const struct asked *asked = more != NULL && more->memory_free == free_asked ? more->memory : NULL;
    return asked != NULL && asked->deployment != NULL && asked->task_definition != NULL &&
           strcmp(asked->deployment, field(doc, "primaryDeploymentId")) == 0 &&
           strcmp(asked->task_definition, field(doc, "taskDefinition")) == 0;
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

/* What the newest deployment came to, where deployments are known: 0 unless it failed or was rolled back. */
static int judge_newest(struct fs_view *view, const struct ecs_doc *doc)
{
    struct ecs_doc *newest;
    int r = fs_deployment_newest(view, &newest);
    if (r == -EACCES) /* the service's own document has to do */
        return 0;
    if (r != 0 || newest == NULL)
        return r;
    const char *status = field(newest, "status"), *why = field(newest, "rollbackReason");
    if (strncmp(status, "ROLLBACK_", 9) == 0)
        return fs_fail(view->rq, -EIO, "DeploymentRolledBack",
                       "the newest deployment was rolled back to %s (%s): %s",
                       short_of(field(doc, "taskDefinition")), status,
                       *why != '\0' ? why : field(newest, "statusReason"));
    if (strcmp(status, "STOPPED") == 0)
        return fs_fail(view->rq, -EIO, "DeploymentFailed", "the newest deployment was stopped: %s",
                       field(newest, "statusReason"));
    return 0;
}

static int replaced(struct fs_view *view, const struct target *target, const struct ecs_doc *doc)
{
    if (strstr(field(doc, "rolloutStateReason"), "rolling back") != NULL)
        return fs_fail(view->rq, -EIO, "DeploymentRolledBack",
                       "the deployment of %s is rolled back to %s: %s", short_of(target->task_definition),
                       short_of(field(doc, "taskDefinition")), field(doc, "rolloutStateReason"));
    int r = judge_newest(view, doc);
    if (r != 0)
        return r;
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

/* 0: stable; NOT_YET; -errno: it will not be; FS_PARKED: AWS is asked. */
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
    return is_stable(doc) ? 0 : NOT_YET;
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
    if (r == 0) {
        r = is_asked(view, doc) ? 0 : judge_newest(view, doc);
        return r == 0 ? ecs_buf_adds(text, "stable") : r;
    }
    if (r != NOT_YET || view->rq->peek)
        return r == NOT_YET ? FS_PARKED : r;
    int64_t pause_ms = view->tree->options.stale_ms;
    pause_ms = pause_ms < LEAST_MS ? LEAST_MS : pause_ms > MOST_MS ? MOST_MS : pause_ms;
    view->rq->want.fetched_after = true;
    view->rq->patient = true;
    return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + pause_ms);
}
