/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/container-instances/<id>/
 *
 *     $ echo DRAINING > clusters/prod/container-instances/9c1d.../status
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "tree/nodes.h"
#include "tree/show.h"

static int store_status(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strcmp(text, "ACTIVE") != 0 && strcmp(text, "DRAINING") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "status takes ACTIVE or DRAINING; got \"%.64s\"",
                       text);
    json_t *input = json_pack("{s:s, s:[s], s:s}", "cluster", view_cluster(view), "containerInstances",
                              fs_view_id_of(view, ECS_CONTAINER_INSTANCE), "status", text);
    *ret_action = fs_action("ecs", "UpdateContainerInstancesState", input, ECS_EFFECT_UPDATE, &view->key,
                            "containerInstances");
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int update_agent(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strcmp(text, "1") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "%s takes \"1\"; got \"%.64s\"", view->name, text);
    json_t *input = json_pack("{s:s, s:s}", "cluster", view_cluster(view), "containerInstance",
                              fs_view_id_of(view, ECS_CONTAINER_INSTANCE));
    *ret_action =
        fs_action("ecs", "UpdateContainerAgent", input, ECS_EFFECT_UPDATE, &view->key, "containerInstance");
    return *ret_action != NULL ? 0 : -ENOMEM;
}

/* ---- attributes/<name> ---- */

static json_t *find_attribute(json_t *instance, const char *name)
{
    size_t i;
    json_t *attribute;
    json_array_foreach(json_object_get(instance, "attributes"), i, attribute)
    {
        const char *its = json_string_value(json_object_get(attribute, "name"));
        if (its != NULL && name != NULL && strcmp(its, name) == 0)
            return attribute;
    }
    return NULL;
}

static int list_attributes(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    json_t *instance;
    int r = fs_view_tree(directory, &instance);
    if (r != 0)
        return r;
    size_t i;
    json_t *attribute;
    json_array_foreach(json_object_get(instance, "attributes"), i, attribute)
    {
        const char *name = json_string_value(json_object_get(attribute, "name"));
        if (r == 0 && name != NULL)
            r = emit(arg, name);
    }
    json_decref(instance);
    return r;
}

static int show_attribute(struct fs_view *view, struct ecs_buf *text)
{
    json_t *instance;
    int r = fs_view_tree(view, &instance);
    if (r != 0)
        return r;
    json_t *attribute = find_attribute(instance, view->id);
    const char *value = json_string_value(json_object_get(attribute, "value"));
    if (attribute == NULL)
        r = -ENOENT;
    else if (value != NULL)
        fs_add_safe(text, value);
    json_decref(instance);
    return r;
}

static int has_attribute(struct fs_view *child)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    return show_attribute(child, &text);
}

static const struct fs_entries attributes = {.list = list_attributes, .has = has_attribute};

static const struct fs_node attribute_rows[] = {
    {NULL, FS_FILE_RW, FS_OF_DOC, .entries = &attributes, .show = show_attribute, .store = fs_attribute_store,
     .change = &fs_attribute_change, .called = "<attribute>",
     .help = "its value; a new name is a new attribute"},
    {0},
};

static const struct fs_node link_rows[] = {
    {NULL, FS_LINK, .entries = &fs_tasks_of_instance, .target = fs_task_link, .accept = fs_accept_id,
     .called = "<task>"},
    {0},
};

static const struct fs_node instance_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "containerInstanceArn"},
    {"ec2-instance-id", FS_FILE_R, .field = "ec2InstanceId"},
    {"agent-connected", FS_FILE_R, .field = "agentConnected", .help = "true or false"},
    {"status", FS_FILE_RW, .field = "status", .store = store_status,
     .help = "write DRAINING to move its tasks away, ACTIVE to take tasks again"},
    {"update-agent", FS_FILE_W, .store = update_agent, .help = "\"1\": UpdateContainerAgent"},
    {"registered-cpu", FS_FILE_R, .field = "registeredCpu", .help = "CPU units"},
    {"registered-memory", FS_FILE_R, .field = "registeredMemory", .help = "MiB"},
    {"remaining-cpu", FS_FILE_R, .field = "remainingCpu"},
    {"remaining-memory", FS_FILE_R, .field = "remainingMemory"},
    {"attributes", FS_DIR, .children = attribute_rows},
    {"tags", FS_DIR, .children = fs_tag_nodes, .help = "AWS resource tags"},
    {"tasks", FS_DIR, FS_WATCH_LISTS, .children = link_rows, .watches = FS_WATCH(ECS_TASK),
     .help = "links to the tasks on it"},
    {0},
};

const struct fs_node fs_container_instance_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_CONTAINER_INSTANCE), .accept = fs_accept_id, .children = instance_rows,
     .change = &fs_instance_change},
    {0},
};
