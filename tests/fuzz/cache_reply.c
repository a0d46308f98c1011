/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache makes of any reply that is JSON at all, for every kind: pages, describes, written resources.
 * A document's text is canonical (it is its own canonical text), as long as it says, and readable as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "doc_private.h"
#include "ecsfs/cleanup.h"
#include "reply.h"
#include "target.h"

static void check_doc(const struct ecs_kind *kind, struct ecs_doc *doc)
{
    size_t len;
    cleanup_doc struct ecs_doc *packed = ecs_doc_pack(ecs_doc_ref(doc));
    cleanup_free char *text = ecs_doc_text(doc, &len), *again = ecs_doc_text(packed, NULL);
    if (!text || !again || strlen(text) > len || len != ecs_doc_text_len(packed) ||
        memcmp(text, again, len) != 0)
        abort();
    json_t *tree = ecs_doc_tree(doc);
    cleanup_doc struct ecs_doc *second = tree ? ecs_doc_new(kind, tree) : NULL;
    json_decref(tree);
    if (!second || ecs_doc_hash(second) != ecs_doc_hash(doc))
        abort();
    for (size_t i = 0; kind->fields && kind->fields[i].name; i++) {
        const char *field = ecs_doc_field(doc, kind->fields[i].name);
        if (field && strlen(field) > 1500)
            abort();
    }
}

static void check_reply(const struct ecs_kind *kind, struct ecs_error *error, struct reply *reply)
{
    if (!reply == !error)
        abort();
    for (size_t i = 0; reply && i < reply->len; i++)
        if (reply->items[i].doc)
            check_doc(kind, reply->items[i].doc);
    ecs_error_unref(error);
    reply_free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *tree = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(tree)) {
        json_decref(tree);
        return 0;
    }
    for (unsigned i = 0; i < ECS_KINDS; i++) {
        const struct ecs_kind *kind = ecs_kinds[i];
        struct reply *reply = NULL;
        struct ecs_error *error;
        if (kind->list.operation) {
            error = reply_read_page(kind, "web", tree, &reply);
            check_reply(kind, error, reply);
        }
        reply = NULL;
        if (kind->describe.operation) {
            error = reply_read_docs(kind, kind->describe.operation, tree, &reply);
            check_reply(kind, error, reply);
        }
        reply = NULL;
        error = reply_read_written(kind, "Update", kind->describe.member, kind->describe.beside, tree, NULL,
                                   &reply);
        check_reply(kind, error, reply);
    }
    json_decref(tree);
    return 0;
}
