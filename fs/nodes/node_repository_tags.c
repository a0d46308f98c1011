/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/<repository>/tags/<key>: AWS resource tags. DescribeRepositories leaves them out, so they are
 * a document of their own, and ECR writes Key where ECS writes key. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "images/repositories.h"
#include "tree/nodes.h"
#include "tree/show.h"

static int list_tags(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    json_t *tree, *tag;
    int r = fs_view_tree(directory, &tree);
    if (r != 0)
        return r;
    size_t i;
    json_array_foreach(json_object_get(tree, "tags"), i,
                       tag) if (r == 0 && fs_json_text(tag, "Key")[0] != '\0') r =
        emit(arg, fs_json_text(tag, "Key"));
    json_decref(tree);
    return r;
}

static int show_tag(struct fs_view *view, struct ecs_buf *text)
{
    json_t *tree, *tag;
    int r = fs_view_tree(view, &tree);
    if (r != 0)
        return r;
    size_t i;
    r = -ENOENT;
    json_array_foreach(json_object_get(tree, "tags"), i, tag)
    {
        if (strcmp(fs_json_text(tag, "Key"), view->id) != 0)
            continue;
        fs_add_safe(text, fs_json_text(tag, "Value"));
        r = text->failed;
    }
    json_decref(tree);
    return r;
}

static int has_tag(struct fs_view *child)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(FS_TEXT_MAX);
    return show_tag(child, &text);
}

/* The calls take the repository's ARN. Takes the member's value over. */
static int make(struct fs_view *view, const char *operation, const char *member, json_t *value,
                struct ecs_action **ret_action)
{
    const struct fs_repositories *sides = fs_repositories_of(view);
    struct ecs_key key = {sides->repository, view->key.parent, view->key.id};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    const char *arn = r == 0 ? ecs_doc_field(doc, "repositoryArn") : NULL;
    if (arn == NULL) {
        json_decref(value);
        return r != 0 ? r : -EIO;
    }
    json_t *input = json_pack("{s:s, s:o}", "resourceArn", arn, member, value);
    *ret_action = fs_action(sides->service, operation, input, ECS_EFFECT_FORGET, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int store_tag(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *tags = json_pack("[{s:s, s:s}]", "Key", view->id, "Value", text);
    if (tags == NULL)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "a tag takes text in UTF-8");
    return make(view, "TagResource", "tags", tags, ret_action);
}

static int untag(struct fs_view *view, struct ecs_action **ret_action)
{
    return make(view, "UntagResource", "tagKeys", json_pack("[s]", view->id), ret_action);
}

static const struct fs_entries tags = {.list = list_tags, .has = has_tag};
static const struct fs_change change = {.unlink = untag, .removes = "removes the tag"};

const struct fs_node fs_repository_tag_nodes[] = {
    {NULL, FS_FILE_RW, FS_OF_DOC, .entries = &tags, .show = show_tag, .store = store_tag, .change = &change,
     .called = "<key>", .help = "the tag's value; a new name is a new tag"},
    {0},
};
