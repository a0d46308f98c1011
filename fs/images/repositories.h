/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/ is ECR's, public-repositories/ is ECR Public's: one tree, told by the operations of two
 * services. */
#ifndef FS_REPOSITORIES_H
#define FS_REPOSITORIES_H

#include "tree/node.h"

struct fs_repositories {
    const char *service;
    enum ecs_kind_id repository, image, layer;
    bool is_public; /* its API gives no manifests and no layers: the registry does (public_registry.h) */
};

/* Those in which the view lies; of a view outside them, ECR's. Never NULL. */
const struct fs_repositories *fs_repositories_of(const struct fs_view *view);

#endif
