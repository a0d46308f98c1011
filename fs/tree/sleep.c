/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for time to pass before they ask again. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "tree_private.h"

struct fs_sleeper {
    struct fs_request *rq;
    int64_t at_ms; /* monotonic */
    struct fs_sleeper *next;
};

int fs_sleep_until(struct fs_tree *tree, struct fs_request *rq, int64_t at_ms)
{
    struct fs_sleeper *sleeper = calloc(1, sizeof(*sleeper));
    if (sleeper == NULL)
        return -ENOMEM;
    *sleeper = (struct fs_sleeper){rq, at_ms, tree->sleepers};
    tree->sleepers = sleeper;
    rq->want.error = NULL; /* borrowed from the cache, which goes on meanwhile */
    return FS_PARKED;
}

void fs_sleep_hurry(struct fs_tree *tree, const struct fs_request *rq)
{
    for (struct fs_sleeper *sleeper = tree->sleepers; sleeper != NULL; sleeper = sleeper->next)
        if (sleeper->rq == rq)
            sleeper->at_ms = INT64_MIN;
}

void fs_sleep_cancel(struct fs_tree *tree, struct fs_request *rq)
{
    for (struct fs_sleeper **at = &tree->sleepers; *at != NULL;) {
        struct fs_sleeper *sleeper = *at;
        if (sleeper->rq == rq) {
            *at = sleeper->next;
            free(sleeper);
        } else {
            at = &sleeper->next;
        }
    }
}

int fs_sleep_timeout_ms(const struct fs_tree *tree)
{
    int64_t least = INT64_MAX, now = fs_now_ms(tree);
    for (const struct fs_sleeper *sleeper = tree->sleepers; sleeper != NULL; sleeper = sleeper->next)
        if (sleeper->at_ms < least)
            least = sleeper->at_ms;
    if (least == INT64_MAX)
        return -1;
    return least <= now ? 0 : least - now > INT_MAX ? INT_MAX : (int)(least - now);
}

/* Whoever is woken may sleep again at once: those come into the list anew, and later. */
void fs_sleep_tick(struct fs_tree *tree)
{
    int64_t now = fs_now_ms(tree);
    for (struct fs_sleeper **at = &tree->sleepers; *at != NULL;) {
        struct fs_sleeper *sleeper = *at;
        if (sleeper->at_ms > now) {
            at = &sleeper->next;
            continue;
        }
        struct fs_request *rq = sleeper->rq;
        *at = sleeper->next;
        free(sleeper);
        rq->want.since_ms = now;
        rq->want.wake(&rq->want);
        at = &tree->sleepers;
    }
}

void fs_sleep_free(struct fs_tree *tree)
{
    while (tree->sleepers != NULL)
        fs_sleep_cancel(tree, tree->sleepers->rq);
}
