/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of images and indexes, of Docker's and of OCI's form: what they are made of. Pure. The bytes may
 * be anybody's: nothing that is returned has not been looked at. */
#ifndef FS_MANIFEST_H
#define FS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

enum fs_manifest_kind {
    FS_MANIFEST_NONE,  /* no manifest: a configuration, or no JSON at all */
    FS_MANIFEST_IMAGE, /* parts: the configuration, if it has one, and its layers */
    FS_MANIFEST_INDEX, /* parts: manifests */
};

struct fs_descriptor {
    const char *digest; /* sha256: and 64 hex digits */
    uint64_t size;      /* bytes */
    const char *tag;    /* org.opencontainers.image.ref.name, or NULL */
};

struct fs_manifest {
    enum fs_manifest_kind kind;
    const char *type;            /* its media type: as it says, or as its form tells */
    struct fs_descriptor *parts; /* strings are of the tree */
    size_t len;
    bool has_config; /* the first part is the configuration */
    size_t bad;      /* one more than the place of the first descriptor without such a digest and size, which
                        is left out as all others like it; 0: none */
    struct json_t *tree;
};

/* 0 or -ENOMEM; what is no manifest is FS_MANIFEST_NONE. To be freed in any case. */
int fs_manifest_read(const char *text, size_t len, struct fs_manifest *ret_manifest);
/* The same of a tree that is there already; takes a reference of its own. */
int fs_manifest_of(struct json_t *tree, struct fs_manifest *ret_manifest);
void fs_manifest_free(struct fs_manifest *manifest);
#define cleanup_manifest __attribute__((cleanup(fs_manifest_free)))

/* Does ECR take manifests of that type? */
bool fs_manifest_type_known(const char *type);

#endif
