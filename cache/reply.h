/* SPDX-License-Identifier: Apache-2.0 */
/* What a digest makes of a decoded reply, on the backend's thread: ids, documents and per-item errors. It
 * touches no state of the cache. */
#ifndef CACHE_REPLY_H
#define CACHE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "ecsfs/backend.h"
#include "ecsfs/doc.h"
#include "ecsfs/kind.h"

struct json_t;

struct reply_item {
    char *id;                /* NULL: the one that was asked for */
    struct ecs_doc *doc;     /* may be NULL */
    struct ecs_error *error; /* AWS's failure of this one item; NULL with doc NULL: not there */
};

struct reply {
    struct reply_item *items;
    size_t len, size;
    char *next_token;
    char *arn;  /* the first ARN that a page names, or NULL */
    char *text; /* of the whole, when asked for */
};

struct reply *reply_free(struct reply *reply); /* NULL is fine; returns NULL */
static inline void reply_free_p(struct reply **reply)
{
    *reply = reply_free(*reply);
}
#define cleanup_reply __attribute__((cleanup(reply_free_p)))

/* All set *ret_reply and return NULL, or return the error. */
struct ecs_error *reply_read_page(const struct ecs_kind *kind, const char *parent, const struct json_t *tree,
                                  struct reply **ret_reply);
struct ecs_error *reply_read_docs(const struct ecs_kind *kind, const char *operation,
                                  const struct json_t *tree, struct reply **ret_reply);
/* Of a changing call; `before` (may be NULL) gives the tags where the reply lacks them. */
struct ecs_error *reply_read_written(const struct ecs_kind *kind, const char *operation, const char *member,
                                     const char *beside, const struct json_t *tree,
                                     const struct ecs_doc *before, struct reply **ret_reply);

/* The id within what AWS calls a resource; borrowed from it. */
const char *reply_id_of(enum ecs_id_form form, const char *text);

#endif
