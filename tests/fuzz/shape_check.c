/* SPDX-License-Identifier: Apache-2.0 */
/* A task definition that somebody saves: any JSON against the shape of RegisterTaskDefinition. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/api.h"
#include "target.h"

static void tell(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    int *faults = arg;
    if (!what[0] || strlen(place) > 4096)
        abort();
    faults[fault]++;
}

/* What is left after projecting has no unknown member, and projecting that again changes nothing. */
static void check_projection(const struct ecs_shape *shape, const json_t *value)
{
    int faults[ECS_FAULT_PATTERN + 1] = {0};
    json_t *projected = ecs_shape_project(shape, value);
    json_t *again = projected ? ecs_shape_project(shape, projected) : NULL;
    if (!again)
        return; /* out of memory */
    ecs_shape_check(shape, projected, tell, faults);
    if (faults[ECS_FAULT_UNKNOWN] || !json_equal(projected, again))
        abort();
    json_decref(again);
    json_decref(projected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ecs_shape *shape = ecs_api_find("ecs", "RegisterTaskDefinition")->input;
    json_t *value = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (!value)
        return 0;
    int faults[ECS_FAULT_PATTERN + 1] = {0}, sum = 0;
    int told = ecs_shape_check(shape, value, tell, faults);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        sum += faults[i];
    if (sum != told)
        abort();
    check_projection(shape, value);
    json_decref(value);
    return 0;
}
