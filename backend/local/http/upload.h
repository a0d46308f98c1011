/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_UPLOAD_H
#define LOCAL_UPLOAD_H

#include "ecr/registry.h"
#include "ecsfs/buf.h"

struct evp_md_ctx_st;

/* Kept in memory: a restart forgets it, and the client begins anew. */
struct upload {
    TAILQ_ENTRY(upload) link;
    struct repository *repository;
    char id[ID_MAX];
    struct evp_md_ctx_st *hash;
    struct ecs_buf pending; /* not yet in the store */
    int64_t size;
    int failed; /* -errno: a part of it was not stored, so it never becomes a layer */
};

#endif
