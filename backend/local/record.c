/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "state.h"

int record_init(struct record *record, const struct record_kind *kind, struct region *region, char *arn)
{
    record->kind = kind;
    record->region = region;
    record->arn = arn;
    record->sequence = ++region->world->sequence;
    if (!arn || index_put(&region->by_arn, arn, record) < 0)
        return -ENOMEM;
    record_dirty(record);
    return 0;
}

void record_dirty(struct record *record)
{
    if (!record->dirty) {
        record->dirty = true;
        STAILQ_INSERT_TAIL(&record->region->world->dirty, record, dirty_link);
    }
}

static void bury(struct record *record)
{
    struct world *world = record->region->world;
    size_t len = strlen(record->arn) + 1;
    struct grave *grave = malloc(sizeof(*grave) + len);
    if (!grave)
        return; /* the row stays, and is dropped after the next load */
    grave->region = record->region->name;
    grave->kind = record->kind->name;
    memcpy(grave->arn, record->arn, len);
    STAILQ_INSERT_TAIL(&world->graves, grave, link);
}

void record_delete(struct record *record)
{
    if (record_find(record->region, record->kind, record->arn) == record)
        index_remove(&record->region->by_arn, record->arn);
    bury(record);
}

void record_free(struct record *record)
{
    if (record->dirty)
        STAILQ_REMOVE(&record->region->world->dirty, record, record, dirty_link);
    json_decref(record->tags);
    free(record->arn);
}

struct record *record_find(const struct region *region, const struct record_kind *kind, const char *arn)
{
    struct record *record = index_get(&region->by_arn, arn);
    return record && record->kind == kind && record_is_seen(record) ? record : NULL;
}

char *arn_new(const struct region *region, const char *service, const char *format, ...)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(4096);
    ecs_buf_addf(&text, "arn:%s:%s:%s:%s:", partition_of(region->name), service, region->name,
                 region->world->account);
    va_list args;
    va_start(args, format);
    ecs_buf_vaddf(&text, format, args);
    va_end(args);
    return text.failed ? NULL : ecs_buf_steal(&text, NULL);
}

json_t *json_time(int64_t wall_ms)
{
    return json_real((double)wall_ms / 1000);
}

int64_t json_time_ms(const json_t *value)
{
    return json_is_number(value) ? (int64_t)(json_number_value(value) * 1000 + 0.5) : 0;
}

int load_choice(const json_t *body, const char *name, int most)
{
    json_int_t value = json_integer_value(json_object_get(body, name));
    return value > 0 && value <= most ? (int)value : 0;
}
