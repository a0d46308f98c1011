/* SPDX-License-Identifier: Apache-2.0 */
/* What making and removing names does to clusters, services and task definitions. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "change.h"
#include "tree/show.h"

static int made(struct ecs_action *action, struct ecs_action **ret_action)
{
    *ret_action = action;
    return action ? 0 : -ENOMEM;
}

/* ---- clusters ---- */

static int create_cluster(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "clusterName", view->key.id);
    return made(fs_action("ecs", "CreateCluster", input, ECS_EFFECT_CREATE, &view->key, "cluster"),
                ret_action);
}

static int delete_cluster(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "cluster", view->key.id);
    return made(fs_action("ecs", "DeleteCluster", input, ECS_EFFECT_DELETE, &view->key, NULL), ret_action);
}

const struct fs_change fs_cluster_change = {
    .mkdir = create_cluster,
    .rmdir = delete_cluster,
    .removes = "deletes the cluster",
};

/* ---- services ---- */

/* AWS refuses while tasks are wanted: scale to 0 first. */
static int delete_service(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s, s:s}", "cluster", view->key.parent, "service", view->key.id);
    return made(fs_action("ecs", "DeleteService", input, ECS_EFFECT_DELETE, &view->key, NULL), ret_action);
}

const struct fs_change fs_service_change = {
    .drafts = true,
    .rmdir = delete_service,
    .removes = "deletes the service",
};

/* ---- task definitions ---- */

/* A family is gone with its last ACTIVE revision; there is no call for it. */
static int refuse_family(struct fs_view *view, struct ecs_action **ret_action)
{
    return fs_fail(view->rq, -ENOTEMPTY, "FamilyHasRevisions",
                   "a family goes with its last revision: rm the revisions of %s", view->name);
}

const struct fs_change fs_family_change = {
    .drafts = true,
    .rmdir = refuse_family,
    .removes = "is done by removing its revisions, each of which is deregistered",
};

static char *revision_name(const struct fs_view *view, char *name, size_t size)
{
    snprintf(name, size, "%s:%s", view->key.parent, view->key.id);
    return name;
}

static int deregister(struct fs_view *view, struct ecs_action **ret_action)
{
    char name[512];
    json_t *input = json_pack("{s:s}", "taskDefinition", revision_name(view, name, sizeof(name)));
    return made(fs_action("ecs", "DeregisterTaskDefinition", input, ECS_EFFECT_DELETE, &view->key, NULL),
                ret_action);
}

const struct fs_change fs_revision_change = {
    .unlink = deregister,
    .removes = "deregisters the revision",
};

static int delete_definition(struct fs_view *view, struct ecs_action **ret_action)
{
    char name[512];
    json_t *input = json_pack("{s:[s]}", "taskDefinitions", revision_name(view, name, sizeof(name)));
    /* HTTP 200 with failures[] is a failure: the member has the reply looked at */
    return made(
        fs_action("ecs", "DeleteTaskDefinitions", input, ECS_EFFECT_DELETE, &view->key, "taskDefinitions"),
        ret_action);
}

const struct fs_change fs_inactive_revision_change = {
    .unlink = delete_definition,
    .removes = "deletes the revision for ever",
};
