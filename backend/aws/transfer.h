/* SPDX-License-Identifier: Apache-2.0 */
/* What every transfer of ours has in common: safety on the wire. */
#ifndef ECSFS_AWS_TRANSFER_H
#define ECSFS_AWS_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

struct aws_transfer {
    const char *url;
    bool plain_http;       /* http is allowed, as the user or the protocol says; else https only */
    bool direct;           /* never through a proxy */
    const char *ca_bundle; /* NULL: the system's */
    long connect_ms, total_ms;
    long stall_s;
};

/* Resets the handle and sets it up: no redirects, verification on, TLS 1.2 or newer, no signals, timeouts. */
bool aws_transfer_set(CURL *easy, const struct aws_transfer *transfer);
/* Cleanses and frees. */
void aws_headers_free(struct curl_slist *headers);
/* Adds "name: value". False when out of memory. */
bool aws_headers_add(struct curl_slist **headers, const char *name, const char *value);

#endif
