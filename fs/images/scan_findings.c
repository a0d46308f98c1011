/* SPDX-License-Identifier: Apache-2.0 */
/* images/<digest>/scan.json: all findings of the image's last scan. The first thousand are the cached
 * document; what comes after them is asked for by who reads it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tree/nodes.h"
#include "tree/query.h"
#include "tree/show.h"
#include "tree/tree_private.h"

enum { PAGES_MAX = 100 };

struct findings {
    struct fs_query query;
    json_t *whole; /* the first page, with the findings of those after it */
    char *token;
    int pages;
};

static void free_findings(void *memory)
{
    struct findings *findings = memory;
    fs_query_free(&findings->query);
    json_decref(findings->whole);
    free(findings->token);
    free(findings);
}

static struct findings *findings_of(struct fs_request *rq)
{
    struct fs_progress *progress = fs_progress(rq);
    if (progress != NULL && progress->memory == NULL) {
        progress->memory = calloc(1, sizeof(struct findings));
        progress->memory_free = free_findings;
    }
    return progress != NULL && progress->memory_free == free_findings ? progress->memory : NULL;
}

static int keep_token(struct findings *findings, const json_t *page)
{
    const char *token = json_string_value(json_object_get(page, "nextToken"));
    free(findings->token);
    findings->token = token != NULL && ++findings->pages < PAGES_MAX ? strdup(token) : NULL;
    return token != NULL && findings->pages < PAGES_MAX && findings->token == NULL ? -ENOMEM : 0;
}

/* Basic scanning fills the one list, enhanced scanning the other. */
static void add_page(struct findings *findings, const json_t *page)
{
    static const char *const lists[] = {"findings", "enhancedFindings"};
    json_t *into = json_object_get(findings->whole, "imageScanFindings");
    const json_t *from = json_object_get(page, "imageScanFindings");
    for (size_t i = 0; i < 2; i++)
        json_array_extend(json_object_get(into, lists[i]), json_object_get(from, lists[i]));
}

static int next_page(struct fs_view *view, struct findings *findings)
{
    json_t *page = NULL;
    int r = 0;
    if (findings->query.action == NULL)
        r = fs_query_begin(&findings->query, "ecr", "DescribeImageScanFindings",
                           fs_query_body(json_pack("{s:s, s:{s:s}, s:i, s:s}", "repositoryName",
                                                   view->key.parent, "imageId", "imageDigest", view->key.id,
                                                   "maxResults", 1000, "nextToken", findings->token)),
                           true);
    if (r == 0)
        r = fs_query_wait(view, &findings->query, &page);
    if (r == 0) {
        add_page(findings, page);
        r = keep_token(findings, page);
    }
    json_decref(page);
    return r;
}

static int write_out(const struct findings *findings, struct ecs_buf *text)
{
    size_t len;
    json_object_del(findings->whole, "nextToken");
    cleanup_doc struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_SCAN_FINDINGS], findings->whole);
    char *whole = doc != NULL ? ecs_doc_text(doc, &len) : NULL;
    int r = whole != NULL ? ecs_buf_add(text, whole, len) : -ENOMEM;
    free(whole);
    return r;
}

int fs_show_scan_findings(struct fs_view *view, struct ecs_buf *text)
{
    struct findings *findings = findings_of(view->rq);
    int r = findings != NULL ? 0 : -ENOMEM;
    if (r == 0 && findings->whole == NULL) {
        r = fs_view_tree(view, &findings->whole);
        if (r == 0)
            r = keep_token(findings, findings->whole);
    }
    while (r == 0 && findings->token != NULL)
        r = view->rq->peek ? FS_PARKED : next_page(view, findings);
    return r == 0 ? write_out(findings, text) : r;
}
