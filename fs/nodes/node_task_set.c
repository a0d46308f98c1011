/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/services/<service>/task-sets/: what a deployment of an EXTERNAL controller is made of.
 *
 *     $ echo 50 > task-sets/ecs-svc-1234/scale       # percent of the service's desired count
 *     $ echo 1 > task-sets/ecs-svc-1234/primary
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "changes/change.h"
#include "changes/stream.h"
#include "tree/nodes.h"
#include "tree/show.h"

/* Another controller's service has none: not worth a call. */
int fs_task_sets_present(struct fs_view *view)
{
    const char *controller;
    int r = fs_view_field(view, "deploymentController", &controller);
    return r != 0 ? r : strcmp(controller, "EXTERNAL") == 0 ? 0 : -ENOENT;
}

/* Takes a member of the input over. */
static int change_set(struct fs_view *view, const char *operation, const char *id_member, const char *member,
                      json_t *value, struct ecs_action **ret_action)
{
    const char *id = NULL;
    int r = fs_view_field(view, "taskSetArn", &id);
    if (r != 0) {
        json_decref(value);
        return r;
    }
    json_t *input = json_pack("{s:s, s:s, s:s}", "cluster", view_cluster(view), "service", view_service(view),
                              id_member, id);
    if (input != NULL && member != NULL && json_object_set_new(input, member, value) < 0) {
        json_decref(input);
        input = NULL;
    }
    *ret_action = fs_action("ecs", operation, input, ECS_EFFECT_FORGET, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int show_scale(struct fs_view *view, struct ecs_buf *text)
{
    const char *value;
    int r = fs_view_field(view, "scaleValue", &value);
    return r != 0 ? r : ecs_buf_adds(text, value);
}

/* AWS knows percent alone. */
static int store_scale(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    char *end;
    double percent = strtod(text, &end);
    size_t number = strspn(text, "0123456789.");
    if (number == 0 || end != text + number || (*end != '\0' && strcmp(end, "%") != 0) || percent > 100)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "scale takes percent, 0 to 100; got \"%.64s\"",
                       text);
    json_t *scale = json_pack("{s:f, s:s}", "value", percent, "unit", "PERCENT");
    return scale == NULL ? -ENOMEM : change_set(view, "UpdateTaskSet", "taskSet", "scale", scale, ret_action);
}

static int show_primary(struct fs_view *view, struct ecs_buf *text)
{
    const char *status;
    int r = fs_view_field(view, "status", &status);
    return r != 0 ? r : ecs_buf_adds(text, strcmp(status, "PRIMARY") == 0 ? "1" : "0");
}

static int store_primary(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strcmp(text, "1") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "primary takes \"1\"; a task set ceases to be it when another becomes it");
    return change_set(view, "UpdateServicePrimaryTaskSet", "primaryTaskSet", NULL, NULL, ret_action);
}

/* AWS refuses while it has tasks: scale it to 0 first. */
static int delete_set(struct fs_view *view, struct ecs_action **ret_action)
{
    return change_set(view, "DeleteTaskSet", "taskSet", NULL, NULL, ret_action);
}

static const struct fs_change task_set_change = {.rmdir = delete_set, .removes = "deletes the task set"};

static const struct fs_node task_set_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "taskSetArn"},
    {"status", FS_FILE_R, .field = "status", .help = "PRIMARY, ACTIVE, DRAINING"},
    {"stability", FS_FILE_R, .field = "stabilityStatus", .help = "STEADY_STATE, STABILIZING"},
    {"external-id", FS_FILE_R, .field = "externalId"},
    {"created-at", FS_FILE_R, .field = "createdAt"},
    {"task-definition", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "taskDefinition", .show = fs_show_short},
    {"scale", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .field = "scaleValue", .show = show_scale,
     .store = store_scale, .help = "percent of the service's desired count"},
    {"primary", FS_FILE_RW, FS_OF_DOC, .show = show_primary, .store = store_primary,
     .help = "\"1\" makes it the one that serves"},
    {"desired-count", FS_FILE_R, .field = "computedDesiredCount"},
    {"running-count", FS_FILE_R, .field = "runningCount"},
    {"pending-count", FS_FILE_R, .field = "pendingCount"},
    {0},
};

const struct fs_node fs_task_set_nodes[] = {
    {NULL, FS_DIR, FS_MAYBE, .of = FS_OF(ECS_TASK_SET), .accept = fs_accept_name, .children = task_set_rows,
     .change = &task_set_change},
    {"create", FS_FILE_RW, FS_UNLISTED, .stream = &fs_create_task_set_stream,
     .help = "write a CreateTaskSet document; read the id back"},
    {0},
};
