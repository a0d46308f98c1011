/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates are verified, whatever: an unknown one is refused before anything is sent, a CA bundle makes
 * it known, a wrong name stays wrong; and plain http is not spoken where nobody asked for it. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"
#include "data.h"

struct tls_server {
    int fd, port;
    pthread_t thread;
    atomic_bool ending;
    atomic_int requests; /* that came through */
    SSL_CTX *context;
    char bundle[64];
};

/* One certificate for itself, for `name`. */
static void make_certificate(struct tls_server *server, const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"ecsfs test", -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    const char *const extensions[][2] = {{"basicConstraints", "critical,CA:TRUE"}, {"subjectAltName", name}};
    for (size_t i = 0; i < 2; i++) {
        X509_EXTENSION *extension = X509V3_EXT_conf(NULL, NULL, extensions[i][0], extensions[i][1]);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, key, EVP_sha256());
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->context, certificate);
    SSL_CTX_use_PrivateKey(server->context, key);
    snprintf(server->bundle, sizeof(server->bundle), "/tmp/ecsfs-test-XXXXXX");
    FILE *file = fdopen(mkstemp(server->bundle), "w");
    PEM_write_X509(file, certificate);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void serve_one(struct tls_server *server, int fd)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    SSL *ssl = SSL_new(server->context);
    char request[8192];
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
        server->requests++;
        SSL_write(ssl, answer, sizeof(answer) - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
}

static void *serve(void *arg)
{
    struct tls_server *server = arg;
    while (!server->ending) {
        struct pollfd poller = {.fd = server->fd, .events = POLLIN};
        if (poll(&poller, 1, 20) > 0)
            serve_one(server, accept(server->fd, NULL, NULL));
    }
    return NULL;
}

static void tls_start(struct tls_server *server, const char *name)
{
    *server = (struct tls_server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    make_certificate(server, name);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    if (bind(server->fd, (struct sockaddr *)&at, len) < 0 || listen(server->fd, 16) < 0 ||
        getsockname(server->fd, (struct sockaddr *)&at, &len) < 0)
        abort();
    server->port = ntohs(at.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
}

static void tls_stop(struct tls_server *server)
{
    server->ending = true;
    pthread_join(server->thread, NULL);
    close(server->fd);
    SSL_CTX_free(server->context);
    unlink(server->bundle);
}

static struct ecs_call *call_once(const struct tls_server *server, const char *scheme, bool with_bundle)
{
    char url[64];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%d", scheme, server->port);
    if (with_bundle)
        setenv("AWS_CA_BUNDLE", server->bundle, 1);
    else
        unsetenv("AWS_CA_BUNDLE");
    struct caller caller;
    caller_start(&caller, url, NULL);
    struct ecs_call *call = caller_call(&caller, "UpdateService", "{}", true, 10000);
    caller_stop(&caller);
    return call;
}

START_TEST(verified)
{
    struct tls_server server;
    tls_start(&server, "IP:127.0.0.1");
    struct ecs_call *call = call_once(&server, "https", true);
    ck_assert_msg(!call->error, "%s", call->error ? call->error->message : "");
    caller_done(call);
    ck_assert_int_eq(server.requests, 1);
    call = call_once(&server, "https", false);
    ck_assert_int_eq(call->error->err, -EPROTO);
    ck_assert_str_eq(call->error->code, "TLSFailure"); /* and not AnswerLost: nothing was sent */
    ck_assert_ptr_nonnull(strstr(call->error->message, "127.0.0.1"));
    ck_assert_int_eq(call->attempts, 1);
    ck_assert_int_eq(server.requests, 1);
    caller_done(call);
    tls_stop(&server);
}
END_TEST

START_TEST(wrong_name)
{
    struct tls_server server;
    tls_start(&server, "DNS:ecs.us-east-1.amazonaws.com");
    struct ecs_call *call = call_once(&server, "https", true);
    ck_assert_int_eq(call->error->err, -EPROTO);
    ck_assert_str_eq(call->error->code, "TLSFailure");
    ck_assert_int_eq(server.requests, 0);
    caller_done(call);
    tls_stop(&server);
}
END_TEST

START_TEST(mixed_up)
{
    struct tls_server server;
    tls_start(&server, "IP:127.0.0.1");
    struct ecs_call *call = call_once(&server, "http", true); /* http to a TLS port: no answer of HTTP's */
    ck_assert_ptr_nonnull(call->error);
    ck_assert_int_eq(server.requests, 0);
    caller_done(call);
    tls_stop(&server);
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* of our own server, whose clients hang up */
    caller_clear_environment();
    Suite *suite = suite_create("tls");
    TCase *cases = tcase_create("tls");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, verified);
    tcase_add_test(cases, wrong_name);
    tcase_add_test(cases, mixed_up);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
