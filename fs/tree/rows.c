/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "tree_private.h"

bool fs_row_taken(const void *directory, const char *name)
{
    const struct fs_node *node = directory;
    for (const struct fs_node *row = node->children; row != NULL && !fs_row_ends(row); row++)
        if (row->name != NULL && strcmp(row->name, name) == 0)
            return true;
    return false;
}

static bool nests(const struct fs_node *row)
{
    return (row->flags & FS_NESTS) != 0;
}

char *fs_row_name(const struct fs_node *directory, const struct fs_node *row, const char *id)
{
    const char *slash = nests(row) ? strrchr(id, '/') : NULL;
    if (slash != NULL)
        id = slash + 1;
    return fs_name_encode(id, row->suffix, fs_row_taken, directory);
}

static int decode(const struct fs_node *directory, const struct fs_node *row, const char *name, char **ret_id)
{
    int r = fs_name_decode(name, row->suffix, fs_row_taken, directory, ret_id);
    if (r == 0 && row->accept != NULL && !row->accept(*ret_id)) {
        free(*ret_id);
        *ret_id = NULL;
        return -ENOENT;
    }
    return r;
}

/* The id of a name in a directory of the same nest: with the parts above it. */
static int join_nest(const struct fs_inode *parent, const struct fs_node *row, char **id)
{
    if (!nests(row) || !nests(parent->node) || parent->id == NULL)
        return 0;
    char *joined = malloc(strlen(parent->id) + strlen(*id) + 2);
    if (joined != NULL)
        sprintf(joined, "%s/%s", parent->id, *id);
    free(*id);
    *id = joined;
    return joined != NULL ? 0 : -ENOMEM;
}

int fs_row_find(struct fs_tree *tree, struct fs_inode *parent, const char *name,
                const struct fs_node **ret_node, char **ret_id)
{
    *ret_id = NULL;
    const struct fs_node *rows = parent->node->children;
    for (const struct fs_node *row = rows; row != NULL && !fs_row_ends(row); row++)
        if (row->name != NULL && strcmp(row->name, name) == 0) {
            *ret_node = row;
            return 0;
        }
    for (const struct fs_node *row = rows; row != NULL && !fs_row_ends(row); row++) {
        if (row->name != NULL)
            continue;
        int r = decode(parent->node, row, name, ret_id);
        *ret_node = row;
        if (r == 0)
            r = join_nest(parent, row, ret_id);
        if (r != -ENOENT)
            return r;
    }
    return -ENOENT;
}

void fs_row_list_key(struct fs_view *directory, const struct fs_node *row, struct ecs_key *ret_key)
{
    struct fs_view child;
    fs_view_child(&child, directory->tree, directory->rq, directory->inode, row, "", "");
    memcpy(directory->parent_text, child.parent_text, sizeof(directory->parent_text));
    *ret_key = (struct ecs_key){child.key.kind, directory->parent_text, ""};
}

bool fs_row_conditional(const struct fs_node *row)
{
    return (row->field != NULL && row->show == NULL) || (row->flags & FS_MAYBE) != 0;
}

/* AWS says "UnknownOperationException". Others (moto) break down: a 500 that bears neither AWS's code nor its
 * request id is not AWS's. */
bool fs_unknown_operation(const struct fs_view *view, int r)
{
    const struct ecs_error *error = view->rq->want.error;
    if (r == -EOPNOTSUPP)
        return true;
    return r == -EIO && error != NULL && (error->http_status == 500 || error->http_status == 501) &&
           strncmp(error->code, "HTTP", 4) == 0 && error->request_id[0] == '\0';
}

static int list_kind(struct fs_view *directory, const struct fs_node *row, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key;
    fs_row_list_key(directory, row, &key);
    const struct ecs_list *list;
    int r = fs_view_list(directory, &key, &list);
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        struct ecs_key child = {key.kind, key.parent, ecs_list_at(list, i)};
        if (!ecs_cache_known_absent(directory->tree->cache, &child, NULL))
            r = emit(arg, child.id);
    }
    return (row->flags & FS_MAYBE) != 0 && r < 0 && fs_unknown_operation(directory, r) ? 0 : r;
}

/* ---- rows that nest ---- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ids' next parts below the directory, each once and with all before it. */
static int emit_parts(const struct ecs_list *list, const char *above, fs_emit_fn *emit, void *arg)
{
    size_t n = 0, len = above != NULL ? strlen(above) + 1 : 0;
    char **ids = calloc(ecs_list_len(list) + 1, sizeof(*ids));
    int r = ids != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        const char *id = ecs_list_at(list, i);
        if (len > 0 && (strncmp(id, above, len - 1) != 0 || id[len - 1] != '/'))
            continue;
        ids[n] = strndup(id, len + strcspn(id + len, "/"));
        r = ids[n++] != NULL ? 0 : -ENOMEM;
    }
    if (r == 0)
        qsort(ids, n, sizeof(*ids), compare_ids);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (i == 0 || strcmp(ids[i], ids[i - 1]) != 0)
            r = emit(arg, ids[i]);
    for (size_t i = 0; i < n; i++)
        free(ids[i]);
    free(ids);
    return r;
}

static int list_nest(struct fs_view *directory, const struct fs_node *row, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key;
    fs_row_list_key(directory, row, &key);
    const struct ecs_list *list;
    int r = fs_view_list(directory, &key, &list);
    if (r == 0)
        return emit_parts(list, nests(directory->node) ? directory->id : NULL, emit, arg);
    return (row->flags & FS_MAYBE) != 0 && r < 0 && fs_unknown_operation(directory, r) ? 0 : r;
}

/* A resource, or a part that leads to one. */
static int nested_present(struct fs_view *view)
{
    struct ecs_key key = {view->key.kind, view->key.parent, ""};
    const struct ecs_list *list;
    size_t len = strlen(view->key.id);
    int r = fs_view_list(view, &key, &list);
    if (r != 0 || ecs_list_has(list, view->key.id))
        return r;
    for (size_t i = 0; i < ecs_list_len(list); i++)
        if (strncmp(ecs_list_at(list, i), view->key.id, len) == 0 && ecs_list_at(list, i)[len] == '/')
            return 0;
    return -ENOENT;
}

int fs_row_nest_present(struct fs_view *directory)
{
    struct ecs_doc *doc;
    return fs_view_doc(directory, &doc);
}

/* The files of a part that is no resource are not there. */
static int holder_present(struct fs_view *child)
{
    const struct fs_inode *holder = child->parent;
    struct ecs_doc *doc;
    if (child->id != NULL || holder == NULL || !nests(holder->node) || !holder->has_key)
        return 0;
    return fs_view_doc_of(child, &holder->more->key, &doc);
}

int fs_row_list(struct fs_view *directory, const struct fs_node *row, fs_emit_fn *emit, void *arg)
{
    if (row->entries != NULL)
        return row->entries->list(directory, emit, arg);
    return nests(row) ? list_nest(directory, row, emit, arg) : list_kind(directory, row, emit, arg);
}

/* A resource is there when its document is; but what costs a call each is believed to be there while a
 * fresh list says so, and of what never changes the list knows best whether it still is. */
static int resource_present(struct fs_view *view)
{
    const struct ecs_kind *kind = ecs_kinds[view->key.kind];
    struct ecs_cache *cache = view->tree->cache;
    if (cache != NULL && (kind->describe.single || kind->lifetime == ECS_FOREVER)) {
        struct ecs_key list_key = {view->key.kind, view->key.parent, ""};
        int64_t fresh_ms = 0;
        const struct ecs_list *list = ecs_cache_peek_list(cache, &list_key, &fresh_ms);
        if (list != NULL && fresh_ms > 0 &&
            (ecs_list_has(list, view->key.id) || kind->lifetime == ECS_FOREVER)) {
            view->valid_ms = fresh_ms < view->valid_ms ? fresh_ms : view->valid_ms;
            return ecs_list_has(list, view->key.id) ? 0 : -ENOENT;
        }
    }
    struct ecs_doc *doc;
    return fs_view_doc(view, &doc);
}

static int rendered_present(struct fs_view *view)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    return fs_render(view, &text);
}

static int present(struct fs_view *view)
{
    const struct fs_node *row = view->node;
    if (view->parent != NULL && view->parent->local != NULL && fs_overlay_is_draft(view->parent))
        return row->store != NULL || row->document != NULL ? 0 : -ENOENT;
    if (view->id != NULL && row->entries != NULL)
        return row->entries->has(view);
    if (view->id != NULL && nests(row))
        return nested_present(view);
    if (view->id != NULL && row->of != 0) {
        int found = resource_present(view);
        return found == -ENOENT && row->present != NULL ? row->present(view) : found;
    }
    int r = holder_present(view);
    if (r != 0)
        return r;
    if (row->present != NULL)
        return row->present(view);
    const char *text;
    if (row->field != NULL && row->show == NULL)
        return fs_view_field(view, row->field, &text);
    return (row->flags & FS_MAYBE) != 0 ? rendered_present(view) : 0;
}

/* What may be absent is, where the endpoint does not know the operation that tells of it. */
int fs_row_present(struct fs_view *view)
{
    int r = present(view);
    return r == -EOPNOTSUPP && (view->node->flags & FS_MAYBE) != 0 ? -ENOENT : r;
}
