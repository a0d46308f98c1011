/* SPDX-License-Identifier: Apache-2.0 */
/* A service as the API shows it. */
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "launch.h"
#include "services.h"
#include "task_sets.h"

static const char *const status_names[] = {"ACTIVE", "DRAINING", "INACTIVE"};

static const char *platform_family(struct deployment *deployment)
{
    const char *family =
        in_text(json_object_get(task_definition_doc(deployment->revision->definition), "runtimePlatform"),
                "operatingSystemFamily");
    return !family || strcmp(family, "LINUX") == 0 ? "Linux" : family;
}

static const char *resolved(const json_t *spec)
{
    const char *version = in_text(spec, "platformVersion");
    return !version || strcmp(version, "LATEST") == 0 ? "1.4.0" : version;
}

static json_t *show_deployment(const struct service *service, struct deployment *deployment)
{
    static const char *const members[] = {
        "launchType",           "capacityProviderStrategy",
        "networkConfiguration", "serviceConnectConfiguration",
        "volumeConfigurations", "vpcLatticeConfigurations",
    };
    struct service_counts counts;
    deployment_count(service, deployment, &counts);
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:s, s:s*}", "id", deployment->id, "status",
        deployment == TAILQ_FIRST(&service->deployments) ? "PRIMARY" : "ACTIVE", "taskDefinition",
        deployment->revision->definition->record.arn, "desiredCount",
        (json_int_t)deployment_desired(service, deployment), "pendingCount", (json_int_t)counts.pending,
        "runningCount", (json_int_t)counts.running, "failedTasks", (json_int_t)deployment->failed,
        "createdAt", json_time(deployment->created), "updatedAt", json_time(deployment->updated),
        "rolloutState", rollout_name(deployment->rollout), "rolloutStateReason", deployment->reason);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_t *value = json_object_get(deployment->revision->spec, members[i]);
        if (value)
            json_object_set(tree, members[i], value);
    }
    if (service_launch(service) == LAUNCH_FARGATE) {
        json_object_set_new(tree, "platformVersion", json_string(resolved(deployment->revision->spec)));
        json_object_set_new(tree, "platformFamily", json_string(platform_family(deployment)));
    }
    return tree;
}

static json_t *show_events(const struct service *service)
{
    json_t *events = json_array();
    for (unsigned i = 0; i < service->events_len; i++) {
        const struct service_event *event = service_event_at(service, i);
        json_array_append_new(events, json_pack("{s:s, s:o, s:s}", "id", event->id, "createdAt",
                                                json_time(event->at), "message", event->message));
    }
    return events;
}

static json_t *show_revisions(const struct service *service)
{
    json_t *list = json_array();
    struct deployment *deployment;
    TAILQ_FOREACH(deployment, &service->deployments, link)
    {
        struct service_counts counts;
        if (deployment->set)
            continue;
        deployment_count(service, deployment, &counts);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I}", "arn", deployment->revision->arn, "requestedTaskCount",
                            (json_int_t)deployment_desired(service, deployment), "runningTaskCount",
                            (json_int_t)counts.running, "pendingTaskCount", (json_int_t)counts.pending));
    }
    return list;
}

static void show_spec(const struct service *service, json_t *tree)
{
    static const char *const members[] = {
        "loadBalancers",
        "serviceRegistries",
        "launchType",
        "capacityProviderStrategy",
        "platformVersion",
        "deploymentConfiguration",
        "placementConstraints",
        "placementStrategy",
        "networkConfiguration",
        "healthCheckGracePeriodSeconds",
        "schedulingStrategy",
        "deploymentController",
        "enableECSManagedTags",
        "propagateTags",
        "enableExecuteCommand",
        "availabilityZoneRebalancing",
        "roleArn",
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_t *value = json_object_get(service->spec, members[i]);
        if (value)
            json_object_set(tree, members[i], value);
    }
}

json_t *service_show(struct service *service, bool with_tags)
{
    struct service_counts counts;
    deployment_count(service, NULL, &counts);
    json_t *deployments = json_array();
    struct deployment *deployment;
    TAILQ_FOREACH(deployment, &service->deployments, link)
    {
        if (!deployment->set)
            json_array_append_new(deployments, show_deployment(service, deployment));
    }
    deployment = TAILQ_FIRST(&service->deployments);
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s*, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "serviceArn",
        service->record.arn, "serviceName", service->name, "clusterArn", service->cluster->record.arn,
        "status", status_names[service->status], "desiredCount", (json_int_t)service->desired, "runningCount",
        (json_int_t)counts.running, "pendingCount", (json_int_t)counts.pending, "taskDefinition",
        in_text(service->spec, "taskDefinition"), "deployments", deployments, "events", show_events(service),
        "createdAt", json_time(service->created), "createdBy", in_text(service->spec, "createdBy"),
        "resourceManagementType", "CUSTOMER", "currentServiceRevisions", show_revisions(service), "tags",
        with_tags && service->record.tags ? json_incref(service->record.tags) : json_array());
    show_spec(service, tree);
    if (service_launch(service) == LAUNCH_FARGATE && deployment)
        json_object_set_new(tree, "platformFamily", json_string(platform_family(deployment)));
    const struct service_deployment *current = TAILQ_FIRST(&service->history);
    if (current && !current->finished && !current->stopped)
        json_object_set_new(tree, "currentServiceDeployment", json_string(current->arn));
    if (service_is_external(service))
        json_object_set_new(tree, "taskSets", task_sets_show(service));
    if (!with_tags)
        json_object_del(tree, "tags"); /* AWS leaves it out unless asked */
    return tree;
}
