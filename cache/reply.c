/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "field_path.h"

static struct ecs_error *out_of_memory(void)
{
    return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
}

static struct ecs_error *malformed(const char *operation, const char *member)
{
    return ecs_error_new(-EPROTO, "MalformedReply", "the reply of %s has no %s", operation,
                         member ? member : "object");
}

struct reply *reply_free(struct reply *reply)
{
    if (!reply)
        return NULL;
    for (size_t i = 0; i < reply->len; i++) {
        free(reply->items[i].id);
        ecs_doc_unref(reply->items[i].doc);
        ecs_error_unref(reply->items[i].error);
    }
    free(reply->items);
    free(reply->next_token);
    free(reply->arn);
    free(reply->text);
    free(reply);
    return NULL;
}

/* Takes over doc and error, also on failure. id is copied. 0 or -ENOMEM. */
static int add_item(struct reply *reply, const char *id, struct ecs_doc *doc, struct ecs_error *error)
{
    if (reply->len == reply->size) {
        size_t size = reply->size ? reply->size * 2 : 16;
        struct reply_item *items = realloc(reply->items, size * sizeof(*items));
        if (!items)
            goto no_memory;
        reply->items = items;
        reply->size = size;
    }
    char *copy = id ? strdup(id) : NULL;
    if (id && !copy)
        goto no_memory;
    reply->items[reply->len++] = (struct reply_item){copy, doc, error};
    return 0;
no_memory:
    ecs_doc_unref(doc);
    ecs_error_unref(error);
    return -ENOMEM;
}

const char *reply_id_of(enum ecs_id_form form, const char *text)
{
    const char *after = form == ECS_ID_NAME       ? strrchr(text, '/')
                        : form == ECS_ID_REVISION ? strrchr(text, ':')
                                                  : NULL;
    return after ? after + 1 : text;
}

/* The id as text: revisions are numbers. */
static const char *id_text(const json_t *value, enum ecs_id_form form, char number[24])
{
    if (json_is_integer(value)) {
        snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return number;
    }
    const char *text = json_string_value(value);
    text = text ? reply_id_of(form, text) : NULL;
    return text && *text ? text : NULL;
}

/* Whether "arn:...:task-definition/web:12" is of the family web, not of web-2. */
static bool of_family(const char *arn, const char *family)
{
    const char *name = strrchr(arn, '/');
    name = name ? name + 1 : arn;
    size_t len = strlen(family);
    return strncmp(name, family, len) == 0 && (name[len] == ':' || !name[len]);
}

/* The object with its member `beside` put in from the reply. A new reference. */
static json_t *with_beside(const json_t *object, const json_t *tree, const char *beside)
{
    json_t *value = beside ? json_object_get(tree, beside) : NULL;
    if (!value)
        return json_incref((json_t *)object);
    json_t *copy = json_copy((json_t *)object);
    if (copy)
        json_object_set(copy, beside, value);
    return copy;
}

static int add_doc(struct reply *reply, const struct ecs_kind *kind, const char *id, const json_t *object)
{
    struct ecs_doc *doc = ecs_doc_new(kind, object);
    return doc ? add_item(reply, id, doc, NULL) : -ENOMEM;
}

struct ecs_error *reply_read_page(const struct ecs_kind *kind, const char *parent, const struct json_t *tree,
                                  struct reply **ret_reply)
{
    const json_t *array = json_object_get(tree, kind->list.member), *item;
    const char *token = json_string_value(json_object_get(tree, "nextToken"));
    cleanup_reply struct reply *reply = calloc(1, sizeof(*reply));
    if (!reply)
        return out_of_memory();
    if (!json_is_array(array))
        return malformed(kind->list.operation, kind->list.member);
    size_t i;
    json_array_foreach((json_t *)array, i, item)
    {
        const char *text = json_string_value(kind->list.item ? json_object_get(item, kind->list.item) : item);
        if (!text)
            return malformed(kind->list.operation, kind->list.item ? kind->list.item : "name");
        if (kind->list.exact_parent && !of_family(text, parent))
            continue;
        if (!reply->arn && strncmp(text, "arn:", 4) == 0)
            reply->arn = strdup(text);
        const char *id = reply_id_of(kind->list.ids, text);
        if (!*id)
            continue;
        int r = kind->list.describes ? add_doc(reply, kind, id, item) : add_item(reply, id, NULL, NULL);
        if (r < 0)
            return out_of_memory();
    }
    if (token && *token && !(reply->next_token = strdup(token)))
        return out_of_memory();
    *ret_reply = steal(reply);
    return NULL;
}

/* failures[] of an answer with status 200: each is the error of one item. A reason of MISSING is no
 * error: the item is not there. */
static struct ecs_error *failure_error(const char *operation, const json_t *failure, int writing)
{
    const char *reason = json_string_value(json_object_get(failure, "reason"));
    const char *detail = json_string_value(json_object_get(failure, "detail"));
    const char *arn = json_string_value(json_object_get(failure, "arn"));
    if (!reason) { /* ECR's words for them */
        reason = json_string_value(json_object_get(failure, "failureCode"));
        detail = json_string_value(json_object_get(failure, "failureReason"));
    }
    struct ecs_error *error = ecs_error_from_aws(operation, 400, reason ? reason : "Failure",
                                                 detail ? detail : reason, "", writing);
    int err = 0;
    if (reason && strcmp(reason, "MISSING") == 0)
        err = -ENOENT;
    else if (reason && (strncmp(reason, "RESOURCE", 8) == 0 || strcmp(reason, "AGENT") == 0))
        err = -EBUSY; /* no instance has room, or its agent is away: it may work later */
    return arn || err ? ecs_error_context(error, err, "%s", arn ? arn : "") : error;
}

/* ECR's failures: {"imageId": {"imageDigest": ...}, "failureCode": ..., "failureReason": ...}. */
static int add_image_failure(struct reply *reply, const char *operation, const json_t *failure)
{
    const char *id = json_string_value(ecs_field_at(failure, "imageId.imageDigest", NULL));
    const char *code = json_string_value(json_object_get(failure, "failureCode"));
    const char *reason = json_string_value(json_object_get(failure, "failureReason"));
    if (!id || !code)
        return 0;
    struct ecs_error *error = ecs_error_from_aws(operation, 400, code, reason ? reason : code, "", 0);
    if (error->err == -ENOENT)
        error = ecs_error_unref(error);
    return add_item(reply, id, NULL, error);
}

static int add_failures(struct reply *reply, const struct ecs_kind *kind, const char *operation,
                        const json_t *tree)
{
    const json_t *failures = json_object_get(tree, "failures"), *failure;
    size_t i;
    json_array_foreach((json_t *)failures, i, failure)
    {
        const char *arn = json_string_value(json_object_get(failure, "arn"));
        const char *reason = json_string_value(json_object_get(failure, "reason"));
        if (add_image_failure(reply, operation, failure) < 0)
            return -ENOMEM;
        if (!arn || !reason)
            continue;
        enum ecs_id_form form = kind->describe.id_form == ECS_ID_PLAIN ? ECS_ID_NAME : kind->describe.id_form;
        const char *id = reply_id_of(form, arn);
        struct ecs_error *error =
            strcmp(reason, "MISSING") == 0 ? NULL : failure_error(operation, failure, 0);
        if (add_item(reply, id, NULL, error) < 0)
            return -ENOMEM;
    }
    return 0;
}

struct ecs_error *reply_read_docs(const struct ecs_kind *kind, const char *operation,
                                  const struct json_t *tree, struct reply **ret_reply)
{
    char number[24];
    const json_t *found = kind->describe.member ? json_object_get(tree, kind->describe.member) : tree;
    cleanup_reply struct reply *reply = calloc(1, sizeof(*reply));
    if (!reply)
        return out_of_memory();
    if (kind->describe.single) {
        if (!json_is_object(found))
            return malformed(operation, kind->describe.member);
        json_t *object = with_beside(found, tree, kind->describe.beside);
        int r = object ? add_doc(reply, kind, NULL, object) : -ENOMEM;
        json_decref(object);
        if (r < 0)
            return out_of_memory();
        *ret_reply = steal(reply);
        return NULL;
    }
    if (found && !json_is_array(found))
        return malformed(operation, kind->describe.member);
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)found, i, item)
    {
        const char *id = id_text(ecs_field_at(item, kind->describe.id, NULL), kind->describe.id_form, number);
        if (!id)
            return malformed(operation, kind->describe.id);
        if (add_doc(reply, kind, id, item) < 0)
            return out_of_memory();
    }
    if (add_failures(reply, kind, operation, tree) < 0)
        return out_of_memory();
    *ret_reply = steal(reply);
    return NULL;
}

/* Replies of changing calls leave the tags out, which those calls cannot have changed: without them the
 * document would seem to lose them until the next describe. */
static json_t *with_old_tags(json_t *object, const struct ecs_doc *before)
{
    if (!before || json_object_get(object, "tags"))
        return object;
    json_t *old = ecs_doc_tree(before);
    json_t *tags = json_object_get(old, "tags");
    json_t *copy = tags ? json_copy(object) : NULL;
    if (copy) {
        json_object_set(copy, "tags", tags);
        json_decref(object);
        object = copy;
    }
    json_decref(old);
    return object;
}

static int add_written(struct reply *reply, const struct ecs_kind *kind, const json_t *object,
                       const json_t *tree, const char *beside, const struct ecs_doc *before)
{
    char number[24];
    const char *id = kind->describe.id
                         ? id_text(json_object_get(object, kind->describe.id), kind->describe.id_form, number)
                         : NULL;
    json_t *whole = with_beside(object, tree, beside);
    if (!whole)
        return -ENOMEM;
    whole = with_old_tags(whole, before);
    int r = add_doc(reply, kind, id, whole);
    json_decref(whole);
    return r;
}

struct ecs_error *reply_read_written(const struct ecs_kind *kind, const char *operation, const char *member,
                                     const char *beside, const struct json_t *tree,
                                     const struct ecs_doc *before, struct reply **ret_reply)
{
    const json_t *found = member ? json_object_get(tree, member) : tree, *item;
    cleanup_reply struct reply *reply = calloc(1, sizeof(*reply));
    if (!reply)
        return out_of_memory();
    int r = 0;
    size_t i;
    if (json_is_object(found) && json_object_size(found) > 0)
        r = add_written(reply, kind, found, tree, beside, before);
    json_array_foreach((json_t *)found, i, item)
    {
        if (r == 0 && json_is_object(item))
            r = add_written(reply, kind, item, tree, beside, NULL);
    }
    if (r < 0)
        return out_of_memory();
    const json_t *failure = json_array_get(json_object_get(tree, "failures"), 0);
    if (failure && reply->len == 0)
        return failure_error(operation, failure, 1);
    *ret_reply = steal(reply);
    return NULL;
}
