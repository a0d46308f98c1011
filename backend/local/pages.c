/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Opaque to look at, and of no use to another operation. */
static uint64_t scramble(uint64_t number, const char *operation)
{
    uint64_t key = 0x9e3779b97f4a7c15u;
    for (; *operation; operation++)
        key = (key ^ (unsigned char)*operation) * 0x100000001b3u;
    return number ^ key;
}

static uint32_t checksum(uint64_t number)
{
    number *= 0xff51afd7ed558ccdu;
    return (uint32_t)(number >> 32);
}

static void write_token(const struct request *rq, uint64_t after, char text[ID_MAX])
{
    snprintf(text, ID_MAX, "%016" PRIx64 "%08" PRIx32, scramble(after, rq->operation->name), checksum(after));
}

static bool read_token(const struct request *rq, const char *text, uint64_t *ret_after)
{
    uint64_t number;
    uint32_t sum;
    int used = 0;
    if (strlen(text) != 24 || sscanf(text, "%16" SCNx64 "%8" SCNx32 "%n", &number, &sum, &used) != 2 ||
        used != 24)
        return false;
    *ret_after = scramble(number, rq->operation->name);
    return checksum(*ret_after) == sum;
}

bool page_begin(struct request *rq, struct page *page, size_t fallback, size_t most)
{
    *page = (struct page){.most = fallback, .hidden_from = rq->world->hidden_from};
    const json_t *wanted = json_object_get(rq->in, "maxResults");
    if (json_is_integer(wanted)) {
        json_int_t count = json_integer_value(wanted);
        if (count < 1 || count > (json_int_t)most) {
            refuse_invalid(rq, "maxResults must be between 1 and %zu, inclusive.", most);
            return false;
        }
        page->most = (size_t)count;
    }
    const char *token = in_text(rq->in, "nextToken");
    if (token && !read_token(rq, token, &page->after)) {
        refuse_invalid(rq, "Invalid token.");
        return false;
    }
    page->items = json_array();
    return true;
}

bool page_wants(struct page *page, uint64_t sequence)
{
    if (sequence <= page->after || (page->hidden_from && sequence >= page->hidden_from))
        return false;
    if (json_array_size(page->items) == page->most) {
        page->more = true;
        return false;
    }
    return true;
}

void page_add(struct page *page, uint64_t sequence, json_t *item)
{
    json_array_append_new(page->items, item);
    page->last = sequence;
}

json_t *page_reply(struct request *rq, struct page *page, const char *name)
{
    char token[ID_MAX];
    write_token(rq, page->last, token);
    json_t *reply = json_object();
    json_object_set_new(reply, name, page->items);
    if (page->more)
        json_object_set_new(reply, "nextToken", json_string(token));
    return reply;
}
