/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ecsfs/cleanup.h"

static bool valid_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_/.%@:+", *c))
            return false;
    return *name != 0;
}

/* "profile  x" with prefix "profile" is "x"; NULL when the prefix is another. */
static const char *after_prefix(const char *title, const char *prefix)
{
    size_t len = strlen(prefix);
    if (strncmp(title, prefix, len) != 0 || !isspace((unsigned char)title[len]))
        return NULL;
    title += len;
    while (isspace((unsigned char)*title))
        title++;
    return title;
}

static struct aws_section *find(const struct aws_ini *ini, const char *name)
{
    for (size_t i = 0; i < ini->sections_len; i++)
        if (strcmp(ini->sections[i].title, name) == 0)
            return &ini->sections[i];
    return NULL;
}

/* Adds the section's properties to those of that name so far. */
static int merge(struct aws_ini *into, const char *name, const struct aws_section *from)
{
    struct aws_section *section = find(into, name);
    if (!section) {
        struct aws_section *all = realloc(into->sections, (into->sections_len + 1) * sizeof(*all));
        if (!all)
            return -ENOMEM;
        into->sections = all;
        section = &all[into->sections_len];
        *section = (struct aws_section){.title = strdup(name)};
        if (!section->title)
            return -ENOMEM;
        into->sections_len++;
    }
    for (size_t i = 0; i < from->properties_len; i++)
        if (aws_section_set(section, from->properties[i].name, from->properties[i].value) < 0)
            return -ENOMEM;
    return 0;
}

static const struct {
    const char *prefix;
    enum aws_section_kind kind;
} prefixes[] = {
    {"profile", AWS_PROFILE},
    {"sso-session", AWS_SSO_SESSION},
    {"services", AWS_SERVICES},
};

static bool has_prefixed_default(const struct aws_ini *ini)
{
    for (size_t i = 0; i < ini->sections_len; i++) {
        const char *name = after_prefix(ini->sections[i].title, "profile");
        if (name && strcmp(name, "default") == 0)
            return true;
    }
    return false;
}

static int merge_config(struct aws_profiles *profiles, const struct aws_ini *ini)
{
    bool skip_bare = has_prefixed_default(ini);
    int r = 0;
    for (size_t i = 0; i < ini->sections_len && r == 0; i++) {
        const struct aws_section *section = &ini->sections[i];
        if (strcmp(section->title, "default") == 0 && !skip_bare)
            r = merge(&profiles->kinds[AWS_PROFILE], "default", section);
        for (size_t j = 0; j < ARRAY_LEN(prefixes) && r == 0; j++) {
            const char *name = after_prefix(section->title, prefixes[j].prefix);
            if (name && valid_name(name))
                r = merge(&profiles->kinds[prefixes[j].kind], name, section);
        }
    }
    return r;
}

static int merge_credentials(struct aws_profiles *profiles, const struct aws_ini *ini)
{
    int r = 0;
    for (size_t i = 0; i < ini->sections_len && r == 0; i++)
        if (valid_name(ini->sections[i].title)) {
            r = merge(&profiles->kinds[AWS_PROFILE], ini->sections[i].title, &ini->sections[i]);
            if (r == 0)
                r = merge(&profiles->kinds[AWS_CREDENTIALS_FILE], ini->sections[i].title, &ini->sections[i]);
        }
    return r;
}

static int parse_one(struct aws_profiles *profiles, const char *what, const char *text, size_t len,
                     int (*take)(struct aws_profiles *, const struct aws_ini *), struct ecs_error **ret_error)
{
    cleanup_ini struct aws_ini ini = {0};
    int r = aws_ini_parse(text ? text : "", text ? len : 0, &ini, ret_error);
    if (r < 0) {
        *ret_error = ecs_error_context(*ret_error, 0, "%s", what);
        return r;
    }
    r = take(profiles, &ini);
    if (r < 0)
        *ret_error = ecs_error_new(r, "OutOfMemory", "out of memory");
    return r;
}

static struct aws_profiles *parse(const char *config_name, const struct ecs_buf *config,
                                  const char *credentials_name, const struct ecs_buf *credentials,
                                  struct ecs_error **ret_error)
{
    cleanup_profiles struct aws_profiles *profiles = calloc(1, sizeof(*profiles));
    if (!profiles) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    if (parse_one(profiles, config_name, config->data, config->len, merge_config, ret_error) < 0 ||
        parse_one(profiles, credentials_name, credentials->data, credentials->len, merge_credentials,
                  ret_error) < 0)
        return NULL;
    return steal(profiles);
}

struct aws_profiles *aws_profiles_parse(const char *config, size_t config_len, const char *credentials,
                                        size_t credentials_len, struct ecs_error **ret_error)
{
    struct ecs_buf a = {.data = (char *)config, .len = config_len};
    struct ecs_buf b = {.data = (char *)credentials, .len = credentials_len};
    return parse("the config file", &a, "the credentials file", &b, ret_error);
}

static int read_optional(const struct aws_env *env, const char *path, struct ecs_buf *buf,
                         struct ecs_error **ret_error)
{
    int r = env->read_file(env, path, buf);
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r < 0)
        *ret_error = ecs_error_new(r, "ConfigRead", "%s: %s", path, strerror(-r));
    return r;
}

struct aws_profiles *aws_profiles_load(const struct aws_env *env, struct ecs_error **ret_error)
{
    cleanup_free char *config_path = aws_env_path(env, "AWS_CONFIG_FILE", ".aws/config");
    cleanup_free char *credentials_path =
        aws_env_path(env, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    cleanup_buf struct ecs_buf config = ECS_BUF_SECRET(AWS_INI_MAX);
    cleanup_buf struct ecs_buf credentials = ECS_BUF_SECRET(AWS_INI_MAX);
    struct aws_profiles *profiles = NULL;
    if (!config_path || !credentials_path)
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    else if (read_optional(env, config_path, &config, ret_error) == 0 &&
             read_optional(env, credentials_path, &credentials, ret_error) == 0)
        profiles = parse(config_path, &config, credentials_path, &credentials, ret_error);
    if (profiles) {
        profiles->config_path = steal(config_path);
        profiles->credentials_path = steal(credentials_path);
    }
    return profiles;
}

struct aws_profiles *aws_profiles_free(struct aws_profiles *profiles)
{
    if (!profiles)
        return NULL;
    for (size_t i = 0; i < AWS_SECTION_KINDS; i++)
        aws_ini_free(&profiles->kinds[i]);
    free(profiles->config_path);
    free(profiles->credentials_path);
    free(profiles);
    return NULL;
}

const struct aws_section *aws_profiles_find(const struct aws_profiles *profiles, enum aws_section_kind kind,
                                            const char *name)
{
    return profiles ? find(&profiles->kinds[kind], name) : NULL;
}

char *aws_section_nested(const struct aws_section *section, const char *name, const char *below)
{
    const char *line = aws_section_get(section, name);
    size_t want = strlen(below);
    for (line = line ? strchr(line, '\n') : NULL; line; line = strchr(line, '\n')) {
        line++;
        size_t len = strcspn(line, "=\n");
        if (line[len] != '=')
            continue;
        size_t name_len = len;
        while (name_len && isspace((unsigned char)line[name_len - 1]))
            name_len--;
        if (name_len != want || strncasecmp(line, below, want) != 0)
            continue;
        const char *value = line + len + 1 + strspn(line + len + 1, " \t");
        return strndup(value, strcspn(value, "\n"));
    }
    return NULL;
}
