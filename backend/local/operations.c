/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "request.h"

static const struct operation *const tables[] = {
    services_operations,
    tasks_operations,
    task_definitions_operations,
    clusters_operations,
    container_instances_operations,
    attributes_operations,
    capacity_providers_operations,
    service_deployments_operations,
    task_protection_operations,
    tags_operations,
    account_settings_operations,
    sts_operations,
    logs_operations,
    ecr_images_operations,
    repositories_operations,
    ecr_policies_operations,
    ecr_rules_operations,
    ecr_public_operations,
    ecr_registry_operations,
    task_sets_operations,
};

bool operation_matches(const char *pattern)
{
    char name[128];
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct operation *row = tables[i]; row->name; row++) {
            snprintf(name, sizeof(name), "%s.%s", row->service, row->name);
            if (fnmatch(pattern, name, 0) == 0)
                return true;
        }
    return false;
}

const struct operation *operation_find(const char *service, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct operation *row = tables[i]; row->name; row++)
            if (strcmp(row->name, name) == 0 && strcmp(row->service, service) == 0)
                return row;
    return NULL;
}
