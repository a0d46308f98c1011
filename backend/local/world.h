/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated world, to be driven from one thread: by local.c's thread (ecsfs local), by http.c's
 * loop (ecs-local), or by a test with a clock of its own:
 *
 *     struct world *world = world_new(&(struct ecs_local_options){.clock = &manual.clock}, &error);
 *     json_t *out = world_call(world, NULL, "ecs", "CreateCluster", in, &error);
 *     ecs_manual_clock_step(&manual, 3000);
 *     world_tick(world);
 *
 * A tick lives through everything that was due since the last one, each thing at its own time, so
 * one step of an hour ends where 3600 steps of a second do. */
#ifndef LOCAL_WORLD_H
#define LOCAL_WORLD_H

#include <jansson.h>

#include "ecsfs/local.h"

struct world;

/* Opens the state. NULL with *ret_error set. */
struct world *world_new(const struct ecs_local_options *options, struct ecs_error **ret_error);
struct world *world_free(struct world *world);

/* One request: the reply as a new reference, or NULL with *ret_error set as AWS would answer. What
 * it changed is on disk when it returns. `in` is only read. Region NULL: the world's own. */
json_t *world_call(struct world *world, const char *region, const char *service, const char *operation,
                   const json_t *in, struct ecs_error **ret_error);

/* Lives until now. Returns the milliseconds until something is due again, -1 when nothing is. */
int64_t world_tick(struct world *world);

/* Reads of ECS answer what was so that many milliseconds of the clock ago (lag.h); 0: what is so. */
void world_set_lag(struct world *world, int64_t ms);
int64_t world_lag(const struct world *world);

/* What passwords of the registry are signed with, so that they outlive a restart; without it, something
 * random. */
void world_set_login_key(struct world *world, const char *secret);
/* Where the world is served over HTTP, for the URLs it hands out. */
void world_set_endpoint(struct world *world, const char *address);
const char *world_region(const struct world *world);
const char *world_account(const struct world *world);

#endif
