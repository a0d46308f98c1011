/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle policies: which images a policy's rules expire. Each image belongs to the first rule (by
 * priority) that selects it. The emulator runs a policy ten seconds of life after it was put or an
 * image was pushed, and hourly; AWS within 24 hours. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "registry.h"

static const double soon_ms = 10e3, hourly_ms = 3600e3;

void lifecycle_arm(struct repository *repository)
{
    if (repository->lifecycle)
        world_later(repository->record.region->world, &repository->timer, soon_ms);
}

static bool tag_matches(const struct image *image, const json_t *list, bool pattern)
{
    size_t i, j;
    json_t *wanted, *tag;
    json_array_foreach(list, i, wanted)
    {
        const char *text = json_string_value(wanted);
        bool any = false;
        json_array_foreach(image->tags, j, tag)
        {
            const char *its = json_string_value(tag);
            any |= text && (pattern ? fnmatch(text, its, 0) == 0 : strncmp(its, text, strlen(text)) == 0);
        }
        if (!any)
            return false; /* all of the list must be met */
    }
    return json_array_size(list) > 0;
}

static bool selects(const json_t *selection, const struct image *image)
{
    const char *status = in_text(selection, "tagStatus");
    size_t tags = json_array_size(image->tags);
    if (!status || strcmp(status, "any") == 0)
        return true;
    if (strcmp(status, "untagged") == 0)
        return tags == 0;
    return tags && (tag_matches(image, json_object_get(selection, "tagPrefixList"), false) ||
                    tag_matches(image, json_object_get(selection, "tagPatternList"), true));
}

static bool is_taken(const struct image *image, const struct expiry *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (list[i].image == image)
            return true;
    return false;
}

/* Images of the rule, newest first, count past its number; or those older than its days. */
static size_t apply(const struct repository *repository, const json_t *rule, struct expiry *list, size_t len)
{
    const json_t *selection = json_object_get(rule, "selection");
    const char *type = in_text(selection, "countType");
    long number = in_int(selection, "countNumber", 0), seen = 0, priority = in_int(rule, "rulePriority", 0);
    int64_t now = world_wall(repository->record.region->world);
    bool by_count = type && strcmp(type, "imageCountMoreThan") == 0;
    struct image *image;
    TAILQ_FOREACH_REVERSE(image, &repository->images, image_list, link)
    {
        if (!selects(selection, image) || is_taken(image, list, len))
            continue;
        if (by_count ? ++seen > number : now - image->pushed_at > number * 86400000LL)
            list[len++] = (struct expiry){image, priority};
    }
    return len;
}

static const char *fault_of_selection(const json_t *selection)
{
    const char *status = in_text(selection, "tagStatus"), *type = in_text(selection, "countType");
    const char *unit = in_text(selection, "countUnit");
    size_t prefixes = json_array_size(json_object_get(selection, "tagPrefixList"));
    size_t patterns = json_array_size(json_object_get(selection, "tagPatternList"));
    if (!status ||
        (strcmp(status, "tagged") != 0 && strcmp(status, "untagged") != 0 && strcmp(status, "any") != 0))
        return "tagStatus must be tagged, untagged or any";
    if (strcmp(status, "tagged") == 0 && !prefixes && !patterns)
        return "tagStatus tagged must have tagPrefixList or tagPatternList";
    if (prefixes && patterns)
        return "tagPrefixList and tagPatternList exclude each other";
    /* What counts from pulls and transitions goes with storage classes, which are not lived through here. */
    if (!type || (strcmp(type, "imageCountMoreThan") != 0 && strcmp(type, "sinceImagePushed") != 0))
        return "countType must be imageCountMoreThan or sinceImagePushed";
    if (strcmp(type, "sinceImagePushed") == 0 && (!unit || strcmp(unit, "days") != 0))
        return "countType sinceImagePushed must have countUnit days";
    return in_int(selection, "countNumber", 0) < 1 ? "countNumber must be a positive integer" : NULL;
}

static bool has_twin(const json_t *rules, size_t at)
{
    long priority = in_int(json_array_get(rules, at), "rulePriority", 0);
    for (size_t i = 0; i < at; i++)
        if (in_int(json_array_get(rules, i), "rulePriority", 0) == priority)
            return true;
    return false;
}

static const char *fault_of(const json_t *rules)
{
    size_t i;
    json_t *rule;
    if (!json_array_size(rules))
        return "rules must not be empty";
    json_array_foreach(rules, i, rule)
    {
        const char *action = in_text(json_object_get(rule, "action"), "type");
        if (in_int(rule, "rulePriority", 0) < 1)
            return "rulePriority must be a positive integer";
        if (has_twin(rules, i))
            return "rulePriority must be unique";
        const char *why = fault_of_selection(json_object_get(rule, "selection"));
        if (why)
            return why;
        if (!action || strcmp(action, "expire") != 0)
            return "action type must be expire";
    }
    return NULL;
}

/* An image that an index names expires after that index only: those of an index that stays are taken from
 * the list. An index that stays so may keep others: until nothing changes. */
static size_t spare_held(const struct repository *repository, struct expiry *list, size_t len)
{
    for (size_t before = len + 1; len < before;) {
        const struct image *image;
        size_t left = 0;
        json_t *held = json_object();
        TAILQ_FOREACH(image, &repository->images, link)
        {
            if (!is_taken(image, list, len))
                image_name_children(image, held);
        }
        for (size_t i = 0; i < len; i++)
            if (!json_object_get(held, list[i].image->digest))
                list[left++] = list[i];
        json_decref(held);
        before = len;
        len = left;
    }
    return len;
}

static const json_t *rule_after(const json_t *rules, long priority)
{
    const json_t *next = NULL;
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        long its = in_int(rule, "rulePriority", 0);
        if (its > priority && (!next || its < in_int(next, "rulePriority", 0)))
            next = rule;
    }
    return next;
}

struct expiry *lifecycle_evaluate(const struct repository *repository, const char *policy, size_t *ret_len,
                                  const char **ret_why)
{
    json_t *tree = json_loads(policy, 0, NULL);
    const json_t *rules = json_object_get(tree, "rules"), *rule;
    size_t images = 0;
    struct image *image;
    *ret_len = 0;
    *ret_why = tree ? fault_of(rules) : "the policy is not valid JSON";
    TAILQ_FOREACH(image, &repository->images, link)
    {
        images++;
    }
    struct expiry *list = *ret_why ? NULL : calloc(images + 1, sizeof(*list));
    for (long priority = 0; list && (rule = rule_after(rules, priority));
         priority = in_int(rule, "rulePriority", 0))
        *ret_len = apply(repository, rule, list, *ret_len);
    *ret_len = spare_held(repository, list, *ret_len);
    json_decref(tree);
    return list;
}

void lifecycle_run(struct timer *timer)
{
    struct repository *repository = container_of(timer, struct repository, timer);
    const char *why;
    size_t len;
    if (!repository->lifecycle)
        return;
    struct expiry *list = lifecycle_evaluate(repository, repository->lifecycle, &len, &why);
    for (size_t i = 0; i < len; i++)
        image_delete(list[i].image);
    free(list);
    repository->lifecycle_at = world_wall(repository->record.region->world);
    record_dirty(&repository->record);
    world_later(repository->record.region->world, &repository->timer, hourly_ms);
}
