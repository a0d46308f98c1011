/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are. Asked only when somebody looks at the status, so no mount waits for it, and none needs STS. */
#include <stdio.h>

#include "client.h"

enum { AGAIN_MS = 60000, ASK_MS = 20000 };

/* The answer to an earlier question has come home: its outcome was kept, so only its failure is news. */
static void take_answer(struct aws_client *client, int64_t now)
{
    struct ecs_letter *letter = ecs_mailbox_take(client->identity_home);
    if (!letter)
        return;
    client->identity_asked = false;
    if (client->identity_call.error)
        client->identity_not_before_ms = now + AGAIN_MS;
    client->identity_call.error = ecs_error_unref(client->identity_call.error);
}

void aws_identity_want(struct aws_client *client)
{
    int64_t now = aws_now(client);
    pthread_mutex_lock(&client->lock);
    take_answer(client, now);
    bool ask = !*client->identity && !client->identity_asked && client->started &&
               now >= client->identity_not_before_ms;
    if (ask)
        client->identity_asked = true;
    pthread_mutex_unlock(&client->lock);
    if (!ask)
        return;
    client->identity_call = (struct ecs_call){.home = client->identity_home,
                                              .service = "sts",
                                              .operation = "GetCallerIdentity",
                                              .body = "{}",
                                              .priority = ECS_PRIORITY_AHEAD,
                                              .timeout_ms = ASK_MS};
    client->backend.submit(&client->backend, &client->identity_call);
}

void aws_identity_keep(struct aws_client *client, const char *arn, const char *account)
{
    pthread_mutex_lock(&client->lock);
    if (arn)
        snprintf(client->identity, sizeof(client->identity), "%s", arn);
    if (account)
        snprintf(client->account, sizeof(client->account), "%s", account);
    pthread_mutex_unlock(&client->lock);
}
