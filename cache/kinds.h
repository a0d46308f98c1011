/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, one file a service. */
#ifndef CACHE_KINDS_H
#define CACHE_KINDS_H

#include "ecsfs/kind.h"

extern const struct ecs_kind ecs_kind_cluster, ecs_kind_service, ecs_kind_task, ecs_kind_container_instance,
    ecs_kind_family, ecs_kind_revision, ecs_kind_inactive_revision, ecs_kind_service_deployment,
    ecs_kind_service_revision, ecs_kind_task_set, ecs_kind_capacity_provider, ecs_kind_account_setting,
    ecs_kind_task_protection, ecs_kind_identity;
extern const struct ecs_kind ecs_kind_repository, ecs_kind_repository_policy, ecs_kind_lifecycle_policy,
    ecs_kind_repository_tags, ecs_kind_image, ecs_kind_manifest, ecs_kind_layer, ecs_kind_scan_findings,
    ecs_kind_registry, ecs_kind_registry_policy, ecs_kind_registry_scanning, ecs_kind_pull_through_rule,
    ecs_kind_creation_template, ecs_kind_repository_scanning, ecs_kind_image_replication,
    ecs_kind_image_signing, ecs_kind_registry_signing, ecs_kind_registry_setting,
    ecs_kind_pull_time_exclusion;
extern const struct ecs_kind ecs_kind_public_repository, ecs_kind_public_catalog, ecs_kind_public_policy,
    ecs_kind_public_tags, ecs_kind_public_image, ecs_kind_public_layer, ecs_kind_public_registry,
    ecs_kind_public_registry_catalog;

#endif
