/* SPDX-License-Identifier: Apache-2.0 */
/* account/: who asks, as sts GetCallerIdentity has it; ECS's settings of that principal; capacity providers.
 *
 *     $ cat account/settings/awsvpcTrunking
 *     disabled
 *     $ echo enabled > account/settings/containerInsights
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "changes/change.h"
#include "changes/stream.h"
#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "tree/nodes.h"
#include "tree/show.h"

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

/* ---- settings/<name>: of the principal that asks, as far as it has its own ---- */

static int store_setting(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    json_t *value = json_string(text);
    if (value == NULL)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "a setting takes text in UTF-8");
    json_t *input = json_pack("{s:s, s:o}", "name", view->key.id, "value", value);
    *ret_action = fs_action("ecs", "PutAccountSetting", input, ECS_EFFECT_UPDATE, &view->key, "setting");
    return *ret_action != NULL ? 0 : -ENOMEM;
}

/* "NAME VALUE", as awsvpcTrunking enabled. */
static int store_default(struct fs_view *view, const char *text, struct ecs_action **ret_action)
{
    size_t name = strcspn(text, " \t=");
    const char *value = text + name + strspn(text + name, " \t=");
    if (name == 0 || *value == '\0' || strpbrk(value, " \t") != NULL)
        return fs_fail(view->rq, -EINVAL, "InvalidValue", "%s takes \"NAME VALUE\"; got \"%.64s\"",
                       view->name, text);
    json_t *input = json_pack("{s:s%, s:s}", "name", text, name, "value", value);
    struct ecs_key settings = {ECS_ACCOUNT_SETTING, "", ""};
    *ret_action = fs_action("ecs", "PutAccountSettingDefault", input, ECS_EFFECT_FORGET, &settings, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static int delete_setting(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "name", view->key.id);
    *ret_action = fs_action("ecs", "DeleteAccountSetting", input, ECS_EFFECT_FORGET, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static const struct fs_change setting_change = {
    .unlink = delete_setting,
    .removes = "removes this principal's own setting, so that the account's default holds",
};

static const struct fs_node setting_nodes[] = {
    {NULL, FS_FILE_RW, FS_MAYBE, .of = FS_OF(ECS_ACCOUNT_SETTING), .accept = fs_accept_name, .field = "value",
     .store = store_setting, .change = &setting_change, .help = "enabled, disabled, ..."},
    {0},
};

/* ---- capacity-providers/<name> ---- */

/* AWS refuses while a cluster uses it. */
static int delete_provider(struct fs_view *view, struct ecs_action **ret_action)
{
    json_t *input = json_pack("{s:s}", "capacityProvider", view->key.id);
    *ret_action = fs_action("ecs", "DeleteCapacityProvider", input, ECS_EFFECT_DELETE, &view->key, NULL);
    return *ret_action != NULL ? 0 : -ENOMEM;
}

static const struct fs_change provider_change = {
    .rmdir = delete_provider,
    .removes = "deletes the capacity provider",
};

/* AWS's own cannot be changed. */
static int is_changeable(struct fs_view *view)
{
    const char *type = "";
    int r = fs_view_field(view, "type", &type);
    if (r == -ENOENT)
        type = ""; /* moto tells no type */
    else if (r != 0)
        return r;
    return strncmp(type, "FARGATE", 7) != 0 && strncmp(view->parent->name, "FARGATE", 7) != 0 ? 0 : -ENOENT;
}

static const struct fs_node provider_rows[] = {
    {"capacity-provider.json", FS_FILE_RW, FS_OF_DOC | FS_MAYBE, .present = is_changeable,
     .show = fs_document_show, .document = &fs_capacity_provider_document,
     .help = "what can be changed of it; save = UpdateCapacityProvider"},
    {"describe.json", FS_FILE_R, FS_OF_DOC, .show = fs_show_document, .help = "all that AWS says of it"},
    {"arn", FS_FILE_R, .field = "capacityProviderArn"},
    {"status", FS_FILE_R, .field = "status", .help = "ACTIVE, PROVISIONING, ..."},
    {"type", FS_FILE_R, .field = "type", .help = "EC2_AUTOSCALING, MANAGED_INSTANCES, FARGATE, FARGATE_SPOT"},
    {"update-status", FS_FILE_R, .field = "updateStatus"},
    {"update-reason", FS_FILE_R, .field = "updateStatusReason"},
    {"tags", FS_DIR, .children = fs_tag_nodes, .help = "AWS resource tags"},
    {0},
};

static const struct fs_node provider_nodes[] = {
    {NULL, FS_DIR, FS_MAYBE, .of = FS_OF(ECS_CAPACITY_PROVIDER), .accept = fs_accept_name,
     .children = provider_rows, .change = &provider_change},
    {"create", FS_FILE_RW, FS_UNLISTED, .stream = &fs_create_capacity_provider_stream,
     .help = "write a CreateCapacityProvider document; read the name back"},
    {0},
};

const struct fs_node fs_account_nodes[] = {
    {"identity.json", FS_FILE_R, .show = show_identity, .watches = FS_WATCH(ECS_IDENTITY),
     .help = "account, ARN and user id of the credentials in use"},
    {"settings", FS_DIR, .children = setting_nodes, .help = "ECS's account settings, as they hold for you"},
    {"default-setting", FS_FILE_W, .store = store_default,
     .help = "\"NAME VALUE\": what holds for all who have no setting of their own"},
    {"capacity-providers", FS_DIR, .children = provider_nodes, .help = "where tasks can be placed"},
    {0},
};
