/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <errno.h>
#include <string.h>

#include "show.h"
#include "tree_private.h"

static uint64_t hash_bytes(const char *data, size_t len)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)data[i]) * 0x100000001b3U;
    h ^= h >> 32;
    return h | 1;
}

static bool is_draft(const struct fs_view *view)
{
    return view->parent != NULL && view->parent->local != NULL && fs_overlay_is_draft(view->parent);
}

int fs_render(struct fs_view *view, struct ecs_buf *text)
{
    const struct fs_node *row = view->node;
    if ((row->mode & 0400) == 0)
        return 0;
    if (is_draft(view))
        return fs_overlay_draft_show(view, text);
    int r = 0;
    if (row->show != NULL) {
        r = row->show(view, text);
    } else if (row->field != NULL) {
        const char *field;
        r = fs_view_field(view, row->field, &field);
        if (r == 0)
            fs_add_safe(text, field);
    }
    if (r == 0 && text->len > 0 && (row->flags & FS_RAW) == 0 && text->data[text->len - 1] != '\n')
        r = ecs_buf_add(text, "\n", 1);
    return r == 0 ? text->failed : r;
}

/* Without rendering: a plain scalar's own text, or the hash of the one document it is made of. */
static int cheap_stamp(struct fs_view *view, uint64_t *ret_stamp)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    const char *field = view->node->show == NULL ? ecs_doc_field(doc, view->node->field) : NULL;
    if (view->node->show == NULL && field == NULL)
        return -ENOENT;
    *ret_stamp = field != NULL ? hash_bytes(field, strlen(field)) : ecs_doc_hash(doc) | 1;
    return 0;
}

int fs_text_stamp(struct fs_view *view, uint64_t *ret_stamp, struct ecs_buf *text, bool *ret_rendered)
{
    const struct fs_node *row = view->node;
    bool plain = row->show == NULL && row->field != NULL;
    *ret_rendered = false;
    if ((plain || (row->flags & FS_OF_DOC) != 0) && !is_draft(view))
        return cheap_stamp(view, ret_stamp);
    int r = fs_render(view, text);
    if (r == 0) {
        *ret_stamp = hash_bytes(text->data, text->len);
        *ret_rendered = true;
    }
    return r;
}

bool fs_text_is_edited(const struct fs_node *row)
{
    return (row->mode & 0200) != 0;
}

/* The time of what people edit is that of its own text, whatever else the resource's describe says: an editor
 * must not find the file changed because a task started. */
static void note_edited(struct fs_view *view, const struct ecs_buf *text)
{
    struct fs_inode *inode = view->inode;
    uint64_t stamp = hash_bytes(text->data, text->len);
    struct fs_time *time = fs_times_of(view->tree->times, inode->ino);
    if (time == NULL || time->stamp == stamp)
        return;
    if (time->stamp != 0)
        time->changed_ms = inode->changed_ms > time->changed_ms ? inode->changed_ms : fs_wall_ms(view->tree);
    time->stamp = stamp;
}

/* A file whose inode was forgotten: its time is the old one, or now if its text is another. */
static void recall_time(struct fs_view *view, uint64_t stamp)
{
    struct fs_inode *inode = view->inode;
    const struct fs_time *time = inode->changed_ms == 0 ? fs_times_find(view->tree->times, inode->ino) : NULL;
    if (time != NULL)
        inode->changed_ms =
            time->stamp == stamp || time->stamp == 0 ? time->changed_ms : fs_wall_ms(view->tree);
}

int64_t fs_text_changed_ms(const struct fs_view *view)
{
    const struct fs_inode *inode = view->inode;
    const struct fs_time *time =
        fs_text_is_edited(view->node) ? fs_times_find(view->tree->times, inode->ino) : NULL;
    return time != NULL ? time->changed_ms : inode->changed_ms;
}

int fs_text_size(struct fs_view *view, off_t *ret_size)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    uint64_t stamp;
    bool rendered;
    int r = fs_text_stamp(view, &stamp, &text, &rendered);
    if (r != 0)
        return r;
    struct fs_inode *inode = view->inode;
    if (!rendered && inode != NULL && inode->sized == stamp) {
        *ret_size = inode->size;
        return 0;
    }
    if (!rendered)
        r = fs_render(view, &text);
    if (r != 0)
        return r;
    *ret_size = (off_t)text.len;
    if (inode != NULL) {
        if (fs_text_is_edited(view->node))
            note_edited(view, &text);
        else if (inode->sized == 0)
            recall_time(view, stamp);
        inode->sized = stamp;
        inode->size = (int32_t)text.len; /* at most FS_TEXT_MAX */
    }
    return 0;
}
