/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ECSFS_FUZZ_TARGET_H
#define ECSFS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What each target defines: libFuzzer's name and signature. `data` has no NUL behind it. Returns 0;
 * a finding is a crash, or an abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a string; the caller frees it. strndup would be told by a sanitizer for looking behind it. */
static inline char *target_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text) {
        memcpy(text, data, size);
        text[size] = 0;
    }
    return text;
}

#endif
