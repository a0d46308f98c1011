/* SPDX-License-Identifier: Apache-2.0 */
/* A repository as an OCI image layout: repositories/<repository>/oci/. */
#ifndef FS_OCI_H
#define FS_OCI_H

#include <stdint.h>

#include "tree/node.h"

enum { FS_DIGEST_TEXT = 72 }; /* "sha256:", 64 hex digits, NUL */

struct fs_blob {
    bool is_manifest; /* fs_blob_text has its bytes; else it is a layer or a configuration */
    uint64_t size;    /* bytes */
};

/* What the repository's manifests say of a digest. Manifests that are known already are looked at first; only
 * when none of them names it, all others are asked for, and then ECR itself. -ENOENT: it has none such. 0,
 * FS_PARKED, -errno. */
int fs_blob_find(struct fs_view *view, const char *digest, struct fs_blob *ret_blob);
/* Every digest that the repository's images are made of: {digest: size}, borrowed until the next operation.
 */
int fs_blob_all(struct fs_view *view, const struct json_t **ret_sizes);
/* How the layout shows an image: its digest and size, or, where its manifest is of Docker's form, those of
 * the same in OCI's form (oci_form.h), which is a blob too. 0, FS_PARKED, -errno. */
int fs_blob_shown(struct fs_view *view, const char *digest, char shown[FS_DIGEST_TEXT], uint64_t *ret_size);
/* The image that the layout shows by that digest; itself, when it is no other's form. */
int fs_blob_source(struct fs_view *view, const char *digest, char source[FS_DIGEST_TEXT]);
/* The bytes of a blob that is a manifest: AWS's, or of the form shown. */
int fs_blob_text(struct fs_view *view, const char *digest, struct ecs_buf *bytes);
/* A manifest's own bytes, checked against its digest. 0, FS_PARKED, -errno. */
int fs_manifest_bytes(struct fs_view *view, const char *repository, const char *digest,
                      struct ecs_buf *bytes);

/* A fs_change.receive (oci_layer.c). */
struct fs_scratch_file;
int fs_blob_receive(struct fs_view *view, const char *name, struct fs_scratch_file *file);

extern const struct fs_file_ops fs_blob_ops; /* blob_file.c */

#endif
