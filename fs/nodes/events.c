/* SPDX-License-Identifier: Apache-2.0 */
/* services/<service>/events: AWS tells the last 100, newest first. Here they stand oldest first, and those
 * seen by this mount stay when AWS has dropped them, so that `tail -f` follows.
 *
 *     2026-11-23T18:20:00Z (service web) has reached a steady state.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* Of one service; beyond it, the history begins anew. */
enum { OLDER_BYTES = 1 << 20 };

struct history {
    struct ecs_doc *last; /* as it was last shown */
    uint64_t hash;
    struct ecs_buf older; /* lines of events that `last` does not have any more */
    bool pinned;          /* the inode is kept for their sake */
};

static void free_history(void *memory)
{
    struct history *history = memory;
    ecs_doc_unref(history->last);
    ecs_buf_free(&history->older);
    free(history);
}

static struct history *history_of(struct fs_inode *inode)
{
    struct fs_inode_more *more = inode != NULL ? fs_inode_more(inode) : NULL;
    if (more == NULL)
        return NULL;
    if (more->memory == NULL) {
        struct history *history = calloc(1, sizeof(*history));
        if (history == NULL)
            return NULL;
        history->older = ECS_BUF(OLDER_BYTES);
        more->memory = history;
        more->memory_free = free_history;
    }
    return more->memory;
}

static void add_event(struct ecs_buf *text, const json_t *event)
{
    fs_add_safe(text, fs_json_text(event, "createdAt"));
    ecs_buf_adds(text, " ");
    fs_add_safe(text, fs_json_text(event, "message"));
    ecs_buf_adds(text, "\n");
}

static bool has_event(const json_t *events, const char *id)
{
    size_t i;
    json_t *event;
    json_array_foreach((json_t *)events, i, event)
    {
        if (strcmp(fs_json_text(event, "id"), id) == 0)
            return true;
    }
    return false;
}

/* What the last document had and this one has not. */
static void keep_dropped(struct history *history, const json_t *events)
{
    json_t *tree = ecs_doc_tree(history->last);
    const json_t *before = json_object_get(tree, "events");
    for (size_t i = json_array_size(before); i-- > 0;) {
        const json_t *event = json_array_get(before, i);
        if (!has_event(events, fs_json_text(event, "id")))
            add_event(&history->older, event);
    }
    json_decref(tree);
    if (history->older.failed != 0) {
        ecs_buf_free(&history->older);
        history->older = ECS_BUF(OLDER_BYTES);
    }
}

static void remember(struct history *history, struct fs_inode *inode, struct ecs_doc *doc,
                     const json_t *events)
{
    if (history->hash == ecs_doc_hash(doc) && history->last != NULL)
        return;
    if (history->last != NULL)
        keep_dropped(history, events);
    ecs_doc_unref(history->last);
    history->last = ecs_doc_ref(doc);
    history->hash = ecs_doc_hash(doc);
    if (history->older.len > 0 && !history->pinned) {
        fs_inode_ref(inode);
        history->pinned = true;
    }
}

int fs_show_events(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    json_t *tree = ecs_doc_tree(doc);
    if (tree == NULL)
        return -ENOMEM;
    const json_t *events = json_object_get(tree, "events");
    struct history *history = history_of(view->inode);
    if (history != NULL) {
        remember(history, view->inode, doc, events);
        ecs_buf_add(text, history->older.data, history->older.len);
    }
    for (size_t i = json_array_size(events); i-- > 0;)
        add_event(text, json_array_get(events, i));
    json_decref(tree);
    return text->failed;
}
