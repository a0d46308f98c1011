/* SPDX-License-Identifier: Apache-2.0 */
/* A service's memory and its record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "services.h"

static void history_free(struct service *service, struct service_deployment *past)
{
    TAILQ_REMOVE(&service->history, past, link);
    free(past->arn);
    free(past->reason);
    free(past);
}

static void free_parts(struct service *service)
{
    struct deployment *deployment;
    struct service_deployment *past;
    struct revision *revision;
    struct task *task;
    while ((deployment = TAILQ_FIRST(&service->deployments)))
        deployment_free(service, deployment);
    while ((past = TAILQ_FIRST(&service->history)))
        history_free(service, past);
    while ((revision = TAILQ_FIRST(&service->revisions)))
        revision_free(service, revision);
    while ((task = TAILQ_FIRST(&service->tasks)))
        task_unlist(task);
    TAILQ_FOREACH(task, &service->cluster->tasks, link)
    {
        if (task->service == service)
            task->service = NULL; /* STOPPED ones outlive their service */
    }
}

void service_free(struct service *service)
{
    struct cluster *cluster = service->cluster;
    timer_disarm(&service->record.region->world->timers, &service->timer);
    free_parts(service);
    for (unsigned i = 0; i < service->events_len; i++)
        free(service->events[(service->events_first + i) % EVENTS_MAX].message);
    if (index_get(&cluster->services_by_name, service->name) == service)
        index_remove(&cluster->services_by_name, service->name);
    TAILQ_REMOVE(&cluster->services, service, link);
    record_free(&service->record);
    json_decref(service->spec);
    free(service->name);
    free(service);
}

void services_free_all(struct cluster *cluster)
{
    struct service *service;
    while ((service = TAILQ_FIRST(&cluster->services)))
        service_free(service);
}

struct service *service_new(struct cluster *cluster, const char *name)
{
    struct region *region = cluster->record.region;
    struct service *service = calloc(1, sizeof(*service));
    if (!service || !(service->name = strdup(name))) {
        free(service);
        return NULL;
    }
    service->cluster = cluster;
    service->timer.fire = service_look_after;
    service->created = world_wall(region->world);
    TAILQ_INIT(&service->deployments);
    TAILQ_INIT(&service->revisions);
    TAILQ_INIT(&service->history);
    TAILQ_INIT(&service->tasks);
    TAILQ_INSERT_TAIL(&cluster->services, service, link);
    if (record_init(&service->record, &service_kind, region,
                    arn_new(region, "ecs", "service/%s/%s", cluster->name, name)) < 0 ||
        index_put(&cluster->services_by_name, service->name, service) < 0) {
        service_free(service);
        return NULL;
    }
    return service;
}

struct service *service_find(const struct cluster *cluster, const char *name_or_arn)
{
    const char *name = strncmp(name_or_arn, "arn:", 4) == 0 ? last_part(name_or_arn) : name_or_arn;
    struct service *service = index_get(&cluster->services_by_name, name);
    return service && record_is_seen(&service->record) ? service : NULL;
}

/* --- the record --- */

static json_t *dump_revision(const struct revision *revision)
{
    return json_pack("{s:s, s:s, s:O, s:I}", "arn", revision->arn, "definition",
                     revision->definition->record.arn, "spec", revision->spec, "created",
                     (json_int_t)revision->created);
}

static int load_revision(struct service *service, const json_t *body)
{
    const char *arn = in_text(body, "arn"), *definition = in_text(body, "definition");
    struct task_definition *found =
        definition ? task_definition_find(service->record.region, definition) : NULL;
    if (!arn || !found)
        return 0; /* of a definition that was deleted since: history that nobody needs */
    struct revision *revision = calloc(1, sizeof(*revision));
    if (!revision || !(revision->arn = strdup(arn))) {
        free(revision);
        return -ENOMEM;
    }
    revision->definition = found;
    found->users++;
    revision->spec = json_incref(json_object_get(body, "spec"));
    revision->created = json_integer_value(json_object_get(body, "created"));
    TAILQ_INSERT_TAIL(&service->revisions, revision, link);
    return 0;
}

static json_t *dump_deployment(const struct deployment *deployment)
{
    return json_pack("{s:s, s:s, s:i, s:s*, s:I, s:b, s:I, s:I, s:O*, s:[b, b, b], s:I}", "id",
                     deployment->id, "revision", deployment->revision->arn, "rollout",
                     (int)deployment->rollout, "reason", deployment->reason, "failed",
                     (json_int_t)deployment->failed, "ran", deployment->ran, "created",
                     (json_int_t)deployment->created, "updated", (json_int_t)deployment->updated, "set",
                     deployment->set, "is", deployment->primary, deployment->draining, deployment->steady,
                     "steadyAt", (json_int_t)deployment->steady_at);
}

static char *own_text(const json_t *body, const char *name)
{
    const char *text = in_text(body, name);
    return text ? strdup(text) : NULL;
}

static int load_deployment(struct service *service, const json_t *body)
{
    struct revision *revision = revision_find(service, in_text(body, "revision"));
    struct deployment *deployment = calloc(1, sizeof(*deployment));
    if (!revision || !deployment) {
        free(deployment);
        return revision ? -ENOMEM : -EBADMSG;
    }
    snprintf(deployment->id, sizeof(deployment->id), "%s", in_text(body, "id") ? in_text(body, "id") : "");
    deployment->revision = revision;
    deployment->rollout = (enum rollout)load_choice(body, "rollout", ROLLOUT_FAILED);
    deployment->reason = own_text(body, "reason");
    deployment->failed = in_int(body, "failed", 0);
    deployment->ran = in_bool(body, "ran");
    deployment->created = json_integer_value(json_object_get(body, "created"));
    deployment->updated = json_integer_value(json_object_get(body, "updated"));
    deployment->set = json_incref(json_object_get(body, "set"));
    const json_t *is = json_object_get(body, "is");
    deployment->primary = json_is_true(json_array_get(is, 0));
    deployment->draining = json_is_true(json_array_get(is, 1));
    deployment->steady = json_is_true(json_array_get(is, 2));
    deployment->steady_at = json_integer_value(json_object_get(body, "steadyAt"));
    TAILQ_INSERT_TAIL(&service->deployments, deployment, link);
    return 0;
}

static json_t *dump_past(const struct service_deployment *past)
{
    return json_pack("{s:s, s:i, s:s*, s:s*, s:s*, s:s*, s:[I, I, I, I, I, I], s:b, s:I}", "arn", past->arn,
                     "status", (int)past->status, "reason", past->reason, "target",
                     past->target ? past->target->arn : NULL, "source",
                     past->source ? past->source->arn : NULL, "rollback",
                     past->rollback ? past->rollback->arn : NULL, "times", (json_int_t)past->created,
                     (json_int_t)past->started, (json_int_t)past->updated, (json_int_t)past->finished,
                     (json_int_t)past->stopped, (json_int_t)past->rollback_started, "tripped", past->tripped,
                     "failures", (json_int_t)past->failures);
}

static int load_past(struct service *service, const json_t *body)
{
    struct revision *target = revision_find(service, in_text(body, "target"));
    if (!target)
        return 0;
    struct service_deployment *past = calloc(1, sizeof(*past));
    if (!past || !(past->arn = own_text(body, "arn"))) {
        free(past);
        return -ENOMEM;
    }
    past->status = (enum service_deployment_status)load_choice(body, "status", SD_ROLLBACK_FAILED);
    past->reason = own_text(body, "reason");
    past->target = target;
    past->source = revision_find(service, in_text(body, "source"));
    past->rollback = revision_find(service, in_text(body, "rollback"));
    int64_t *const times[] = {&past->created,  &past->started, &past->updated,
                              &past->finished, &past->stopped, &past->rollback_started};
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        *times[i] = json_integer_value(json_array_get(json_object_get(body, "times"), i));
    past->tripped = in_bool(body, "tripped");
    past->failures = in_int(body, "failures", 0);
    TAILQ_INSERT_TAIL(&service->history, past, link);
    return 0;
}

static json_t *dump_events(const struct service *service)
{
    json_t *events = json_array();
    for (unsigned i = service->events_len; i-- > 0;) {
        const struct service_event *event = service_event_at(service, i);
        json_array_append_new(events,
                              json_pack("[s, I, s]", event->id, (json_int_t)event->at, event->message));
    }
    return events;
}

static void load_events(struct service *service, const json_t *events)
{
    size_t i;
    json_t *event;
    json_array_foreach(events, i, event)
    {
        const char *id = json_string_value(json_array_get(event, 0)),
                   *text = json_string_value(json_array_get(event, 2));
        if (id && text)
            service_event_put(service, id, json_integer_value(json_array_get(event, 1)), text);
    }
}

static json_t *dump(const struct record *record)
{
    const struct service *service = (const struct service *)record;
    json_t *revisions = json_array(), *deployments = json_array(), *history = json_array();
    struct revision *revision;
    struct deployment *deployment;
    struct service_deployment *past;
    TAILQ_FOREACH(revision, &service->revisions, link)
    {
        json_array_append_new(revisions, dump_revision(revision));
    }
    TAILQ_FOREACH(deployment, &service->deployments, link)
    {
        json_array_append_new(deployments, dump_deployment(deployment));
    }
    TAILQ_FOREACH(past, &service->history, link)
    {
        json_array_append_new(history, dump_past(past));
    }
    return json_pack("{s:s, s:s, s:i, s:O, s:I, s:I, s:o, s:o, s:o, s:o, s:b, s:I, s:O*}", "cluster",
                     service->cluster->name, "name", service->name, "status", (int)service->status, "spec",
                     service->spec, "desired", (json_int_t)service->desired, "created",
                     (json_int_t)service->created, "revisions", revisions, "deployments", deployments,
                     "history", history, "events", dump_events(service), "steady", service->steady, "streak",
                     (json_int_t)service->streak, "tags", record->tags);
}

typedef int load_part_fn(struct service *service, const json_t *body);

static int load_parts(struct service *service, const json_t *list, load_part_fn *load_part)
{
    size_t i;
    json_t *body;
    json_array_foreach(list, i, body)
    {
        int r = load_part(service, body);
        if (r < 0)
            return r;
    }
    return 0;
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    const char *cluster_name = in_text(body, "cluster"), *name = in_text(body, "name");
    struct cluster *cluster = cluster_name ? cluster_find(region, cluster_name) : NULL;
    struct service *service = cluster && name ? service_new(cluster, name) : NULL;
    if (!service)
        return cluster && name ? -ENOMEM : -EBADMSG;
    service->status = (enum service_status)load_choice(body, "status", SERVICE_INACTIVE);
    service->spec = json_incref(json_object_get(body, "spec"));
    service->desired = in_int(body, "desired", 0);
    service->created = json_integer_value(json_object_get(body, "created"));
    service->steady = in_bool(body, "steady");
    service->streak = in_int(body, "streak", 0);
    service->record.tags = json_incref(json_object_get(body, "tags"));
    load_events(service, json_object_get(body, "events"));
    int r = load_parts(service, json_object_get(body, "revisions"), load_revision);
    if (r == 0)
        r = load_parts(service, json_object_get(body, "deployments"), load_deployment);
    if (r == 0)
        r = load_parts(service, json_object_get(body, "history"), load_past);
    if (service->status == SERVICE_INACTIVE)
        world_later(region->world, &service->timer, 3600e3);
    else
        service_wake(service);
    return r;
}

const struct record_kind service_kind = {"service", dump, load};
