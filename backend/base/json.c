/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/json.h"

#include <errno.h>
#include <jansson.h>

static int add(const char *data, size_t len, void *buf)
{
    return ecs_buf_add(buf, data, len);
}

int ecs_json_add(struct ecs_buf *buf, const struct json_t *tree, size_t flags)
{
    int r = tree ? json_dump_callback(tree, add, buf, flags) : -1;
    if (r < 0 && !buf->failed)
        buf->failed = -ENOMEM;
    return buf->failed;
}

char *ecs_json_text(const struct json_t *tree, size_t flags)
{
    struct ecs_buf text = ECS_BUF(ECS_JSON_TEXT_MAX);
    ecs_json_add(&text, tree, flags);
    return ecs_buf_steal(&text, NULL);
}
