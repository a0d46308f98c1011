/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"

static const double keep_ms = 24 * 3600e3;

struct token {
    struct record record; /* first; its ARN is "token/<operation>/<clientToken>" */
    json_t *request, *arns;
    struct timer forget;
};

static char *key_of(struct request *rq)
{
    const char *text = in_text(rq->in, "clientToken");
    cleanup_buf struct ecs_buf key = ECS_BUF(1024);
    ecs_buf_addf(&key, "token/%s/%s", rq->operation->name, text ? text : "");
    return text && !key.failed ? ecs_buf_steal(&key, NULL) : NULL;
}

static void token_free(struct token *token)
{
    struct region *region = token->record.region;
    timer_disarm(&region->world->timers, &token->forget);
    index_remove(&region->tokens, token->record.arn);
    json_decref(token->request);
    json_decref(token->arns);
    record_free(&token->record);
    free(token);
}

static void forget(struct timer *timer)
{
    struct token *token = container_of(timer, struct token, forget);
    record_delete(&token->record);
    token_free(token);
}

static struct token *token_new(struct region *region, char *key)
{
    struct token *token = calloc(1, sizeof(*token));
    if (!token || record_init(&token->record, &token_kind, region, key) < 0 ||
        index_put(&region->tokens, key, token) < 0) {
        free(token);
        return NULL;
    }
    token->forget.fire = forget;
    world_later(region->world, &token->forget, keep_ms);
    return token;
}

const json_t *token_find(struct request *rq, bool *ret_conflict)
{
    cleanup_free char *key = key_of(rq);
    struct token *token = key ? index_get(&rq->region->tokens, key) : NULL;
    *ret_conflict = token && !json_equal(token->request, rq->in);
    return token ? token->arns : NULL;
}

void token_remember(struct request *rq, json_t *arns)
{
    char *key = key_of(rq);
    struct token *token = key ? token_new(rq->region, key) : NULL;
    if (token) {
        token->request = json_deep_copy(rq->in);
        token->arns = arns;
    } else {
        json_decref(arns);
    }
}

void tokens_free_all(struct region *region)
{
    for (size_t i = 0; i < region->tokens.size; i++)
        if (region->tokens.slots[i].value)
            token_free(region->tokens.slots[i].value);
    index_free(&region->tokens);
}

static json_t *dump(const struct record *record)
{
    const struct token *token = (const struct token *)record;
    return json_pack("{s:O, s:O}", "request", token->request, "arns", token->arns);
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    struct token *token = token_new(region, strdup(arn));
    if (!token)
        return -ENOMEM;
    token->request = json_incref(json_object_get(body, "request"));
    token->arns = json_incref(json_object_get(body, "arns"));
    return 0;
}

const struct record_kind token_kind = {"token", dump, load};
