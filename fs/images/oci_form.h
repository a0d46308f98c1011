/* SPDX-License-Identifier: Apache-2.0 */
/* An image layout holds OCI's manifests: skopeo and umoci do not see those of Docker's form, which most
 * images at ECR have. So oci/ shows these in OCI's form, as `skopeo copy docker://... oci:...` would make it:
 * the same configuration and layers, under the digest of its own bytes. Pure. */
#ifndef FS_OCI_FORM_H
#define FS_OCI_FORM_H

#include "ecsfs/buf.h"
#include "manifest.h"

/* Is it of Docker's form (schema 2, or a list of such)? */
bool fs_oci_form_wanted(const struct fs_manifest *manifest);

/* The digest and size by which a list's image goes in OCI's form: 0; -ENOENT: it goes as it is. Else the
 * error. */
typedef int fs_oci_child_fn(void *arg, const char *digest, const char **ret_digest, uint64_t *ret_size);

/* Adds the text of OCI's form. `child` is only asked for lists. 0, what child returned, -ENOMEM, -EINVAL (it
 * has no such form). The same manifest gives the same bytes. */
int fs_oci_form_make(const struct fs_manifest *manifest, fs_oci_child_fn *child, void *arg,
                     struct ecs_buf *text);

#endif
