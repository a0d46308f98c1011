/* SPDX-License-Identifier: Apache-2.0 */
#include "account_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "kinds.h"
#include "pages.h"

struct settings {
    struct record record;
    json_t *own, *defaults; /* name -> value: put for the caller, put for the account */
};

static const struct row {
    const char *name, *fallback;
    const char *values[4];
} rows[] = {
    {"awsvpcTrunking", "disabled", {"enabled", "disabled"}},
    {"containerInsights", "disabled", {"enhanced", "enabled", "disabled"}},
    {"containerInstanceLongArnFormat", "enabled", {"enabled", "disabled"}},
    {"defaultLogDriverMode", "non-blocking", {"blocking", "non-blocking"}},
    {"fargateFIPSMode", "disabled", {"enabled", "disabled"}},
    {"fargateTaskRetirementWaitPeriod", "7", {"0", "7", "14"}},
    {"guardDutyActivate", "off", {"on", "off"}},
    {"serviceLongArnFormat", "enabled", {"enabled", "disabled"}},
    {"tagResourceAuthorization", "on", {"on", "off"}},
    {"taskLongArnFormat", "enabled", {"enabled", "disabled"}},
};

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static const char *value_of(const struct region *region, const struct row *row, bool only_put)
{
    const struct settings *settings = region->settings;
    const char *value = settings ? json_string_value(json_object_get(settings->own, row->name)) : NULL;
    if (!value && settings)
        value = json_string_value(json_object_get(settings->defaults, row->name));
    return value || only_put ? value : row->fallback;
}

const char *account_setting(const struct region *region, const char *name)
{
    const struct row *row = find_row(name);
    return row ? value_of(region, row, false) : "";
}

static struct settings *settings_new(struct region *region)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    if (!settings || record_init(&settings->record, &settings_kind, region, strdup("settings")) < 0) {
        free(settings);
        return NULL;
    }
    settings->own = json_object();
    settings->defaults = json_object();
    region->settings = settings;
    return settings;
}

void account_settings_free_all(struct region *region)
{
    struct settings *settings = region->settings;
    if (settings) {
        json_decref(settings->own);
        json_decref(settings->defaults);
        record_free(&settings->record);
        free(settings);
        region->settings = NULL;
    }
}

static json_t *dump(const struct record *record)
{
    const struct settings *settings = (const struct settings *)record;
    return json_pack("{s:O, s:O}", "own", settings->own, "defaults", settings->defaults);
}

static int load(struct region *region, const char *arn, const json_t *body)
{
    (void)arn;
    if (region->settings)
        return -EBADMSG;
    struct settings *settings = settings_new(region);
    if (!settings)
        return -ENOMEM;
    json_object_update(settings->own, json_object_get(body, "own"));
    json_object_update(settings->defaults, json_object_get(body, "defaults"));
    return 0;
}

const struct record_kind settings_kind = {"settings", dump, load};

static json_t *show(const struct region *region, const struct row *row, const char *value)
{
    cleanup_free char *root = NULL;
    if (asprintf(&root, "arn:%s:iam::%s:root", partition_of(region->name), region->world->account) < 0)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s}", "name", row->name, "value", value, "principalArn", root, "type",
                     strcmp(row->name, "guardDutyActivate") == 0 ? "aws_managed" : "user");
}

static json_t *put(struct request *rq, bool for_account)
{
    const struct row *row = find_row(in_text(rq->in, "name"));
    const char *value = in_text(rq->in, "value");
    if (!row)
        return refuse_invalid(rq, "The setting name is not valid.");
    bool known = false;
    for (size_t i = 0; value && i < ARRAY_LEN(row->values) && row->values[i]; i++)
        known |= strcmp(row->values[i], value) == 0;
    if (!known)
        return refuse_invalid(rq, "The value %s is not valid for the setting %s.", value ? value : "null",
                              row->name);
    if (!rq->region->settings && !settings_new(rq->region))
        return refuse_memory(rq);
    struct settings *settings = rq->region->settings;
    json_object_set_new(for_account ? settings->defaults : settings->own, row->name, json_string(value));
    record_dirty(&settings->record);
    return json_pack("{s:o}", "setting", show(rq->region, row, value));
}

static json_t *put_account_setting(struct request *rq)
{
    return put(rq, false);
}

static json_t *put_account_setting_default(struct request *rq)
{
    return put(rq, true);
}

static json_t *delete_account_setting(struct request *rq)
{
    const struct row *row = find_row(in_text(rq->in, "name"));
    if (!row)
        return refuse_invalid(rq, "The setting name is not valid.");
    struct settings *settings = rq->region->settings;
    if (settings) {
        json_object_del(settings->own, row->name);
        record_dirty(&settings->record);
    }
    return json_pack("{s:o}", "setting", show(rq->region, row, value_of(rq->region, row, false)));
}

static json_t *list_account_settings(struct request *rq)
{
    struct page page;
    if (!page_begin(rq, &page, 10, 10))
        return NULL;
    bool effective = in_bool(rq->in, "effectiveSettings");
    const char *name = in_text(rq->in, "name"), *wanted = in_text(rq->in, "value");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *value = value_of(rq->region, &rows[i], !effective);
        if (!value || (name && strcmp(name, rows[i].name) != 0) || (wanted && strcmp(wanted, value) != 0))
            continue;
        if (page_wants(&page, i + 1))
            page_add(&page, i + 1, show(rq->region, &rows[i], value));
    }
    return page_reply(rq, &page, "settings");
}

const struct operation account_settings_operations[] = {
    {"ecs", "PutAccountSetting", put_account_setting, BUCKET_SETTING_MODIFY, true},
    {"ecs", "PutAccountSettingDefault", put_account_setting_default, BUCKET_SETTING_MODIFY, true},
    {"ecs", "DeleteAccountSetting", delete_account_setting, BUCKET_SETTING_MODIFY, true},
    {"ecs", "ListAccountSettings", list_account_settings, BUCKET_SETTING_READ, false},
    {0},
};
