/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the endpoint, step by step, so that what is in the way has a name: its address, a connection.
 * (TLS and HTTP are the first call's.) */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_private.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

enum { CONNECT_MS = 5000 };

struct place {
    char host[256], port[8];
};

/* "https://host:port/path", a host of IPv6 in brackets. */
static bool read_place(const char *url, struct place *place)
{
    const char *host = strstr(url, "://");
    if (host == NULL)
        return false;
    bool plain = strncmp(url, "http:", 5) == 0;
    host += 3;
    bool bracket = *host == '[';
    size_t len = bracket ? strcspn(++host, "]") : strcspn(host, ":/");
    const char *rest = host + len + bracket;
    if (len == 0 || len >= sizeof(place->host))
        return false;
    memcpy(place->host, host, len);
    place->host[len] = '\0';
    if (*rest == ':')
        snprintf(place->port, sizeof(place->port), "%.*s", (int)strspn(rest + 1, "0123456789"), rest + 1);
    else
        snprintf(place->port, sizeof(place->port), "%s", plain ? "80" : "443");
    return true;
}

static const char *proxy_of(const char *url)
{
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    const char *const *names = strncmp(url, "http:", 5) == 0 ? http : https;
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && *value)
            return *names;
    }
    return NULL;
}

/* 0 or -errno. */
static int finish_connect(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int n = poll(&wait, 1, CONNECT_MS);
    if (n <= 0)
        return n == 0 ? -ETIMEDOUT : -errno;
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

static int try_connect(const struct addrinfo *address)
{
    cleanup_close int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    return errno == EINPROGRESS ? finish_connect(fd) : -errno;
}

static bool check_connection(struct check *check, const struct place *place, const struct addrinfo *addresses)
{
    int r = -EHOSTUNREACH;
    int64_t from = ecs_system_clock.now_ms(&ecs_system_clock);
    for (; addresses != NULL && r < 0; addresses = addresses->ai_next)
        r = try_connect(addresses);
    int64_t took = ecs_system_clock.now_ms(&ecs_system_clock) - from;
    if (r == 0)
        check_say(check, CHECK_OK, "connection", "port %s, in %lld ms", place->port, (long long)took);
    else
        check_say(check, CHECK_NO, "connection",
                  "port %s of %s: %s; is there a firewall, or a proxy to name in HTTPS_PROXY?", place->port,
                  place->host, strerror(-r));
    return r == 0;
}

static bool check_way(struct check *check, const struct place *place)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
    int r = getaddrinfo(place->host, place->port, &hints, &addresses);
    if (r != 0) {
        check_say(check, CHECK_NO, "address", "%s: %s; is the region's name right, and DNS at work?",
                  place->host, r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
        return false;
    }
    char text[NI_MAXHOST] = "";
    getnameinfo(addresses->ai_addr, addresses->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
    check_say(check, CHECK_OK, "address", "%s is %s", place->host, text);
    bool good = check_connection(check, place, addresses);
    freeaddrinfo(addresses);
    return good;
}

bool check_endpoint(struct check *check)
{
    const char *url = check->status.endpoint;
    struct place place;
    if (check->what->local) {
        check_say(check, CHECK_SKIPPED, "endpoint", "the emulator is within this program");
        return true;
    }
    if (!read_place(url, &place)) {
        check_say(check, CHECK_NO, "endpoint", "%s is no URL", url);
        return false;
    }
    check_say(check, CHECK_OK, "endpoint", "%s%s", url,
              strncmp(url, "http:", 5) == 0 ? " (without TLS, as it was asked for)" : "");
    const char *proxy = proxy_of(url);
    if (proxy != NULL) {
        check_say(check, CHECK_SKIPPED, "connection", "through the proxy that %s names", proxy);
        return true;
    }
    return check_way(check, &place);
}
