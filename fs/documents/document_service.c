/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<c>/services/<s>/service.json: what CreateService and UpdateService take. A save sends only
 * what differs; a member that is shown and that it leaves out is unset, or refused by name. Three
 * configurations are missing in what DescribeServices says of a service, and stand in its PRIMARY deployment.
 * desiredCount has its own file: left out when read, honoured when written. Tags too: those named are set,
 * none is removed. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"

static const char *const deployed[] = {"serviceConnectConfiguration", "volumeConfigurations",
                                       "vpcLatticeConfigurations"};

static const struct ecs_shape *creation(void)
{
    return ecs_api_find("ecs", "CreateService")->input;
}

static const json_t *primary_deployment(const json_t *service)
{
    size_t i;
    json_t *deployment;
    json_array_foreach(json_object_get(service, "deployments"), i, deployment)
    {
        const char *status = json_string_value(json_object_get(deployment, "status"));
        if (status && strcmp(status, "PRIMARY") == 0)
            return deployment;
    }
    return NULL;
}

/* Adds what only its deployment tells. */
static void add_deployed(json_t *service)
{
    const json_t *primary = primary_deployment(service);
    for (size_t i = 0; i < ARRAY_LEN(deployed); i++) {
        json_t *value = json_object_get(primary, deployed[i]);
        if (value && !json_object_get(service, deployed[i]))
            json_object_set(service, deployed[i], value);
    }
}

static json_t *complete(const json_t *described)
{
    json_t *service = json_copy((json_t *)described);
    if (service)
        add_deployed(service);
    return service;
}

static json_t *render(const json_t *described)
{
    json_t *service = complete(described);
    json_object_del(service, "desiredCount");
    json_object_del(service, "tags");
    json_t *document = service ? fs_canon(creation(), service, FS_CANON_SHOW) : NULL;
    const char *definition = json_string_value(json_object_get(document, "taskDefinition"));
    if (definition)
        json_object_set_new(document, "taskDefinition", json_string(fs_task_definition_short(definition)));
    json_decref(service);
    return document;
}

static int no_memory(struct ecs_error **ret_error)
{
    *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    return -ENOMEM;
}

/* ---- a new service ---- */

/* A DAEMON service has a task on each instance: AWS refuses a count. Any other needs one. */
static void settle_count(const struct fs_save *save, json_t *body)
{
    const char *scheduling = json_string_value(json_object_get(body, "schedulingStrategy"));
    if (scheduling && strcmp(scheduling, "DAEMON") == 0)
        json_object_del(body, "desiredCount");
    else if (!json_object_get(body, "desiredCount"))
        json_object_set_new(body, "desiredCount",
                            json_integer(save->desired_count > 0 ? save->desired_count : 0));
}

/* A describe output says more than CreateService takes of a service that does not use it. */
static json_t *creation_body(const struct fs_save *save)
{
    json_t *body = json_copy((json_t *)save->wanted);
    if (!body)
        return NULL;
    json_object_del(body, "forceNewDeployment");
    json_t *grace = json_object_get(body, "healthCheckGracePeriodSeconds");
    if (json_is_integer(grace) && json_integer_value(grace) == 0)
        json_object_del(body, "healthCheckGracePeriodSeconds");
    if (json_is_array(json_object_get(body, "tags")) && json_array_size(json_object_get(body, "tags")) == 0)
        json_object_del(body, "tags");
    settle_count(save, body);
    json_object_set_new(body, "cluster", json_string(save->key.parent));
    json_object_set_new(body, "serviceName", json_string(save->key.id));
    json_object_set_new(body, "clientToken", json_string(save->client_token));
    return body;
}

static int plan_creation(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    struct fs_plan_call *call;
    if (fs_plan_add(plan, "CreateService", creation_body(save), &call) < 0)
        return no_memory(ret_error);
    call->effect = ECS_EFFECT_CREATE;
    call->key = save->key;
    call->member = "service";
    return 0;
}

/* ---- a change ---- */

/* An update whose answer was lost: does anything of it still differ? */
bool fs_service_updated(const struct ecs_action *action, const struct ecs_doc *now)
{
    json_t *sent = json_loads(action->call.body, 0, NULL);
    json_t *described = now ? ecs_doc_tree(now) : NULL;
    json_t *service = described ? complete(described) : NULL;
    bool forced = json_is_true(json_object_get(sent, "forceNewDeployment"));
    json_object_del(sent, "cluster");
    json_object_del(sent, "service");
    json_t *rest = sent && service ? fs_document_differences(&fs_service_document, sent, service) : NULL;
    bool happened = rest && !forced && json_object_size(rest) == 0;
    json_decref(rest);
    json_decref(service);
    json_decref(described);
    json_decref(sent);
    return happened;
}

/* What UpdateService does not take cannot be changed: said by name, with what it is. */
static int refuse_fixed(const json_t *differences, const json_t *service, struct ecs_error **ret_error)
{
    const struct ecs_shape *update = ecs_api_find("ecs", "UpdateService")->input;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)differences, name, value)
    {
        if (ecs_shape_member(update, name))
            continue;
        const json_t *now = json_object_get(service, name);
        cleanup_free char *is =
            now ? ecs_json_text(now, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        *ret_error = ecs_error_new(-EINVAL, "NotUpdatable",
                                   "%s: AWS cannot change it once the service is created (it is %s)", name,
                                   is ? is : "not set");
        return -EINVAL;
    }
    return 0;
}

static const char *tag_value(const json_t *tags, const char *key)
{
    size_t i;
    json_t *tag;
    json_array_foreach((json_t *)tags, i, tag)
    {
        const char *name = json_string_value(json_object_get(tag, "key"));
        if (name && strcmp(name, key) == 0)
            return json_string_value(json_object_get(tag, "value"));
    }
    return NULL;
}

/* Tags named by the save that are not so yet. */
static json_t *tags_to_set(const json_t *wanted, const json_t *now)
{
    json_t *set = json_array();
    size_t i;
    json_t *tag;
    json_array_foreach((json_t *)wanted, i, tag)
    {
        const char *key = json_string_value(json_object_get(tag, "key"));
        const char *value = json_string_value(json_object_get(tag, "value"));
        const char *is = key ? tag_value(now, key) : NULL;
        if (key && strncmp(key, "aws:", 4) != 0 && (!is || strcmp(is, value ? value : "") != 0))
            json_array_append(set, tag);
    }
    return set;
}

static int plan_tags(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    json_t *tags = tags_to_set(json_object_get(save->wanted, "tags"), json_object_get(save->now, "tags"));
    if (json_array_size(tags) == 0) {
        json_decref(tags);
        return 0;
    }
    struct fs_plan_call *call;
    json_t *body =
        json_pack("{s:O, s:o}", "resourceArn", json_object_get(save->now, "serviceArn"), "tags", tags);
    if (fs_plan_add(plan, "TagResource", body, &call) < 0)
        return no_memory(ret_error);
    call->effect = ECS_EFFECT_FORGET;
    call->key = save->key;
    return 0;
}

static int plan_update(const struct fs_save *save, json_t *body, struct fs_plan *plan,
                       struct ecs_error **ret_error)
{
    json_object_set_new(body, "cluster", json_string(save->key.parent));
    json_object_set_new(body, "service", json_string(save->key.id));
    struct fs_plan_call *call;
    if (fs_plan_add(plan, "UpdateService", json_incref(body), &call) < 0)
        return no_memory(ret_error);
    call->effect = ECS_EFFECT_UPDATE;
    call->key = save->key;
    call->member = "service";
    /* A forced deployment leaves nothing to tell it by: it is not sent again. */
    call->happened = json_is_true(json_object_get(body, "forceNewDeployment")) ? NULL : fs_service_updated;
    return 0;
}

/* Members whose absence says nothing. A capacity provider strategy takes the place of the launch type. Of
 * availabilityZoneRebalancing AWS has two defaults: CreateService's ENABLED, and DISABLED of what is older.
 */
static json_t *shown_to_miss(const struct fs_save *save)
{
    json_t *shown = render(save->now);
    json_object_del(shown, "availabilityZoneRebalancing");
    if (json_array_size(json_object_get(save->wanted, "capacityProviderStrategy")) > 0)
        json_object_del(shown, "launchType");
    return shown;
}

static int unset_left_out(const struct fs_save *save, json_t *differences, struct ecs_error **ret_error)
{
    json_t *shown = shown_to_miss(save);
    int r = shown ? fs_document_left_out(&fs_service_document, save->wanted, shown, differences, ret_error)
                  : no_memory(ret_error);
    json_decref(shown);
    return r;
}

static int plan_change(const struct fs_save *save, struct fs_plan *plan, struct ecs_error **ret_error)
{
    json_t *service = complete(save->now);
    json_t *differences =
        service ? fs_document_differences(&fs_service_document, save->wanted, service) : NULL;
    int r = differences ? 0 : no_memory(ret_error);
    if (r == 0) {
        json_object_del(differences, "tags");
        if (json_is_false(json_object_get(differences, "forceNewDeployment")))
            json_object_del(differences, "forceNewDeployment");
        r = refuse_fixed(differences, service, ret_error);
    }
    if (r == 0)
        r = unset_left_out(save, differences, ret_error);
    if (r == 0 && json_object_size(differences) > 0)
        r = plan_update(save, differences, plan, ret_error);
    if (r == 0)
        r = plan_tags(save, plan, ret_error);
    json_decref(differences);
    json_decref(service);
    return r;
}

static int plan(const struct fs_save *save, struct fs_plan *ret_plan, struct ecs_error **ret_error)
{
    return save->now ? plan_change(save, ret_plan, ret_error) : plan_creation(save, ret_plan, ret_error);
}

/* The API reference of UpdateService says of placementConstraints and serviceRegistries that an empty list
 * removes what is there; of loadBalancers that they can be removed, of placementStrategy "an empty object"
 * (it is a list). Of volumeConfigurations and vpcLatticeConfigurations it says nothing: should AWS refuse an
 * empty list of these, the user hears it. Without its capacity provider strategy a service goes back to its
 * launch type, and all its tasks with it: nobody means that in passing. */
static const struct fs_unset unset[] = {
    {"loadBalancers", "[]", true},
    {"placementConstraints", "[]", true},
    {"placementStrategy", "[]", true},
    {"serviceRegistries", "[]", true},
    {"volumeConfigurations", "[]", true},
    {"vpcLatticeConfigurations", "[]", true},
    {"serviceConnectConfiguration", "{\"enabled\":false}", true},
    {"capacityProviderStrategy", "[]", false},
    {0},
};

const struct fs_document fs_service_document = {
    .what = "service",
    .kind = ECS_SERVICE,
    .input = "CreateService",
    .more = "UpdateService",
    .output = "DescribeServices",
    .described = "services",
    .wrappers = (const char *const[]){"services", "service", NULL},
    .name = "serviceName",
    .hidden = (const char *const[]){"cluster", "service", "clientToken", NULL},
    .unset = unset,
    .complete = add_deployed,
    .render = render,
    .plan = plan,
};
