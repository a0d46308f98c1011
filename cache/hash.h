/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_HASH_H
#define CACHE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 64 well-mixed bits of the bytes, not secret: for comparing documents and for hash tables whose
 * keys are AWS's names. Chain by giving the last result as the seed. */
uint64_t ecs_hash(const void *data, size_t len, uint64_t seed);

#endif
