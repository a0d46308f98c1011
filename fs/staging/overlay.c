/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"

struct fs_overlay *fs_overlay_new(struct fs_tree *tree)
{
    struct fs_overlay *overlay = calloc(1, sizeof(*overlay));
    if (overlay)
        overlay->tree = tree;
    return overlay;
}

/* Before the inodes are freed. What a file holds is let go of here, for it counts in the overlay's pool. */
struct fs_overlay *fs_overlay_free(struct fs_overlay *overlay)
{
    if (!overlay)
        return NULL;
    struct fs_tree *tree = overlay->tree;
    fs_late_saves_abandon(tree);
    while (overlay->scratch) {
        struct fs_scratch_file *file = overlay->scratch;
        overlay->scratch = file->next;
        file->prev = NULL;
        fs_scratch_free(&file->scratch);
    }
    while (overlay->drafts) {
        struct fs_draft *draft = overlay->drafts;
        overlay->drafts = draft->next;
        draft->inode->local = NULL;
        free(draft);
    }
    while (overlay->tombstones) {
        struct fs_tombstone *tombstone = overlay->tombstones;
        overlay->tombstones = tombstone->next;
        free(tombstone->name);
        free(tombstone);
    }
    fs_rejected_free(&overlay->rejected);
    free(overlay);
    return NULL;
}

/* A draft whose creation was tried may be there, though the answer was lost or a refusal: it is looked for.
 */
static int look_for(struct fs_tree *tree, struct fs_request *rq, const struct fs_draft *draft)
{
    struct fs_view view;
    struct ecs_doc *doc;
    if (!draft->tried || rq->peek)
        return 0;
    fs_view_inode(&view, tree, rq, draft->inode);
    return fs_view_doc(&view, &doc) == FS_PARKED ? FS_PARKED : 0;
}

int fs_overlay_lookup(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent, const char *name,
                      struct fs_inode **ret_inode)
{
    struct fs_scratch_file *file = fs_scratch_find(tree, parent, name);
    struct fs_draft *draft = file ? NULL : fs_draft_find(tree, parent, name);
    if (draft && look_for(tree, rq, draft) == FS_PARKED)
        return FS_PARKED;
    draft = draft ? fs_draft_find(tree, parent, name) : NULL;
    if (file || draft) {
        *ret_inode = file ? file->inode : draft->inode;
        return 0;
    }
    bool hidden = fs_tombstone_stands(tree, parent, name) || fs_draft_hides(rq, parent, name);
    return hidden ? -ENOENT : FS_NOT_LOCAL;
}

int fs_overlay_list(struct fs_tree *tree, struct fs_inode *parent, fs_overlay_emit_fn *emit, void *arg)
{
    int r = 0;
    for (struct fs_scratch_file *file = tree->overlay->scratch; r == 0 && file; file = file->next) {
        if (file->linked && file->inode->parent == parent)
            r = emit(arg, file->inode->name, file->inode->node->mode);
    }
    for (struct fs_draft *draft = tree->overlay->drafts; r == 0 && draft; draft = draft->next) {
        if (draft->inode->parent == parent && fs_overlay_is_draft(draft->inode))
            r = emit(arg, draft->inode->name, draft->inode->node->mode);
    }
    return r;
}

bool fs_overlay_hides(struct fs_tree *tree, struct fs_inode *parent, const char *name)
{
    return fs_tombstone_stands(tree, parent, name) || fs_scratch_find(tree, parent, name);
}

/* Not there at AWS, as far as is known; -ENOENT of a row that may be absent. */
static bool known_absent(struct fs_view *view)
{
    bool peek = view->rq->peek;
    view->rq->peek = true;
    int r = fs_row_present(view);
    view->rq->peek = peek;
    return r == -ENOENT;
}

static void set_time(struct stat *st, int64_t wall_ms)
{
    st->st_mtim.tv_sec = (time_t)(wall_ms / 1000);
    st->st_mtim.tv_nsec = (long)(wall_ms % 1000) * 1000000;
}

/* Who writes a document sees the length of what it wrote; all others that of the document, if there is one.
 */
static int staged_attr(struct fs_view *view, struct fs_attr *attr)
{
    const struct fs_writing *writing = fs_staged_of(view->inode)->writings.newest;
    while (writing && (!writing->stage.staged || writing->writer != view->rq->pid))
        writing = writing->next;
    if (!writing)
        return known_absent(view) ? 0 : FS_NOT_LOCAL;
    attr->st.st_size = (off_t)writing->stage.text.len;
    set_time(&attr->st, writing->written_ms);
    attr->valid_ms = 0;
    return 0;
}

/* Empty until it is there. */
static int unborn_attr(struct fs_view *view)
{
    bool peek = view->rq->peek;
    view->rq->peek = true;
    int r = fs_row_present(view);
    view->rq->peek = peek;
    return r == 0 ? FS_NOT_LOCAL : 0;
}

int fs_overlay_attr(struct fs_view *view, struct fs_attr *attr)
{
    const struct fs_scratch_file *file = fs_scratch_of(view->inode);
    if (fs_staged_of(view->inode))
        return staged_attr(view, attr);
    if (file) {
        const char *target = file->scratch.target;
        attr->st.st_size = target ? (off_t)strlen(target) : (off_t)fs_scratch_size(&file->scratch);
        attr->st.st_nlink = file->linked;
        set_time(&attr->st, file->scratch.modified_ms);
    } else if (fs_draft_of(view->inode) && !fs_overlay_is_draft(view->inode))
        return FS_NOT_LOCAL;
    else if (view->inode->local->kind == FS_LOCAL_UNBORN)
        return unborn_attr(view);
    return 0;
}

int fs_overlay_readlink(struct fs_view *view, struct ecs_buf *text)
{
    const struct fs_scratch_file *file = fs_scratch_of(view->inode);
    if (!file || !file->scratch.target)
        return -EINVAL;
    return ecs_buf_adds(text, file->scratch.target);
}

void fs_overlay_inode_free(struct fs_inode *inode)
{
    struct fs_staged *staged = fs_staged_of(inode);
    struct fs_scratch_file *file = fs_scratch_of(inode);
    if (staged)
        fs_pending_unref(staged->pending);
    if (file)
        fs_scratch_free(&file->scratch);
    if (file && file->prev) {
        *file->prev = file->next;
        if (file->next)
            file->next->prev = file->prev;
    }
    free(inode->local);
    inode->local = NULL;
}

const struct fs_file_ops *fs_overlay_ops(const struct fs_inode *inode, int flags)
{
    return fs_scratch_of(inode) ? &fs_scratch_ops : NULL;
}
