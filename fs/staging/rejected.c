/* SPDX-License-Identifier: Apache-2.0 */
#include "rejected.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

static void free_text(struct fs_rejected_text *text)
{
    ecs_error_unref(text->error);
    free(text->name);
    free(text->text);
    free(text);
}

void fs_rejected_free(struct fs_rejected *rejected)
{
    for (size_t i = 0; i < rejected->len; i++)
        free_text(rejected->texts[i]);
    *rejected = (struct fs_rejected){0};
}

static void drop_oldest(struct fs_rejected *rejected)
{
    rejected->bytes -= rejected->texts[0]->len;
    free_text(rejected->texts[0]);
    memmove(rejected->texts, rejected->texts + 1, --rejected->len * sizeof(*rejected->texts));
}

static bool same_text(const struct fs_rejected_text *text, uint64_t ino, const char *data, size_t len)
{
    return text->ino == ino && text->len == len && memcmp(text->text, data ? data : "", len) == 0;
}

static char *unique_name(const struct fs_rejected *rejected, const struct fs_rejection *rejection)
{
    char time[ECS_TIME_TEXT];
    char *name = NULL;
    ecs_time_format(rejection->wall_ms, time);
    for (int n = 1; n <= FS_REJECTED_KEPT + 1; n++) {
        free(name);
        int r = n == 1 ? asprintf(&name, "%s-%s", time, rejection->label)
                       : asprintf(&name, "%s-%d-%s", time, n, rejection->label);
        if (r < 0)
            return NULL;
        if (!fs_rejected_named(rejected, name))
            break;
    }
    return name;
}

static struct fs_rejected_text *make_text(const struct fs_rejected *rejected,
                                          const struct fs_rejection *rejection)
{
    struct fs_rejected_text *text = calloc(1, sizeof(*text));
    if (!text)
        return NULL;
    text->name = unique_name(rejected, rejection);
    text->text = malloc(rejection->len + 1);
    if (!text->name || !text->text) {
        free_text(text);
        return NULL;
    }
    if (rejection->len)
        memcpy(text->text, rejection->text, rejection->len);
    text->text[rejection->len] = 0;
    text->len = rejection->len;
    text->wall_ms = rejection->wall_ms;
    text->ino = rejection->ino;
    return text;
}

static void set_reason(struct fs_rejected_text *text, const struct fs_rejection *rejection)
{
    ecs_error_unref(text->error);
    text->error = ecs_error_ref(rejection->error);
    text->until_ms = !rejection->remember ? 0
                     : rejection->open    ? INT64_MAX
                                          : rejection->now_ms + FS_REJECTED_REMEMBERED;
}

bool fs_rejected_add(struct fs_rejected *rejected, const struct fs_rejection *rejection)
{
    for (size_t i = 0; i < rejected->len; i++) {
        if (same_text(rejected->texts[i], rejection->ino, rejection->text, rejection->len)) {
            set_reason(rejected->texts[i], rejection);
            return false;
        }
    }
    while (rejected->len == FS_REJECTED_KEPT ||
           (rejected->len > 0 && rejected->bytes + rejection->len > FS_REJECTED_BYTES))
        drop_oldest(rejected);
    struct fs_rejected_text *text = make_text(rejected, rejection);
    if (!text)
        return false;
    set_reason(text, rejection);
    rejected->texts[rejected->len++] = text;
    rejected->bytes += text->len;
    return true;
}

struct ecs_error *fs_rejected_find(const struct fs_rejected *rejected, uint64_t ino, const char *text,
                                   size_t len, int64_t now_ms)
{
    for (size_t i = rejected->len; i-- > 0;) {
        const struct fs_rejected_text *kept = rejected->texts[i];
        if (kept->until_ms > now_ms && same_text(kept, ino, text, len))
            return kept->error;
    }
    return NULL;
}

void fs_rejected_closed(struct fs_rejected *rejected, uint64_t ino, int64_t now_ms)
{
    for (size_t i = 0; i < rejected->len; i++) {
        if (rejected->texts[i]->ino == ino && rejected->texts[i]->until_ms == INT64_MAX)
            rejected->texts[i]->until_ms = now_ms + FS_REJECTED_REMEMBERED;
    }
}

const struct fs_rejected_text *fs_rejected_named(const struct fs_rejected *rejected, const char *name)
{
    for (size_t i = 0; i < rejected->len; i++) {
        if (strcmp(rejected->texts[i]->name, name) == 0)
            return rejected->texts[i];
    }
    return NULL;
}
