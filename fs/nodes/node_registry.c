/* SPDX-License-Identifier: Apache-2.0 */
/* registry/: what all repositories of the account share, and the way in for container tools.
 *
 *     $ cat registry/uri
 *     123456789012.dkr.ecr.eu-west-1.amazonaws.com
 *     $ skopeo copy --authfile registry/auth.json docker://$(cat registry/uri)/team/app:v1 ...
 *     $ docker login -u AWS --password-stdin $(cat registry/uri) <registry/password
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes/change.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "tree/nodes.h"
#include "tree/query.h"
#include "tree/rows.h"
#include "tree/show.h"
#include "tree/tree_private.h"

/* Any repository tells it as AWS spells it for this partition and endpoint. */
static int show_uri(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_key key = {ECS_REPOSITORY, "", ""};
    const struct ecs_list *list;
    int r = fs_view_list(view, &key, &list);
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++) {
        struct ecs_key repository = {ECS_REPOSITORY, "", ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(view, &repository);
        const char *uri = doc != NULL ? ecs_doc_field(doc, "repositoryUri") : NULL;
        if (uri != NULL) {
            fs_add_safe(text, uri);
            return ecs_buf_truncate(text, strcspn(text->data, "/"));
        }
    }
    const char *account = NULL;
    if (r == 0)
        r = fs_view_field(view, "registryId", &account);
    if (r != 0)
        return r;
    const char *region = view->tree->backend->region != NULL ? view->tree->backend->region : "";
    const char *suffix = strncmp(region, "cn-", 3) == 0     ? "amazonaws.com.cn"
                         : strncmp(region, "eusc-", 5) == 0 ? "amazonaws.eu"
                                                            : "amazonaws.com";
    return ecs_buf_addf(text, "%s.dkr.ecr.%s.%s", account, region, suffix);
}

/* ---- a fresh token for every open: asked for past the cache, and kept nowhere ---- */

typedef int token_fn(const json_t *data, struct ecs_buf *text);

static int ask_token(struct fs_view *view, const char *service, struct ecs_action **ret_action)
{
    struct fs_progress *progress = fs_progress(view->rq);
    if (progress == NULL || view->tree->cache == NULL)
        return progress == NULL ? -ENOMEM : -EIO;
    if (progress->action == NULL) {
        progress->action =
            fs_action(service, "GetAuthorizationToken", json_object(), ECS_EFFECT_NONE, NULL, NULL);
        if (progress->action == NULL)
            return -ENOMEM;
        progress->action->want_reply = true;
    }
    *ret_action = progress->action;
    return ecs_cache_act(view->tree->cache, &view->rq->want, progress->action);
}

static int show_token(struct fs_view *view, const char *service, struct ecs_buf *text, token_fn *show)
{
    struct ecs_action *action = NULL;
    if (view->rq->peek)
        return FS_PARKED;
    int r = ask_token(view, service, &action);
    if (r == FS_PARKED)
        return r;
    if (r == 0) {
        json_t *reply = json_loads(action->reply, 0, NULL);
        const json_t *data = json_object_get(reply, "authorizationData");
        r = show(json_is_array(data) ? json_array_get(data, 0) : data, text);
        json_decref(reply);
        explicit_bzero(action->reply, strlen(action->reply));
    } else if (action != NULL && action->error != NULL) {
        ecs_error_unref(view->rq->progress->error);
        view->rq->progress->error = ecs_error_ref(action->error);
    }
    view->rq->progress->action = ecs_action_unhold(action);
    return r;
}

static const char *token_of(const json_t *data)
{
    return json_string_value(json_object_get(data, "authorizationToken"));
}

/* What docker login writes: {"auths": {"host": {"auth": "..."}}}. ECR Public does not say its host. */
static int show_auth(const json_t *data, struct ecs_buf *text)
{
    const char *endpoint = json_string_value(json_object_get(data, "proxyEndpoint"));
    const char *host = endpoint != NULL ? strstr(endpoint, "://") : NULL;
    if (token_of(data) == NULL || (endpoint != NULL && host == NULL))
        return -EPROTO;
    json_t *auth = json_pack("{s:{s:{s:s}}}", "auths", host != NULL ? host + 3 : "public.ecr.aws", "auth",
                             token_of(data));
    int r = auth != NULL ? fs_canon_text(auth, text) : -ENOMEM;
    json_decref(auth);
    return r;
}

/* The token is "AWS:password" in base 64. */
static int show_password(const json_t *data, struct ecs_buf *text)
{
    const char *token = token_of(data);
    size_t len = token != NULL ? strlen(token) : 0;
    if (len == 0 || len > INT32_MAX / 2)
        return -EPROTO;
    cleanup_free char *plain = malloc(len + 1);
    if (plain == NULL)
        return -ENOMEM;
    int n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)token, (int)len);
    if (n >= 0)
        plain[n] = '\0';
    const char *colon = n >= 0 ? strchr(plain, ':') : NULL;
    int r = colon != NULL ? ecs_buf_adds(text, colon + 1) : -EPROTO;
    explicit_bzero(plain, len + 1);
    return r;
}

static int show_auth_json(struct fs_view *view, struct ecs_buf *text)
{
    return show_token(view, "ecr", text, show_auth);
}

static int show_password_line(struct fs_view *view, struct ecs_buf *text)
{
    return show_token(view, "ecr", text, show_password);
}

static int show_public_auth_json(struct fs_view *view, struct ecs_buf *text)
{
    return show_token(view, "ecr-public", text, show_auth);
}

static int show_public_password(struct fs_view *view, struct ecs_buf *text)
{
    return show_token(view, "ecr-public", text, show_password);
}

/* The first alias decides: "public.ecr.aws/<alias>". */
static int show_public_uri(struct fs_view *view, struct ecs_buf *text)
{
    json_t *reply;
    int r = fs_view_tree(view, &reply);
    if (r != 0)
        return r;
    const json_t *registry = json_array_get(json_object_get(reply, "registries"), 0);
    const char *uri = json_string_value(json_object_get(registry, "registryUri"));
    if (uri != NULL)
        fs_add_safe(text, uri);
    json_decref(reply);
    return uri != NULL ? text->failed : -ENOENT;
}

static bool accept_prefix(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len <= 256 &&
           (strcmp(id, "ROOT") == 0 || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-/") == len);
}

/* ---- pull-through-cache/<prefix>.valid: AWS tries the upstream when it is asked to ---- */

static void free_query(void *memory)
{
    fs_query_free(memory);
    free(memory);
}

static struct fs_query *query_of(struct fs_request *rq)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress != NULL && progress->memory == NULL) {
        progress->memory = calloc(1, sizeof(struct fs_query));
        progress->memory_free = free_query;
    }
    return progress != NULL && progress->memory_free == free_query ? progress->memory : NULL;
}

static int show_validity(struct fs_view *view, struct ecs_buf *text)
{
    json_t *reply = NULL;
    if (view->rq->peek || view->tree->cache == NULL)
        return FS_PARKED;
    struct fs_query *query = query_of(view->rq);
    int r = query != NULL ? 0 : -ENOMEM;
    if (r == 0 && query->action == NULL)
        r = fs_query_begin(query, "ecr", "ValidatePullThroughCacheRule",
                           fs_query_body(json_pack("{s:s}", "ecrRepositoryPrefix", view->key.id)), true);
    if (r == 0)
        r = fs_query_wait(view, query, &reply);
    if (r == 0)
        r = fs_canon_text(reply, text);
    json_decref(reply);
    return r;
}

static const struct fs_node pull_through_rows[] = {
    {NULL, FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_PULL_THROUGH_RULE), .suffix = ".json",
     .accept = accept_prefix, .called = "<prefix>", .show = fs_document_show,
     .document = &fs_pull_through_document, .change = &fs_pull_through_change,
     .help = "a new name is a new rule; rm deletes it"},
    {NULL, FS_FILE_R, FS_UNLISTED | FS_UNSIZED, .of = FS_OF(ECS_PULL_THROUGH_RULE), .suffix = ".valid",
     .accept = accept_prefix, .called = "<prefix>", .show = show_validity,
     .help = "whether the upstream answers to it: AWS tries"},
    {0},
};

static const struct fs_node template_rows[] = {
    {NULL, FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_CREATION_TEMPLATE), .suffix = ".json",
     .accept = accept_prefix, .called = "<prefix>", .show = fs_document_show,
     .document = &fs_creation_template_document, .change = &fs_creation_template_change,
     .help = "a new name is a new template; rm deletes it"},
    {0},
};

/* ---- settings/<name>: AWS cannot list them ---- */

static const char *const setting_names[] = {"BASIC_SCAN_TYPE_VERSION", "BLOB_MOUNTING",
                                            "REGISTRY_POLICY_SCOPE"};

/* Those that the endpoint knows nothing of are not there. */
static int list_settings(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(setting_names) / sizeof(*setting_names); i++) {
        struct ecs_key key = {ECS_REGISTRY_SETTING, "", setting_names[i]};
        struct ecs_doc *doc;
        r = fs_view_doc_of(directory, &key, &doc);
        if (r == 0)
            r = emit(arg, setting_names[i]);
        else if (r < 0)
            r = 0; /* told by who reads it */
    }
    return r;
}

static int has_setting(struct fs_view *child)
{
    struct ecs_key key = {ECS_REGISTRY_SETTING, "", child->id};
    struct ecs_doc *doc;
    return fs_view_doc_of(child, &key, &doc);
}

static int show_setting(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_key key = {ECS_REGISTRY_SETTING, "", view->id};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    const char *value = r == 0 ? ecs_doc_field(doc, "value") : NULL;
    if (value != NULL)
        fs_add_safe(text, value);
    return r != 0 ? r : value != NULL ? text->failed : -ENOENT;
}

static int store_setting(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    struct ecs_key key = {ECS_REGISTRY_SETTING, "", view->id};
    json_t *input = json_pack("{s:s, s:s}", "name", view->id, "value", text);
    *ret_action = fs_action("ecr", "PutAccountSetting", input, ECS_EFFECT_UPDATE, &key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static bool accept_setting(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len <= 64 && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == len;
}

static const struct fs_entries settings = {.list = list_settings, .has = has_setting};

static const struct fs_node setting_rows[] = {
    {NULL, FS_FILE_RW, .entries = &settings, .accept = accept_setting, .called = "<name>",
     .show = show_setting, .store = store_setting, .watches = FS_WATCH(ECS_REGISTRY_SETTING)},
    {0},
};

/* ---- pull-time-exclusions/<ARN> ---- */

static bool accept_principal(const char *id)
{
    return strncmp(id, "arn:", 4) == 0 && strlen(id) <= 200 && strchr(id, '/') != NULL;
}

static int exclude(struct fs_view *view, const char *operation, struct ecs_action **ret_action)
{
    struct ecs_key list = {ECS_PULL_TIME_EXCLUSION, view->key.parent, ""};
    json_t *input = json_pack("{s:s}", "principalArn", view->key.id);
    *ret_action = fs_action("ecr", operation, input, ECS_EFFECT_FORGET, &list, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int add_exclusion(struct fs_view *view, struct ecs_action **ret_action)
{
    return exclude(view, "RegisterPullTimeUpdateExclusion", ret_action);
}

static int remove_exclusion(struct fs_view *view, struct ecs_action **ret_action)
{
    return exclude(view, "DeregisterPullTimeUpdateExclusion", ret_action);
}

static const struct fs_change exclusion_change = {
    .mkdir = add_exclusion, .rmdir = remove_exclusion, .removes = "ends the exclusion"};

static int list_exclusions(struct fs_view *directory, fs_emit_fn *emit, void *arg)
{
    struct ecs_key key = {ECS_PULL_TIME_EXCLUSION, "registry", ""};
    const struct ecs_list *list;
    int r = fs_view_list(directory, &key, &list);
    for (size_t i = 0; r == 0 && i < ecs_list_len(list); i++)
        r = emit(arg, ecs_list_at(list, i));
    return r < 0 && fs_unknown_operation(directory, r) ? 0 : r;
}

static int has_exclusion(struct fs_view *child)
{
    struct ecs_key key = {ECS_PULL_TIME_EXCLUSION, "registry", ""};
    const struct ecs_list *list;
    int r = fs_view_list(child, &key, &list);
    if (r < 0 && fs_unknown_operation(child, r))
        return -ENOENT;
    return r != 0 ? r : ecs_list_has(list, child->id) ? 0 : -ENOENT;
}

static const struct fs_entries exclusions = {.list = list_exclusions, .has = has_exclusion};
static const struct fs_node no_rows[] = {{0}};

static const struct fs_node exclusion_rows[] = {
    {NULL, FS_DIR, .of = FS_OF(ECS_PULL_TIME_EXCLUSION), .entries = &exclusions, .accept = accept_principal,
     .called = "<ARN>", .children = no_rows, .change = &exclusion_change,
     .help = "an empty directory, named by its role or user; mkdir and rmdir"},
    {0},
};

const struct fs_node fs_public_registry_nodes[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .show = fs_show_document,
     .help = "all that AWS says of it"},
    {"uri", FS_FILE_R, FS_OF_DOC | FS_MAYBE, .show = show_public_uri,
     .help = "what public images are named by"},
    {"catalog.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_PUBLIC_REGISTRY_CATALOG),
     .show = fs_document_show, .document = &fs_public_registry_catalog_document,
     .help = "the name that the gallery shows"},
    {"auth.json", FS_FILE_R, FS_UNLISTED | FS_UNSIZED, .show = show_public_auth_json,
     .help = "a fresh login, for --authfile"},
    {"password", FS_FILE_R, FS_UNLISTED | FS_UNSIZED, .show = show_public_password,
     .help = "a fresh login, for docker login -u AWS --password-stdin"},
    {0},
};

const struct fs_node fs_registry_nodes[] = {
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"uri", FS_FILE_R, .show = show_uri, .watches = FS_WATCH(ECS_REPOSITORY),
     .help = "the host of all repositories"},
    {"policy.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_REGISTRY_POLICY),
     .show = fs_document_show, .document = &fs_registry_policy_document, .change = &fs_registry_policy_change,
     .help = "who may do what; absent when there is none; rm deletes it"},
    {"replication.json", FS_FILE_RW, FS_OF_DOC, .show = fs_document_show,
     .document = &fs_replication_document, .help = "where images are copied to"},
    {"scanning.json", FS_FILE_RW, FS_OF_DOC, .of = FS_OF(ECS_REGISTRY_SCANNING), .show = fs_document_show,
     .document = &fs_scanning_document, .help = "what is scanned, and when"},
    {"pull-through-cache", FS_DIR, .children = pull_through_rows, .help = "upstream registries, by prefix"},
    {"creation-templates", FS_DIR, .children = template_rows,
     .help = "settings of repositories made by a first push"},
    {"signing.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .of = FS_OF(ECS_REGISTRY_SIGNING),
     .show = fs_document_show, .document = &fs_signing_document, .change = &fs_signing_change,
     .help = "what AWS Signer signs on push; absent when there is none; rm ends it"},
    {"settings", FS_DIR, .children = setting_rows, .help = "of the account, for ECR"},
    {"pull-time-exclusions", FS_DIR, .children = exclusion_rows,
     .help = "whose pulls are not recorded as an image's last"},
    {"public", FS_DIR, FS_MAYBE, .of = FS_OF(ECS_PUBLIC_REGISTRY), .present = fs_public_present,
     .children = fs_public_registry_nodes, .help = "ECR Public's registry"},
    {"auth.json", FS_FILE_R, FS_UNLISTED | FS_UNSIZED, .show = show_auth_json,
     .help = "a fresh login, for --authfile"},
    {"password", FS_FILE_R, FS_UNLISTED | FS_UNSIZED, .show = show_password_line,
     .help = "a fresh login, for docker login -u AWS --password-stdin"},
    {0},
};
