/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>
#include <zstd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/kind.h"

enum {
    LEVEL = 3,
    SAMPLE_MAX = 8 << 10, /* of one text: its head and its tail */
    SAMPLES = 48,         /* texts a dictionary is learned from */
    SAMPLES_MIN = 12,     /* ZDICT needs some; fewer would teach it accidents */
    DICTIONARY_MAX = 16 << 10,
    PACKED_MAX = 64 << 20,
};

struct ecs_packing {
    atomic_uint refs;
    ZSTD_CDict *compress;
    ZSTD_DDict *decompress;
};

/* What one kind has shown so far. */
struct school {
    char *samples;
    size_t sizes[SAMPLES], samples_len;
    unsigned seen;
    bool done; /* learned, or tried in vain */
    struct ecs_packing *packing;
};

static pthread_mutex_t pack_lock = PTHREAD_MUTEX_INITIALIZER;
static struct school schools[ECS_KINDS]; /* under pack_lock */
static ZSTD_CCtx *compressor;            /* under pack_lock */

static pthread_mutex_t unpack_lock = PTHREAD_MUTEX_INITIALIZER;
static ZSTD_DCtx *decompressor; /* under unpack_lock */

struct ecs_packing *ecs_packing_unref(struct ecs_packing *packing)
{
    if (packing && atomic_fetch_sub(&packing->refs, 1) == 1) {
        ZSTD_freeCDict(packing->compress);
        ZSTD_freeDDict(packing->decompress);
        free(packing);
    }
    return NULL;
}

static struct ecs_packing *packing_new(const void *dictionary, size_t len)
{
    struct ecs_packing *packing = calloc(1, sizeof(*packing));
    if (!packing)
        return NULL;
    packing->refs = 1;
    packing->compress = ZSTD_createCDict(dictionary, len, LEVEL);
    packing->decompress = ZSTD_createDDict(dictionary, len);
    if (!packing->compress || !packing->decompress)
        return ecs_packing_unref(packing);
    return packing;
}

/* The newest samples' bytes make the dictionary's content, zstd adds the statistics. */
static void learn(struct school *school)
{
    char dictionary[DICTIONARY_MAX];
    ZDICT_params_t parameters = {.compressionLevel = LEVEL};
    size_t content =
        school->samples_len < DICTIONARY_MAX - 2048 ? school->samples_len : DICTIONARY_MAX - 2048;
    size_t len = ZDICT_finalizeDictionary(dictionary, sizeof(dictionary),
                                          school->samples + (school->samples_len - content), content,
                                          school->samples, school->sizes, school->seen, parameters);
    if (!ZDICT_isError(len))
        school->packing = packing_new(dictionary, len);
    school->done = true;
    free(steal(school->samples));
}

static void show_sample(struct school *school, const char *text, size_t len)
{
    if (!school->samples)
        school->samples = malloc((size_t)SAMPLES * SAMPLE_MAX);
    if (!school->samples)
        return;
    char *to = school->samples + school->samples_len;
    size_t size = len < SAMPLE_MAX ? len : SAMPLE_MAX;
    size_t head = len < SAMPLE_MAX ? len : SAMPLE_MAX / 2;
    memcpy(to, text, head);
    memcpy(to + head, text + len - (size - head), size - head);
    school->sizes[school->seen++] = size;
    school->samples_len += size;
    if (school->seen == SAMPLES || (school->seen >= SAMPLES_MIN && school->samples_len >= 3 * DICTIONARY_MAX))
        learn(school);
}

static size_t compress_locked(const struct ecs_packing *packing, const char *text, size_t len, char *to,
                              size_t size)
{
    if (!compressor)
        compressor = ZSTD_createCCtx();
    if (!compressor)
        return 0;
    size_t n = packing ? ZSTD_compress_usingCDict(compressor, to, size, text, len, packing->compress)
                       : ZSTD_compressCCtx(compressor, to, size, text, len, LEVEL);
    return ZSTD_isError(n) ? 0 : n;
}

int ecs_pack(unsigned slot, const char *text, size_t len, struct ecs_buf *packed,
             struct ecs_packing **ret_packing)
{
    *packed = ECS_BUF(PACKED_MAX);
    *ret_packing = NULL;
    size_t bound = ZSTD_compressBound(len);
    cleanup_free char *to = malloc(bound);
    if (!to)
        return -ENOMEM;
    pthread_mutex_lock(&pack_lock);
    struct school *school = &schools[slot < ECS_KINDS ? slot : 0];
    if (!school->done)
        show_sample(school, text, len);
    struct ecs_packing *packing = school->packing;
    size_t n = compress_locked(packing, text, len, to, bound);
    if (n && n < len && packing) {
        atomic_fetch_add(&packing->refs, 1);
        *ret_packing = packing;
    }
    pthread_mutex_unlock(&pack_lock);
    if (n && n < len)
        return ecs_buf_add(packed, to, n);
    return ecs_buf_add(packed, text, len);
}

char *ecs_unpack(const void *packed, size_t packed_len, size_t len, const struct ecs_packing *packing)
{
    cleanup_free char *text = malloc(len + 1);
    if (!text)
        return NULL;
    text[len] = 0;
    if (packed_len == len) {
        memcpy(text, packed, len);
        return steal(text);
    }
    pthread_mutex_lock(&unpack_lock);
    if (!decompressor)
        decompressor = ZSTD_createDCtx();
    size_t n = 0;
    if (decompressor)
        n = packing
                ? ZSTD_decompress_usingDDict(decompressor, text, len, packed, packed_len, packing->decompress)
                : ZSTD_decompressDCtx(decompressor, text, len, packed, packed_len);
    pthread_mutex_unlock(&unpack_lock);
    return n == len ? steal(text) : NULL;
}
