/* SPDX-License-Identifier: Apache-2.0 */
/* ECR: repositories and their images. Layers are blobs of the store, one set a repository. */
#ifndef LOCAL_REGISTRY_H
#define LOCAL_REGISTRY_H

#include "request.h"

enum { DIGEST_MAX = 72, MANIFEST_MAX = 4 * 1024 * 1024 };

struct image {
    struct record record; /* first */
    TAILQ_ENTRY(image) link;
    struct repository *repository;
    char digest[DIGEST_MAX];
    char *media_type, *manifest, *artifact_type; /* the last may be NULL; the manifest is as it was sent */
    char *subject;                               /* the digest of the manifest that it is about, or NULL */
    bool archived;                               /* its storage class */
    json_t *tags;                                /* of the image: texts */
    int64_t pushed_at, pulled_at, scanned_at;    /* wall; 0: never */
    int64_t size;
};

struct repository {
    struct record record; /* first; its tags are AWS's resource tags */
    TAILQ_ENTRY(repository) link;
    char *name;
    int64_t created;
    json_t *settings; /* imageTagMutability, imageScanningConfiguration, encryptionConfiguration, ... */
    char *policy, *lifecycle; /* texts, or NULL */
    int64_t lifecycle_at;     /* when that was put, or evaluated last */
    int64_t preview_at;       /* when a preview was asked for; 0: never */
    char *preview_policy;
    TAILQ_HEAD(image_list, image) images; /* as pushed */
    struct index images_by_digest;
    struct timer timer; /* the lifecycle policy's next run */
};

struct registry {
    struct record record;                                 /* first: the settings below */
    TAILQ_HEAD(repository_list, repository) repositories; /* by name */
    struct index by_name;
    json_t *settings; /* "policy", "replication", "scanning" */
    TAILQ_HEAD(, upload) uploads;
};

/* registry_store.c */
struct registry *registry_of(struct region *region); /* makes it; NULL: no memory */
struct repository *repository_find(const struct region *region, const char *name);
struct repository *repository_new(struct region *region, const char *name);
void repository_delete(struct repository *repository); /* with its images and layers */
struct image *image_new(struct repository *repository, const char *digest);
void image_delete(struct image *image);
/* By tag, or by digest when it begins with "sha256:". NULL: there is none. */
struct image *image_find(const struct repository *repository, const char *tag_or_digest);
bool image_has_tag(const struct image *image, const char *tag);
void image_add_tag(struct image *image, const char *tag);
void image_drop_tag(struct image *image, const char *tag);
void registry_free_all(struct region *region);

/* image_put.c: what PutImage and the registry's PUT of a manifest do. */
struct image_put {
    const char *manifest, *media_type, *tag, *digest; /* the last three may be NULL */
    size_t len;
};
/* The image, new or as it was (*ret_same: with this tag already). NULL: refused with ECR's codes. */
struct image *image_put(struct request *rq, struct repository *repository, const struct image_put *put,
                        bool *ret_same);

/* manifest.c */
/* The media type of a manifest, static: as the request states it, NULL: as the manifest does itself. NULL
 * with *ret_why, static: it is no manifest that ECR takes. */
const char *manifest_type(const json_t *manifest, const char *stated, const char **ret_why);
/* [a-zA-Z0-9_][a-zA-Z0-9._-]{0,299} */
bool tag_is_valid(const char *tag);
bool manifest_is_index(const json_t *manifest);
/* Adds the digests that the image names as an index to the keys of `digests`. */
void image_name_children(const struct image *image, json_t *digests);
/* An index of the repository that names the image, which cannot be deleted before it. NULL: none does. */
const struct image *image_holder(const struct image *image);

/* layers.c */
/* The store's name of a layer of the repository; the caller frees. */
char *layer_name(const struct repository *repository, const char *digest);
int64_t layer_size(const struct repository *repository, const char *digest); /* -ENOENT */

struct upload; /* a layer on its way in: upload.h */
struct upload *upload_new(struct repository *repository);
struct upload *upload_find(const struct region *region, const char *id);
const char *upload_id(const struct upload *upload);
const struct repository *upload_repository(const struct upload *upload);
int64_t upload_size(const struct upload *upload);
int upload_add(struct upload *upload, const void *data, size_t len); /* 0 or -errno */
/* Becomes the layer, if its digest is that one: 0, -EBADMSG when not (it is gone then), or -errno. */
int upload_finish(struct upload *upload, const char *digest);
void upload_free(struct upload *upload);
/* "sha256:<hex>" */
void digest_of(const void *data, size_t len, char digest[DIGEST_MAX]);
bool digest_is_valid(const char *digest);

/* lifecycle.c: what a policy would expire now: [{image, rule priority}]. */
struct expiry {
    struct image *image;
    long priority;
};
/* NULL with *ret_why set when the text is no policy. The array of *ret_len is the caller's. */
struct expiry *lifecycle_evaluate(const struct repository *repository, const char *policy, size_t *ret_len,
                                  const char **ret_why);
void lifecycle_arm(struct repository *repository);
void lifecycle_run(struct timer *timer);

/* ecr_public.c: ECR Public is a registry of its own, kept in a region of that name. */
enum { PUBLIC_ALIAS_MAX = 16 };
struct region *public_region(struct world *world); /* NULL: no memory */
bool region_is_public(const struct region *region);
/* "e1234567": what the registry's URIs bear, public.ecr.aws/<alias>/<repository>. Returns alias. */
char *public_alias(const struct world *world, char alias[PUBLIC_ALIAS_MAX]);
/* What follows "<alias>/", or NULL. */
const char *public_path(const struct world *world, const char *path);

/* The image of an imageId, by digest, tag or both: refuses with ImageNotFoundException (ecr_images.c). */
struct image *image_require(struct request *rq, struct repository *repository, const json_t *id);
/* The subject of a manifest, malloc'd, or NULL (image_put.c). */
char *image_subject(const json_t *manifest);

/* The repository that rq->in names: refuses with RepositoryNotFoundException. */
struct repository *repository_of(struct request *rq);

#endif
