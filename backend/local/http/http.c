/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/error.h"

const char *header_of(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *argument_of(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

enum MHD_Result answer(struct exchange *exchange, unsigned status, const char *type, char *text, size_t len,
                       ...)
{
    if (exchange->kind == FAULT_LOST) {
        free(text);
        return reset(exchange);
    }
    if (exchange->kind == FAULT_CORRUPT)
        len /= 2;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text ? len : 0, text ? text : (void *)(uintptr_t) "",
                                        text ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    if (type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    va_list headers;
    va_start(headers, len);
    for (const char *name; (name = va_arg(headers, const char *));) {
        const char *value = va_arg(headers, const char *);
        if (value)
            MHD_add_response_header(response, name, value);
    }
    va_end(headers);
    enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result answer_json(struct exchange *exchange, unsigned status, json_t *tree)
{
    char *text = json_dumps(tree, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(tree);
    return answer(exchange, status, "application/json", text, text ? strlen(text) : 0, NULL);
}

enum MHD_Result reset(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info) /* a close without lingering sends RST */
        setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    return MHD_NO;
}

/* --- holding an exchange back --- */

static enum MHD_Result hold(struct exchange *exchange, int ms)
{
    struct face *face = exchange->face;
    exchange->stage = HELD;
    exchange->wake_ms = ms < 0 ? -1 : face->clock->now_ms(face->clock) + ms;
    exchange->linked = true;
    TAILQ_INSERT_TAIL(&face->waiting, exchange, link);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

static void release(struct exchange *exchange)
{
    TAILQ_REMOVE(&exchange->face->waiting, exchange, link);
    exchange->linked = false;
    exchange->stage = LATE;
    exchange->face->released = true;
    MHD_resume_connection(exchange->connection);
}

/* Releases what has waited long enough; the milliseconds until the next, -1: none. */
static int64_t release_due(struct face *face, bool all)
{
    int64_t now = face->clock->now_ms(face->clock), left = -1;
    struct exchange *exchange, *next;
    for (exchange = TAILQ_FIRST(&face->waiting); exchange; exchange = next) {
        next = TAILQ_NEXT(exchange, link);
        if (all || (exchange->wake_ms >= 0 && exchange->wake_ms <= now))
            release(exchange);
        else if (exchange->wake_ms >= 0 && (left < 0 || exchange->wake_ms - now < left))
            left = exchange->wake_ms - now;
    }
    return left;
}

void count_call(struct face *face, const char *operation, const char *what)
{
    json_t *row = json_object_get(face->counts, operation);
    if (!row) {
        row = json_pack("{s:i, s:i, s:i}", "calls", 0, "errors", 0, "faults", 0);
        json_object_set_new(face->counts, operation, row);
    }
    json_object_set_new(row, what, json_integer(json_integer_value(json_object_get(row, what)) + 1));
}

static char *error_body(const char *code, const char *message)
{
    json_t *tree = json_pack("{s:s, s:s}", "__type", code, "message", message);
    char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    return text;
}

static enum MHD_Result refuse_by_fault(struct exchange *exchange)
{
    bool throttle = exchange->kind == FAULT_THROTTLE;
    char *text = error_body(throttle ? "ThrottlingException" : exchange->fault->code,
                            throttle ? "Rate exceeded" : exchange->fault->message);
    return answer(exchange, throttle ? 400 : (unsigned)exchange->fault->status, "application/x-amz-json-1.1",
                  text, text ? strlen(text) : 0, "x-amzn-RequestId", "00000000-0000-4000-8000-000000000000",
                  NULL);
}

bool struck_before(struct exchange *exchange, enum MHD_Result *ret_result)
{
    struct face *face = exchange->face;
    if (exchange->stage == LATE) { /* it was struck before it was held */
        if (exchange->kind != FAULT_HANG)
            return false;
        *ret_result = reset(exchange);
        return true;
    }
    count_call(face, exchange->operation, "calls");
    exchange->fault = fault_strike(face->faults, exchange->operation);
    if (!exchange->fault)
        return false;
    exchange->kind = exchange->fault->kind;
    count_call(face, exchange->operation, "faults");
    switch (exchange->kind) {
    case FAULT_LATENCY:
    case FAULT_HANG:
        *ret_result = hold(exchange, exchange->fault->ms);
        return true;
    case FAULT_THROTTLE:
    case FAULT_ERROR:
        *ret_result = refuse_by_fault(exchange);
        return true;
    case FAULT_RESET:
        *ret_result = reset(exchange);
        return true;
    default:
        return false;
    }
}

/* --- the daemon --- */

static enum MHD_Result speak(struct exchange *exchange)
{
    if (strncmp(exchange->path, "/_local/", 8) == 0)
        return speak_control(exchange);
    if (strncmp(exchange->path, "/v2/", 4) == 0 || strcmp(exchange->path, "/v2") == 0)
        return speak_registry(exchange);
    return speak_aws(exchange);
}

static struct exchange *exchange_new(struct face *face, struct MHD_Connection *connection, const char *url,
                                     const char *method)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange || !(exchange->path = strdup(url))) {
        free(exchange);
        return NULL;
    }
    exchange->face = face;
    exchange->connection = connection;
    exchange->method = method;
    exchange->body = ECS_BUF(BODY_MAX);
    return exchange;
}

static enum MHD_Result take_data(struct exchange *exchange, const char *data, size_t *size)
{
    size_t len = *size;
    *size = 0;
    if (registry_streams(exchange))
        return registry_data(exchange, data, len);
    ecs_buf_add(&exchange->body, data, len);
    return MHD_YES;
}

static enum MHD_Result refuse_body(struct exchange *exchange)
{
    bool large = exchange->body.failed == -EFBIG;
    char *text = error_body(large ? "RequestEntityTooLargeException" : "ServerException",
                            large ? "The request is larger than 48 MiB." : "The emulator is out of memory.");
    return answer(exchange, large ? 413 : 500, "application/x-amz-json-1.1", text, text ? strlen(text) : 0,
                  NULL);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *data_size,
                              void **state)
{
    (void)version;
    struct exchange *exchange = *state;
    if (!exchange) {
        *state = exchange_new(cls, connection, url, method);
        return *state ? MHD_YES : MHD_NO;
    }
    exchange->method = method;
    if (*data_size)
        return take_data(exchange, data, data_size);
    if (exchange->body.failed && !registry_streams(exchange))
        return refuse_body(exchange);
    return speak(exchange);
}

static void completed(void *cls, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    struct exchange *exchange = *state;
    if (!exchange)
        return;
    if (exchange->linked)
        TAILQ_REMOVE(&exchange->face->waiting, exchange, link);
    ecs_buf_free(&exchange->body);
    free(exchange->path);
    free(exchange);
    *state = NULL;
}

/* "ADDR:PORT", "[V6]:PORT". Takes apart in place. */
static int split_address(char *text, char **ret_host, char **ret_port)
{
    char *colon = strrchr(text, ':');
    if (!colon)
        return -EINVAL;
    *colon = 0;
    *ret_port = colon + 1;
    *ret_host = text;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (*end || end == colon + 1 || port < 0 || port > 65535)
        return -EINVAL;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = 0;
        (*ret_host)++;
    }
    return 0;
}

static int open_socket(const char *where)
{
    cleanup_free char *copy = strdup(where);
    char *host, *port;
    if (!copy || split_address(copy, &host, &port) < 0)
        return -EINVAL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    if (getaddrinfo(*host ? host : "127.0.0.1", port, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 511) < 0)
        r = -errno;
    freeaddrinfo(found);
    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
}

static void name_address(struct face *face, int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[48], port[8];
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(face->address, sizeof(face->address), strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* As many as there may be descriptors, but for those of the state and the loop. (MHD's own limit is about a
 * thousand: what comes above it would not be accepted before another one goes.) */
static unsigned connections_at_most(void)
{
    enum { ELSEWHERE = 24, MOST = 65536 };
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 1000;
    files.rlim_cur = files.rlim_max;
    if (files.rlim_cur == RLIM_INFINITY || files.rlim_cur > MOST)
        files.rlim_cur = MOST;
    setrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur > 2 * ELSEWHERE ? (unsigned)(files.rlim_cur - ELSEWHERE) : ELSEWHERE;
}

struct face *face_new(struct world *world, const struct ecs_clock *clock, const struct face_options *options,
                      struct ecs_error **ret_error)
{
    struct face *face = calloc(1, sizeof(*face));
    if (!face) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    face->world = world;
    face->clock = clock;
    face->key = options->key;
    face->secret = options->secret;
    face->time = options->time;
    face->faults = options->faults;
    face->counts = json_object();
    if (face->secret)
        world_set_login_key(world, face->secret);
    TAILQ_INIT(&face->waiting);
    int fd = open_socket(options->listen);
    if (fd < 0) {
        *ret_error = ecs_error_new(fd, "Listen", "cannot listen on %s: %s", options->listen, strerror(-fd));
        return face_free(face);
    }
    name_address(face, fd);
    world_set_endpoint(world, face->address);
    face->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, face,
                                    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, completed,
                                    NULL, MHD_OPTION_CONNECTION_LIMIT, connections_at_most(),
                                    MHD_OPTION_CONNECTION_TIMEOUT, 300u, MHD_OPTION_END);
    if (!face->daemon) {
        close(fd);
        *ret_error = ecs_error_new(-EIO, "Listen", "cannot serve on %s", face->address);
        return face_free(face);
    }
    return face;
}

static int sooner(int64_t a, int64_t b)
{
    int64_t least = a < 0 ? b : b < 0 || a < b ? a : b;
    return least < 0 || least > 60000 ? 60000 : (int)least;
}

/* A signal that comes while the loop is at work must not be lost to the wait behind it: only the wait lets
 * signals in. */
static void hold_signals(sigset_t *ret_before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

int face_run(struct face *face, const volatile int *stop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(face->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return -EIO;
    struct pollfd fd = {.fd = info->epoll_fd, .events = POLLIN};
    sigset_t before;
    hold_signals(&before);
    int r = 0;
    while (!*stop && r == 0) {
        MHD_UNSIGNED_LONG_LONG timeout;
        int64_t world = world_tick(face->world), held = release_due(face, false);
        int64_t mhd = face->released                                       ? 0
                      : MHD_get_timeout(face->daemon, &timeout) == MHD_YES ? (int64_t)timeout
                                                                           : -1;
        int wait = sooner(sooner(world, held), mhd);
        struct timespec span = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L};
        if (ppoll(&fd, 1, &span, &before) < 0 && errno != EINTR)
            r = -errno;
        MHD_run(face->daemon);
        if (face->released) { /* one run puts back what was resumed, the next one answers it */
            face->released = false;
            MHD_run(face->daemon);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

struct face *face_free(struct face *face)
{
    if (face) {
        if (face->daemon) {
            release_due(face, true);
            MHD_run(face->daemon);
            MHD_stop_daemon(face->daemon);
        }
        faults_free(face->faults);
        json_decref(face->counts);
        free(face);
    }
    return NULL;
}
