/* SPDX-License-Identifier: Apache-2.0 */
/* account/: who asks, as sts GetCallerIdentity has it. */
#include <errno.h>

#include "ecsfs/cleanup.h"
#include "nodes.h"
#include "show.h"

static int show_identity(struct fs_view *view, struct ecs_buf *text)
{
    struct ecs_key key = {ECS_IDENTITY, "", "caller"};
    struct ecs_doc *doc;
    int r = fs_view_doc_of(view, &key, &doc);
    if (r != 0)
        return r;
    size_t len;
    cleanup_free char *whole = ecs_doc_text(doc, &len);
    return whole != NULL ? ecs_buf_add(text, whole, len) : -ENOMEM;
}

const struct fs_node fs_account_nodes[] = {
    {"identity.json", FS_FILE_R, .show = show_identity, .watches = FS_WATCH(ECS_IDENTITY),
     .help = "account, ARN and user id of the credentials in use"},
    {0},
};
