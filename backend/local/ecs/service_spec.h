/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a service that CreateService and UpdateService take: what AWS refuses in them, what
 * it fills in, and which of them start a deployment. */
#ifndef LOCAL_SERVICE_SPEC_H
#define LOCAL_SERVICE_SPEC_H

#include "services.h"

/* A new spec out of CreateService's input, or NULL: refused. No definition: a service with task sets
 * (the EXTERNAL deployment controller). */
json_t *service_spec_take(struct request *rq, struct cluster *cluster,
                          struct task_definition **ret_definition);
/* The service's spec with UpdateService's input in it; the service is not touched. NULL: refused. */
json_t *service_spec_update(struct request *rq, struct service *service,
                            struct task_definition **ret_definition, bool *ret_deploys);

#endif
