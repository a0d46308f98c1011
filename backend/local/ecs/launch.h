/* SPDX-License-Identifier: Apache-2.0 */
/* How RunTask, StartTask and CreateService say where their tasks run, and what AWS refuses there. */
#ifndef LOCAL_LAUNCH_H
#define LOCAL_LAUNCH_H

#include "tasks.h"

struct launch_choice {
    enum launch launch;
    const json_t *strategy; /* borrowed; NULL: by launch type */
};

/* launchType or capacityProviderStrategy of the request, else the cluster's strategy, else EC2.
 * False: refused. */
bool launch_choose(struct request *rq, const struct cluster *cluster, struct launch_choice *ret_choice);
/* The definition can run there, with this network configuration and platform version. False: refused. */
bool launch_check(struct request *rq, struct task_definition *definition, enum launch launch,
                  const json_t *network, const char *platform_version);
const char *launch_name(enum launch launch);
enum launch launch_of_provider(const char *provider);
/* By the spec's capacityProviderStrategy, else its launchType, else EC2. */
enum launch launch_of_spec(const json_t *spec);

#endif
