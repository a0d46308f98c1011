/* SPDX-License-Identifier: Apache-2.0 */
/* What the registry's requests say in their path and in the headers about ranges, taken apart. */
#ifndef LOCAL_REGISTRY_ROUTE_H
#define LOCAL_REGISTRY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

/* "/v2/<name>/<what>/<reference>" */
struct route {
    char *name, *reference; /* NULL where `what` has none */
    enum { NOWHERE, BASE, CATALOG, MANIFEST, BLOB, UPLOADS, UPLOAD, TAGS } what;
};

/* What a request of the registry is called, from BASE on: "registry.GET" and this. NULL at the end. */
extern const char *const route_names[];

/* Of a path that begins with "/v2". Without memory it leads NOWHERE. */
struct route route_of(const char *path);
void route_free(struct route *route);
#define cleanup_route __attribute__((cleanup(route_free)))

enum { RANGE_TEXT = 80 };

/* "bytes=0-1023", "bytes=1024-" or "bytes=-1024" of so many bytes: 206, or 416 when it begins behind the end,
 * with the text of Content-Range. Anything else, and NULL, is the whole: 200. */
unsigned range_of(const char *header, uint64_t whole, uint64_t *ret_first, uint64_t *ret_len,
                  char content_range[RANGE_TEXT]);

/* A chunk of an upload may say where it belongs: "1000-1999" (the distribution's form), or HTTP's
 * "bytes 1000-1999/2000". NULL says nothing, which is well. */
bool chunk_begins_at(const char *content_range, int64_t at);

#endif
