/* SPDX-License-Identifier: Apache-2.0 */
/* EC2's instance metadata service, version 2: a session token first, then the role, then its keys. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "sources.h"

enum {
    IMDS_MS = 1000,
    TOKEN_MAX = 1024,
    ROLE_MAX = 256,
    EXTENSION_MS = 15 * 60 * 1000,
};

static const char roles_path[] = "/latest/meta-data/iam/security-credentials/";

char *aws_imds_endpoint(const struct aws_config *config, const struct aws_env *env,
                        const char *endpoint_override, const char *mode_override,
                        struct ecs_error **ret_error)
{
    const char *url = endpoint_override;
    if (!url)
        url =
            aws_config_get(config, env, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode = mode_override;
    if (!mode)
        mode = aws_config_get(config, env, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                              "ec2_metadata_service_endpoint_mode");
    struct aws_url parsed;
    if (url && aws_url_parse(url, &parsed) < 0) {
        *ret_error =
            ecs_error_new(-ENOKEY, "InvalidConfiguration",
                          "the metadata endpoint \"%s\" is no URL: invalid uri character or scheme", url);
        return NULL;
    }
    if (!url && mode && strcasecmp(mode, "ipv4") != 0 && strcasecmp(mode, "ipv6") != 0) {
        *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                   "`%s` is not a valid endpoint mode (IPv4 or IPv6)", mode);
        return NULL;
    }
    if (!url)
        url = mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    char *out = strndup(url, len);
    if (!out)
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return out;
}

static struct ecs_error *fetch(const struct aws_env *env, const char *method, const char *base,
                               const char *path, const char *header, const char *value,
                               struct aws_answer *answer)
{
    cleanup_free char *url = NULL;
    if (asprintf(&url, "%s%s", base, path) < 0) {
        url = NULL;
        return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    }
    struct aws_exchange request = {
        .method = method,
        .url = url,
        .headers = {{header, value}},
        .headers_len = 1,
        .timeout_ms = IMDS_MS,
        .metadata = true,
    };
    return aws_exchange_again(env, &request, answer);
}

/* The first line of a short, printable text. */
static bool take_line(const struct aws_answer *answer, char *to, size_t size)
{
    const char *text = answer->body.data ? answer->body.data : "";
    size_t len = strcspn(text, "\r\n");
    if (answer->status != 200 || len == 0 || len >= size)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return false;
    memcpy(to, text, len);
    to[len] = 0;
    return true;
}

static struct ecs_error *get_token(const struct aws_env *env, const char *base, char token[TOKEN_MAX])
{
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    struct ecs_error *error = fetch(env, "PUT", base, "/latest/api/token",
                                    "x-aws-ec2-metadata-token-ttl-seconds", "21600", &answer);
    if (error)
        return error;
    if (answer.status == 403)
        return ecs_error_new(-ENOKEY, "MetadataForbidden", "request forbidden: IMDS is disabled");
    if (!take_line(&answer, token, TOKEN_MAX))
        return ecs_error_new(-ENOKEY, "MetadataUnavailable", "IMDS gave no session token (HTTP %d)",
                             answer.status);
    return NULL;
}

static struct ecs_error *get_role(const struct aws_env *env, const char *base, const char *token,
                                  char role[ROLE_MAX])
{
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    struct ecs_error *error = fetch(env, "GET", base, roles_path, "x-aws-ec2-metadata-token", token, &answer);
    if (!error && !take_line(&answer, role, ROLE_MAX))
        error = ecs_error_new(-ENOKEY, "MetadataUnavailable", "this instance has no role (HTTP %d)",
                              answer.status);
    if (!error && strpbrk(role, "/?#"))
        error = ecs_error_new(-ENOKEY, "MetadataUnavailable", "IMDS names no role");
    return error;
}

static struct aws_credentials *get_keys(const struct aws_env *env, const char *base, const char *token,
                                        const char *role, struct ecs_error **ret_error)
{
    char path[sizeof(roles_path) + ROLE_MAX];
    snprintf(path, sizeof(path), "%s%s", roles_path, role);
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    *ret_error = fetch(env, "GET", base, path, "x-aws-ec2-metadata-token", token, &answer);
    if (!*ret_error && answer.status != 200)
        *ret_error = ecs_error_new(-ENOKEY, "MetadataUnavailable", "IMDS has no keys of role %s (HTTP %d)",
                                   role, answer.status);
    if (*ret_error)
        return NULL;
    struct aws_credentials *found = aws_document_parse(
        AWS_DOCUMENT_METADATA, answer.body.data ? answer.body.data : "", answer.body.len, ret_error);
    if (!found)
        return NULL;
    /* When EC2 cannot renew a role it hands out the old keys, and AWS goes on taking them. */
    int64_t now = env->clock->wall_ms(env->clock);
    if (found->expires_ms <= now)
        found->expires_ms = now + EXTENSION_MS;
    aws_credentials_describe(found, "look at the role of this instance", "instance role %.90s", role);
    return found;
}

struct aws_credentials *aws_from_imds(const struct aws_config *config, const struct aws_env *env,
                                      struct ecs_error **ret_error)
{
    if (aws_is_true(aws_env_get(env, "AWS_EC2_METADATA_DISABLED")))
        return NULL;
    cleanup_free char *base = aws_imds_endpoint(config, env, NULL, NULL, ret_error);
    if (!base)
        return NULL;
    char token[TOKEN_MAX] = "", role[ROLE_MAX] = "";
    struct aws_credentials *found = NULL;
    aws_env_waits(env, "look at the metadata service of this instance, or set AWS_EC2_METADATA_DISABLED=true",
                  "%.100s", base);
    *ret_error = get_token(env, base, token);
    if (!*ret_error)
        *ret_error = get_role(env, base, token, role);
    if (!*ret_error)
        found = get_keys(env, base, token, role, ret_error);
    OPENSSL_cleanse(token, sizeof(token));
    return found;
}
