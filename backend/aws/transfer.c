/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

static void allow_protocols(CURL *easy, bool plain_http)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain_http ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | (plain_http ? CURLPROTO_HTTP : 0)));
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
}

bool aws_transfer_set(CURL *easy, const struct aws_transfer *transfer)
{
    curl_easy_reset(easy);
    bool good = curl_easy_setopt(easy, CURLOPT_URL, transfer->url) == CURLE_OK;
    allow_protocols(easy, transfer->plain_http);
    /* a redirect would hand the session token to the host it names */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (transfer->ca_bundle)
        good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, transfer->ca_bundle) == CURLE_OK;
    if (transfer->direct)
        good = good && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_USERAGENT, "ecsfs/" ECSFS_VERSION) == CURLE_OK;
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for a slow resolver */
#endif
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 15L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, transfer->connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->total_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, transfer->stall_s);
    return good;
}

bool aws_headers_add(struct curl_slist **headers, const char *name, const char *value)
{
    char *line = NULL;
    int len = asprintf(&line, "%s: %s", name, value);
    if (len < 0)
        return false;
    struct curl_slist *longer = curl_slist_append(*headers, line);
    OPENSSL_cleanse(line, (size_t)len);
    free(line);
    if (!longer)
        return false;
    *headers = longer;
    return true;
}

void aws_headers_free(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h; h = h->next)
        OPENSSL_cleanse(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}
