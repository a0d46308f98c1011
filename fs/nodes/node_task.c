/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/tasks/<task>/
 *
 *     $ grep -rl STOPPED clusters/prod/tasks --include=status
 *     $ echo "stuck on a lock" > clusters/prod/tasks/3f2a.../stop
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "changes/stream.h"
#include "tree/nodes.h"
#include "tree/show.h"

/* StopTask keeps at most 1024 characters of a reason. */
enum { REASON_MAX = 1024 };

static int store_stop(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strlen(text) > REASON_MAX)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "stop takes a reason of at most %d characters",
                       REASON_MAX);
    json_t *reason = json_string(text);
    if (reason == NULL)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "stop takes a reason in UTF-8");
    json_t *input = json_pack("{s:s, s:s, s:o}", "cluster", view_cluster(view), "task", view_task(view),
                              "reason", reason);
    *ret_action = fs_action("ecs", "StopTask", input, ECS_EFFECT_UPDATE, &view->key, "task");
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static const struct fs_node task_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "taskArn"},
    {"status", FS_FILE_R, .field = "lastStatus", .help = "PROVISIONING, PENDING, RUNNING, ... STOPPED"},
    {"desired-status", FS_FILE_R, .field = "desiredStatus"},
    {"task-definition", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .field = "taskDefinitionArn", .show = fs_show_short,
     .help = "family:revision"},
    {"started-by", FS_FILE_R, .field = "startedBy"},
    {"group", FS_FILE_R, .field = "group", .help = "\"service:web\", \"family:job\""},
    {"launch-type", FS_FILE_R, .field = "launchType"},
    {"created-at", FS_FILE_R, .field = "createdAt"},
    {"started-at", FS_FILE_R, .field = "startedAt"},
    {"stopped-at", FS_FILE_R, .field = "stoppedAt"},
    {"stopped-reason", FS_FILE_R, .field = "stoppedReason", .help = "why it stopped, once it has"},
    {"stop-code", FS_FILE_R, .field = "stopCode", .help = "EssentialContainerExited, UserInitiated, ..."},
    {"health", FS_FILE_R, .field = "healthStatus"},
    {"stop", FS_FILE_W, .store = store_stop, .help = "the reason; stops the task"},
    {"containers", FS_DIR, .children = fs_container_nodes},
    {"protection", FS_FILE_RW, FS_UNSIZED | FS_MAYBE, .present = fs_protection_present,
     .show = fs_protection_show, .store = fs_protection_store,
     .help = "of a service's task, from scale-in: \"on\", \"on MINUTES\", \"off\""},
    {"tags", FS_DIR, .children = fs_tag_nodes, .help = "AWS resource tags"},
    {0},
};

const struct fs_node fs_task_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_TASK), .accept = fs_accept_id, .children = task_rows},
    {"run", FS_FILE_RW, FS_UNLISTED, .stream = &fs_run_stream,
     .help = "write a family, family:revision, a RunTask or StartTask document; read the ids back"},
    {0},
};
