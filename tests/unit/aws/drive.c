/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the calls that standard input names, one a line, through the AWS backend as the environment
 * sets it up, and prints what comes home:
 *
 *   $ printf 'ecs/ListClusters {}\n!ecs/CreateCluster {"clusterName":"a"}\n' | AWS_ENDPOINT_URL=... drive
 *
 * "!" marks a changing call. For trying the backend against an emulator or AWS by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"
#include "ecsfs/log.h"

int main(void)
{
    struct ecs_error *error = NULL;
    struct caller caller = {.home = ecs_mailbox_new(),
                            .backend = ecs_aws_new(&(struct ecs_aws_options){.pacing = true}, &error)};
    if (!caller.backend) {
        printf("%s: %s\n", error->code, error->message);
        return 1;
    }
    if (caller.backend->start(caller.backend) < 0)
        return 1;
    char *line = NULL;
    size_t size = 0;
    int failed = 0;
    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        bool writing = line[0] == '!';
        char *operation = line + writing, *body = strchr(operation, ' ');
        if (!body)
            continue;
        *body = 0;
        struct ecs_call *call = caller_call(&caller, operation, body + 1, writing, 0);
        if (call->error)
            printf("%s %d %s (%s, %s)\n", operation, call->error->err, call->error->message,
                   call->error->code, call->error->request_id);
        else
            printf("%s %.300s\n", operation, (char *)call->result);
        failed |= call->error != NULL;
        caller_done(call);
    }
    free(line);
    caller_stop(&caller);
    return failed;
}
