/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/<r>/lifecycle-preview.json: what the lifecycle policy would expire, and which of it runs now.
 * AWS works it out when it is asked to, one at a time for a repository; the read waits for it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "images.h"
#include "tree/nodes.h"
#include "tree/query.h"
#include "tree/tree_private.h"

enum { POLL_MS = 500, PAGE = 100, PAGES_MAX = 1000 };

enum stage { START, POLL, USERS };

struct preview {
    enum stage stage;
    struct fs_query query;
    json_t *whole, *results; /* the last answer; the results of all pages */
    char *token;
    int pages;
};

static void free_preview(void *memory)
{
    struct preview *preview = memory;
    fs_query_free(&preview->query);
    json_decref(preview->whole);
    json_decref(preview->results);
    free(preview->token);
    free(preview);
}

static struct preview *preview_of(struct fs_request *rq)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress != NULL && progress->memory == NULL) {
        struct preview *preview = calloc(1, sizeof(*preview));
        if (preview == NULL)
            return NULL;
        preview->results = json_array();
        progress->memory = preview;
        progress->memory_free = free_preview;
    }
    return progress != NULL && progress->memory_free == free_preview ? progress->memory : NULL;
}

/* One that is under way already is as good. */
static int start(struct fs_view *view, struct preview *preview)
{
    json_t *reply = NULL;
    int r = 0;
    if (preview->query.action == NULL)
        r = fs_query_begin(&preview->query, "ecr", "StartLifecyclePolicyPreview",
                           fs_query_body(json_pack("{s:s}", "repositoryName", view->key.id)), true);
    if (r == 0)
        r = fs_query_wait(view, &preview->query, &reply);
    json_decref(reply);
    const struct ecs_error *error = view->rq->progress->error;
    if (r < 0 && error != NULL && strcmp(error->code, "LifecyclePolicyPreviewInProgressException") == 0) {
        view->rq->progress->error = ecs_error_unref(view->rq->progress->error);
        r = 0;
    }
    preview->stage = r == 0 ? POLL : START;
    return r;
}

static char *make_get(struct fs_view *view, const struct preview *preview)
{
    json_t *input = json_pack("{s:s, s:i}", "repositoryName", view->key.id, "maxResults", PAGE);
    if (input != NULL && preview->token != NULL)
        json_object_set_new(input, "nextToken", json_string(preview->token));
    return fs_query_body(input);
}

/* A page, or word that it is not done yet. */
static int take(struct fs_view *view, struct preview *preview, json_t *reply)
{
    const char *status = json_string_value(json_object_get(reply, "status"));
    const char *token = json_string_value(json_object_get(reply, "nextToken"));
    if (status != NULL && strcmp(status, "IN_PROGRESS") == 0)
        return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + POLL_MS);
    json_array_extend(preview->results, json_object_get(reply, "previewResults"));
    json_decref(preview->whole);
    preview->whole = json_incref(reply);
    free(preview->token);
    preview->token = token != NULL && ++preview->pages < PAGES_MAX ? strdup(token) : NULL;
    preview->stage = preview->token != NULL ? POLL : USERS;
    return 0;
}

static int poll(struct fs_view *view, struct preview *preview)
{
    json_t *reply = NULL;
    int r = 0;
    if (preview->query.action == NULL)
        r = fs_query_begin(&preview->query, "ecr", "GetLifecyclePolicyPreview", make_get(view, preview),
                           true);
    if (r == 0)
        r = fs_query_wait(view, &preview->query, &reply);
    if (r == 0)
        r = take(view, preview, reply);
    json_decref(reply);
    return r;
}

/* "inUseBy": ["prod:3f2a..."] with each image that runs. */
static int add_users(struct fs_view *view, const char *uri, json_t *result)
{
    const char *digest = json_string_value(json_object_get(result, "imageDigest")), *user;
    const json_t *users = NULL;
    json_t *value, *names;
    int r = digest != NULL ? fs_image_users(view, uri, digest, &users) : 0;
    if (r != 0 || users == NULL)
        return r;
    names = json_array();
    json_object_foreach((json_t *)users, user, value) json_array_append_new(names, json_string(user));
    return json_object_set_new(result, "inUseBy", names) < 0 ? -ENOMEM : 0;
}

static int write_out(struct fs_view *view, struct preview *preview, struct ecs_buf *text)
{
    struct ecs_key key = {ECS_REPOSITORY, "", view->key.id};
    struct ecs_doc *repository;
    json_t *result;
    size_t i;
    int r = fs_view_doc_of(view, &key, &repository);
    const char *uri = r == 0 ? ecs_doc_field(repository, "repositoryUri") : NULL;
    json_array_foreach(preview->results, i, result) if (r == 0) r =
        add_users(view, uri != NULL ? uri : "", result);
    if (r != 0)
        return r;
    json_object_set(preview->whole, "previewResults", preview->results);
    json_object_del(preview->whole, "nextToken");
    size_t len;
    cleanup_doc struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_LIFECYCLE_POLICY], preview->whole);
    char *whole = doc != NULL ? ecs_doc_text(doc, &len) : NULL;
    r = whole != NULL ? ecs_buf_add(text, whole, len) : -ENOMEM;
    free(whole);
    return r;
}

int fs_show_lifecycle_preview(struct fs_view *view, struct ecs_buf *text)
{
    if (view->rq->peek || view->tree->cache == NULL)
        return FS_PARKED;
    struct preview *preview = preview_of(view->rq);
    view->rq->patient = true; /* AWS takes its time */
    int r = preview != NULL && preview->results != NULL ? 0 : -ENOMEM;
    while (r == 0 && preview->stage != USERS)
        r = preview->stage == START ? start(view, preview) : poll(view, preview);
    return r == 0 ? write_out(view, preview, text) : r;
}
