/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <string.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a multiplication: texts of 30 KB are hashed with every answer. */
uint64_t ecs_hash(const void *data, size_t len, uint64_t seed)
{
    const unsigned char *at = data;
    uint64_t hash = seed ^ (len * 0x9e3779b97f4a7c15u), word;
    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        hash = mix(hash ^ word, 0xd6e8feb86659fd93u);
    }
    word = 0;
    memcpy(&word, at, len);
    hash = mix(hash ^ word, 0xa0761d6478bd642fu);
    return mix(hash ^ 0xe7037ed1a0b428dbu, 0x8ebc6af09c88c6e3u);
}
