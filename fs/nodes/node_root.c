/* SPDX-License-Identifier: Apache-2.0 */
/* The root, and with it the registry: a new resource type is a line here and a node_*.c.
 *
 *     $ ls /mnt/ecs
 *     README  account  clusters  overview  public-repositories  registry  repositories  task-definitions
 */
#include "tree/nodes.h"

static const struct fs_node root_rows[] = {
    {"README", FS_FILE_R, .show = fs_show_readme, .help = "this text"},
    {"overview", FS_FILE_R, FS_UNSIZED, .show = fs_show_account_overview, .watches = FS_WATCH(ECS_CLUSTER),
     .help = "the clusters at a glance"},
    {"clusters", FS_DIR, .children = fs_cluster_nodes, .help = "what runs"},
    {"task-definitions", FS_DIR, .children = fs_task_definition_nodes, .help = "what can be run"},
    {"repositories", FS_DIR, .children = fs_repository_nodes, .help = "images"},
    {"public-repositories", FS_DIR, FS_MAYBE, .present = fs_public_present,
     .children = fs_public_repository_nodes, .help = "ECR Public's, in no region"},
    {"registry", FS_DIR, .of = FS_OF(ECS_REGISTRY), .children = fs_registry_nodes,
     .help = "what the repositories share, and logins for container tools"},
    {"account", FS_DIR, .children = fs_account_nodes, .help = "who asks"},
    {".ecsfs", FS_DIR, .children = fs_daemon_nodes, .help = "this daemon itself"},
    {0},
};

const struct fs_node fs_root_node = {"", FS_DIR, .children = root_rows};
