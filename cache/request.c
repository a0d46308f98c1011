/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of list and describe calls, made from the kinds' rows. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/json.h"
#include "state.h"

enum { ID_MAX = 4096 };

static json_t *object_of(const char *text)
{
    return text ? json_loads(text, 0, NULL) : json_object();
}

/* The parent's parts under their members: "cluster/service" is two. */
static int add_parents(json_t *input, const char *const names[2], const char *parent)
{
    if (!names[0])
        return 0;
    size_t len = names[1] ? strcspn(parent, "/") : strlen(parent);
    if (json_object_set_new(input, names[0], json_stringn(parent, len)) < 0)
        return -1;
    if (!names[1])
        return 0;
    const char *second = parent[len] ? parent + len + 1 : "";
    return json_object_set_new(input, names[1], json_string(second));
}

static char *dump(json_t *input)
{
    char *text = ecs_json_text(input, JSON_COMPACT);
    json_decref(input);
    return text;
}

size_t request_chains(const struct ecs_kind *kind)
{
    size_t n = 0;
    while (kind->list.inputs && kind->list.inputs[n])
        n++;
    return n ? n : 1;
}

char *request_list(const struct listing *listing, size_t chain, const char *next_token)
{
    const struct ecs_kind *kind = listing->kind;
    json_t *input = object_of(kind->list.inputs ? kind->list.inputs[chain] : NULL);
    int r = add_parents(input, kind->list.parents, listing->parent);
    if (r == 0 && kind->list.page)
        r = json_object_set_new(input, "maxResults", json_integer(kind->list.page));
    if (r == 0 && next_token)
        r = json_object_set_new(input, "nextToken", json_string(next_token));
    if (r < 0) {
        json_decref(input);
        return NULL;
    }
    return dump(input);
}

/* The row's format with the parent, the id and the root of ARNs put in. */
static json_t *make_plain_id(const struct listing *listing, const char *id)
{
    const char *format = listing->kind->describe.format;
    const char *const parts[] = {listing->parent, id, listing->arn_root ? listing->arn_root : ""};
    if (!format)
        return json_string(id);
    cleanup_buf struct ecs_buf text = ECS_BUF(ID_MAX);
    for (const char *at = format; *at;) {
        if (at[0] == '%' && at[1] >= '1' && at[1] <= '3' && at[2] == '$' && at[3] == 's') {
            ecs_buf_adds(&text, parts[at[1] - '1']);
            at += 4;
        } else {
            ecs_buf_add(&text, at++, 1);
        }
    }
    return text.failed ? NULL : json_string(text.data);
}

/* An id as AWS is given it. */
static json_t *make_id(const struct listing *listing, const char *id)
{
    const char *object = listing->kind->describe.object;
    json_t *plain = make_plain_id(listing, id);
    return object && plain ? json_pack("{s:o}", object, plain) : plain;
}

char *request_describe(const struct listing *listing, struct entry *const *entries, size_t n)
{
    const struct ecs_kind *kind = listing->kind;
    json_t *input = object_of(kind->describe.input);
    int r = add_parents(input, kind->describe.parents, listing->parent);
    if (r == 0 && kind->describe.ids && kind->describe.single)
        r = json_object_set_new(input, kind->describe.ids, make_id(listing, entries[0]->id));
    else if (r == 0 && kind->describe.ids) {
        json_t *ids = json_array();
        for (size_t i = 0; i < n && r == 0; i++)
            r = json_array_append_new(ids, make_id(listing, entries[i]->id));
        r |= json_object_set_new(input, kind->describe.ids, ids);
    }
    if (r != 0) {
        json_decref(input);
        return NULL;
    }
    return dump(input);
}

char *request_arn_root(const char *arn)
{
    size_t colons = 0, len = 0;
    while (arn[len] && !(arn[len] == ':' && ++colons == 5))
        len++;
    return arn[len] && strncmp(arn, "arn:", 4) == 0 ? strndup(arn, len) : NULL;
}
