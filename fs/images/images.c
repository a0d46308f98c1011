/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "repositories.h"
#include "tree/nodes.h"
#include "tree/rows.h"
#include "tree/tree_private.h"

/* Kept with an inode; made anew when anything shown changed since. */
struct index {
    uint64_t epoch;
    json_t *map;
};

static void free_index(void *memory)
{
    struct index *index = memory;
    json_decref(index->map);
    free(index);
}

static struct index *index_of(struct fs_inode *inode)
{
    struct fs_inode_more *more = inode != NULL ? fs_inode_more(inode) : NULL;
    if (more == NULL)
        return NULL;
    if (more->memory == NULL) {
        more->memory = calloc(1, sizeof(struct index));
        more->memory_free = free_index;
    }
    return more->memory;
}

/* Takes the map over. */
static void keep_index(struct index *index, json_t *map, uint64_t epoch)
{
    json_decref(index->map);
    index->map = map;
    index->epoch = epoch;
}

/* The outermost directory of the nest: right below it is the repository's name's first part. */
static struct fs_inode *nest_top(const struct fs_view *view)
{
    struct fs_inode *at = view->inode != NULL ? view->inode : view->parent, *top = NULL;
    for (; at != NULL; at = at->parent)
        if ((at->node->flags & FS_NESTS) != 0)
            top = at->parent;
    return top;
}

static struct fs_inode *repository_of(const struct fs_view *view)
{
    struct fs_inode *at = view->inode != NULL ? view->inode : view->parent;
    while (at != NULL && (at->node->flags & FS_NESTS) == 0)
        at = at->parent;
    return at;
}

/* ---- tags ---- */

static void add_tags(json_t *map, const struct ecs_doc *doc)
{
    if (ecs_doc_field(doc, "firstTag") == NULL)
        return;
    json_t *image = ecs_doc_tree(doc), *tag;
    const json_t *digest = json_object_get(image, "imageDigest");
    size_t i;
    json_array_foreach(json_object_get(image, "imageTags"), i, tag) if (json_is_string(tag) && digest != NULL)
        json_object_set(map, json_string_value(tag), (json_t *)digest);
    json_decref(image);
}

int fs_image_tags(struct fs_view *view, const json_t **ret_tags)
{
    const enum ecs_kind_id kind = fs_repositories_of(view)->image;
    struct ecs_key key = {kind, view_repository(view), ""};
    struct index *index = index_of(repository_of(view));
    const struct ecs_list *list;
    if (index == NULL || key.parent == NULL)
        return -ENOMEM;
    int r = fs_view_all(view, &key, &list);
    if (r != 0)
        return r;
    if (index->map == NULL || index->epoch != view->tree->epoch) {
        json_t *map = json_object();
        for (size_t i = 0; map != NULL && i < ecs_list_len(list); i++) {
            struct ecs_key image = {kind, key.parent, ecs_list_at(list, i)};
            const struct ecs_doc *doc = fs_view_known(view, &image);
            if (doc != NULL)
                add_tags(map, doc);
        }
        if (map == NULL)
            return -ENOMEM;
        keep_index(index, map, view->tree->epoch);
    }
    *ret_tags = index->map;
    return 0;
}

/* ---- who runs an image ---- */

/* "host/team/app:v1" and "host/team/app@sha256:..." are of "host/team/app"; a port's colon stands before a
 * slash. */
static size_t repository_len(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *name = slash != NULL ? slash : image;
    return (size_t)(name - image) + strcspn(name, ":@");
}

/* {"host/team/app@sha256:...": {"prod:3f2a...": true}} */
static int add_user(json_t *map, const json_t *container, const char *user)
{
    const char *image = json_string_value(json_object_get(container, "image"));
    const char *digest = json_string_value(json_object_get(container, "imageDigest"));
    cleanup_buf struct ecs_buf what = ECS_BUF(4096);
    if (image == NULL || digest == NULL)
        return 0;
    ecs_buf_addf(&what, "%.*s@%s", (int)repository_len(image), image, digest);
    if (what.failed != 0)
        return what.failed == -ENOMEM ? -ENOMEM : 0;
    json_t *users = json_object_get(map, what.data);
    if (users == NULL) {
        users = json_object();
        if (json_object_set_new(map, what.data, users) < 0)
            return -ENOMEM;
    }
    return json_object_set_new(users, user, json_true()) < 0 ? -ENOMEM : 0;
}

static int add_task(json_t *map, const char *cluster, const char *id, const struct ecs_doc *doc)
{
    const char *status = ecs_doc_field(doc, "lastStatus");
    cleanup_buf struct ecs_buf user = ECS_BUF(1024);
    if (status == NULL || strcmp(status, "RUNNING") != 0)
        return 0;
    json_t *task = ecs_doc_tree(doc), *container;
    int r = task != NULL ? ecs_buf_addf(&user, "%s:%s", cluster, id) : -ENOMEM;
    size_t i;
    json_array_foreach(json_object_get(task, "containers"), i, container) if (r == 0) r =
        add_user(map, container, user.data);
    json_decref(task);
    return r;
}

static int add_cluster(struct fs_view *view, const char *cluster, json_t *map)
{
    struct ecs_key key = {ECS_TASK, cluster, ""};
    const struct ecs_list *list;
    int r = fs_view_all(view, &key, &list);
    for (size_t i = 0; r == 0 && map != NULL && i < ecs_list_len(list); i++) {
        struct ecs_key task = {ECS_TASK, cluster, ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(view, &task);
        if (doc != NULL)
            r = add_task(map, cluster, task.id, doc);
    }
    return r;
}

/* With a map, fills it; without, only makes sure that all is known and fresh. */
static int look_at_tasks(struct fs_view *view, json_t *map)
{
    struct ecs_key key = {ECS_CLUSTER, "", ""};
    const struct ecs_list *clusters;
    int r = fs_view_list(view, &key, &clusters);
    for (size_t i = 0; r == 0 && i < ecs_list_len(clusters); i++)
        r = add_cluster(view, ecs_list_at(clusters, i), map);
    return r;
}

int fs_image_users(struct fs_view *view, const char *uri, const char *digest, const json_t **ret_users)
{
    struct index *index = index_of(nest_top(view));
    cleanup_buf struct ecs_buf what = ECS_BUF(4096);
    if (index == NULL)
        return -ENOMEM;
    int r = look_at_tasks(view, NULL);
    if (r == 0 && (index->map == NULL || index->epoch != view->tree->epoch)) {
        json_t *map = json_object();
        r = map != NULL ? look_at_tasks(view, map) : -ENOMEM;
        if (r == 0)
            keep_index(index, map, view->tree->epoch);
        else
            json_decref(map);
    }
    if (r == 0)
        r = ecs_buf_addf(&what, "%s@%s", uri, digest);
    if (r == 0)
        *ret_users = json_object_get(index->map, what.data);
    return r;
}

int fs_add_way_up(const struct fs_view *link, struct ecs_buf *target)
{
    const struct fs_inode *top = nest_top(link);
    ecs_buf_adds(target, "..");
    for (const struct fs_inode *at = link->parent; at != NULL && at != top; at = at->parent)
        ecs_buf_adds(target, "/..");
    return target->failed;
}

/* The row whose ids nest, in a table that has one. */
static const struct fs_node *nested_row(const struct fs_node *rows)
{
    while ((rows->flags & FS_NESTS) == 0)
        rows++;
    return rows;
}

int fs_add_repository_path(const char *name, struct ecs_buf *target)
{
    static const struct fs_node top = {.children = fs_repository_nodes},
                                below = {.children = fs_repository_rows};
    for (size_t len = strcspn(name, "/");; len += 1 + strcspn(name + len + 1, "/")) {
        const struct fs_node *directory = memchr(name, '/', len) != NULL ? &below : &top;
        cleanup_free char *id = strndup(name, len);
        cleanup_free char *part =
            id != NULL ? fs_row_name(directory, nested_row(directory->children), id) : NULL;
        if (part == NULL)
            return -ENOMEM;
        ecs_buf_addf(target, "/%s", part);
        if (name[len] == '\0')
            return target->failed;
    }
}
