/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on task sets. */
#include "task_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "launch.h"

enum { TASK_SETS_MAX = 5 }; /* a service's quota */

static const char *const shown_members[] = {
    "capacityProviderStrategy", "launchType",      "loadBalancers",
    "networkConfiguration",     "platformVersion", "serviceRegistries",
};

static double scale_of(const struct deployment *set)
{
    return json_number_value(json_object_get(json_object_get(set->set, "scale"), "value"));
}

long task_set_desired(const struct service *service, const struct deployment *set)
{
    if (set->draining)
        return 0;
    double exact = (double)service->desired * scale_of(set) / 100;
    return (long)exact + (exact > (double)(long)exact);
}

static int64_t wall(const struct service *service)
{
    return world_wall(service->record.region->world);
}

static char *arn_of(const struct service *service, const char *id)
{
    return arn_new(service->record.region, "ecs", "task-set/%s/%s/%s", service->cluster->name, service->name,
                   id);
}

static json_t *show(const struct service *service, const struct deployment *set, bool with_tags)
{
    struct service_counts counts;
    deployment_count(service, set, &counts);
    cleanup_free char *arn = arn_of(service, set->id);
    json_t *tags = json_object_get(set->set, "tags");
    json_t *tree =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:I, s:I, s:I, s:o, s:o, s:O, s:s, s:o, s:o}", "id",
                  set->id, "taskSetArn", arn, "serviceArn", service->record.arn, "clusterArn",
                  service->cluster->record.arn, "status",
                  set->draining  ? "DRAINING"
                  : set->primary ? "PRIMARY"
                                 : "ACTIVE",
                  "taskDefinition", set->revision->definition->record.arn, "externalId",
                  in_text(set->set, "externalId"), "computedDesiredCount",
                  (json_int_t)task_set_desired(service, set), "pendingCount", (json_int_t)counts.pending,
                  "runningCount", (json_int_t)counts.running, "createdAt", json_time(set->created),
                  "updatedAt", json_time(set->updated), "scale", json_object_get(set->set, "scale"),
                  "stabilityStatus", set->steady ? "STEADY_STATE" : "STABILIZING", "stabilityStatusAt",
                  json_time(set->steady_at), "tags", with_tags && tags ? json_incref(tags) : json_array());
    for (size_t i = 0; i < ARRAY_LEN(shown_members); i++) {
        json_t *value = json_object_get(set->revision->spec, shown_members[i]);
        if (value)
            json_object_set(tree, shown_members[i], value);
    }
    if (launch_of_spec(set->revision->spec) == LAUNCH_FARGATE)
        json_object_set_new(tree, "platformFamily", json_string("Linux"));
    return tree;
}

json_t *task_sets_show(struct service *service)
{
    json_t *list = json_array();
    struct deployment *set;
    TAILQ_FOREACH(set, &service->deployments, link)
    {
        json_array_append_new(list, show(service, set, true));
    }
    return list;
}

static void forget(struct service *service, struct deployment *set)
{
    struct revision *revision = set->revision;
    deployment_free(service, set);
    revision_free(service, revision);
    record_dirty(&service->record);
}

void task_set_settle(struct service *service, struct deployment *set)
{
    struct service_counts counts;
    deployment_count(service, set, &counts);
    long desired = task_set_desired(service, set);
    bool steady = counts.running == desired && counts.pending == 0 && counts.wanted == desired;
    if (set->draining && counts.running + counts.pending + counts.wanted == 0) {
        forget(service, set);
        return;
    }
    if (steady == set->steady)
        return;
    set->steady = steady;
    set->steady_at = wall(service);
    record_dirty(&service->record);
    if (steady)
        service_say(service, "(taskSet %s) has reached a steady state.", set->id);
}

/* --- the operations --- */

/* The service a request names: ACTIVE, and with task sets. */
static struct service *external_service(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "service") : NULL;
    struct service *service = name ? service_find(cluster, name) : NULL;
    if (!service)
        return rq->error ? NULL : refuse(rq, "ServiceNotFoundException", "Service not found.");
    if (service->status != SERVICE_ACTIVE)
        return refuse(rq, "ServiceNotActiveException", "Service was not ACTIVE.");
    if (!service_is_external(service))
        return refuse_invalid(rq, "The service does not use the EXTERNAL deployment controller.");
    return service;
}

static struct deployment *find(const struct service *service, const char *id_or_arn)
{
    /* ".../task-set/cluster/service/ecs-svc/123": an id has a slash of its own. */
    const char *at = strstr(id_or_arn, "ecs-svc/");
    struct deployment *set;
    TAILQ_FOREACH(set, &service->deployments, link)
    {
        if (strcmp(set->id, at ? at : id_or_arn) == 0)
            return set;
    }
    return NULL;
}

struct deployment *task_set_of_arn(const struct region *region, const char *arn, struct service **ret_service)
{
    static const char kind[] = ":task-set/";
    const char *at = strstr(arn, kind);
    cleanup_free char *path = at ? strdup(at + strlen(kind)) : NULL;
    char *rest = path, *cluster_name = strsep(&rest, "/"), *name = rest ? strsep(&rest, "/") : NULL;
    struct cluster *cluster = path && name && rest ? cluster_find(region, cluster_name) : NULL;
    *ret_service = cluster ? service_find(cluster, name) : NULL;
    return *ret_service && service_is_external(*ret_service) ? find(*ret_service, rest) : NULL;
}

static struct deployment *set_of(struct request *rq, const struct service *service, const char *member)
{
    const char *id = service ? require_text(rq, member) : NULL;
    struct deployment *set = id ? find(service, id) : NULL;
    if (!set && !rq->error)
        refuse(rq, "TaskSetNotFoundException", "The specified task set was not found.");
    return set;
}

/* False: refused. An absent scale is 100 percent. */
static bool take_scale(struct request *rq, json_t **ret_scale)
{
    const json_t *given = json_object_get(rq->in, "scale"), *number = json_object_get(given, "value");
    const char *unit = in_text(given, "unit");
    double value = number ? json_number_value(number) : 100;
    if (unit && strcmp(unit, "PERCENT") != 0)
        refuse_invalid(rq, "Scale unit should be one of [PERCENT].");
    else if (value < 0 || value > 100)
        refuse_invalid(rq, "Scale value must be between 0 and 100.");
    else
        *ret_scale = json_pack("{s:f, s:s}", "value", value, "unit", "PERCENT");
    return rq->error == NULL;
}

static json_t *take_spec(struct request *rq, const struct launch_choice *choice)
{
    json_t *spec = json_object();
    copy_members(spec, rq->in, shown_members, ARRAY_LEN(shown_members));
    json_object_del(spec, "launchType");
    if (choice->strategy)
        json_object_set_new(spec, "capacityProviderStrategy", json_deep_copy(choice->strategy));
    else
        json_object_set_new(spec, "launchType", json_string(launch_name(choice->launch)));
    if (choice->launch == LAUNCH_FARGATE && !in_text(spec, "platformVersion"))
        json_object_set_new(spec, "platformVersion", json_string("1.4.0"));
    return spec;
}

static bool has_room(struct request *rq, const struct service *service)
{
    int count = 0;
    struct deployment *set;
    TAILQ_FOREACH(set, &service->deployments, link)
    {
        count += !set->draining;
    }
    if (count >= TASK_SETS_MAX)
        refuse_invalid(rq, "A service can have at most %d task sets.", TASK_SETS_MAX);
    return rq->error == NULL;
}

static json_t *create_task_set(struct request *rq)
{
    struct service *service = external_service(rq);
    struct launch_choice choice;
    json_t *scale = NULL, *tags = NULL;
    struct task_definition *definition =
        service ? task_definition_of(rq, in_text(rq->in, "taskDefinition")) : NULL;
    if (!definition || !has_room(rq, service) || !launch_choose(rq, service->cluster, &choice) ||
        !launch_check(rq, definition, choice.launch, json_object_get(rq->in, "networkConfiguration"),
                      in_text(rq->in, "platformVersion")) ||
        !(tags = take_tags(rq, "tags")))
        return NULL;
    if (!take_scale(rq, &scale)) {
        json_decref(tags);
        return NULL;
    }
    struct deployment *set = deployment_add(service, definition, take_spec(rq, &choice));
    if (!set) {
        json_decref(tags);
        json_decref(scale);
        return refuse_memory(rq);
    }
    set->set = json_pack("{s:o, s:s*, s:o}", "scale", scale, "externalId", in_text(rq->in, "externalId"),
                         "tags", tags);
    set->steady_at = wall(service);
    service_wake(service);
    return json_pack("{s:o}", "taskSet", show(service, set, true));
}

static json_t *update_task_set(struct request *rq)
{
    struct service *service = external_service(rq);
    struct deployment *set = set_of(rq, service, "taskSet");
    json_t *scale;
    if (!set || !take_scale(rq, &scale))
        return NULL;
    json_object_set_new(set->set, "scale", scale);
    set->updated = wall(service);
    set->steady = false;
    set->steady_at = set->updated;
    record_dirty(&service->record);
    service_wake(service);
    return json_pack("{s:o}", "taskSet", show(service, set, true));
}

static json_t *delete_task_set(struct request *rq)
{
    struct service *service = external_service(rq);
    struct deployment *set = set_of(rq, service, "taskSet");
    if (!set)
        return NULL;
    if (scale_of(set) > 0 && !set->draining && !in_bool(rq->in, "force"))
        return refuse_invalid(rq, "The task set cannot be deleted while it is scaled above 0.");
    set->draining = true;
    set->primary = false;
    set->updated = wall(service);
    record_dirty(&service->record);
    service_wake(service);
    return json_pack("{s:o}", "taskSet", show(service, set, true));
}

static json_t *describe_task_sets(struct request *rq)
{
    struct service *service = external_service(rq);
    const json_t *names = service ? in_list(rq->in, "taskSets") : NULL;
    bool tags = in_includes(rq->in, "TAGS");
    if (!service)
        return NULL;
    json_t *sets = json_array(), *failures = json_array();
    struct deployment *set;
    TAILQ_FOREACH(set, &service->deployments, link)
    {
        if (!names)
            json_array_append_new(sets, show(service, set, tags));
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        set = name ? find(service, name) : NULL;
        cleanup_free char *arn = set || !name ? NULL : arn_of(service, name);
        if (set)
            json_array_append_new(sets, show(service, set, tags));
        else
            add_failure(failures, name && strncmp(name, "arn:", 4) == 0 ? name : arn, "MISSING");
    }
    return json_pack("{s:o, s:o}", "taskSets", sets, "failures", failures);
}

/* "Any parameters that are updated on the primary task set in a service will transition to the
 * service." (UpdateServicePrimaryTaskSet) */
static json_t *update_service_primary_task_set(struct request *rq)
{
    struct service *service = external_service(rq);
    struct deployment *set = set_of(rq, service, "primaryTaskSet"), *other;
    if (!set)
        return NULL;
    if (set->draining)
        return refuse_invalid(rq, "The specified task set is draining.");
    TAILQ_FOREACH(other, &service->deployments, link)
    {
        other->primary = other == set;
    }
    TAILQ_REMOVE(&service->deployments, set, link);
    TAILQ_INSERT_HEAD(&service->deployments, set, link);
    copy_members(service->spec, set->revision->spec, shown_members, ARRAY_LEN(shown_members));
    json_object_set_new(service->spec, "taskDefinition", json_string(set->revision->definition->record.arn));
    set->updated = wall(service);
    record_dirty(&service->record);
    return json_pack("{s:o}", "taskSet", show(service, set, true));
}

const struct operation task_sets_operations[] = {
    {"ecs", "CreateTaskSet", create_task_set, BUCKET_SERVICE_MODIFY, true},
    {"ecs", "UpdateTaskSet", update_task_set, BUCKET_SERVICE_MODIFY, true},
    {"ecs", "DeleteTaskSet", delete_task_set, BUCKET_SERVICE_MODIFY, true},
    {"ecs", "DescribeTaskSets", describe_task_sets, BUCKET_SERVICE_READ, false},
    {"ecs", "UpdateServicePrimaryTaskSet", update_service_primary_task_set, BUCKET_SERVICE_MODIFY, true},
    {0},
};
