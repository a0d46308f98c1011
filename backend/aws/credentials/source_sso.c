/* SPDX-License-Identifier: Apache-2.0 */
/* IAM Identity Center: the token that `aws sso login` left, renewed where it can be, changed into keys. */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"
#include "query.h"
#include "reply.h"
#include "sources.h"

enum {
    RENEW_AHEAD_MS = 5 * 60 * 1000,
    FILE_MAX = 256 * 1024,
    URL_MAX = 2048,
};

struct sso {
    const struct aws_config *config;
    const struct aws_env *env;
    const char *profile, *session; /* session NULL: the old form */
    const char *start_url, *region, *account, *role;
    char *path; /* of the cached token */
    json_t *token;
};

static const char *text_of(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

static struct ecs_error *log_in_again(const struct sso *sso, const char *why)
{
    return ecs_error_new(-EKEYEXPIRED, "SSOTokenExpired", "%s; run `aws sso login --profile %s`", why,
                         sso->profile);
}

/* ~/.aws/sso/cache/<sha1 of the session's name, or of the start URL>.json */
static char *token_path(const struct sso *sso)
{
    const char *key = sso->session ? sso->session : sso->start_url;
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    EVP_Digest(key, strlen(key), digest, NULL, EVP_sha1(), NULL);
    char below[80] = ".aws/sso/cache/";
    size_t at = strlen(below);
    for (size_t i = 0; i < 20; i++, at += 2)
        snprintf(below + at, sizeof(below) - at, "%02x", digest[i]);
    snprintf(below + at, sizeof(below) - at, ".json");
    return aws_env_path(sso->env, NULL, below);
}

static struct ecs_error *read_token(struct sso *sso)
{
    cleanup_buf struct ecs_buf text = ECS_BUF_SECRET(FILE_MAX);
    struct ecs_error *error = NULL;
    int r = sso->env->read_file(sso->env, sso->path, &text);
    if (r < 0) {
        error = log_in_again(sso, "nobody is logged in to SSO");
        error = ecs_error_context(error, 0, "failed to read `%s`: %s", sso->path, strerror(-r));
    } else {
        struct ecs_error *ignored = NULL;
        sso->token = aws_reply_parse(text.data ? text.data : "", text.len, &ignored);
        ecs_error_unref(ignored);
        if (!sso->token || !text_of(sso->token, "accessToken") || !text_of(sso->token, "expiresAt"))
            error = ecs_error_context(log_in_again(sso, "it holds no token"), 0, "%s", sso->path);
    }
    return error;
}

static int64_t token_left(const struct sso *sso)
{
    int64_t expires_ms = 0;
    if (aws_time_parse(text_of(sso->token, "expiresAt"), &expires_ms) < 0)
        return 0;
    return expires_ms - sso->env->clock->wall_ms(sso->env->clock);
}

static int find_url(const struct sso *sso, const char *service, const char *path, char url[URL_MAX],
                    bool *ret_plain, struct ecs_error **ret_error)
{
    struct aws_endpoint endpoint;
    int r = aws_config_endpoint(sso->config, sso->env, aws_service_find(service), sso->region, &endpoint,
                                ret_error);
    if (r < 0)
        return r;
    snprintf(url, URL_MAX, "%s://%s%s%s", endpoint.url.plain ? "http" : "https", endpoint.url.host,
             endpoint.url.path, path);
    *ret_plain = endpoint.custom && endpoint.url.plain;
    return 0;
}

static void put_text(json_t *tree, const char *name, const char *value)
{
    json_t *old = json_incref(json_object_get(tree, name));
    json_object_set_new(tree, name, json_string(value));
    aws_reply_forget(old);
}

/* Puts the answer of CreateToken into the token and the cache file, where the AWS CLI finds it too. */
static struct ecs_error *keep_token(struct sso *sso, const struct aws_answer *answer)
{
    struct ecs_error *ignored = NULL;
    json_t *fresh = aws_reply_parse(answer->body.data ? answer->body.data : "", answer->body.len, &ignored);
    ecs_error_unref(ignored);
    const char *access = text_of(fresh, "accessToken"), *again = text_of(fresh, "refreshToken");
    json_int_t seconds = json_integer_value(json_object_get(fresh, "expiresIn"));
    struct ecs_error *error = NULL;
    if (!access || seconds <= 0 || seconds > 366 * 86400) {
        error = log_in_again(sso, "SSO gave no new token");
    } else {
        char when[ECS_TIME_TEXT];
        int64_t now = sso->env->clock->wall_ms(sso->env->clock);
        ecs_time_format((now / 1000 + seconds) * 1000, when);
        put_text(sso->token, "accessToken", access);
        put_text(sso->token, "expiresAt", when);
        if (again)
            put_text(sso->token, "refreshToken", again);
        cleanup_buf struct ecs_buf text = ECS_BUF_SECRET(FILE_MAX);
        if (ecs_json_add(&text, sso->token, JSON_COMPACT) == 0 && sso->env->write_file)
            sso->env->write_file(sso->env, sso->path, text.data); /* it serves us in any case */
    }
    aws_reply_forget(fresh);
    return error;
}

static struct ecs_error *renew_token(struct sso *sso)
{
    const char *again = text_of(sso->token, "refreshToken"), *id = text_of(sso->token, "clientId"),
               *secret = text_of(sso->token, "clientSecret"),
               *until = text_of(sso->token, "registrationExpiresAt");
    int64_t until_ms = 0;
    if (!sso->session || !again || !id || !secret ||
        (until && aws_time_parse(until, &until_ms) == 0 &&
         until_ms <= sso->env->clock->wall_ms(sso->env->clock)))
        return log_in_again(sso, "the SSO session has expired");
    char url[URL_MAX];
    struct ecs_error *error = NULL;
    struct aws_exchange request = {.method = "POST",
                                   .url = url,
                                   .headers = {{"Content-Type", "application/json"}},
                                   .headers_len = 1,
                                   .timeout_ms = AWS_EXCHANGE_MS};
    if (find_url(sso, "sso-oidc", "/token", url, &request.plain, &error) < 0)
        return error;
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "grantType", "refresh_token", "clientId", id,
                             "clientSecret", secret, "refreshToken", again);
    cleanup_buf struct ecs_buf text = ECS_BUF_SECRET(FILE_MAX);
    int r = ecs_json_add(&text, body, JSON_COMPACT);
    aws_reply_forget(body);
    request.body = text.data;
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    error = r == 0 ? aws_exchange_again(sso->env, &request, &answer)
                   : ecs_error_new(r, "OutOfMemory", "out of memory");
    if (!error && answer.status != 200) {
        ecs_error_unref(error);
        return log_in_again(sso, "the SSO session has ended");
    }
    return error ? error : keep_token(sso, &answer);
}

static struct aws_credentials *trade_token(struct sso *sso, struct ecs_error **ret_error)
{
    cleanup_buf struct ecs_buf path = ECS_BUF(1024), query = ECS_BUF(512);
    aws_form_add(&query, "account_id", sso->account);
    aws_form_add(&query, "role_name", sso->role);
    ecs_buf_addf(&path, "/federation/credentials?%s", query.data ? query.data : "");
    char url[URL_MAX];
    struct aws_exchange request = {
        .method = "GET",
        .url = url,
        .headers = {{"x-amz-sso_bearer_token", text_of(sso->token, "accessToken")}},
        .headers_len = 1,
        .timeout_ms = AWS_EXCHANGE_MS,
    };
    if (path.failed || find_url(sso, "sso", path.data, url, &request.plain, ret_error) < 0)
        return NULL;
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    *ret_error = aws_exchange_again(sso->env, &request, &answer);
    if (*ret_error)
        return NULL;
    if (answer.status == 401)
        *ret_error = log_in_again(sso, "the SSO session has ended");
    else if (answer.status != 200)
        *ret_error = ecs_error_context(aws_exchange_error("GetRoleCredentials", &answer), 0,
                                       "SSO role %s in account %s", sso->role, sso->account);
    if (*ret_error)
        return NULL;
    return aws_document_parse(AWS_DOCUMENT_SSO, answer.body.data ? answer.body.data : "", answer.body.len,
                              ret_error);
}

struct aws_credentials *aws_from_sso(const struct aws_config *config, const struct aws_env *env,
                                     const struct aws_plan *plan, struct ecs_error **ret_error)
{
    const struct aws_section *from = plan->session ? plan->session : plan->profile;
    struct sso sso = {
        .config = config,
        .env = env,
        .profile = plan->profile->title,
        .session = plan->session ? plan->session->title : NULL,
        .start_url = aws_section_get(from, "sso_start_url"),
        .region = aws_section_get(from, "sso_region"),
        .account = aws_section_get(plan->profile, "sso_account_id"),
        .role = aws_section_get(plan->profile, "sso_role_name"),
    };
    if (!sso.account || !sso.role) {
        *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                   "profile %s: selected profile will resolve an access token instead of "
                                   "credentials, for it has no sso_account_id and sso_role_name",
                                   sso.profile);
        return NULL;
    }
    sso.path = token_path(&sso);
    aws_env_waits(env, AWS_WAY_REMEDY, "SSO in %.40s", sso.region ? sso.region : "");
    struct aws_credentials *found = NULL;
    struct ecs_error *error =
        sso.path ? read_token(&sso) : ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    if (!error && token_left(&sso) < RENEW_AHEAD_MS) {
        error = renew_token(&sso);
        if (error && token_left(&sso) > 0) /* it still serves */
            error = ecs_error_unref(error);
    }
    if (!error)
        found = trade_token(&sso, &error);
    if (!found)
        *ret_error =
            error ? error : ecs_error_new(-EINVAL, "InvalidConfiguration", "the SSO role is too long");
    if (found) {
        char remedy[128];
        snprintf(remedy, sizeof(remedy), "run `aws sso login --profile %.80s`", sso.profile);
        if (!found->account)
            found->account = strdup(sso.account);
        aws_credentials_describe(found, remedy, "SSO role %.40s, profile %.60s", sso.role, sso.profile);
    }
    aws_reply_forget(sso.token);
    free(sso.path);
    return found;
}
