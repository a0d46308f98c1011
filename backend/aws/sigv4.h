/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 4 in the Authorization header, over OpenSSL. Our own, for libcurl's (7.88)
 * mis-signs with a date of ours, unsorted queries, percent signs and empty headers. */
#ifndef ECSFS_AWS_SIGV4_H
#define ECSFS_AWS_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecsfs/buf.h"

enum {
    AWS_DATE_TEXT = 17,   /* "20150830T123600Z" and NUL */
    AWS_SHA256_HEX = 65,  /* 64 hex digits and NUL */
    AWS_SIGN_MAX = 65536, /* bytes of a canonical request, at most */
};

struct aws_header {
    const char *name, *value;
};

struct aws_signable {
    const char *method;
    const char *path;                 /* as it goes over the wire, from the first slash */
    const char *query;                /* as it goes over the wire, without "?"; NULL: none */
    const struct aws_header *headers; /* all of them are signed; Host and X-Amz-Date among them */
    size_t headers_len;
    const char *payload_hash; /* hex SHA-256 of the body */
    const char *date;         /* the value of X-Amz-Date */
    const char *region, *service;
    bool keep_path; /* do not resolve "." and ".." and double slashes (S3's way) */
};

struct aws_keys {
    const char *access_key_id, *secret_access_key;
};

/* A signing key lasts for a day, region and service; deriving it costs four HMACs. One slot a
 * service and region is enough. Zero-initialised; cleansed by aws_sign_forget. */
enum { AWS_SIGN_SLOTS = 16 };
struct aws_sign_cache {
    struct aws_sign_slot {
        char of[192]; /* access key id, day, region, service */
        unsigned char key[32];
    } slots[AWS_SIGN_SLOTS];
    unsigned next;
};

/* 0, -ENOMEM, -EFBIG. */
int aws_sign_canonical(const struct aws_signable *request, struct ecs_buf *canonical,
                       struct ecs_buf *signed_headers);
int aws_sign_text(const struct aws_signable *request, const char *canonical, size_t len,
                  struct ecs_buf *text);
/* The value of the Authorization header; the caller frees it. `cache` may be NULL. */
int aws_sign(const struct aws_signable *request, const struct aws_keys *keys, struct aws_sign_cache *cache,
             char **ret_authorization);
void aws_sign_forget(struct aws_sign_cache *cache);

void aws_sha256_hex(const void *data, size_t len, char hex[AWS_SHA256_HEX]);
/* "20150830T123600Z" of a Unix time in milliseconds. */
void aws_sign_date(int64_t wall_ms, char date[AWS_DATE_TEXT]);
/* Percent-encodes all but RFC 3986's unreserved characters (and slashes where told so). */
int aws_uri_encode(struct ecs_buf *buf, const char *text, size_t len, bool keep_slash);

#endif
