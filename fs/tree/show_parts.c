/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"
#include "show.h"
#include "tree_private.h"

const char *fs_json_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

void fs_add_safe(struct ecs_buf *text, const char *value)
{
    for (const char *at = value; *at != '\0';) {
        size_t plain = 0;
        while ((unsigned char)at[plain] >= 0x20 && at[plain] != 0x7f &&
               !((unsigned char)at[plain] == 0xc2 && (unsigned char)at[plain + 1] < 0xa0))
            plain++;
        ecs_buf_add(text, at, plain);
        at += plain;
        if (*at == '\0')
            break;
        if (*at == '\n')
            ecs_buf_adds(text, "\\n");
        else if (*at == '\t')
            ecs_buf_adds(text, "\\t");
        else
            ecs_buf_addf(text, "\\x%02x", (unsigned char)*at);
        at++;
    }
}

int fs_show_document(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    size_t len;
    cleanup_free char *whole = ecs_doc_text(doc, &len);
    return whole != NULL ? ecs_buf_add(text, whole, len) : -ENOMEM;
}

void fs_add_short(struct ecs_buf *text, const char *arn)
{
    const char *slash = strrchr(arn, '/');
    fs_add_safe(text, slash != NULL ? slash + 1 : arn);
}

int fs_show_short(struct fs_view *view, struct ecs_buf *text)
{
    const char *arn;
    int r = fs_view_field(view, view->node->field, &arn);
    if (r == 0)
        fs_add_short(text, arn);
    return r;
}

int fs_view_tree(struct fs_view *view, json_t **ret_tree)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    if (r != 0)
        return r;
    *ret_tree = ecs_doc_tree(doc);
    return *ret_tree != NULL ? 0 : -ENOMEM;
}

void fs_add_age(struct ecs_buf *text, const struct fs_view *view, const char *time)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t then_ms;
    if (time == NULL || ecs_time_parse(time, &then_ms) < 0) {
        ecs_buf_adds(text, "-");
        return;
    }
    int64_t seconds = (fs_wall_ms(view->tree) - then_ms) / 1000;
    if (seconds < 0)
        seconds = 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (seconds >= units[i].seconds || units[i].seconds == 1) {
            ecs_buf_addf(text, "%lld%c", (long long)(seconds / units[i].seconds), units[i].unit);
            return;
        }
}

struct ecs_action *fs_action(const char *service, const char *operation, json_t *input,
                             enum ecs_effect effect, const struct ecs_key *key, const char *member)
{
    cleanup_buf struct ecs_buf body = ECS_BUF(FS_TEXT_MAX);
    ecs_json_add(&body, input, JSON_COMPACT);
    json_decref(input);
    char *text = ecs_buf_steal(&body, NULL);
    struct ecs_action *action =
        text != NULL ? ecs_action_new(service, operation, text, effect, key, member) : NULL;
    if (action != NULL)
        fs_action_again(action);
    return action;
}
