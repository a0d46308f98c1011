/* SPDX-License-Identifier: Apache-2.0 */
/* services/<service>/previous-task-definition: what to write to task-definition to roll back.
 *
 *     $ cat previous-task-definition > task-definition
 *
 * While a deployment rolls, it is what still runs beside it; then what the service's deployments tell: the
 * last one that was deployed well, and is another than what runs now, never one that was rolled back; else
 * what ran before the last change that this mount saw. Deployments cost three calls (a list, a describe,
 * their revisions), so they are asked for by name alone; a listing names the file where it is known to be
 * there. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "deployments.h"
#include "ecsfs/cleanup.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* ARNs of service revisions, best candidate first. */
struct candidates {
    json_t *good;   /* array: a deployment of them succeeded */
    json_t *others; /* array: they ran before some deployment */
};

static void add(json_t *array, const char *arn)
{
    if (arn != NULL)
        json_array_append_new(array, json_string(arn));
}

static bool is(const char *text, const char *value)
{
    return text != NULL && strcmp(text, value) == 0;
}

static void add_candidates(struct candidates *candidates, const struct ecs_doc *deployment)
{
    const char *status = ecs_doc_field(deployment, "status");
    json_t *tree = ecs_doc_tree(deployment);
    size_t i;
    const json_t *source;
    if (is(status, "SUCCESSFUL"))
        add(candidates->good, ecs_doc_field(deployment, "targetServiceRevision"));
    else if (is(status, "ROLLBACK_SUCCESSFUL"))
        add(candidates->good, ecs_doc_field(deployment, "rollbackServiceRevision"));
    json_array_foreach(json_object_get(tree, "sourceServiceRevisions"), i, source)
        add(candidates->others, json_string_value(json_object_get(source, "arn")));
    json_decref(tree);
}

/* The newest deployments' documents, in one call. */
static int gather(struct fs_view *view, struct candidates *candidates)
{
    struct fs_service_parent parent;
    const struct ecs_list *list;
    int r = fs_deployments_list(view, false, &list);
    if (r != 0 || list == NULL)
        return r != 0 ? r : -ENOENT;
    size_t len = ecs_list_len(list);
    bool parked = false;
    fs_service_parent(view, &parent);
    for (size_t i = 0; i < len && i < FS_DEPLOYMENTS_BATCH; i++) {
        struct ecs_key key = {ECS_SERVICE_DEPLOYMENT, parent.text, ecs_list_at(list, i)};
        struct ecs_doc *doc;
        r = fs_view_doc_of(view, &key, &doc);
        if (r < 0 && r != -ENOENT)
            return r;
        parked |= r == FS_PARKED;
        if (r == 0 && !parked)
            add_candidates(candidates, doc);
    }
    return parked ? FS_PARKED : 0;
}

/* The first whose task definition is another than `now`. */
static int choose(struct fs_view *view, const json_t *arns, const char *now, struct ecs_buf *text)
{
    size_t i;
    const json_t *arn;
    json_array_foreach((json_t *)arns, i, arn)
    {
        struct ecs_doc *revision;
        int r = fs_deployment_revision(view, json_string_value(arn), &revision);
        const char *was = r == 0 ? ecs_doc_field(revision, "taskDefinition") : NULL;
        if (r != 0 && r != -ENOENT)
            return r;
        if (was != NULL && !is(now, was)) {
            fs_add_short(text, was);
            return text->failed;
        }
    }
    return -ENOENT;
}

static int from_deployments(struct fs_view *view, const char *now, struct ecs_buf *text)
{
    if (view->tree->no_deployments)
        return -ENOENT;
    struct candidates candidates = {json_array(), json_array()};
    int r = candidates.good != NULL && candidates.others != NULL ? gather(view, &candidates) : -ENOMEM;
    if (r == 0)
        r = choose(view, candidates.good, now, text);
    if (r == -ENOENT)
        r = choose(view, candidates.others, now, text);
    json_decref(candidates.good);
    json_decref(candidates.others);
    return r == FS_PARKED && view->rq->peek ? -ENOENT : r; /* not worth a listing's calls */
}

/* What still runs beside the deployment that rolls, unless that is the one that failed. */
static const char *beside(const struct ecs_doc *service)
{
    const char *active = ecs_doc_field(service, "activeTaskDefinition");
    return is(ecs_doc_field(service, "activeRolloutState"), "FAILED") ? NULL : active;
}

int fs_show_previous(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    const char *now = ecs_doc_field(doc, "taskDefinition");
    if (now == NULL)
        return -ENOENT; /* task sets have their own */
    const char *before = beside(doc);
    r = -ENOENT;
    if (before == NULL || is(now, before)) {
        r = from_deployments(view, now, text);
        if (r != -ENOENT && r != -EACCES)
            return r;
        before = ecs_cache_previous(view->tree->cache, &view->key, "taskDefinition");
    }
    if (before == NULL || is(now, before))
        return r;
    fs_add_short(text, before);
    return text->failed;
}
