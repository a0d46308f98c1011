/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_route.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

const char *const route_names[] = {"",       "Base", "Catalog", "Manifest", "Blob", "BeginUpload",
                                   "Upload", "Tags", NULL};

void route_free(struct route *route)
{
    free(route->name);
    free(route->reference);
    *route = (struct route){0};
}

static const char *find_last(const char *text, const char *part)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, part)); at++)
        found = at;
    return found;
}

struct route route_of(const char *path)
{
    static const struct {
        const char *part;
        int what, what_empty; /* with and without a reference behind it */
    } rows[] = {
        {"/blobs/uploads/", UPLOAD, UPLOADS}, {"/blobs/uploads", NOWHERE, UPLOADS}, /* without its slash */
        {"/manifests/", MANIFEST, NOWHERE},   {"/blobs/", BLOB, NOWHERE},
        {"/tags/list", NOWHERE, TAGS},
    };
    path += strlen("/v2");
    if (strcmp(path, "/") == 0 || !*path)
        return (struct route){.what = BASE};
    if (strcmp(path, "/_catalog") == 0)
        return (struct route){.what = CATALOG};
    for (size_t i = 0; *path == '/' && i < ARRAY_LEN(rows); i++) {
        const char *at = find_last(path, rows[i].part);
        if (!at || at == path)
            continue;
        const char *reference = at + strlen(rows[i].part);
        struct route route = {.name = strndup(path + 1, (size_t)(at - path - 1)),
                              .reference = strdup(reference)};
        route.what = (__typeof__(route.what))(*reference ? rows[i].what : rows[i].what_empty);
        if (route.name && route.reference && route.what)
            return route;
        route_free(&route);
    }
    return (struct route){0};
}

unsigned range_of(const char *header, uint64_t whole, uint64_t *ret_first, uint64_t *ret_len,
                  char content_range[RANGE_TEXT])
{
    static const char unit[] = "bytes=";
    unsigned long long first = 0, last = 0, size = whole;
    const char *text = header && strncmp(header, unit, strlen(unit)) == 0 ? header + strlen(unit) : "";
    bool tail = text[0] == '-' && isdigit((unsigned char)text[1]);
    int fields = isdigit((unsigned char)text[0]) ? sscanf(text, "%llu-%llu", &first, &last) : 0;
    *ret_first = 0;
    *ret_len = whole;
    if (tail) { /* the last so many */
        last = strtoull(text + 1, NULL, 10);
        first = last < size ? size - last : 0;
    } else if (fields < 1 || !strchr(text, '-') || strchr(text, ',') || (fields == 2 && first > last)) {
        return 200;
    }
    if (first >= size || (tail && last == 0)) {
        snprintf(content_range, RANGE_TEXT, "bytes */%llu", size);
        return 416;
    }
    last = tail || fields == 1 || last >= size ? size - 1 : last;
    *ret_first = first;
    *ret_len = last - first + 1;
    snprintf(content_range, RANGE_TEXT, "bytes %llu-%llu/%llu", first, last, size);
    return 206;
}

bool chunk_begins_at(const char *content_range, int64_t at)
{
    unsigned long long first;
    if (!content_range)
        return true;
    const char *text = content_range + (strncmp(content_range, "bytes ", 6) == 0 ? 6 : 0);
    return sscanf(text, "%llu-", &first) == 1 && first == (unsigned long long)at;
}
