/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/<repository>/, nested at the slashes of its name
 *
 *     $ cat repositories/team/app/uri
 *     123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app
 *     $ ls -l repositories/team/app/image-tags
 *     stable -> ../images/sha256:4be1...
 */
#include <string.h>

#include "changes/change.h"
#include "changes/stream.h"
#include "documents/document.h"
#include "tree/nodes.h"
#include "tree/show.h"

static bool is_part(const char *part, size_t len)
{
    return len > 0 && strchr("._-", part[0]) == NULL && strchr("._-", part[len - 1]) == NULL;
}

/* Parts of letters and digits, with separators between them; what AWS would refuse is not asked for. */
bool fs_accept_repository(const char *id)
{
    if (strlen(id) > 256 || id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-/")] != '\0')
        return false;
    for (;; id++) {
        size_t len = strcspn(id, "/");
        if (!is_part(id, len))
            return false;
        id += len;
        if (*id == '\0')
            return true;
    }
}

static int has_lifecycle_policy(struct fs_view *view)
{
    struct ecs_doc *doc;
    return fs_view_doc(view, &doc);
}

#define NESTED_REPOSITORY                                                                        \
    {                                                                                            \
        NULL, FS_DIR, FS_NESTS, .of = FS_OF(ECS_REPOSITORY), .accept = fs_accept_repository,     \
                                .children = fs_repository_rows, .change = &fs_repository_change, \
                                .help = "its name nests: team/app is a directory in team/"       \
    }

const struct fs_node fs_repository_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"repository.json", FS_FILE_RW, FS_OF_DOC, .show = fs_document_show, .document = &fs_repository_document,
     .help = "tag mutability, scan on push; save to change them"},
    {"arn", FS_FILE_R, .field = "repositoryArn"},
    {"uri", FS_FILE_R, .field = "repositoryUri", .help = "what images are named by"},
    {"policy.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_REPOSITORY_POLICY),
     .show = fs_document_show, .document = &fs_repository_policy_document,
     .change = &fs_repository_policy_change,
     .help = "who may do what; absent when there is none; rm deletes it"},
    {"lifecycle-policy.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_LIFECYCLE_POLICY),
     .show = fs_document_show, .document = &fs_lifecycle_policy_document,
     .change = &fs_lifecycle_policy_change, .help = "what expires; absent when there is none; rm deletes it"},
    {"lifecycle-preview.json", FS_FILE_R, FS_UNLISTED | FS_UNSIZED | FS_MAYBE,
     .of = FS_OF(ECS_LIFECYCLE_POLICY), .present = has_lifecycle_policy, .show = fs_show_lifecycle_preview,
     .help = "what that policy would expire, and which of it runs now"},
    {"scanning.json", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_REPOSITORY_SCANNING),
     .show = fs_show_document, .help = "how often it is scanned, by the registry's rules too"},
    {"images", FS_DIR, .children = fs_image_nodes, .help = "by digest"},
    {"image-tags", FS_DIR, .children = fs_image_tag_nodes, .watches = FS_WATCH(ECS_IMAGE),
     .help = "links into images/"},
    {"tags", FS_DIR, .of = FS_OF(ECS_REPOSITORY_TAGS), .children = fs_repository_tag_nodes,
     .help = "AWS resource tags"},
    {"oci", FS_DIR, FS_UNLISTED | FS_SPOOLS, .children = fs_oci_nodes,
     .help = "an OCI image layout, for skopeo and umoci"},
    NESTED_REPOSITORY,
    {0},
};

const struct fs_node fs_repository_nodes[] = {
    NESTED_REPOSITORY,
    {"create", FS_FILE_RW, FS_UNLISTED, .stream = &fs_create_repository_stream,
     .help = "write a CreateRepository document, read the name back"},
    {0},
};
