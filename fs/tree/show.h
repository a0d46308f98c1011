/* SPDX-License-Identifier: Apache-2.0 */
/* What several rows' shows share: text that is safe on a terminal, tables for people, whole documents. */
#ifndef FS_SHOW_H
#define FS_SHOW_H

#include "node.h"

struct json_t;

/* Adds text of AWS's; control characters (a newline too) as "\n" or "\x1b", so that one value stays one
 * line and no terminal obeys it. */
void fs_add_safe(struct ecs_buf *text, const char *value);

/* A fs_node.show: all that AWS says of the row's document (describe.json). FS_OF_DOC. */
int fs_show_document(struct fs_view *view, struct ecs_buf *text);
/* A fs_node.show: the short form of the ARN in the row's `field`: "web:12", "3f2a...". FS_OF_DOC. */
int fs_show_short(struct fs_view *view, struct ecs_buf *text);
/* Adds what follows the last '/' of an ARN. */
void fs_add_short(struct ecs_buf *text, const char *arn);

/* The row's document as a tree: a new reference. 0, FS_PARKED, -errno. */
int fs_view_tree(struct fs_view *view, struct json_t **ret_tree);

/* A member's text; "" when it has none. Borrowed from the object. */
const char *fs_json_text(const struct json_t *object, const char *member);

/* "45s", "12m", "3h", "20d": how long ago that was; "-" for NULL. */
void fs_add_age(struct ecs_buf *text, const struct fs_view *view, const char *time);

/* A table for people: columns as wide as their widest cell, two spaces between, no trailing ones. */
struct fs_table;
enum { FS_TABLE_COLUMNS = 8 };
/* `columns`: headers, NULL-terminated; one that begins with '>' is set to the right (numbers).
 * NULL: out of memory. */
struct fs_table *fs_table_new(const char *const *columns);
struct fs_table *fs_table_free(struct fs_table *table);
/* The next cell, row by row; NULL shows "-". Errors are kept for fs_table_write. */
void fs_table_cell(struct fs_table *table, const char *value);
/* Rows are sorted by their first cell. 0 or -errno. */
int fs_table_write(struct fs_table *table, struct ecs_buf *text);

/* ---- actions ---- */

/* The changing call of a store. `input` is taken over, also on failure. NULL: out of memory. */
struct ecs_action *fs_action(const char *service, const char *operation, struct json_t *input,
                             enum ecs_effect effect, const struct ecs_key *key, const char *member);
/* Has it sent once more when its answer is lost, if its operation can be (act_again.c). fs_action does so. */
void fs_action_again(struct ecs_action *action);

#endif
