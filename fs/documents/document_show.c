/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>

#include "document.h"
#include "tree/node.h"

int fs_document_text(const struct fs_document *document, const struct ecs_doc *doc, struct ecs_buf *text)
{
    json_t *described = ecs_doc_tree(doc);
    json_t *shown = described ? document->render(described) : NULL;
    int r = shown ? fs_canon_text(shown, text) : -ENOMEM;
    if (r == 0)
        r = ecs_buf_add(text, "\n", 1);
    json_decref(shown);
    json_decref(described);
    return r;
}

int fs_document_show(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_doc *doc;
    int r = fs_view_doc(view, &doc);
    return r != 0 ? r : fs_document_text(view->node->document, doc, text);
}
