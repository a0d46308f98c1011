/* SPDX-License-Identifier: Apache-2.0 */
/* A save's text as a person or a tool wrote it: anything AWS itself would say of the resource is
 * taken, and everything else refused by name, before anything is sent. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"

enum { WORDS_MAX = 4096, FAULTS_TOLD = 5 };

static const struct ecs_shape *input_shape(const struct fs_document *document, const char *operation)
{
    const struct ecs_api_operation *found =
        operation ? ecs_api_find(fs_document_service(document), operation) : NULL;
    const struct ecs_member *within =
        found && document->within ? ecs_shape_member(found->input, document->within) : NULL;
    return within ? within->shape : found ? found->input : NULL;
}

static bool one_of(const char *const *names, const char *name)
{
    while (names && *names && strcmp(*names, name) != 0)
        names++;
    return names && *names;
}

const struct ecs_member *fs_document_member(const struct fs_document *document, const char *name)
{
    const struct ecs_shape *input = input_shape(document, document->input);
    const struct ecs_shape *more = input_shape(document, document->more);
    const struct ecs_member *member = input ? ecs_shape_member(input, name) : NULL;
    if (!member && more)
        member = ecs_shape_member(more, name);
    return member && !one_of(document->hidden, name) ? member : NULL;
}

/* The shape of what describes it: the items' when the reply holds a list of them. */
static const struct ecs_shape *described_shape(const struct fs_document *document)
{
    const struct ecs_api_operation *found = ecs_api_find(fs_document_service(document), document->output);
    const struct ecs_member *member = found && found->output && document->described
                                          ? ecs_shape_member(found->output, document->described)
                                          : NULL;
    if (!member)
        return NULL;
    return member->shape->type == ECS_SHAPE_LIST ? member->shape->value : member->shape;
}

/* {"services": [{...}], "failures": []} and {"taskDefinition": {...}, "tags": [...]} hold the whole:
 * 1 with *ret_inner (borrowed), 0 when there is no wrapper, -EINVAL. */
static int find_wrapped(const struct fs_document *document, json_t *root, json_t **ret_inner,
                        struct ecs_error **ret_error)
{
    for (const char *const *wrapper = document->wrappers; *wrapper; wrapper++) {
        json_t *inner = json_object_get(root, *wrapper);
        if (json_is_array(inner) && json_array_size(inner) != 1) {
            *ret_error =
                ecs_error_new(-EINVAL, "InvalidDocument", "%s: holds %zu of them, where one is wanted",
                              *wrapper, json_array_size(inner));
            return -EINVAL;
        }
        if (json_is_array(inner))
            inner = json_array_get(inner, 0);
        if (json_is_object(inner)) {
            *ret_inner = inner;
            return 1;
        }
    }
    return 0;
}

/* Tags stand beside a task definition in a describe output. An empty list says nothing of them. */
static void bring_tags(json_t *root, json_t *inner)
{
    json_t *tags = json_object_get(root, "tags");
    if (json_array_size(tags) > 0 && !json_object_get(inner, "tags"))
        json_object_set(inner, "tags", tags);
}

static int unwrap(const struct fs_document *document, json_t **root, struct ecs_error **ret_error)
{
    json_t *inner;
    int r = find_wrapped(document, *root, &inner, ret_error);
    if (r <= 0)
        return r;
    bring_tags(*root, inner);
    json_incref(inner);
    json_decref(*root);
    *root = inner;
    return 0;
}

static bool is_dropped(const struct fs_document *document, const char *name)
{
    const struct ecs_shape *described = described_shape(document);
    return strcmp(name, "$schema") == 0 || one_of(document->hidden, name) ||
           (described && ecs_shape_member(described, name) && !fs_document_member(document, name));
}

/* A null is a member that is not there, at every depth. */
static void drop_nulls(json_t *value)
{
    const char *name;
    json_t *item;
    void *next;
    json_object_foreach_safe(value, next, name, item)
    {
        if (json_is_null(item))
            json_object_del(value, name);
        else
            drop_nulls(item);
    }
    size_t i;
    json_array_foreach(value, i, item) drop_nulls(item);
}

/* What a describe tells and an update does not take may also be further down: a capacity provider's
 * autoScalingGroupArn. What neither knows stays, to be told. */
static void drop_below(const struct ecs_shape *input, const struct ecs_shape *described, json_t *value)
{
    const char *name;
    json_t *item;
    void *next;
    size_t i;
    if (input == described || input->type != described->type)
        return;
    json_array_foreach(value, i, item)
    {
        if (input->type == ECS_SHAPE_LIST)
            drop_below(input->value, described->value, item);
    }
    if (input->type != ECS_SHAPE_STRUCTURE)
        return;
    json_object_foreach_safe(value, next, name, item)
    {
        const struct ecs_member *told = ecs_shape_member(described, name);
        const struct ecs_member *taken = ecs_shape_member(input, name);
        if (told && taken)
            drop_below(taken->shape, told->shape, item);
        else if (told)
            json_object_del(value, name);
    }
}

static void drop_read_only(const struct fs_document *document, json_t *wanted)
{
    const char *name;
    json_t *item;
    void *next;
    const struct ecs_shape *described = described_shape(document);
    json_object_foreach_safe(wanted, next, name, item)
    {
        const struct ecs_member *told = described ? ecs_shape_member(described, name) : NULL;
        const struct ecs_member *taken = fs_document_member(document, name);
        if (is_dropped(document, name))
            json_object_del(wanted, name);
        else if (told && taken)
            drop_below(taken->shape, told->shape, item);
    }
}

struct faults {
    const struct fs_document *document;
    const char *under; /* the member that is being checked */
    struct ecs_buf words;
    int told;
};

/* Ranges, patterns and enumerations are AWS's to judge: they change faster than we do. Missing members
 * too, at the top: UpdateService wants other ones than CreateService. */
static void tell_fault(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    struct faults *faults = arg;
    if (fault != ECS_FAULT_UNKNOWN && fault != ECS_FAULT_TYPE && fault != ECS_FAULT_MISSING)
        return;
    if (faults->told++ >= FAULTS_TOLD)
        return;
    ecs_buf_addf(&faults->words, "%s%s%s%s: %s", faults->words.len ? "; " : "", faults->under,
                 *place && *place != '[' ? "." : "", place, what);
}

static int check(const struct fs_document *document, json_t *wanted, struct ecs_error **ret_error)
{
    struct faults faults = {.document = document, .words = ECS_BUF(WORDS_MAX)};
    const char *name;
    json_t *item;
    json_object_foreach(wanted, name, item)
    {
        const struct ecs_member *member = fs_document_member(document, name);
        faults.under = name;
        if (member)
            ecs_shape_check(member->shape, item, tell_fault, &faults);
        else
            tell_fault(&faults, ECS_FAULT_UNKNOWN, "", "no such field");
    }
    if (faults.told)
        *ret_error = ecs_error_new(-EINVAL, "InvalidDocument", "this %s cannot be saved: %s%s",
                                   document->what, faults.words.data ? faults.words.data : "",
                                   faults.told > FAULTS_TOLD ? "; and more" : "");
    ecs_buf_free(&faults.words);
    return faults.told ? -EINVAL : 0;
}

static json_t *parse(const char *text, size_t len, struct ecs_error **ret_error)
{
    json_error_t where;
    json_t *root = json_loadb(text ? text : "", len, JSON_REJECT_DUPLICATES, &where);
    if (json_is_object(root))
        return root;
    if (root)
        *ret_error = ecs_error_new(-EINVAL, "InvalidDocument", "not a JSON object");
    else if (json_error_code(&where) == json_error_out_of_memory)
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    else
        *ret_error = ecs_error_new(-EINVAL, "InvalidDocument", "line %d, column %d: %s", where.line,
                                   where.column, where.text);
    json_decref(root);
    return NULL;
}

/* Of a whole answer ({"policyText": "{...}"}) the text is meant. */
static int unwrap_text(const struct fs_document *document, json_t **root, struct ecs_error **ret_error)
{
    const char *text = json_string_value(json_object_get(*root, document->text));
    if (!text)
        return 0;
    json_t *inner = parse(text, strlen(text), ret_error);
    if (!inner)
        return (*ret_error)->err;
    json_decref(*root);
    *root = inner;
    return 0;
}

int fs_document_read(const struct fs_document *document, const char *name, const char *text, size_t len,
                     json_t **ret_wanted, struct ecs_error **ret_error)
{
    json_t *wanted = parse(text, len, ret_error);
    if (!wanted)
        return (*ret_error)->err;
    int r = document->text ? unwrap_text(document, &wanted, ret_error) : unwrap(document, &wanted, ret_error);
    if (r == 0 && !document->text) {
        drop_nulls(wanted);
        if (document->complete)
            document->complete(wanted);
        drop_read_only(document, wanted);
        r = check(document, wanted, ret_error);
    }
    if (r == 0 && name && document->name &&
        json_object_set_new(wanted, document->name, json_string(name)) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        r = -ENOMEM;
    }
    if (r < 0) {
        json_decref(wanted);
        return r;
    }
    *ret_wanted = wanted;
    return 0;
}
