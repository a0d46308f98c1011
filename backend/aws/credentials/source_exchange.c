/* SPDX-License-Identifier: Apache-2.0 */
/* What every source that asks over HTTP does: tries again, and reads AWS's errors. */
#include <errno.h>

#include "reply.h"
#include "retry.h"
#include "sources.h"

enum { ATTEMPTS = 3 };

struct ecs_error *aws_exchange_error(const char *operation, const struct aws_answer *answer)
{
    return aws_reply_error(&(struct aws_failure){
        .operation = operation,
        .status = answer->status,
        .error_type = "",
        .request_id = "",
        .body = answer->body.data ? answer->body.data : "",
        .len = answer->body.len,
    });
}

struct ecs_error *aws_exchange_again(const struct aws_env *env, const struct aws_exchange *request,
                                     struct aws_answer *answer)
{
    for (int attempt = 1;; attempt++) {
        struct ecs_error *error = env->exchange(env, request, answer);
        /* a metadata host that does not answer is not there */
        bool again = error ? !request->metadata && error->err != -ECANCELED && error->err != -EPROTO
                           : answer->status == 429 || answer->status >= 500;
        if (!again || attempt == ATTEMPTS || (env->unwanted && env->unwanted(env)))
            return error;
        ecs_error_unref(error);
        aws_answer_free(answer);
        *answer = AWS_ANSWER;
        if (env->pause)
            env->pause(env, (int)aws_backoff_ms(attempt, -1));
    }
}
