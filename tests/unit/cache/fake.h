/* SPDX-License-Identifier: Apache-2.0 */
/* A backend that does what the test says: calls are kept until the test answers them, in any order. */
#ifndef TEST_CACHE_FAKE_H
#define TEST_CACHE_FAKE_H

#include <stdbool.h>

#include "ecsfs/backend.h"
#include "ecsfs/cache.h"
#include "ecsfs/clock.h"

enum { FAKE_CALLS = 4096 };

struct fake {
    struct ecs_backend backend; /* first */
    struct ecs_manual_clock clock;
    struct ecs_cache *cache;
    struct ecs_call *calls[FAKE_CALLS]; /* on their way, in order; NULL once answered */
    const char *operations[FAKE_CALLS];
    size_t len, open; /* ever submitted ; unanswered */
    unsigned cancelled;
    char account[16];
    /* What changed() was told, as "kind parent/id" lines. */
    char told[8192];
};

/* A want that notes how often it was woken. */
struct waiter {
    struct ecs_want want; /* first */
    int woken;
};

/* Starts the clock at 1,000,000 ms. options may be NULL: stale 5000, grace 1000, settle 10000, 10 in flight.
 */
void fake_init(struct fake *fake, const struct ecs_cache_options *options);
void fake_free(struct fake *fake);

void waiter_init(struct fake *fake, struct waiter *waiter);
/* The nth call still on its way, or NULL. */
struct ecs_call *fake_open(struct fake *fake, size_t n);
/* The same by operation. */
struct ecs_call *fake_find(struct fake *fake, const char *operation);
/* How many were ever submitted for that operation. */
size_t fake_count(struct fake *fake, const char *operation);

/* Answers a call with a reply (a format for JSON text with ' for "), and does not pump. */
void fake_reply(struct fake *fake, struct ecs_call *call, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fake_fail(struct fake *fake, struct ecs_call *call, struct ecs_error *error);
/* An error as AWS answers it. */
void fake_fail_aws(struct fake *fake, struct ecs_call *call, int status, const char *code,
                   const char *message);

/* Answers every call from a made-up account: see world.c. `count` is how many resources each list has. */
void fake_world(struct fake *fake, int count);

/* Whether the body of a call has this JSON value at a path like "services[0]"; ' for ". */
bool fake_body_is(const struct ecs_call *call, const char *json);
/* The value of a string in the body's array, or NULL: fake_body_item(call, "services", 0). Borrowed for one
 * call. */
const char *fake_body_item(const struct ecs_call *call, const char *member, size_t i);
size_t fake_body_items(const struct ecs_call *call, const char *member);

#endif
