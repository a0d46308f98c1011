/* SPDX-License-Identifier: Apache-2.0 */
#include "deployments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tree/rows.h"
#include "tree/tree_private.h"

const char *fs_service_parent(const struct fs_view *view, struct fs_service_parent *parent)
{
    snprintf(parent->text, sizeof(parent->text), "%s/%s", view_cluster(view), view_service(view));
    return parent->text;
}

/* 0 with *ret_known false when the endpoint does not know the operation, which it is not asked for again: the
 * view is then as fresh as it was before the question. */
static int settle(struct fs_view *view, int r, int64_t valid_ms, bool *ret_known)
{
    *ret_known = true;
    if (r >= 0 || !fs_unknown_operation(view, r))
        return r;
    view->tree->no_deployments = true;
    view->rq->want.error = NULL;
    view->valid_ms = valid_ms;
    *ret_known = false;
    return 0;
}

int fs_deployments_list(struct fs_view *view, bool all, const struct ecs_list **ret_list)
{
    struct fs_service_parent parent;
    struct ecs_key key = {ECS_SERVICE_DEPLOYMENT, fs_service_parent(view, &parent), ""};
    const struct ecs_list *list = NULL;
    bool known;
    *ret_list = NULL;
    if (view->tree->no_deployments)
        return 0;
    int64_t valid_ms = view->valid_ms;
    int r = all ? fs_view_all(view, &key, &list) : fs_view_list(view, &key, &list);
    r = settle(view, r, valid_ms, &known);
    if (r == 0 && known)
        *ret_list = list;
    return r;
}

int fs_deployment_newest(struct fs_view *view, struct ecs_doc **ret_doc)
{
    struct fs_service_parent parent;
    const struct ecs_list *list;
    *ret_doc = NULL;
    int r = fs_deployments_list(view, false, &list);
    if (r != 0 || list == NULL || ecs_list_len(list) == 0)
        return r;
    struct ecs_key key = {ECS_SERVICE_DEPLOYMENT, fs_service_parent(view, &parent), ecs_list_at(list, 0)};
    r = fs_view_doc_of(view, &key, ret_doc);
    return r == -ENOENT ? 0 : r;
}

static const char *last_part(const char *arn)
{
    const char *slash = strrchr(arn, '/');
    return slash != NULL ? slash + 1 : arn;
}

/* A walk asks for one after another: those of the deployments that are known come along in the same call. */
static void ask_others(struct fs_view *view, const char *parent)
{
    struct ecs_key list_key = {ECS_SERVICE_DEPLOYMENT, parent, ""};
    const struct ecs_list *list = ecs_cache_peek_list(view->tree->cache, &list_key, NULL);
    size_t len = list != NULL ? ecs_list_len(list) : 0;
    for (size_t i = 0, asked = 1; i < len && asked < FS_DEPLOYMENTS_BATCH; i++) {
        struct ecs_key key = {ECS_SERVICE_DEPLOYMENT, parent, ecs_list_at(list, i)};
        const struct ecs_doc *doc = ecs_cache_peek(view->tree->cache, &key, NULL);
        const char *target = doc != NULL ? ecs_doc_field(doc, "targetServiceRevision") : NULL;
        struct ecs_doc *ignored;
        if (target == NULL)
            continue;
        struct ecs_key revision = {ECS_SERVICE_REVISION, parent, last_part(target)};
        if (ecs_cache_peek(view->tree->cache, &revision, NULL) == NULL) {
            ecs_cache_doc(view->tree->cache, &view->rq->want, &revision, &ignored);
            asked++;
        }
    }
}

int fs_deployment_revision(struct fs_view *view, const char *arn, struct ecs_doc **ret_doc)
{
    struct fs_service_parent parent;
    struct ecs_key key = {ECS_SERVICE_REVISION, fs_service_parent(view, &parent), last_part(arn)};
    bool known;
    if (view->tree->no_deployments)
        return -ENOENT;
    int64_t valid_ms = view->valid_ms;
    int r = settle(view, fs_view_doc_of(view, &key, ret_doc), valid_ms, &known);
    if (!known)
        return -ENOENT;
    if (r == FS_PARKED && !view->rq->peek)
        ask_others(view, key.parent);
    return r;
}
