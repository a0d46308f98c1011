/* SPDX-License-Identifier: Apache-2.0 */
/* CloudWatch Logs: groups, streams and their lines. */
#ifndef LOCAL_LOGS_H
#define LOCAL_LOGS_H

#include "request.h"

enum { LINES_A_CHUNK = 64, LINES_A_STREAM = 10000 };

/* Lines are kept in chunks: a new one rewrites no more than its chunk. */
struct log_chunk {
    struct record record; /* first */
    TAILQ_ENTRY(log_chunk) link;
    struct log_stream *stream;
    uint64_t first; /* number of its first line in the stream */
    json_t *lines;  /* [[timestamp, ingestion time, "message"], ...] in ms */
};

struct log_stream {
    struct record record; /* first */
    TAILQ_ENTRY(log_stream) link;
    struct log_group *group;
    char *name;
    int64_t created, first_at, last_at, ingested; /* wall; 0: no line yet */
    TAILQ_HEAD(log_chunk_list, log_chunk) chunks;
    uint64_t end; /* number of the line that comes next */
};

struct log_group {
    struct record record; /* first */
    TAILQ_ENTRY(log_group) link;
    char *name;
    int64_t created;
    long retention_days;                             /* 0: for ever */
    TAILQ_HEAD(log_stream_list, log_stream) streams; /* by name */
    struct index streams_by_name;
};

struct log_groups {
    TAILQ_HEAD(log_group_list, log_group) list; /* by name */
    struct index by_name;
};

struct log_group *log_group_find(const struct region *region, const char *name);
struct log_group *log_group_new(struct region *region, const char *name); /* NULL: no memory */
void log_group_delete(struct log_group *group);
struct log_stream *log_stream_find(const struct log_group *group, const char *name);
struct log_stream *log_stream_new(struct log_group *group, const char *name);
void log_stream_delete(struct log_stream *stream);
void log_stream_write(struct log_stream *stream, int64_t at, const char *message);
/* The line's array, or NULL when there is none (any more). Borrowed. */
const json_t *log_stream_line(const struct log_stream *stream, uint64_t number);
/* Number of the oldest line kept. */
uint64_t log_stream_begin(const struct log_stream *stream);
/* As awslogs writes: group and stream are made when they are not there. */
void log_write(struct region *region, const char *group, const char *stream, int64_t at, const char *message);
void logs_free_all(struct region *region);

#endif
