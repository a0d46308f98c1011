/* SPDX-License-Identifier: Apache-2.0 */
/* Repositories that a pull-through cache rule fills. To read an image there may import it from upstream, so
 * nobody who only walks by is shown a file that would read one. */
#include <errno.h>
#include <string.h>

#include "images.h"
#include "repositories.h"
#include "tree/rows.h"
#include "tree/tree_private.h"

enum { DENIED_MS = 60000 }; /* who may not list the rules is not asked again for that long */

/* "mirror" rules "mirror/nginx"; ROOT every repository. */
static bool rules(const char *prefix, const char *repository)
{
    size_t len = strlen(prefix);
    return strcmp(prefix, "ROOT") == 0 || (strncmp(repository, prefix, len) == 0 && repository[len] == '/');
}

/* Where the endpoint knows no such rules there are none; where we may not know them, there may be. */
static int without_list(struct fs_view *view, int r, bool *ret_is)
{
    struct fs_tree *tree = view->tree;
    if (r == FS_PARKED || r == -EINTR || r == -ENOMEM)
        return r;
    if (fs_unknown_operation(view, r))
        tree->no_pull_through = true;
    else
        tree->pull_through_denied_ms = fs_now_ms(tree) + DENIED_MS;
    *ret_is = !tree->no_pull_through;
    return 0;
}

int fs_is_pull_through(struct fs_view *view, bool *ret_is)
{
    struct ecs_key key = {ECS_PULL_THROUGH_RULE, "registry", ""};
    const char *repository = view_repository(view);
    const struct ecs_list *list;
    *ret_is = false;
    if (view->tree->no_pull_through || repository == NULL || fs_repositories_of(view)->is_public)
        return 0;
    if (fs_now_ms(view->tree) < view->tree->pull_through_denied_ms) {
        *ret_is = true;
        return 0;
    }
    int r = fs_view_list(view, &key, &list);
    if (r != 0)
        return without_list(view, r, ret_is);
    for (size_t i = 0; !*ret_is && i < ecs_list_len(list); i++)
        *ret_is = rules(ecs_list_at(list, i), repository);
    return 0;
}
