/* SPDX-License-Identifier: Apache-2.0 */
#include "service_spec.h"

#include <stdio.h>
#include <string.h>

#include "capacity_providers.h"
#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "launch.h"

/* Members kept as given; those that UpdateService takes, and those of them that start a deployment
 * (the API reference says so at each). */
static const struct member {
    const char *name;
    bool updatable, deploys;
} members[] = {
    {"availabilityZoneRebalancing", true, false},
    {"capacityProviderStrategy", true, false},
    {"deploymentConfiguration", true, false},
    {"deploymentController", true, false},
    {"enableECSManagedTags", true, false},
    {"enableExecuteCommand", true, false},
    {"healthCheckGracePeriodSeconds", true, false},
    {"launchType", false, false},
    {"loadBalancers", true, true},
    {"networkConfiguration", true, true},
    {"placementConstraints", true, false},
    {"placementStrategy", true, false},
    {"platformVersion", true, true},
    {"propagateTags", true, false},
    {"schedulingStrategy", false, false},
    {"serviceConnectConfiguration", true, true},
    {"serviceRegistries", true, true},
    {"volumeConfigurations", true, true},
    {"vpcLatticeConfigurations", true, true},
};

static bool is_text(const json_t *tree, const char *name, const char *text)
{
    return in_text(tree, name) && strcmp(in_text(tree, name), text) == 0;
}

static json_t *default_deployment(bool daemon)
{
    return json_pack("{s:{s:b, s:b}, s:i, s:i, s:s, s:i}", "deploymentCircuitBreaker", "enable", 0,
                     "rollback", 0, "maximumPercent", daemon ? 100 : 200, "minimumHealthyPercent",
                     daemon ? 0 : 100, "strategy", "ROLLING", "bakeTimeInMinutes", 0);
}

static void fill_network(json_t *spec)
{
    json_t *awsvpc = json_object_get(json_object_get(spec, "networkConfiguration"), "awsvpcConfiguration");
    if (!awsvpc)
        return;
    json_t *defaults = json_pack("{s:[], s:s}", "securityGroups", "assignPublicIp", "DISABLED");
    json_object_update_missing(awsvpc, defaults);
    json_decref(defaults);
}

static void fill_strategy(json_t *spec)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(spec, "capacityProviderStrategy"), i, row)
    {
        json_t *defaults = json_pack("{s:i, s:i}", "weight", 0, "base", 0);
        json_object_update_missing(row, defaults);
        json_decref(defaults);
    }
}

/* What AWS adds to what was given. */
static void fill_in(json_t *spec)
{
    bool daemon = is_text(spec, "schedulingStrategy", "DAEMON");
    json_t *defaults =
        json_pack("{s:[], s:[], s:s, s:{s:s}, s:[], s:[], s:b, s:s, s:b, s:s, s:i}", "loadBalancers",
                  "serviceRegistries", "schedulingStrategy", "REPLICA", "deploymentController", "type", "ECS",
                  "placementConstraints", "placementStrategy", "enableECSManagedTags", 0, "propagateTags",
                  "NONE", "enableExecuteCommand", 0, "availabilityZoneRebalancing", "DISABLED",
                  "healthCheckGracePeriodSeconds", 0);
    if (!in_list(spec, "loadBalancers"))
        json_object_del(defaults, "healthCheckGracePeriodSeconds");
    json_object_update_missing(spec, defaults);
    json_decref(defaults);
    json_t *deployment = default_deployment(daemon),
           *given = json_object_get(spec, "deploymentConfiguration");
    if (given)
        json_object_update_recursive(deployment, given);
    json_object_set_new(spec, "deploymentConfiguration", deployment);
    fill_network(spec);
    fill_strategy(spec);
}

static bool check_percents(struct request *rq, const json_t *spec)
{
    const json_t *deployment = json_object_get(spec, "deploymentConfiguration");
    long least = in_int(deployment, "minimumHealthyPercent", 100),
         most = in_int(deployment, "maximumPercent", 200);
    if (least < 0 || most < 0)
        refuse_invalid(rq, "minimumHealthyPercent and maximumPercent can not be negative.");
    else if (most < least)
        refuse_invalid(rq, "maximumPercent can not be less than minimumHealthyPercent.");
    else if (least >= 100 && most <= 100)
        refuse_invalid(
            rq,
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.");
    else if (is_text(spec, "schedulingStrategy", "DAEMON") && least > 100)
        refuse_invalid(
            rq,
            "minimumHealthyPercent must be less than or equal to 100 for the DAEMON scheduling strategy.");
    return rq->error == NULL;
}

static bool check_controller(struct request *rq, const json_t *spec)
{
    const json_t *controller = json_object_get(spec, "deploymentController");
    if (in_text(controller, "type") && !is_text(controller, "type", "ECS") &&
        !is_text(controller, "type", "CODE_DEPLOY") && !is_text(controller, "type", "EXTERNAL"))
        refuse_invalid(rq, "Deployment controller type should be one of [ECS,CODE_DEPLOY,EXTERNAL].");
    return rq->error == NULL;
}

static bool check_count(struct request *rq, bool daemon)
{
    long desired = in_int(rq->in, "desiredCount", 0);
    if (daemon && json_is_integer(json_object_get(rq->in, "desiredCount")))
        refuse_invalid(
            rq, "The daemon scheduling strategy does not support a desired count for services. Remove the "
                "desired count value and try again.");
    else if (desired < 0)
        refuse_invalid(rq, "Desired count can not be less than 0.");
    else if (desired > 5000)
        refuse_invalid(rq, "Desired count can not be more than 5000.");
    return rq->error == NULL;
}

static const json_t *container_named(struct task_definition *definition, const char *name)
{
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(task_definition_doc(definition), "containerDefinitions"), i, container)
    {
        if (name && strcmp(in_text(container, "name"), name) == 0)
            return container;
    }
    return NULL;
}

static bool check_load_balancers(struct request *rq, const json_t *spec, struct task_definition *definition)
{
    size_t i, j;
    json_t *row, *mapping;
    json_array_foreach(json_object_get(spec, "loadBalancers"), i, row)
    {
        const char *name = in_text(row, "containerName");
        if (!in_text(row, "targetGroupArn") && !in_text(row, "loadBalancerName")) {
            refuse_invalid(rq, "A load balancer needs a targetGroupArn or a loadBalancerName.");
            return false;
        }
        long port = in_int(row, "containerPort", 0);
        const json_t *container = container_named(definition, name);
        bool mapped = false;
        if (!container) {
            refuse_invalid(rq, "The container %s does not exist in the task definition.",
                           name ? name : "null");
            return false;
        }
        json_array_foreach(json_object_get(container, "portMappings"), j, mapping)
        {
            mapped |= in_int(mapping, "containerPort", 0) == port;
        }
        if (!mapped) {
            refuse_invalid(rq, "The container %s did not have a container port %ld defined.", name, port);
            return false;
        }
    }
    if (json_object_get(spec, "healthCheckGracePeriodSeconds") && !in_list(spec, "loadBalancers"))
        refuse_invalid(
            rq, "Health check grace period is only valid for services configured to use load balancers");
    return rq->error == NULL;
}

static bool check(struct request *rq, const json_t *spec, struct task_definition *definition)
{
    bool daemon = is_text(spec, "schedulingStrategy", "DAEMON");
    enum launch launch = launch_of_spec(spec);
    if (!check_count(rq, daemon) || !check_controller(rq, spec) || !check_percents(rq, spec))
        return false;
    if (daemon && launch == LAUNCH_FARGATE) {
        refuse_invalid(rq, "The FARGATE launch type does not support the DAEMON scheduling strategy.");
        return false;
    }
    if (daemon && in_list(spec, "placementStrategy")) {
        refuse_invalid(rq, "The daemon scheduling strategy does not support placement strategies. Remove the "
                           "placement strategies and try again.");
        return false;
    }
    const char *version = in_text(spec, "platformVersion");
    return launch_check(rq, definition, launch, json_object_get(spec, "networkConfiguration"), version) &&
           check_load_balancers(rq, spec, definition);
}

static void set_identity(struct request *rq, json_t *spec, const char *role)
{
    const char *partition = partition_of(rq->region->name), *account = rq->world->account;
    json_object_set_new(spec, "createdBy", json_sprintf("arn:%s:iam::%s:user/local", partition, account));
    if (role)
        json_object_set_new(spec, "roleArn",
                            strncmp(role, "arn:", 4) == 0
                                ? json_string(role)
                                : json_sprintf("arn:%s:iam::%s:role/%s", partition, account, role));
    else if (in_list(spec, "loadBalancers") || json_object_get(spec, "networkConfiguration"))
        json_object_set_new(
            spec, "roleArn",
            json_sprintf("arn:%s:iam::%s:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
                         partition, account));
}

/* By launch type or by strategy, never both. */
static void set_launch(json_t *spec, const struct launch_choice *choice)
{
    json_object_del(spec, "launchType");
    if (choice->strategy)
        json_object_set_new(spec, "capacityProviderStrategy", json_deep_copy(choice->strategy));
    else
        json_object_set_new(spec, "launchType", json_string(launch_name(choice->launch)));
    if (choice->launch == LAUNCH_FARGATE && !in_text(spec, "platformVersion"))
        json_object_set_new(spec, "platformVersion", json_string("LATEST"));
}

/* Of a service with task sets: what those have is not the service's to say. */
static bool is_bare(struct request *rq, const json_t *in)
{
    static const char *const names[] = {"taskDefinition",   "capacityProviderStrategy", "launchType",
                                        "loadBalancers",    "networkConfiguration",     "platformVersion",
                                        "serviceRegistries"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (json_object_get(in, names[i]) && !json_is_null(json_object_get(in, names[i]))) {
            refuse_invalid(rq,
                           "%s can not be specified for a service with the EXTERNAL deployment controller: "
                           "it belongs to its task sets.",
                           names[i]);
            return false;
        }
    return true;
}

static json_t *take_external(struct request *rq)
{
    if (!is_bare(rq, rq->in) || !check_count(rq, false))
        return NULL;
    json_t *spec = json_object();
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        copy_members(spec, rq->in, &members[i].name, 1);
    if (is_text(spec, "schedulingStrategy", "DAEMON"))
        refuse_invalid(
            rq, "The DAEMON scheduling strategy is not supported with the EXTERNAL deployment controller.");
    if (rq->error || !check_percents(rq, spec)) {
        json_decref(spec);
        return NULL;
    }
    fill_in(spec);
    set_identity(rq, spec, in_text(rq->in, "role"));
    return spec;
}

json_t *service_spec_take(struct request *rq, struct cluster *cluster,
                          struct task_definition **ret_definition)
{
    struct launch_choice choice;
    *ret_definition = NULL;
    if (is_text(json_object_get(rq->in, "deploymentController"), "type", "EXTERNAL"))
        return take_external(rq);
    *ret_definition = task_definition_of(rq, in_text(rq->in, "taskDefinition"));
    if (!*ret_definition || !launch_choose(rq, cluster, &choice))
        return NULL;
    json_t *spec = json_object();
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        copy_members(spec, rq->in, &members[i].name, 1);
    set_launch(spec, &choice);
    json_object_set_new(spec, "taskDefinition", json_string((*ret_definition)->record.arn));
    if (!check(rq, spec, *ret_definition)) {
        json_decref(spec);
        return NULL;
    }
    fill_in(spec);
    set_identity(rq, spec, in_text(rq->in, "role"));
    return spec;
}

/* Takes over one member; true when that starts a deployment. */
static bool merge(json_t *spec, const json_t *in, const struct member *member)
{
    const json_t *given = json_object_get(in, member->name);
    if (!given || json_is_null(given))
        return false; /* null keeps what is there, [] clears it */
    json_t *before = json_incref(json_object_get(spec, member->name));
    if (strcmp(member->name, "deploymentConfiguration") == 0 && before) {
        json_t *merged = json_deep_copy(before), *change = json_deep_copy(given);
        json_object_update_recursive(merged, change);
        json_decref(change);
        json_object_set_new(spec, member->name, merged);
    } else {
        copy_members(spec, in, &member->name, 1);
    }
    fill_network(spec);
    fill_strategy(spec);
    bool differs = !json_equal(before, json_object_get(spec, member->name));
    json_decref(before);
    return differs && member->deploys;
}

/* "If the network configuration, platform version, task definition, or load balancer need to be updated,
 * create a new CodeDeploy deployment." (UpdateService) */
static bool check_code_deploy(struct request *rq)
{
    static const struct {
        const char *member, *does;
    } rows[] = {
        {"taskDefinition", "Unable to update task definition"},
        {"networkConfiguration", "Unable to update network parameters"},
        {"platformVersion", "Unable to update platform version"},
        {"loadBalancers", "Unable to update load balancers"},
        {"forceNewDeployment", "Cannot force a new deployment"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const json_t *given = json_object_get(rq->in, rows[i].member);
        if (given && !json_is_null(given) && !json_is_false(given)) {
            refuse_invalid(rq,
                           "%s on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to "
                           "trigger a new deployment.",
                           rows[i].does);
            return false;
        }
    }
    return true;
}

static bool check_update(struct request *rq, const struct service *service)
{
    const json_t *strategy = in_list(rq->in, "capacityProviderStrategy");
    if (strategy && !capacity_providers_known(rq, service->cluster, NULL, strategy))
        return false;
    if (strategy && in_text(service->spec, "launchType") && !in_bool(rq->in, "forceNewDeployment")) {
        refuse_invalid(rq,
                       "The service is using a launch type. To use a capacity provider strategy, force a new "
                       "deployment.");
        return false;
    }
    return !is_text(json_object_get(service->spec, "deploymentController"), "type", "CODE_DEPLOY") ||
           check_code_deploy(rq);
}

static json_t *update_external(struct request *rq, const struct service *service)
{
    if (!is_bare(rq, rq->in) || !check_count(rq, false))
        return NULL;
    json_t *spec = json_deep_copy(service->spec);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (members[i].updatable)
            merge(spec, rq->in, &members[i]);
    return spec;
}

json_t *service_spec_update(struct request *rq, struct service *service,
                            struct task_definition **ret_definition, bool *ret_deploys)
{
    if (is_text(json_object_get(service->spec, "deploymentController"), "type", "EXTERNAL"))
        return update_external(rq, service);
    const char *name = in_text(rq->in, "taskDefinition"), *now = in_text(service->spec, "taskDefinition");
    *ret_definition = name ? task_definition_of(rq, name) : task_definition_find(rq->region, now);
    if (!*ret_definition)
        return rq->error ? NULL : refuse_client(rq, "TaskDefinition not found.");
    if (!check_update(rq, service))
        return NULL;
    json_t *spec = json_deep_copy(service->spec);
    *ret_deploys = in_bool(rq->in, "forceNewDeployment") || strcmp((*ret_definition)->record.arn, now) != 0;
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (members[i].updatable)
            *ret_deploys |= merge(spec, rq->in, &members[i]);
    if (in_list(rq->in, "capacityProviderStrategy"))
        json_object_del(spec, "launchType");
    json_object_set_new(spec, "taskDefinition", json_string((*ret_definition)->record.arn));
    if (!check(rq, spec, *ret_definition)) {
        json_decref(spec);
        return NULL;
    }
    return spec;
}
