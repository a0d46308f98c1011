/* SPDX-License-Identifier: Apache-2.0 */
/* Every change made through this mount: in memory for .ecsfs/journal, and appended to a file. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"
#include "ecsfs/log.h"
#include "show.h"
#include "tree_private.h"

/* Lines kept in memory; the file keeps all. */
enum { KEPT = 1024, LINE_BYTES = 16384, ARGUMENT_BYTES = 256, NAMES_BYTES = 2048 };

struct fs_journal {
    char *ring[KEPT];
    size_t at;
    int fd; /* -1: memory only */
};

struct fs_journal *fs_journal_new(const char *file)
{
    struct fs_journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL)
        return NULL;
    journal->fd = -1;
    if (file != NULL)
        journal->fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file != NULL && journal->fd < 0) {
        int failed = errno;
        free(journal);
        errno = failed;
        return NULL;
    }
    return journal;
}

struct fs_journal *fs_journal_free(struct fs_journal *journal)
{
    if (journal == NULL)
        return NULL;
    for (size_t i = 0; i < KEPT; i++)
        free(journal->ring[i]);
    if (journal->fd >= 0)
        close(journal->fd);
    free(journal);
    return NULL;
}

static void write_row(const struct fs_journal_row *row, struct ecs_buf *line)
{
    char when[ECS_TIME_TEXT];
    ecs_buf_addf(line, "%s uid=%u pid=%d ", ecs_time_format(row->wall_ms, when), (unsigned)row->uid,
                 (int)row->pid);
    fs_add_safe(line, row->path); /* a name may be anything; a line stays one line */
    ecs_buf_addf(line, " %s", row->operation);
    if (row->arguments != NULL && row->arguments[0] != '\0')
        ecs_buf_addf(line, " %s", row->arguments);
    if (row->error == NULL)
        ecs_buf_addf(line, ": %s", row->note != NULL ? row->note : "ok");
    else
        ecs_buf_addf(line, ": %s: %s", row->error->code, row->error->message);
    if (row->error != NULL && row->error->request_id[0] != '\0')
        ecs_buf_addf(line, " (request %s)", row->error->request_id);
    ecs_buf_adds(line, "\n");
}

/* One write(2) a line: O_APPEND keeps the lines of several mounts whole. */
void fs_journal_add(struct fs_journal *journal, const struct fs_journal_row *row)
{
    struct ecs_buf line = ECS_BUF(LINE_BYTES);
    write_row(row, &line);
    if (line.failed == -EFBIG) { /* cut, but still a line of its own */
        line.failed = 0;
        ecs_buf_truncate(&line, line.len < LINE_BYTES - 4 ? line.len : LINE_BYTES - 4);
        ecs_buf_adds(&line, "...\n");
    }
    size_t len;
    char *text = ecs_buf_steal(&line, &len);
    if (text == NULL)
        return;
    if (journal->fd >= 0 && write(journal->fd, text, len) != (ssize_t)len)
        ecs_debug("journal: %s", strerror(errno));
    free(journal->ring[journal->at]);
    journal->ring[journal->at] = text;
    journal->at = (journal->at + 1) % KEPT;
}

int fs_journal_show(const struct fs_journal *journal, struct ecs_buf *text)
{
    for (size_t i = 0; i < KEPT; i++) {
        const char *line = journal->ring[(journal->at + i) % KEPT];
        if (line != NULL)
            ecs_buf_adds(text, line);
    }
    return text->failed;
}

/* Members that say what was done and to what; of everything else, which may be a document, a secret, or both,
 * the name alone is told. */
static const char *const told[] = {
    "cluster",
    "clusterName",
    "clusters",
    "service",
    "serviceName",
    "task",
    "tasks",
    "family",
    "taskDefinition",
    "taskDefinitions",
    "desiredCount",
    "forceNewDeployment",
    "force",
    "reason",
    "count",
    "name",
    "containerInstance",
    "status",
    "resourceArn",
    "tagKeys",
    "taskSet",
    "primaryTaskSet",
    "protectionEnabled",
    "expiresInMinutes",
    "capacityProvider",
    "stopType",
    "serviceDeploymentArn",
    "containerInstances",
    "repositoryName",
    "imageTag",
    "imageTagMutability",
    "value",
    "launchType",
    "platformVersion",
    "propagateTags",
    "availabilityZoneRebalancing",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "healthCheckGracePeriodSeconds",
};

static bool is_told(const char *member)
{
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (strcmp(told[i], member) == 0)
            return true;
    return false;
}

static void add_value(struct ecs_buf *text, json_t *value)
{
    cleanup_free char *dump = ecs_json_text(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *plain = json_string_value(value);
    if (dump == NULL)
        return;
    if (plain != NULL && strpbrk(plain, " \"\\=") == NULL && strlen(dump) == strlen(plain) + 2)
        ecs_buf_addf(text, "%.*s", ARGUMENT_BYTES, plain);
    else
        ecs_buf_addf(text, "%.*s", ARGUMENT_BYTES, dump);
}

static void add_member(struct ecs_buf *text, const char *member, json_t *value)
{
    ecs_buf_addf(text, "%s%s=", text->len > 0 ? " " : "", member);
    add_value(text, value);
}

/* An attribute is a line that somebody wrote, as a count is. */
static void add_attributes(struct ecs_buf *text, json_t *attributes)
{
    static const char *const parts[] = {"name", "value"};
    json_t *attribute = json_array_get(attributes, 0); /* one file, one attribute */
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        json_t *value = json_object_get(attribute, parts[i]);
        if (value != NULL)
            add_member(text, parts[i], value);
    }
}

/* An empty list removes what was there. */
static void add_name(struct ecs_buf *text, const char *member, const json_t *value)
{
    const char *is = "...";
    if (json_is_object(value))
        is = "{...}";
    else if (json_is_array(value))
        is = json_array_size(value) > 0 ? "[...]" : "[]";
    if (text->len < NAMES_BYTES)
        ecs_buf_addf(text, "%s%.64s=%s", text->len > 0 ? " " : "", member, is);
}

/* A registration sends all there is: its members' names tell nothing. A token is of no meaning to anybody. */
static bool has_names(const char *operation, const char *member)
{
    return strcmp(operation, "RegisterTaskDefinition") != 0 && strcmp(member, "clientToken") != 0;
}

int fs_journal_arguments(const char *operation, const char *body, struct ecs_buf *text)
{
    json_t *input = json_loads(body != NULL ? body : "{}", 0, NULL);
    const char *member;
    json_t *value;
    json_object_foreach(input, member, value)
    {
        if (is_told(member))
            add_member(text, member, value);
    }
    json_object_foreach(input, member, value)
    {
        if (strcmp(member, "attributes") == 0)
            add_attributes(text, value);
        else if (!is_told(member) && has_names(operation, member))
            add_name(text, member, value);
    }
    json_decref(input);
    return text->failed;
}
