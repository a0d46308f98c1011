/* SPDX-License-Identifier: Apache-2.0 */
/* What ECR Public's API does not give, its registry does over HTTP (public.ecr.aws): manifests and layers.
 * A token of GetAuthorizationToken opens it; it is asked for when it is first needed, and is kept in memory
 * for some hours. */
#ifndef FS_PUBLIC_REGISTRY_H
#define FS_PUBLIC_REGISTRY_H

#include "tree/node.h"

struct fs_public; /* of a tree: the token, manifests, downloads under way */
struct fs_public *fs_public_free(struct fs_public *open); /* takes NULL; returns NULL */

/* A manifest of the view's repository, whose digest was verified: added to `bytes`. 0, FS_PARKED, -errno. */
int fs_public_manifest(struct fs_view *view, const char *repository, const char *digest,
                       struct ecs_buf *bytes);
/* The path of a layer in the registry, malloc'd. 0, FS_PARKED, -errno. */
int fs_public_layer_path(struct fs_view *view, const char *repository, const char *digest, char **ret_path);
/* A copy of the token, for ecs_call.bearer: the caller frees it. 0, FS_PARKED, -errno. */
int fs_public_token(struct fs_view *view, char **ret_token);
/* It was refused. */
void fs_public_token_refused(struct fs_tree *tree);

#endif
