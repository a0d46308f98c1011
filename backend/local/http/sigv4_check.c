/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a request is signed with the one key that ecs-local --verify knows (Signature Version 4). */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "ecsfs/cleanup.h"
#include "http.h"

enum { HASH = 32, WINDOW_S = 300 };

struct credential {
    char key[128], date[16], region[64], service[64];
    char headers[1024]; /* "host;x-amz-date" */
    char signature[65];
};

static void to_hex(const unsigned char hash[HASH], char text[2 * HASH + 1])
{
    for (int i = 0; i < HASH; i++)
        snprintf(text + (size_t)i * 2, 3, "%02x", hash[i]);
}

static void hash_hex(const void *data, size_t len, char text[2 * HASH + 1])
{
    unsigned char hash[HASH];
    EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL);
    to_hex(hash, text);
}

static void mac(const void *key, size_t key_len, const char *text, unsigned char hash[HASH])
{
    unsigned len = HASH;
    HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), hash, &len);
}

static bool read_part(const char *header, const char *name, const char *stops, char *to, size_t size)
{
    const char *at = strstr(header, name);
    if (!at)
        return false;
    at += strlen(name);
    size_t len = strcspn(at, stops);
    return len && snprintf(to, size, "%.*s", (int)len, at) < (int)size;
}

static bool read_header(const char *header, struct credential *credential)
{
    char scope[512];
    if (strncmp(header, "AWS4-HMAC-SHA256 ", 17) != 0 ||
        !read_part(header, "Credential=", ", ", scope, sizeof(scope)) ||
        !read_part(header, "SignedHeaders=", ", ", credential->headers, sizeof(credential->headers)) ||
        !read_part(header, "Signature=", ", ", credential->signature, sizeof(credential->signature)))
        return false;
    return sscanf(scope, "%127[^/]/%15[^/]/%63[^/]/%63[^/]/aws4_request", credential->key, credential->date,
                  credential->region, credential->service) == 4;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct pairs {
    char *texts[64];
    size_t len;
};

static void add_encoded(struct ecs_buf *buf, const char *text)
{
    for (; text && *text; text++) {
        if (strchr("-_.~", *text) || (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
            (*text >= 'a' && *text <= 'z'))
            ecs_buf_add(buf, text, 1);
        else
            ecs_buf_addf(buf, "%%%02X", (unsigned char)*text);
    }
}

static enum MHD_Result add_argument(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct pairs *pairs = cls;
    cleanup_buf struct ecs_buf text = ECS_BUF(64 * 1024);
    add_encoded(&text, name);
    ecs_buf_adds(&text, "=");
    add_encoded(&text, value);
    char *pair = pairs->len < ARRAY_LEN(pairs->texts) ? ecs_buf_steal(&text, NULL) : NULL;
    if (pair) /* else the signature will not fit */
        pairs->texts[pairs->len++] = pair;
    return MHD_YES;
}

static void add_query(const struct exchange *exchange, struct ecs_buf *canonical)
{
    struct pairs pairs = {0};
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_argument, &pairs);
    qsort(pairs.texts, pairs.len, sizeof(*pairs.texts), by_text);
    for (size_t i = 0; i < pairs.len; i++) {
        ecs_buf_addf(canonical, "%s%s", i ? "&" : "", pairs.texts[i]);
        free(pairs.texts[i]);
    }
    ecs_buf_adds(canonical, "\n");
}

/* Values without spaces around, and single spaces inside. */
static void add_value(struct ecs_buf *canonical, const char *value)
{
    while (*value == ' ')
        value++;
    for (; *value; value++)
        if (*value != ' ' || (value[1] && value[1] != ' '))
            ecs_buf_add(canonical, value, 1);
}

static bool add_headers(const struct exchange *exchange, const char *names, struct ecs_buf *canonical)
{
    cleanup_free char *copy = strdup(names);
    char *rest = copy;
    for (char *name; copy && (name = strsep(&rest, ";"));) {
        const char *value = header_of(exchange, name);
        if (!value)
            return false;
        ecs_buf_addf(canonical, "%s:", name);
        add_value(canonical, value);
        ecs_buf_adds(canonical, "\n");
    }
    ecs_buf_addf(canonical, "\n%s\n", names);
    return copy != NULL;
}

static bool sign(const struct exchange *exchange, const struct credential *credential, const char *date,
                 char signature[2 * HASH + 1])
{
    cleanup_buf struct ecs_buf canonical = ECS_BUF(256 * 1024), text = ECS_BUF(4096);
    char payload[2 * HASH + 1], request[2 * HASH + 1];
    ecs_buf_addf(&canonical, "%s\n%s\n", exchange->method, exchange->path);
    add_query(exchange, &canonical);
    if (!add_headers(exchange, credential->headers, &canonical))
        return false;
    hash_hex(exchange->body.data ? exchange->body.data : "", exchange->body.len, payload);
    ecs_buf_adds(&canonical, payload);
    if (canonical.failed)
        return false;
    hash_hex(canonical.data, canonical.len, request);
    ecs_buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", date, credential->date,
                 credential->region, credential->service, request);
    unsigned char key[HASH];
    char secret[256];
    snprintf(secret, sizeof(secret), "AWS4%s", exchange->face->secret);
    mac(secret, strlen(secret), credential->date, key);
    mac(key, HASH, credential->region, key);
    mac(key, HASH, credential->service, key);
    mac(key, HASH, "aws4_request", key);
    mac(key, HASH, text.data, key);
    to_hex(key, signature);
    OPENSSL_cleanse(secret, sizeof(secret));
    return true;
}

static bool is_recent(const struct exchange *exchange, const char *date)
{
    struct tm tm = {0};
    if (!strptime(date, "%Y%m%dT%H%M%SZ", &tm))
        return false;
    int64_t off = exchange->face->clock->wall_ms(exchange->face->clock) / 1000 - timegm(&tm);
    return off < WINDOW_S && off > -WINDOW_S;
}

const char *sigv4_check(const struct exchange *exchange, const char **ret_message)
{
    const char *header = header_of(exchange, "Authorization"), *date = header_of(exchange, "X-Amz-Date");
    struct credential credential;
    char signature[2 * HASH + 1];
    if (!exchange->face->key)
        return NULL;
    *ret_message = "Request is missing Authentication Token";
    if (!header || !date)
        return "MissingAuthenticationTokenException";
    *ret_message = "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.";
    if (!read_header(header, &credential))
        return "IncompleteSignatureException";
    *ret_message = "The security token included in the request is invalid.";
    if (strcmp(credential.key, exchange->face->key) != 0)
        return "UnrecognizedClientException";
    *ret_message = "Signature expired: the request's date is too far from the server's.";
    if (!is_recent(exchange, date))
        return "InvalidSignatureException";
    *ret_message = "The request signature we calculated does not match the signature you provided. Check "
                   "your AWS Secret "
                   "Access Key and signing method. Consult the service documentation for details.";
    if (!sign(exchange, &credential, date, signature) || strlen(credential.signature) != 2 * HASH ||
        CRYPTO_memcmp(signature, credential.signature, 2 * HASH) != 0)
        return "InvalidSignatureException";
    return NULL;
}
