/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

static void free_secret(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

struct aws_credentials *aws_credentials_new(const char *access_key_id, const char *secret_access_key,
                                            const char *session_token, const char *account,
                                            int64_t expires_ms)
{
    struct aws_credentials *made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    *made = (struct aws_credentials){
        .refs = 1,
        .access_key_id = strdup(access_key_id),
        .secret_access_key = strdup(secret_access_key),
        .session_token = copy(session_token),
        .account = copy(account),
        .expires_ms = expires_ms,
    };
    if (!made->access_key_id || !made->secret_access_key ||
        (session_token && *session_token && !made->session_token))
        return aws_credentials_unref(made);
    return made;
}

struct aws_credentials *aws_credentials_ref(struct aws_credentials *credentials)
{
    if (credentials)
        atomic_fetch_add(&credentials->refs, 1);
    return credentials;
}

struct aws_credentials *aws_credentials_unref(struct aws_credentials *credentials)
{
    if (!credentials || atomic_fetch_sub(&credentials->refs, 1) != 1)
        return NULL;
    free_secret(credentials->access_key_id);
    free_secret(credentials->secret_access_key);
    free_secret(credentials->session_token);
    free(credentials->account);
    free(credentials);
    return NULL;
}

void aws_credentials_describe(struct aws_credentials *credentials, const char *remedy, const char *format,
                              ...)
{
    snprintf(credentials->remedy, sizeof(credentials->remedy), "%s", remedy);
    va_list args;
    va_start(args, format);
    vsnprintf(credentials->source, sizeof(credentials->source), format, args);
    va_end(args);
}
