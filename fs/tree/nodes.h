/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that make up the tree, one node_*.c each; node_root.c hangs them up. */
#ifndef FS_NODES_H
#define FS_NODES_H

#include "node.h"

extern const struct fs_node fs_cluster_nodes[];            /* clusters/ */
extern const struct fs_node fs_service_nodes[];            /* clusters/<cluster>/services/ */
extern const struct fs_node fs_deployment_nodes[];         /* .../services/<service>/deployments/ */
extern const struct fs_node fs_service_revision_nodes[];   /* .../services/<service>/revisions/ */
extern const struct fs_node fs_task_set_nodes[];           /* .../services/<service>/task-sets/ */
extern const struct fs_node fs_task_nodes[];               /* clusters/<cluster>/tasks/ */
extern const struct fs_node fs_container_nodes[];          /* .../tasks/<task>/containers/ */
extern const struct fs_node fs_container_instance_nodes[]; /* clusters/<cluster>/container-instances/ */
extern const struct fs_node fs_task_definition_nodes[];    /* task-definitions/ */
extern const struct fs_node fs_account_nodes[];            /* account/ */
extern const struct fs_node fs_daemon_nodes[];             /* .ecsfs/ */
extern const struct fs_node fs_tag_nodes[];                /* tags/ of anything (the write path's) */
extern const struct fs_node fs_repository_nodes[];         /* repositories/ */
extern const struct fs_node fs_repository_rows[];          /* repositories/<repository>/ */
extern const struct fs_node fs_image_nodes[];              /* repositories/<repository>/images/ */
extern const struct fs_node fs_image_tag_nodes[];          /* repositories/<repository>/image-tags/ */
extern const struct fs_node fs_repository_tag_nodes[];     /* repositories/<repository>/tags/ */
extern const struct fs_node fs_oci_nodes[];                /* repositories/<repository>/oci/ */
extern const struct fs_node fs_public_repository_nodes[];  /* public-repositories/ */
extern const struct fs_node fs_public_registry_nodes[];    /* registry/public/ */
extern const struct fs_node fs_registry_nodes[];           /* registry/ */
extern const struct fs_node fs_rejected_nodes[];           /* .ecsfs/rejected/ */

/* accept.c, and beside what has them: could AWS have a resource of that name? Spares a call for ".git",
 * "*.swp" and the like. */
bool fs_accept_name(const char *id);       /* cluster, service, family: letters, digits, - and _ */
bool fs_accept_id(const char *id);         /* task, container instance: hex digits, also with dashes */
bool fs_accept_repository(const char *id); /* also a part of its name */
bool fs_accept_digest(const char *id);     /* sha256: and 64 hex digits */
bool fs_accept_revision(const char *id);   /* 1, 2, ... without leading zeros */

/* Overviews (overview.c). */
int fs_show_account_overview(struct fs_view *view, struct ecs_buf *text);
int fs_show_cluster_overview(struct fs_view *view, struct ecs_buf *text);
/* README, from the table itself (readme.c). */
int fs_show_readme(struct fs_view *view, struct ecs_buf *text);
/* Are services/<service>/deployments/ and task-sets/ there? */
int fs_deployments_present(struct fs_view *view);
int fs_task_sets_present(struct fs_view *view);
/* services/<service>/events and stable (events.c, stable.c). */
int fs_show_events(struct fs_view *view, struct ecs_buf *text);
int fs_show_stable(struct fs_view *view, struct ecs_buf *text);

/* repositories/<repository>/lifecycle-preview.json (lifecycle_preview.c). */
int fs_show_lifecycle_preview(struct fs_view *view, struct ecs_buf *text);
/* .../images/<digest>/scan.json (scan_findings.c). */
int fs_show_scan_findings(struct fs_view *view, struct ecs_buf *text);

/* Is there an ECR Public where we are (public_registry.c)? */
int fs_public_present(struct fs_view *view);

/* refresh (refresh.c): a fs_node.store. */
int fs_store_refresh(struct fs_view *view, const char *text, struct ecs_action **ret_action);

/* Links to a cluster's tasks (task_links.c): those of the view's service, or on its container instance.
 * Links lie three levels below the cluster: "../../../tasks/<id>". */
extern const struct fs_entries fs_tasks_of_service, fs_tasks_of_instance;
int fs_task_link(struct fs_view *view, struct ecs_buf *target);

#endif
