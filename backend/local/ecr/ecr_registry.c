/* SPDX-License-Identifier: Apache-2.0 */
/* What ECR keeps of the registry besides its policies, and tells of single images: account settings, signing,
 * exclusions of pull times, replication, referrers, storage classes. Replication and signing are done at
 * once: there is no other region to wait for, and nothing is signed. */
#include <string.h>

#include "ecsfs/cleanup.h"
#include "pages.h"
#include "registry.h"

static json_t *setting_of(struct request *rq, const char *name)
{
    return rq->region->registry ? json_object_get(rq->region->registry->settings, name) : NULL;
}

/* Takes the value over; NULL takes the setting away. */
static bool set(struct request *rq, const char *name, json_t *value)
{
    struct registry *registry = registry_of(rq->region);
    if (!registry) {
        json_decref(value);
        return false;
    }
    if (value)
        json_object_set_new(registry->settings, name, value);
    else
        json_object_del(registry->settings, name);
    record_dirty(&registry->record);
    return true;
}

/* --- account settings --- */

static const struct account_setting {
    const char *name, *values[3]; /* the first is what it is until it is put */
} account_settings[] = {
    {"BASIC_SCAN_TYPE_VERSION", {"AWS_NATIVE", "CLAIR"}},
    {"REGISTRY_POLICY_SCOPE", {"V2", "V1"}},
    {"BLOB_MOUNTING", {"DISABLED", "ENABLED"}},
};

static const struct account_setting *account_setting(struct request *rq, const char **ret_name)
{
    *ret_name = require_text(rq, "name");
    for (size_t i = 0; *ret_name && i < ARRAY_LEN(account_settings); i++)
        if (strcmp(account_settings[i].name, *ret_name) == 0)
            return &account_settings[i];
    return *ret_name ? refuse_invalid(rq, "Invalid parameter at 'name' failed to satisfy constraint: "
                                          "'Invalid account setting name'")
                     : NULL;
}

static json_t *get_account_setting(struct request *rq)
{
    const char *name;
    const struct account_setting *row = account_setting(rq, &name);
    if (!row)
        return NULL;
    const char *value = in_text(setting_of(rq, "account"), name);
    return json_pack("{s:s, s:s}", "name", name, "value", value ? value : row->values[0]);
}

static json_t *put_account_setting(struct request *rq)
{
    const char *name;
    const struct account_setting *row = account_setting(rq, &name);
    const char *value = row ? require_text(rq, "value") : NULL;
    if (!value)
        return NULL;
    if (strcmp(value, row->values[0]) != 0 && strcmp(value, row->values[1]) != 0)
        return refuse_invalid(rq, "Invalid parameter at 'value' failed to satisfy constraint: "
                                  "'Invalid account setting value'");
    json_t *all = json_copy(setting_of(rq, "account"));
    all = all ? all : json_object();
    json_object_set_new(all, name, json_string(value));
    return set(rq, "account", all) ? json_pack("{s:s, s:s}", "name", name, "value", value) : NULL;
}

/* --- signing --- */

static void *no_signing(struct request *rq)
{
    return refuse(rq, "SigningConfigurationNotFoundException",
                  "Signing configuration does not exist in the registry with id '%s'", rq->world->account);
}

static json_t *reply_signing(struct request *rq, json_t *signing)
{
    return json_pack("{s:s, s:O}", "registryId", rq->world->account, "signingConfiguration", signing);
}

static json_t *get_signing_configuration(struct request *rq)
{
    json_t *signing = setting_of(rq, "signing");
    return signing ? reply_signing(rq, signing) : no_signing(rq);
}

static json_t *put_signing_configuration(struct request *rq)
{
    json_t *given = json_deep_copy(json_object_get(rq->in, "signingConfiguration"));
    return set(rq, "signing", given) ? json_pack("{s:O}", "signingConfiguration", given) : NULL;
}

static json_t *delete_signing_configuration(struct request *rq)
{
    json_t *signing = setting_of(rq, "signing");
    json_t *reply = signing ? reply_signing(rq, signing) : no_signing(rq);
    if (signing)
        set(rq, "signing", NULL);
    return reply;
}

/* --- exclusions from the recording of pull times --- */

static json_t *change_exclusions(struct request *rq, bool add)
{
    const char *arn = require_text(rq, "principalArn");
    json_t *all = json_copy(setting_of(rq, "pullTimeExclusions"));
    all = all ? all : json_object();
    bool there = arn && json_object_get(all, arn);
    if (arn && add == there)
        refuse(rq, there ? "ExclusionAlreadyExistsException" : "ExclusionNotFoundException",
               "The exclusion of '%s' %s", arn, there ? "exists already" : "does not exist");
    if (!arn || add == there) {
        json_decref(all);
        return NULL;
    }
    json_t *reply = json_pack("{s:s}", "principalArn", arn);
    if (add)
        json_object_set_new(reply, "createdAt", json_time(world_wall(rq->world)));
    if (add)
        json_object_set_new(all, arn, json_true());
    else
        json_object_del(all, arn);
    set(rq, "pullTimeExclusions", all);
    return reply;
}

static json_t *register_exclusion(struct request *rq)
{
    return change_exclusions(rq, true);
}

static json_t *deregister_exclusion(struct request *rq)
{
    return change_exclusions(rq, false);
}

static json_t *list_exclusions(struct request *rq)
{
    json_t *list = json_array(), *value;
    const char *arn;
    json_object_foreach(setting_of(rq, "pullTimeExclusions"), arn, value)
    {
        json_array_append_new(list, json_string(arn));
    }
    return json_pack("{s:o}", "pullTimeUpdateExclusions", list);
}

/* --- single images --- */

static json_t *about_image(struct request *rq, const struct image *image)
{
    return json_pack("{s:s, s:{s:s}}", "repositoryName", image->repository->name, "imageId", "imageDigest",
                     image->digest);
}

static struct image *image_of(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    return repository ? image_require(rq, repository, json_object_get(rq->in, "imageId")) : NULL;
}

static json_t *describe_image_replication_status(struct request *rq)
{
    struct image *image = image_of(rq);
    if (!image)
        return NULL;
    json_t *statuses = json_array(), *rule, *destination;
    size_t i, j;
    json_array_foreach(json_object_get(setting_of(rq, "replication"), "rules"), i, rule)
    {
        json_array_foreach(json_object_get(rule, "destinations"), j, destination)
        {
            json_array_append_new(statuses, json_pack("{s:O, s:O, s:s}", "region",
                                                      json_object_get(destination, "region"), "registryId",
                                                      json_object_get(destination, "registryId"), "status",
                                                      "COMPLETE"));
        }
    }
    json_t *reply = about_image(rq, image);
    json_object_set_new(reply, "replicationStatuses", statuses);
    return reply;
}

static json_t *describe_image_signing_status(struct request *rq)
{
    struct image *image = image_of(rq);
    if (!image)
        return NULL;
    json_t *statuses = json_array(), *rule;
    size_t i;
    json_array_foreach(json_object_get(setting_of(rq, "signing"), "rules"), i, rule)
    {
        json_array_append_new(statuses,
                              json_pack("{s:O, s:s}", "signingProfileArn",
                                        json_object_get(rule, "signingProfileArn"), "status", "COMPLETE"));
    }
    json_t *reply = about_image(rq, image);
    json_object_set_new(reply, "registryId", json_string(rq->world->account));
    json_object_set_new(reply, "signingStatuses", statuses);
    return reply;
}

static json_t *list_image_referrers(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    const char *subject = in_text(json_object_get(rq->in, "subjectId"), "imageDigest");
    struct page page;
    struct image *image;
    if (!repository || !page_begin(rq, &page, 20, 50))
        return NULL;
    TAILQ_FOREACH(image, &repository->images, link)
    {
        if (!subject || !image->subject || strcmp(image->subject, subject) != 0 ||
            !page_wants(&page, image->record.sequence))
            continue;
        page_add(&page, image->record.sequence,
                 json_pack("{s:s, s:s, s:s*, s:I, s:s}", "digest", image->digest, "mediaType",
                           image->media_type, "artifactType", image->artifact_type, "size",
                           (json_int_t)strlen(image->manifest), "artifactStatus",
                           image->archived ? "ARCHIVED" : "ACTIVE"));
    }
    return page_reply(rq, &page, "referrers");
}

static json_t *update_image_storage_class(struct request *rq)
{
    struct image *image = image_of(rq);
    const char *class = in_text(rq->in, "targetStorageClass");
    if (!image)
        return NULL;
    image->archived = class && strcmp(class, "ARCHIVE") == 0;
    record_dirty(&image->record);
    json_t *reply = about_image(rq, image);
    json_object_set_new(reply, "registryId", json_string(rq->world->account));
    json_object_set_new(reply, "imageStatus", json_string(image->archived ? "ARCHIVED" : "ACTIVE"));
    return reply;
}

static json_t *batch_get_repository_scanning_configuration(struct request *rq)
{
    json_t *found = json_array(), *failures = json_array(), *name;
    size_t i;
    json_array_foreach(json_object_get(rq->in, "repositoryNames"), i, name)
    {
        const struct repository *repository = repository_find(rq->region, json_string_value(name));
        if (!repository) {
            json_array_append_new(failures, json_pack("{s:O, s:s, s:s}", "repositoryName", name,
                                                      "failureCode", "REPOSITORY_NOT_FOUND", "failureReason",
                                                      "The repository does not exist"));
            continue;
        }
        bool on_push =
            in_bool(json_object_get(repository->settings, "imageScanningConfiguration"), "scanOnPush");
        json_array_append_new(found, json_pack("{s:s, s:s, s:b, s:s, s:[]}", "repositoryArn",
                                               repository->record.arn, "repositoryName", repository->name,
                                               "scanOnPush", on_push, "scanFrequency",
                                               on_push ? "SCAN_ON_PUSH" : "MANUAL", "appliedScanFilters"));
    }
    return json_pack("{s:o, s:o}", "scanningConfigurations", found, "failures", failures);
}

const struct operation ecr_registry_operations[] = {
    {"ecr", "GetAccountSetting", get_account_setting, BUCKET_ECR_READ, false},
    {"ecr", "PutAccountSetting", put_account_setting, BUCKET_ECR_MODIFY, true},
    {"ecr", "GetSigningConfiguration", get_signing_configuration, BUCKET_ECR_READ, false},
    {"ecr", "PutSigningConfiguration", put_signing_configuration, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeleteSigningConfiguration", delete_signing_configuration, BUCKET_ECR_MODIFY, true},
    {"ecr", "ListPullTimeUpdateExclusions", list_exclusions, BUCKET_ECR_READ, false},
    {"ecr", "RegisterPullTimeUpdateExclusion", register_exclusion, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeregisterPullTimeUpdateExclusion", deregister_exclusion, BUCKET_ECR_MODIFY, true},
    {"ecr", "DescribeImageReplicationStatus", describe_image_replication_status, BUCKET_ECR_READ, false},
    {"ecr", "DescribeImageSigningStatus", describe_image_signing_status, BUCKET_ECR_READ, false},
    {"ecr", "ListImageReferrers", list_image_referrers, BUCKET_ECR_READ, false},
    {"ecr", "UpdateImageStorageClass", update_image_storage_class, BUCKET_ECR_MODIFY, true},
    {"ecr", "BatchGetRepositoryScanningConfiguration", batch_get_repository_scanning_configuration,
     BUCKET_ECR_READ, false},
    {0},
};
