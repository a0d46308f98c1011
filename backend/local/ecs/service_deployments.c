/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on service deployments and service revisions. */
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecr/images.h"
#include "ecsfs/cleanup.h"
#include "pages.h"
#include "services.h"

static const char *const status_names[] = {
    [SD_PENDING] = "PENDING",
    [SD_IN_PROGRESS] = "IN_PROGRESS",
    [SD_SUCCESSFUL] = "SUCCESSFUL",
    [SD_STOPPED] = "STOPPED",
    [SD_STOP_REQUESTED] = "STOP_REQUESTED",
    [SD_ROLLBACK_REQUESTED] = "ROLLBACK_REQUESTED",
    [SD_ROLLBACK_IN_PROGRESS] = "ROLLBACK_IN_PROGRESS",
    [SD_ROLLBACK_SUCCESSFUL] = "ROLLBACK_SUCCESSFUL",
    [SD_ROLLBACK_FAILED] = "ROLLBACK_FAILED",
};

/* "arn:...:<kind>/cluster/service/<id>" -> the service. */
static struct service *service_in(const struct region *region, const char *arn, const char *kind)
{
    const char *at = strstr(arn, kind);
    cleanup_free char *path = at ? strdup(at + strlen(kind)) : NULL;
    char *rest = path, *cluster_name = strsep(&rest, "/"), *name = rest ? strsep(&rest, "/") : NULL;
    struct cluster *cluster = path && name && rest ? cluster_find(region, cluster_name) : NULL;
    return cluster ? service_find(cluster, name) : NULL;
}

struct service_deployment *service_deployment_find(const struct region *region, const char *arn,
                                                   struct service **ret_service)
{
    struct service *service = service_in(region, arn, ":service-deployment/");
    struct service_deployment *past;
    *ret_service = service;
    if (service)
        TAILQ_FOREACH(past, &service->history, link)
        {
            if (strcmp(past->arn, arn) == 0)
                return past;
        }
    return NULL;
}

static void set_time(json_t *tree, const char *name, int64_t at)
{
    if (at)
        json_object_set_new(tree, name, json_time(at));
}

static json_t *show_brief(const struct service *service, const struct service_deployment *past)
{
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "serviceDeploymentArn", past->arn, "serviceArn",
                  service->record.arn, "clusterArn", service->cluster->record.arn, "targetServiceRevisionArn",
                  past->target->arn, "status", status_names[past->status], "statusReason", past->reason);
    set_time(tree, "createdAt", past->created);
    set_time(tree, "startedAt", past->started);
    set_time(tree, "finishedAt", past->finished);
    return tree;
}

static const struct deployment *deployment_of(const struct service *service, const struct revision *revision)
{
    struct deployment *deployment;
    TAILQ_FOREACH(deployment, &service->deployments, link)
    {
        if (deployment->revision == revision)
            return deployment;
    }
    return NULL;
}

static json_t *show_summary(const struct service *service, const struct revision *revision)
{
    const struct deployment *deployment = deployment_of(service, revision);
    struct service_counts counts = {0};
    if (deployment)
        deployment_count(service, deployment, &counts);
    return json_pack("{s:s, s:I, s:I, s:I}", "arn", revision->arn, "requestedTaskCount",
                     (json_int_t)(deployment ? deployment_desired(service, deployment) : 0),
                     "runningTaskCount", (json_int_t)counts.running, "pendingTaskCount",
                     (json_int_t)counts.pending);
}

static json_t *show_breaker(const struct service *service, const struct service_deployment *past)
{
    const json_t *breaker = json_object_get(json_object_get(service->spec, "deploymentConfiguration"),
                                            "deploymentCircuitBreaker");
    long threshold = (service->desired + 1) / 2;
    const char *status = !in_bool(breaker, "enable") ? "DISABLED"
                         : past->tripped             ? "TRIGGERED"
                         : past->finished            ? "MONITORING_COMPLETE"
                                                     : "MONITORING";
    const struct deployment *deployment = deployment_of(service, past->target);
    return json_pack("{s:s, s:I, s:I}", "status", status, "failureCount",
                     (json_int_t)(deployment && !past->tripped ? deployment->failed : past->failures),
                     "threshold",
                     (json_int_t)(threshold < 3     ? 3
                                  : threshold > 200 ? 200
                                                    : threshold));
}

/* There is no CloudWatch here: alarms are watched, and stay silent. */
static json_t *show_alarms(const struct service *service, const struct service_deployment *past)
{
    const json_t *alarms =
        json_object_get(json_object_get(service->spec, "deploymentConfiguration"), "alarms");
    if (!alarms)
        return NULL;
    const char *status = !in_bool(alarms, "enable") ? "DISABLED"
                         : past->finished           ? "MONITORING_COMPLETE"
                                                    : "MONITORING";
    return json_pack("{s:s, s:O*, s:[]}", "status", status, "alarmNames",
                     json_object_get(alarms, "alarmNames"), "triggeredAlarmNames");
}

static json_t *show(const struct service *service, const struct service_deployment *past)
{
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:s, s:s*, s:o, s:o, s:o, s:O, s:o*}", "serviceDeploymentArn", past->arn,
        "serviceArn", service->record.arn, "clusterArn", service->cluster->record.arn, "status",
        status_names[past->status], "statusReason", past->reason, "targetServiceRevision",
        show_summary(service, past->target), "sourceServiceRevisions",
        past->source ? json_pack("[o]", show_summary(service, past->source)) : json_array(),
        "deploymentCircuitBreaker", show_breaker(service, past), "deploymentConfiguration",
        json_object_get(service->spec, "deploymentConfiguration"), "alarms", show_alarms(service, past));
    set_time(tree, "createdAt", past->created);
    set_time(tree, "startedAt", past->started);
    set_time(tree, "updatedAt", past->updated);
    set_time(tree, "finishedAt", past->finished);
    set_time(tree, "stoppedAt", past->stopped);
    if (past->rollback)
        json_object_set_new(tree, "rollback",
                            json_pack("{s:s*, s:o, s:s}", "reason", past->reason, "startedAt",
                                      json_time(past->rollback_started), "serviceRevisionArn",
                                      past->rollback->arn));
    return tree;
}

static bool is_listed(struct request *rq, const struct service_deployment *past)
{
    const json_t *statuses = in_list(rq->in, "status"), *created = json_object_get(rq->in, "createdAt");
    int64_t after = json_time_ms(json_object_get(created, "after"));
    int64_t before = json_time_ms(json_object_get(created, "before"));
    return (!statuses || list_has(statuses, status_names[past->status])) &&
           (!after || past->created >= after) && (!before || past->created <= before);
}

static json_t *list_service_deployments(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "service") : NULL;
    struct service *service = name ? service_find(cluster, name) : NULL;
    if (!service)
        return rq->error ? NULL : refuse(rq, "ServiceNotFoundException", "Service not found.");
    struct page page;
    if (!page_begin(rq, &page, 20, 100))
        return NULL;
    uint64_t place = 0;
    struct service_deployment *past;
    TAILQ_FOREACH(past, &service->history, link)
    {
        if (is_listed(rq, past) && page_wants(&page, ++place))
            page_add(&page, place, show_brief(service, past));
    }
    return page_reply(rq, &page, "serviceDeployments");
}

static json_t *describe_service_deployments(struct request *rq)
{
    const json_t *arns = require_list(rq, "serviceDeploymentArns", 20);
    if (!arns)
        return NULL;
    json_t *found = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const char *arn = json_string_value(json_array_get(arns, i));
        struct service *service;
        struct service_deployment *past = arn ? service_deployment_find(rq->region, arn, &service) : NULL;
        if (past)
            json_array_append_new(found, show(service, past));
        else
            add_failure(failures, arn, "MISSING");
    }
    return json_pack("{s:o, s:o}", "serviceDeployments", found, "failures", failures);
}

static json_t *show_images(struct region *region, struct revision *revision)
{
    json_t *images = json_array();
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(task_definition_doc(revision->definition), "containerDefinitions"), i,
                       container)
    {
        char digest[DIGEST_TEXT], *reason;
        bool there = image_pull(region, in_text(container, "image"), digest, &reason) == 0;
        free(reason);
        json_array_append_new(
            images, json_pack("{s:s, s:s, s:s*}", "containerName", in_text(container, "name"), "image",
                              in_text(container, "image"), "imageDigest", there ? digest : NULL));
    }
    return images;
}

static json_t *show_revision(const struct service *service, struct revision *revision)
{
    json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b}", "serviceRevisionArn", revision->arn,
                             "serviceArn", service->record.arn, "clusterArn", service->cluster->record.arn,
                             "taskDefinition", revision->definition->record.arn, "containerImages",
                             show_images(service->record.region, revision), "createdAt",
                             json_time(revision->created), "guardDutyEnabled", 0);
    copy_members(tree, revision->spec, revision_members, revision_members_len);
    return tree;
}

static json_t *describe_service_revisions(struct request *rq)
{
    const json_t *arns = require_list(rq, "serviceRevisionArns", 20);
    if (!arns)
        return NULL;
    json_t *found = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const char *arn = json_string_value(json_array_get(arns, i));
        struct service *service = arn ? service_in(rq->region, arn, ":service-revision/") : NULL;
        struct revision *revision = service ? revision_find(service, arn) : NULL;
        if (revision)
            json_array_append_new(found, show_revision(service, revision));
        else
            add_failure(failures, arn, "MISSING");
    }
    return json_pack("{s:o, s:o}", "serviceRevisions", found, "failures", failures);
}

static json_t *stop_service_deployment(struct request *rq)
{
    const char *arn = require_text(rq, "serviceDeploymentArn"), *type = in_text(rq->in, "stopType");
    struct service *service = NULL;
    struct service_deployment *past = arn ? service_deployment_find(rq->region, arn, &service) : NULL;
    if (!past)
        return arn ? refuse(rq, "ServiceDeploymentNotFoundException", "Service deployment not found.") : NULL;
    if (past->status != SD_IN_PROGRESS && past->status != SD_PENDING)
        return refuse(rq, "ConflictException",
                      "The service deployment is not in a state that can be stopped: %s.",
                      status_names[past->status]);
    if (type && strcmp(type, "ABORT") == 0)
        return refuse(rq, "UnsupportedFeatureException",
                      "The stopType ABORT is not supported for services with rolling deployments.");
    free(past->reason);
    past->reason = strdup("Service deployment rollback was requested by the user.");
    struct deployment *primary = TAILQ_FIRST(&service->deployments);
    primary->rollout = ROLLOUT_FAILED;
    if (!deployment_roll_back(service,
                              "ECS deployment stopped by the user: rolling back to deploymentId %s.")) {
        primary->rollout = ROLLOUT_IN_PROGRESS;
        return refuse_invalid(rq, "There is no service revision to roll back to.");
    }
    record_dirty(&service->record);
    service_wake(service);
    return json_pack("{s:s}", "serviceDeploymentArn", past->arn);
}

const struct operation service_deployments_operations[] = {
    {"ecs", "ListServiceDeployments", list_service_deployments, BUCKET_SERVICE_DEPLOYMENT, false},
    {"ecs", "DescribeServiceDeployments", describe_service_deployments, BUCKET_SERVICE_DEPLOYMENT, false},
    {"ecs", "DescribeServiceRevisions", describe_service_revisions, BUCKET_SERVICE_REVISION, false},
    {"ecs", "StopServiceDeployment", stop_service_deployment, BUCKET_SERVICE_DEPLOYMENT, true},
    {0},
};
