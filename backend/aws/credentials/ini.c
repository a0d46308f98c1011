/* SPDX-License-Identifier: Apache-2.0 */
#include "ini.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

struct parser {
    struct aws_ini *ini;
    struct aws_section *section; /* where properties go now, or NULL */
    char **value;                /* what a continuation line adds to, or NULL */
    bool nested;                 /* the property had no value of its own: its lines are "name = value" */
    bool ignored;                /* the property has an invalid name: it and its lines are skipped */
    int line;
};

struct span {
    const char *at;
    size_t len;
};

static struct span trim(struct span s)
{
    while (s.len && isspace((unsigned char)s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len && isspace((unsigned char)s.at[s.len - 1]))
        s.len--;
    return s;
}

static char *copy(struct span s)
{
    char *text = malloc(s.len + 1);
    if (!text)
        return NULL;
    if (s.len)
        memcpy(text, s.at, s.len);
    text[s.len] = 0;
    return text;
}

static void free_secret(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

static struct ecs_error *fault(const struct parser *p, const char *what)
{
    return ecs_error_new(-EINVAL, "ConfigParse", "line %d: %s", p->line, what);
}

static struct ecs_error *no_memory(void)
{
    return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
}

static bool valid_name(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.at[i]) && (!s.at[i] || !strchr("-_/.%@:+", s.at[i])))
            return false;
    return s.len > 0;
}

/* A comment in a property's line starts at white space and then '#' or ';'. */
static struct span cut_comment(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if ((s.at[i] == '#' || s.at[i] == ';') && isspace((unsigned char)s.at[i - 1])) {
            s.len = i;
            break;
        }
    return s;
}

static struct ecs_error *read_title(struct parser *p, struct span line)
{
    const char *end = memchr(line.at, ']', line.len);
    if (!end)
        return fault(p, "Profile definition must end with ']'");
    struct span rest = trim((struct span){end + 1, (size_t)(line.at + line.len - end - 1)});
    if (rest.len && rest.at[0] != '#' && rest.at[0] != ';')
        return fault(p, "Profile definition must end with ']'");
    struct aws_section *sections =
        realloc(p->ini->sections, (p->ini->sections_len + 1) * sizeof(*p->ini->sections));
    if (!sections)
        return no_memory();
    p->ini->sections = sections;
    p->section = &sections[p->ini->sections_len];
    *p->section =
        (struct aws_section){.title = copy(trim((struct span){line.at + 1, (size_t)(end - line.at - 1)}))};
    if (!p->section->title)
        return no_memory();
    p->ini->sections_len++;
    p->value = NULL;
    p->ignored = false;
    return NULL;
}

static struct aws_property *find_property(const struct aws_section *section, const char *name)
{
    for (size_t i = 0; i < section->properties_len; i++)
        if (strcmp(section->properties[i].name, name) == 0)
            return &section->properties[i];
    return NULL;
}

/* Takes over `value`. */
static struct aws_property *set_property(struct aws_section *section, const char *name, char *value)
{
    struct aws_property *property = value ? find_property(section, name) : NULL;
    if (property) {
        free_secret(property->value);
        property->value = value;
        return property;
    }
    struct aws_property *all =
        realloc(section->properties, (section->properties_len + 1) * sizeof(*section->properties));
    if (all)
        section->properties = all;
    char *own = strdup(name);
    if (!all || !own || !value) {
        free(own);
        free_secret(value);
        return NULL;
    }
    property = &all[section->properties_len++];
    *property = (struct aws_property){own, value};
    return property;
}

static struct ecs_error *read_property(struct parser *p, struct span line)
{
    if (!p->section)
        return fault(p, "Expected a profile definition");
    line = cut_comment(line);
    const char *equals = memchr(line.at, '=', line.len);
    if (!equals)
        return fault(p, "Expected an '=' sign defining a property");
    struct span name = trim((struct span){line.at, (size_t)(equals - line.at)});
    struct span value = trim((struct span){equals + 1, (size_t)(line.at + line.len - equals - 1)});
    if (!name.len)
        return fault(p, "Property did not have a name");
    p->ignored = !valid_name(name);
    p->value = NULL;
    if (p->ignored)
        return NULL;
    cleanup_free char *lower = copy(name);
    if (!lower)
        return no_memory();
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    struct aws_property *property = set_property(p->section, lower, copy(value));
    if (!property)
        return no_memory();
    p->value = &property->value;
    p->nested = value.len == 0;
    return NULL;
}

static struct ecs_error *read_continuation(struct parser *p, struct span line)
{
    if (!p->section)
        return fault(p, "Expected a profile definition, found continuation");
    if (p->ignored)
        return NULL;
    if (!p->value)
        return fault(p, "Expected a property definition, found continuation");
    line = trim(line);
    if (p->nested) {
        const char *equals = memchr(line.at, '=', line.len);
        if (!equals)
            return fault(p, "Expected an '=' sign defining a sub-property");
        if (equals == line.at)
            return fault(p, "Sub-property did not have a name");
    }
    size_t have = strlen(*p->value);
    char *longer = malloc(have + line.len + 2);
    if (!longer)
        return no_memory();
    memcpy(longer, *p->value, have);
    longer[have] = '\n';
    memcpy(longer + have + 1, line.at, line.len);
    longer[have + 1 + line.len] = 0;
    free_secret(*p->value);
    *p->value = longer;
    return NULL;
}

static struct ecs_error *read_line(struct parser *p, struct span line)
{
    if (!trim(line).len || line.at[0] == '#' || line.at[0] == ';')
        return NULL;
    if (isspace((unsigned char)line.at[0]))
        return read_continuation(p, line);
    if (line.at[0] == '[')
        return read_title(p, line);
    return read_property(p, line);
}

int aws_ini_parse(const char *text, size_t len, struct aws_ini *ret_ini, struct ecs_error **ret_error)
{
    *ret_ini = (struct aws_ini){0};
    struct parser p = {.ini = ret_ini};
    struct ecs_error *error = NULL;
    if (len > AWS_INI_MAX)
        error = ecs_error_new(-EFBIG, "ConfigParse", "larger than %d bytes", AWS_INI_MAX);
    else if (len && memchr(text, 0, len))
        error = ecs_error_new(-EINVAL, "ConfigParse", "a NUL byte in it");
    while (len && !error) {
        const char *newline = memchr(text, '\n', len);
        size_t line = newline ? (size_t)(newline - text) : len;
        p.line++;
        error = read_line(&p, (struct span){text, line});
        line += newline != NULL;
        text += line;
        len -= line;
    }
    if (!error)
        return 0;
    aws_ini_free(ret_ini);
    *ret_error = error;
    return error->err;
}

void aws_section_free(struct aws_section *section)
{
    for (size_t i = 0; i < section->properties_len; i++) {
        free(section->properties[i].name);
        free_secret(section->properties[i].value);
    }
    free(section->properties);
    free(section->title);
    *section = (struct aws_section){0};
}

void aws_ini_free(struct aws_ini *ini)
{
    for (size_t i = 0; i < ini->sections_len; i++)
        aws_section_free(&ini->sections[i]);
    free(ini->sections);
    *ini = (struct aws_ini){0};
}

const char *aws_section_get(const struct aws_section *section, const char *name)
{
    struct aws_property *property = section ? find_property(section, name) : NULL;
    return property ? property->value : NULL;
}

int aws_section_set(struct aws_section *section, const char *name, const char *value)
{
    return set_property(section, name, strdup(value)) ? 0 : -ENOMEM;
}
