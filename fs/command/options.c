/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ecsfs/cleanup.h"

struct reasons {
    char *why;
    size_t size;
};

static int __attribute__((format(printf, 2, 3))) refuse(struct reasons *reasons, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reasons->why, reasons->size, format, args);
    va_end(args);
    return -EINVAL;
}

/* ---- values ---- */

static int set_text(char **text, const char *value)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return -ENOMEM;
    free(*text);
    *text = copy;
    return 0;
}

static int set_absolute(char **text, const char *value)
{
    if (value[0] == '/')
        return set_text(text, value);
    cleanup_free char *here = getcwd(NULL, 0);
    cleanup_free char *path = NULL;
    if (here == NULL)
        return -errno;
    if (asprintf(&path, "%s/%s", strcmp(here, "/") == 0 ? "" : here, value) < 0)
        return -ENOMEM;
    return set_text(text, path);
}

static bool is_region(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len > 0 && len < 32 && text[len] == '\0' && text[0] != '-';
}

static int check_region(struct options *options, const char *value, struct reasons *reasons)
{
    if (!is_region(value))
        return refuse(reasons, "'%s' is no region's name (like eu-west-1)", value);
    return set_text(&options->region, value);
}

static int check_regions(struct options *options, const char *value, struct reasons *reasons)
{
    cleanup_free char *names = strdup(value);
    if (names == NULL)
        return -ENOMEM;
    char *rest = names, *name;
    while ((name = strsep(&rest, ":")) != NULL)
        if (!is_region(name))
            return refuse(reasons, "regions=%s: '%s' is no region's name (regions=eu-west-1:us-east-1)",
                          value, name);
    return set_text(&options->regions, value);
}

static int check_profile(struct options *options, const char *value, struct reasons *reasons)
{
    return set_text(&options->profile, value);
}

static int check_endpoint(struct options *options, const char *value, struct reasons *reasons)
{
    const char *host = strncmp(value, "https://", 8) == 0  ? value + 8
                       : strncmp(value, "http://", 7) == 0 ? value + 7
                                                           : NULL;
    if (host == NULL || *host == '\0' || *host == '/')
        return refuse(reasons, "endpoint_url= wants a URL like https://host:port, not '%s'", value);
    return set_text(&options->endpoint_url, value);
}

static int check_cache_dir(struct options *options, const char *value, struct reasons *reasons)
{
    return strcmp(value, "none") == 0 ? set_text(&options->cache_dir, value)
                                      : set_absolute(&options->cache_dir, value);
}

static int check_layer_cache(struct options *options, const char *value, struct reasons *reasons)
{
    char *end;
    unsigned long long mib = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || mib > 1 << 24)
        return refuse(reasons, "layer_cache= wants MiB from 0 to 16777216, not '%s'", value);
    options->layer_bytes = (uint64_t)mib << 20;
    return 0;
}

static int check_pacing(struct options *options, const char *value, struct reasons *reasons)
{
    options->pacing = strcmp(value, "on") == 0;
    options->pacing_given = true;
    if (!options->pacing && strcmp(value, "off") != 0)
        return refuse(reasons, "pacing= is on or off, not '%s'", value);
    return 0;
}

/* Seconds with a fraction. */
static int parse_seconds(const char *name, const char *value, double least, double most, int64_t *ret_ms,
                         struct reasons *reasons)
{
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || isspace((unsigned char)value[0]) || !isfinite(seconds) ||
        seconds < least || seconds > most)
        return refuse(reasons, "%s= wants seconds from %g to %g, not '%s'", name, least, most, value);
    *ret_ms = (int64_t)(seconds * 1000.0);
    return 0;
}

static int check_stale(struct options *options, const char *value, struct reasons *reasons)
{
    return parse_seconds("stale", value, 0, 604800, &options->stale_ms, reasons);
}

static int check_timeout(struct options *options, const char *value, struct reasons *reasons)
{
    return parse_seconds("timeout", value, 0.1, 3600, &options->timeout_ms, reasons);
}

/* For the kernel, and for INIT, where it has to be said again. */
static int check_max_read(struct options *options, const char *value, struct reasons *reasons)
{
    char *end;
    unsigned long bytes = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || bytes < 4096 || bytes > 1 << 20)
        return refuse(reasons, "max_read= wants bytes from 4096 to 1048576, not '%s'", value);
    options->max_read = (unsigned)bytes;
    return 0;
}

/* ---- the -o options ---- */

enum row_kind {
    ROW_FLAG,       /* sets a bool of ours */
    ROW_VALUE,      /* name=value, checked */
    ROW_FUSE,       /* for the kernel and fusermount3 as it is */
    ROW_FUSE_VALUE, /* the same, with a value */
    ROW_IGNORED,    /* for mount(8) and systemd */
};

struct row {
    const char *name;
    enum row_kind kind;
    size_t flag;
    int (*check)(struct options *options, const char *value, struct reasons *reasons);
};

#define FLAG(name, member)                                     \
    {                                                          \
        name, ROW_FLAG, offsetof(struct options, member), NULL \
    }
#define VALUE(name, check)        \
    {                             \
        name, ROW_VALUE, 0, check \
    }

static const struct row rows[] = {
    /* not handed to the kernel: .ecsfs/refresh is written on a read-only mount too */
    FLAG("ro", ro),
    FLAG("allow_delete", allow_delete),
    FLAG("dry_run", dry_run),
    FLAG("posix_errno", posix_errno),
    VALUE("region", check_region),
    VALUE("regions", check_regions),
    VALUE("profile", check_profile),
    VALUE("endpoint_url", check_endpoint),
    VALUE("cache_dir", check_cache_dir),
    VALUE("layer_cache", check_layer_cache),
    VALUE("pacing", check_pacing),
    VALUE("stale", check_stale),
    VALUE("timeout", check_timeout),
    FLAG("allow_other", allow_other),
    FLAG("debug", debug),
    {"fsname", ROW_FUSE_VALUE, 0, NULL},
    {"subtype", ROW_FUSE_VALUE, 0, NULL},
    {"max_read", ROW_FUSE_VALUE, 0, check_max_read},
    {"context", ROW_FUSE_VALUE, 0, NULL},
    {"fscontext", ROW_FUSE_VALUE, 0, NULL},
    {"defcontext", ROW_FUSE_VALUE, 0, NULL},
    {"rootcontext", ROW_FUSE_VALUE, 0, NULL},
    {"allow_root", ROW_FUSE, 0, NULL},
    {"auto_unmount", ROW_FUSE, 0, NULL},
    {"default_permissions", ROW_FUSE, 0, NULL},
    {"nosuid", ROW_FUSE, 0, NULL},
    {"nodev", ROW_FUSE, 0, NULL},
    {"exec", ROW_FUSE, 0, NULL},
    {"noexec", ROW_FUSE, 0, NULL},
    {"atime", ROW_FUSE, 0, NULL},
    {"noatime", ROW_FUSE, 0, NULL},
    {"async", ROW_FUSE, 0, NULL},
    {"sync", ROW_FUSE, 0, NULL},
    {"dirsync", ROW_FUSE, 0, NULL},
    /* mount.fuse adds dev and suid as root: there is no device and no set-uid file here, so never mind */
    {"dev", ROW_IGNORED, 0, NULL},
    {"suid", ROW_IGNORED, 0, NULL},
    {"rw", ROW_IGNORED, 0, NULL},
    {"defaults", ROW_IGNORED, 0, NULL},
    {"auto", ROW_IGNORED, 0, NULL},
    {"noauto", ROW_IGNORED, 0, NULL},
    {"user", ROW_IGNORED, 0, NULL},
    {"users", ROW_IGNORED, 0, NULL},
    {"nouser", ROW_IGNORED, 0, NULL},
    {"owner", ROW_IGNORED, 0, NULL},
    {"group", ROW_IGNORED, 0, NULL},
    {"nofail", ROW_IGNORED, 0, NULL},
    {"_netdev", ROW_IGNORED, 0, NULL},
    {"relatime", ROW_IGNORED, 0, NULL},
    {"norelatime", ROW_IGNORED, 0, NULL},
    {"strictatime", ROW_IGNORED, 0, NULL},
    {"nostrictatime", ROW_IGNORED, 0, NULL},
    {"diratime", ROW_IGNORED, 0, NULL},
    {"nodiratime", ROW_IGNORED, 0, NULL},
    {"lazytime", ROW_IGNORED, 0, NULL},
    {"nolazytime", ROW_IGNORED, 0, NULL},
};

static const struct row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* libfuse splits at commas that no backslash precedes. */
static int add_escaped(struct ecs_buf *list, const char *text)
{
    if (list->len > 0)
        ecs_buf_adds(list, ",");
    for (; *text; text++) {
        if (*text == ',' || *text == '\\')
            ecs_buf_adds(list, "\\");
        ecs_buf_add(list, text, 1);
    }
    return list->failed;
}

/* A user and password inside a URL are a secret; nothing else here is. */
static int note_given(struct options *options, const char *option)
{
    const char *host = strstr(option, "://");
    const char *at = host != NULL ? strchr(host + 3, '@') : NULL;
    if (at == NULL || memchr(host + 3, '/', (size_t)(at - host - 3)) != NULL)
        return add_escaped(&options->given, option);
    cleanup_free char *masked = NULL;
    if (asprintf(&masked, "%.*s***%s", (int)(host + 3 - option), option, at) < 0)
        return -ENOMEM;
    return add_escaped(&options->given, masked);
}

static int take_option(struct options *options, const char *option, struct reasons *reasons)
{
    const char *equals = strchr(option, '=');
    size_t len = equals != NULL ? (size_t)(equals - option) : strlen(option);
    if (len == 0 && equals == NULL)
        return 0; /* "a,,b" */
    if (strncmp(option, "x-", 2) == 0 || strncmp(option, "X-", 2) == 0 || strncmp(option, "comment=", 8) == 0)
        return 0; /* systemd's, mount(8)'s */
    const struct row *row = find_row(option, len);
    if (row == NULL)
        return refuse(reasons, "unknown option '%.*s' (ecsfs -h lists them)", (int)len, option);
    bool valued = row->kind == ROW_VALUE || row->kind == ROW_FUSE_VALUE;
    if (valued && (equals == NULL || equals[1] == '\0'))
        return refuse(reasons, "option %s needs a value: %s=...", row->name, row->name);
    if (!valued && equals != NULL)
        return refuse(reasons, "option %s takes no value", row->name);

    int r = 0;
    switch (row->kind) {
    case ROW_FLAG:
        *(bool *)((char *)options + row->flag) = true;
        break;
    case ROW_VALUE:
        r = row->check(options, equals + 1, reasons);
        break;
    case ROW_FUSE:
    case ROW_FUSE_VALUE:
        r = row->check != NULL ? row->check(options, equals + 1, reasons) : 0;
        if (r == 0)
            r = add_escaped(&options->fuse, option);
        break;
    case ROW_IGNORED:
        return 0;
    }
    return r != 0 ? r : note_given(options, option);
}

static int take_list(struct options *options, const char *list, struct reasons *reasons)
{
    cleanup_free char *option = malloc(strlen(list) + 1);
    if (option == NULL)
        return -ENOMEM;
    while (*list != '\0') {
        size_t len = 0;
        for (; *list != '\0' && *list != ','; list++) {
            if (*list == '\\' && list[1] != '\0')
                list++;
            option[len++] = *list;
        }
        option[len] = '\0';
        int r = take_option(options, option, reasons);
        if (r != 0)
            return r;
        list += *list == ',';
    }
    return 0;
}

/* ---- the words ---- */

static bool is_source(const char *word)
{
    return strcmp(word, "aws") == 0 || strncmp(word, "aws:", 4) == 0 || strcmp(word, "local") == 0 ||
           strncmp(word, "local:", 6) == 0;
}

static int take_source(struct options *options, const char *word, struct reasons *reasons)
{
    /* what people write in fstab where there is no device */
    if (strcmp(word, "none") == 0 || strcmp(word, "ecsfs") == 0)
        word = "aws";
    if (!is_source(word))
        return refuse(reasons, "unknown source '%s': it is aws, aws:REGION, local or local:FILE", word);
    options->source_kind = word[0] == 'a' ? SOURCE_AWS : SOURCE_LOCAL;
    const char *colon = strchr(word, ':');
    if (colon != NULL && colon[1] == '\0')
        return refuse(reasons, "nothing follows the colon of '%s'", word);
    int r = set_text(&options->source, word);
    if (r != 0 || colon == NULL)
        return r;
    if (options->source_kind == SOURCE_LOCAL)
        return set_absolute(&options->state_file, colon + 1);
    if (options->region != NULL && strcmp(options->region, colon + 1) != 0)
        return refuse(reasons, "two regions: %s and region=%s", word, options->region);
    return check_region(options, colon + 1, reasons);
}

static int take_words(struct options *options, int count, char **words, struct reasons *reasons)
{
    struct stat st;
    if (options->check && (count == 0 || (count == 1 && is_source(words[0]))))
        return take_source(options, count == 1 ? words[0] : "aws", reasons);
    if (count == 0)
        return refuse(reasons, "no mountpoint (ecsfs -h tells more)");
    if (count > 2)
        return refuse(reasons, "'%s' is one word too many: ecsfs [SOURCE] MOUNTPOINT [-o OPTIONS]", words[2]);
    if (count == 1 && is_source(words[0]) && stat(words[0], &st) < 0)
        return refuse(reasons, "no mountpoint after the source '%s'", words[0]);
    int r = set_text(&options->mountpoint, words[count - 1]);
    return r != 0 ? r : take_source(options, count == 2 ? words[0] : "aws", reasons);
}

static int settle(struct options *options, struct reasons *reasons)
{
    if (options->source_kind == SOURCE_LOCAL && options->profile != NULL)
        return refuse(reasons, "profile= is of no use with the source local");
    if (options->source_kind == SOURCE_LOCAL && options->endpoint_url != NULL)
        return refuse(reasons, "endpoint_url= is of no use with the source local");
    if (!options->pacing_given)
        options->pacing = options->source_kind == SOURCE_AWS;
    if (options->stale_ms < 0) /* the emulator costs nothing to ask */
        options->stale_ms = options->source_kind == SOURCE_LOCAL ? 1000 : 5000;
    if (options->debug)
        options->foreground = true;
    if (options->allow_other) /* the modes must then mean something */
        ecs_buf_adds(&options->fuse, options->fuse.len > 0 ? ",allow_other,default_permissions"
                                                           : "allow_other,default_permissions");
    const char *fuse = options->fuse.data != NULL ? options->fuse.data : "";
    bool named = strncmp(fuse, "fsname=", 7) == 0 || strstr(fuse, ",fsname=") != NULL;
    bool typed = strncmp(fuse, "subtype=", 8) == 0 || strstr(fuse, ",subtype=") != NULL;
    cleanup_free char *name = NULL;
    if (asprintf(&name, "fsname=%s", options->source) < 0)
        return -ENOMEM;
    if (!named)
        add_escaped(&options->fuse, name);
    if (!typed)
        add_escaped(&options->fuse, "subtype=ecsfs");
    return options->fuse.failed;
}

int options_parse(struct options *options, int argc, char **argv, char *why, size_t why_size)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"foreground", no_argument, NULL, 'f'},
                                          {"debug", no_argument, NULL, 'd'},
                                          {"options", required_argument, NULL, 'o'},
                                          {"check", no_argument, NULL, 'C'},
                                          {0}};
    struct reasons reasons = {why, why_size};
    int c, r = 0;

    *options = (struct options){.stale_ms = -1,
                                .timeout_ms = 60000,
                                .layer_bytes = 1024ull << 20,
                                .fuse = ECS_BUF(4096),
                                .given = ECS_BUF(4096)};
    opterr = 0;
    optind = 0;
    while (r == 0 && (c = getopt_long(argc, argv, ":o:fdVh", longs, NULL)) != -1) {
        switch (c) {
        case 'o':
            r = take_list(options, optarg, &reasons);
            break;
        case 'f':
            options->foreground = true;
            break;
        case 'd':
            options->debug = true;
            break;
        case 'C':
            options->check = true;
            break;
        case 'V':
            options->version = true;
            return 0;
        case 'h':
            options->help = true;
            return 0;
        case ':':
            r = refuse(&reasons, "%s needs a value", argv[optind - 1]);
            break;
        default:
            if (optopt != 0)
                r = refuse(&reasons, "unknown option '-%c' (ecsfs -h lists them)", optopt);
            else
                r = refuse(&reasons, "unknown option '%s' (ecsfs -h lists them)", argv[optind - 1]);
        }
    }
    if (r == 0)
        r = take_words(options, argc - optind, argv + optind, &reasons);
    if (r == 0)
        r = settle(options, &reasons);
    if (r == -ENOMEM)
        snprintf(why, why_size, "out of memory");
    else if (r == -EFBIG)
        r = refuse(&reasons, "the options are too long");
    return r;
}

void options_free(struct options *options)
{
    free(options->source);
    free(options->state_file);
    free(options->mountpoint);
    free(options->region);
    free(options->profile);
    free(options->endpoint_url);
    free(options->regions);
    free(options->cache_dir);
    ecs_buf_free(&options->fuse);
    ecs_buf_free(&options->given);
    *options = (struct options){0};
}
