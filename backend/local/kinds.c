/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stddef.h>

#include "ecr/registry.h"
#include "ecs/account_settings.h"
#include "ecs/capacity_providers.h"
#include "ecs/clusters.h"
#include "ecs/container_instances.h"
#include "ecs/services.h"
#include "ecs/task_definitions.h"
#include "ecs/tasks.h"
#include "logs/logs.h"
#include "tokens.h"

const struct record_kind *const record_kinds[] = {
    &settings_kind,  &provider_kind,   &cluster_kind,   &family_kind,   &task_definition_kind, &instance_kind,
    &service_kind,   &task_kind,       &token_kind,     &registry_kind, &repository_kind,      &image_kind,
    &log_group_kind, &log_stream_kind, &log_lines_kind, NULL,
};

void region_free_all(struct region *region)
{
    tokens_free_all(region);
    clusters_free_all(region); /* with their tasks, services and instances */
    task_definitions_free_all(region);
    capacity_providers_free_all(region);
    account_settings_free_all(region);
    logs_free_all(region);
    registry_free_all(region);
}
