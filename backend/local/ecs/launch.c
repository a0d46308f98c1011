/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <string.h>

#include "capacity_providers.h"
#include "clusters.h"
#include "ecsfs/cleanup.h"

static const char *const names[] = {"EC2", "FARGATE", "EXTERNAL"};

const char *launch_name(enum launch launch)
{
    return names[launch];
}

enum launch launch_of_provider(const char *provider)
{
    return capacity_provider_is_fargate(provider) ? LAUNCH_FARGATE : LAUNCH_EC2;
}

enum launch launch_of_spec(const json_t *spec)
{
    const json_t *strategy = in_list(spec, "capacityProviderStrategy");
    const char *type = in_text(spec, "launchType");
    if (strategy)
        return launch_of_provider(in_text(json_array_get(strategy, 0), "capacityProvider"));
    for (size_t i = 0; type && i < ARRAY_LEN(names); i++)
        if (strcmp(type, names[i]) == 0)
            return (enum launch)i;
    return LAUNCH_EC2;
}

static bool by_type(struct request *rq, const char *type, struct launch_choice *choice)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(type, names[i]) == 0) {
            choice->launch = (enum launch)i;
            return true;
        }
    refuse_invalid(rq, "Launch type should be one of [EC2,FARGATE,EXTERNAL].");
    return false;
}

bool launch_choose(struct request *rq, const struct cluster *cluster, struct launch_choice *ret_choice)
{
    const char *type = in_text(rq->in, "launchType");
    const json_t *strategy = in_list(rq->in, "capacityProviderStrategy");
    *ret_choice = (struct launch_choice){.launch = LAUNCH_EC2};
    if (type && strategy) {
        refuse_invalid(
            rq, "Specifying both a launch type and capacity provider strategy is not supported. Remove one "
                "and try again.");
        return false;
    }
    if (type)
        return by_type(rq, type, ret_choice);
    if (strategy && !capacity_providers_known(rq, cluster, NULL, strategy))
        return false;
    if (!strategy && json_array_size(cluster->default_strategy))
        strategy = cluster->default_strategy;
    if (strategy) {
        ret_choice->strategy = strategy;
        ret_choice->launch = launch_of_provider(in_text(json_array_get(strategy, 0), "capacityProvider"));
    }
    return true;
}

static bool check_network(struct request *rq, struct task_definition *definition, const json_t *network)
{
    const json_t *awsvpc = json_object_get(network, "awsvpcConfiguration");
    if (!task_definition_is_awsvpc(definition)) {
        if (awsvpc)
            refuse_invalid(
                rq, "Network Configuration is not valid for the given networkMode of this task definition.");
        return rq->error == NULL;
    }
    if (!awsvpc)
        refuse_invalid(rq, "Network Configuration must be provided when networkMode 'awsvpc' is specified.");
    else if (!in_list(awsvpc, "subnets"))
        refuse_invalid(rq, "subnets can not be empty.");
    else if (json_array_size(in_list(awsvpc, "subnets")) > 16)
        refuse_invalid(rq, "subnets can have at most 16 items.");
    else if (json_array_size(in_list(awsvpc, "securityGroups")) > 5)
        refuse_invalid(rq, "securityGroups can have at most 5 items.");
    return rq->error == NULL;
}

static bool check_platform(struct request *rq, enum launch launch, const char *version)
{
    static const char *const known[] = {"LATEST", "1.4.0", "1.3.0", "1.0.0"};
    if (!version)
        return true;
    if (launch != LAUNCH_FARGATE) {
        refuse_invalid(rq, "The platform version must be null when specifying an EC2 launch type.");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(version, known[i]) == 0)
            return true;
    refuse(rq, "PlatformUnknownException", "The platform version requested is unknown: %s", version);
    return false;
}

bool launch_check(struct request *rq, struct task_definition *definition, enum launch launch,
                  const json_t *network, const char *platform_version)
{
    if (!task_definition_is_compatible(definition, names[launch])) {
        refuse_invalid(rq, "Task definition does not support launch_type %s.", names[launch]);
        return false;
    }
    return check_platform(rq, launch, platform_version) && check_network(rq, definition, network);
}
