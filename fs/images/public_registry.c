/* SPDX-License-Identifier: Apache-2.0 */
#include "public_registry.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "images.h"
#include "layer_cache.h"
#include "tree/nodes.h"
#include "tree/tree_private.h"

enum {
    MANIFEST_MAX = 4 << 20, /* bytes; ECR's own limit */
    KEPT_MAX = 16 << 20,    /* of all manifests that are kept; then they are let go */
    TOKEN_MS = 6 * 3600000, /* it lasts twelve hours */
    UNAUTHORIZED = 401,
};

/* One that is on its way, for whoever asks meanwhile. */
struct coming {
    struct coming *next;
    struct ecs_action *action;
    struct ecs_want want; /* keeps it going */
    char digest[];
};

struct fs_public {
    struct fs_tree *tree;
    json_t *manifests; /* digest -> bytes, verified */
    size_t kept;       /* bytes of these */
    struct coming *coming;
    struct ecs_action *asked; /* GetAuthorizationToken */
    char *token;
    int64_t token_until_ms;
};

static void ignore(struct ecs_want *want) {}

static void drop_token(struct fs_public *open)
{
    if (open->token != NULL)
        explicit_bzero(open->token, strlen(open->token));
    free(open->token);
    open->token = NULL;
}

static void drop_action(struct ecs_action *action)
{
    if (action != NULL && action->reply != NULL)
        explicit_bzero(action->reply, strlen(action->reply));
    ecs_action_unhold(action);
}

static void drop_coming(struct fs_public *open, struct coming *coming)
{
    struct coming **at = &open->coming;
    while (*at != coming)
        at = &(*at)->next;
    *at = coming->next;
    if (coming->want.at != NULL)
        ecs_cache_unpark(open->tree->cache, &coming->want);
    ecs_action_unhold(coming->action);
    free(coming);
}

struct fs_public *fs_public_free(struct fs_public *open)
{
    if (open == NULL)
        return NULL;
    while (open->coming != NULL)
        drop_coming(open, open->coming);
    drop_action(open->asked);
    drop_token(open);
    json_decref(open->manifests);
    free(open);
    return NULL;
}

static struct fs_public *public_of(struct fs_tree *tree)
{
    if (tree->open_registry == NULL) {
        struct fs_public *open = calloc(1, sizeof(*open));
        if (open == NULL)
            return NULL;
        open->tree = tree;
        open->manifests = json_object();
        tree->open_registry = open;
    }
    return tree->open_registry->manifests != NULL ? tree->open_registry : NULL;
}

static int tell(struct fs_request *rq, const struct ecs_error *error, int r)
{
    return error != NULL ? fs_fail(rq, error->err, error->code, "%s", error->message) : r;
}

/* Only the partition "aws" has one: keys of another are refused there. */
int fs_public_present(struct fs_view *view)
{
    static const char *const others[] = {"cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"};
    const char *region = view->tree->backend != NULL ? view->tree->backend->region : NULL;
    for (size_t i = 0; region != NULL && i < sizeof(others) / sizeof(*others); i++)
        if (strncmp(region, others[i], strlen(others[i])) == 0)
            return -ENOENT;
    return 0;
}

/* ---- the token ---- */

static int take_token(struct fs_public *open)
{
    json_t *reply = json_loads(open->asked->reply, 0, NULL);
    const char *token =
        json_string_value(json_object_get(json_object_get(reply, "authorizationData"), "authorizationToken"));
    open->token = token != NULL ? strdup(token) : NULL;
    open->token_until_ms = fs_now_ms(open->tree) + TOKEN_MS;
    json_decref(reply);
    return open->token != NULL ? 0 : -EPROTO;
}

static int ask_token(struct fs_view *view, struct fs_public *open)
{
    if (open->asked == NULL) {
        open->asked =
            ecs_action_new("ecr-public", "GetAuthorizationToken", strdup("{}"), ECS_EFFECT_NONE, NULL, NULL);
        if (open->asked == NULL)
            return -ENOMEM;
        open->asked->want_reply = true;
        open->asked->call.writing = false;
        open->asked->call.priority = ECS_PRIORITY_READ;
    }
    int r = ecs_cache_act(view->tree->cache, &view->rq->want, open->asked);
    if (r == FS_PARKED)
        return r;
    r = r == 0 ? take_token(open) : tell(view->rq, open->asked->error, r);
    drop_action(open->asked);
    open->asked = NULL;
    return r;
}

int fs_public_token(struct fs_view *view, char **ret_token)
{
    struct fs_public *open = public_of(view->tree);
    int r = 0;
    if (open == NULL)
        return -ENOMEM;
    if (open->token != NULL && fs_now_ms(view->tree) > open->token_until_ms)
        drop_token(open);
    if (open->token == NULL)
        r = view->rq->peek ? FS_PARKED : ask_token(view, open);
    if (r == 0)
        *ret_token = strdup(open->token);
    return r != 0 || *ret_token != NULL ? r : -ENOMEM;
}

void fs_public_token_refused(struct fs_tree *tree)
{
    if (tree->open_registry != NULL)
        drop_token(tree->open_registry);
}

/* ---- where things are ---- */

/* "/v2/<alias>/<repository>/<what>/<digest>" of a repositoryUri "public.ecr.aws/<alias>/<repository>". */
static int make_path(struct fs_view *view, const char *repository, const char *what, const char *digest,
                     char **ret_path)
{
    struct ecs_key key = {ECS_PUBLIC_REPOSITORY, "", repository};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    const char *uri = r == 0 ? ecs_doc_field(doc, "repositoryUri") : NULL;
    const char *slash = uri != NULL ? strchr(uri, '/') : NULL;
    if (r != 0 || slash == NULL)
        return r != 0 ? r : -EPROTO;
    if (asprintf(ret_path, "/v2%s/%s/%s", slash, what, digest) < 0)
        return -ENOMEM;
    return 0;
}

int fs_public_layer_path(struct fs_view *view, const char *repository, const char *digest, char **ret_path)
{
    return make_path(view, repository, "blobs", digest, ret_path);
}

/* ---- manifests ---- */

static struct coming *find_coming(struct fs_public *open, const char *digest)
{
    struct coming *coming = open->coming;
    while (coming != NULL && strcmp(coming->digest, digest) != 0)
        coming = coming->next;
    return coming;
}

/* Every type it may be of: the registry converts what it thinks a client does not know. */
static const char accept[] = "application/vnd.oci.image.manifest.v1+json, "
                             "application/vnd.oci.image.index.v1+json, "
                             "application/vnd.docker.distribution.manifest.v2+json, "
                             "application/vnd.docker.distribution.manifest.list.v2+json";

/* Takes path and token over. */
static struct coming *begin(struct fs_public *open, const char *digest, char *path, char *token)
{
    struct coming *coming = calloc(1, sizeof(*coming) + strlen(digest) + 1);
    struct ecs_action *action =
        coming != NULL ? ecs_action_new("ecr-public", "GetManifest", path, ECS_EFFECT_NONE, NULL, NULL)
                       : NULL;
    if (action == NULL) {
        if (coming == NULL)
            free(path);
        explicit_bzero(token, strlen(token));
        free(token);
        free(coming);
        return NULL;
    }
    action->call.writing = false;
    action->call.priority = ECS_PRIORITY_READ;
    action->call.download = true;
    action->call.range_len = MANIFEST_MAX;
    action->call.bearer = token;
    action->call.accept = accept;
    strcpy(coming->digest, digest);
    coming->action = action;
    coming->want = (struct ecs_want){.since_ms = fs_now_ms(open->tree), .wake = ignore};
    coming->next = open->coming;
    open->coming = coming;
    ecs_cache_act(open->tree->cache, &coming->want, action);
    return coming;
}

static int start(struct fs_view *view, struct fs_public *open, const char *repository, const char *digest,
                 struct coming **ret_coming)
{
    char *path = NULL, *token = NULL;
    int r = make_path(view, repository, "manifests", digest, &path);
    if (r == 0)
        r = fs_public_token(view, &token);
    if (r != 0) {
        free(path);
        return r;
    }
    *ret_coming = begin(open, digest, path, token);
    return *ret_coming != NULL ? 0 : -ENOMEM;
}

/* They never change: what is verified once is good for ever. */
static int hold(struct fs_public *open, const char *digest, const char *bytes, size_t len)
{
    json_t *text = json_stringn(bytes, len);
    if (text == NULL)
        return -EPROTO;
    if (open->kept + len > KEPT_MAX) {
        json_object_clear(open->manifests);
        open->kept = 0;
    }
    open->kept += len;
    return json_object_set_new(open->manifests, digest, text) < 0 ? -ENOMEM : 0;
}

/* Of an earlier mount. */
static const json_t *from_disk(struct fs_public *open, const char *digest)
{
    struct fs_layer_cache *layers = open->tree->layers;
    struct stat st;
    int fd = fs_layer_cache_open(layers, digest, UINT64_MAX);
    if (fd < 0)
        return NULL;
    size_t len = fstat(fd, &st) == 0 && st.st_size <= MANIFEST_MAX ? (size_t)st.st_size : 0;
    cleanup_free char *bytes = malloc(len + 1);
    bool whole = bytes != NULL && len > 0 && pread(fd, bytes, len, 0) == (ssize_t)len;
    close(fd);
    if (!whole || !fs_digest_matches(digest, bytes, len)) {
        fs_layer_cache_drop(layers, digest);
        return NULL;
    }
    hold(open, digest, bytes, len);
    return json_object_get(open->manifests, digest);
}

static void to_disk(struct fs_public *open, const char *digest, const struct ecs_call *call)
{
    struct fs_layer_writer *writer = fs_layer_cache_begin(open->tree->layers, digest, call->bytes_len);
    fs_layer_writer_add(writer, call->bytes, call->bytes_len);
    fs_layer_writer_keep(writer);
}

static int keep(struct fs_view *view, struct fs_public *open, const char *digest, const struct ecs_call *call)
{
    int r = fs_check_digest(view->rq, digest, call->bytes, call->bytes_len);
    if (r != 0)
        return r;
    r = hold(open, digest, call->bytes, call->bytes_len);
    if (r == -EPROTO)
        return fs_fail(view->rq, r, "MalformedReply", "the manifest %s is no UTF-8 text", digest);
    to_disk(open, digest, call);
    return r;
}

static int await(struct fs_view *view, struct fs_public *open, struct coming *coming)
{
    int r = ecs_cache_act(view->tree->cache, &view->rq->want, coming->action);
    if (r == FS_PARKED)
        return r;
    const struct ecs_error *error = coming->action->error;
    if (r == 0)
        r = keep(view, open, coming->digest, &coming->action->call);
    else if (error != NULL && error->http_status == UNAUTHORIZED)
        drop_token(open);
    if (error != NULL)
        r = tell(view->rq, error, r);
    drop_coming(open, coming);
    return r;
}

int fs_public_manifest(struct fs_view *view, const char *repository, const char *digest,
                       struct ecs_buf *bytes)
{
    struct fs_public *open = public_of(view->tree);
    if (open == NULL)
        return -ENOMEM;
    const json_t *text = json_object_get(open->manifests, digest);
    if (text == NULL)
        text = from_disk(open, digest);
    if (text == NULL && view->rq->peek)
        return FS_PARKED;
    if (text == NULL) {
        struct coming *coming = find_coming(open, digest);
        int r = coming != NULL ? 0 : start(view, open, repository, digest, &coming);
        if (r == 0)
            r = await(view, open, coming);
        if (r != 0)
            return r;
        text = json_object_get(open->manifests, digest);
    }
    return ecs_buf_add(bytes, json_string_value(text), json_string_length(text));
}
