/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a repository's images from all of them: which digest a tag names; and of all tasks: who
 * runs which image. Made once for all questions until something shown changes. */
#ifndef FS_IMAGES_H
#define FS_IMAGES_H

#include <stdbool.h>

#include "tree/node.h"

struct json_t;

/* {tag: digest} of the view's repository; borrowed until the next operation. 0, FS_PARKED, -errno. */
int fs_image_tags(struct fs_view *view, const struct json_t **ret_tags);

/* {"<cluster>:<task>": true} of running tasks with a container of that digest from that repository, borrowed
 * until the next operation; NULL: none. Asks for all tasks of all clusters. 0, FS_PARKED, -errno. */
int fs_image_users(struct fs_view *view, const char *uri, const char *digest,
                   const struct json_t **ret_users);

/* digest.c: "sha256:<hex>" and NUL: 72 bytes. */
void fs_digest_of(const void *data, size_t len, char digest[72]);
/* Do these bytes hash to it? */
bool fs_digest_matches(const char *digest, const void *data, size_t len);
/* 0, or -EPROTO told to the user: what AWS sent is not what the digest names. */
int fs_check_digest(struct fs_request *rq, const char *digest, const void *data, size_t len);

/* Shows and targets of an image's rows, in both kinds of repositories (node_image.c). */
int fs_image_show_tags(struct fs_view *view, struct ecs_buf *text);
int fs_image_show_manifest(struct fs_view *view, struct ecs_buf *text);
int fs_image_config_link(struct fs_view *view, struct ecs_buf *target);
int fs_image_config_present(struct fs_view *view);
extern const struct fs_node fs_image_user_nodes[]; /* in-use-by/ */

/* Is the view's repository filled by a pull-through cache rule (pull_through.c)? 0, FS_PARKED, -errno. */
int fs_is_pull_through(struct fs_view *view, bool *ret_is);

/* Adds the repository's place below repositories/, as names of the tree: "team/%69mages". 0, -ENOMEM, -EFBIG.
 */
int fs_add_repository_path(const char *name, struct ecs_buf *target);

/* Adds ".." as often as it takes from the link's directory to the root of its tree, with slashes between. */
int fs_add_way_up(const struct fs_view *link, struct ecs_buf *target);

#endif
