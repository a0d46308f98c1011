/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/services/<service>/deployments/ and revisions/
 *
 *     $ cd clusters/prod/services/web/deployments
 *     $ cat NCWGC2ZR-taawPAYrIaU5/status
 *     IN_PROGRESS
 *     $ echo rollback > NCWGC2ZR-taawPAYrIaU5/stop
 *
 * A walk of both costs a ListServiceDeployments, and a call for each 20 deployments and each 20 revisions, of
 * which the latter are asked for once in a lifetime. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "deployments.h"
#include "ecsfs/cleanup.h"
#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* Where there are none they are not listed, but who saw them listed before finds them, empty. */
int fs_deployments_present(struct fs_view *view)
{
    return view->rq->peek && view->tree->no_deployments ? -ENOENT : 0;
}

/* ---- deployments/ ---- */

static int list_deployments(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    const struct ecs_list *list;
    int r = fs_deployments_list(directory, false, &list);
    for (size_t i = 0; r == 0 && list != NULL && i < ecs_list_len(list); i++)
        r = emit(arg, ecs_list_at(list, i));
    return r;
}

/* What a fresh list names is there; by name alone, its document tells. */
static int has_deployment(struct fs_view *child)
{
    const struct ecs_list *list;
    struct ecs_doc *doc;
    struct ecs_key key = {ECS_SERVICE_DEPLOYMENT, child->key.parent, ""};
    int64_t fresh_ms = 0;
    if (child->tree->no_deployments)
        return -ENOENT;
    list = ecs_cache_peek_list(child->tree->cache, &key, &fresh_ms);
    if (list != NULL && fresh_ms > 0 && ecs_list_has(list, child->id)) {
        child->valid_ms = fresh_ms;
        return 0;
    }
    int r = fs_view_doc(child, &doc);
    return r == -EOPNOTSUPP ? -ENOENT : r;
}

static const struct fs_entries deployments = {.list = list_deployments, .has = has_deployment};

/* ---- changing one ---- */

/* Neither the service nor the list of its deployments is as it was. */
static void forget_service(struct ecs_action *action, const struct ecs_error *error)
{
    struct fs_tree *tree = action->arg;
    cleanup_free char *cluster = error == NULL ? strdup(action->key.parent) : NULL;
    char *slash = cluster != NULL ? strchr(cluster, '/') : NULL;
    if (slash == NULL)
        return;
    struct ecs_key deployments_key = {ECS_SERVICE_DEPLOYMENT, action->key.parent, ""};
    ecs_cache_forget(tree->cache, &deployments_key);
    *slash = '\0';
    struct ecs_key service = {ECS_SERVICE, cluster, slash + 1};
    ecs_cache_forget(tree->cache, &service);
}

/* `input` is taken over. */
static int change_deployment(struct fs_view *view, const char *operation, json_t *input,
                             struct ecs_action **ret_action)
{
    *ret_action = fs_action("ecs", operation, input, ECS_EFFECT_FORGET, &view->key, NULL);
    if (*ret_action == NULL)
        return -ENOMEM;
    (*ret_action)->finished = forget_service;
    (*ret_action)->arg = view->tree;
    return 0;
}

static int store_stop(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    bool abort = strcasecmp(text, "abort") == 0;
    if (!abort && strcasecmp(text, "rollback") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "stop takes \"rollback\" or \"abort\"; got \"%.64s\"", text);
    const char *arn;
    int r = fs_view_field(view, "serviceDeploymentArn", &arn);
    if (r != 0)
        return r;
    json_t *input =
        json_pack("{s:s, s:s}", "serviceDeploymentArn", arn, "stopType", abort ? "ABORT" : "ROLLBACK");
    return change_deployment(view, "StopServiceDeployment", input, ret_action);
}

/* ---- hooks/<hook>: where a deployment waits for a person's word ---- */

static const json_t *find_hook(const json_t *deployment, const char *id)
{
    size_t i;
    const json_t *hook;
    json_array_foreach(json_object_get(deployment, "lifecycleHookDetails"), i, hook)
    {
        const char *its = json_string_value(json_object_get(hook, "hookId"));
        if (its != NULL && strcmp(its, id) == 0)
            return hook;
    }
    return NULL;
}

static int list_hooks(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    json_t *deployment, *hook;
    size_t i;
    int r = fs_view_tree(directory, &deployment);
    if (r != 0)
        return r;
    json_array_foreach(json_object_get(deployment, "lifecycleHookDetails"), i, hook)
    {
        const char *id = json_string_value(json_object_get(hook, "hookId"));
        if (r == 0 && id != NULL)
            r = emit(arg, id);
    }
    json_decref(deployment);
    return r;
}

static int has_hook(struct fs_view *child)
{
    json_t *deployment;
    int r = fs_view_tree(child, &deployment);
    if (r != 0)
        return r;
    r = find_hook(deployment, child->id) != NULL ? 0 : -ENOENT;
    json_decref(deployment);
    return r;
}

static int store_hook(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    bool on = strcasecmp(text, "continue") == 0;
    if (!on && strcasecmp(text, "rollback") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "a hook takes \"continue\" or \"rollback\"; got \"%.64s\"", text);
    const char *arn;
    int r = fs_view_field(view, "serviceDeploymentArn", &arn);
    if (r != 0)
        return r;
    json_t *input = json_pack("{s:s, s:s, s:s}", "serviceDeploymentArn", arn, "hookId", view->id, "action",
                              on ? "CONTINUE" : "ROLLBACK");
    return change_deployment(view, "ContinueServiceDeployment", input, ret_action);
}

static const struct fs_entries hooks = {.list = list_hooks, .has = has_hook};

static const struct fs_node hook_rows[] = {
    {NULL, FS_FILE_W, .entries = &hooks, .store = store_hook, .called = "<hook>",
     .help = "\"continue\" or \"rollback\""},
    {0},
};

/* ---- its files ---- */

static int show_task_definition(struct fs_view *view, struct ecs_buf *text)
{
    const char *target;
    struct ecs_doc *revision;
    int r = fs_view_field(view, "targetServiceRevision", &target);
    if (r == 0)
        r = fs_deployment_revision(view, target, &revision);
    if (r != 0)
        return r;
    const char *arn = ecs_doc_field(revision, "taskDefinition");
    if (arn == NULL)
        return -ENOENT;
    fs_add_short(text, arn);
    return text->failed;
}

/* Known to be without one only where its own document says so: not worth a call. */
static int task_definition_present(struct fs_view *view)
{
    const char *target;
    return fs_view_field(view, "targetServiceRevision", &target);
}

static const struct fs_node deployment_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "serviceDeploymentArn"},
    {"status", FS_FILE_R, .field = "status",
     .help = "IN_PROGRESS, SUCCESSFUL, STOPPED, ROLLBACK_SUCCESSFUL, ..."},
    {"reason", FS_FILE_R, .field = "statusReason", .help = "of its status, in AWS's words"},
    {"rollback-reason", FS_FILE_R, .field = "rollbackReason"},
    {"circuit-breaker", FS_FILE_R, .field = "circuitBreakerStatus",
     .help = "DISABLED, MONITORING, MONITORING_COMPLETE, TRIGGERED"},
    {"lifecycle-stage", FS_FILE_R, .field = "lifecycleStage"},
    {"created-at", FS_FILE_R, .field = "createdAt"},
    {"started-at", FS_FILE_R, .field = "startedAt"},
    {"finished-at", FS_FILE_R, .field = "finishedAt"},
    {"stopped-at", FS_FILE_R, .field = "stoppedAt"},
    {"task-definition", FS_FILE_R, FS_MAYBE, .present = task_definition_present, .show = show_task_definition,
     .help = "what it deployed"},
    {"service-revision", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "targetServiceRevision",
     .show = fs_show_short, .help = "revisions/<it>.json has all that it deployed"},
    {"requested-count", FS_FILE_R, .field = "requestedTaskCount", .help = "of its tasks; running, pending"},
    {"running-count", FS_FILE_R, .field = "runningTaskCount"},
    {"pending-count", FS_FILE_R, .field = "pendingTaskCount"},
    {"stop", FS_FILE_W, .store = store_stop,
     .help = "\"rollback\": back to what ran before; \"abort\": stop where it is"},
    {"hooks", FS_DIR, .children = hook_rows, .help = "where it waits for a word"},
    {0},
};

const struct fs_node fs_deployment_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_SERVICE_DEPLOYMENT), .entries = &deployments, .accept = fs_accept_name,
     .children = deployment_rows},
    {0},
};

/* ---- revisions/: those that the deployments name, for AWS lists none ---- */

static void add_id(json_t *ids, const char *arn)
{
    const char *slash = arn != NULL ? strrchr(arn, '/') : NULL;
    if (slash != NULL)
        json_object_set_new(ids, slash + 1, json_true());
}

static void add_revisions_of(const struct ecs_doc *deployment, json_t *ids)
{
    json_t *tree = ecs_doc_tree(deployment);
    size_t i;
    const json_t *source;
    add_id(ids, ecs_doc_field(deployment, "targetServiceRevision"));
    add_id(ids, ecs_doc_field(deployment, "rollbackServiceRevision"));
    json_array_foreach(json_object_get(tree, "sourceServiceRevisions"), i, source)
        add_id(ids, json_string_value(json_object_get(source, "arn")));
    json_decref(tree);
}

static int list_revisions(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    struct fs_service_parent parent;
    const struct ecs_list *list;
    int r = fs_deployments_list(directory, true, &list);
    if (r != 0 || list == NULL)
        return r;
    json_t *ids = json_object(), *ignored;
    const char *id;
    fs_service_parent(directory, &parent);
    for (size_t i = 0; i < ecs_list_len(list); i++) {
        struct ecs_key key = {ECS_SERVICE_DEPLOYMENT, parent.text, ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(directory, &key);
        if (doc != NULL)
            add_revisions_of(doc, ids);
    }
    json_object_foreach(ids, id, ignored)
    {
        if (r == 0)
            r = emit(arg, id);
    }
    json_decref(ids);
    return r;
}

static int has_revision(struct fs_view *child)
{
    struct ecs_doc *doc;
    return fs_deployment_revision(child, child->id, &doc);
}

static const struct fs_entries revisions = {.list = list_revisions, .has = has_revision};

const struct fs_node fs_service_revision_nodes[] = {
    {NULL, FS_FILE_R, FS_OF_DOC, .of = FS_OF(ECS_SERVICE_REVISION), .entries = &revisions, .suffix = ".json",
     .accept = fs_accept_name, .show = fs_show_document,
     .help = "a configuration that was deployed, in full"},
    {0},
};
