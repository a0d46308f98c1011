/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

const struct ecs_kind *const ecs_kinds[ECS_KINDS] = {
    [ECS_CLUSTER] = &ecs_kind_cluster,
    [ECS_SERVICE] = &ecs_kind_service,
    [ECS_TASK] = &ecs_kind_task,
    [ECS_CONTAINER_INSTANCE] = &ecs_kind_container_instance,
    [ECS_FAMILY] = &ecs_kind_family,
    [ECS_REVISION] = &ecs_kind_revision,
    [ECS_INACTIVE_REVISION] = &ecs_kind_inactive_revision,
    [ECS_SERVICE_DEPLOYMENT] = &ecs_kind_service_deployment,
    [ECS_SERVICE_REVISION] = &ecs_kind_service_revision,
    [ECS_TASK_SET] = &ecs_kind_task_set,
    [ECS_CAPACITY_PROVIDER] = &ecs_kind_capacity_provider,
    [ECS_ACCOUNT_SETTING] = &ecs_kind_account_setting,
    [ECS_TASK_PROTECTION] = &ecs_kind_task_protection,
    [ECS_IDENTITY] = &ecs_kind_identity,
    [ECS_REPOSITORY] = &ecs_kind_repository,
    [ECS_REPOSITORY_POLICY] = &ecs_kind_repository_policy,
    [ECS_LIFECYCLE_POLICY] = &ecs_kind_lifecycle_policy,
    [ECS_REPOSITORY_TAGS] = &ecs_kind_repository_tags,
    [ECS_IMAGE] = &ecs_kind_image,
    [ECS_MANIFEST] = &ecs_kind_manifest,
    [ECS_SCAN_FINDINGS] = &ecs_kind_scan_findings,
    [ECS_REGISTRY] = &ecs_kind_registry,
    [ECS_REGISTRY_POLICY] = &ecs_kind_registry_policy,
    [ECS_REGISTRY_SCANNING] = &ecs_kind_registry_scanning,
};
