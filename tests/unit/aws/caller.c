/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

void caller_clear_environment(void)
{
    for (bool again = true; again;) {
        again = false;
        for (char **e = environ; *e && !again; e++) {
            char name[128];
            if (strncmp(*e, "AWS_", 4) != 0 && strncasecmp(*e, "http_proxy", 10) != 0 &&
                strncasecmp(*e, "https_proxy", 11) != 0)
                continue;
            snprintf(name, sizeof(name), "%.*s", (int)strcspn(*e, "="), *e);
            unsetenv(name);
            again = true;
        }
    }
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

void caller_start(struct caller *caller, const char *url, const struct ecs_aws_options *options)
{
    struct ecs_aws_options with = options ? *options : (struct ecs_aws_options){0};
    struct ecs_error *error = NULL;
    if (!options || !options->profile) {
        setenv("AWS_ACCESS_KEY_ID", "AKIDTEST", 1);
        setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    }
    if (!with.region)
        with.region = "us-east-1";
    if (url)
        with.endpoint_url = url;
    caller->home = ecs_mailbox_new();
    caller->backend = ecs_aws_new(&with, &error);
    if (!caller->backend) {
        fprintf(stderr, "%s: %s\n", error->code, error->message);
        abort();
    }
    if (caller->backend->start(caller->backend) < 0)
        abort();
}

void caller_stop(struct caller *caller)
{
    caller->backend->stop(caller->backend);
    caller->backend->free(caller->backend);
    struct ecs_letter *letter;
    while ((letter = ecs_mailbox_take(caller->home)))
        caller_done((struct ecs_call *)letter);
    ecs_mailbox_free(caller->home);
}

static struct ecs_error *digest(struct ecs_call *call, struct json_t *reply)
{
    call->result = json_dumps(reply, JSON_COMPACT | JSON_SORT_KEYS);
    return NULL;
}

struct ecs_call *caller_submit(struct caller *caller, const char *operation, const char *body, bool writing,
                               int timeout_ms)
{
    struct ecs_call *call = calloc(1, sizeof(*call));
    const char *slash = strchr(operation, '/');
    char *service = slash ? strndup(operation, (size_t)(slash - operation)) : strdup("ecs");
    *call = (struct ecs_call){
        .home = caller->home,
        .service = service,
        .operation = strdup(slash ? slash + 1 : operation),
        .body = strdup(body),
        .writing = writing,
        .priority = writing ? ECS_PRIORITY_WRITE : ECS_PRIORITY_READ,
        .timeout_ms = timeout_ms,
        .digest = digest,
    };
    caller->backend->submit(caller->backend, call);
    return call;
}

struct ecs_call *caller_take(struct caller *caller, int timeout_ms)
{
    struct pollfd poller = {.fd = ecs_mailbox_fd(caller->home), .events = POLLIN};
    poll(&poller, 1, timeout_ms);
    return (struct ecs_call *)ecs_mailbox_take(caller->home);
}

struct ecs_call *caller_call(struct caller *caller, const char *operation, const char *body, bool writing,
                             int timeout_ms)
{
    caller_submit(caller, operation, body, writing, timeout_ms);
    struct ecs_call *call = caller_take(caller, 60000);
    if (!call)
        abort();
    return call;
}

void caller_done(struct ecs_call *call)
{
    if (!call)
        return;
    ecs_error_unref(call->error);
    free(call->result);
    free((char *)call->service);
    free((char *)call->operation);
    free(call->body);
    free(call);
}
