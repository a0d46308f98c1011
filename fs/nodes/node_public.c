/* SPDX-License-Identifier: Apache-2.0 */
/* public-repositories/<repository>/: ECR Public, in the form of repositories/. It has no lifecycle policies,
 * scans and tag mutability, but data for its gallery; and its API knows no manifests: they come from its
 * registry, one by one and with a token, so they are not listed.
 *
 *     $ cat public-repositories/tool/uri
 *     public.ecr.aws/e1234567/tool
 *     $ echo '{"description": "A tool", "architectures": ["ARM 64"]}' >public-repositories/tool/catalog.json
 */
#include "changes/change.h"
#include "documents/document.h"
#include "images/images.h"
#include "tree/nodes.h"
#include "tree/show.h"

static const struct fs_node image_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"manifest.json", FS_FILE_R, FS_UNLISTED | FS_UNSIZED | FS_RAW, .show = fs_image_show_manifest,
     .help = "byte for byte: it hashes to the digest"},
    {"config.json", FS_LINK, FS_MAYBE | FS_UNLISTED, .present = fs_image_config_present,
     .target = fs_image_config_link, .help = "link to its configuration: entry point, environment, labels"},
    {"pushed-at", FS_FILE_R, .field = "imagePushedAt"},
    {"size-bytes", FS_FILE_R, .field = "imageSizeInBytes", .help = "compressed"},
    {"image-tags", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .show = fs_image_show_tags, .help = "one a line"},
    {"in-use-by", FS_DIR, FS_WATCH_LISTS, .children = fs_image_user_nodes, .watches = FS_WATCH(ECS_TASK),
     .help = "links to the running tasks of this image, in every cluster"},
    {0},
};

static const struct fs_node image_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_PUBLIC_IMAGE), .accept = fs_accept_digest, .called = "sha256:<hex>",
     .children = image_rows, .change = &fs_image_change},
    {0},
};

static const struct fs_node repository_rows[];

#define NESTED_REPOSITORY                                                                               \
    {                                                                                                   \
        NULL, FS_DIR, FS_NESTS | FS_MAYBE, .of = FS_OF(ECS_PUBLIC_REPOSITORY),                          \
                                           .accept = fs_accept_repository, .children = repository_rows, \
                                           .change = &fs_repository_change, .called = "<repository>"    \
    }

static const struct fs_node repository_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"catalog.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_PUBLIC_CATALOG),
     .show = fs_document_show, .document = &fs_public_catalog_document,
     .help = "what the gallery shows: description, about, usage; a save replaces all of it"},
    {"arn", FS_FILE_R, .field = "repositoryArn"},
    {"uri", FS_FILE_R, .field = "repositoryUri", .help = "what images are named by"},
    {"policy.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_PUBLIC_POLICY),
     .show = fs_document_show, .document = &fs_public_policy_document, .change = &fs_repository_policy_change,
     .help = "who may push; absent when there is none; rm deletes it"},
    {"images", FS_DIR, .children = image_nodes, .help = "by digest"},
    {"image-tags", FS_DIR, .children = fs_image_tag_nodes, .watches = FS_WATCH(ECS_PUBLIC_IMAGE),
     .help = "links into images/"},
    {"tags", FS_DIR, .of = FS_OF(ECS_PUBLIC_TAGS), .children = fs_repository_tag_nodes,
     .help = "AWS resource tags"},
    {"oci", FS_DIR, FS_UNLISTED | FS_SPOOLS, .children = fs_oci_nodes,
     .help = "an OCI image layout, for skopeo and umoci"},
    NESTED_REPOSITORY,
    {0},
};

const struct fs_node fs_public_repository_nodes[] = {
    NESTED_REPOSITORY,
    {0},
};
