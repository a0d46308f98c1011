/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of CloudWatch Logs that matter to ECS. */
#include "logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* logGroupName, or logGroupIdentifier (a name or an ARN). */
static const char *group_name_of(struct request *rq)
{
    const char *name = in_text(rq->in, "logGroupName"), *identifier = in_text(rq->in, "logGroupIdentifier");
    const char *part = identifier ? strstr(identifier, ":log-group:") : NULL;
    name = name ? name : part ? part + strlen(":log-group:") : identifier;
    if (!name)
        refuse_invalid(
            rq, "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: "
                "Member must not be null");
    return name;
}

static struct log_group *group_of(struct request *rq)
{
    const char *name = group_name_of(rq);
    cleanup_free char *copy = name ? strdup(name) : NULL;
    if (!copy)
        return NULL;
    size_t len = strlen(copy);
    if (len > 2 && strcmp(copy + len - 2, ":*") == 0)
        copy[len - 2] = 0;
    struct log_group *group = log_group_find(rq->region, copy);
    return group ? group : refuse(rq, "ResourceNotFoundException", "The specified log group does not exist.");
}

static struct log_stream *stream_of(struct request *rq, struct log_group *group)
{
    const char *name = in_text(rq->in, "logStreamName");
    struct log_stream *stream = group && name ? log_stream_find(group, name) : NULL;
    if (group && !stream)
        refuse(rq, "ResourceNotFoundException", "The specified log stream does not exist.");
    return stream;
}

static json_t *create_log_group(struct request *rq)
{
    const char *name = group_name_of(rq);
    if (!name)
        return NULL;
    if (log_group_find(rq->region, name))
        return refuse(rq, "ResourceAlreadyExistsException", "The specified log group already exists");
    struct log_group *group = log_group_new(rq->region, name);
    if (!group)
        return NULL;
    group->record.tags = json_array();
    return json_object();
}

static json_t *delete_log_group(struct request *rq)
{
    struct log_group *group = group_of(rq);
    if (!group)
        return NULL;
    log_group_delete(group);
    return json_object();
}

static json_t *create_log_stream(struct request *rq)
{
    struct log_group *group = group_of(rq);
    const char *name = in_text(rq->in, "logStreamName");
    if (!group || !name)
        return NULL;
    if (log_stream_find(group, name))
        return refuse(rq, "ResourceAlreadyExistsException", "The specified log stream already exists");
    return log_stream_new(group, name) ? json_object() : NULL;
}

static json_t *delete_log_stream(struct request *rq)
{
    struct log_stream *stream = stream_of(rq, group_of(rq));
    if (!stream)
        return NULL;
    log_stream_delete(stream);
    return json_object();
}

static json_t *put_retention_policy(struct request *rq)
{
    struct log_group *group = group_of(rq);
    if (!group)
        return NULL;
    group->retention_days = in_int(rq->in, "retentionInDays", 0);
    record_dirty(&group->record);
    return json_object();
}

/* Lists of names in order: the token is the last name given. */
static bool is_behind(struct request *rq, const char *name)
{
    const char *token = in_text(rq->in, "nextToken");
    return !token || strcmp(name, token) > 0;
}

static json_t *describe_log_groups(struct request *rq)
{
    size_t limit = (size_t)in_int(rq->in, "limit", 50);
    const char *prefix = in_text(rq->in, "logGroupNamePrefix"),
               *pattern = in_text(rq->in, "logGroupNamePattern");
    json_t *list = json_array(), *reply = json_pack("{s:o}", "logGroups", list);
    const char *last = NULL;
    struct log_group *group;
    if (!rq->region->logs)
        return reply;
    TAILQ_FOREACH(group, &rq->region->logs->list, link)
    {
        if ((prefix && strncmp(group->name, prefix, strlen(prefix)) != 0) ||
            (pattern && !strstr(group->name, pattern)) || !is_behind(rq, group->name))
            continue;
        if (json_array_size(list) == limit) {
            json_object_set_new(reply, "nextToken", json_string(last));
            break;
        }
        last = group->name;
        json_t *row = json_pack("{s:s, s:I, s:i, s:o, s:s, s:I, s:s}", "logGroupName", group->name,
                                "creationTime", (json_int_t)group->created, "metricFilterCount", 0, "arn",
                                json_sprintf("%s:*", group->record.arn), "logGroupArn", group->record.arn,
                                "storedBytes", (json_int_t)0, "logGroupClass", "STANDARD");
        if (group->retention_days)
            json_object_set_new(row, "retentionInDays", json_integer(group->retention_days));
        json_array_append_new(list, row);
    }
    return reply;
}

static json_t *show_stream(const struct log_stream *stream)
{
    json_t *row = json_pack("{s:s, s:I, s:s, s:I, s:s}", "logStreamName", stream->name, "creationTime",
                            (json_int_t)stream->created, "arn", stream->record.arn, "storedBytes",
                            (json_int_t)0, "uploadSequenceToken", "49039859583480158489015823");
    if (stream->last_at) {
        json_object_set_new(row, "firstEventTimestamp", json_integer(stream->first_at));
        json_object_set_new(row, "lastEventTimestamp", json_integer(stream->last_at));
        json_object_set_new(row, "lastIngestionTime", json_integer(stream->ingested));
    }
    return row;
}

/* orderBy LastEventTime, newest first: a list of at most `limit`, without pages. */
static json_t *newest_streams(const struct log_group *group, size_t limit)
{
    json_t *list = json_array();
    const struct log_stream *stream;
    TAILQ_FOREACH(stream, &group->streams, link)
    {
        size_t at = 0;
        while (at < json_array_size(list) &&
               json_integer_value(json_object_get(json_array_get(list, at), "lastEventTimestamp")) >=
                   stream->last_at)
            at++;
        if (at < limit)
            json_array_insert_new(list, at, show_stream(stream));
        if (json_array_size(list) > limit)
            json_array_remove(list, limit);
    }
    return json_pack("{s:o}", "logStreams", list);
}

static json_t *describe_log_streams(struct request *rq)
{
    struct log_group *group = group_of(rq);
    size_t limit = (size_t)in_int(rq->in, "limit", 50);
    const char *prefix = in_text(rq->in, "logStreamNamePrefix"), *order = in_text(rq->in, "orderBy"),
               *last = NULL;
    if (!group)
        return NULL;
    if (order && strcmp(order, "LastEventTime") == 0)
        return prefix ? refuse_invalid(rq, "Cannot order by LastEventTime with a logStreamNamePrefix.")
                      : newest_streams(group, limit);
    json_t *list = json_array(), *reply = json_pack("{s:o}", "logStreams", list);
    struct log_stream *stream;
    TAILQ_FOREACH(stream, &group->streams, link)
    {
        if ((prefix && strncmp(stream->name, prefix, strlen(prefix)) != 0) || !is_behind(rq, stream->name))
            continue;
        if (json_array_size(list) == limit) {
            json_object_set_new(reply, "nextToken", json_string(last));
            break;
        }
        last = stream->name;
        json_array_append_new(list, show_stream(stream));
    }
    return reply;
}

static json_t *put_log_events(struct request *rq)
{
    struct log_stream *stream = stream_of(rq, group_of(rq));
    size_t i;
    json_t *event;
    if (!stream)
        return NULL;
    json_array_foreach(json_object_get(rq->in, "logEvents"), i, event)
    {
        const char *message = json_string_value(json_object_get(event, "message"));
        if (message)
            log_stream_write(stream, json_integer_value(json_object_get(event, "timestamp")), message);
    }
    return json_pack("{s:s}", "nextSequenceToken", "49039859583480158489015823");
}

static int64_t when(const json_t *line)
{
    return json_integer_value(json_array_get(line, 0));
}

static bool is_within(struct request *rq, const json_t *line)
{
    const json_t *start = json_object_get(rq->in, "startTime"), *end = json_object_get(rq->in, "endTime");
    return (!json_is_integer(start) || when(line) >= json_integer_value(start)) &&
           (!json_is_integer(end) || when(line) < json_integer_value(end));
}

static json_t *show_line(const json_t *line)
{
    return json_pack("{s:O, s:O, s:O}", "timestamp", json_array_get(line, 0), "message",
                     json_array_get(line, 2), "ingestionTime", json_array_get(line, 1));
}

static json_t *line_token(char way, uint64_t number)
{
    return json_sprintf("%c/%056" PRIu64 "/s", way, number);
}

/* A window of lines [from, to) by the token's direction: forward tokens go on behind the last line
 * given, backward tokens before the first. At an end the same token comes back. */
static json_t *get_log_events(struct request *rq)
{
    struct log_stream *stream = stream_of(rq, group_of(rq));
    if (!stream)
        return NULL;
    const char *token = in_text(rq->in, "nextToken");
    uint64_t begin = log_stream_begin(stream), from = begin, limit = (uint64_t)in_int(rq->in, "limit", 10000),
             number = 0;
    char way = in_bool(rq->in, "startFromHead") ? 'f' : 'b';
    if (token && (sscanf(token, "%c/%" SCNu64 "/s", &way, &number) != 2 || (way != 'f' && way != 'b')))
        return refuse_invalid(rq, "The specified nextToken is invalid.");
    json_t *events = json_array();
    uint64_t first, last;
    if (way == 'f') {
        from = token && number > begin ? number : begin;
        for (last = from; last < stream->end && json_array_size(events) < limit; last++)
            if (is_within(rq, log_stream_line(stream, last)))
                json_array_append_new(events, show_line(log_stream_line(stream, last)));
        first = from;
    } else {
        last = token && number < stream->end ? number : stream->end;
        for (first = last; first > begin && json_array_size(events) < limit; first--)
            if (is_within(rq, log_stream_line(stream, first - 1)))
                json_array_insert_new(events, 0, show_line(log_stream_line(stream, first - 1)));
    }
    return json_pack("{s:o, s:o, s:o}", "events", events, "nextForwardToken", line_token('f', last),
                     "nextBackwardToken", line_token('b', first));
}

/* A filter pattern, as far as terms that must all occur, "quoted" or not. */
static bool matches(const char *pattern, const char *message)
{
    cleanup_free char *copy = strdup(pattern ? pattern : "");
    char *rest = copy;
    while (copy && *rest) {
        rest += strspn(rest, " ");
        char *end = *rest == '"' ? strchr(++rest, '"') : rest + strcspn(rest, " ");
        bool last = !end || !*end;
        if (end)
            *end = 0;
        if (*rest && !strstr(message, rest))
            return false;
        if (last)
            break;
        rest = end + 1;
    }
    return true;
}

static bool is_wanted(struct request *rq, const struct log_stream *stream)
{
    const json_t *names = in_list(rq->in, "logStreamNames");
    const char *prefix = in_text(rq->in, "logStreamNamePrefix");
    return (!names || list_has(names, stream->name)) &&
           (!prefix || strncmp(stream->name, prefix, strlen(prefix)) == 0);
}

/* Streams one after the other; the token is "number/stream" of the line to go on with. */
static json_t *filter_log_events(struct request *rq)
{
    struct log_group *group = group_of(rq);
    if (!group)
        return NULL;
    size_t limit = (size_t)in_int(rq->in, "limit", 10000);
    const char *token = in_text(rq->in, "nextToken"), *pattern = in_text(rq->in, "filterPattern");
    const char *slash = token ? strchr(token, '/') : NULL;
    uint64_t number = 0;
    if (token && (!slash || sscanf(token, "%" SCNu64, &number) != 1))
        return refuse_invalid(rq, "The specified nextToken is invalid.");
    json_t *events = json_array(), *reply = json_pack("{s:o, s:[]}", "events", events, "searchedLogStreams");
    struct log_stream *stream;
    TAILQ_FOREACH(stream, &group->streams, link)
    {
        int order = slash ? strcmp(stream->name, slash + 1) : 1;
        if (order < 0 || !is_wanted(rq, stream))
            continue;
        uint64_t at = order == 0 ? number : log_stream_begin(stream);
        for (; at < stream->end; at++) {
            const json_t *line = log_stream_line(stream, at);
            if (!line || !is_within(rq, line) ||
                !matches(pattern, json_string_value(json_array_get(line, 2))))
                continue;
            if (json_array_size(events) == limit) {
                json_object_set_new(reply, "nextToken", json_sprintf("%" PRIu64 "/%s", at, stream->name));
                return reply;
            }
            json_t *event = show_line(line);
            json_object_set_new(event, "logStreamName", json_string(stream->name));
            json_object_set_new(event, "eventId",
                                json_sprintf("%056" PRIu64, (stream->record.sequence << 32) + at));
            json_array_append_new(events, event);
        }
    }
    return reply;
}

const struct operation logs_operations[] = {
    {"logs", "CreateLogGroup", create_log_group, BUCKET_LOGS, true},
    {"logs", "DeleteLogGroup", delete_log_group, BUCKET_LOGS, true},
    {"logs", "DescribeLogGroups", describe_log_groups, BUCKET_LOGS, false},
    {"logs", "PutRetentionPolicy", put_retention_policy, BUCKET_LOGS, true},
    {"logs", "CreateLogStream", create_log_stream, BUCKET_LOGS, true},
    {"logs", "DeleteLogStream", delete_log_stream, BUCKET_LOGS, true},
    {"logs", "DescribeLogStreams", describe_log_streams, BUCKET_LOGS, false},
    {"logs", "PutLogEvents", put_log_events, BUCKET_LOGS, true},
    {"logs", "GetLogEvents", get_log_events, BUCKET_LOGS, false},
    {"logs", "FilterLogEvents", filter_log_events, BUCKET_LOGS, false},
    {0},
};
