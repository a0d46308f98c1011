/* SPDX-License-Identifier: Apache-2.0 */
/* task-definitions/<family>/latest.json: the newest ACTIVE revision as RegisterTaskDefinition takes
 * it. A save registers the next one; tags are not in it, but are carried over unless it names some. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "document.h"

static const struct ecs_shape *input(void)
{
    return ecs_api_find("ecs", "RegisterTaskDefinition")->input;
}

/* Without its tags, which are not of the document. */
static json_t *untagged(const json_t *definition)
{
    json_t *copy = json_copy((json_t *)definition);
    json_object_del(copy, "tags");
    return copy;
}

static json_t *render(const json_t *described)
{
    json_t *plain = untagged(described);
    json_t *document = plain ? fs_canon(input(), plain, FS_CANON_SHOW) : NULL;
    json_decref(plain);
    return document;
}

/* Tags count only where the save names them. */
static bool same(const json_t *wanted, const json_t *now)
{
    if (!now)
        return false;
    json_t *a = untagged(wanted), *b = untagged(now);
    const json_t *tags = json_object_get(wanted, "tags");
    bool equal = a && b && fs_canon_equal(input(), a, b) &&
                 (!tags || fs_canon_member_equal(input(), "tags", tags, json_object_get(now, "tags")));
    json_decref(a);
    json_decref(b);
    return equal;
}

/* A registration whose answer was lost: is the newest revision what was sent? */
static bool registered(const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL);
    json_t *newest = now ? ecs_doc_tree(now) : NULL;
    bool equal = sent && newest && same(sent, newest);
    json_decref(sent);
    json_decref(newest);
    return equal;
}

/* AWS's own tags come by themselves, and may not be sent. */
static json_t *carried_tags(const json_t *now)
{
    json_t *carried = json_array();
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(now, "tags"), i, tag)
    {
        const char *key = json_string_value(json_object_get(tag, "key"));
        if (key && strncmp(key, "aws:", 4) != 0)
            json_array_append(carried, tag);
    }
    return carried;
}

static int plan(const struct fs_save *save, struct fs_plan *ret_plan, struct ecs_error **ret_error)
{
    if (same(save->wanted, save->now))
        return 0;
    json_t *body = json_copy((json_t *)save->wanted);
    if (body && !json_object_get(body, "tags")) {
        json_t *tags = carried_tags(save->now);
        if (json_array_size(tags) > 0)
            json_object_set(body, "tags", tags);
        json_decref(tags);
    } else if (body && json_array_size(json_object_get(body, "tags")) == 0)
        json_object_del(body, "tags"); /* AWS refuses an empty list */
    struct fs_plan_call *call;
    if (fs_plan_add(ret_plan, "RegisterTaskDefinition", body, &call) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return -ENOMEM;
    }
    call->effect = ECS_EFFECT_CREATE;
    call->key = (struct ecs_key){ECS_REVISION, save->key.id, ""};
    call->id_from_reply = true; /* AWS numbers it */
    call->member = "taskDefinition";
    call->beside = "tags";
    call->happened = registered;
    return 0;
}

const struct fs_document fs_task_definition_document = {
    .what = "task definition",
    .kind = ECS_FAMILY,
    .input = "RegisterTaskDefinition",
    .output = "DescribeTaskDefinition",
    .described = "taskDefinition",
    .wrappers = (const char *const[]){"taskDefinition", NULL},
    .name = "family",
    .creates = true,
    .render = render,
    .plan = plan,
};
