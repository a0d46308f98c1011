/* SPDX-License-Identifier: Apache-2.0 */
#include "sigv4.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "ecsfs/cleanup.h"

static void to_hex(const unsigned char *bytes, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * len] = 0;
}

void aws_sha256_hex(const void *data, size_t len, char hex[AWS_SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
    to_hex(digest, 32, hex);
}

void aws_sign_date(int64_t wall_ms, char date[AWS_DATE_TEXT])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    if (!strftime(date, AWS_DATE_TEXT, "%Y%m%dT%H%M%SZ", &tm))
        date[0] = 0;
}

static bool is_unreserved(unsigned char c)
{
    return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

int aws_uri_encode(struct ecs_buf *buf, const char *text, size_t len, bool keep_slash)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_unreserved(c) || (c == '/' && keep_slash))
            ecs_buf_add(buf, text + i, 1);
        else
            ecs_buf_addf(buf, "%%%02X", c);
    }
    return buf->failed;
}

/* RFC 3986's dot segments and doubled slashes resolved: "/a/./b//../c/" is "/a/c/". */
static int normalize_path(const char *path, struct ecs_buf *out)
{
    ecs_buf_adds(out, "/");
    bool directory = true;
    while (*path && !out->failed) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        directory = path[len] == '/' || len == 0;
        if (len == 2 && memcmp(path, "..", 2) == 0) {
            size_t end = out->len - 1;
            while (end > 0 && out->data[end - 1] != '/')
                end--;
            ecs_buf_truncate(out, end ? end : 1);
            directory = true;
        } else if (len == 1 && *path == '.') {
            directory = true;
        } else if (len) {
            ecs_buf_add(out, path, len);
            ecs_buf_adds(out, "/");
        }
        path += len;
    }
    if (!directory && out->len > 1)
        ecs_buf_truncate(out, out->len - 1);
    return out->failed;
}

static int add_path(const struct aws_signable *request, struct ecs_buf *canonical)
{
    cleanup_buf struct ecs_buf path = ECS_BUF(AWS_SIGN_MAX);
    const char *from = *request->path ? request->path : "/";
    int r = request->keep_path ? ecs_buf_adds(&path, from) : normalize_path(from, &path);
    if (r < 0)
        return r;
    return aws_uri_encode(canonical, path.data, path.len, true);
}

struct pair {
    char *name, *value;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int r = strcmp(x->name, y->name);
    return r ? r : strcmp(x->value, y->value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What is percent-encoded already stays so; the rest is encoded. */
static char *recode(const char *text, size_t len)
{
    cleanup_buf struct ecs_buf out = ECS_BUF(AWS_SIGN_MAX);
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            c = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        }
        aws_uri_encode(&out, &c, 1, false);
    }
    return out.failed ? NULL : ecs_buf_steal(&out, NULL);
}

static int add_query(const char *query, struct ecs_buf *canonical)
{
    size_t max = 1, n = 0;
    for (const char *p = query; p && *p; p++)
        max += *p == '&';
    struct pair *pairs = calloc(max, sizeof(*pairs));
    int r = pairs ? 0 : -ENOMEM;
    for (const char *p = query; p && *p && r == 0;) {
        size_t len = strcspn(p, "&"), name = strcspn(p, "=&");
        if (len) {
            size_t from = name < len ? name + 1 : len;
            pairs[n] = (struct pair){recode(p, name), recode(p + from, len - from)};
            if (!pairs[n].name || !pairs[n].value)
                r = -ENOMEM;
            n++;
        }
        p += len + (p[len] == '&');
    }
    if (r == 0 && n)
        qsort(pairs, n, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < n; i++) {
        if (r == 0)
            ecs_buf_addf(canonical, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
    return r ? r : canonical->failed;
}

/* Outer white space gone, inner runs of it one space. */
static void add_trimmed(struct ecs_buf *buf, const char *value)
{
    bool gap = false, any = false;
    for (; *value; value++) {
        if (isspace((unsigned char)*value)) {
            gap = true;
            continue;
        }
        if (gap && any)
            ecs_buf_adds(buf, " ");
        ecs_buf_add(buf, value, 1);
        gap = false;
        any = true;
    }
}

/* By lower-case name; those of one name in the order given. */
static void sort_headers(const struct aws_header **headers, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        const struct aws_header *header = headers[i];
        size_t j = i;
        for (; j > 0 && strcasecmp(headers[j - 1]->name, header->name) > 0; j--)
            headers[j] = headers[j - 1];
        headers[j] = header;
    }
}

static int add_headers(const struct aws_signable *request, struct ecs_buf *canonical,
                       struct ecs_buf *signed_headers)
{
    cleanup_free const struct aws_header **sorted = calloc(request->headers_len + 1, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < request->headers_len; i++)
        sorted[i] = &request->headers[i];
    sort_headers(sorted, request->headers_len);
    for (size_t i = 0; i < request->headers_len; i++) {
        if (i && strcasecmp(sorted[i]->name, sorted[i - 1]->name) == 0) {
            ecs_buf_adds(canonical, ",");
        } else {
            if (i) {
                ecs_buf_adds(canonical, "\n");
                ecs_buf_adds(signed_headers, ";");
            }
            for (const char *c = sorted[i]->name; *c; c++) {
                char lower = (char)tolower((unsigned char)*c);
                ecs_buf_add(canonical, &lower, 1);
                ecs_buf_add(signed_headers, &lower, 1);
            }
            ecs_buf_adds(canonical, ":");
        }
        add_trimmed(canonical, sorted[i]->value);
    }
    ecs_buf_adds(canonical, "\n");
    return canonical->failed ? canonical->failed : signed_headers->failed;
}

int aws_sign_canonical(const struct aws_signable *request, struct ecs_buf *canonical,
                       struct ecs_buf *signed_headers)
{
    ecs_buf_addf(canonical, "%s\n", request->method);
    int r = add_path(request, canonical);
    ecs_buf_adds(canonical, "\n");
    if (r == 0)
        r = add_query(request->query, canonical);
    ecs_buf_adds(canonical, "\n");
    if (r == 0)
        r = add_headers(request, canonical, signed_headers);
    ecs_buf_addf(canonical, "\n%s\n%s", signed_headers->data ? signed_headers->data : "",
                 request->payload_hash);
    return r ? r : canonical->failed;
}

static int add_scope(const struct aws_signable *request, struct ecs_buf *buf)
{
    return ecs_buf_addf(buf, "%.8s/%s/%s/aws4_request", request->date, request->region, request->service);
}

int aws_sign_text(const struct aws_signable *request, const char *canonical, size_t len, struct ecs_buf *text)
{
    char hash[AWS_SHA256_HEX];
    aws_sha256_hex(canonical, len, hash);
    ecs_buf_addf(text, "AWS4-HMAC-SHA256\n%s\n", request->date);
    add_scope(request, text);
    return ecs_buf_addf(text, "\n%s", hash);
}

static bool hmac(const void *key, size_t key_len, const char *data, size_t len, unsigned char out[32])
{
    unsigned int out_len = 32;
    return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)data, len, out, &out_len) != NULL;
}

static int derive(const struct aws_signable *request, const struct aws_keys *keys, unsigned char key[32])
{
    size_t len = strlen(keys->secret_access_key) + 4;
    char *start = OPENSSL_malloc(len + 1);
    if (!start)
        return -ENOMEM;
    memcpy(start, "AWS4", 4);
    memcpy(start + 4, keys->secret_access_key, len - 4 + 1);
    unsigned char next[32];
    bool good = hmac(start, len, request->date, 8, key) &&
                hmac(key, 32, request->region, strlen(request->region), next) &&
                hmac(next, 32, request->service, strlen(request->service), key) &&
                hmac(key, 32, "aws4_request", 12, next);
    memcpy(key, next, 32);
    OPENSSL_cleanse(next, sizeof(next));
    OPENSSL_clear_free(start, len + 1);
    return good ? 0 : -ENOMEM;
}

static int find_key(const struct aws_signable *request, const struct aws_keys *keys,
                    struct aws_sign_cache *cache, unsigned char key[32])
{
    char of[sizeof(cache->slots->of)];
    int len = snprintf(of, sizeof(of), "%s/%.8s/%s/%s", keys->access_key_id, request->date, request->region,
                       request->service);
    if (!cache || len < 0 || (size_t)len >= sizeof(of))
        return derive(request, keys, key);
    for (size_t i = 0; i < AWS_SIGN_SLOTS; i++)
        if (strcmp(cache->slots[i].of, of) == 0) {
            memcpy(key, cache->slots[i].key, 32);
            return 0;
        }
    int r = derive(request, keys, key);
    if (r < 0)
        return r;
    struct aws_sign_slot *slot = &cache->slots[cache->next++ % AWS_SIGN_SLOTS];
    memcpy(slot->of, of, sizeof(of));
    memcpy(slot->key, key, 32);
    return 0;
}

int aws_sign(const struct aws_signable *request, const struct aws_keys *keys, struct aws_sign_cache *cache,
             char **ret_authorization)
{
    cleanup_buf struct ecs_buf canonical = ECS_BUF(AWS_SIGN_MAX), names = ECS_BUF(AWS_SIGN_MAX),
                               text = ECS_BUF(AWS_SIGN_MAX), out = ECS_BUF(AWS_SIGN_MAX);
    int r = aws_sign_canonical(request, &canonical, &names);
    if (r == 0)
        r = aws_sign_text(request, canonical.data, canonical.len, &text);
    /* the canonical request holds the session token */
    if (canonical.data)
        OPENSSL_cleanse(canonical.data, canonical.len);
    if (r < 0)
        return r;
    unsigned char key[32], mac[32];
    r = find_key(request, keys, cache, key);
    bool good = r == 0 && hmac(key, 32, text.data, text.len, mac);
    OPENSSL_cleanse(key, sizeof(key));
    if (!good)
        return r ? r : -ENOMEM;
    char signature[AWS_SHA256_HEX];
    to_hex(mac, 32, signature);
    ecs_buf_addf(&out, "AWS4-HMAC-SHA256 Credential=%s/", keys->access_key_id);
    add_scope(request, &out);
    r = ecs_buf_addf(&out, ", SignedHeaders=%s, Signature=%s", names.data, signature);
    if (r < 0)
        return r;
    *ret_authorization = ecs_buf_steal(&out, NULL);
    return *ret_authorization ? 0 : -ENOMEM;
}

void aws_sign_forget(struct aws_sign_cache *cache)
{
    OPENSSL_cleanse(cache, sizeof(*cache));
}
