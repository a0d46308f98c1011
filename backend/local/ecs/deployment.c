/* SPDX-License-Identifier: Apache-2.0 */
/* A deployment from its beginning to COMPLETED or FAILED, with the circuit breaker and rollback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "services.h"

const char *const revision_members[] = {
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
};
const size_t revision_members_len = ARRAY_LEN(revision_members);

static int64_t wall(const struct service *service)
{
    return world_wall(service->record.region->world);
}

static char *arn_of(const struct service *service, const char *kind, const char *id)
{
    return arn_new(service->record.region, "ecs", "%s/%s/%s/%s", kind, service->cluster->name, service->name,
                   id);
}

static void set_text(char **text, const char *format, const char *arg)
{
    free(*text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (asprintf(text, format, arg) < 0)
        *text = NULL;
#pragma GCC diagnostic pop
}

void revision_free(struct service *service, struct revision *revision)
{
    TAILQ_REMOVE(&service->revisions, revision, link);
    revision->definition->users--;
    json_decref(revision->spec);
    free(revision->arn);
    free(revision);
}

void deployment_free(struct service *service, struct deployment *deployment)
{
    TAILQ_REMOVE(&service->deployments, deployment, link);
    json_decref(deployment->set);
    free(deployment->reason);
    free(deployment);
}

/* Of the service's spec as it is now, or of one that is taken over. */
static struct revision *revision_new(struct service *service, struct task_definition *definition,
                                     json_t *spec)
{
    struct revision *revision = calloc(1, sizeof(*revision));
    char id[20];
    if (!revision || !(revision->arn = arn_of(service, "service-revision", id_decimal(id, 19)))) {
        free(revision);
        json_decref(spec);
        return NULL;
    }
    revision->definition = definition;
    definition->users++;
    revision->spec = spec ? spec : json_object();
    if (!spec)
        copy_members(revision->spec, service->spec, revision_members, revision_members_len);
    revision->created = wall(service);
    TAILQ_INSERT_HEAD(&service->revisions, revision, link);
    return revision;
}

struct revision *revision_find(const struct service *service, const char *arn)
{
    struct revision *revision;
    TAILQ_FOREACH(revision, &service->revisions, link)
    {
        if (arn && strcmp(revision->arn, arn) == 0)
            return revision;
    }
    return NULL;
}

/* A newer deployment takes the place of one that was still going on. */
static void supersede(struct service *service)
{
    struct service_deployment *last = TAILQ_FIRST(&service->history);
    if (!last || last->finished || last->stopped)
        return;
    last->status = SD_STOPPED;
    last->stopped = last->updated = last->finished = wall(service);
    set_text(&last->reason, "%s", "Service deployment was replaced by a newer service deployment.");
}

static void record_history(struct service *service, struct revision *target, struct revision *source)
{
    struct service_deployment *made = calloc(1, sizeof(*made));
    char id[ID_MAX];
    if (!made || !(made->arn = arn_of(service, "service-deployment", id_service_deployment(id)))) {
        free(made);
        return;
    }
    supersede(service);
    made->status = SD_IN_PROGRESS;
    made->target = target;
    made->source = source;
    made->created = made->started = made->updated = wall(service);
    TAILQ_INSERT_HEAD(&service->history, made, link);
}

static struct deployment *deployment_new(struct service *service, struct revision *revision)
{
    struct deployment *deployment = calloc(1, sizeof(*deployment));
    if (!deployment)
        return NULL;
    id_deployment(deployment->id);
    deployment->revision = revision;
    deployment->created = deployment->updated = wall(service);
    set_text(&deployment->reason, "ECS deployment %s in progress.", deployment->id);
    TAILQ_INSERT_HEAD(&service->deployments, deployment, link);
    return deployment;
}

struct deployment *deployment_begin(struct service *service, struct task_definition *definition)
{
    struct deployment *before = TAILQ_FIRST(&service->deployments);
    struct revision *source = before ? before->revision : NULL;
    struct revision *revision = revision_new(service, definition, NULL);
    struct deployment *deployment = revision ? deployment_new(service, revision) : NULL;
    if (!deployment)
        return NULL;
    record_history(service, revision, source);
    service->steady = false;
    service->streak = 0;
    service->hold_until = 0;
    record_dirty(&service->record);
    return deployment;
}

struct deployment *deployment_add(struct service *service, struct task_definition *definition, json_t *spec)
{
    struct revision *revision = revision_new(service, definition, spec);
    struct deployment *set = revision ? deployment_new(service, revision) : NULL;
    if (!set)
        return NULL;
    TAILQ_REMOVE(&service->deployments, set, link);
    TAILQ_INSERT_TAIL(&service->deployments, set, link);
    record_dirty(&service->record);
    return set;
}

/* AWS: half the desired count, at least 3 and at most 200. */
static long threshold_of(const struct service *service)
{
    long threshold = (service->desired + 1) / 2;
    return threshold < 3 ? 3 : threshold > 200 ? 200 : threshold;
}

static const json_t *breaker_of(const struct service *service)
{
    return json_object_get(json_object_get(service->spec, "deploymentConfiguration"),
                           "deploymentCircuitBreaker");
}

static struct revision *last_good(const struct service *service)
{
    struct service_deployment *past;
    const struct deployment *primary = TAILQ_FIRST(&service->deployments);
    TAILQ_FOREACH(past, &service->history, link)
    {
        struct revision *revision = past->status == SD_SUCCESSFUL            ? past->target
                                    : past->status == SD_ROLLBACK_SUCCESSFUL ? past->rollback
                                                                             : NULL;
        if (revision && revision != primary->revision)
            return revision;
    }
    return NULL;
}

static void adopt(struct service *service, const struct revision *revision)
{
    for (size_t i = 0; i < revision_members_len; i++) {
        json_object_del(service->spec, revision_members[i]);
    }
    copy_members(service->spec, revision->spec, revision_members, revision_members_len);
    json_object_set_new(service->spec, "taskDefinition", json_string(revision->definition->record.arn));
}

/* The deployment of that revision if it is still there, a new one otherwise; now the PRIMARY. */
static struct deployment *bring_back(struct service *service, struct revision *revision)
{
    struct deployment *deployment;
    TAILQ_FOREACH(deployment, &service->deployments, link)
    {
        if (deployment->revision == revision) {
            TAILQ_REMOVE(&service->deployments, deployment, link);
            TAILQ_INSERT_HEAD(&service->deployments, deployment, link);
            return deployment;
        }
    }
    return deployment_new(service, revision);
}

bool deployment_roll_back(struct service *service, const char *reason)
{
    struct revision *good = last_good(service);
    struct service_deployment *current = TAILQ_FIRST(&service->history);
    struct deployment *deployment = good ? bring_back(service, good) : NULL;
    if (!deployment)
        return false;
    adopt(service, good);
    deployment->rollout = ROLLOUT_IN_PROGRESS;
    deployment->updated = wall(service);
    deployment->failed = 0;
    set_text(&deployment->reason, reason, deployment->id);
    if (current) {
        current->status = SD_ROLLBACK_IN_PROGRESS;
        current->rollback = good;
        current->rollback_started = current->updated = wall(service);
    }
    service->steady = false;
    service->streak = 0;
    service->hold_until = 0;
    service_say(service, "rolling back to deployment %s.", deployment->id);
    return true;
}

static void fail(struct service *service, struct deployment *deployment)
{
    struct service_deployment *current = TAILQ_FIRST(&service->history);
    deployment->rollout = ROLLOUT_FAILED;
    deployment->updated = wall(service);
    set_text(&deployment->reason, "%s", "ECS deployment circuit breaker: tasks failed to start.");
    service_say(service, "(deployment %s) deployment failed: tasks failed to start.", deployment->id);
    if (current) {
        current->tripped = true;
        current->failures = deployment->failed;
        set_text(&current->reason, "%s", "Service deployment circuit breaker was triggered.");
    }
    if (in_bool(breaker_of(service), "rollback") &&
        deployment_roll_back(service, "ECS deployment circuit breaker: rolling back to deploymentId %s."))
        return;
    if (current) {
        current->status = SD_STOPPED;
        current->finished = current->stopped = current->updated = wall(service);
    }
}

void deployment_judge(struct service *service)
{
    struct deployment *primary = TAILQ_FIRST(&service->deployments);
    if (primary && primary->rollout == ROLLOUT_IN_PROGRESS && in_bool(breaker_of(service), "enable") &&
        !primary->ran && primary->failed >= threshold_of(service))
        fail(service, primary);
}

static void complete(struct service *service, struct deployment *deployment)
{
    struct service_deployment *current = TAILQ_FIRST(&service->history);
    deployment->rollout = ROLLOUT_COMPLETED;
    deployment->updated = wall(service);
    set_text(&deployment->reason, "ECS deployment %s completed.", deployment->id);
    service_say(service, "(deployment %s) deployment completed.", deployment->id);
    if (current && !current->finished) {
        bool back = current->status == SD_ROLLBACK_IN_PROGRESS;
        current->status = back ? SD_ROLLBACK_SUCCESSFUL : SD_SUCCESSFUL;
        current->finished = current->updated = wall(service);
    }
}

static bool is_drained(const struct service *service, const struct deployment *deployment)
{
    struct service_counts counts;
    deployment_count(service, deployment, &counts);
    return counts.running + counts.pending + counts.wanted == 0;
}

/* Drops what is drained. True when the PRIMARY is alone. */
static bool drop_drained(struct service *service)
{
    struct deployment *deployment = TAILQ_NEXT(TAILQ_FIRST(&service->deployments), link), *next;
    for (; deployment; deployment = next) {
        next = TAILQ_NEXT(deployment, link);
        if (is_drained(service, deployment)) {
            deployment_free(service, deployment);
            record_dirty(&service->record);
        }
    }
    return !TAILQ_NEXT(TAILQ_FIRST(&service->deployments), link);
}

void deployment_settle(struct service *service)
{
    struct deployment *primary = TAILQ_FIRST(&service->deployments);
    struct service_counts counts;
    if (!primary || primary->rollout == ROLLOUT_FAILED)
        return;
    deployment_count(service, primary, &counts);
    bool there =
        counts.running == service->desired && counts.wanted == service->desired && counts.pending == 0;
    if (!drop_drained(service) || !there)
        return;
    if (primary->rollout == ROLLOUT_IN_PROGRESS)
        complete(service, primary);
    if (!service->steady)
        service_say(service, "has reached a steady state.");
    service->steady = true;
}
