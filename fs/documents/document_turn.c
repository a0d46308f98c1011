/* SPDX-License-Identifier: Apache-2.0 */
/* Saves of one file are made one after another, in the order in which their texts were complete: each is
 * compared with what the one before it left at AWS. */
#include "staging/local.h"

void fs_turn_take(struct fs_staged *staged, struct fs_turn *turn, struct fs_request *rq)
{
    struct fs_turn **last = &staged->turns;
    while (*last)
        last = &(*last)->next;
    *turn = (struct fs_turn){rq, true, NULL};
    *last = turn;
}

int fs_turn_wait(struct fs_view *view, const struct fs_staged *staged, const struct fs_turn *turn)
{
    if (staged->turns == turn)
        return 0;
    return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + FS_PENDING_POLL_MS);
}

void fs_turn_end(struct fs_tree *tree, struct fs_staged *staged, struct fs_turn *turn)
{
    struct fs_turn **at = &staged->turns;
    if (!turn->taken)
        return;
    while (*at != turn)
        at = &(*at)->next;
    *at = turn->next;
    turn->taken = false;
    if (staged->turns)
        fs_sleep_hurry(tree, staged->turns->rq);
}
