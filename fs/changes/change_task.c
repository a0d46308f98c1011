/* SPDX-License-Identifier: Apache-2.0 */
/* What may be changed of tasks and of the instances they run on: protection, attributes. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "ecsfs/cleanup.h"
#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* ---- tasks/<id>/protection: "on [minutes]" or "off" ---- */

/* UpdateTaskProtection takes up to two days. */
enum { PROTECTED_MINUTES_MAX = 2880 };

static void protection_key(const struct fs_view *view, struct ecs_key *ret_key)
{
    *ret_key = (struct ecs_key){ECS_TASK_PROTECTION, view_cluster(view), view_task(view)};
}

/* Only tasks of services can be protected, and none that is being stopped (TASK_NOT_VALID). */
int fs_protection_present(struct fs_view *view)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    const char *group = ecs_doc_field(doc, "group"), *wanted = ecs_doc_field(doc, "desiredStatus");
    bool possible = group != NULL && strncmp(group, "service:", 8) == 0 && wanted != NULL &&
                    strcmp(wanted, "RUNNING") == 0;
    return possible ? 0 : -ENOENT;
}

/* The minutes that are left, as they would be written. */
static int add_protection(const struct fs_view *view, const json_t *protection, struct ecs_buf *text)
{
    if (!json_is_true(json_object_get(protection, "protectionEnabled")))
        return ecs_buf_adds(text, "off");
    const char *until = json_string_value(json_object_get(protection, "expirationDate"));
    int64_t until_ms;
    if (until == NULL || ecs_time_parse(until, &until_ms) < 0)
        return ecs_buf_adds(text, "on");
    int64_t left = (until_ms - fs_wall_ms(view->tree) + 59999) / 60000;
    return ecs_buf_addf(text, "on %lld", (long long)(left > 0 ? left : 0));
}

int fs_protection_show(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_key key;
    struct ecs_doc *doc;
    protection_key(view, &key);
    int r = fs_view_doc_of(view, &key, &doc);
    const struct ecs_error *error = r < 0 ? view->rq->want.error : NULL;
    if (error != NULL && strcmp(error->code, "TASK_NOT_VALID") == 0)
        return -ENOENT; /* it is just now being stopped, or not yet its service's: it has none for now */
    if (r != 0)
        return r;
    json_t *protection = ecs_doc_tree(doc);
    r = protection != NULL ? add_protection(view, protection, text) : -ENOMEM;
    json_decref(protection);
    return r;
}

/* -1: no such text; 0: off; else "on" for so many minutes (AWS's default is two hours). */
static int parse_protection(const char *text, int *ret_minutes)
{
    char rest;
    *ret_minutes = 0;
    if (strcmp(text, "off") == 0)
        return 0;
    if (strcmp(text, "on") == 0)
        return 1;
    if (sscanf(text, "on %d%c", ret_minutes, &rest) != 1 || *ret_minutes < 1 ||
        *ret_minutes > PROTECTED_MINUTES_MAX)
        return -1;
    return 1;
}

int fs_protection_store(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    int minutes, on = parse_protection(text, &minutes);
    if (on < 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "protection takes \"on\", \"on MINUTES\" (1 to %d) or \"off\"; got \"%.64s\"",
                       PROTECTED_MINUTES_MAX, text);
    json_t *input = json_pack("{s:s, s:[s], s:b}", "cluster", view_cluster(view), "tasks", view_task(view),
                              "protectionEnabled", on);
    if (input != NULL && minutes > 0)
        json_object_set_new(input, "expiresInMinutes", json_integer(minutes));
    struct ecs_key key;
    protection_key(view, &key);
    *ret_action = fs_action("ecs", "UpdateTaskProtection", input, ECS_EFFECT_UPDATE, &key, "protectedTasks");
    return *ret_action != NULL ? 0 : -ENOMEM;
}

/* ---- container-instances/<id>/attributes/<name> ---- */

static int attribute_action(struct fs_view *view, const char *operation, json_t *attribute,
                            struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s, s:[o]}", "cluster", view_cluster(view), "attributes", attribute);
    *ret_action = fs_action("ecs", operation, input, ECS_EFFECT_FORGET, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

int fs_attribute_store(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *attribute =
        json_pack("{s:s, s:s, s:s, s:s}", "name", view->id, "value", text, "targetType", "container-instance",
                  "targetId", fs_view_id_of(view, ECS_CONTAINER_INSTANCE));
    if (attribute == NULL)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "an attribute takes text in UTF-8");
    return attribute_action(view, "PutAttributes", attribute, ret_action);
}

static int delete_attribute(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *attribute = json_pack("{s:s, s:s, s:s}", "name", view->id, "targetType", "container-instance",
                                  "targetId", fs_view_id_of(view, ECS_CONTAINER_INSTANCE));
    return attribute_action(view, "DeleteAttributes", attribute, ret_action);
}

const struct fs_change fs_attribute_change = {.unlink = delete_attribute, .removes = "removes the attribute"};

/* ---- container-instances/<id> ---- */

/* AWS refuses while tasks run on it: drain it first. */
static int deregister_instance(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s, s:s}", "cluster", view->key.parent, "containerInstance", view->key.id);
    *ret_action = fs_action("ecs", "DeregisterContainerInstance", input, ECS_EFFECT_DELETE, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

const struct fs_change fs_instance_change = {.rmdir = deregister_instance,
                                             .removes = "deregisters the instance"};
