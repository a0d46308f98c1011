/* SPDX-License-Identifier: Apache-2.0 */
/* An open blob: read from the URL that GetDownloadUrlForLayer gives, in pieces, a few of which are held.
 * Whoever reads it from its beginning to its end hears of a digest that does not match before the last piece
 * is given out. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "layer_cache.h"
#include "oci.h"
#include "public_registry.h"
#include "repositories.h"
#include "tree/show.h"
#include "tree/tree_private.h"

enum {
    PIECE = 2 << 20, /* bytes */
    PIECES = 4,      /* held for an open file: what is read, and what is read ahead */
    AHEAD = 2,
    NO_URL = 403,   /* the URL is good for an hour */
    NO_TOKEN = 401, /* of ECR Public's registry */
};

struct piece {
    struct ecs_action *action; /* the download; NULL: an empty slot */
    struct ecs_want want;      /* keeps the download going, whoever else waits for it */
    uint64_t at;
    uint64_t used; /* when, for the choice of what to drop */
    unsigned url;  /* which of the handle's URLs it was asked for from */
};

struct blob_handle {
    struct fs_handle handle;
    struct fs_tree *tree;
    char *repository, digest[FS_DIGEST_TEXT];
    uint64_t size, uses;
    struct ecs_buf text; /* a manifest's bytes, or two pieces joined */
    bool is_manifest;
    struct ecs_action *asked; /* GetDownloadUrlForLayer */
    char *url;                /* or a path of ECR Public's registry, with the */
    char *token;              /* that opens it; else NULL */
    unsigned urls;            /* how many there were: they expire */
    bool renewed;             /* the last URL was refused, and this one has not given anything yet */
    struct piece pieces[PIECES];
    int kept;                        /* the layer on disk; -1: it is downloaded */
    struct fs_layer_writer *keeping; /* what came in order goes there; NULL: not */
    EVP_MD_CTX *hash;
    uint64_t hashed; /* bytes from the beginning */
    bool wrong;
    /* Open for writing: what is there already may only be written again as it is. */
    bool writing;
    uint64_t written;
};

static void ignore(struct ecs_want *want) {}

static void drop_piece(struct blob_handle *handle, struct piece *piece)
{
    if (piece->want.at != NULL)
        ecs_cache_unpark(handle->tree->cache, &piece->want);
    piece->action = ecs_action_unhold(piece->action);
}

static void drop_url(struct blob_handle *handle)
{
    free(handle->url);
    handle->url = NULL;
    if (handle->token != NULL)
        explicit_bzero(handle->token, strlen(handle->token));
    free(handle->token);
    handle->token = NULL;
}

static void free_handle(struct blob_handle *handle)
{
    for (size_t i = 0; i < PIECES; i++)
        drop_piece(handle, &handle->pieces[i]);
    ecs_action_unhold(handle->asked);
    if (handle->kept >= 0)
        close(handle->kept);
    fs_layer_writer_free(handle->keeping);
    EVP_MD_CTX_free(handle->hash);
    ecs_buf_free(&handle->text);
    free(handle->repository);
    drop_url(handle);
    free(handle);
}

/* ---- open ---- */

static int fill_handle(struct fs_view *view, struct blob_handle *handle)
{
    struct fs_blob blob;
    snprintf(handle->digest, sizeof(handle->digest), "sha256:%.64s", view->id);
    int r = fs_blob_find(view, handle->digest, &blob);
    if (r != 0)
        return r;
    handle->tree = view->tree;
    handle->size = blob.size;
    handle->is_manifest = blob.is_manifest;
    handle->repository = strdup(view_repository(view));
    handle->hash = EVP_MD_CTX_new();
    if (handle->repository == NULL || handle->hash == NULL ||
        EVP_DigestInit_ex(handle->hash, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    if (blob.is_manifest)
        return fs_blob_text(view, handle->digest, &handle->text);
    handle->kept = fs_layer_cache_open(view->tree->layers, handle->digest, handle->size);
    if (handle->kept < 0)
        handle->keeping = fs_layer_cache_begin(view->tree->layers, handle->digest, handle->size);
    return 0;
}

static int blob_open(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                     struct fs_open_hints *ret_hints)
{
    struct blob_handle *handle = calloc(1, sizeof(*handle));
    if (handle == NULL)
        return -ENOMEM;
    handle->text = ECS_BUF(FS_TEXT_MAX);
    handle->kept = -1;
    int r = fill_handle(view, handle);
    if (r != 0) {
        free_handle(handle);
        return r;
    }
    handle->writing = (flags & O_ACCMODE) != O_RDONLY;
    handle->written = (flags & O_TRUNC) != 0 || !handle->writing ? 0 : UINT64_MAX;
    ret_hints->keep_cache = !handle->writing; /* its name is its content */
    ret_hints->no_flush = !handle->writing;
    *ret_handle = &handle->handle;
    return 0;
}

/* ---- where it is ---- */

static int tell(struct fs_request *rq, const struct ecs_error *error, int r)
{
    return error != NULL ? fs_fail(rq, error->err, error->code, "%s", error->message) : r;
}

static int take_url(struct blob_handle *handle)
{
    json_t *reply = json_loads(handle->asked->reply, 0, NULL);
    const char *url = json_string_value(json_object_get(reply, "downloadUrl"));
    handle->url = url != NULL ? strdup(url) : NULL;
    handle->urls++;
    json_decref(reply);
    return handle->url != NULL ? 0 : -EPROTO;
}

/* ECR Public gives no URLs: its registry has the layer under its name, for who has a token. */
static int ask_registry(struct fs_view *view, struct blob_handle *handle)
{
    int r = handle->token == NULL ? fs_public_token(view, &handle->token) : 0;
    if (r == 0)
        r = fs_public_layer_path(view, handle->repository, handle->digest, &handle->url);
    handle->urls += r == 0;
    return r;
}

static int ask_url(struct fs_view *view, struct blob_handle *handle)
{
    if (handle->url != NULL)
        return 0;
    if (fs_repositories_of(view)->is_public)
        return ask_registry(view, handle);
    if (handle->asked == NULL) {
        json_t *input =
            json_pack("{s:s, s:s}", "repositoryName", handle->repository, "layerDigest", handle->digest);
        handle->asked = fs_action("ecr", "GetDownloadUrlForLayer", input, ECS_EFFECT_NONE, NULL, NULL);
        if (handle->asked == NULL)
            return -ENOMEM;
        handle->asked->want_reply = true;
        handle->asked->call.writing = false;
        handle->asked->call.priority = ECS_PRIORITY_READ;
    }
    int r = ecs_cache_act(view->tree->cache, &view->rq->want, handle->asked);
    if (r == FS_PARKED)
        return r;
    r = r == 0 ? take_url(handle) : tell(view->rq, handle->asked->error, r);
    handle->asked = ecs_action_unhold(handle->asked);
    return r;
}

/* ---- pieces ---- */

static struct piece *find_piece(struct blob_handle *handle, uint64_t at)
{
    for (size_t i = 0; i < PIECES; i++)
        if (handle->pieces[i].action != NULL && handle->pieces[i].at == at)
            return &handle->pieces[i];
    return NULL;
}

/* An empty slot, or the one that was used longest ago. */
static struct piece *free_piece(struct blob_handle *handle)
{
    struct piece *oldest = &handle->pieces[0];
    for (size_t i = 0; i < PIECES; i++) {
        struct piece *piece = &handle->pieces[i];
        if (piece->action == NULL)
            return piece;
        if (piece->used < oldest->used)
            oldest = piece;
    }
    drop_piece(handle, oldest);
    return oldest;
}

static struct piece *start_piece(struct blob_handle *handle, uint64_t at)
{
    struct piece *piece = find_piece(handle, at);
    if (piece == NULL) {
        piece = free_piece(handle);
        piece->action = ecs_action_new(handle->token != NULL ? "ecr-public" : "ecr", "GetLayer",
                                       strdup(handle->url), ECS_EFFECT_NONE, NULL, NULL);
        if (piece->action == NULL)
            return NULL;
        struct ecs_call *call = &piece->action->call;
        call->bearer = handle->token != NULL ? strdup(handle->token) : NULL;
        call->writing = false;
        call->priority = ECS_PRIORITY_READ;
        call->download = true;
        call->range_first = at;
        call->range_len = handle->size - at < PIECE ? (size_t)(handle->size - at) : PIECE;
        piece->at = at;
        piece->url = handle->urls;
        piece->want = (struct ecs_want){.since_ms = fs_now_ms(handle->tree), .wake = ignore};
        ecs_cache_act(handle->tree->cache, &piece->want, piece->action);
    }
    piece->used = ++handle->uses;
    return piece;
}

static bool digest_matches(struct blob_handle *handle)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char hex[FS_DIGEST_TEXT] = "sha256:";
    EVP_DigestFinal_ex(handle->hash, sum, NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 7 + 2 * i, 3, "%02x", sum[i]);
    return strcmp(hex, handle->digest) == 0;
}

/* Bytes that come in order are hashed, and kept when all of them have come. */
static void take_bytes(struct blob_handle *handle, uint64_t at, const char *bytes, size_t len)
{
    if (at != handle->hashed || handle->wrong)
        return;
    EVP_DigestUpdate(handle->hash, bytes, len);
    fs_layer_writer_add(handle->keeping, bytes, len);
    handle->hashed += len;
    if (handle->hashed < handle->size)
        return;
    handle->wrong = !digest_matches(handle);
    if (!handle->wrong)
        fs_layer_writer_keep(handle->keeping);
    else
        fs_layer_writer_free(handle->keeping);
    handle->keeping = NULL;
}

static int check_piece(struct fs_view *view, struct blob_handle *handle, const struct piece *piece)
{
    const struct ecs_call *call = &piece->action->call;
    if (call->bytes_len != call->range_len)
        return fs_fail(view->rq, -EPROTO, "LayerCutShort", "%s is shorter than its manifest says",
                       handle->digest);
    take_bytes(handle, piece->at, call->bytes, call->bytes_len);
    if (handle->wrong && piece->at + call->bytes_len == handle->size)
        return fs_fail(view->rq, -EPROTO, "DigestMismatch", "what AWS sent does not hash to %s",
                       handle->digest);
    return 0;
}

/* A URL that is no longer good is asked for anew; one that never was is not asked for twice. */
static int piece_failed(struct fs_view *view, struct blob_handle *handle, struct piece *piece, int r)
{
    int status = piece->action->error != NULL ? piece->action->error->http_status : 0;
    bool refused = status == NO_URL || (status == NO_TOKEN && handle->token != NULL);
    bool of_now = piece->url == handle->urls;
    r = tell(view->rq, piece->action->error, r);
    drop_piece(handle, piece);
    if (!refused || (of_now && handle->renewed))
        return r;
    if (of_now) {
        handle->renewed = true;
        drop_url(handle);
        if (status == NO_TOKEN)
            fs_public_token_refused(view->tree);
    }
    return 0;
}

static int await_piece(struct fs_view *view, struct blob_handle *handle, uint64_t at,
                       struct piece **ret_piece)
{
    for (;;) {
        int r = ask_url(view, handle);
        struct piece *piece = r == 0 ? start_piece(handle, at) : NULL;
        if (piece == NULL)
            return r != 0 ? r : -ENOMEM;
        r = ecs_cache_act(view->tree->cache, &view->rq->want, piece->action);
        if (r == FS_PARKED)
            return r;
        if (r == 0) {
            if (piece->url == handle->urls)
                handle->renewed = false;
            r = check_piece(view, handle, piece);
            if (r < 0)
                drop_piece(handle, piece); /* a next read tries again */
            *ret_piece = piece;
            return r;
        }
        r = piece_failed(view, handle, piece, r);
        if (r != 0)
            return r;
    }
}

/* Reads in order are read ahead. */
static void read_ahead(struct blob_handle *handle, uint64_t at)
{
    for (int i = 1; i <= AHEAD && at + (uint64_t)i * PIECE < handle->size && handle->url != NULL; i++)
        if (find_piece(handle, at + (uint64_t)i * PIECE) == NULL)
            start_piece(handle, at + (uint64_t)i * PIECE);
}

/* The wanted bytes may lie in two pieces: they are then joined. */
static int read_layer(struct fs_view *view, struct blob_handle *handle, size_t size, uint64_t offset,
                      const char **ret_data, size_t *ret_len)
{
    uint64_t at = offset - offset % PIECE;
    struct piece *piece;
    int r = await_piece(view, handle, at, &piece);
    if (r != 0)
        return r;
    size_t skip = (size_t)(offset - at), have = piece->action->call.bytes_len - skip;
    if (at == handle->hashed - piece->action->call.bytes_len)
        read_ahead(handle, at);
    *ret_data = piece->action->call.bytes + skip;
    *ret_len = have < size ? have : size;
    if (have >= size || at + PIECE >= handle->size)
        return 0;
    r = await_piece(view, handle, at + PIECE, &piece);
    const struct piece *first = r == 0 ? find_piece(handle, at) : NULL;
    if (first == NULL)
        return r != 0 ? r : -EIO;
    size_t more = piece->action->call.bytes_len < size - have ? piece->action->call.bytes_len : size - have;
    ecs_buf_truncate(&handle->text, 0);
    ecs_buf_add(&handle->text, first->action->call.bytes + skip, have);
    ecs_buf_add(&handle->text, piece->action->call.bytes, more);
    *ret_data = handle->text.data;
    *ret_len = handle->text.len;
    return handle->text.failed;
}

/* From disk. What was changed there since is not given out to its end, and is downloaded the next time. */
static int read_kept(struct fs_view *view, struct blob_handle *handle, size_t size, uint64_t offset,
                     const char **ret_data, size_t *ret_len)
{
    size_t rest = handle->size - offset < size ? (size_t)(handle->size - offset) : size, len = 0;
    if (ecs_buf_truncate(&handle->text, rest) < 0)
        return -ENOMEM;
    char *to = handle->text.data;
    while (len < rest) {
        ssize_t n = pread(handle->kept, to + len, rest - len, (off_t)(offset + len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    take_bytes(handle, offset, to, len);
    if (len < rest || (handle->wrong && offset + len == handle->size)) {
        fs_layer_cache_drop(view->tree->layers, handle->digest);
        return fs_fail(view->rq, -EIO, "DigestMismatch",
                       "what was kept in the cache_dir is not %s any more; it is dropped", handle->digest);
    }
    *ret_data = to;
    *ret_len = len;
    return 0;
}

static int blob_read(struct fs_view *view, struct fs_handle *base, size_t size, off_t offset,
                     const char **ret_data, size_t *ret_len)
{
    struct blob_handle *handle = (struct blob_handle *)base;
    if ((uint64_t)offset >= handle->size)
        return 0;
    if (size > PIECE)
        size = PIECE;
    if (handle->kept >= 0)
        return read_kept(view, handle, size, (uint64_t)offset, ret_data, ret_len);
    if (!handle->is_manifest)
        return read_layer(view, handle, size, (uint64_t)offset, ret_data, ret_len);
    size_t have = handle->text.len - (size_t)offset;
    *ret_data = handle->text.data + offset;
    *ret_len = have < size ? have : size;
    return 0;
}

static void blob_release(struct fs_tree *tree, struct fs_handle *base)
{
    free_handle((struct blob_handle *)base);
}

/* ---- written again: a push of what is there ---- */

static int blob_truncate(struct fs_view *view, struct fs_handle *base, off_t size)
{
    struct blob_handle *handle = (struct blob_handle *)base;
    if (handle == NULL || !handle->writing)
        return -EACCES;
    handle->written = size == 0 ? 0 : handle->written;
    return 0;
}

static int blob_write(struct fs_view *view, struct fs_handle *base, const char *data, size_t len,
                      off_t offset)
{
    struct blob_handle *handle = (struct blob_handle *)base;
    if ((uint64_t)offset != handle->written)
        return fs_fail(view->rq, -EPERM, "BlobExists",
                       "%s is there: it can only be written as it is, from its beginning", handle->digest);
    EVP_DigestUpdate(handle->hash, data, len);
    handle->written += len;
    return 0;
}

static int blob_flush(struct fs_view *view, struct fs_handle *base)
{
    struct blob_handle *handle = (struct blob_handle *)base;
    if (!handle->writing || handle->written == 0 || handle->written == UINT64_MAX ||
        view->rq->pid != base->pid)
        return 0;
    handle->writing = false;
    if (digest_matches(handle))
        return 0;
    fs_tell_changed(view->tree, view->inode);
    return fs_fail(view->rq, -EBADMSG, "DigestMismatch", "what was written as %s is something else",
                   handle->digest);
}

const struct fs_file_ops fs_blob_ops = {
    .open = blob_open,
    .read = blob_read,
    .write = blob_write,
    .flush = blob_flush,
    .truncate = blob_truncate,
    .release = blob_release,
};
