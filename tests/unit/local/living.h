/* SPDX-License-Identifier: Apache-2.0 */
/* A world with a clock of its own, for the tests of the emulator. */
#ifndef TEST_LIVING_H
#define TEST_LIVING_H

#include <check.h>
#include <jansson.h>

#include "ecsfs/clock.h"
#include "ecsfs/local.h"
#include "world.h"

struct living {
    struct ecs_manual_clock manual;
    struct world *world;
};

extern struct living living;

void living_begin(void);                  /* in memory; a fixture's setup */
void living_open(const char *state_file); /* with a state file */
void living_end(void);
/* Steps the clock, in one go, and ticks. */
void living_pass(int64_t ms);

/* The reply of an ECS operation; fails the test when it is refused. `in` is JSON text with '
 * for ". The reply belongs to the fixture: freed at living_end. */
json_t *call(const char *operation, const char *in, ...) __attribute__((format(printf, 2, 3)));
json_t *call_of(const char *service, const char *operation, const char *in, ...)
    __attribute__((format(printf, 3, 4)));
/* Asserts that it is refused with that code, and a message that contains `message`. */
void refused(const char *code, const char *message, const char *operation, const char *in, ...)
    __attribute__((format(printf, 4, 5)));

/* A value in a tree by its path: "services.0.deployments.0.rolloutState". NULL when not there. */
json_t *at(json_t *tree, const char *path);
const char *text_at(json_t *tree, const char *path);
long number_at(json_t *tree, const char *path);

/* A cluster "c" and a Fargate definition "web:1" of one container. */
void living_small_world(void);
/* DescribeServices of one in "c". */
json_t *service(const char *name);
/* How many of its events contain the text. */
int events_with(json_t *described, const char *text);

#endif
