/* SPDX-License-Identifier: Apache-2.0 */
/* One form for equal meaning. ECS fills in defaults and keeps some lists in an order of its own; a
 * describe therefore never equals what was registered. Two tables tell which lists are sets, and what
 * AWS fills in (as DescribeTaskDefinition, DescribeServices and DescribeClusters are seen to answer). */
#include "document.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* Lists whose order means nothing. By the list's own shape, or (for the many StringLists) by the
 * member that holds it. `key` is the member to sort by; NULL: the items are strings. */
static const struct {
    const char *shape, *member, *key;
} sets[] = {
    {"EnvironmentVariables", NULL, "name"},
    {"SecretList", NULL, "name"},
    {"Tags", NULL, "key"},
    {"CompatibilityList", NULL, NULL},
    {"PortMappingList", NULL, "containerPort"},
    {"MountPointList", NULL, "containerPath"},
    {"VolumeList", NULL, "name"},
    {"VolumeFromList", NULL, "sourceContainer"},
    {"SystemControls", NULL, "namespace"},
    {"UlimitList", NULL, "name"},
    {"ContainerDependencies", NULL, "containerName"},
    {"ResourceRequirements", NULL, "type"},
    {"TaskDefinitionPlacementConstraints", NULL, "expression"},
    {"PlacementConstraints", NULL, "expression"},
    {"ProxyConfigurationProperties", NULL, "name"},
    {"ClusterSettings", NULL, "name"},
    {"CapacityProviderStrategy", NULL, "capacityProvider"},
    {"LoadBalancers", NULL, "targetGroupArn"},
    {"ServiceRegistries", NULL, "registryArn"},
    {"AwsVpcConfiguration", "subnets", NULL},
    {"AwsVpcConfiguration", "securityGroups", NULL},
    {"KernelCapabilities", "add", NULL},
    {"KernelCapabilities", "drop", NULL},
    {"PutClusterCapacityProvidersRequest", "capacityProviders", NULL},
    {"DeploymentAlarms", "alarmNames", NULL},
};

/* What AWS fills in. `noise` is left out for people too: nobody writes it, and AWS always says it. */
static const struct {
    const char *shape, *member, *value; /* as JSON */
    bool noise;
} defaults[] = {
    {"ContainerDefinition", "cpu", "0", true},
    {"ContainerDefinition", "essential", "true"},
    {"ContainerDefinition", "versionConsistency", "\"enabled\""},
    {"PortMapping", "hostPort", "0", true},
    {"PortMapping", "protocol", "\"tcp\""},
    {"HealthCheck", "interval", "30"},
    {"HealthCheck", "timeout", "5"},
    {"HealthCheck", "retries", "3"},
    {"MountPoint", "readOnly", "false"},
    {"VolumeFrom", "readOnly", "false"},
    {"Volume", "configuredAtLaunch", "false"},
    {"EFSVolumeConfiguration", "rootDirectory", "\"/\""},
    {"EFSVolumeConfiguration", "transitEncryption", "\"DISABLED\""},
    {"EFSAuthorizationConfig", "iam", "\"DISABLED\""},
    {"DockerVolumeConfiguration", "autoprovision", "false"},
    {"DockerVolumeConfiguration", "scope", "\"task\""},
    {"RegisterTaskDefinitionRequest", "enableFaultInjection", "false"},
    {"CapacityProviderStrategyItem", "base", "0"},
    {"CapacityProviderStrategyItem", "weight", "0"},
    {"AwsVpcConfiguration", "assignPublicIp", "\"DISABLED\""},
    {"DeploymentConfiguration", "bakeTimeInMinutes", "0"},
    {"DeploymentConfiguration", "maximumPercent", "200"},
    {"DeploymentConfiguration", "minimumHealthyPercent", "100"},
    {"DeploymentConfiguration", "strategy", "\"ROLLING\""},
    {"DeploymentCircuitBreaker", "enable", "false"},
    {"DeploymentCircuitBreaker", "rollback", "false"},
    {"DeploymentController", "type", "\"ECS\""},
    {"CreateServiceRequest", "enableECSManagedTags", "false"},
    {"CreateServiceRequest", "enableExecuteCommand", "false"},
    {"CreateServiceRequest", "healthCheckGracePeriodSeconds", "0", true},
    {"CreateServiceRequest", "platformVersion", "\"LATEST\""},
    {"CreateServiceRequest", "propagateTags", "\"NONE\""},
    {"CreateServiceRequest", "schedulingStrategy", "\"REPLICA\""},
    {"CreateServiceRequest", "serviceConnectConfiguration", "{\"enabled\":false}"},
    {"UpdateClusterRequest", "settings", "[{\"name\":\"containerInsights\",\"value\":\"disabled\"}]"},
    {"UpdateClusterRequest", "serviceConnectDefaults", "{\"namespace\":\"\"}"},
};

static bool is_default(const struct ecs_shape *shape, const char *member, const json_t *value,
                       enum fs_canon how)
{
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (strcmp(defaults[i].member, member) != 0 || strcmp(defaults[i].shape, shape->name) != 0)
            continue;
        if (how == FS_CANON_SHOW && !defaults[i].noise)
            return false;
        json_t *filled = json_loads(defaults[i].value, JSON_DECODE_ANY, NULL);
        bool equal = filled && json_equal(filled, value);
        json_decref(filled);
        return equal;
    }
    return false;
}

const char *fs_canon_default(const struct ecs_shape *shape, const char *member)
{
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (strcmp(defaults[i].member, member) == 0 && strcmp(defaults[i].shape, shape->name) == 0)
            return defaults[i].value;
    }
    return NULL;
}

static bool is_empty(const json_t *value)
{
    return (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* ---- sorting ---- */

struct item {
    json_t *value, *key;
    size_t at; /* equal keys keep their order: the last of two equal variables wins */
};

static int compare_keys(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return (json_integer_value(a) > json_integer_value(b)) -
               (json_integer_value(a) < json_integer_value(b));
    if (json_is_string(a) && json_is_string(b))
        return strcmp(json_string_value(a), json_string_value(b));
    return (int)json_is_string(a) + (int)json_is_integer(a) - (int)json_is_string(b) -
           (int)json_is_integer(b);
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int r = compare_keys(x->key, y->key);
    return r ? r : (x->at > y->at) - (x->at < y->at);
}

static int sort_by(json_t *list, const char *key)
{
    size_t len = json_array_size(list);
    if (len < 2)
        return 0;
    cleanup_free struct item *items = calloc(len, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < len; i++) {
        json_t *value = json_array_get(list, i);
        items[i] = (struct item){json_incref(value), key ? json_object_get(value, key) : value, i};
    }
    qsort(items, len, sizeof(*items), compare_items);
    json_array_clear(list);
    int r = 0;
    for (size_t i = 0; i < len; i++)
        r |= json_array_append_new(list, items[i].value);
    return r ? -ENOMEM : 0;
}

/* `member` NULL: look for the list's own shape. */
static int sort_set(const char *shape, const char *member, json_t *list)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        bool same = member ? sets[i].member && strcmp(sets[i].member, member) == 0 : !sets[i].member;
        if (same && strcmp(sets[i].shape, shape) == 0)
            return sort_by(list, sets[i].key);
    }
    return 0;
}

/* ---- walking ---- */

static json_t *canon_structure(const struct ecs_shape *shape, json_t *from, enum fs_canon how)
{
    json_t *to = json_object();
    const char *name;
    json_t *value;
    json_object_foreach(from, name, value)
    {
        const struct ecs_member *member = ecs_shape_member(shape, name);
        if (!member || json_is_null(value))
            continue;
        json_t *copy = fs_canon(member->shape, value, how);
        if (copy && json_is_array(copy) && sort_set(shape->name, name, copy) < 0)
            json_object_clear(copy);
        if (copy && (is_empty(copy) || is_default(shape, name, copy, how))) {
            json_decref(copy);
            continue;
        }
        if (json_object_set_new_nocheck(to, name, copy) < 0) {
            json_decref(to);
            return NULL;
        }
    }
    return to;
}

static json_t *canon_list(const struct ecs_shape *shape, json_t *from, enum fs_canon how)
{
    json_t *to = json_array();
    size_t i;
    json_t *value;
    json_array_foreach(from, i, value)
    {
        if (json_array_append_new(to, fs_canon(shape->value, value, how)) < 0) {
            json_decref(to);
            return NULL;
        }
    }
    if (to && sort_set(shape->name, NULL, to) < 0) {
        json_decref(to);
        return NULL;
    }
    return to;
}

/* Rules that no table of members can tell, of a whole structure once its members are done. */

/* "1 vCPU" and "0.5 GB" are kept by AWS as "1024" and "512". */
static void plain_units(json_t *object, const char *member, const char *unit, double per_unit)
{
    const char *text = json_string_value(json_object_get(object, member));
    char *rest;
    double value = text ? strtod(text, &rest) : 0;
    if (!text || rest == text)
        return;
    rest += strspn(rest, " ");
    char plain[32];
    if (strcasecmp(rest, unit) == 0 && value > 0 && value < 1e6 &&
        snprintf(plain, sizeof(plain), "%.0f", value * per_unit) > 0)
        json_object_set_new(object, member, json_string(plain));
}

/* Where a task has its own network address, the host's port is the container's. */
static void drop_host_ports(json_t *definition)
{
    const char *mode = json_string_value(json_object_get(definition, "networkMode"));
    if (!mode || (strcmp(mode, "awsvpc") != 0 && strcmp(mode, "host") != 0))
        return;
    size_t i, j;
    json_t *container, *mapping;
    json_array_foreach(json_object_get(definition, "containerDefinitions"), i, container)
    {
        json_array_foreach(json_object_get(container, "portMappings"), j, mapping)
        {
            json_t *host = json_object_get(mapping, "hostPort");
            if (host && json_equal(host, json_object_get(mapping, "containerPort")))
                json_object_del(mapping, "hostPort");
        }
    }
}

static void compare_task_definition(json_t *definition)
{
    drop_host_ports(definition);
    plain_units(definition, "cpu", "vCPU", 1024);
    plain_units(definition, "memory", "GB", 1024);
}

/* DescribeServices gives an ARN for what was written as "web:12". */
static void compare_service(json_t *service)
{
    const char *full = json_string_value(json_object_get(service, "taskDefinition"));
    if (full)
        json_object_set_new(service, "taskDefinition", json_string(fs_task_definition_short(full)));
}

static const struct {
    const char *shape;
    void (*compare)(json_t *object);
} rules[] = {
    {"RegisterTaskDefinitionRequest", compare_task_definition},
    {"CreateServiceRequest", compare_service},
    {"UpdateServiceRequest", compare_service},
};

static void apply_rules(const struct ecs_shape *shape, json_t *object)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].shape, shape->name) == 0)
            rules[i].compare(object);
    }
}

json_t *fs_canon(const struct ecs_shape *shape, const json_t *value, enum fs_canon how)
{
    json_t *from = (json_t *)value; /* jansson's iterators know no const */
    if (!from)
        return NULL;
    if (shape->type == ECS_SHAPE_LIST && json_is_array(from))
        return canon_list(shape, from, how);
    if (shape->type != ECS_SHAPE_STRUCTURE || !json_is_object(from))
        return json_deep_copy(from);
    json_t *to = canon_structure(shape, from, how);
    if (to && how == FS_CANON_COMPARE)
        apply_rules(shape, to);
    return to;
}

bool fs_canon_equal(const struct ecs_shape *shape, const json_t *a, const json_t *b)
{
    json_t *x = fs_canon(shape, a, FS_CANON_COMPARE), *y = fs_canon(shape, b, FS_CANON_COMPARE);
    bool equal = x && y ? json_equal(x, y) : !a && !b;
    json_decref(x);
    json_decref(y);
    return equal;
}

static json_t *alone(const char *member, const json_t *value)
{
    json_t *object = json_object();
    if (object && value && json_object_set_nocheck(object, member, (json_t *)value) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

bool fs_canon_member_equal(const struct ecs_shape *shape, const char *member, const json_t *a,
                           const json_t *b)
{
    json_t *x = alone(member, a), *y = alone(member, b);
    bool equal = x && y && fs_canon_equal(shape, x, y);
    json_decref(x);
    json_decref(y);
    return equal;
}

static int add_text(const char *data, size_t len, void *text)
{
    return ecs_buf_add(text, data, len);
}

int fs_canon_text(const json_t *value, struct ecs_buf *text)
{
    size_t flags = JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15);
    if (json_dump_callback(value, add_text, text, flags) < 0)
        return text->failed ? text->failed : -ENOMEM;
    return 0;
}

const char *fs_task_definition_short(const char *text)
{
    const char *slash = strrchr(text, '/');
    return slash ? slash + 1 : text;
}
