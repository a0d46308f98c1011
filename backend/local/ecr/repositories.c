/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on repositories, and the registry's token. */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "login.h"
#include "pages.h"
#include "registry.h"

struct repository *repository_of(struct request *rq)
{
    const char *name = require_text(rq, "repositoryName");
    struct repository *repository = name ? repository_find(rq->region, name) : NULL;
    if (name && !repository)
        refuse(rq, "RepositoryNotFoundException",
               "The repository with name '%s' does not exist in the registry with id '%s'", name,
               rq->world->account);
    return repository;
}

static json_t *show(const struct repository *repository)
{
    const struct region *region = repository->record.region;
    char alias[PUBLIC_ALIAS_MAX];
    json_t *uri =
        region_is_public(region)
            ? json_sprintf("public.ecr.aws/%s/%s", public_alias(region->world, alias), repository->name)
            : json_sprintf("%s.dkr.ecr.%s.amazonaws.com/%s", region->world->account, region->name,
                           repository->name);
    json_t *tree = json_pack("{s:s, s:s, s:s, s:o, s:o}", "repositoryArn", repository->record.arn,
                             "registryId", region->world->account, "repositoryName", repository->name,
                             "repositoryUri", uri, "createdAt", json_time(repository->created));
    json_object_update(tree, repository->settings);
    return tree;
}

static json_t *default_settings(void)
{
    return json_pack("{s:s, s:{s:b}, s:{s:s}}", "imageTagMutability", "MUTABLE", "imageScanningConfiguration",
                     "scanOnPush", 0, "encryptionConfiguration", "encryptionType", "AES256");
}

static bool name_is_valid(const char *name)
{
    if (strlen(name) < 2 || strlen(name) > 256 || !isalnum((unsigned char)*name))
        return false;
    for (const char *c = name; *c; c++)
        if (!(islower((unsigned char)*c) || isdigit((unsigned char)*c) || strchr("-_./", *c)) ||
            (strchr("-_./", *c) && (c[1] == '/' || c[1] == 0)))
            return false;
    return true;
}

/* ECR's tags are {Key, Value}. They are kept as ECS's, and turned around on their way. */
static json_t *take_ecr_tags(const json_t *given)
{
    json_t *tags = json_array();
    size_t i;
    json_t *tag;
    json_array_foreach(given, i, tag)
    {
        const char *value = json_string_value(json_object_get(tag, "Value"));
        if (in_text(tag, "Key"))
            json_array_append_new(
                tags, json_pack("{s:s, s:s}", "key", in_text(tag, "Key"), "value", value ? value : ""));
    }
    return tags;
}

/* Under KMS without a key it is AWS's own, aws/ecr. */
static void fill_key(const struct request *rq, json_t *encryption)
{
    const char *type = in_text(encryption, "encryptionType");
    char id[ID_MAX];
    if (type && strncmp(type, "KMS", 3) == 0 && !in_text(encryption, "kmsKey"))
        json_object_set_new(encryption, "kmsKey",
                            json_sprintf("arn:%s:kms:%s:%s:key/%s", partition_of(rq->region->name),
                                         rq->region->name, rq->world->account, id_uuid(id)));
}

static json_t *create_repository(struct request *rq)
{
    static const char *const members[] = {"imageTagMutability", "imageTagMutabilityExclusionFilters",
                                          "imageScanningConfiguration", "encryptionConfiguration"};
    const char *name = require_text(rq, "repositoryName");
    if (!name)
        return NULL;
    if (!name_is_valid(name))
        return refuse_invalid(
            rq, "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy "
                "regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''");
    if (repository_find(rq->region, name))
        return refuse(rq, "RepositoryAlreadyExistsException",
                      "The repository with name '%s' already exists in the registry with id '%s'", name,
                      rq->world->account);
    struct repository *repository = repository_new(rq->region, name);
    if (!repository)
        return NULL;
    repository->settings = default_settings();
    copy_members(repository->settings, rq->in, members, ARRAY_LEN(members));
    fill_key(rq, json_object_get(repository->settings, "encryptionConfiguration"));
    repository->record.tags = take_ecr_tags(json_object_get(rq->in, "tags"));
    return json_pack("{s:o}", "repository", show(repository));
}

/* Those of the names: no page. */
static json_t *describe_named(struct request *rq, const json_t *names)
{
    json_t *list = json_array(), *reply = json_pack("{s:o}", "repositories", list);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct repository *repository = name ? repository_find(rq->region, name) : NULL;
        if (!repository) {
            json_decref(reply);
            return refuse(rq, "RepositoryNotFoundException",
                          "The repository with name '%s' does not exist in the registry with id '%s'",
                          name ? name : "", rq->world->account);
        }
        json_array_append_new(list, show(repository));
    }
    return reply;
}

static json_t *describe_repositories(struct request *rq)
{
    const json_t *names = in_list(rq->in, "repositoryNames");
    struct page page;
    if (names)
        return describe_named(rq, names);
    if (!page_begin_by_name(rq, &page, 100, 1000))
        return NULL;
    struct repository *repository;
    if (rq->region->registry)
        TAILQ_FOREACH(repository, &rq->region->registry->repositories, link)
        {
            if (page_wants_name(&page, repository->name))
                page_add_name(&page, repository->name, show(repository));
        }
    return page_reply(rq, &page, "repositories");
}

static json_t *delete_repository(struct request *rq)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    if (!TAILQ_EMPTY(&repository->images) && !in_bool(rq->in, "force"))
        return refuse(
            rq, "RepositoryNotEmptyException",
            "The repository with name '%s' in registry with id '%s' cannot be deleted because it still "
            "contains images",
            repository->name, rq->world->account);
    json_t *reply = json_pack("{s:o}", "repository", show(repository));
    repository_delete(repository);
    return reply;
}

static json_t *put_member(struct request *rq, const char *const members[], size_t count)
{
    struct repository *repository = repository_of(rq);
    if (!repository)
        return NULL;
    json_t *settings = json_copy(repository->settings);
    copy_members(settings, rq->in, members, count);
    json_decref(repository->settings);
    repository->settings = settings;
    record_dirty(&repository->record);
    json_t *reply =
        json_pack("{s:s, s:s}", "registryId", rq->world->account, "repositoryName", repository->name);
    copy_members(reply, settings, members, count);
    return reply;
}

static json_t *put_image_tag_mutability(struct request *rq)
{
    static const char *const members[] = {"imageTagMutability", "imageTagMutabilityExclusionFilters"};
    return put_member(rq, members, ARRAY_LEN(members));
}

static json_t *put_image_scanning_configuration(struct request *rq)
{
    static const char *const members[] = {"imageScanningConfiguration"};
    return put_member(rq, members, ARRAY_LEN(members));
}

static json_t *get_authorization_token(struct request *rq)
{
    char secret[LOGIN_PASSWORD], plain[300], token[512];
    int64_t until = world_wall(rq->world) + login_password_ms;
    snprintf(plain, sizeof(plain), "AWS:%s", login_password(rq->world, until, secret));
    EVP_EncodeBlock((unsigned char *)token, (const unsigned char *)plain, (int)strlen(plain));
    return json_pack(
        "{s:[{s:s, s:o, s:o}]}", "authorizationData", "authorizationToken", token, "expiresAt",
        json_time(until), "proxyEndpoint",
        json_sprintf("https://%s.dkr.ecr.%s.amazonaws.com", rq->world->account, rq->region->name));
}

static struct repository *tagged(struct request *rq)
{
    const char *arn = require_text(rq, "resourceArn");
    const char *name = arn ? strstr(arn, ":repository/") : NULL;
    struct repository *repository = name ? repository_find(rq->region, name + strlen(":repository/")) : NULL;
    if (arn && !repository)
        refuse(rq, "RepositoryNotFoundException", "The repository with ARN '%s' does not exist", arn);
    return repository;
}

static void drop_tag(json_t *tags, const char *key)
{
    for (size_t i = 0; i < json_array_size(tags); i++)
        if (strcmp(in_text(json_array_get(tags, i), "key"), key) == 0)
            json_array_remove(tags, i--);
}

static json_t *tag_resource(struct request *rq)
{
    struct repository *repository = tagged(rq);
    if (!repository)
        return NULL;
    json_t *given = take_ecr_tags(json_object_get(rq->in, "tags"));
    for (size_t i = 0; i < json_array_size(given); i++)
        drop_tag(repository->record.tags, in_text(json_array_get(given, i), "key"));
    json_array_extend(repository->record.tags, given);
    json_decref(given);
    record_dirty(&repository->record);
    return json_object();
}

static json_t *untag_resource(struct request *rq)
{
    struct repository *repository = tagged(rq);
    size_t i;
    json_t *key;
    if (!repository)
        return NULL;
    json_array_foreach(json_object_get(rq->in, "tagKeys"), i, key)
    {
        drop_tag(repository->record.tags, json_string_value(key));
    }
    record_dirty(&repository->record);
    return json_object();
}

static json_t *list_tags_for_resource(struct request *rq)
{
    struct repository *repository = tagged(rq);
    if (!repository)
        return NULL;
    json_t *tags = json_array();
    size_t i;
    json_t *tag;
    json_array_foreach(repository->record.tags, i, tag)
    {
        json_array_append_new(tags, json_pack("{s:O, s:O}", "Key", json_object_get(tag, "key"), "Value",
                                              json_object_get(tag, "value")));
    }
    return json_pack("{s:o}", "tags", tags);
}

const struct operation repositories_operations[] = {
    {"ecr", "DescribeRepositories", describe_repositories, BUCKET_ECR_READ, false},
    {"ecr", "CreateRepository", create_repository, BUCKET_ECR_MODIFY, true},
    {"ecr", "DeleteRepository", delete_repository, BUCKET_ECR_MODIFY, true},
    {"ecr", "PutImageTagMutability", put_image_tag_mutability, BUCKET_ECR_MODIFY, true},
    {"ecr", "PutImageScanningConfiguration", put_image_scanning_configuration, BUCKET_ECR_MODIFY, true},
    {"ecr", "GetAuthorizationToken", get_authorization_token, BUCKET_ECR_READ, false},
    {"ecr", "TagResource", tag_resource, BUCKET_ECR_MODIFY, true},
    {"ecr", "UntagResource", untag_resource, BUCKET_ECR_MODIFY, true},
    {"ecr", "ListTagsForResource", list_tags_for_resource, BUCKET_ECR_READ, false},
    {0},
};
