/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/utf8.h"

enum { LONG_PREFIX = 180, LONG_HEX = 16 };

/* An encoded id is at most three times as long as the id, and no id of AWS is longer than 64 KiB. */
enum { ENCODED_MAX = 3 * 65536 };

static void escape(struct ecs_buf *name, const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ecs_buf_addf(name, "%%%02X", at[i]);
}

static void encode_chars(struct ecs_buf *name, const char *id)
{
    const unsigned char *at = (const unsigned char *)id;
    bool dots = strcmp(id, ".") == 0 || strcmp(id, "..") == 0;
    while (*at != '\0') {
        size_t len = ecs_utf8_len(at);
        if (len == 0 || ecs_utf8_is_control(at, len) || *at == '/' || *at == '%' || dots)
            escape(name, at, len != 0 ? len : 1);
        else
            ecs_buf_add(name, at, len);
        at += len != 0 ? len : 1;
    }
    if (name->len == 0)
        ecs_buf_adds(name, "%");
}

/* Cuts at 180 bytes at most, between whole characters and whole escapes. */
static void shorten(struct ecs_buf *name, const char *id)
{
    size_t at = 0;
    for (;;) {
        const unsigned char *c = (const unsigned char *)name->data + at;
        size_t len = *c == '%' ? 3 : ecs_utf8_len(c);
        if (at + len > LONG_PREFIX)
            break;
        at += len;
    }
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)id, strlen(id), digest);
    ecs_buf_truncate(name, at);
    ecs_buf_adds(name, "%~");
    for (size_t i = 0; i < LONG_HEX / 2; i++)
        ecs_buf_addf(name, "%02x", digest[i]);
}

static void escape_first(struct ecs_buf *name)
{
    char first[4];
    snprintf(first, sizeof(first), "%%%02X", (unsigned char)name->data[0]);
    size_t len = name->len;
    cleanup_free char *rest = ecs_buf_steal(name, &len);
    if (rest == NULL)
        return;
    ecs_buf_adds(name, first);
    ecs_buf_adds(name, rest + 1);
}

char *fs_name_encode(const char *id, const char *suffix, bool (*taken)(const void *arg, const char *name),
                     const void *arg)
{
    cleanup_buf struct ecs_buf name = ECS_BUF(ENCODED_MAX);
    if (suffix == NULL)
        suffix = "";
    encode_chars(&name, id);
    if (name.failed == 0 && name.len + strlen(suffix) > FS_NAME_MAX)
        shorten(&name, id);
    ecs_buf_adds(&name, suffix);
    if (name.failed == 0 && taken != NULL && taken(arg, name.data))
        escape_first(&name);
    return name.failed == 0 ? ecs_buf_steal(&name, NULL) : NULL;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int decode_chars(char *id, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] != '%') {
            *id++ = name[i];
            continue;
        }
        if (i + 2 >= len)
            return -ENOENT;
        int high = hex(name[i + 1]), low = hex(name[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return -ENOENT;
        *id++ = (char)(high * 16 + low);
        i += 2;
    }
    *id = '\0';
    return 0;
}

static bool shortened(const char *name, size_t len)
{
    return len > LONG_HEX + 2 && strncmp(name + len - LONG_HEX - 2, "%~", 2) == 0;
}

int fs_name_decode(const char *name, const char *suffix, bool (*taken)(const void *arg, const char *name),
                   const void *arg, char **ret_id)
{
    size_t len = strlen(name), suffix_len = suffix != NULL ? strlen(suffix) : 0;
    if (len <= suffix_len || (suffix_len > 0 && strcmp(name + len - suffix_len, suffix) != 0))
        return -ENOENT;
    len -= suffix_len;
    if (shortened(name, len))
        return -E2BIG;
    cleanup_free char *id = malloc(len + 1);
    if (id == NULL)
        return -ENOMEM;
    if (strncmp(name, "%", len) == 0 && len == 1)
        id[0] = '\0';
    else if (decode_chars(id, name, len) < 0)
        return -ENOENT;
    /* One thing has one name: what we would spell otherwise is not it. */
    cleanup_free char *again = fs_name_encode(id, suffix, taken, arg);
    if (again == NULL)
        return -ENOMEM;
    if (strcmp(again, name) != 0)
        return -ENOENT;
    *ret_id = steal(id);
    return 0;
}
