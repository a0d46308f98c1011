/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator's HTTP face: one thread, one loop, the world in the middle. An exchange is one
 * request with its answer; http.c reads it and hands it to the first of its speakers. */
#ifndef LOCAL_HTTP_H
#define LOCAL_HTTP_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ecsfs/buf.h"
#include "fault.h"
#include "stepped_clock.h"
#include "world.h"

struct face_options {
    const char *listen;         /* "ADDR:PORT"; no address: 127.0.0.1; port 0: any that is free */
    const char *key, *secret;   /* SigV4 is checked with these; NULL: not at all */
    struct fault *faults;       /* taken over */
    struct stepped_clock *time; /* the world's, for the control endpoint to step */
};

struct face {
    struct world *world;
    const struct ecs_clock *clock;
    struct MHD_Daemon *daemon;
    const char *key, *secret;
    struct fault *faults;
    struct stepped_clock *time; /* the world's */
    json_t *counts;             /* "ecs.DescribeServices" -> {"calls", "errors", "faults"} */
    char address[64];           /* as it listens: "127.0.0.1:5850" */
    TAILQ_HEAD(, exchange) waiting;
    bool released; /* some of them, since the daemon last ran */
};

struct exchange {
    TAILQ_ENTRY(exchange) link;
    struct face *face;
    struct MHD_Connection *connection;
    const char *method;
    char *path;
    struct ecs_buf body;
    char operation[192]; /* "ecs.DescribeServices", for faults and counts */
    enum { READING, HELD, LATE } stage;
    bool linked;
    bool streaming, refused; /* a chunk of an upload: taken in, or not, from its first byte on */
    int64_t wake_ms;         /* while HELD; -1: never */
    const struct fault *fault;
    enum fault_kind kind;
};

enum { BODY_MAX = 48 * 1024 * 1024 };

/* NULL with *ret_error set. */
struct face *face_new(struct world *world, const struct ecs_clock *clock, const struct face_options *options,
                      struct ecs_error **ret_error);
/* Serves until *stop is set. 0 or -errno. */
int face_run(struct face *face, const volatile int *stop);
struct face *face_free(struct face *face);

/* --- for the speakers --- */

const char *header_of(const struct exchange *exchange, const char *name);
const char *argument_of(const struct exchange *exchange, const char *name);

/* Queues an answer. The text is taken over (malloc'ed; NULL: empty). Headers are name, value, ...,
 * NULL; a name with a NULL value is left out. */
enum MHD_Result answer(struct exchange *exchange, unsigned status, const char *type, char *text, size_t len,
                       ...) __attribute__((sentinel));
enum MHD_Result answer_json(struct exchange *exchange, unsigned status,
                            json_t *tree); /* takes over the tree */
/* Drops the connection with a reset. */
enum MHD_Result reset(struct exchange *exchange);

/* Counts the request; true when a fault struck and the exchange is dealt with (*ret_result). */
bool struck_before(struct exchange *exchange, enum MHD_Result *ret_result);
void count_call(struct face *face, const char *operation, const char *what);

/* The speakers: each answers an exchange whose body is complete. */
enum MHD_Result speak_aws(struct exchange *exchange);
enum MHD_Result speak_control(struct exchange *exchange);
enum MHD_Result speak_registry(struct exchange *exchange);
/* The registry takes some bodies as they come. */
bool registry_streams(const struct exchange *exchange);
enum MHD_Result registry_data(struct exchange *exchange, const char *data, size_t len);

/* NULL when the request is signed with the face's key; else AWS's error code, and its message. */
const char *sigv4_check(const struct exchange *exchange, const char **ret_message);

#endif
