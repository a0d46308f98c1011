/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/doc.h"

#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canonical.h"
#include "doc_private.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "field_path.h"
#include "hash.h"
#include "pack.h"
#include "timestamps.h"

enum {
    TEXT_MAX = 16 << 20,
    FIELD_MAX = 1500, /* bytes of one field's text; the document's own text has all of it */
    FIELDS_MAX = 40,  /* a row has no more; 40 x 1500 bytes still fit 16-bit offsets */
    STRINGS_MAX = 65535,
};

/* One allocation: the struct, its fields' offsets, their strings, then the text, packed or as it is. */
struct ecs_doc {
    atomic_uint refs;
    uint32_t text_len, packed_len, packed_at;
    const struct ecs_kind *kind;
    struct ecs_packing *packing;
    uint64_t hash;
    int64_t time_ms;
    uint16_t fields[]; /* from the start of the struct's strings; 0: AWS did not send it */
};

static size_t count_fields(const struct ecs_kind *kind)
{
    size_t n = 0;
    while (kind->fields && kind->fields[n].name)
        n++;
    return n < FIELDS_MAX ? n : FIELDS_MAX;
}

static unsigned slot_of(const struct ecs_kind *kind)
{
    for (unsigned i = 0; i < ECS_KINDS; i++)
        if (ecs_kinds[i] == kind)
            return i;
    return 0;
}

/* Cut between characters, before it could fill the buffer and take the whole document with it. */
static void add_string(struct ecs_buf *strings, const char *text)
{
    size_t len = strnlen(text, FIELD_MAX + 1);
    if (len > FIELD_MAX)
        for (len = FIELD_MAX; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    ecs_buf_add(strings, text, len);
}

static void add_scalar(struct ecs_buf *strings, const char *name, const json_t *value)
{
    int64_t ms;
    char text[ECS_TIME_TEXT];
    if (json_is_string(value))
        add_string(strings, json_string_value(value));
    else if (json_is_number(value) && name && ecs_is_time_name(name) && ecs_time_of(value, &ms))
        ecs_buf_adds(strings, ecs_time_format(ms, text));
    else if (json_is_integer(value))
        ecs_buf_addf(strings, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        ecs_buf_addf(strings, "%.15g", json_real_value(value));
    else
        ecs_buf_adds(strings, json_is_true(value) ? "true" : "false");
}

/* The fields' strings, NUL-terminated, one after another; offset 0 is kept for "absent". */
static int gather_fields(const struct ecs_kind *kind, const json_t *tree, struct ecs_buf *strings,
                         uint16_t offsets[FIELDS_MAX])
{
    size_t n = count_fields(kind);
    ecs_buf_add(strings, "", 1);
    for (size_t i = 0; i < n; i++) {
        const char *name = NULL;
        const json_t *value = ecs_field_at(tree, kind->fields[i].path, &name);
        offsets[i] = 0;
        if (!value || json_is_object(value) || json_is_array(value))
            continue;
        offsets[i] = (uint16_t)strings->len;
        add_scalar(strings, name, value);
        ecs_buf_add(strings, "", 1);
    }
    return strings->failed;
}

static int64_t own_time(const struct ecs_kind *kind, const json_t *tree)
{
    int64_t ms = 0;
    const json_t *value = kind->time ? ecs_field_at(tree, kind->time, NULL) : NULL;
    return value && ecs_time_of(value, &ms) ? ms : 0;
}

static struct ecs_doc *assemble(const struct ecs_kind *kind, const uint16_t *offsets, const char *strings,
                                size_t strings_len, const struct ecs_buf *text)
{
    size_t n = count_fields(kind);
    size_t strings_at = sizeof(struct ecs_doc) + n * sizeof(uint16_t);
    struct ecs_doc *doc = malloc(strings_at + strings_len + text->len);
    if (!doc)
        return NULL;
    *doc = (struct ecs_doc){
        .refs = 1,
        .kind = kind,
        .packed_len = (uint32_t)text->len,
        .packed_at = (uint32_t)(strings_at + strings_len),
    };
    memcpy(doc->fields, offsets, n * sizeof(uint16_t));
    memcpy((char *)doc + strings_at, strings, strings_len);
    memcpy((char *)doc + doc->packed_at, text->data, text->len);
    return doc;
}

struct ecs_doc *ecs_doc_new(const struct ecs_kind *kind, const struct json_t *tree)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(TEXT_MAX), strings = ECS_BUF(STRINGS_MAX);
    uint16_t offsets[FIELDS_MAX];
    if (ecs_canonical_write(&text, tree) < 0 || gather_fields(kind, tree, &strings, offsets) < 0)
        return NULL;
    struct ecs_doc *doc = assemble(kind, offsets, strings.data, strings.len, &text);
    if (!doc)
        return NULL;
    doc->text_len = (uint32_t)text.len;
    doc->hash = ecs_hash(text.data, text.len, 0);
    doc->time_ms = own_time(kind, tree);
    return doc;
}

struct ecs_doc *ecs_doc_pack(struct ecs_doc *doc)
{
    cleanup_buf struct ecs_buf packed = {0};
    struct ecs_packing *packing = NULL;
    const struct ecs_kind *kind = doc->kind;
    const char *strings = (const char *)(doc->fields + count_fields(kind));
    const char *text = (const char *)doc + doc->packed_at;
    if (doc->packed_len != doc->text_len ||
        ecs_pack(slot_of(kind), text, doc->text_len, &packed, &packing) < 0)
        return doc;
    struct ecs_doc *small = assemble(kind, doc->fields, strings, (size_t)(text - strings), &packed);
    if (!small) {
        ecs_packing_unref(packing);
        return doc;
    }
    small->packing = packing;
    small->text_len = doc->text_len;
    small->hash = doc->hash;
    small->time_ms = doc->time_ms;
    ecs_doc_unref(doc);
    return small;
}

struct ecs_doc *ecs_doc_ref(struct ecs_doc *doc)
{
    if (doc)
        atomic_fetch_add(&doc->refs, 1);
    return doc;
}

struct ecs_doc *ecs_doc_unref(struct ecs_doc *doc)
{
    if (doc && atomic_fetch_sub(&doc->refs, 1) == 1) {
        ecs_packing_unref(doc->packing);
        free(doc);
    }
    return NULL;
}

const char *ecs_doc_field_at(const struct ecs_doc *doc, size_t i)
{
    size_t n = count_fields(doc->kind);
    if (i >= n || !doc->fields[i])
        return NULL;
    return (const char *)(doc->fields + n) + doc->fields[i];
}

const char *ecs_doc_field(const struct ecs_doc *doc, const char *name)
{
    const struct ecs_field *fields = doc->kind->fields;
    for (size_t i = 0; fields && fields[i].name; i++)
        if (strcmp(fields[i].name, name) == 0)
            return ecs_doc_field_at(doc, i);
    return NULL;
}

int64_t ecs_doc_time_ms(const struct ecs_doc *doc)
{
    return doc->time_ms;
}

uint64_t ecs_doc_hash(const struct ecs_doc *doc)
{
    return doc->hash;
}

size_t ecs_doc_text_len(const struct ecs_doc *doc)
{
    return doc->text_len;
}

char *ecs_doc_text(const struct ecs_doc *doc, size_t *ret_len)
{
    if (ret_len)
        *ret_len = doc->text_len;
    return ecs_unpack((const char *)doc + doc->packed_at, doc->packed_len, doc->text_len, doc->packing);
}

struct json_t *ecs_doc_tree(const struct ecs_doc *doc)
{
    size_t len;
    cleanup_free char *text = ecs_doc_text(doc, &len);
    return text ? json_loadb(text, len, 0, NULL) : NULL;
}

size_t ecs_doc_bytes(const struct ecs_doc *doc)
{
    return doc->packed_at + doc->packed_len;
}

const struct ecs_kind *ecs_doc_kind(const struct ecs_doc *doc)
{
    return doc->kind;
}
