/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes, as a registry or a push may bring them: what is taken from them is well-formed. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "images/manifest.h"
#include "images/oci_form.h"
#include "target.h"

static void check_part(const struct fs_descriptor *part)
{
    if (strlen(part->digest) != 71 || strncmp(part->digest, "sha256:", 7) != 0 ||
        strspn(part->digest + 7, "0123456789abcdef") != 64 || part->size > INT64_MAX)
        abort();
    if (part->tag != NULL && strlen(part->tag) > 1 << 20)
        abort();
}

/* As many descriptors as there are, but for those left out, of which the first is told. */
static void check_count(const struct fs_manifest *manifest)
{
    bool index = manifest->kind == FS_MANIFEST_INDEX;
    size_t there = json_array_size(json_object_get(manifest->tree, index ? "manifests" : "layers"));
    size_t listed = manifest->len - (manifest->has_config ? 1 : 0);
    if (listed > there || (listed < there) != (manifest->bad != 0) || manifest->bad > there ||
        (index && manifest->has_config) || manifest->type == NULL)
        abort();
}

static int child(void *arg, const char *digest, const char **ret_digest, uint64_t *ret_size)
{
    *ret_digest = arg;
    *ret_size = 7;
    return 0;
}

/* In OCI's form it is the same kind of thing, of as many parts, and needs no other form. */
static void check_form(const struct fs_manifest *manifest)
{
    static char other[72] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    struct ecs_buf text = ECS_BUF(1 << 24);
    struct fs_manifest form = {0};
    if (fs_oci_form_make(manifest, child, other, &text) == 0) {
        if (fs_manifest_read(text.data, text.len, &form) == 0 &&
            (form.kind != manifest->kind || form.len != manifest->len || fs_oci_form_wanted(&form)))
            abort();
        fs_manifest_free(&form);
    }
    ecs_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_manifest manifest = {0};
    if (fs_manifest_read((const char *)data, size, &manifest) == 0) {
        for (size_t i = 0; i < manifest.len; i++)
            check_part(&manifest.parts[i]);
        if (manifest.kind == FS_MANIFEST_NONE ? manifest.len != 0 || manifest.type != NULL : false)
            abort();
        if (manifest.kind != FS_MANIFEST_NONE) {
            check_count(&manifest);
            fs_manifest_type_known(manifest.type);
            if (fs_oci_form_wanted(&manifest))
                check_form(&manifest);
        }
    }
    fs_manifest_free(&manifest);
    return 0;
}
