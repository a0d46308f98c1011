/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: AssumeRole with keys, AssumeRoleWithWebIdentity with a token. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "query.h"
#include "retry.h"
#include "sources.h"

enum { TOKEN_MAX = 64 * 1024, FORM_MAX = 128 * 1024 };

static const char *property(const struct aws_section *profile, const char *name)
{
    const char *value = aws_section_get(profile, name);
    return value && *value ? value : NULL;
}

static int64_t skew_of(const struct aws_env *env)
{
    return env->skew_ms ? *env->skew_ms : 0;
}

static int sign(const struct aws_env *env, const struct aws_url *url, const char *region, const char *form,
                const struct aws_credentials *with, char date[AWS_DATE_TEXT], char **ret_authorization,
                struct aws_exchange *request)
{
    char hash[AWS_SHA256_HEX];
    aws_sign_date(env->clock->wall_ms(env->clock) + skew_of(env), date);
    aws_sha256_hex(form, strlen(form), hash);
    request->headers[request->headers_len++] = (struct aws_header){"X-Amz-Date", date};
    if (with->session_token)
        request->headers[request->headers_len++] =
            (struct aws_header){"X-Amz-Security-Token", with->session_token};
    struct aws_signable signable = {
        .method = "POST",
        .path = *url->path ? url->path : "/",
        .headers = request->headers,
        .headers_len = request->headers_len,
        .payload_hash = hash,
        .date = date,
        .region = region,
        .service = "sts",
    };
    struct aws_keys keys = {with->access_key_id, with->secret_access_key};
    int r = aws_sign(&signable, &keys, NULL, ret_authorization);
    if (r == 0)
        request->headers[request->headers_len++] = (struct aws_header){"Authorization", *ret_authorization};
    return r;
}

static struct aws_credentials *read_answer(const char *operation, const char *role,
                                           const struct aws_answer *answer, struct ecs_error **ret_error)
{
    if (answer->status != 200) {
        *ret_error = ecs_error_context(aws_exchange_error(operation, answer), 0, "assuming %s", role);
        return NULL;
    }
    const char *text = answer->body.data ? answer->body.data : "";
    return aws_document_parse_sts(text, answer->body.len, ret_error);
}

/* Whether STS refused for the time that was signed with, and now another is known. */
static bool learn_skew(const struct aws_env *env, const struct aws_answer *answer,
                       const struct ecs_error *refused)
{
    if (!env->skew_ms || !answer->date_ms || aws_retry_of_answer(refused) != AWS_RETRY_SKEW)
        return false;
    int64_t skew = answer->date_ms - env->clock->wall_ms(env->clock), off = skew - *env->skew_ms;
    if (off > -AWS_SKEW_MS && off < AWS_SKEW_MS)
        return false;
    *env->skew_ms = skew;
    return true;
}

/* `with` NULL: unsigned. */
static struct aws_credentials *ask_once(const struct aws_config *config, const struct aws_env *env,
                                        const char *operation, const char *role, const char *form,
                                        const struct aws_credentials *with, bool *ret_skewed,
                                        struct ecs_error **ret_error)
{
    const struct aws_service *sts = aws_service_find("sts");
    const char *region = config->region ? config->region : "us-east-1";
    struct aws_endpoint endpoint;
    if (aws_config_endpoint(config, env, sts, region, &endpoint, ret_error) < 0)
        return NULL;
    char url[1024], date[AWS_DATE_TEXT];
    snprintf(url, sizeof(url), "%s://%s%s", endpoint.url.plain ? "http" : "https", endpoint.url.host,
             *endpoint.url.path ? endpoint.url.path : "/");
    struct aws_exchange request = {
        .method = "POST",
        .url = url,
        .headers = {{"Host", endpoint.url.host},
                    {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
        .headers_len = 2,
        .body = form,
        .timeout_ms = AWS_EXCHANGE_MS,
        .plain = endpoint.custom && endpoint.url.plain,
    };
    cleanup_free char *authorization = NULL;
    *ret_skewed = false;
    if (with && sign(env, &endpoint.url, region, form, with, date, &authorization, &request) < 0) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    aws_env_waits(env, AWS_WAY_REMEDY, "STS at %.90s", endpoint.url.host);
    cleanup_answer struct aws_answer answer = AWS_ANSWER;
    *ret_error = aws_exchange_again(env, &request, &answer);
    if (*ret_error)
        return NULL;
    struct aws_credentials *found = read_answer(operation, role, &answer, ret_error);
    *ret_skewed = !found && with && learn_skew(env, &answer, *ret_error);
    return found;
}

/* On a machine whose clock is off this may be the first call of all: signed again with STS's time. */
static struct aws_credentials *ask(const struct aws_config *config, const struct aws_env *env,
                                   const char *operation, const char *role, const char *form,
                                   const struct aws_credentials *with, struct ecs_error **ret_error)
{
    bool skewed;
    struct aws_credentials *found = ask_once(config, env, operation, role, form, with, &skewed, ret_error);
    if (!skewed)
        return found;
    *ret_error = ecs_error_unref(*ret_error);
    return ask_once(config, env, operation, role, form, with, &skewed, ret_error);
}

static void begin_form(struct ecs_buf *form, const struct aws_env *env, const char *operation,
                       const char *role, const char *session)
{
    char own[64];
    snprintf(own, sizeof(own), "ecsfs-%lld", (long long)env->clock->wall_ms(env->clock) / 1000);
    aws_form_add(form, "Action", operation);
    aws_form_add(form, "Version", "2011-06-15");
    aws_form_add(form, "RoleArn", role);
    aws_form_add(form, "RoleSessionName", session ? session : own);
}

static struct ecs_error *add_mfa(const struct aws_config *config, const struct aws_section *profile,
                                 struct ecs_buf *form)
{
    const char *serial = property(profile, "mfa_serial");
    if (!serial)
        return NULL;
    if (!config->mfa_code)
        return ecs_error_new(-EKEYEXPIRED, "MFARequired",
                             "profile %s needs a code of %s, which is asked for when mounting: mount again",
                             profile->title, serial);
    aws_form_add(form, "SerialNumber", serial);
    aws_form_add(form, "TokenCode", config->mfa_code);
    return NULL;
}

struct aws_credentials *aws_assume_role(const struct aws_config *config, const struct aws_env *env,
                                        const struct aws_section *profile, const struct aws_credentials *with,
                                        struct ecs_error **ret_error)
{
    cleanup_buf struct ecs_buf form = ECS_BUF_SECRET(FORM_MAX);
    const char *role = property(profile, "role_arn"), *external = property(profile, "external_id");
    const char *duration = property(profile, "duration_seconds");
    begin_form(&form, env, "AssumeRole", role, property(profile, "role_session_name"));
    if (external)
        aws_form_add(&form, "ExternalId", external);
    if (duration)
        aws_form_add(&form, "DurationSeconds", duration);
    *ret_error = add_mfa(config, profile, &form);
    if (*ret_error)
        return NULL;
    if (form.failed) {
        *ret_error = ecs_error_new(form.failed, "InvalidConfiguration", "the role's values are too long");
        return NULL;
    }
    struct aws_credentials *found = ask(config, env, "AssumeRole", role, form.data, with, ret_error);
    if (found)
        aws_credentials_describe(found, with->remedy, "role %.90s", role);
    return found;
}

struct aws_credentials *aws_assume_web_identity(const struct aws_config *config, const struct aws_env *env,
                                                const char *role_arn, const char *token_file,
                                                const char *session_name, struct ecs_error **ret_error)
{
    cleanup_buf struct ecs_buf token = ECS_BUF_SECRET(TOKEN_MAX), form = ECS_BUF_SECRET(FORM_MAX);
    int r = env->read_file(env, token_file, &token); /* anew each time: it is rotated */
    while (r == 0 && token.len && isspace((unsigned char)token.data[token.len - 1]))
        ecs_buf_truncate(&token, token.len - 1);
    if (r < 0 || !token.len) {
        *ret_error = ecs_error_new(-ENOKEY, "WebIdentityToken", "%s: %s", token_file,
                                   r < 0 ? strerror(-r) : "it is empty");
        return NULL;
    }
    begin_form(&form, env, "AssumeRoleWithWebIdentity", role_arn, session_name);
    aws_form_add(&form, "WebIdentityToken", token.data);
    struct aws_credentials *found = NULL;
    if (form.failed)
        *ret_error = ecs_error_new(form.failed, "WebIdentityToken", "%s: it is too long", token_file);
    else
        found = ask(config, env, "AssumeRoleWithWebIdentity", role_arn, form.data, NULL, ret_error);
    if (found)
        aws_credentials_describe(found, "look at the token in the web identity file",
                                 "web identity, role %.80s", role_arn);
    return found;
}

struct aws_credentials *aws_from_web_identity(const struct aws_config *config, const struct aws_env *env,
                                              struct ecs_error **ret_error)
{
    if (config->profile_by_option)
        return NULL;
    const char *file = aws_env_get(env, "AWS_WEB_IDENTITY_TOKEN_FILE"),
               *role = aws_env_get(env, "AWS_ROLE_ARN");
    if (!file)
        return NULL;
    if (!role) {
        *ret_error = ecs_error_new(-ENOKEY, "PartialCredentials",
                                   "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
        return NULL;
    }
    return aws_assume_web_identity(config, env, role, file, aws_env_get(env, "AWS_ROLE_SESSION_NAME"),
                                   ret_error);
}
