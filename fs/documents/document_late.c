/* SPDX-License-Identifier: Apache-2.0 */
/* Saves that nobody waits for: a memory mapping may be written back after the last close. Their outcome is in
 * the journal, in .ecsfs/errors, and a refused text in .ecsfs/rejected. */
#include <errno.h>
#include <stdlib.h>

#include "ecsfs/cleanup.h"
#include "staging/local.h"

struct fs_late_save {
    struct fs_request rq;
    struct fs_inode *inode; /* referenced */
    bool woken;
    struct fs_late_save *next;
};

static void wake(struct ecs_want *want)
{
    container_of(want, struct fs_late_save, rq.want)->woken = true;
}

static bool finish(struct fs_tree *tree, struct fs_late_save *late, int r)
{
    if (r == FS_PARKED)
        return false;
    fs_request_end(tree, &late->rq, late->inode, r);
    fs_inode_unref(tree, late->inode);
    free(late);
    return true;
}

void fs_document_save_late(struct fs_tree *tree, struct fs_inode *inode, const char *text, size_t len)
{
    struct fs_late_save *late = calloc(1, sizeof(*late));
    if (!late)
        return;
    late->rq.want.since_ms = fs_now_ms(tree);
    late->rq.want.wake = wake;
    late->rq.uid = tree->options.uid;
    late->inode = fs_inode_ref(inode);
    struct fs_view view;
    fs_begin(&view, tree, &late->rq, inode);
    if (finish(tree, late, fs_document_save(&view, text, len, NULL, NULL)))
        return;
    late->next = tree->overlay->late;
    tree->overlay->late = late;
}

bool fs_late_saves_due(const struct fs_tree *tree)
{
    const struct fs_late_save *late = tree->overlay->late;
    while (late && !late->woken)
        late = late->next;
    return late;
}

void fs_late_saves_run(struct fs_tree *tree)
{
    struct fs_late_save **at = &tree->overlay->late;
    while (*at) {
        struct fs_late_save *late = *at, *next = late->next;
        struct fs_view view;
        if (late->woken) {
            late->woken = false;
            fs_begin(&view, tree, &late->rq, late->inode);
            if (finish(tree, late, fs_saving_go_on(&view))) {
                *at = next;
                continue;
            }
        }
        at = &late->next;
    }
}

void fs_late_saves_abandon(struct fs_tree *tree)
{
    while (tree->overlay->late) {
        struct fs_late_save *late = tree->overlay->late;
        tree->overlay->late = late->next;
        fs_request_interrupt(tree, &late->rq);
        free(late);
    }
}
