/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Registry HTTP API v2 over ECR's images: docker, podman, skopeo and crane push and pull
 *
 *     $ aws ecr create-repository --repository-name web
 *     $ skopeo copy --dest-tls-verify=false oci:web docker://127.0.0.1:4566/web:1
 *
 * As with ECR, a push makes no repository. The region is that of the host name
 * (<account>.dkr.ecr.<region>.amazonaws.com), of ?region=, or the emulator's own. Any login will do, and
 * none; under --verify it is that of GetAuthorizationToken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecr/login.h"
#include "ecr/registry.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/error.h"
#include "http.h"
#include "registry_route.h"
#include "store.h"

static const char version_header[] = "Docker-Distribution-Api-Version", version[] = "registry/2.0";

/* One read of the store, and of MHD. */
enum { BLOCK = 256 * 1024 };

enum { LOCATION_MAX = 512 };

static struct region *region_of(const struct exchange *exchange)
{
    const char *host = header_of(exchange, "Host"), *asked = argument_of(exchange, "region");
    const char *at = host ? strstr(host, ".dkr.ecr.") : NULL;
    char name[32] = "";
    if (asked && strspn(asked, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(asked))
        snprintf(name, sizeof(name), "%s", asked);
    else if (at)
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 9, "."), at + 9);
    return world_find_region(exchange->face->world, name);
}

static enum MHD_Result refuse_v2(struct exchange *exchange, unsigned status, const char *code,
                                 const char *message)
{
    json_t *tree = json_pack("{s:[{s:s, s:s}]}", "errors", "code", code, "message", message);
    char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    count_call(exchange->face, exchange->operation, "errors");
    return answer(exchange, status, "application/json", text, text ? strlen(text) : 0, version_header,
                  version, NULL);
}

/* By its name, or ECR Public's by "<alias>/<name>". */
static struct repository *find_repository(struct world *world, const struct region *region, const char *name)
{
    struct repository *repository = repository_find(region, name);
    const char *path = public_path(world, name);
    const struct region *open = repository || !path ? NULL : public_region(world);
    return open ? repository_find(open, path) : repository;
}

/* A path of this API below the repository; ECR Public's have its alias. */
static const char *locate(const struct repository *repository, const char *what, const char *reference,
                          char location[LOCATION_MAX])
{
    const struct region *region = repository->record.region;
    char alias[PUBLIC_ALIAS_MAX] = "";
    if (region_is_public(region))
        public_alias(region->world, alias);
    snprintf(location, LOCATION_MAX, "/v2/%s%s%s/%s/%s", alias, *alias ? "/" : "", repository->name, what,
             reference);
    return location;
}

static enum MHD_Result no_repository(struct exchange *exchange, const struct route *route)
{
    char text[512];
    snprintf(text, sizeof(text),
             "The repository with name '%.256s' does not exist in the registry with id '%s'", route->name,
             world_account(exchange->face->world));
    return refuse_v2(exchange, 404, "NAME_UNKNOWN", text);
}

/* Under --verify, as ECR: by the password of an authorization token, or a layer by its signed address. */
static bool is_let_in(const struct exchange *exchange, const struct route *route, const struct region *region)
{
    const struct world *world = exchange->face->world;
    if (!exchange->face->key || login_is_header(world, header_of(exchange, "Authorization")))
        return true;
    return route->what == BLOB && region &&
           login_is_layer(world, region->name, route->name, route->reference, argument_of(exchange, "until"),
                          argument_of(exchange, "signature"));
}

static enum MHD_Result ask_to_log_in(struct exchange *exchange)
{
    static const char text[] = "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"Not Authorized\"}]}";
    char *copy = strdup(text), realm[160];
    snprintf(realm, sizeof(realm), "Basic realm=\"http://%s/\",service=\"ecr.amazonaws.com\"",
             exchange->face->address);
    count_call(exchange->face, exchange->operation, "errors");
    return answer(exchange, 401, "application/json", copy, copy ? sizeof(text) - 1 : 0, version_header,
                  version, "WWW-Authenticate", realm, NULL);
}

static bool is_method(const struct exchange *exchange, const char *method)
{
    return strcmp(exchange->method, method) == 0;
}

/* --- manifests --- */

static enum MHD_Result get_manifest(struct exchange *exchange, struct repository *repository,
                                    const struct route *route)
{
    struct image *image = image_find(repository, route->reference);
    if (!image)
        return refuse_v2(exchange, 404, "MANIFEST_UNKNOWN", "Requested image not found");
    image->pulled_at = world_wall(exchange->face->world);
    char *text = strdup(image->manifest);
    return answer(exchange, 200, image->media_type, text, text ? strlen(text) : 0, version_header, version,
                  "Docker-Content-Digest", image->digest, NULL);
}

static enum MHD_Result refuse_put(struct exchange *exchange, struct ecs_error *error)
{
    static const struct {
        const char *code, *v2;
        unsigned status;
    } rows[] = {
        {"LayersNotFoundException", "BLOB_UNKNOWN", 404},
        {"ReferencedImagesNotFoundException", "MANIFEST_BLOB_UNKNOWN", 404},
        {"ImageDigestDoesNotMatchException", "DIGEST_INVALID", 400},
        {"ImageTagAlreadyExistsException", "TAG_INVALID", 400},
        {"InvalidParameterException", "MANIFEST_INVALID", 400},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].code, error->code) == 0)
            return refuse_v2(exchange, rows[i].status, rows[i].v2, error->message);
    return refuse_v2(exchange, 500, "UNKNOWN", error->message);
}

static enum MHD_Result put_manifest(struct exchange *exchange, struct repository *repository,
                                    const struct route *route)
{
    bool by_digest = strncmp(route->reference, "sha256:", 7) == 0;
    struct ecs_error *error = NULL;
    char digest[DIGEST_MAX], location[LOCATION_MAX];
    if (!by_digest && !tag_is_valid(route->reference))
        return refuse_v2(exchange, 400, "TAG_INVALID", "A tag is [a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}.");
    json_t *in = json_pack("{s:s, s:s%, s:s*, s:s}", "repositoryName", repository->name, "imageManifest",
                           exchange->body.data ? exchange->body.data : "", exchange->body.len,
                           "imageManifestMediaType", header_of(exchange, "Content-Type"),
                           by_digest ? "imageDigest" : "imageTag", route->reference);
    if (!in)
        return refuse_v2(exchange, 400, "MANIFEST_INVALID", "The manifest is not valid UTF-8.");
    digest_of(exchange->body.data, exchange->body.len, digest);
    json_t *reply =
        world_call(exchange->face->world, repository->record.region->name, "ecr", "PutImage", in, &error);
    json_decref(in);
    json_decref(reply);
    if (error && strcmp(error->code, "ImageAlreadyExistsException") != 0) {
        enum MHD_Result result = refuse_put(exchange, error);
        ecs_error_unref(error);
        return result;
    }
    ecs_error_unref(error);
    locate(repository, "manifests", digest, location);
    return answer(exchange, 201, NULL, NULL, 0, version_header, version, "Docker-Content-Digest", digest,
                  "Location", location, NULL);
}

static enum MHD_Result speak_manifest(struct exchange *exchange, struct repository *repository,
                                      const struct route *route)
{
    return is_method(exchange, "PUT") ? put_manifest(exchange, repository, route)
                                      : get_manifest(exchange, repository, route);
}

/* --- blobs --- */

struct reader {
    struct store *store;
    char *name;
    uint64_t from, len; /* of the layer: all of it, or the range that was asked for */
};

static ssize_t read_blob(void *cls, uint64_t offset, char *to, size_t size)
{
    struct reader *reader = cls;
    if (size > reader->len - offset)
        size = (size_t)(reader->len - offset);
    int64_t len = store_blob_read(reader->store, reader->name, (int64_t)(reader->from + offset), to, size);
    return len < 0    ? MHD_CONTENT_READER_END_WITH_ERROR
           : len == 0 ? MHD_CONTENT_READER_END_OF_STREAM
                      : (ssize_t)len;
}

static void reader_free(void *cls)
{
    struct reader *reader = cls;
    free(reader->name);
    free(reader);
}

static enum MHD_Result speak_blob(struct exchange *exchange, struct repository *repository,
                                  const struct route *route)
{
    int64_t size = layer_size(repository, route->reference);
    struct reader *reader = size >= 0 ? calloc(1, sizeof(*reader)) : NULL;
    if (!reader || !(reader->name = layer_name(repository, route->reference))) {
        free(reader);
        return refuse_v2(exchange, 404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    char content_range[RANGE_TEXT];
    reader->store = exchange->face->world->store;
    reader->len = (uint64_t)size;
    unsigned status =
        range_of(header_of(exchange, "Range"), (uint64_t)size, &reader->from, &reader->len, content_range);
    if (status == 416) {
        reader_free(reader);
        return answer(exchange, status, NULL, NULL, 0, version_header, version, "Content-Range",
                      content_range, NULL);
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(reader->len, BLOCK, read_blob, reader, reader_free);
    if (!response) {
        reader_free(reader);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    MHD_add_response_header(response, "Docker-Content-Digest", route->reference);
    MHD_add_response_header(response, version_header, version);
    MHD_add_response_header(response, "Accept-Ranges", "bytes");
    if (status == 206)
        MHD_add_response_header(response, "Content-Range", content_range);
    enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* --- uploads --- */

static enum MHD_Result answer_upload(struct exchange *exchange, unsigned status, const struct upload *upload)
{
    char location[LOCATION_MAX], range[64];
    int64_t size = upload_size(upload);
    locate(upload_repository(upload), "blobs/uploads", upload_id(upload), location);
    snprintf(range, sizeof(range), "0-%lld", (long long)(size ? size - 1 : 0));
    return answer(exchange, status, NULL, NULL, 0, version_header, version, "Location", location, "Range",
                  range, "Docker-Upload-UUID", upload_id(upload), NULL);
}

static enum MHD_Result answer_blob_made(struct exchange *exchange, const struct repository *repository,
                                        const char *digest)
{
    char location[LOCATION_MAX];
    locate(repository, "blobs", digest, location);
    return answer(exchange, 201, NULL, NULL, 0, version_header, version, "Location", location,
                  "Docker-Content-Digest", digest, NULL);
}

static enum MHD_Result refuse_store(struct exchange *exchange, int r)
{
    char text[256];
    snprintf(text, sizeof(text), "the blob cannot be stored: %s", strerror(-r));
    return refuse_v2(exchange, 500, "UNKNOWN", text);
}

static enum MHD_Result finish(struct exchange *exchange, struct repository *repository, struct upload *upload,
                              const char *digest)
{
    if (!digest || !digest_is_valid(digest))
        return refuse_v2(exchange, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    int r = upload_finish(upload, digest);
    if (r == -EBADMSG)
        return refuse_v2(exchange, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    if (r < 0)
        return refuse_store(exchange, r);
    return answer_blob_made(exchange, repository, digest);
}

/* POST: begins an upload, or ends it at once when the whole blob comes with it. A mount from another
 * repository is declined, as the protocol allows: the client then uploads. */
static enum MHD_Result begin_upload(struct exchange *exchange, struct repository *repository)
{
    const char *digest = argument_of(exchange, "digest");
    struct upload *upload = upload_new(repository);
    if (!upload)
        return refuse_v2(exchange, 500, "UNKNOWN", "out of memory");
    if (!digest)
        return answer_upload(exchange, 202, upload);
    int r = upload_add(upload, exchange->body.data ? exchange->body.data : "", exchange->body.len);
    if (r < 0) {
        upload_free(upload);
        return refuse_store(exchange, r);
    }
    return finish(exchange, repository, upload, digest);
}

static enum MHD_Result speak_upload(struct exchange *exchange, struct repository *repository,
                                    const struct route *route)
{
    struct upload *upload = upload_find(repository->record.region, route->reference);
    if (!upload || upload_repository(upload) != repository)
        return refuse_v2(exchange, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    if (exchange->refused)
        return refuse_v2(exchange, 416, "BLOB_UPLOAD_INVALID",
                         "the chunk does not begin where the upload ends");
    if (exchange->body.failed) { /* a part is missing: nothing can become of it */
        upload_free(upload);
        return refuse_store(exchange, exchange->body.failed);
    }
    if (is_method(exchange, "PATCH"))
        return answer_upload(exchange, 202, upload);
    if (is_method(exchange, "PUT"))
        return finish(exchange, repository, upload, argument_of(exchange, "digest"));
    if (is_method(exchange, "DELETE")) {
        upload_free(upload);
        return answer(exchange, 204, NULL, NULL, 0, version_header, version, NULL);
    }
    return answer_upload(exchange, 204, upload);
}

bool registry_streams(const struct exchange *exchange)
{
    return strncmp(exchange->path, "/v2/", 4) == 0 && strstr(exchange->path, "/blobs/uploads/") &&
           (is_method(exchange, "PATCH") || is_method(exchange, "PUT"));
}

enum MHD_Result registry_data(struct exchange *exchange, const char *data, size_t len)
{
    cleanup_route struct route route = route_of(exchange->path);
    struct world *world = exchange->face->world;
    struct region *region = region_of(exchange);
    const struct repository *repository =
        route.what == UPLOAD && region ? find_repository(world, region, route.name) : NULL;
    struct upload *upload = repository ? upload_find(repository->record.region, route.reference) : NULL;
    /* What is amiss is told at the end, when the client listens. */
    if (!upload || exchange->refused || !is_let_in(exchange, &route, region))
        return MHD_YES;
    if (!exchange->streaming && !chunk_begins_at(header_of(exchange, "Content-Range"), upload_size(upload))) {
        exchange->refused = true;
        return MHD_YES;
    }
    exchange->streaming = true;
    int r = upload_add(upload, data, len);
    if (r < 0)
        exchange->body.failed = r;
    return MHD_YES;
}

/* --- lists --- */

static enum MHD_Result speak_tags(struct exchange *exchange, struct repository *repository)
{
    json_t *tags = json_array();
    struct image *image;
    TAILQ_FOREACH(image, &repository->images, link)
    {
        json_array_extend(tags, image->tags);
    }
    return answer_json(exchange, 200, json_pack("{s:s, s:o}", "name", repository->name, "tags", tags));
}

static enum MHD_Result speak_catalog(struct exchange *exchange, const struct region *region)
{
    json_t *names = json_array();
    struct repository *repository;
    if (region->registry)
        TAILQ_FOREACH(repository, &region->registry->repositories, link)
        {
            json_array_append_new(names, json_string(repository->name));
        }
    return answer_json(exchange, 200, json_pack("{s:o}", "repositories", names));
}

/* What each route answers to; ECR's registry deletes nothing (BatchDeleteImage does). */
static bool takes_method(const struct exchange *exchange, const struct route *route)
{
    static const char *const methods[] = {
        [BASE] = "GET HEAD ",
        [CATALOG] = "GET HEAD ",
        [MANIFEST] = "GET HEAD PUT ",
        [BLOB] = "GET HEAD ",
        [UPLOADS] = "POST ",
        [TAGS] = "GET HEAD ",
        [UPLOAD] = "GET HEAD PATCH PUT DELETE ",
    };
    char word[16];
    snprintf(word, sizeof(word), "%.13s ", exchange->method);
    return strstr(methods[route->what], word) != NULL;
}

enum MHD_Result speak_registry(struct exchange *exchange)
{
    cleanup_route struct route route = route_of(exchange->path);
    struct region *region = region_of(exchange);
    enum MHD_Result result;
    snprintf(exchange->operation, sizeof(exchange->operation), "registry.%.16s%s", exchange->method,
             route_names[route.what]);
    if (struck_before(exchange, &result))
        return result;
    if (!is_let_in(exchange, &route, region))
        return ask_to_log_in(exchange);
    if (route.what == BASE && takes_method(exchange, &route))
        return answer(exchange, 200, "application/json", strdup("{}"), 2, version_header, version, NULL);
    if (route.what == NOWHERE || !region)
        return refuse_v2(exchange, 404, "UNSUPPORTED", "there is no such path");
    if (!takes_method(exchange, &route))
        return refuse_v2(exchange, 405, "UNSUPPORTED", "The operation is unsupported.");
    if (route.what == CATALOG)
        return speak_catalog(exchange, region);
    struct repository *repository = find_repository(exchange->face->world, region, route.name);
    if (!repository)
        return no_repository(exchange, &route);
    switch (route.what) {
    case MANIFEST:
        return speak_manifest(exchange, repository, &route);
    case BLOB:
        return speak_blob(exchange, repository, &route);
    case UPLOADS:
        return begin_upload(exchange, repository);
    case UPLOAD:
        return speak_upload(exchange, repository, &route);
    default:
        return speak_tags(exchange, repository);
    }
}
