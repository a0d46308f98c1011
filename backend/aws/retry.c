/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

#include "ecsfs/cleanup.h"

static const struct {
    const char *code;
    const char *message; /* a part of it, or NULL */
    enum aws_retry retry;
    bool throttle;
} codes[] = {
    {"Throttling", NULL, AWS_RETRY_REFUSED, true},
    {"ThrottlingException", NULL, AWS_RETRY_REFUSED, true},
    {"ThrottledException", NULL, AWS_RETRY_REFUSED, true},
    {"RequestThrottled", NULL, AWS_RETRY_REFUSED, true},
    {"RequestThrottledException", NULL, AWS_RETRY_REFUSED, true},
    {"TooManyRequestsException", NULL, AWS_RETRY_REFUSED, true},
    {"ProvisionedThroughputExceededException", NULL, AWS_RETRY_REFUSED, true},
    {"RequestLimitExceeded", NULL, AWS_RETRY_REFUSED, true},
    {"BandwidthLimitExceeded", NULL, AWS_RETRY_REFUSED, true},
    {"SlowDown", NULL, AWS_RETRY_REFUSED, true},
    {"EC2ThrottledException", NULL, AWS_RETRY_REFUSED, true},
    {"PriorRequestNotComplete", NULL, AWS_RETRY_REFUSED, true},
    {"TransactionInProgressException", NULL, AWS_RETRY_REFUSED, true},
    /* ECS's word for too fast a RegisterTaskDefinition of one family */
    {"ClientException", "Too many concurrent attempts", AWS_RETRY_REFUSED, true},
    {"RequestTimeout", NULL, AWS_RETRY_AMBIGUOUS, false},
    {"RequestTimeoutException", NULL, AWS_RETRY_AMBIGUOUS, false},
    {"RequestTimeTooSkewed", NULL, AWS_RETRY_SKEW, false},
    {"RequestExpired", NULL, AWS_RETRY_SKEW, false},
    {"RequestInTheFuture", NULL, AWS_RETRY_SKEW, false},
    {"InvalidSignatureException", NULL, AWS_RETRY_SKEW, false},
    {"SignatureDoesNotMatch", NULL, AWS_RETRY_SKEW, false},
    {"AuthFailure", NULL, AWS_RETRY_SKEW, false},
    {"ExpiredToken", NULL, AWS_RETRY_KEYS, false},
    {"ExpiredTokenException", NULL, AWS_RETRY_KEYS, false},
    {"UnrecognizedClientException", NULL, AWS_RETRY_KEYS, false},
    {"InvalidClientTokenId", NULL, AWS_RETRY_KEYS, false},
};

static size_t find_code(const struct ecs_error *error)
{
    size_t i = 0;
    while (i < ARRAY_LEN(codes) && (strcmp(codes[i].code, error->code) != 0 ||
                                    (codes[i].message && !strstr(error->message, codes[i].message))))
        i++;
    return i;
}

bool aws_is_throttle(const struct ecs_error *error)
{
    size_t i = find_code(error);
    return error->http_status == 429 || (i < ARRAY_LEN(codes) && codes[i].throttle);
}

enum aws_retry aws_retry_of_answer(const struct ecs_error *error)
{
    size_t i = find_code(error);
    if (i < ARRAY_LEN(codes))
        return codes[i].retry;
    if (ecs_error_ambiguous(error))
        return AWS_RETRY_AMBIGUOUS;
    return error->http_status == 429 || error->http_status == 503 ? AWS_RETRY_REFUSED : AWS_RETRY_NO;
}

static const struct aws_transport transports[] = {
    {CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, "HostNotFound", "the host name is not known", true, true},
    {CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH, "ProxyNotFound", "the proxy's name is not known", true,
     true},
    {CURLE_COULDNT_CONNECT, -ECONNREFUSED, "ConnectionRefused", "no connection", true, true},
    {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, "Timeout", "no answer in time", true, false},
    {CURLE_SSL_CONNECT_ERROR, -EPROTO, "TLSFailure", "the TLS handshake failed", true, true},
    {CURLE_PEER_FAILED_VERIFICATION, -EPROTO, "TLSFailure", "its certificate is not trusted", false, true},
    {CURLE_SSL_CACERT_BADFILE, -EPROTO, "TLSFailure", "the CA bundle cannot be read", false, true},
    {CURLE_SSL_CERTPROBLEM, -EPROTO, "TLSFailure", "the local certificate does not serve", false, true},
    {CURLE_SSL_CIPHER, -EPROTO, "TLSFailure", "no common TLS cipher", false, true},
    {CURLE_SSL_ISSUER_ERROR, -EPROTO, "TLSFailure", "its certificate's issuer is not trusted", false, true},
    {CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, "InvalidEndpoint", "the protocol is not allowed", false, true},
    {CURLE_URL_MALFORMAT, -EINVAL, "InvalidEndpoint", "the endpoint is no URL", false, true},
    {CURLE_WRITE_ERROR, -EPROTO, "ReplyTooLarge", "the reply is larger than allowed", false, false},
    {CURLE_WEIRD_SERVER_REPLY, -EPROTO, "MalformedReply", "the answer is not HTTP", false, false},
    {CURLE_BAD_CONTENT_ENCODING, -EPROTO, "MalformedReply", "the answer's encoding is broken", false, false},
    {CURLE_PARTIAL_FILE, -EIO, "ConnectionClosed", "the connection closed in mid-reply", true, false},
    {CURLE_GOT_NOTHING, -EIO, "ConnectionClosed", "the connection closed without an answer", true, false},
    {CURLE_ABORTED_BY_CALLBACK, -EIO, "ConnectionClosed", "the connection closed, and nobody waited any more",
     false, false},
    {CURLE_SEND_ERROR, -EIO, "ConnectionClosed", "the connection broke while sending", true, false},
    {CURLE_RECV_ERROR, -EIO, "ConnectionClosed", "the connection broke", true, false},
    {CURLE_OUT_OF_MEMORY, -ENOMEM, "OutOfMemory", "out of memory", false, false},
    {CURLE_OK, -EIO, "TransferFailed", "the transfer failed", false, false}, /* all others */
};

const struct aws_transport *aws_transport_find(CURLcode code)
{
    size_t i = 0;
    while (i < ARRAY_LEN(transports) - 1 && transports[i].code != code)
        i++;
    return &transports[i];
}

static double random_part(void)
{
    unsigned char bytes[4];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return 1;
    unsigned n = bytes[0] | (unsigned)bytes[1] << 8 | (unsigned)bytes[2] << 16 | (unsigned)bytes[3] << 24;
    return (double)n / 4294967296.0;
}

int64_t aws_backoff_ms(int attempts, int64_t retry_after_ms)
{
    int64_t most = attempts < 6 ? 1000 << (attempts - 1) : 20000;
    if (most > 20000)
        most = 20000;
    int64_t wait = (int64_t)(random_part() * (double)most);
    if (retry_after_ms < 0)
        return wait;
    return retry_after_ms < wait ? wait : retry_after_ms < wait + 5000 ? retry_after_ms : wait + 5000;
}
