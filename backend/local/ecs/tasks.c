/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on tasks. */
#include "tasks.h"

#include <stdio.h>
#include <string.h>

#include "clusters.h"
#include "container_instances.h"
#include "ecsfs/cleanup.h"
#include "launch.h"
#include "pages.h"
#include "placement.h"
#include "services.h"
#include "tokens.h"

static bool check_overrides(struct request *rq, struct task_definition *definition)
{
    const json_t *containers = json_object_get(task_definition_doc(definition), "containerDefinitions");
    size_t i, j;
    json_t *row, *container;
    json_array_foreach(json_object_get(json_object_get(rq->in, "overrides"), "containerOverrides"), i, row)
    {
        const char *name = in_text(row, "name");
        bool found = false;
        json_array_foreach(containers, j, container)
        {
            found |= name && strcmp(name, in_text(container, "name")) == 0;
        }
        if (!found) {
            refuse_invalid(rq, "Override for container named %s is not a container in the TaskDefinition.",
                           name ? name : "");
            return false;
        }
    }
    return true;
}

static json_t *reply_tasks(json_t *arns, struct request *rq, const struct cluster *cluster)
{
    json_t *tasks = json_array();
    size_t i;
    json_t *arn;
    json_array_foreach(arns, i, arn)
    {
        struct task *task = task_find(cluster, json_string_value(arn));
        if (task)
            json_array_append_new(tasks, task_show(task, true));
    }
    token_remember(rq, arns);
    return json_pack("{s:o, s:[]}", "tasks", tasks, "failures");
}

/* The same request again, with its token: the same tasks. */
static json_t *repeated(struct request *rq, const struct cluster *cluster, const json_t *arns)
{
    json_t *tasks = json_array();
    size_t i;
    json_t *arn;
    json_array_foreach(arns, i, arn)
    {
        struct task *task = task_find(cluster, json_string_value(arn));
        if (task)
            json_array_append_new(tasks, task_show(task, true));
    }
    (void)rq;
    return json_pack("{s:o, s:[]}", "tasks", tasks, "failures");
}

/* The request's tags, with those of the definition when they are propagated and AWS's own. */
static json_t *tags_of(struct request *rq, const struct cluster *cluster,
                       const struct task_definition *definition)
{
    json_t *tags = take_tags(rq, "tags");
    const char *propagate = in_text(rq->in, "propagateTags");
    if (tags && propagate && strcmp(propagate, "TASK_DEFINITION") == 0)
        json_array_extend(tags, definition->record.tags);
    if (tags && in_bool(rq->in, "enableECSManagedTags"))
        json_array_append_new(tags,
                              json_pack("{s:s, s:s}", "key", "aws:ecs:clusterName", "value", cluster->name));
    return tags;
}

struct run {
    struct task_plan plan;
    struct placement placement;
    const json_t *strategy;
    json_t *arns, *failures;
};

static void start_one(struct request *rq, struct run *run)
{
    if (run->strategy) {
        run->plan.provider = placement_provider(run->strategy, run->plan.cluster, run->plan.group);
        run->plan.launch = launch_of_provider(run->plan.provider);
    }
    if (run->plan.launch == LAUNCH_EC2) {
        run->plan.instance = placement_find(&run->placement);
        if (!run->plan.instance) {
            struct instance *closest = run->placement.closest;
            add_failure(run->failures, closest ? closest->record.arn : NULL,
                        placement_failure(run->placement.lack));
            return;
        }
    }
    struct task *task = task_start(&run->plan);
    if (task)
        json_array_append_new(run->arns, json_string(task->record.arn));
    else
        refuse_memory(rq);
}

static bool has_instances(struct request *rq, const struct run *run)
{
    if (run->plan.launch == LAUNCH_EC2 && !run->strategy && TAILQ_EMPTY(&run->plan.cluster->instances)) {
        refuse_invalid(rq, "No Container Instances were found in your cluster.");
        return false;
    }
    return true;
}

static json_t *run_tasks(struct request *rq, struct run *run, long count)
{
    run->arns = json_array();
    run->failures = json_array();
    for (long i = 0; i < count && !rq->error; i++)
        start_one(rq, run);
    json_t *reply = reply_tasks(run->arns, rq, run->plan.cluster);
    json_object_set_new(reply, "failures", run->failures);
    if (rq->error) {
        json_decref(reply);
        return NULL;
    }
    return reply;
}

static bool check_token(struct request *rq, const json_t **ret_arns)
{
    bool conflict;
    const char *token = in_text(rq->in, "clientToken");
    if (token && strlen(token) > 64)
        refuse_invalid(rq, "clientToken can have at most 64 characters.");
    *ret_arns = token_find(rq, &conflict);
    if (conflict)
        refuse(rq, "ConflictException",
               "Arguments on this idempotent request are inconsistent with arguments used in previous "
               "request(s).");
    return rq->error == NULL;
}

static json_t *run_task(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *before;
    struct launch_choice choice;
    if (!cluster || !check_token(rq, &before))
        return NULL;
    if (before)
        return repeated(rq, cluster, before);
    long count = in_int(rq->in, "count", 1);
    if (count < 1 || count > 10)
        return refuse_invalid(rq, count < 1 ? "Tasks cannot be empty." : "Tasks count cannot exceed 10.");
    struct task_definition *definition = task_definition_of(rq, in_text(rq->in, "taskDefinition"));
    const json_t *network = json_object_get(rq->in, "networkConfiguration");
    const char *version = in_text(rq->in, "platformVersion"), *group = in_text(rq->in, "group");
    if (!definition || !launch_choose(rq, cluster, &choice) ||
        !launch_check(rq, definition, choice.launch, network, version) || !check_overrides(rq, definition))
        return NULL;
    cleanup_free char *family_group = NULL;
    if (asprintf(&family_group, "family:%s", definition->family->name) < 0)
        return refuse_memory(rq);
    json_t *overrides = json_deep_copy(json_object_get(rq->in, "overrides"));
    json_t *tags = tags_of(rq, cluster, definition);
    struct run run = {
        .plan = {.cluster = cluster,
                 .definition = definition,
                 .launch = choice.launch,
                 .group = group ? group : family_group,
                 .started_by = in_text(rq->in, "startedBy"),
                 .platform_version = version,
                 .network = network,
                 .overrides = overrides,
                 .tags = tags,
                 .exec = in_bool(rq->in, "enableExecuteCommand")},
        .placement = {.cluster = cluster,
                      .definition = definition,
                      .constraints = json_object_get(rq->in, "placementConstraints"),
                      .strategy = json_object_get(rq->in, "placementStrategy"),
                      .group = group ? group : family_group},
        .strategy = choice.strategy,
    };
    json_t *reply = tags && has_instances(rq, &run) ? run_tasks(rq, &run, count) : NULL;
    json_decref(tags);
    json_decref(overrides);
    return reply;
}

static json_t *start_task(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *names = cluster ? require_list(rq, "containerInstances", 10) : NULL;
    struct task_definition *definition =
        names ? task_definition_of(rq, in_text(rq->in, "taskDefinition")) : NULL;
    const json_t *network = json_object_get(rq->in, "networkConfiguration");
    if (!definition || !launch_check(rq, definition, LAUNCH_EC2, network, NULL) ||
        !check_overrides(rq, definition))
        return NULL;
    cleanup_free char *family_group = NULL;
    json_t *tags = tags_of(rq, cluster, definition);
    if (!tags || asprintf(&family_group, "family:%s", definition->family->name) < 0) {
        json_decref(tags);
        return NULL;
    }
    const char *group = in_text(rq->in, "group");
    json_t *overrides = json_deep_copy(json_object_get(rq->in, "overrides"));
    json_t *arns = json_array(), *failures = json_array();
    struct task_plan plan = {.cluster = cluster,
                             .definition = definition,
                             .launch = LAUNCH_EC2,
                             .group = group ? group : family_group,
                             .started_by = in_text(rq->in, "startedBy"),
                             .network = network,
                             .overrides = overrides,
                             .tags = tags,
                             .exec = in_bool(rq->in, "enableExecuteCommand")};
    struct placement placement = {.cluster = cluster, .definition = definition, .group = plan.group};
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        plan.instance = instance_find(cluster, name ? name : "");
        enum lack lack = plan.instance ? placement_check(&placement, plan.instance) : LACK_NONE;
        struct task *task = plan.instance && lack == LACK_NONE ? task_start(&plan) : NULL;
        if (task)
            json_array_append_new(arns, json_string(task->record.arn));
        else
            add_failure(failures, plan.instance ? plan.instance->record.arn : name,
                        lack == LACK_NONE ? "MISSING" : placement_failure(lack));
    }
    json_t *reply = reply_tasks(arns, rq, cluster);
    json_object_set_new(reply, "failures", failures);
    json_decref(tags);
    json_decref(overrides);
    return reply;
}

static json_t *stop_task(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "task") : NULL;
    if (!name)
        return NULL;
    struct task *task = task_find(cluster, name);
    if (!task)
        return refuse_invalid(rq, "The referenced task was not found.");
    const char *reason = in_text(rq->in, "reason");
    task_stop(task, STOP_USER, "%s", reason ? reason : "Task stopped by user");
    return json_pack("{s:o}", "task", task_show(task, false)); /* AWS drops the tags here */
}

static json_t *describe_tasks(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *names = cluster ? require_list(rq, "tasks", 100) : NULL;
    if (!names)
        return NULL;
    json_t *tasks = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct task *task = name ? task_find(cluster, name) : NULL;
        if (task) {
            json_array_append_new(tasks, task_show(task, in_includes(rq->in, "TAGS")));
        } else {
            cleanup_free char *arn =
                arn_new(rq->region, "ecs", "task/%s/%s", cluster->name, last_part(name ? name : ""));
            add_failure(failures, arn, "MISSING");
        }
    }
    return json_pack("{s:o, s:o}", "tasks", tasks, "failures", failures);
}

struct filter {
    const char *family, *started_by, *launch;
    struct service *service;
    struct instance *instance;
    enum task_status desired;
};

static bool passes(const struct filter *filter, const struct task *task)
{
    if (task->desired != filter->desired)
        return false;
    if (filter->family && strcmp(task->definition->family->name, filter->family) != 0)
        return false;
    if (filter->started_by && (!task->started_by || strcmp(task->started_by, filter->started_by) != 0))
        return false;
    if (filter->launch && strcmp(launch_name(task->launch), filter->launch) != 0)
        return false;
    return (!filter->service || task->service == filter->service) &&
           (!filter->instance || task->instance == filter->instance);
}

static bool read_filter(struct request *rq, const struct cluster *cluster, struct filter *filter)
{
    const char *service = in_text(rq->in, "serviceName"), *instance = in_text(rq->in, "containerInstance");
    const char *desired = in_text(rq->in, "desiredStatus");
    *filter = (struct filter){.family = in_text(rq->in, "family"),
                              .started_by = in_text(rq->in, "startedBy"),
                              .launch = in_text(rq->in, "launchType"),
                              .desired = TASK_RUNNING};
    if (filter->started_by && (service || instance || filter->family))
        refuse_invalid(rq, "startedBy must be the only filter specified.");
    else if (service && !(filter->service = service_find(cluster, service)))
        refuse(rq, "ServiceNotFoundException", "Service not found.");
    else if (instance && !(filter->instance = instance_find(cluster, instance)))
        refuse_invalid(rq, "Container instance not found.");
    if (desired && strcmp(desired, "STOPPED") == 0)
        filter->desired = TASK_STOPPED;
    else if (desired && strcmp(desired, "PENDING") == 0)
        filter->desired =
            TASK_PENDING; /* "Although you can filter on PENDING, that doesn't return any results." */
    else if (desired && strcmp(desired, "RUNNING") != 0)
        refuse_invalid(rq, "desiredStatus should be one of [RUNNING,PENDING,STOPPED].");
    return rq->error == NULL;
}

static json_t *list_tasks(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    struct filter filter;
    struct page page;
    if (!cluster || !read_filter(rq, cluster, &filter) || !page_begin(rq, &page, 100, 100))
        return NULL;
    struct task *task;
    TAILQ_FOREACH(task, &cluster->tasks, link)
    {
        if (!passes(&filter, task))
            continue;
        if (page_wants(&page, task->record.sequence))
            page_add(&page, task->record.sequence, json_string(task->record.arn));
        else if (page.more)
            break;
    }
    return page_reply(rq, &page, "taskArns");
}

const struct operation tasks_operations[] = {
    {"ecs", "DescribeTasks", describe_tasks, BUCKET_TASK_READ, false},
    {"ecs", "ListTasks", list_tasks, BUCKET_TASK_READ, false},
    {"ecs", "RunTask", run_task, BUCKET_TASK_MODIFY, true},
    {"ecs", "StartTask", start_task, BUCKET_TASK_MODIFY, true},
    {"ecs", "StopTask", stop_task, BUCKET_TASK_MODIFY, true},
    {0},
};
