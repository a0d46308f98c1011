/* SPDX-License-Identifier: Apache-2.0 */
#include "writing.h"

#include <stdlib.h>

struct fs_writing *fs_writing_open(struct fs_writings *writings, bool maps, pid_t writer)
{
    struct fs_writing *writing = calloc(1, sizeof(*writing));
    if (!writing)
        return NULL;
    fs_stage_init(&writing->stage);
    writing->refs = 1;
    writing->maps = maps;
    writing->writer = writer;
    writing->next = writings->newest;
    if (writing->next)
        writing->next->prev = &writing->next;
    writing->prev = &writings->newest;
    writings->newest = writing;
    return writing;
}

void fs_writing_close(struct fs_writing *writing)
{
    *writing->prev = writing->next;
    if (writing->next)
        writing->next->prev = writing->prev;
    fs_writing_unref(writing);
}

struct fs_writing *fs_writing_ref(struct fs_writing *writing)
{
    writing->refs++;
    return writing;
}

void fs_writing_unref(struct fs_writing *writing)
{
    if (--writing->refs > 0)
        return;
    fs_stage_free(&writing->stage);
    free(writing);
}

bool fs_writings_emptied(const struct fs_writings *writings, const struct fs_writing *except)
{
    for (const struct fs_writing *at = writings->newest; at; at = at->next) {
        if (at != except && at->stage.begun)
            return at->stage.text.len == 0;
    }
    return false;
}

struct fs_writing *fs_writing_mapped(const struct fs_writings *writings, struct fs_writing *through)
{
    if (through->maps)
        return through;
    for (struct fs_writing *at = writings->newest; at; at = at->next) {
        if (at->maps)
            return at;
    }
    return through;
}
