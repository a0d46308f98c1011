/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

enum { MOST_OPERATIONS = 64, MOST_CONNECTIONS = 512, REQUEST_MAX = 32 << 20 };

struct server {
    server_fn *handler;
    void *arg;
    int fd;
    char url[64];
    pthread_t thread;
    atomic_bool ending;
    pthread_mutex_t lock; /* guards what follows, and the handler */
    struct {
        char name[64];
        int count;
    } heard[MOST_OPERATIONS];
    int total, connections;
    struct {
        pthread_t thread;
    } workers[MOST_CONNECTIONS];
    int workers_len;
};

struct connection {
    struct server *server;
    int fd, number;
};

static bool wait_readable(struct server *server, int fd)
{
    while (!server->ending) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (poll(&poller, 1, 20) > 0)
            return true;
    }
    return false;
}

/* Reads until the headers and the body that they announce are there. False at the end. */
static bool read_request(struct connection *c, struct ecs_buf *in, size_t *ret_head)
{
    char chunk[16384];
    for (;;) {
        char *end = in->data ? strstr(in->data, "\r\n\r\n") : NULL;
        if (end) {
            size_t head = (size_t)(end - in->data) + 4;
            const char *length = strcasestr(in->data, "\r\ncontent-length:");
            size_t body = length && length < end ? (size_t)strtoul(length + 17, NULL, 10) : 0;
            if (in->len >= head + body) {
                *ret_head = head;
                return true;
            }
        }
        if (!wait_readable(c->server, c->fd))
            return false;
        ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);
        if (n <= 0)
            return false;
        ecs_buf_add(in, chunk, (size_t)n);
    }
}

const char *heard_header(const struct heard *heard, const char *name, char *value, size_t size)
{
    size_t len = strlen(name);
    value[0] = 0;
    for (const char *line = strstr(heard->head, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            const char *from = line + 3 + len + strspn(line + 3 + len, " ");
            snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
        }
    return value;
}

static int count(struct server *server, const char *operation)
{
    server->total++;
    for (size_t i = 0; i < MOST_OPERATIONS; i++) {
        if (!server->heard[i].count)
            snprintf(server->heard[i].name, sizeof(server->heard[i].name), "%s", operation);
        if (strcmp(server->heard[i].name, operation) == 0)
            return ++server->heard[i].count;
    }
    return 0;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_slowly(struct connection *c, const char *data, size_t len)
{
    for (size_t i = 0; i < len && !c->server->ending; i++) {
        if (!send_all(c->fd, data + i, 1))
            return false;
        usleep(200000);
    }
    return false;
}

/* False when the connection is to be closed. */
static bool answer(struct connection *c, const struct said *said)
{
    const char *body = said->body ? said->body : "{}";
    size_t len = said->len ? said->len : strlen(body);
    switch (said->fault) {
    case FAULT_RESET: {
        struct linger hard = {1, 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        return false;
    }
    case FAULT_CLOSE:
        return false;
    case FAULT_HANG:
        while (!c->server->ending) {
            struct pollfd poller = {.fd = c->fd, .events = POLLIN};
            if (poll(&poller, 1, 20) > 0) /* the client gave up */
                break;
        }
        return false;
    default:
        break;
    }
    cleanup_buf struct ecs_buf head = ECS_BUF(1 << 20);
    ecs_buf_addf(&head, "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
                 said->status ? said->status : 200, said->type ? said->type : "application/x-amz-json-1.1",
                 len, said->headers ? said->headers : "");
    if (!send_all(c->fd, head.data, head.len))
        return false;
    if (said->fault == FAULT_SLOW)
        return send_slowly(c, body, len);
    if (said->fault == FAULT_TRUNCATE) {
        send_all(c->fd, body, len / 2);
        return false;
    }
    return send_all(c->fd, body, len) && said->fault != FAULT_KEEPALIVE;
}

static bool serve_one(struct connection *c, struct ecs_buf *in, size_t head_len)
{
    char method[16] = "", path[1024] = "", target[128];
    cleanup_free char *head = strndup(in->data, head_len);
    sscanf(head, "%15s %1023s", method, path);
    struct heard heard = {
        .method = method, .path = path, .head = head, .body = in->data + head_len, .connection = c->number};
    heard_header(&heard, "x-amz-target", target, sizeof(target));
    const char *dot = strrchr(target, '.');
    heard.operation = dot ? dot + 1 : "";
    struct said said = {0};
    pthread_mutex_lock(&c->server->lock);
    heard.count = count(c->server, heard.operation);
    c->server->handler(c->server->arg, &heard, &said);
    pthread_mutex_unlock(&c->server->lock);
    bool more = answer(c, &said);
    free(said.body);
    return more;
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    bool more = true;
    while (more) {
        cleanup_buf struct ecs_buf in = ECS_BUF(REQUEST_MAX);
        size_t head_len;
        more = read_request(c, &in, &head_len) && serve_one(c, &in, head_len);
    }
    close(c->fd);
    free(c);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct server *server = arg;
    while (wait_readable(server, server->fd)) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* head and body go out apart */
        struct connection *c = malloc(sizeof(*c));
        pthread_mutex_lock(&server->lock);
        *c = (struct connection){server, fd, ++server->connections};
        if (server->workers_len == MOST_CONNECTIONS)
            abort();
        pthread_create(&server->workers[server->workers_len++].thread, NULL, serve, c);
        pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

struct server *server_start(server_fn *handler, void *arg)
{
    struct server *server = calloc(1, sizeof(*server));
    server->handler = handler;
    server->arg = arg;
    pthread_mutex_init(&server->lock, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    if (bind(server->fd, (struct sockaddr *)&at, len) < 0 || listen(server->fd, 128) < 0 ||
        getsockname(server->fd, (struct sockaddr *)&at, &len) < 0)
        abort();
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
    pthread_create(&server->thread, NULL, accept_all, server);
    return server;
}

void server_stop(struct server *server)
{
    server->ending = true;
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->workers_len; i++)
        pthread_join(server->workers[i].thread, NULL);
    close(server->fd);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

int server_heard(struct server *server, const char *operation)
{
    int n = 0;
    pthread_mutex_lock(&server->lock);
    if (!operation)
        n = server->total;
    for (size_t i = 0; operation && i < MOST_OPERATIONS; i++)
        if (server->heard[i].count && strcmp(server->heard[i].name, operation) == 0)
            n = server->heard[i].count;
    pthread_mutex_unlock(&server->lock);
    return n;
}

int server_connections(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    int n = server->connections;
    pthread_mutex_unlock(&server->lock);
    return n;
}

void server_reset(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    memset(server->heard, 0, sizeof(server->heard));
    server->total = 0;
    pthread_mutex_unlock(&server->lock);
}
