/* SPDX-License-Identifier: Apache-2.0 */
/* What the registry lets in under --verify: the passwords that GetAuthorizationToken hands out (12 hours),
 * and the addresses of GetDownloadUrlForLayer (an hour), which need no password, as S3's do not. Both are
 * signed with the world's login key, so nothing is kept of them. */
#ifndef LOCAL_LOGIN_H
#define LOCAL_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

struct world;

enum {
    LOGIN_PASSWORD = 257, /* bytes of its text */
    LOGIN_SIGNATURE = 65,
};

static const int64_t login_password_ms = 12 * 3600 * 1000, login_url_ms = 3600 * 1000;

/* Good until that wall time, in Unix milliseconds. */
char *login_password(const struct world *world, int64_t until, char password[LOGIN_PASSWORD]);
bool login_is_password(const struct world *world, const char *password);
/* Of an "Authorization: Basic ..." header; the user's name is AWS. NULL is none. */
bool login_is_header(const struct world *world, const char *header);

char *login_sign_layer(const struct world *world, const char *region, const char *repository,
                       const char *digest, int64_t until, char signature[LOGIN_SIGNATURE]);
bool login_is_layer(const struct world *world, const char *region, const char *repository, const char *digest,
                    const char *until, const char *signature);

#endif
