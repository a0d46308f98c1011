/* SPDX-License-Identifier: Apache-2.0 */
/* Which images can be pulled. An image cannot when
 *   - its name or tag contains "does-not-exist", or
 *   - it is of the emulator's own ECR (<account>.dkr.ecr.<region>.amazonaws.com/...) and that has no
 *     such repository, tag or digest.
 * Every other image is taken to be on its registry; its digest is made from its name. */
#ifndef LOCAL_IMAGES_H
#define LOCAL_IMAGES_H

#include "state.h"

enum { DIGEST_TEXT = 72 };

/* 0 with "sha256:<hex>" in digest, or -ENOENT with AWS's reason, which the caller frees. */
int image_pull(struct region *region, const char *image, char digest[DIGEST_TEXT], char **ret_reason);

#endif
