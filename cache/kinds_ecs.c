/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of Amazon ECS. Batch and page limits are those of the API reference; field names are
 * AWS's member names where the field is a plain member. */
#include "kinds.h"

static const struct ecs_field cluster_fields[] = {
    {"clusterArn", "clusterArn"},
    {"clusterName", "clusterName"},
    {"status", "status"},
    {"runningTasksCount", "runningTasksCount"},
    {"pendingTasksCount", "pendingTasksCount"},
    {"activeServicesCount", "activeServicesCount"},
    {"registeredContainerInstancesCount", "registeredContainerInstancesCount"},
    {0},
};

const struct ecs_kind ecs_kind_cluster = {
    .name = "cluster",
    .service = "ecs",
    .list = {.operation = "ListClusters",
             .member = "clusterArns",
             .page = 100,
             .ids = ECS_ID_NAME,
             .confirm = true},
    .describe = {.operation = "DescribeClusters",
                 .ids = "clusters",
                 .batch = 100,
                 .input = "{\"include\":[\"ATTACHMENTS\",\"CONFIGURATIONS\",\"SETTINGS\",\"STATISTICS\","
                          "\"TAGS\"]}",
                 .member = "clusters",
                 .id = "clusterName"},
    .gone = "INACTIVE",
    .fields = cluster_fields,
};

/* AWS names one deployment PRIMARY (what is asked for) and, while it rolls, one ACTIVE (what still
 * runs). events[0] is the newest of up to 100. */
static const struct ecs_field service_fields[] = {
    {"serviceArn", "serviceArn"},
    {"serviceName", "serviceName"},
    {"status", "status"},
    {"launchType", "launchType"},
    {"createdAt", "createdAt"},
    {"desiredCount", "desiredCount", .written = true},
    {"runningCount", "runningCount"},
    {"pendingCount", "pendingCount"},
    {"taskDefinition", "taskDefinition", .written = true},
    {"schedulingStrategy", "schedulingStrategy"},
    {"platformVersion", "platformVersion"},
    {"primaryDeploymentId", "deployments[status=PRIMARY].id"},
    {"rolloutState", "deployments[status=PRIMARY].rolloutState"},
    {"rolloutStateReason", "deployments[status=PRIMARY].rolloutStateReason"},
    {"primaryUpdatedAt", "deployments[status=PRIMARY].updatedAt"},
    {"activeTaskDefinition", "deployments[status=ACTIVE].taskDefinition"},
    {"activeRolloutState", "deployments[status=ACTIVE].rolloutState"},
    {"deploymentController", "deploymentController.type"},
    {"lastEvent", "events[0].message"},
    {"lastEventAt", "events[0].createdAt"},
    {"eventId", "events[0].id"},
    {0},
};

const struct ecs_kind ecs_kind_service = {
    .name = "service",
    .service = "ecs",
    .list = {.operation = "ListServices",
             .member = "serviceArns",
             .parents = {"cluster"},
             .page = 100,
             .ids = ECS_ID_NAME},
    .describe = {.operation = "DescribeServices",
                 .ids = "services",
                 .batch = 10,
                 .parents = {"cluster"},
                 .input = "{\"include\":[\"TAGS\"]}",
                 .member = "services",
                 .id = "serviceName"},
    .gone = "INACTIVE",
    .time = "createdAt",
    .fields = service_fields,
    .begins = true,
    .begun_kind = ECS_SERVICE_DEPLOYMENT,
};

/* ListTasks gives tasks whose desiredStatus is RUNNING unless STOPPED is asked for. */
static const char *const task_listings[] = {
    "{\"desiredStatus\":\"RUNNING\"}",
    "{\"desiredStatus\":\"STOPPED\"}",
    NULL,
};

static const struct ecs_field task_fields[] = {
    {"taskArn", "taskArn"},
    {"lastStatus", "lastStatus"},
    {"desiredStatus", "desiredStatus", .written = true},
    {"taskDefinitionArn", "taskDefinitionArn"},
    {"startedBy", "startedBy"},
    {"group", "group"},
    {"launchType", "launchType"},
    {"stoppedReason", "stoppedReason"},
    {"stopCode", "stopCode"},
    {"createdAt", "createdAt"},
    {"startedAt", "startedAt"},
    {"stoppedAt", "stoppedAt"},
    {"healthStatus", "healthStatus"},
    {"containerInstanceArn", "containerInstanceArn"},
    {"cpu", "cpu"},
    {"memory", "memory"},
    {0},
};

const struct ecs_kind ecs_kind_task = {
    .name = "task",
    .service = "ecs",
    .list = {.operation = "ListTasks",
             .member = "taskArns",
             .parents = {"cluster"},
             .inputs = task_listings,
             .page = 100,
             .ids = ECS_ID_NAME},
    .describe = {.operation = "DescribeTasks",
                 .ids = "tasks",
                 .batch = 100,
                 .parents = {"cluster"},
                 .input = "{\"include\":[\"TAGS\"]}",
                 .member = "tasks",
                 .id = "taskArn",
                 .id_form = ECS_ID_NAME},
    .time = "createdAt",
    .fields = task_fields,
    .kept_field = "lastStatus",
    .kept_value = "STOPPED",
};

static const struct ecs_field container_instance_fields[] = {
    {"containerInstanceArn", "containerInstanceArn"},
    {"ec2InstanceId", "ec2InstanceId"},
    {"status", "status", .written = true},
    {"statusReason", "statusReason"},
    {"agentConnected", "agentConnected"},
    {"runningTasksCount", "runningTasksCount"},
    {"pendingTasksCount", "pendingTasksCount"},
    {"registeredAt", "registeredAt"},
    {"capacityProviderName", "capacityProviderName"},
    {"registeredCpu", "registeredResources[name=CPU].integerValue"},
    {"registeredMemory", "registeredResources[name=MEMORY].integerValue"},
    {"remainingCpu", "remainingResources[name=CPU].integerValue"},
    {"remainingMemory", "remainingResources[name=MEMORY].integerValue"},
    {"agentVersion", "versionInfo.agentVersion"},
    {0},
};

const struct ecs_kind ecs_kind_container_instance = {
    .name = "container-instance",
    .service = "ecs",
    .list = {.operation = "ListContainerInstances",
             .member = "containerInstanceArns",
             .parents = {"cluster"},
             .page = 100,
             .ids = ECS_ID_NAME},
    .describe = {.operation = "DescribeContainerInstances",
                 .ids = "containerInstances",
                 .batch = 100,
                 .parents = {"cluster"},
                 .input = "{\"include\":[\"TAGS\",\"CONTAINER_INSTANCE_HEALTH\"]}",
                 .member = "containerInstances",
                 .id = "containerInstanceArn",
                 .id_form = ECS_ID_NAME},
    .gone = "INACTIVE",
    .time = "registeredAt",
    .fields = container_instance_fields,
};

static const struct ecs_field revision_fields[] = {
    {"taskDefinitionArn", "taskDefinitionArn"},
    {"family", "family"},
    {"revision", "revision"},
    {"status", "status"},
    {"registeredAt", "registeredAt"},
    {"registeredBy", "registeredBy"},
    {"cpu", "cpu"},
    {"memory", "memory"},
    {"networkMode", "networkMode"},
    {0},
};

/* Without a status filter the list names families that only have INACTIVE revisions. */
static const char *const active_listing[] = {"{\"status\":\"ACTIVE\"}", NULL};
static const char *const inactive_listing[] = {"{\"status\":\"INACTIVE\"}", NULL};

const struct ecs_kind ecs_kind_family = {
    .name = "family",
    .service = "ecs",
    .list = {.operation = "ListTaskDefinitionFamilies",
             .member = "families",
             .inputs = active_listing,
             .page = 100,
             .ids = ECS_ID_PLAIN},
    .describe = {.operation = "DescribeTaskDefinition",
                 .ids = "taskDefinition",
                 .single = true,
                 .input = "{\"include\":[\"TAGS\"]}",
                 .member = "taskDefinition",
                 .beside = "tags",
                 .id = "family"},
    .gone = "INACTIVE DELETE_IN_PROGRESS",
    .time = "registeredAt",
    .fields = revision_fields,
    .is_alias = true,
    .alias_kind = ECS_REVISION,
    .alias_parent = "family",
    .alias_id = "revision",
};

const struct ecs_kind ecs_kind_revision = {
    .name = "revision",
    .service = "ecs",
    .list = {.operation = "ListTaskDefinitions",
             .member = "taskDefinitionArns",
             .parents = {"familyPrefix"},
             .inputs = active_listing,
             .page = 100,
             .ids = ECS_ID_REVISION,
             .exact_parent = true},
    .describe = {.operation = "DescribeTaskDefinition",
                 .ids = "taskDefinition",
                 .single = true,
                 .format = "%1$s:%2$s",
                 .input = "{\"include\":[\"TAGS\"]}",
                 .member = "taskDefinition",
                 .beside = "tags",
                 .id = "revision"},
    .lifetime = ECS_FOREVER,
    .gone = "INACTIVE DELETE_IN_PROGRESS",
    .time = "registeredAt",
    .fields = revision_fields,
    .has_next = true,
    .next_kind = ECS_INACTIVE_REVISION,
};

const struct ecs_kind ecs_kind_inactive_revision = {
    .name = "inactive-revision",
    .service = "ecs",
    .list = {.operation = "ListTaskDefinitions",
             .member = "taskDefinitionArns",
             .parents = {"familyPrefix"},
             .inputs = inactive_listing,
             .page = 100,
             .ids = ECS_ID_REVISION,
             .exact_parent = true},
    .describe = {.operation = "DescribeTaskDefinition",
                 .ids = "taskDefinition",
                 .single = true,
                 .format = "%1$s:%2$s",
                 .input = "{\"include\":[\"TAGS\"]}",
                 .member = "taskDefinition",
                 .beside = "tags",
                 .id = "revision"},
    .lifetime = ECS_FOREVER,
    .gone = "ACTIVE",
    .time = "registeredAt",
    .fields = revision_fields,
};

static const struct ecs_field service_deployment_fields[] = {
    {"serviceDeploymentArn", "serviceDeploymentArn"},
    {"status", "status"},
    {"statusReason", "statusReason"},
    {"lifecycleStage", "lifecycleStage"},
    {"createdAt", "createdAt"},
    {"startedAt", "startedAt"},
    {"finishedAt", "finishedAt"},
    {"stoppedAt", "stoppedAt"},
    {"updatedAt", "updatedAt"},
    {"targetServiceRevision", "targetServiceRevision.arn"},
    {"requestedTaskCount", "targetServiceRevision.requestedTaskCount"},
    {"runningTaskCount", "targetServiceRevision.runningTaskCount"},
    {"pendingTaskCount", "targetServiceRevision.pendingTaskCount"},
    {"circuitBreakerStatus", "deploymentCircuitBreaker.status"},
    {"rollbackServiceRevision", "rollback.serviceRevisionArn"},
    {"rollbackReason", "rollback.reason"},
    {0},
};

const struct ecs_kind ecs_kind_service_deployment = {
    .name = "service-deployment",
    .service = "ecs",
    .list = {.operation = "ListServiceDeployments",
             .member = "serviceDeployments",
             .item = "serviceDeploymentArn",
             .parents = {"cluster", "service"},
             .page = 100,
             .ids = ECS_ID_NAME},
    .describe = {.operation = "DescribeServiceDeployments",
                 .ids = "serviceDeploymentArns",
                 .batch = 20,
                 .format = "%3$s:service-deployment/%1$s/%2$s",
                 .owner = ECS_SERVICE,
                 .owner_arn = "serviceArn",
                 .member = "serviceDeployments",
                 .id = "serviceDeploymentArn",
                 .id_form = ECS_ID_NAME},
    .time = "createdAt",
    .fields = service_deployment_fields,
};

static const struct ecs_field service_revision_fields[] = {
    {"serviceRevisionArn", "serviceRevisionArn"},
    {"serviceArn", "serviceArn"},
    {"taskDefinition", "taskDefinition"},
    {"launchType", "launchType"},
    {"platformVersion", "platformVersion"},
    {"createdAt", "createdAt"},
    {0},
};

const struct ecs_kind ecs_kind_service_revision = {
    .name = "service-revision",
    .service = "ecs",
    .describe = {.operation = "DescribeServiceRevisions",
                 .ids = "serviceRevisionArns",
                 .batch = 20,
                 .format = "%3$s:service-revision/%1$s/%2$s",
                 .owner = ECS_SERVICE,
                 .owner_arn = "serviceArn",
                 .member = "serviceRevisions",
                 .id = "serviceRevisionArn",
                 .id_form = ECS_ID_NAME},
    .lifetime = ECS_FOREVER,
    .time = "createdAt",
    .fields = service_revision_fields,
};

static const struct ecs_field task_set_fields[] = {
    {"id", "id"},
    {"taskSetArn", "taskSetArn"},
    {"status", "status", .written = true},
    {"taskDefinition", "taskDefinition"},
    {"scaleValue", "scale.value", .written = true},
    {"scaleUnit", "scale.unit"},
    {"computedDesiredCount", "computedDesiredCount"},
    {"runningCount", "runningCount"},
    {"pendingCount", "pendingCount"},
    {"stabilityStatus", "stabilityStatus"},
    {"externalId", "externalId"},
    {"createdAt", "createdAt"},
    {0},
};

/* DescribeTaskSets without ids describes all task sets of the service, and does not page. Their ids are
 * "ecs-svc/1234...". */
static const char *const with_tags[] = {"{\"include\":[\"TAGS\"]}", NULL};

const struct ecs_kind ecs_kind_task_set = {
    .name = "task-set",
    .service = "ecs",
    .list = {.operation = "DescribeTaskSets",
             .member = "taskSets",
             .item = "id",
             .parents = {"cluster", "service"},
             .inputs = with_tags,
             .ids = ECS_ID_NAME,
             .describes = true},
    .describe = {.id = "id"},
    .time = "createdAt",
    .fields = task_set_fields,
};

static const struct ecs_field capacity_provider_fields[] = {
    {"capacityProviderArn", "capacityProviderArn"},
    {"name", "name"},
    {"status", "status"},
    {"updateStatus", "updateStatus"},
    {"updateStatusReason", "updateStatusReason"},
    {"type", "type"},
    {0},
};

const struct ecs_kind ecs_kind_capacity_provider = {
    .name = "capacity-provider",
    .service = "ecs",
    .list = {.operation = "DescribeCapacityProviders",
             .member = "capacityProviders",
             .item = "name",
             .inputs = with_tags,
             .page = 10,
             .describes = true},
    .describe = {.id = "name"},
    .gone = "INACTIVE",
    .fields = capacity_provider_fields,
};

static const struct ecs_field account_setting_fields[] = {
    {"name", "name"},
    {"value", "value", .written = true},
    {"principalArn", "principalArn"},
    {"type", "type"},
    {0},
};

/* Without effectiveSettings only those appear that were ever set. */
static const char *const effective_settings[] = {"{\"effectiveSettings\":true}", NULL};

const struct ecs_kind ecs_kind_account_setting = {
    .name = "account-setting",
    .service = "ecs",
    .list = {.operation = "ListAccountSettings",
             .member = "settings",
             .item = "name",
             .inputs = effective_settings,
             .page = 10,
             .describes = true},
    .describe = {.id = "name"},
    .fields = account_setting_fields,
};

static const struct ecs_field task_protection_fields[] = {
    {"taskArn", "taskArn"},
    {"protectionEnabled", "protectionEnabled", .written = true},
    {"expirationDate", "expirationDate", .written = true},
    {0},
};

const struct ecs_kind ecs_kind_task_protection = {
    .name = "task-protection",
    .service = "ecs",
    .describe = {.operation = "GetTaskProtection",
                 .ids = "tasks",
                 .batch = 100,
                 .has_siblings = true,
                 .siblings = ECS_TASK,
                 .parents = {"cluster"},
                 .member = "protectedTasks",
                 .id = "taskArn",
                 .id_form = ECS_ID_NAME},
    .fields = task_protection_fields,
};
