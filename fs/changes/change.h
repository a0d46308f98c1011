/* SPDX-License-Identifier: Apache-2.0 */
/* What mkdir, rmdir, unlink and symlink mean for a row: each makes the one call, or refuses. `view` is
 * that of the name; it has the row's key. Nothing is asked of AWS unless the operation must know more
 * (then FS_PARKED, and the same is called again). */
#ifndef FS_CHANGE_H
#define FS_CHANGE_H

#include "tree/node.h"

struct fs_scratch_file;

enum { FS_RECEIVED = 10, FS_KEPT };

/* A name that comes with something that belongs elsewhere, and would be made without a complaint. */
struct fs_misplaced {
    const char *name;      /* NULL ends a table */
    mode_t type;           /* S_IFREG, S_IFDIR: what is not made */
    const char *part_of;   /* "an OCI image layout" */
    const char *place;     /* where that goes, below the same directory: "oci" */
    const char *otherwise; /* how something of that name is made all the same; NULL: it is not */
};

struct fs_change {
    bool drafts; /* mkdir makes a draft (rule 12): a directory that is only here until it is saved */
    int (*mkdir)(struct fs_view *view, struct ecs_action **ret_action);
    /* Both only with -o allow_delete; `removes` says to who has not given it what it would do. */
    int (*rmdir)(struct fs_view *view, struct ecs_action **ret_action);
    int (*unlink)(struct fs_view *view, struct ecs_action **ret_action);
    /* A file that was written elsewhere here is renamed onto the name (of that spelling), or was written
     * under it and closed: a blob. FS_RECEIVED: it is at AWS, the file may go; FS_KEPT: it stays here under
     * that name until something else needs it; FS_PARKED, -errno. */
    int (*receive)(struct fs_view *view, const char *name, struct fs_scratch_file *file);
    const char *removes; /* "deletes the cluster" */
    /* Also of a link that stands there already: GNU ln -f makes a link of another name and renames it. */
    int (*symlink)(struct fs_view *view, const char *target, struct ecs_action **ret_action);
    const struct fs_misplaced *misplaced; /* of a directory: names that are not made in it; NULL: none */
};

extern const struct fs_change fs_cluster_change, fs_service_change, fs_family_change, fs_revision_change,
    fs_inactive_revision_change, fs_attribute_change, fs_instance_change;

/* Rows' show and store (change_task.c). */
int fs_protection_present(struct fs_view *view);
int fs_protection_show(struct fs_view *view, struct ecs_buf *text);
int fs_protection_store(struct fs_view *view, const char *text, struct ecs_action **ret_action);
int fs_attribute_store(struct fs_view *view, const char *text, struct ecs_action **ret_action);

extern const struct fs_change fs_repository_change, fs_repository_policy_change, fs_lifecycle_policy_change,
    fs_registry_policy_change, fs_image_change, fs_image_tag_change, fs_blob_change, fs_pull_through_change,
    fs_creation_template_change, fs_signing_change;

/* 32 hexadecimal digits: a clientToken. */
enum { FS_TOKEN_TEXT = 33 };
void fs_change_token(char token[FS_TOKEN_TEXT]);

#endif
