/* SPDX-License-Identifier: Apache-2.0 */
/* create files for what is not made by mkdir and one document: task-sets/create, capacity-providers/create.
 *
 *     $ exec 3<>task-sets/create; cat task-set.json >&3; read -r id <&3
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "change.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "stream.h"
#include "tree/show.h"

/* Only read, never saved: no describe, no plan. */
static const struct fs_document task_set_request = {
    .what = "task set",
    .input = "CreateTaskSet",
    .output = "CreateTaskSet",
    .described = "taskSet",
    .wrappers = (const char *const[]){NULL},
    .hidden = (const char *const[]){"cluster", "service", NULL},
};

static const struct fs_document provider_request = {
    .what = "capacity provider",
    .input = "CreateCapacityProvider",
    .output = "CreateCapacityProvider",
    .described = "capacityProvider",
    .wrappers = (const char *const[]){NULL},
};

/* ---- task sets ---- */

static int create_task_set(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *input;
    int r = fs_stream_read(view, &task_set_request, text, &input);
    if (r < 0)
        return r;
    char token[FS_TOKEN_TEXT];
    fs_change_token(token);
    json_object_set_new(input, "cluster", json_string(view_cluster(view)));
    json_object_set_new(input, "service", json_string(view_service(view)));
    if (!json_object_get(input, "clientToken"))
        json_object_set_new(input, "clientToken", json_string(token));
    cleanup_buf struct ecs_buf parent = ECS_BUF(1024);
    ecs_buf_addf(&parent, "%s/%s", view_cluster(view), view_service(view));
    /* Its name is not the last part of its ARN, which the reply would be kept by: the list is asked anew. */
    struct ecs_key key = {ECS_TASK_SET, parent.data ? parent.data : "", ""};
    *ret_action = fs_action("ecs", "CreateTaskSet", input, ECS_EFFECT_FORGET, &key, NULL);
    return *ret_action ? 0 : -ENOMEM;
}

static int tell_task_set(struct fs_view *view, const json_t *reply, struct ecs_buf *out)
{
    const char *arn = fs_json_text(json_object_get(reply, "taskSet"), "taskSetArn");
    return ecs_buf_addf(out, "%s\n", fs_task_definition_short(arn)); /* as it is called in task-sets/ */
}

const struct fs_stream fs_create_task_set_stream = {
    .takes = "a CreateTaskSet document",
    .act = create_task_set,
    .answer = tell_task_set,
};

/* ---- capacity providers ---- */

static int create_provider(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *input;
    int r = fs_stream_read(view, &provider_request, text, &input);
    if (r < 0)
        return r;
    cleanup_free char *name = strdup(fs_json_text(input, "name"));
    if (!name || !*name) {
        json_decref(input);
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "create takes %s; name is missing",
                       view->node->stream->takes);
    }
    struct ecs_key key = {ECS_CAPACITY_PROVIDER, "", name};
    *ret_action =
        fs_action("ecs", "CreateCapacityProvider", input, ECS_EFFECT_CREATE, &key, "capacityProvider");
    return *ret_action ? 0 : -ENOMEM;
}

static int tell_provider(struct fs_view *view, const json_t *reply, struct ecs_buf *out)
{
    return ecs_buf_addf(out, "%s\n", fs_json_text(json_object_get(reply, "capacityProvider"), "name"));
}

const struct fs_stream fs_create_capacity_provider_stream = {
    .takes = "a CreateCapacityProvider document",
    .act = create_provider,
    .answer = tell_provider,
};
