/* SPDX-License-Identifier: Apache-2.0 */
/* The one thing of the tree that listings need. */
#include <stdlib.h>

#include "tree/tree.h"

struct fs_dir *fs_dir_free(struct fs_dir *dir)
{
    free(dir->entries);
    free(dir->names);
    free(dir);
    return NULL;
}
