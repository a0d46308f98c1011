/* SPDX-License-Identifier: Apache-2.0 */
#include "repositories.h"

static const struct fs_repositories all[] = {
    {"ecr", ECS_REPOSITORY, ECS_IMAGE, ECS_LAYER, false},
    {"ecr-public", ECS_PUBLIC_REPOSITORY, ECS_PUBLIC_IMAGE, ECS_PUBLIC_LAYER, true},
};

const struct fs_repositories *fs_repositories_of(const struct fs_view *view)
{
    return &all[fs_view_id_of(view, ECS_PUBLIC_REPOSITORY) != NULL ? 1 : 0];
}

const char *fs_view_repository(const struct fs_view *view)
{
    return fs_view_id_of(view, fs_repositories_of(view)->repository);
}
