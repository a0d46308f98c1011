/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of the task or pod that this runs in. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "sources.h"

#define AGENT_REMEDY "look at the role and the credentials agent of this task or pod"
enum { TOKEN_MAX = 16 * 1024, CONTAINER_MS = 2000 };

/* Where plain http may go: this host, ECS's and EKS's agents. */
static bool is_trusted(const struct aws_url *url)
{
    static const char *const agents[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]",
                                         "localhost"};
    char host[256];
    snprintf(host, sizeof(host), "%s", url->host);
    char *port = strrchr(host, ':');
    if (port && !strchr(port, ']'))
        *port = 0;
    for (size_t i = 0; i < ARRAY_LEN(agents); i++)
        if (strcmp(host, agents[i]) == 0)
            return true;
    struct in_addr address;
    return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

char *aws_container_url(const struct aws_env *env, struct ecs_error **ret_error)
{
    const char *relative = aws_env_get(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_env_get(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char *out = NULL;
    struct aws_url url;
    if (relative) {
        if (relative[0] != '/')
            *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                       "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
        else if (asprintf(&out, "http://169.254.170.2%s", relative) < 0)
            out = NULL;
    } else if (!full) {
        *ret_error = ecs_error_new(-ENOKEY, "NotConfigured",
                                   "No environment variables were set to configure ECS provider");
    } else {
        cleanup_free char *bare = strndup(full, strcspn(full, "?"));
        if (full[0] == '/')
            *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                       "AWS_CONTAINER_CREDENTIALS_FULL_URI: URI did not specify a host");
        else if (bare && aws_url_parse(bare, &url) < 0)
            *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                       "AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL");
        else if (bare && url.plain && !is_trusted(&url))
            *ret_error =
                ecs_error_new(-ENOKEY, "InvalidConfiguration",
                              "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain http goes to this host and the "
                              "container agents only, not to %s",
                              url.host);
        else
            out = strdup(full);
    }
    if (!out && !*ret_error)
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return out;
}

/* The value of Authorization: a file's, read anew, before a variable's. Empty when there is none. */
static struct ecs_error *read_token(const struct aws_env *env, struct ecs_buf *token)
{
    const char *file = aws_env_get(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *given = aws_env_get(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (file) {
        int r = env->read_file(env, file, token);
        if (r < 0)
            return ecs_error_new(-ENOKEY, "ContainerToken", "%s: %s", file, strerror(-r));
        while (token->len && (token->data[token->len - 1] == '\n' || token->data[token->len - 1] == '\r'))
            ecs_buf_truncate(token, token->len - 1);
    } else if (given) {
        ecs_buf_adds(token, given);
    }
    if (token->data && strpbrk(token->data, "\r\n"))
        return ecs_error_new(-ENOKEY, "ContainerToken",
                             "the container's authorization token has more than one line");
    return NULL;
}

static struct aws_credentials *ask(const struct aws_env *env, const char *url, const char *token,
                                   struct ecs_error **ret_error)
{
    struct aws_exchange request = {
        .method = "GET",
        .url = url,
        .headers = {{"Accept", "application/json"}, {"Authorization", token}},
        .headers_len = token && *token ? 2 : 1,
        .timeout_ms = CONTAINER_MS,
        .metadata = true,
    };
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    aws_env_waits(env, AGENT_REMEDY, "the credentials agent of the container");
    *ret_error = aws_exchange_again(env, &request, &answer);
    if (!*ret_error && answer.status != 200)
        *ret_error = aws_exchange_error("GetCredentials", &answer);
    if (*ret_error)
        return NULL;
    return aws_document_parse(AWS_DOCUMENT_METADATA, answer.body.data ? answer.body.data : "",
                              answer.body.len, ret_error);
}

struct aws_credentials *aws_from_container(const struct aws_config *config, const struct aws_env *env,
                                           struct ecs_error **ret_error)
{
    (void)config;
    struct ecs_error *error = NULL;
    cleanup_free char *url = aws_container_url(env, &error);
    cleanup_buf struct ecs_buf token = ECS_BUF_SECRET(TOKEN_MAX);
    struct aws_credentials *found = NULL;
    if (url)
        error = read_token(env, &token);
    if (!error)
        found = ask(env, url, token.data, &error);
    if (found)
        aws_credentials_describe(found, AGENT_REMEDY, "container");
    else if (strcmp(error->code, "NotConfigured") == 0)
        ecs_error_unref(error);
    else
        *ret_error = ecs_error_context(error, 0, "credentials of the container");
    return found;
}
