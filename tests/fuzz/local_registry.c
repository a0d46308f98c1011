/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry's client sends: a path, a line of Range and one of Content-Range. */
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "http/registry_route.h"
#include "target.h"

static void check_route(const char *path)
{
    static const bool has_name[] = {
        [MANIFEST] = true, [BLOB] = true, [UPLOADS] = true, [UPLOAD] = true, [TAGS] = true};
    static const bool has_reference[] = {[MANIFEST] = true, [BLOB] = true, [UPLOAD] = true, [TAGS] = false};
    cleanup_route struct route route = route_of(path);
    if (route.what < ARRAY_LEN(has_name) && has_name[route.what] && !route.name)
        abort();
    if (route.what < ARRAY_LEN(has_reference) && has_reference[route.what] &&
        (!route.reference || !*route.reference || !strstr(path, route.reference)))
        abort();
    if (route.what == NOWHERE && (route.name || route.reference))
        abort();
}

static void check_range(const char *header, uint64_t whole)
{
    uint64_t first, len;
    char text[RANGE_TEXT] = "";
    unsigned status = range_of(header, whole, &first, &len, text);
    if (status == 206 && (!len || first >= whole || len > whole - first || strncmp(text, "bytes ", 6) != 0))
        abort();
    if (status == 200 && (first || len != whole))
        abort();
    if (status != 200 && status != 206 && status != 416)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_free char *text = malloc(size + 4);
    if (!text)
        return 0;
    memcpy(text, "/v2", 3);
    memcpy(text + 3, data, size);
    text[size + 3] = 0;
    char *rest = text, *path = strsep(&rest, "\n"), *range = rest ? strsep(&rest, "\n") : NULL;
    check_route(path);
    static const uint64_t sizes[] = {0, 1, 1000, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        check_range(range, sizes[i]);
    chunk_begins_at(rest, 1000);
    return 0;
}
