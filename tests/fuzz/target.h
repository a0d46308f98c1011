/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ECSFS_FUZZ_TARGET_H
#define ECSFS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* What each target defines: libFuzzer's name and signature. `data` has no NUL behind it. Returns 0;
 * a finding is a crash, or an abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
