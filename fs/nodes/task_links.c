/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks belong to a cluster; a service's and an instance's are told from the cluster's own list, joined by
 * `group` and by instance, so that no further list is asked for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tree/nodes.h"
#include "tree/show.h"

typedef bool belongs_fn(const struct fs_view *view, const struct ecs_doc *task);

static bool belongs_to_service(const struct fs_view *view, const struct ecs_doc *task)
{
    const char *group = ecs_doc_field(task, "group"), *service = view_service(view);
    return group != NULL && service != NULL && strncmp(group, "service:", 8) == 0 &&
           strcmp(group + 8, service) == 0;
}

static bool belongs_to_instance(const struct fs_view *view, const struct ecs_doc *task)
{
    const char *arn = ecs_doc_field(task, "containerInstanceArn");
    const char *slash = arn != NULL ? strrchr(arn, '/') : NULL;
    const char *instance = fs_view_id_of(view, ECS_CONTAINER_INSTANCE);
    return slash != NULL && instance != NULL && strcmp(slash + 1, instance) == 0;
}

static int list_tasks(struct fs_view *directory, belongs_fn *belongs, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key = {ECS_TASK, view_cluster(directory), ""};
    const struct ecs_list *list;
    int r = fs_view_all(directory, &key, &list);
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        struct ecs_key task = {ECS_TASK, key.parent, ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(directory, &task);
        if (doc != NULL && belongs(directory, doc))
            r = emit(arg, task.id);
    }
    return r;
}

static int has_task(struct fs_view *child, belongs_fn *belongs)
{
    struct ecs_key key = {ECS_TASK, view_cluster(child), child->id};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(child, &key, &doc);
    return r != 0 ? r : belongs(child, doc) ? 0 : -ENOENT;
}

static int list_of_service(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    return list_tasks(directory, belongs_to_service, emit, arg);
}

static int service_has(struct fs_view *child)
{
    return has_task(child, belongs_to_service);
}

static int list_of_instance(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    return list_tasks(directory, belongs_to_instance, emit, arg);
}

static int instance_has(struct fs_view *child)
{
    return has_task(child, belongs_to_instance);
}

const struct fs_entries fs_tasks_of_service = {.list = list_of_service, .has = service_has};
const struct fs_entries fs_tasks_of_instance = {.list = list_of_instance, .has = instance_has};

int fs_task_link(struct fs_view *view, struct ecs_buf *target)
{
    return ecs_buf_addf(target, "../../../tasks/%s", view->id);
}
