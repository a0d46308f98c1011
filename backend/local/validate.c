/* SPDX-License-Identifier: Apache-2.0 */
#include "validate.h"

#include <string.h>

#include "ecsfs/api.h"

static void tell_fault(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    struct request *rq = arg;
    rq->unknown |= fault == ECS_FAULT_UNKNOWN; /* AWS ignores it */
    if (rq->error || fault == ECS_FAULT_UNKNOWN)
        return; /* AWS tells the first */
    if (fault == ECS_FAULT_TYPE)
        refuse(rq, "SerializationException", "%s: %s", place, what);
    else if (strncmp(rq->operation->service, "ecr", 3) == 0)
        refuse_invalid(rq, "Invalid parameter at '%s' failed to satisfy constraint: '%s'", place, what);
    else if (strcmp(rq->operation->name, "RegisterTaskDefinition") == 0)
        refuse_client(rq, "%s: %s", place, what);
    else
        refuse_invalid(rq, "%s: %s", place, what);
}

bool request_is_valid(struct request *rq)
{
    if (!json_is_object(rq->in)) {
        refuse(rq, "SerializationException", "The request is not a JSON object.");
        return false;
    }
    const struct ecs_api_operation *api = ecs_api_find(rq->operation->service, rq->operation->name);
    if (api && api->input)
        ecs_shape_check(api->input, rq->in, tell_fault, rq);
    return rq->error == NULL;
}

json_t *request_known(const struct request *rq)
{
    const struct ecs_api_operation *api = ecs_api_find(rq->operation->service, rq->operation->name);
    return ecs_shape_project(api->input, rq->in);
}
