/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"

int fs_plan_add(struct fs_plan *plan, const char *operation, json_t *input, struct fs_plan_call **ret_call)
{
    if (!input)
        return -ENOMEM;
    if (plan->len == FS_PLAN_CALLS) {
        json_decref(input);
        return -ENOMEM;
    }
    struct fs_plan_call *call = &plan->calls[plan->len++];
    *call = (struct fs_plan_call){.operation = operation, .input = input};
    *ret_call = call;
    return 0;
}

void fs_plan_free(struct fs_plan *plan)
{
    for (size_t i = 0; i < plan->len; i++)
        json_decref(plan->calls[i].input);
    *plan = (struct fs_plan){0};
}

void fs_plan_describe(const struct fs_plan *plan, size_t next, const char *became, struct ecs_buf *text)
{
    for (size_t i = 0; i < plan->len; i++)
        ecs_buf_addf(text, "%s%s %s", i > 0 ? ", " : "", plan->calls[i].operation,
                     i < next    ? "was done"
                     : i == next ? became
                                 : "was not sent");
}

/* The structure that knows the member: defaults are written by its name. */
static const struct ecs_shape *shape_of_member(const struct fs_document *document, const char *name)
{
    const char *operations[] = {document->input, document->more};
    for (size_t i = 0; i < 2 && operations[i]; i++) {
        const struct ecs_api_operation *found = ecs_api_find(fs_document_service(document), operations[i]);
        if (found && found->input && ecs_shape_member(found->input, name))
            return found->input;
    }
    return NULL;
}

json_t *fs_document_differences(const struct fs_document *document, const json_t *wanted, const json_t *now)
{
    json_t *differences = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)wanted, name, value)
    {
        const struct ecs_shape *shape = shape_of_member(document, name);
        if (!shape || (document->name && strcmp(name, document->name) == 0))
            continue;
        if (fs_canon_member_equal(shape, name, value, json_object_get(now, name)))
            continue;
        if (json_object_set(differences, name, value) < 0) {
            json_decref(differences);
            return NULL;
        }
    }
    return differences;
}

/* ---- what a save leaves out ---- */

static const struct fs_unset *unset_of(const struct fs_document *document, const char *name)
{
    const struct fs_unset *unset = document->unset;
    while (unset && unset->member && strcmp(unset->member, name) != 0)
        unset++;
    return unset && unset->member ? unset : NULL;
}

static void tell_left_out(const struct fs_document *document, const struct ecs_shape *shape, const char *name,
                          const json_t *value, struct ecs_buf *words)
{
    const struct fs_unset *unset = unset_of(document, name);
    const char *none = unset ? unset->value : fs_canon_default(shape, name);
    cleanup_free char *is = ecs_json_text(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    ecs_buf_addf(words, "%s%s (it is %.200s%s%s)", words->len ? ", " : "", name, is ? is : "set",
                 none ? "; to unset it write " : "", none ? none : "");
}

int fs_document_left_out(const struct fs_document *document, const json_t *wanted, const json_t *shown,
                         json_t *differences, struct ecs_error **ret_error)
{
    cleanup_buf struct ecs_buf words = ECS_BUF(8192);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)shown, name, value)
    {
        const struct ecs_shape *shape = shape_of_member(document, name);
        if (json_object_get(wanted, name) || !shape || fs_canon_member_equal(shape, name, NULL, value))
            continue;
        const struct fs_unset *unset = unset_of(document, name);
        if (!unset || !unset->sent)
            tell_left_out(document, shape, name, value, &words);
        else if (json_object_set_new(differences, name, json_loads(unset->value, 0, NULL)) < 0)
            words.failed = -ENOMEM;
    }
    if (words.len == 0 && !words.failed)
        return 0;
    *ret_error = words.failed
                     ? ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory")
                     : ecs_error_new(-EINVAL, "LeftOut",
                                     "left out, and that unsets nothing at AWS: %s. A save is of the "
                                     "whole %s: what is read, with the changes in it",
                                     words.data, document->what);
    return words.failed ? -ENOMEM : -EINVAL;
}
