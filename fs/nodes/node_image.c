/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/<repository>/images/<digest>/ and image-tags/<tag>
 *
 *     $ grep -l CRITICAL repositories/team/app/images/<digest>/severity
 *     $ ls repositories/team/app/images/<digest>/in-use-by
 *     prod:3f2a1c...
 *     $ ln -sfn ../images/sha256:4be1... repositories/team/app/image-tags/stable
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "changes/change.h"
#include "images/images.h"
#include "images/manifest.h"
#include "images/oci.h"
#include "images/repositories.h"
#include "tree/nodes.h"
#include "tree/rows.h"
#include "tree/show.h"
#include "tree/text.h"

static bool accept_tag(const char *id)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return id[0] != '\0' && strchr(first, id[0]) != NULL && strlen(id) <= 300 &&
           id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == '\0';
}

/* ---- parts of the image's document ---- */

int fs_image_show_tags(struct fs_view *view, struct ecs_buf *text)
{
    json_t *image, *tag;
    int r = fs_view_tree(view, &image);
    if (r != 0)
        return r;
    size_t i;
    json_array_foreach(json_object_get(image, "imageTags"), i, tag)
    {
        fs_add_safe(text, json_string_value(tag) != NULL ? json_string_value(tag) : "");
        ecs_buf_adds(text, "\n");
    }
    json_decref(image);
    return text->failed != 0 ? text->failed : text->len > 0 ? 0 : -ENOENT;
}

/* Worst first. */
static const char *const severities[] = {"CRITICAL",      "HIGH",      "MEDIUM",   "LOW",
                                         "INFORMATIONAL", "UNDEFINED", "UNTRIAGED"};

/* "CRITICAL 2"; a scan that found nothing is an empty file. */
static int show_severity(struct fs_view *view, struct ecs_buf *text)
{
    json_t *image;
    int r = fs_view_tree(view, &image);
    if (r != 0)
        return r;
    const json_t *summary = json_object_get(image, "imageScanFindingsSummary");
    const json_t *counts = json_object_get(summary, "findingSeverityCounts");
    for (size_t i = 0; i < sizeof(severities) / sizeof(*severities); i++) {
        const json_t *count = json_object_get(counts, severities[i]);
        if (json_is_integer(count))
            ecs_buf_addf(text, "%s %lld\n", severities[i], (long long)json_integer_value(count));
    }
    r = json_is_object(summary) ? text->failed : -ENOENT;
    json_decref(image);
    return r;
}

/* Of an image that was never scanned AWS says nothing at all. */
static int scan_present(struct fs_view *view)
{
    struct ecs_key key = {ECS_IMAGE, view->key.parent, view->key.id};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    if (r != 0)
        return r;
    return ecs_doc_field(doc, "scanStatus") != NULL || ecs_doc_field(doc, "scanCompletedAt") != NULL
               ? 0
               : -ENOENT;
}

/* ---- manifest.json: AWS's bytes ---- */

int fs_image_show_manifest(struct fs_view *view, struct ecs_buf *text)
{
    return fs_manifest_bytes(view, view->key.parent, view->key.id, text);
}

/* The configuration is a blob: a link, so that a walk downloads nothing. An index has none. */
int fs_image_config_link(struct fs_view *view, struct ecs_buf *target)
{
    cleanup_buf struct ecs_buf bytes = ECS_BUF(FS_TEXT_MAX);
    int r = fs_manifest_bytes(view, view->key.parent, view->key.id, &bytes);
    if (r != 0)
        return r;
    cleanup_manifest struct fs_manifest manifest = {0};
    r = fs_manifest_read(bytes.data, bytes.len, &manifest);
    if (r == 0 && !manifest.has_config)
        r = -ENOENT;
    return r == 0 ? ecs_buf_addf(target, "../../oci/blobs/sha256/%s", manifest.parts[0].digest + 7) : r;
}

/* In a pull-through repository what reads the manifest is there for who names it, and is not listed. */
static int listed(struct fs_view *view)
{
    bool pull_through;
    int r = fs_is_pull_through(view, &pull_through);
    return r == 0 && pull_through && view->rq->listing ? -ENOENT : r;
}

static int manifest_size(struct fs_view *view, off_t *ret_size)
{
    bool pull_through;
    int r = fs_is_pull_through(view, &pull_through);
    *ret_size = 0;
    return r != 0 || pull_through ? r : fs_text_size(view, ret_size);
}

int fs_image_config_present(struct fs_view *view)
{
    cleanup_buf struct ecs_buf target = ECS_BUF(4096);
    int r = fs_repositories_of(view)->is_public ? 0 : listed(view);
    return r == 0 ? fs_image_config_link(view, &target) : r;
}

/* ---- in-use-by/<cluster>:<task> ---- */

static int users_of(struct fs_view *view, const json_t **ret_users)
{
    struct ecs_key key = {fs_repositories_of(view)->repository, "", view->key.parent};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    const char *uri = r == 0 ? ecs_doc_field(doc, "repositoryUri") : NULL;
    if (r != 0)
        return r;
    return fs_image_users(view, uri != NULL ? uri : "", view->key.id, ret_users);
}

static int list_users(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    const json_t *users;
    const char *user;
    json_t *value;
    int r = users_of(directory, &users);
    if (r == 0)
        json_object_foreach((json_t *)users, user, value) if (r == 0) r = emit(arg, user);
    return r;
}

static int has_user(struct fs_view *child)
{
    const json_t *users;
    int r = users_of(child, &users);
    return r != 0 ? r : json_object_get(users, child->id) != NULL ? 0 : -ENOENT;
}

static int user_link(struct fs_view *view, struct ecs_buf *target)
{
    const char *colon = strchr(view->id, ':');
    if (colon == NULL)
        return -ENOENT;
    fs_add_way_up(view, target);
    return ecs_buf_addf(target, "/clusters/%.*s/tasks/%s", (int)(colon - view->id), view->id, colon + 1);
}

static const struct fs_entries users = {.list = list_users, .has = has_user};

const struct fs_node fs_image_user_nodes[] = {
    {NULL, FS_LINK, .entries = &users, .target = user_link, .called = "<cluster>:<task>"},
    {0},
};

/* ---- referrers/<digest>: signatures, attestations and the like, whose manifests name this one ---- */

static int list_referrers(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key = {ECS_IMAGE, directory->key.parent, ""};
    const struct ecs_list *list;
    int r = fs_view_all(directory, &key, &list);
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        struct ecs_key image = {ECS_IMAGE, key.parent, ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(directory, &image);
        const char *subject = doc != NULL ? ecs_doc_field(doc, "subject") : NULL;
        if (subject != NULL && strcmp(subject, directory->key.id) == 0)
            r = emit(arg, image.id);
    }
    return r;
}

static int has_referrer(struct fs_view *child)
{
    struct ecs_key key = {ECS_IMAGE, child->key.parent, child->id};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(child, &key, &doc);
    const char *subject = r == 0 ? ecs_doc_field(doc, "subject") : NULL;
    return r != 0 ? r : subject != NULL && strcmp(subject, child->key.id) == 0 ? 0 : -ENOENT;
}

static int referrer_link(struct fs_view *view, struct ecs_buf *target)
{
    return ecs_buf_addf(target, "../../%s", view->id);
}

static const struct fs_entries referrers = {.list = list_referrers, .has = has_referrer};

static const struct fs_node referrer_rows[] = {
    {NULL, FS_LINK, .entries = &referrers, .accept = fs_accept_digest, .target = referrer_link,
     .called = "sha256:<hex>"},
    {0},
};

/* ---- what the registry does with each image, where it does anything ---- */

static int is_replicated(struct fs_view *view)
{
    struct ecs_key key = {ECS_REGISTRY, "", "registry"};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    return r != 0 ? r : ecs_doc_field(doc, "firstReplication") != NULL ? 0 : -ENOENT;
}

static int is_signed(struct fs_view *view)
{
    struct ecs_key key = {ECS_REGISTRY_SIGNING, "", "registry"};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    return r < 0 && r != -ENOENT && fs_unknown_operation(view, r) ? -ENOENT : r;
}

/* ---- storage-class, scan ---- */

static int show_storage_class(struct fs_view *view, struct ecs_buf *text)
{
    const char *status;
    int r = fs_view_field(view, "imageStatus", &status);
    if (r != 0)
        return r;
    return ecs_buf_adds(text, strcmp(status, "ARCHIVED") == 0 ? "ARCHIVE" : "STANDARD");
}

static struct ecs_action *about_image(struct fs_view *view, const char *operation, json_t *more)
{
    struct ecs_key images = {ECS_IMAGE, view->key.parent, ""};
    json_t *input =
        json_pack("{s:s, s:{s:s}}", "repositoryName", images.parent, "imageId", "imageDigest", view->key.id);
    if (more != NULL)
        json_object_update(input, more);
    json_decref(more);
    return fs_action("ecr", operation, input, ECS_EFFECT_FORGET, &images, NULL);
}

static int store_storage_class(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strcmp(text, "STANDARD") != 0 && strcmp(text, "ARCHIVE") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue",
                       "storage-class takes STANDARD or ARCHIVE; got \"%.64s\"", text);
    *ret_action =
        about_image(view, "UpdateImageStorageClass", json_pack("{s:s}", "targetStorageClass", text));
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int store_scan(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    if (strcmp(text, "1") != 0)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "scan takes 1; got \"%.64s\"", text);
    *ret_action = about_image(view, "StartImageScan", NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static const struct fs_node image_rows[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"manifest.json", FS_FILE_R, FS_OF_DOC | FS_RAW | FS_MAYBE, .of = FS_OF(ECS_MANIFEST), .present = listed,
     .size = manifest_size, .show = fs_image_show_manifest, .help = "byte for byte: it hashes to the digest"},
    {"config.json", FS_LINK, FS_MAYBE, .of = FS_OF(ECS_MANIFEST), .present = fs_image_config_present,
     .target = fs_image_config_link, .help = "link to its configuration: entry point, environment, labels"},
    {"pushed-at", FS_FILE_R, .field = "imagePushedAt"},
    {"size-bytes", FS_FILE_R, .field = "imageSizeInBytes", .help = "compressed"},
    {"image-tags", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .show = fs_image_show_tags, .help = "one a line"},
    {"severity", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .show = show_severity,
     .help = "what its scan found: \"CRITICAL 2\", one a line"},
    {"scan.json", FS_FILE_R, FS_UNSIZED | FS_MAYBE, .of = FS_OF(ECS_SCAN_FINDINGS), .present = scan_present,
     .show = fs_show_scan_findings, .help = "the findings, when it was scanned"},
    {"scan", FS_FILE_W, .store = store_scan, .help = "1 starts a scan, one a day"},
    {"referrers", FS_DIR, .children = referrer_rows, .watches = FS_WATCH(ECS_IMAGE),
     .help = "links to the signatures and attestations of this image"},
    {"replication.json", FS_FILE_R, FS_UNSIZED | FS_MAYBE, .of = FS_OF(ECS_IMAGE_REPLICATION),
     .present = is_replicated, .show = fs_show_document,
     .help = "whether it is in the other regions, when the registry has rules for them"},
    {"signing.json", FS_FILE_R, FS_UNSIZED | FS_MAYBE, .of = FS_OF(ECS_IMAGE_SIGNING), .present = is_signed,
     .show = fs_show_document, .help = "whether it is signed, when the registry signs"},
    {"storage-class", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .show = show_storage_class,
     .store = store_storage_class, .help = "STANDARD, or ARCHIVE: cheap, and not to be pulled"},
    {"in-use-by", FS_DIR, FS_WATCH_LISTS, .children = fs_image_user_nodes, .watches = FS_WATCH(ECS_TASK),
     .help = "links to the running tasks of this image, in every cluster"},
    {0},
};

const struct fs_node fs_image_nodes[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_IMAGE), .accept = fs_accept_digest, .called = "sha256:<hex>",
     .children = image_rows, .change = &fs_image_change},
    {0},
};

/* ---- image-tags/<tag> ---- */

static int list_image_tags(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    const json_t *tags;
    const char *tag;
    json_t *digest;
    int r = fs_image_tags(directory, &tags);
    if (r == 0)
        json_object_foreach((json_t *)tags, tag, digest) if (r == 0) r = emit(arg, tag);
    return r;
}

static int has_image_tag(struct fs_view *child)
{
    const json_t *tags;
    int r = fs_image_tags(child, &tags);
    return r != 0 ? r : json_object_get(tags, child->id) != NULL ? 0 : -ENOENT;
}

static int image_tag_link(struct fs_view *view, struct ecs_buf *target)
{
    const json_t *tags;
    int r = fs_image_tags(view, &tags);
    if (r != 0)
        return r;
    const char *digest = json_string_value(json_object_get(tags, view->id));
    return digest != NULL ? ecs_buf_addf(target, "../images/%s", digest) : -ENOENT;
}

static const struct fs_entries image_tags = {.list = list_image_tags, .has = has_image_tag};

const struct fs_node fs_image_tag_nodes[] = {
    {NULL, FS_LINK, .entries = &image_tags, .target = image_tag_link, .accept = accept_tag, .called = "<tag>",
     .change = &fs_image_tag_change, .help = "ln -sfn ../images/sha256:... moves it, rm removes it"},
    {0},
};
