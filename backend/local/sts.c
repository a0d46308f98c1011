/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "request.h"

/* The one user of the emulator's account. */
static json_t *get_caller_identity(struct request *rq)
{
    cleanup_free char *arn = NULL;
    if (asprintf(&arn, "arn:%s:iam::%s:user/local", partition_of(rq->region->name), rq->world->account) < 0)
        return refuse_memory(rq);
    return json_pack("{s:s, s:s, s:s}", "UserId", "AIDALOCALLOCALLOCAL00", "Account", rq->world->account,
                     "Arn", arn);
}

/* Fresh keys that nobody checks, unless ecs-local runs with --verify. */
static json_t *assume_role(struct request *rq)
{
    const char *role = require_text(rq, "RoleArn"),
               *session = role ? require_text(rq, "RoleSessionName") : NULL;
    if (!session)
        return NULL;
    char key[17], secret[41], token[257], arn[512];
    id_decimal(key, 16);
    id_hex(secret, 40);
    id_hex(token, 256);
    snprintf(arn, sizeof(arn), "arn:%s:sts::%s:assumed-role/%s/%s", partition_of(rq->region->name),
             rq->world->account, last_part(role), session);
    cleanup_free char *key_id = NULL, *user = NULL;
    if (asprintf(&key_id, "ASIA%s", key) < 0 || asprintf(&user, "AROALOCALLOCALLOCAL00:%s", session) < 0)
        return refuse_memory(rq);
    long seconds = in_int(rq->in, "DurationSeconds", 3600);
    return json_pack("{s:{s:s, s:s, s:s, s:o}, s:{s:s, s:s}}", "Credentials", "AccessKeyId", key_id,
                     "SecretAccessKey", secret, "SessionToken", token, "Expiration",
                     json_time(world_wall(rq->world) + seconds * 1000), "AssumedRoleUser", "AssumedRoleId",
                     user, "Arn", arn);
}

const struct operation sts_operations[] = {
    {"sts", "GetCallerIdentity", get_caller_identity, BUCKET_NONE, false},
    {"sts", "AssumeRole", assume_role, BUCKET_NONE, false},
    {0},
};
