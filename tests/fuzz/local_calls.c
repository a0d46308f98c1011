/* SPDX-License-Identifier: Apache-2.0 */
/* A life of the emulator: lines of "service.Operation {JSON}" and "step MS". Whatever is asked, in whatever
 * order, an answer is as the API's model has it, and a refusal has a code, a message and a status of 400 or
 * more. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "ecsfs/error.h"
#include "target.h"
#include "world.h"

enum { LINES_MAX = 60 };

static void tell(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    if (fault == ECS_FAULT_UNKNOWN || fault == ECS_FAULT_TYPE || fault == ECS_FAULT_MISSING) {
        fprintf(stderr, "the answer to %s: %s: %s\n", (const char *)arg, place, what);
        abort();
    }
}

static void ask(struct world *world, char *line)
{
    char *rest = line, *name = strsep(&rest, " "), *dot = strchr(name, '.');
    json_t *in = rest ? json_loads(rest, JSON_REJECT_DUPLICATES, NULL) : NULL;
    struct ecs_error *error = NULL;
    if (!dot || !in) {
        json_decref(in);
        return;
    }
    *dot = 0;
    json_t *reply = world_call(world, NULL, name, dot + 1, in, &error);
    json_decref(in);
    const struct ecs_api_operation *api = ecs_api_find(name, dot + 1);
    if (!reply && (!error || !*error->code || !*error->message))
        abort();
    if (reply && api && api->output)
        ecs_shape_check(api->output, reply, tell, dot + 1);
    ecs_error_unref(error);
    json_decref(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ecs_manual_clock manual;
    struct ecs_error *error = NULL;
    cleanup_free char *text = target_text(data, size);
    ecs_manual_clock_init(&manual, 1000000, 1790000000000);
    struct world *world =
        world_new(&(struct ecs_local_options){.clock = &manual.clock, .region = "us-east-1"}, &error);
    if (!world || !text)
        abort();
    char *rest = text;
    for (int i = 0; rest && i < LINES_MAX; i++) {
        char *line = strsep(&rest, "\n");
        if (strncmp(line, "step ", 5) == 0) {
            long ms = strtol(line + 5, NULL, 10);
            ecs_manual_clock_step(&manual, ms < 0 ? 0 : ms > 7200000 ? 7200000 : ms);
            world_tick(world);
        } else {
            ask(world, line);
        }
    }
    world_free(world);
    return 0;
}
