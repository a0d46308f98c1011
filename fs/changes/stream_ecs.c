/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/tasks/run and clusters/create. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "change.h"
#include "documents/document.h"
#include "staging/local.h"
#include "stream.h"
#include "tree/show.h"

/* Only read, never saved: no describe, no plan. */
static const struct fs_document run_request = {
    .what = "RunTask or StartTask document",
    .input = "RunTask",
    .more = "StartTask",
    .output = "RunTask",
    .described = "tasks",
    .wrappers = (const char *const[]){NULL},
    .hidden = (const char *const[]){"cluster", NULL},
};

static const struct fs_document create_request = {
    .what = "CreateCluster document",
    .input = "CreateCluster",
    .output = "CreateCluster",
    .described = "cluster",
    .wrappers = (const char *const[]){NULL},
};

/* ---- tasks/run ---- */

static int read_run(struct fs_view *view, const char *text, json_t **ret_input)
{
    if (*text == '{')
        return fs_stream_read(view, &run_request, text, ret_input);
    if (strpbrk(text, " \t\"'"))
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "run takes %s; got \"%.64s\"", fs_run_stream.takes,
                       text);
    *ret_input = json_pack("{s:s}", "taskDefinition", text);
    return *ret_input ? 0 : -ENOMEM;
}

/* Where a definition must run on Fargate, that is meant. */
static int infer_launch_type(struct fs_view *view, json_t *input)
{
    const char *definition = json_string_value(json_object_get(input, "taskDefinition")), *type = NULL;
    if (!definition || json_object_get(input, "launchType") ||
        json_object_get(input, "capacityProviderStrategy"))
        return 0;
    int r = fs_draft_launch_type(view, definition, &type);
    if (r == 0 && type)
        json_object_set_new(input, "launchType", json_string(type));
    return r;
}

/* Has a task of it an address of its own, so that it must be said where? */
static int needs_network(struct fs_view *view, const struct ecs_key *definition, bool *ret_needs)
{
    struct ecs_doc *doc;
    *ret_needs = false;
    int r = fs_view_doc_of(view, definition, &doc);
    if (r != 0)
        return r == -ENOENT ? 0 : r;
    json_t *tree = ecs_doc_tree(doc);
    *ret_needs = strcmp(fs_json_text(tree, "networkMode"), "awsvpc") == 0;
    json_decref(tree);
    return 0;
}

static bool is_of_family(const json_t *service, const char *family)
{
    const char *name = fs_task_definition_short(fs_json_text(service, "taskDefinition"));
    size_t len = strlen(family);
    return strncmp(name, family, len) == 0 && (name[len] == ':' || !name[len]);
}

/* A job of a family that also has a service of its name runs where that one runs. Anything else must be
 * said; AWS then says so itself. */
static int infer_network(struct fs_view *view, json_t *input)
{
    const char *definition = json_string_value(json_object_get(input, "taskDefinition"));
    if (!definition || json_object_get(input, "networkConfiguration"))
        return 0;
    char family[512];
    struct ecs_key key;
    struct ecs_doc *doc;
    fs_draft_definition_key(definition, family, sizeof(family), &key);
    bool needs;
    int r = needs_network(view, &key, &needs);
    if (r != 0 || !needs)
        return r;
    struct ecs_key service = {ECS_SERVICE, view_cluster(view), family};
    r = fs_view_doc_of(view, &service, &doc);
    if (r != 0)
        return r == -ENOENT ? 0 : r;
    json_t *tree = ecs_doc_tree(doc);
    json_t *network = is_of_family(tree, family) ? json_object_get(tree, "networkConfiguration") : NULL;
    if (network)
        json_object_set(input, "networkConfiguration", network);
    json_decref(tree);
    return 0;
}

/* Who names the instances has them started there, past the scheduler: StartTask, which knows no token. */
static int start_task(struct fs_view *view, json_t *input, struct ecs_action **ret_action)
{
    struct ecs_key key = {ECS_TASK, view_cluster(view), ""};
    json_object_set_new(input, "cluster", json_string(view_cluster(view)));
    *ret_action = fs_action("ecs", "StartTask", input, ECS_EFFECT_CREATE, &key, "tasks");
    if (*ret_action)
        (*ret_action)->id_from_reply = true;
    return *ret_action ? 0 : -ENOMEM;
}

static int run_task(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *input;
    int r = read_run(view, text, &input);
    if (r < 0)
        return r;
    if (json_object_get(input, "containerInstances"))
        return start_task(view, input, ret_action);
    r = infer_launch_type(view, input);
    if (r == 0)
        r = infer_network(view, input);
    if (r != 0) {
        json_decref(input);
        return r;
    }
    char token[FS_TOKEN_TEXT];
    fs_change_token(token);
    json_object_set_new(input, "cluster", json_string(view_cluster(view)));
    if (!json_object_get(input, "clientToken"))
        json_object_set_new(input, "clientToken", json_string(token));
    struct ecs_key key = {ECS_TASK, view_cluster(view), ""};
    *ret_action = fs_action("ecs", "RunTask", input, ECS_EFFECT_CREATE, &key, "tasks");
    if (*ret_action)
        (*ret_action)->id_from_reply = true;
    return *ret_action ? 0 : -ENOMEM;
}

/* The ids, one a line. AWS answers 200 also when it could place only some of them, or none. */
static int tell_tasks(struct fs_view *view, const json_t *reply, struct ecs_buf *out)
{
    size_t i;
    json_t *task;
    json_array_foreach(json_object_get(reply, "tasks"), i, task)
        ecs_buf_addf(out, "%s\n", fs_task_definition_short(fs_json_text(task, "taskArn")));
    const json_t *failure = json_array_get(json_object_get(reply, "failures"), 0);
    if (failure)
        return fs_fail(view->rq, -EBUSY, "TaskNotPlaced", "%zu of the tasks were not started: %s %s",
                       json_array_size(json_object_get(reply, "failures")), fs_json_text(failure, "reason"),
                       fs_json_text(failure, "detail"));
    return out->failed;
}

const struct fs_stream fs_run_stream = {
    .takes = "a family, family:revision, a RunTask or a StartTask document",
    .act = run_task,
    .answer = tell_tasks,
};

/* ---- clusters/create ---- */

static int create_cluster(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *input = NULL;
    int r = *text == '{' ? fs_stream_read(view, &create_request, text, &input) : 0;
    if (r < 0)
        return r;
    if (*text != '{')
        input = json_pack("{s:s}", "clusterName", text);
    const char *name = json_string_value(json_object_get(input, "clusterName"));
    if (!name) {
        json_decref(input);
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "create takes %s; clusterName is missing",
                       fs_create_cluster_stream.takes);
    }
    struct ecs_key key = {ECS_CLUSTER, "", name};
    *ret_action = fs_action("ecs", "CreateCluster", json_incref(input), ECS_EFFECT_CREATE, &key, "cluster");
    json_decref(input);
    return *ret_action ? 0 : -ENOMEM;
}

static int tell_cluster(struct fs_view *view, const json_t *reply, struct ecs_buf *out)
{
    return ecs_buf_addf(out, "%s\n", fs_json_text(json_object_get(reply, "cluster"), "clusterName"));
}

const struct fs_stream fs_create_cluster_stream = {
    .takes = "a name or a CreateCluster document",
    .act = create_cluster,
    .answer = tell_cluster,
};
