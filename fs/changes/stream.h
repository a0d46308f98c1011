/* SPDX-License-Identifier: Apache-2.0 */
/* Transaction files: what is written acts, and the answer is read back on the same descriptor.
 *
 *     $ exec 3<>tasks/run; echo job >&3; read -r id <&3
 *
 * Each line acts, as soon as its write(2) brings the newline, or at the end of the write; a JSON object
 * acts once it is complete. Reads give what is unread, and are at the end of file before the first write. */
#ifndef FS_STREAM_H
#define FS_STREAM_H

#include "tree/node.h"

struct fs_stream {
    const char *takes; /* for messages: "a task definition or a RunTask document" */
    /* As fs_node.store; `text` is a line, trimmed, or a JSON object. */
    int (*act)(struct fs_view *view, const char *text, struct ecs_action **ret_action);
    /* What the descriptor reads then; `reply` is AWS's whole answer. 0, or -errno: what it says is a failure.
     */
    int (*answer)(struct fs_view *view, const struct json_t *reply, struct ecs_buf *out);
};

struct fs_document;

/* The document that a stream was given, held against its operation's shape; what is wrong with it is told.
 * *ret_input: a new reference. 0 or -errno. */
int fs_stream_read(struct fs_view *view, const struct fs_document *document, const char *text,
                   struct json_t **ret_input);

extern const struct fs_stream fs_run_stream, fs_create_cluster_stream, fs_create_repository_stream,
    fs_create_task_set_stream, fs_create_capacity_provider_stream;

#endif
