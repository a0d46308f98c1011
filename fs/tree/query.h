/* SPDX-License-Identifier: Apache-2.0 */
/* A call whose answer is good for this request only: it goes past the cache, and is not journaled, for it
 * changes nothing that a user sees. */
#ifndef FS_QUERY_H
#define FS_QUERY_H

#include "node.h"

struct json_t;

struct fs_query {
    struct ecs_action *action; /* under way; NULL: none */
};

/* Begins it, unless one is under way; the body (malloc'd JSON; NULL: out of memory) is taken over. `reading`:
 * it may be sent again. 0 or -ENOMEM. */
int fs_query_begin(struct fs_query *query, const char *service, const char *operation, char *body,
                   bool reading);
/* FS_PARKED until it has come; then 0 with the whole reply, a new reference, or -errno, told to the user.
 * Either way the query may begin anew. */
int fs_query_wait(struct fs_view *view, struct fs_query *query, struct json_t **ret_reply);
void fs_query_free(struct fs_query *query);

/* JSON text of an input, which is taken over; NULL: out of memory. */
char *fs_query_body(struct json_t *input);

#endif
