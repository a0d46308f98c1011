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

/* A name's token: checksum and name in hexadecimal digits, as little to be read. */
enum { NAME_TOKEN_MAX = 8 + 2 * PAGE_NAME_MAX };

static unsigned char scramble_byte(unsigned char byte, uint64_t key, size_t at)
{
    return (unsigned char)(byte ^ (checksum(key + at) >> 8));
}

static uint32_t name_checksum(const char *name, uint64_t key)
{
    for (; *name; name++)
        key = (key ^ (unsigned char)*name) * 0x100000001b3u;
    return checksum(key);
}

static void write_name_token(const struct request *rq, const char *name, char text[NAME_TOKEN_MAX])
{
    uint64_t key = scramble(0, rq->operation->name);
    snprintf(text, NAME_TOKEN_MAX, "%08" PRIx32, name_checksum(name, key));
    for (size_t i = 0; name[i]; i++)
        snprintf(text + 8 + 2 * i, 3, "%02x", scramble_byte((unsigned char)name[i], key, i));
}

static bool read_name_token(const struct request *rq, const char *text, char name[PAGE_NAME_MAX])
{
    uint64_t key = scramble(0, rq->operation->name);
    size_t len = strlen(text);
    uint32_t sum;
    unsigned byte;
    if (len <= 8 || len >= NAME_TOKEN_MAX || len % 2 || strspn(text, "0123456789abcdef") != len ||
        sscanf(text, "%8" SCNx32, &sum) != 1)
        return false;
    for (size_t i = 0; 8 + 2 * i < len; i++) {
        if (sscanf(text + 8 + 2 * i, "%2x", &byte) != 1)
            return false;
        name[i] = (char)scramble_byte((unsigned char)byte, key, i);
        name[i + 1] = 0;
    }
    return name_checksum(name, key) == sum;
}

static bool begin(struct request *rq, struct page *page, size_t fallback, size_t most)
{
    page->most = fallback;
    page->hidden_from = rq->world->hidden_from;
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
    if (token && !(page->by_name ? read_name_token(rq, token, page->after_name)
                                 : read_token(rq, token, &page->after))) {
        refuse_invalid(rq, "Invalid token.");
        return false;
    }
    page->items = json_array();
    return true;
}

bool page_begin(struct request *rq, struct page *page, size_t fallback, size_t most)
{
    *page = (struct page){0};
    return begin(rq, page, fallback, most);
}

bool page_begin_by_name(struct request *rq, struct page *page, size_t fallback, size_t most)
{
    *page = (struct page){.by_name = true};
    return begin(rq, page, fallback, most);
}

static bool has_room(struct page *page)
{
    page->more |= json_array_size(page->items) == page->most;
    return !page->more;
}

bool page_wants_name(struct page *page, const char *name)
{
    return strcmp(name, page->after_name) > 0 && has_room(page);
}

void page_add_name(struct page *page, const char *name, json_t *item)
{
    json_array_append_new(page->items, item);
    snprintf(page->last_name, sizeof(page->last_name), "%s", name);
}

bool page_wants(struct page *page, uint64_t sequence)
{
    if (sequence <= page->after || (page->hidden_from && sequence >= page->hidden_from))
        return false;
    return has_room(page);
}

void page_add(struct page *page, uint64_t sequence, json_t *item)
{
    json_array_append_new(page->items, item);
    page->last = sequence;
}

json_t *page_reply(struct request *rq, struct page *page, const char *name)
{
    char token[NAME_TOKEN_MAX];
    if (page->by_name)
        write_name_token(rq, page->last_name, token);
    else
        write_token(rq, page->last, token);
    json_t *reply = json_object();
    json_object_set_new(reply, name, page->items);
    if (page->more)
        json_object_set_new(reply, "nextToken", json_string(token));
    return reply;
}
