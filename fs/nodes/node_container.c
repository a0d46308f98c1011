/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/tasks/<task>/containers/<container>/: parts of the task's document. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "images/images.h"
#include "tree/nodes.h"
#include "tree/show.h"

/* The container the view is of: borrowed from the tree. */
static json_t *find_container(json_t *task, const char *name)
{
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(task, "containers"), i, container)
    {
        const char *its = json_string_value(json_object_get(container, "name"));
        if (its != NULL && name != NULL && strcmp(its, name) == 0)
            return container;
    }
    return NULL;
}

static int list_containers(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    json_t *task;
    int r = fs_view_tree(directory, &task);
    if (r != 0)
        return r;
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(task, "containers"), i, container)
    {
        const char *name = json_string_value(json_object_get(container, "name"));
        if (r == 0 && name != NULL)
            r = emit(arg, name);
    }
    json_decref(task);
    return r;
}

static int has_container(struct fs_view *child)
{
    json_t *task;
    int r = fs_view_tree(child, &task);
    if (r != 0)
        return r;
    r = find_container(task, child->id) != NULL ? 0 : -ENOENT;
    json_decref(task);
    return r;
}

static const struct fs_entries containers = {.list = list_containers, .has = has_container};

static int add_plain(struct ecs_buf *text, const json_t *value)
{
    if (json_is_string(value))
        fs_add_safe(text, json_string_value(value));
    else if (json_is_integer(value))
        ecs_buf_addf(text, "%lld", (long long)json_integer_value(value));
    else
        return -ENOENT;
    return text->failed;
}

/* A member of the container, named by the row's `field`. */
static int show_member(struct fs_view *view, struct ecs_buf *text)
{
    json_t *task;
    int r = fs_view_tree(view, &task);
    if (r != 0)
        return r;
    json_t *container = find_container(task, fs_view_nearest_id(view));
    json_t *value = container != NULL ? json_object_get(container, view->node->field) : NULL;
    r = value != NULL ? add_plain(text, value) : -ENOENT;
    json_decref(task);
    return r;
}

static int show_container(struct fs_view *view, struct ecs_buf *text)
{
    json_t *task;
    int r = fs_view_tree(view, &task);
    if (r != 0)
        return r;
    json_t *container = find_container(task, fs_view_nearest_id(view));
    r = container != NULL ? fs_canon_text(container, text) : -ENOENT;
    json_decref(task);
    return r;
}

/* ---- ecr-image: where in repositories/ ---- */

/* The repository of "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1", if that is the task's own
 * account and region, which its ARN tells; malloc'd. NULL: it is another's, or no ECR's. */
static char *own_repository(const char *arn, const char *image)
{
    char account[16], region[40], host[96];
    if (arn == NULL || image == NULL || sscanf(arn, "arn:%*[^:]:ecs:%39[^:]:%15[0-9]:", region, account) != 2)
        return NULL;
    size_t len = (size_t)snprintf(host, sizeof(host), "%s.dkr.ecr.%s.", account, region);
    const char *name = strncmp(image, host, len) == 0 ? strchr(image, '/') : NULL;
    return name != NULL ? strndup(name + 1, strcspn(name + 1, ":@")) : NULL;
}

static int image_link(struct fs_view *view, struct ecs_buf *target)
{
    json_t *task;
    int r = fs_view_tree(view, &task);
    if (r != 0)
        return r;
    const json_t *container = find_container(task, fs_view_nearest_id(view));
    const char *digest = json_string_value(json_object_get(container, "imageDigest"));
    cleanup_free char *repository = own_repository(json_string_value(json_object_get(task, "taskArn")),
                                                   json_string_value(json_object_get(container, "image")));
    r = -ENOENT;
    if (digest != NULL && fs_accept_digest(digest) && repository != NULL &&
        fs_accept_repository(repository)) {
        ecs_buf_adds(target, "../../../../../../repositories");
        r = fs_add_repository_path(repository, target);
        if (r == 0)
            r = ecs_buf_addf(target, "/images/%s", digest);
    }
    json_decref(task);
    return r;
}

static int has_image_link(struct fs_view *view)
{
    cleanup_buf struct ecs_buf target = ECS_BUF(4096);
    return image_link(view, &target);
}

static const struct fs_node container_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = show_container, .help = "all that AWS says of it"},
    {"status", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "lastStatus", .show = show_member},
    {"exit-code", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "exitCode", .show = show_member,
     .help = "once it has ended"},
    {"reason", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "reason", .show = show_member,
     .help = "why it ended, or could not start"},
    {"image", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "image", .show = show_member},
    {"image-digest", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "imageDigest", .show = show_member},
    {"ecr-image", FS_LINK, FS_OF_DOC | FS_MAYBE, .present = has_image_link, .target = image_link,
     .help = "link to that in repositories/, when it is of this registry"},
    {"health", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "healthStatus", .show = show_member},
    {0},
};

const struct fs_node fs_container_nodes[] = {
    {NULL, FS_DIR, .entries = &containers, .called = "<container>", .children = container_rows},
    {0},
};
