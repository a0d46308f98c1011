/* SPDX-License-Identifier: Apache-2.0 */
/* task-definitions/<family>/
 *
 *     $ diff task-definitions/web/12.json task-definitions/web/13.json
 *     $ vi task-definitions/web/latest.json     # saving it registers web:14
 */
#include <errno.h>
#include <string.h>

#include "changes/change.h"
#include "documents/document.h"
#include "tree/nodes.h"
#include "tree/show.h"

/* What a person wrote, as RegisterTaskDefinition takes it. */
static int show_revision(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    return r != 0 ? r : fs_document_text(&fs_task_definition_document, doc, text);
}

/* ---- used-by/<cluster>:<service>: every service of every cluster is looked at ---- */

static bool runs_family(const struct ecs_doc *service, const char *family)
{
    const char *arn = ecs_doc_field(service, "taskDefinition");
    const char *slash = arn != NULL ? strrchr(arn, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : arn;
    size_t len = strlen(family);
    return name != NULL && strncmp(name, family, len) == 0 && (name[len] == ':' || name[len] == '\0');
}

static int list_users_in(struct fs_view *directory, const char *cluster, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key = {ECS_SERVICE, cluster, ""};
    const struct ecs_list *list;
    int r = fs_view_all(directory, &key, &list);
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        struct ecs_key service = {ECS_SERVICE, cluster, ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(directory, &service);
        cleanup_buf struct ecs_buf id = ECS_BUF(600);
        if (doc == NULL || !runs_family(doc, view_family(directory)))
            continue;
        r = ecs_buf_addf(&id, "%s:%s", cluster, service.id);
        if (r == 0)
            r = emit(arg, id.data);
    }
    return r;
}

/* All clusters are asked before the first is waited for. */
static int list_users(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key = {ECS_CLUSTER, "", ""};
    const struct ecs_list *clusters;
    int r = fs_view_list(directory, &key, &clusters);
    for (size_t i = 0; r == 0 && i < ecs_list_len(clusters); i++)
        r = list_users_in(directory, ecs_list_at(clusters, i), emit, arg);
    return r;
}

static int has_user(struct fs_view *child)
{
    const char *colon = strchr(child->id, ':');
    char cluster[256];
    if (colon == NULL || colon == child->id || colon[1] == '\0' || colon - child->id >= (long)sizeof(cluster))
        return -ENOENT;
    memcpy(cluster, child->id, (size_t)(colon - child->id));
    cluster[colon - child->id] = '\0';
    if (!fs_accept_name(cluster) || !fs_accept_name(colon + 1))
        return -ENOENT;
    struct ecs_key key = {ECS_SERVICE, cluster, colon + 1};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(child, &key, &doc);
    return r != 0 ? r : runs_family(doc, view_family(child)) ? 0 : -ENOENT;
}

static int user_link(struct fs_view *view, struct ecs_buf *target)
{
    const char *colon = strchr(view->id, ':');
    if (colon == NULL)
        return -ENOENT;
    return ecs_buf_addf(target, "../../../clusters/%.*s/services/%s", (int)(colon - view->id), view->id,
                        colon + 1);
}

static const struct fs_entries users = {.list = list_users, .has = has_user};

static const struct fs_node user_rows[] = {
    {NULL, FS_LINK, .entries = &users, .target = user_link, .called = "<cluster>:<service>"},
    {0},
};

/* ---- families without an ACTIVE revision: not listed, but there by name for what is left of them ---- */

static int has_inactive(struct fs_view *view)
{
    struct ecs_key key = {ECS_INACTIVE_REVISION, view_family(view), ""};
    const struct ecs_list *list;
    int r = fs_view_list(view, &key, &list);
    return r != 0 ? r : ecs_list_len(list) > 0 ? 0 : -ENOENT;
}

/* What only a family with an ACTIVE revision has. */
static int is_active(struct fs_view *view)
{
    struct ecs_key key = {ECS_FAMILY, "", view_family(view)};
    struct ecs_doc *doc;
    return fs_view_doc_of(view, &key, &doc);
}

static const struct fs_node describe_rows[] = {
    {NULL, FS_FILE_R, FS_OF_DOC, .of = FS_OF(ECS_REVISION), .suffix = ".json", .accept = fs_accept_revision,
     .show = fs_show_document, .help = "all that AWS says of it"},
    {0},
};

static const struct fs_node inactive_rows[] = {
    {NULL, FS_FILE_R, FS_OF_DOC, .of = FS_OF(ECS_INACTIVE_REVISION), .suffix = ".json",
     .accept = fs_accept_revision, .show = show_revision, .change = &fs_inactive_revision_change,
     .help = "a deregistered revision"},
    {0},
};

static const struct fs_node family_rows[] = {
    {"latest.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_FAMILY), .present = is_active,
     .show = fs_document_show, .document = &fs_task_definition_document,
     .help = "the newest ACTIVE revision; saving it registers the next"},
    {NULL, FS_FILE_R, FS_OF_DOC, .of = FS_OF(ECS_REVISION), .suffix = ".json", .accept = fs_accept_revision,
     .show = show_revision, .change = &fs_revision_change,
     .help = "the document as RegisterTaskDefinition takes it"},
    {"describe", FS_DIR, .children = describe_rows},
    {"inactive", FS_DIR, FS_UNLISTED, .children = inactive_rows, .help = "deregistered revisions"},
    {"used-by", FS_DIR, FS_WATCH_LISTS, .children = user_rows, .watches = FS_WATCH(ECS_SERVICE),
     .help = "the services that run this family now"},
    {"tags", FS_DIR, FS_MAYBE, .of = FS_OF(ECS_FAMILY), .present = is_active, .children = fs_tag_nodes,
     .help = "those of its newest ACTIVE revision"},
    {0},
};

const struct fs_node fs_task_definition_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_FAMILY), .accept = fs_accept_name, .present = has_inactive,
     .children = family_rows, .change = &fs_family_change},
    {0},
};
