/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "state.h"

enum { STAMP = 16 /* hexadecimal digits of the time in a password */ };

static void sign(const struct world *world, const char *text, char signature[LOGIN_SIGNATURE])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(EVP_sha256(), world->login_key, (int)strlen(world->login_key), (const unsigned char *)text,
         strlen(text), hash, &len);
    for (unsigned i = 0; i < 32; i++)
        snprintf(signature + (size_t)i * 2, 3, "%02x", i < len ? hash[i] : 0);
}

static bool is_equal(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && CRYPTO_memcmp(a, b, strlen(a)) == 0;
}

static void sign_password(const struct world *world, const char *stamp, char signature[LOGIN_SIGNATURE])
{
    char text[64];
    snprintf(text, sizeof(text), "password\n%s", stamp);
    sign(world, text, signature);
}

/* As long as AWS's are at least: time, signature, and random digits, so that no two are the same. */
char *login_password(const struct world *world, int64_t until, char password[LOGIN_PASSWORD])
{
    char signature[LOGIN_SIGNATURE];
    snprintf(password, STAMP + 1, "%016llx", (unsigned long long)until);
    sign_password(world, password, signature);
    memcpy(password + STAMP, signature, sizeof(signature));
    size_t used = STAMP + sizeof(signature) - 1;
    id_hex(password + used, LOGIN_PASSWORD - 1 - used);
    return password;
}

bool login_is_password(const struct world *world, const char *password)
{
    char stamp[STAMP + 1], theirs[LOGIN_SIGNATURE], signature[LOGIN_SIGNATURE];
    if (strlen(password) != LOGIN_PASSWORD - 1)
        return false;
    snprintf(stamp, sizeof(stamp), "%.16s", password);
    snprintf(theirs, sizeof(theirs), "%.64s", password + STAMP);
    sign_password(world, stamp, signature);
    return is_equal(signature, theirs) && (int64_t)strtoull(stamp, NULL, 16) > world_wall(world);
}

bool login_is_header(const struct world *world, const char *header)
{
    char plain[LOGIN_PASSWORD + 64];
    size_t scheme = header ? strcspn(header, " ") : 0;
    if (!header || !((scheme == 5 && strncasecmp(header, "Basic", 5) == 0) ||
                     (scheme == 6 && strncasecmp(header, "Bearer", 6) == 0))) /* of ECR Public */
        return false;
    const char *text = header + scheme + strspn(header + scheme, " ");
    size_t len = strlen(text);
    if (len % 4 || len / 4 * 3 >= sizeof(plain))
        return false;
    int got = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text, (int)len);
    if (got < 0)
        return false;
    for (size_t i = len; i && text[i - 1] == '=' && got > 0; i--)
        got--;
    plain[got] = 0;
    bool valid = strncmp(plain, "AWS:", 4) == 0 && login_is_password(world, plain + 4);
    OPENSSL_cleanse(plain, sizeof(plain));
    return valid;
}

static void sign_layer(const struct world *world, const char *region, const char *repository,
                       const char *digest, const char *until, char signature[LOGIN_SIGNATURE])
{
    char text[640];
    snprintf(text, sizeof(text), "layer\n%.32s\n%.256s\n%.80s\n%.20s", region, repository, digest, until);
    sign(world, text, signature);
}

char *login_sign_layer(const struct world *world, const char *region, const char *repository,
                       const char *digest, int64_t until, char signature[LOGIN_SIGNATURE])
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)until);
    sign_layer(world, region, repository, digest, text, signature);
    return signature;
}

bool login_is_layer(const struct world *world, const char *region, const char *repository, const char *digest,
                    const char *until, const char *signature)
{
    char its[LOGIN_SIGNATURE];
    if (!until || !signature || strlen(until) > 20)
        return false;
    sign_layer(world, region, repository, digest, until, its);
    return is_equal(its, signature) && strtoll(until, NULL, 10) > world_wall(world);
}
