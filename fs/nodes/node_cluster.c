/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/
 *
 *     $ cat clusters/prod/running-tasks
 *     112
 */
#include "changes/change.h"
#include "changes/stream.h"
#include "documents/document.h"
#include "tree/nodes.h"
#include "tree/show.h"

static const struct fs_node cluster_rows[] = {
    {"overview", FS_FILE_R, FS_UNSIZED, .show = fs_show_cluster_overview,
     .watches = FS_WATCH(ECS_SERVICE) | FS_WATCH(ECS_CLUSTER), .help = "its services at a glance"},
    {"cluster.json", FS_FILE_RW, FS_OF_DOC, .show = fs_document_show, .document = &fs_cluster_document,
     .help = "settings, configuration, Service Connect defaults; save to change them"},
    {"capacity-providers.json", FS_FILE_RW, FS_OF_DOC, .show = fs_document_show,
     .document = &fs_capacity_providers_document, .help = "capacity providers and default strategy"},
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "clusterArn"},
    {"status", FS_FILE_R, .field = "status", .help = "ACTIVE, PROVISIONING, ..."},
    {"running-tasks", FS_FILE_R, .field = "runningTasksCount"},
    {"pending-tasks", FS_FILE_R, .field = "pendingTasksCount"},
    {"active-services", FS_FILE_R, .field = "activeServicesCount"},
    {"container-instances-count", FS_FILE_R, .field = "registeredContainerInstancesCount"},
    {"tags", FS_DIR, .children = fs_tag_nodes, .help = "AWS resource tags"},
    {"services", FS_DIR, .children = fs_service_nodes},
    {"tasks", FS_DIR, .children = fs_task_nodes, .help = "running, and stopped within the last hour or so"},
    {"container-instances", FS_DIR, .children = fs_container_instance_nodes},
    {0},
};

const struct fs_node fs_cluster_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_CLUSTER), .accept = fs_accept_name, .children = cluster_rows,
     .change = &fs_cluster_change},
    {"create", FS_FILE_RW, FS_UNLISTED, .stream = &fs_create_cluster_stream,
     .help = "write a CreateCluster document, read the name back"},
    {0},
};
