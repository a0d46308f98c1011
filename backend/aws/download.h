/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of layers, by range, from the URLs that GetDownloadUrlForLayer gives. */
#ifndef ECSFS_AWS_DOWNLOAD_H
#define ECSFS_AWS_DOWNLOAD_H

#include "ecsfs/backend.h"
#include "ecsfs/buf.h"

#define AWS_PUBLIC_REGISTRY "public.ecr.aws"

/* The host of a URL, for messages: what follows it may hold a signature. */
void aws_download_host(const char *url, char *host, size_t size);
/* The value of the Range header. */
void aws_download_range(const struct ecs_call *call, char *range, size_t size);
/* The answer becomes the call's bytes. NULL, or why it is none: only part of the layer was asked for. */
struct ecs_error *aws_download_take(struct ecs_call *call, int status, struct ecs_buf *reply);

#endif
