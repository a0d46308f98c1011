/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include <errno.h>
#include <jansson.h>

#include "ecsfs/json.h"
#include "tree_private.h"

char *fs_query_body(json_t *input)
{
    char *text = input != NULL ? ecs_json_text(input, JSON_COMPACT) : NULL;
    json_decref(input);
    return text;
}

int fs_query_begin(struct fs_query *query, const char *service, const char *operation, char *body,
                   bool reading)
{
    query->action =
        body != NULL ? ecs_action_new(service, operation, body, ECS_EFFECT_NONE, NULL, NULL) : NULL;
    if (query->action == NULL)
        return -ENOMEM;
    query->action->want_reply = true;
    query->action->call.writing = !reading;
    query->action->call.priority = reading ? ECS_PRIORITY_READ : ECS_PRIORITY_WRITE;
    return 0;
}

int fs_query_wait(struct fs_view *view, struct fs_query *query, json_t **ret_reply)
{
    int r = ecs_cache_act(view->tree->cache, &view->rq->want, query->action);
    if (r == FS_PARKED)
        return r;
    const struct ecs_error *error = query->action->error;
    if (r < 0 && error != NULL)
        r = fs_fail(view->rq, error->err, error->code, "%s", error->message);
    if (r == 0) {
        *ret_reply = json_loads(query->action->reply, 0, NULL);
        r = *ret_reply != NULL ? 0 : -ENOMEM;
    }
    fs_query_free(query);
    return r;
}

void fs_query_free(struct fs_query *query)
{
    query->action = ecs_action_unhold(query->action);
}
