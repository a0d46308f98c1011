/* SPDX-License-Identifier: Apache-2.0 */
/* Service deployments and service revisions: what was deployed, when, and how it ended. Not every endpoint
 * that speaks ECS knows them (they are of 2024): there they are absent, which is not an error. */
#ifndef FS_DEPLOYMENTS_H
#define FS_DEPLOYMENTS_H

#include "tree/node.h"

/* One DescribeServiceDeployments, one DescribeServiceRevisions. */
enum { FS_DEPLOYMENTS_BATCH = 20 };

/* "cluster/service", of the view's service: the parent of its deployments' and revisions' keys. */
struct fs_service_parent {
    char text[520];
};
const char *fs_service_parent(const struct fs_view *view, struct fs_service_parent *parent);

/* The service's deployments, newest first; *ret_list NULL where the endpoint does not know them. With `all`,
 * every one's document is asked for too. 0, FS_PARKED, -errno. */
int fs_deployments_list(struct fs_view *view, bool all, const struct ecs_list **ret_list);
/* The newest deployment's document; NULL: there is none, or the endpoint does not know them. */
int fs_deployment_newest(struct fs_view *view, struct ecs_doc **ret_doc);
/* The document of the service revision of that ARN; those of other deployments that are known are asked for
 * in the same call. -ENOENT where the endpoint does not know them. */
int fs_deployment_revision(struct fs_view *view, const char *arn, struct ecs_doc **ret_doc);

/* previous.c: a fs_node.show. */
int fs_show_previous(struct fs_view *view, struct ecs_buf *text);

/* stable.c: `service` is the service's directory. It is kept from now on, to remember what is asked for.
 * False: out of memory. */
bool fs_stable_watch(struct fs_inode *service);
/* What this mount's last write to the service brought about. */
void fs_stable_asked(struct fs_inode *service, const struct ecs_doc *doc);

#endif
