/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server in a thread of the test, whose answers go wrong as told. Keeps connections, counts
 * what it heard. */
#ifndef ECSFS_TEST_SERVER_H
#define ECSFS_TEST_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum fault {
    FAULT_NONE,
    FAULT_RESET,     /* heard, then RST */
    FAULT_CLOSE,     /* heard, then closed without a byte */
    FAULT_HANG,      /* heard, then silence */
    FAULT_SLOW,      /* a byte every 200 ms */
    FAULT_TRUNCATE,  /* half of the body, then closed */
    FAULT_KEEPALIVE, /* answers well, says keep-alive, and closes */
};

struct heard {
    const char *method, *path;
    const char *operation;   /* after the dot of X-Amz-Target, or "" */
    const char *head, *body; /* head: request line and headers as they came */
    int count;               /* of this operation so far, 1 for the first */
    int connection;          /* its number, from 1 */
};

struct said {            /* the handler fills it */
    int status;          /* 200 when 0 */
    const char *headers; /* "Name: value\r\n"...; NULL: none */
    const char *type;    /* Content-Type; NULL: application/x-amz-json-1.1 */
    char *body;          /* malloc'ed, freed by the server; NULL: "{}" */
    size_t len;          /* 0: up to the NUL */
    enum fault fault;
};

struct server;
typedef void server_fn(void *arg, const struct heard *heard, struct said *said);

/* Listens on a free port of 127.0.0.1. The handler runs on a thread a connection, one at a time. */
struct server *server_start(server_fn *handler, void *arg);
void server_stop(struct server *server);
/* "http://127.0.0.1:PORT" */
const char *server_url(const struct server *server);
/* Requests heard: of one operation, or of all (NULL). */
int server_heard(struct server *server, const char *operation);
int server_connections(struct server *server);
/* Forgets the counts. */
void server_reset(struct server *server);
/* The header's value in heard->head, into `value`; "" when absent. */
const char *heard_header(const struct heard *heard, const char *name, char *value, size_t size);

#endif
