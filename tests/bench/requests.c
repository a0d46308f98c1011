/* SPDX-License-Identifier: Apache-2.0 */
/* Requests a second of an AWS JSON server, and as fast as its answers come:
 *
 *   requests PORT CONNECTIONS SECONDS TARGET BODY
 *   requests 4566 16 2 AmazonEC2ContainerServiceV20141113.ListClusters '{}'
 *
 * Prints "REQUESTS-A-SECOND P50-MICROSECONDS P99-MICROSECONDS"; exit status 1 when an answer is no 200.
 * Connections are kept alive where the server keeps them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, ANSWER_MAX = 1 << 20, TIMES_MAX = 1 << 22 };

struct link {
    int fd;
    size_t got;
    int64_t asked_us;
    char answer[ANSWER_MAX];
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static char request[64 * 1024];
static size_t request_len;
static uint32_t times[TIMES_MAX];
static size_t times_len;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void link_up(struct link *link)
{
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&server, sizeof(server)) < 0)
        die("connect");
}

static void ask(struct link *link)
{
    link->got = 0;
    link->asked_us = now_us();
    if (write(link->fd, request, request_len) != (ssize_t)request_len)
        die("write");
}

/* The whole answer's length once its head is there; 0: not yet. */
static size_t answer_len(struct link *link)
{
    link->answer[link->got] = 0;
    const char *end = strstr(link->answer, "\r\n\r\n");
    const char *length = end ? strcasestr(link->answer, "\r\nContent-Length:") : NULL;
    if (!end)
        return 0;
    if (strncmp(link->answer + 8, " 200", 4) != 0 || !length || length > end) {
        fprintf(stderr, "requests: the answer: %.300s\n", link->answer);
        exit(1);
    }
    return (size_t)(end + 4 - link->answer) + strtoul(length + 17, NULL, 10);
}

static void answered(struct link *link)
{
    if (times_len < TIMES_MAX)
        times[times_len++] = (uint32_t)(now_us() - link->asked_us);
    if (strncmp(link->answer, "HTTP/1.0", 8) == 0 || strcasestr(link->answer, "\r\nConnection: close")) {
        close(link->fd);
        link_up(link);
    }
    ask(link);
}

static void hear(struct link *link)
{
    ssize_t got = read(link->fd, link->answer + link->got, ANSWER_MAX - 1 - link->got);
    if (got <= 0)
        die("read");
    link->got += (size_t)got;
    size_t len = answer_len(link);
    if (len && link->got >= len)
        answered(link);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void make_request(const char *target, const char *body)
{
    request_len = (size_t)snprintf(request, sizeof(request),
                                   "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: %s\r\nContent-Type: "
                                   "application/x-amz-json-1.1\r\n"
                                   "Authorization: AWS4-HMAC-SHA256 "
                                   "Credential=AKID/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, "
                                   "Signature=00\r\nContent-Length: %zu\r\n\r\n%s",
                                   target, strlen(body), body);
}

int main(int argc, char **argv)
{
    static struct pollfd fds[CONNECTIONS_MAX];
    int count = argc == 6 ? atoi(argv[2]) : 0;
    if (count < 1 || count > CONNECTIONS_MAX) {
        fputs("usage: requests PORT CONNECTIONS SECONDS TARGET BODY\n", stderr);
        return 2;
    }
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    make_request(argv[4], argv[5]);
    struct link *links = calloc((size_t)count, sizeof(*links));
    if (!links)
        die("memory");
    int64_t begin = now_us(), end = begin + (int64_t)(atof(argv[3]) * 1e6), now;
    for (int i = 0; i < count; i++) {
        link_up(&links[i]);
        ask(&links[i]);
    }
    while ((now = now_us()) < end) {
        for (int i = 0; i < count; i++)
            fds[i] = (struct pollfd){.fd = links[i].fd, .events = POLLIN};
        if (poll(fds, (nfds_t)count, 1000) < 0)
            die("poll");
        for (int i = 0; i < count; i++)
            if (fds[i].revents)
                hear(&links[i]);
    }
    qsort(times, times_len, sizeof(*times), by_size);
    if (times_len)
        printf("%.0f %u %u\n", (double)times_len * 1e6 / (double)(now - begin), times[times_len / 2],
               times[times_len * 99 / 100]);
    free(links);
    return times_len == 0;
}
