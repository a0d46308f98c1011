/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "logs.h"

static void chunk_free(struct log_chunk *chunk)
{
    TAILQ_REMOVE(&chunk->stream->chunks, chunk, link);
    json_decref(chunk->lines);
    record_free(&chunk->record);
    free(chunk);
}

static void stream_free(struct log_stream *stream)
{
    struct log_chunk *chunk;
    while ((chunk = TAILQ_FIRST(&stream->chunks)))
        chunk_free(chunk);
    if (index_get(&stream->group->streams_by_name, stream->name) == stream)
        index_remove(&stream->group->streams_by_name, stream->name);
    TAILQ_REMOVE(&stream->group->streams, stream, link);
    record_free(&stream->record);
    free(stream->name);
    free(stream);
}

static void group_free(struct log_group *group)
{
    struct log_groups *all = group->record.region->logs;
    struct log_stream *stream;
    while ((stream = TAILQ_FIRST(&group->streams)))
        stream_free(stream);
    if (index_get(&all->by_name, group->name) == group)
        index_remove(&all->by_name, group->name);
    TAILQ_REMOVE(&all->list, group, link);
    index_free(&group->streams_by_name);
    record_free(&group->record);
    free(group->name);
    free(group);
}

void logs_free_all(struct region *region)
{
    struct log_group *group;
    if (!region->logs)
        return;
    while ((group = TAILQ_FIRST(&region->logs->list)))
        group_free(group);
    index_free(&region->logs->by_name);
    free(region->logs);
    region->logs = NULL;
}

static void drop_chunk(struct log_chunk *chunk)
{
    record_delete(&chunk->record);
    chunk_free(chunk);
}

void log_stream_delete(struct log_stream *stream)
{
    struct log_chunk *chunk;
    while ((chunk = TAILQ_FIRST(&stream->chunks)))
        drop_chunk(chunk);
    record_delete(&stream->record);
    stream_free(stream);
}

void log_group_delete(struct log_group *group)
{
    struct log_stream *stream;
    while ((stream = TAILQ_FIRST(&group->streams)))
        log_stream_delete(stream);
    record_delete(&group->record);
    group_free(group);
}

static struct log_groups *groups_of(struct region *region)
{
    if (!region->logs) {
        region->logs = calloc(1, sizeof(*region->logs));
        if (region->logs)
            TAILQ_INIT(&region->logs->list);
    }
    return region->logs;
}

struct log_group *log_group_find(const struct region *region, const char *name)
{
    return region->logs ? index_get(&region->logs->by_name, name) : NULL;
}

static void insert_group(struct log_groups *all, struct log_group *group)
{
    struct log_group *other;
    TAILQ_FOREACH_REVERSE(other, &all->list, log_group_list, link)
    {
        if (strcmp(other->name, group->name) < 0) {
            TAILQ_INSERT_AFTER(&all->list, other, group, link);
            return;
        }
    }
    TAILQ_INSERT_HEAD(&all->list, group, link);
}

struct log_group *log_group_new(struct region *region, const char *name)
{
    struct log_groups *all = groups_of(region);
    struct log_group *group = all ? calloc(1, sizeof(*group)) : NULL;
    if (!group || !(group->name = strdup(name))) {
        free(group);
        return NULL;
    }
    TAILQ_INIT(&group->streams);
    group->created = world_wall(region->world);
    insert_group(all, group);
    if (record_init(&group->record, &log_group_kind, region, arn_new(region, "logs", "log-group:%s", name)) <
            0 ||
        index_put(&all->by_name, group->name, group) < 0) {
        group_free(group);
        return NULL;
    }
    return group;
}

struct log_stream *log_stream_find(const struct log_group *group, const char *name)
{
    return index_get(&group->streams_by_name, name);
}

static void insert_stream(struct log_group *group, struct log_stream *stream)
{
    struct log_stream *other;
    TAILQ_FOREACH_REVERSE(other, &group->streams, log_stream_list, link)
    {
        if (strcmp(other->name, stream->name) < 0) {
            TAILQ_INSERT_AFTER(&group->streams, other, stream, link);
            return;
        }
    }
    TAILQ_INSERT_HEAD(&group->streams, stream, link);
}

struct log_stream *log_stream_new(struct log_group *group, const char *name)
{
    struct region *region = group->record.region;
    struct log_stream *stream = calloc(1, sizeof(*stream));
    if (!stream || !(stream->name = strdup(name))) {
        free(stream);
        return NULL;
    }
    TAILQ_INIT(&stream->chunks);
    stream->group = group;
    stream->created = world_wall(region->world);
    insert_stream(group, stream);
    if (record_init(&stream->record, &log_stream_kind, region,
                    arn_new(region, "logs", "log-group:%s:log-stream:%s", group->name, name)) < 0 ||
        index_put(&group->streams_by_name, stream->name, stream) < 0) {
        stream_free(stream);
        return NULL;
    }
    return stream;
}

static struct log_chunk *chunk_new(struct log_stream *stream, uint64_t first)
{
    struct log_chunk *chunk = calloc(1, sizeof(*chunk));
    char *key = NULL;
    if (!chunk)
        return NULL;
    chunk->stream = stream;
    chunk->first = first;
    chunk->lines = json_array();
    TAILQ_INSERT_TAIL(&stream->chunks, chunk, link);
    if (asprintf(&key, "%s:%" PRIu64, stream->record.arn, first) < 0)
        key = NULL;
    if (record_init(&chunk->record, &log_lines_kind, stream->record.region, key) < 0) {
        chunk_free(chunk);
        return NULL;
    }
    return chunk;
}

uint64_t log_stream_begin(const struct log_stream *stream)
{
    const struct log_chunk *chunk = TAILQ_FIRST(&stream->chunks);
    return chunk ? chunk->first : stream->end;
}

void log_stream_write(struct log_stream *stream, int64_t at, const char *message)
{
    struct log_chunk *chunk = TAILQ_LAST(&stream->chunks, log_chunk_list);
    int64_t now = world_wall(stream->record.region->world);
    if (!chunk || json_array_size(chunk->lines) >= LINES_A_CHUNK)
        chunk = chunk_new(stream, stream->end);
    if (!chunk)
        return;
    json_array_append_new(chunk->lines, json_pack("[I, I, s]", (json_int_t)at, (json_int_t)now, message));
    record_dirty(&chunk->record);
    stream->end++;
    if (!stream->first_at)
        stream->first_at = at;
    stream->last_at = at;
    stream->ingested = now;
    record_dirty(&stream->record);
    while (stream->end - log_stream_begin(stream) > LINES_A_STREAM)
        drop_chunk(TAILQ_FIRST(&stream->chunks));
}

const json_t *log_stream_line(const struct log_stream *stream, uint64_t number)
{
    const struct log_chunk *chunk;
    TAILQ_FOREACH_REVERSE(chunk, &stream->chunks, log_chunk_list, link)
    {
        if (number >= chunk->first)
            return json_array_get(chunk->lines, number - chunk->first);
    }
    return NULL;
}

void log_write(struct region *region, const char *group_name, const char *stream_name, int64_t at,
               const char *message)
{
    struct log_group *group = log_group_find(region, group_name);
    if (!group)
        group = log_group_new(region, group_name);
    struct log_stream *stream = group ? log_stream_find(group, stream_name) : NULL;
    if (group && !stream)
        stream = log_stream_new(group, stream_name);
    if (stream)
        log_stream_write(stream, at, message);
}

/* --- the records --- */

static json_t *dump_group(const struct record *record)
{
    const struct log_group *group = (const struct log_group *)record;
    return json_pack("{s:s, s:I, s:I, s:O*}", "name", group->name, "created", (json_int_t)group->created,
                     "retention", (json_int_t)group->retention_days, "tags", record->tags);
}

static int load_group(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    const char *name = in_text(body, "name");
    struct log_group *group = name ? log_group_new(region, name) : NULL;
    if (!group)
        return name ? -ENOMEM : -EBADMSG;
    group->created = json_integer_value(json_object_get(body, "created"));
    group->retention_days = in_int(body, "retention", 0);
    group->record.tags = json_incref(json_object_get(body, "tags"));
    return 0;
}

static json_t *dump_stream(const struct record *record)
{
    const struct log_stream *stream = (const struct log_stream *)record;
    return json_pack("{s:s, s:s, s:[I, I, I, I], s:I}", "group", stream->group->name, "name", stream->name,
                     "times", (json_int_t)stream->created, (json_int_t)stream->first_at,
                     (json_int_t)stream->last_at, (json_int_t)stream->ingested, "end",
                     (json_int_t)stream->end);
}

static int load_stream(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    const char *group_name = in_text(body, "group"), *name = in_text(body, "name");
    struct log_group *group = group_name ? log_group_find(region, group_name) : NULL;
    struct log_stream *stream = group && name ? log_stream_new(group, name) : NULL;
    if (!stream)
        return group && name ? -ENOMEM : -EBADMSG;
    const json_t *times = json_object_get(body, "times");
    stream->created = json_integer_value(json_array_get(times, 0));
    stream->first_at = json_integer_value(json_array_get(times, 1));
    stream->last_at = json_integer_value(json_array_get(times, 2));
    stream->ingested = json_integer_value(json_array_get(times, 3));
    stream->end = (uint64_t)json_integer_value(json_object_get(body, "end"));
    return 0;
}

static json_t *dump_lines(const struct record *record)
{
    const struct log_chunk *chunk = (const struct log_chunk *)record;
    return json_pack("{s:s, s:s, s:I, s:O}", "group", chunk->stream->group->name, "stream",
                     chunk->stream->name, "first", (json_int_t)chunk->first, "lines", chunk->lines);
}

static int load_lines(struct region *region, const char *key, const json_t *body)
{
    (void)key;
    const char *group_name = in_text(body, "group"), *name = in_text(body, "stream");
    struct log_group *group = group_name ? log_group_find(region, group_name) : NULL;
    struct log_stream *stream = group && name ? log_stream_find(group, name) : NULL;
    struct log_chunk *chunk =
        stream ? chunk_new(stream, (uint64_t)json_integer_value(json_object_get(body, "first"))) : NULL;
    if (!chunk)
        return stream ? -ENOMEM : -EBADMSG;
    json_decref(chunk->lines);
    chunk->lines = json_incref(json_object_get(body, "lines"));
    return 0;
}

const struct record_kind log_group_kind = {"log-group", dump_group, load_group};
const struct record_kind log_stream_kind = {"log-stream", dump_stream, load_stream};
const struct record_kind log_lines_kind = {"log-lines", dump_lines, load_lines};
