/* SPDX-License-Identifier: Apache-2.0 */
/* A blob comes into a layout: a layer or configuration goes up to ECR at once, unless ECR has it; a manifest
 * waits here for the index that names it, for only an image has manifests at ECR. */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes/change.h"
#include "ecsfs/cleanup.h"
#include "manifest.h"
#include "oci.h"
#include "repositories.h"
#include "staging/local.h"
#include "tree/query.h"
#include "tree/show.h"

/* ECR takes parts of 5 MiB and more; the last may be shorter. */
enum { PART = 5 << 20 };

/* A layer whose sending failed by nobody's verdict is begun anew so often. */
enum { AGAIN = 4 };

enum stage { CHECK, INITIATE, PARTS, COMPLETE, DONE };

/* What the request remembers. */
struct sending {
    enum stage stage;
    char digest[FS_DIGEST_TEXT];
    uint64_t size, sent;
    int again; /* how often it was begun anew */
    char *upload_id;
    struct fs_query query;
};

static void free_sending(void *memory)
{
    struct sending *sending = memory;
    fs_query_free(&sending->query);
    free(sending->upload_id);
    free(sending);
}

static struct sending *sending_of(struct fs_request *rq)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress == NULL || (progress->memory != NULL && progress->memory_free != free_sending))
        return NULL;
    if (progress->memory == NULL) {
        progress->memory = calloc(1, sizeof(struct sending));
        progress->memory_free = free_sending;
    }
    return progress->memory;
}

static char *make_check(struct fs_view *view, struct sending *sending, struct fs_scratch *scratch)
{
    return fs_query_body(
        json_pack("{s:s, s:[s]}", "repositoryName", view_repository(view), "layerDigests", sending->digest));
}

typedef char *make_fn(struct fs_view *view, struct sending *sending, struct fs_scratch *scratch);

/* The input is made only when there is no call under way. */
static int ask(struct fs_view *view, struct sending *sending, const char *operation, make_fn *make,
               struct fs_scratch *scratch, json_t **ret_reply)
{
    bool reading = make == make_check;
    int r = 0;
    if (sending->query.action == NULL)
        r = fs_query_begin(&sending->query, fs_repositories_of(view)->service, operation,
                           make(view, sending, scratch), reading);
    return r == 0 ? fs_query_wait(view, &sending->query, ret_reply) : r;
}

/* ---- the stages ---- */

/* What ECR has already is not sent. */
static int check(struct fs_view *view, struct sending *sending)
{
    json_t *reply;
    int r = ask(view, sending, "BatchCheckLayerAvailability", make_check, NULL, &reply);
    if (r != 0)
        return r;
    const json_t *layer = json_array_get(json_object_get(reply, "layers"), 0);
    const char *availability = json_string_value(json_object_get(layer, "layerAvailability"));
    sending->stage = availability != NULL && strcmp(availability, "AVAILABLE") == 0 ? DONE : INITIATE;
    json_decref(reply);
    return 0;
}

static char *make_initiate(struct fs_view *view, struct sending *sending, struct fs_scratch *scratch)
{
    return fs_query_body(json_pack("{s:s}", "repositoryName", view_repository(view)));
}

static int initiate(struct fs_view *view, struct sending *sending)
{
    json_t *reply;
    int r = ask(view, sending, "InitiateLayerUpload", make_initiate, NULL, &reply);
    if (r != 0)
        return r;
    const char *id = json_string_value(json_object_get(reply, "uploadId"));
    sending->upload_id = id != NULL ? strdup(id) : NULL;
    json_decref(reply);
    sending->stage = PARTS;
    return sending->upload_id != NULL ? 0 : fs_fail(view->rq, -EPROTO, "MalformedReply", "no uploadId came");
}

/* Written by hand: the bytes would be in memory thrice over as a JSON tree. */
static char *make_part(struct fs_view *view, struct sending *sending, struct fs_scratch *scratch)
{
    const char *data;
    size_t len, at;
    if (fs_scratch_read(scratch, PART, sending->sent, &data, &len) < 0 || len == 0)
        return NULL;
    cleanup_free char *head = fs_query_body(json_pack(
        "{s:s, s:s, s:I, s:I}", "repositoryName", view_repository(view), "uploadId", sending->upload_id,
        "partFirstByte", (json_int_t)sending->sent, "partLastByte", (json_int_t)(sending->sent + len - 1)));
    char *body = head != NULL ? malloc(strlen(head) + len / 3 * 4 + 64) : NULL;
    if (body == NULL)
        return NULL;
    at = strlen(head) - 1; /* over its closing brace */
    memcpy(body, head, at);
    at += (size_t)sprintf(body + at, ",\"layerPartBlob\":\"");
    at += (size_t)EVP_EncodeBlock((unsigned char *)body + at, (const unsigned char *)data, (int)len);
    strcpy(body + at, "\"}");
    return body;
}

static int send_parts(struct fs_view *view, struct sending *sending, struct fs_scratch *scratch)
{
    while (sending->sent < sending->size) {
        json_t *reply;
        int r = ask(view, sending, "UploadLayerPart", make_part, scratch, &reply);
        if (r != 0)
            return r;
        json_decref(reply);
        uint64_t rest = sending->size - sending->sent;
        sending->sent += rest < PART ? rest : PART;
    }
    sending->stage = COMPLETE;
    return 0;
}

/* Somebody else's push of the same layer may have been faster. */
static int settle(struct fs_request *rq, int r)
{
    struct fs_progress *progress = rq->progress;
    if (r != -EEXIST || progress->error == NULL ||
        strcmp(progress->error->code, "LayerAlreadyExistsException") != 0)
        return r;
    progress->error = ecs_error_unref(progress->error);
    return 0;
}

static int complete(struct fs_view *view, struct sending *sending)
{
    int r;
    if (fs_acting(view->rq)) {
        r = fs_act_wait(view);
    } else {
        json_t *input =
            json_pack("{s:s, s:s, s:[s]}", "repositoryName", view_repository(view), "uploadId",
                      sending->upload_id != NULL ? sending->upload_id : "", "layerDigests", sending->digest);
        r = fs_act(view, fs_action(fs_repositories_of(view)->service, "CompleteLayerUpload", input,
                                   ECS_EFFECT_NONE, NULL, NULL));
    }
    r = r == FS_PARKED ? r : settle(view->rq, r);
    if (r == 0)
        sending->stage = DONE;
    return r;
}

/* An answer that is lost, or a 500, says nothing of a part's fate; but a layer is what it hashes to, so all
 * of it may be sent anew, under another upload, unless ECR has it by now. */
static bool begin_anew(struct fs_request *rq, struct sending *sending, int r)
{
    struct fs_progress *progress = rq->progress;
    const struct ecs_error *error = progress->error;
    if (r >= 0 || error == NULL || sending->again == AGAIN || sending->stage == CHECK ||
        (r != -EIO && strcmp(error->code, "AnswerLost") != 0))
        return false;
    progress->error = ecs_error_unref(progress->error);
    progress->action = ecs_action_unhold(progress->action);
    free(sending->upload_id);
    sending->upload_id = NULL;
    sending->sent = 0;
    sending->again++;
    sending->stage = CHECK;
    return true;
}

static int send_layer(struct fs_view *view, struct sending *sending, struct fs_scratch *scratch)
{
    int r = 0;
    if (view->tree->options.dry_run && sending->stage < COMPLETE)
        sending->stage = COMPLETE; /* journaled, not made */
    while ((r == 0 && sending->stage != DONE) || begin_anew(view->rq, sending, r))
        r = sending->stage == CHECK      ? check(view, sending)
            : sending->stage == INITIATE ? initiate(view, sending)
            : sending->stage == PARTS    ? send_parts(view, sending, scratch)
                                         : complete(view, sending);
    struct ecs_key key = {fs_repositories_of(view)->layer, view_repository(view), sending->digest};
    if (r == 0)
        ecs_cache_forget(view->tree->cache, &key);
    return r;
}

/* ---- what it is ---- */

static int hash_of(struct fs_scratch *scratch, char hex[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    if (scratch->spool != NULL)
        return fs_spool_sha256(scratch->spool, hex);
    if (EVP_Digest(scratch->text.data != NULL ? scratch->text.data : "", scratch->text.len, sum, NULL,
                   EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

static bool is_manifest(const struct fs_scratch *scratch)
{
    cleanup_manifest struct fs_manifest manifest = {0};
    return scratch->spool == NULL &&
           fs_manifest_read(scratch->text.data, scratch->text.len, &manifest) == 0 &&
           manifest.kind != FS_MANIFEST_NONE;
}

int fs_blob_receive(struct fs_view *view, const char *name, struct fs_scratch_file *file)
{
    struct fs_scratch *scratch = &file->scratch;
    view->rq->patient = true; /* it takes as long as its bytes take */
    file->used_ms = fs_now_ms(view->tree);
    int r = fs_may_change(view);
    struct sending *sending = r == 0 ? sending_of(view->rq) : NULL;
    if (sending == NULL)
        return r != 0 ? r : -ENOMEM;
    if (sending->digest[0] == '\0') {
        char hex[65];
        r = hash_of(scratch, hex);
        if (r < 0)
            return r;
        if (strcmp(hex, name) != 0)
            return fs_fail(view->rq, -EBADMSG, "DigestMismatch", "what was written as %s hashes to %s", name,
                           hex);
        if (is_manifest(scratch))
            return FS_KEPT;
        if (fs_scratch_size(scratch) == 0)
            return fs_fail(view->rq, -EBADMSG, "EmptyLayer", "ECR takes no empty layers");
        snprintf(sending->digest, sizeof(sending->digest), "sha256:%s", hex);
        sending->size = fs_scratch_size(scratch);
    }
    r = send_layer(view, sending, scratch);
    return r == 0 ? FS_RECEIVED : r;
}

const struct fs_change fs_blob_change = {.receive = fs_blob_receive};
