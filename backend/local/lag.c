/* SPDX-License-Identifier: Apache-2.0 */
#include "lag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* What is remembered is bounded: of one question the newest answer then takes the last one's place, of
 * too many questions all are forgotten. */
enum { ANSWERS_MAX = 256, QUESTIONS_MAX = 4096 };

struct answer {
    STAILQ_ENTRY(answer) link;
    int64_t at;       /* monotonic: when it was so */
    uint64_t changes; /* how far the world had come then */
    json_t *reply;
    struct ecs_error *error;
};

struct question {
    STAILQ_ENTRY(question) link;
    STAILQ_HEAD(answers, answer) answers; /* oldest first */
    unsigned count;
    char key[];
};

struct mark {
    STAILQ_ENTRY(mark) link;
    int64_t at;
    uint64_t sequence, changes; /* the newest record of that time; how far the world had come */
};

struct lag {
    int64_t ms;
    struct index by_key;
    STAILQ_HEAD(, question) questions;
    unsigned count;
    STAILQ_HEAD(, mark) marks;
    uint64_t changes; /* of the last mark */
};

struct lag *lag_new(int64_t ms)
{
    struct lag *lag = calloc(1, sizeof(*lag));
    if (!lag)
        return NULL;
    lag->ms = ms;
    STAILQ_INIT(&lag->questions);
    STAILQ_INIT(&lag->marks);
    return lag;
}

int64_t lag_ms(const struct lag *lag)
{
    return lag ? lag->ms : 0;
}

static void drop_answer(struct question *question)
{
    struct answer *answer = STAILQ_FIRST(&question->answers);
    STAILQ_REMOVE_HEAD(&question->answers, link);
    question->count--;
    json_decref(answer->reply);
    ecs_error_unref(answer->error);
    free(answer);
}

static void forget_questions(struct lag *lag)
{
    struct question *question;
    index_free(&lag->by_key);
    lag->by_key = (struct index){0};
    lag->count = 0;
    while ((question = STAILQ_FIRST(&lag->questions))) {
        STAILQ_REMOVE_HEAD(&lag->questions, link);
        while (!STAILQ_EMPTY(&question->answers))
            drop_answer(question);
        free(question);
    }
}

static void drop_mark(struct lag *lag)
{
    struct mark *mark = STAILQ_FIRST(&lag->marks);
    STAILQ_REMOVE_HEAD(&lag->marks, link);
    free(mark);
}

struct lag *lag_free(struct lag *lag)
{
    if (!lag)
        return NULL;
    forget_questions(lag);
    while (!STAILQ_EMPTY(&lag->marks))
        drop_mark(lag);
    free(lag);
    return NULL;
}

void lag_note(struct lag *lag, const struct world *world)
{
    const struct mark *second;
    if (STAILQ_EMPTY(&lag->marks) || lag->changes != world->changes) {
        struct mark *mark = calloc(1, sizeof(*mark));
        if (!mark)
            return; /* then what is new is seen a little later */
        mark->at = world->now;
        mark->sequence = world->sequence;
        mark->changes = lag->changes = world->changes;
        STAILQ_INSERT_TAIL(&lag->marks, mark, link);
    }
    while ((second = STAILQ_NEXT(STAILQ_FIRST(&lag->marks), link)) && second->at <= world->now - lag->ms)
        drop_mark(lag);
}

static void keep(struct question *question, int64_t at, uint64_t changes, json_t *reply,
                 struct ecs_error *error)
{
    struct answer *answer = calloc(1, sizeof(*answer));
    if (!answer) {
        json_decref(reply);
        ecs_error_unref(error);
        return;
    }
    *answer = (struct answer){.at = at, .changes = changes, .reply = reply, .error = error};
    STAILQ_INSERT_TAIL(&question->answers, answer, link);
    question->count++;
}

/* Asks the world as it is, or (mark) without what has been made since. */
static void ask(struct request *rq, struct question *question, int64_t at, const struct mark *mark)
{
    rq->world->hidden_from = mark ? mark->sequence + 1 : 0;
    json_t *reply = rq->operation->handler(rq);
    rq->world->hidden_from = 0;
    keep(question, at, mark ? mark->changes : rq->world->changes, reply, steal(rq->error));
}

static struct question *question_of(struct lag *lag, const struct request *rq)
{
    cleanup_free char *in = json_dumps(rq->in, JSON_COMPACT | JSON_SORT_KEYS);
    cleanup_free char *key = NULL;
    if (!in || asprintf(&key, "%s %s %s", rq->region->name, rq->operation->name, in) < 0)
        return NULL;
    struct question *question = index_get(&lag->by_key, key);
    if (question)
        return question;
    if (lag->count >= QUESTIONS_MAX)
        forget_questions(lag);
    size_t len = strlen(key) + 1;
    question = calloc(1, sizeof(*question) + len);
    if (!question)
        return NULL;
    memcpy(question->key, key, len);
    STAILQ_INIT(&question->answers);
    if (index_put(&lag->by_key, question->key, question) < 0) {
        free(question);
        return NULL;
    }
    STAILQ_INSERT_TAIL(&lag->questions, question, link);
    lag->count++;
    return question;
}

/* The answer that was given before `then`, when nothing has changed from there until then; else the first
 * that was given later. */
static const struct answer *choose(const struct question *question, int64_t then, uint64_t changes)
{
    const struct answer *answer = STAILQ_FIRST(&question->answers);
    if (answer && answer->at <= then && answer->changes != changes && STAILQ_NEXT(answer, link))
        return STAILQ_NEXT(answer, link);
    return answer;
}

json_t *lag_answer(struct lag *lag, struct request *rq)
{
    int64_t now = rq->world->now, then = now - lag->ms;
    struct question *question = question_of(lag, rq);
    const struct mark *mark = STAILQ_FIRST(&lag->marks);
    const struct answer *second;
    if (!question || !mark)
        return refuse_memory(rq);
    if (!question->count)
        ask(rq, question, then, mark);
    if (question->count < ANSWERS_MAX)
        ask(rq, question, now, NULL);
    while ((second = STAILQ_NEXT(STAILQ_FIRST(&question->answers), link)) && second->at <= then)
        drop_answer(question);
    const struct answer *answer = choose(question, then, mark->changes);
    if (!answer)
        return refuse_memory(rq);
    rq->error = answer->error ? ecs_error_ref(answer->error) : NULL;
    return answer->reply ? json_deep_copy(answer->reply) : NULL;
}
