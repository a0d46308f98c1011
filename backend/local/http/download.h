/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_DOWNLOAD_H
#define LOCAL_DOWNLOAD_H

struct ecs_call;
struct ecs_error;
struct world;

/* The range of a layer from the URL that GetDownloadUrlForLayer gave, as if over HTTP. */
struct ecs_error *world_download(struct world *world, struct ecs_call *call);

#endif
