/* SPDX-License-Identifier: Apache-2.0 */
/* Task sets: the deployments of a service whose deployment controller is EXTERNAL. Each is a struct
 * deployment whose `set` holds what only a task set has. */
#ifndef LOCAL_TASK_SETS_H
#define LOCAL_TASK_SETS_H

#include "services.h"

/* computedDesiredCount: the service's count times the set's scale, rounded up. */
long task_set_desired(const struct service *service, const struct deployment *set);
/* taskSets[] as DescribeServices shows them. */
json_t *task_sets_show(struct service *service);
/* After a look of the scheduler: notes whether the set is stable, and forgets it once it is drained.
 * Frees it then. */
void task_set_settle(struct service *service, struct deployment *set);

/* By its ARN, with its service; NULL: there is none. */
struct deployment *task_set_of_arn(const struct region *region, const char *arn,
                                   struct service **ret_service);

#endif
