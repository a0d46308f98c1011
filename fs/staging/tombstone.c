/* SPDX-License-Identifier: Apache-2.0 */
/* Names of editable files that were unlinked or renamed away: the first half of how many tools save.
 * Nothing happens at AWS. Who creates the name again writes the document as ever; if nobody does, the
 * name is back after ten seconds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"

static struct fs_tombstone **find(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_tombstone **at = &tree->overlay->tombstones;
    while (*at && ((*at)->parent != parent || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    return at;
}

static void free_tombstone(struct fs_tree *tree, struct fs_tombstone *tombstone)
{
    fs_inode_unref(tree, tombstone->parent);
    free(tombstone->name);
    free(tombstone);
}

int fs_tombstone_add(struct fs_tree *tree, struct fs_inode *parent, const char *name)
{
    struct fs_tombstone *tombstone = *find(tree, parent, name);
    if (!tombstone) {
        tombstone = calloc(1, sizeof(*tombstone));
        char *copy = strdup(name);
        if (!tombstone || !copy) {
            free(tombstone);
            free(copy);
            return -ENOMEM;
        }
        *tombstone = (struct fs_tombstone){fs_inode_ref(parent), copy, 0, tree->overlay->tombstones};
        tree->overlay->tombstones = tombstone;
    }
    tombstone->until_ms = fs_now_ms(tree) + FS_TOMBSTONE_MS;
    return 0;
}

bool fs_tombstone_stands(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    const struct fs_tombstone *tombstone = *find(tree, parent, name);
    return tombstone && tombstone->until_ms > fs_now_ms(tree);
}

void fs_tombstone_remove(struct fs_tree *tree, const struct fs_inode *parent, const char *name)
{
    struct fs_tombstone **at = find(tree, parent, name), *tombstone = *at;
    if (!tombstone)
        return;
    *at = tombstone->next;
    free_tombstone(tree, tombstone);
}

int fs_overlay_timeout_ms(struct fs_tree *tree)
{
    int64_t soonest = fs_scratch_due_ms(tree), now = fs_now_ms(tree);
    if (fs_late_saves_due(tree))
        return 0;
    for (const struct fs_tombstone *at = tree->overlay->tombstones; at; at = at->next)
        soonest = at->until_ms < soonest ? at->until_ms : soonest;
    if (soonest == INT64_MAX)
        return -1;
    return soonest > now ? (int)(soonest - now) : 0;
}

/* Heals what is due. */
static void heal(struct fs_tree *tree)
{
    int64_t now = fs_now_ms(tree);
    struct fs_tombstone **at = &tree->overlay->tombstones;
    while (*at) {
        struct fs_tombstone *tombstone = *at;
        if (tombstone->until_ms > now) {
            at = &tombstone->next;
            continue;
        }
        *at = tombstone->next;
        fs_tell_entry(tree, tombstone->parent, tombstone->name);
        free_tombstone(tree, tombstone);
    }
}

void fs_overlay_tick(struct fs_tree *tree)
{
    heal(tree);
    fs_scratch_tick(tree);
    fs_late_saves_run(tree);
}
