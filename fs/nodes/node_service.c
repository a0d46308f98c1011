/* SPDX-License-Identifier: Apache-2.0 */
/* clusters/<cluster>/services/<service>/
 *
 *     $ cd clusters/prod/services/web
 *     $ cat desired-count running-count task-definition
 *     3
 *     3
 *     web:12
 *     $ echo 5 > desired-count
 *     $ echo web:13 > task-definition && cat stable
 *     stable
 */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "deployments.h"
#include "documents/document.h"
#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* ---- stores: each is one UpdateService ---- */

/* What it brought about is what `stable` waits for. */
static void updated(struct ecs_action *action, const struct ecs_error *error)
{
    if (error == NULL && action->doc != NULL)
        fs_stable_asked(action->arg, action->doc);
}

static struct ecs_action *update(struct fs_view *view, const char *member, json_t *value)
{
    json_t *input = json_pack("{s:s, s:s, s:o}", "cluster", view_cluster(view), "service", view_service(view),
                              member, value);
    struct ecs_action *action =
        fs_action("ecs", "UpdateService", input, ECS_EFFECT_UPDATE, &view->key, "service");
    if (action != NULL && strcmp(member, "forceNewDeployment") != 0)
        action->happened = fs_service_updated;
    if (action != NULL && fs_stable_watch(view->parent)) {
        action->finished = updated;
        action->arg = view->parent;
    }
    return action;
}

/* UpdateService takes an Integer. */
static bool parse_count(const char *text, json_int_t *ret_count)
{
    json_int_t count = 0;
    size_t len = strlen(text);
    if (len == 0 || strspn(text, "0123456789") != len)
        return false;
    for (; *text != '\0'; text++) {
        count = count * 10 + (*text - '0');
        if (count > INT32_MAX)
            return false;
    }
    *ret_count = count;
    return true;
}

static int store_desired_count(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_int_t count;
    if (!parse_count(text, &count))
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "desired-count takes a whole number, 0 or more; got \"%.64s\"", text);
    *ret_action = update(view, "desiredCount", json_integer(count));
    return *ret_action != NULL ? 0 : -ENOMEM;
}

/* A family, family:revision, or an ARN. What does not exist AWS refuses itself. */
static bool could_be_task_definition(const char *text)
{
    size_t len = strlen(text);
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr(":/_-.", *at) == NULL)
            return false;
    return len <= 2048 && text[0] != '-' && text[0] != ':';
}

static int store_task_definition(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (!could_be_task_definition(text))
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "task-definition takes \"family:revision\", \"family\" for its latest, or an ARN; got "
                       "\"%.64s\"",
                       text);
    *ret_action = update(view, "taskDefinition", json_string(text));
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int store_force(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strcmp(text, "1") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "force-new-deployment takes \"1\"; got \"%.64s\"",
                       text);
    *ret_action = update(view, "forceNewDeployment", json_true());
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static const struct fs_node link_rows[] = {
    {NULL, FS_LINK, .entries = &fs_tasks_of_service, .target = fs_task_link, .accept = fs_accept_id,
     .called = "<task>"},
    {0},
};

static const struct fs_node service_rows[] = {
    {"service.json", FS_FILE_RW, FS_OF_DOC, .show = fs_document_show, .document = &fs_service_document,
     .help = "what CreateService and UpdateService take; save to change the service"},
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "serviceArn"},
    {"status", FS_FILE_R, .field = "status", .help = "ACTIVE, DRAINING"},
    {"launch-type", FS_FILE_R, .field = "launchType"},
    {"created-at", FS_FILE_R, .field = "createdAt"},
    {"desired-count", FS_FILE_RW, .field = "desiredCount", .store = store_desired_count,
     .help = "how many tasks should run; write a number to scale"},
    {"running-count", FS_FILE_R, .field = "runningCount", .help = "how many do run"},
    {"pending-count", FS_FILE_R, .field = "pendingCount", .help = "how many are about to"},
    {"task-definition", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .field = "taskDefinition", .show = fs_show_short,
     .store = store_task_definition,
     .help = "what runs; write \"web:12\", \"web\" (its latest) or an ARN to deploy"},
    {"previous-task-definition", FS_FILE_R, FS_MAYBE, .show = fs_show_previous,
     .watches = FS_WATCH(ECS_SERVICE_DEPLOYMENT), .help = "what to write to task-definition to roll back"},
    {"rollout-state", FS_FILE_R, .field = "rolloutState", .help = "IN_PROGRESS, COMPLETED, FAILED"},
    {"rollout-reason", FS_FILE_R, .field = "rolloutStateReason",
     .help = "AWS's words; a circuit breaker that rolls back says so"},
    {"force-new-deployment", FS_FILE_W, .store = store_force, .help = "\"1\" replaces all tasks"},
    {"events", FS_FILE_R, FS_OF_DOC, .show = fs_show_events, .help = "oldest first; tail -f follows them"},
    {"stable", FS_FILE_R, FS_UNLISTED | FS_BLOCKS, .show = fs_show_stable,
     .help = "a read that waits for the newest deployment: stable, or an error"},
    {"tasks", FS_DIR, FS_WATCH_LISTS, .children = link_rows, .watches = FS_WATCH(ECS_TASK),
     .help = "links to its tasks"},
    {"deployments", FS_DIR, FS_MAYBE, .children = fs_deployment_nodes, .present = fs_deployments_present,
     .help = "what was deployed, when, and how it ended; newest first"},
    {"revisions", FS_DIR, FS_MAYBE, .children = fs_service_revision_nodes, .present = fs_deployments_present,
     .watches = FS_WATCH(ECS_SERVICE_DEPLOYMENT), .help = "the service revisions that these name"},
    {"task-sets", FS_DIR, FS_MAYBE, .children = fs_task_set_nodes, .present = fs_task_sets_present,
     .help = "of services with the EXTERNAL deployment controller"},
    {"tags", FS_DIR, .children = fs_tag_nodes, .help = "AWS resource tags"},
    {0},
};

const struct fs_node fs_service_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_SERVICE), .accept = fs_accept_name, .children = service_rows,
     .change = &fs_service_change},
    {0},
};
