/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ecsfs/cleanup.h"
#include "reply.h"

int aws_time_parse(const char *text, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest)
        return -EINVAL;
    int ms = 0, scale = 100;
    if (*rest == '.')
        for (rest++; isdigit((unsigned char)*rest); rest++, scale /= 10)
            ms += (*rest - '0') * scale;
    int hours = 0, minutes = 0, used = 0, sign = *rest == '-' ? -1 : 1;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &used) == 2 &&
        used == 5 && !rest[6])
        rest = "Z";
    if (strcmp(rest, "Z") != 0 && strcmp(rest, "UTC") != 0)
        return -EINVAL;
    *ret_wall_ms = ((int64_t)timegm(&tm) - sign * (hours * 3600 + minutes * 60)) * 1000 + ms;
    return 0;
}

static const struct {
    const char *below, *id, *secret, *token, *expiration, *account;
    bool expires; /* a document without an expiration is refused */
} forms[] = {
    [AWS_DOCUMENT_METADATA] = {NULL, "AccessKeyId", "SecretAccessKey", "Token", "Expiration", "AccountId",
                               true},
    [AWS_DOCUMENT_PROCESS] = {NULL, "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration",
                              "AccountId", false},
    [AWS_DOCUMENT_SSO] = {"roleCredentials", "accessKeyId", "secretAccessKey", "sessionToken", "expiration",
                          "accountId", true},
};

static struct ecs_error *invalid(const char *what)
{
    return ecs_error_new(-ENOKEY, "InvalidCredentialsDocument", "%s", what);
}

static const char *text_of(const json_t *tree, const char *name)
{
    const char *value = json_string_value(json_object_get(tree, name));
    return value && *value ? value : NULL;
}

/* Keys go into header lines. */
static bool is_line(const char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text == 0x7f)
            return false;
    return true;
}

static struct aws_credentials *make(const char *id, const char *secret, const char *token,
                                    const char *account, int64_t expires_ms, struct ecs_error **ret_error)
{
    if (!is_line(id) || !is_line(secret) || !is_line(token)) {
        *ret_error = invalid("a key holds control characters");
        return NULL;
    }
    if (expires_ms < 0) { /* before 1970 */
        *ret_error = invalid("its expiration is no time");
        return NULL;
    }
    struct aws_credentials *made = aws_credentials_new(id, secret, token, account, expires_ms);
    if (!made)
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return made;
}

static struct ecs_error *check(enum aws_document kind, const json_t *tree)
{
    const char *code = text_of(tree, "Code");
    if (kind == AWS_DOCUMENT_METADATA && code && strcmp(code, "Success") != 0)
        return ecs_error_new(-ENOKEY, "InvalidCredentialsDocument", "it says %s: %s", code,
                             text_of(tree, "Message") ? text_of(tree, "Message") : "no reason");
    if (kind == AWS_DOCUMENT_PROCESS && json_integer_value(json_object_get(tree, "Version")) != 1)
        return invalid("its Version is not 1");
    return NULL;
}

static struct aws_credentials *parse_tree(enum aws_document kind, const json_t *tree,
                                          struct ecs_error **ret_error)
{
    *ret_error = check(kind, tree);
    if (*ret_error)
        return NULL;
    if (forms[kind].below)
        tree = json_object_get(tree, forms[kind].below);
    const char *id = text_of(tree, forms[kind].id), *secret = text_of(tree, forms[kind].secret);
    const char *token = text_of(tree, forms[kind].token);
    const json_t *expiration = json_object_get(tree, forms[kind].expiration);
    int64_t expires_ms = json_integer_value(expiration);
    if (!id || !secret || (!token && kind != AWS_DOCUMENT_PROCESS))
        *ret_error = invalid("a key is missing in it");
    else if (json_is_string(expiration) && aws_time_parse(json_string_value(expiration), &expires_ms) < 0)
        *ret_error = invalid("its expiration is no time");
    else if (forms[kind].expires && !expires_ms)
        *ret_error = invalid("it has no expiration");
    else
        return make(id, secret, token, text_of(tree, forms[kind].account), expires_ms, ret_error);
    return NULL;
}

struct aws_credentials *aws_document_parse(enum aws_document kind, const char *text, size_t len,
                                           struct ecs_error **ret_error)
{
    struct ecs_error *ignored = NULL;
    json_t *tree = aws_reply_parse(text, len, &ignored);
    ecs_error_unref(ignored); /* it may quote the text */
    if (!tree) {
        *ret_error = invalid("invalid JSON in response");
        return NULL;
    }
    struct aws_credentials *made = parse_tree(kind, tree, ret_error);
    aws_reply_forget(tree);
    return made;
}

static void free_secret_p(char **text)
{
    if (*text)
        OPENSSL_cleanse(*text, strlen(*text));
    free(*text);
}
#define cleanup_secret __attribute__((cleanup(free_secret_p)))

struct aws_credentials *aws_document_parse_sts(const char *xml, size_t len, struct ecs_error **ret_error)
{
    cleanup_secret char *id = aws_xml_text(xml, len, "AccessKeyId");
    cleanup_secret char *secret = aws_xml_text(xml, len, "SecretAccessKey");
    cleanup_secret char *token = aws_xml_text(xml, len, "SessionToken");
    cleanup_free char *expiration = aws_xml_text(xml, len, "Expiration");
    cleanup_free char *arn = aws_xml_text(xml, len, "Arn");
    int64_t expires_ms = 0;
    if (!id || !secret || !token || !*id || !*secret || !*token) {
        *ret_error = invalid("a key is missing in STS's answer");
        return NULL;
    }
    if (!expiration || aws_time_parse(expiration, &expires_ms) < 0) {
        *ret_error = invalid("STS's answer has no expiration");
        return NULL;
    }
    char account[16] = "";
    if (arn) /* arn:aws:sts::123456789012:assumed-role/name/session */
        sscanf(arn, "arn:%*[^:]:sts::%15[0-9]:", account);
    return make(id, secret, token, account, expires_ms, ret_error);
}
