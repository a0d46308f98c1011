/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

enum { WORDS_MAX = 64, SCRIPT_MAX = 64 * 1024 };

struct run {
    struct program program;
    int64_t at_ms;
    int status;
    bool over; /* exited, or met something unknown */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_shell(const char *word)
{
    static const char *const shells[] = {"sh", "bash", "ash", "dash"};
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (strcmp(base_name(word), shells[i]) == 0)
            return true;
    return false;
}

static void print(struct run *run, char *const *words)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(SCRIPT_MAX);
    for (; *words; words++)
        ecs_buf_addf(&text, "%s%s", text.len ? " " : "", *words);
    if (!run->program.lines)
        run->program.lines = json_array();
    json_array_append_new(run->program.lines,
                          json_pack("[I, s]", (json_int_t)run->at_ms, text.data ? text.data : ""));
}

/* "5", "0.5", "1m"; -1: no end in sight. */
static int64_t sleep_ms(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    static const char units[] = "smhd";
    static const double sizes[] = {1, 60, 3600, 86400};
    const char *unit = *end ? strchr(units, *end) : units;
    if (end == text || !unit || seconds < 0 || seconds > 1e9)
        return -1;
    return (int64_t)(seconds * sizes[unit - units] * 1000);
}

static void never_ends(struct run *run)
{
    run->program.ends_after_ms = -1;
    run->over = true;
}

static void run_script(struct run *run, const char *script);

/* "600M", "1g", "1048576": MiB, rounded up. */
static int64_t mib_of(const char *text)
{
    char *end;
    double bytes = strtod(text, &end);
    for (const char *unit = "bkmgt"; *unit; unit++) {
        if ((*end | 0x20) == *unit || !*end)
            return bytes > 0 && bytes < 1e15 ? (int64_t)((bytes + 1048575) / 1048576) : 0;
        bytes *= 1024;
    }
    return 0;
}

/* stress and stress-ng: each of N workers takes that many bytes. */
static void run_stress(struct run *run, char *const *words, size_t count)
{
    int64_t workers = 1, mib = 256, timeout = -1; /* its own defaults */
    bool uses = false;
    for (size_t i = 1; i + 1 < count; i++) {
        bool vm = strcmp(words[i], "--vm") == 0 || strcmp(words[i], "-m") == 0;
        bool ends = strcmp(words[i], "--timeout") == 0 || strcmp(words[i], "-t") == 0;
        uses |= vm;
        workers = vm ? atoi(words[i + 1]) : workers;
        mib = strcmp(words[i], "--vm-bytes") == 0 ? mib_of(words[i + 1]) : mib;
        timeout = ends ? sleep_ms(words[i + 1]) : timeout;
    }
    if (uses && workers * mib > run->program.peak_mib) {
        run->program.peak_mib = workers * mib;
        run->program.peak_at_ms = run->at_ms;
    }
    if (timeout < 0)
        never_ends(run);
    else
        run->at_ms += timeout;
}

static void run_words(struct run *run, char **words, size_t count)
{
    const char *name = count ? base_name(words[0]) : "";
    if (!count) {
        return;
    } else if (strcmp(name, "exit") == 0) {
        run->status = count > 1 ? atoi(words[1]) & 0xff : run->status;
        run->over = true;
    } else if (strcmp(name, "true") == 0 || strcmp(name, ":") == 0) {
        run->status = 0;
    } else if (strcmp(name, "false") == 0) {
        run->status = 1;
    } else if (strcmp(name, "echo") == 0) {
        run->status = 0;
        print(run, words + 1);
    } else if (strcmp(name, "sleep") == 0 && count == 2 && sleep_ms(words[1]) >= 0) {
        run->status = 0;
        run->at_ms += sleep_ms(words[1]);
    } else if (strcmp(name, "stress") == 0 || strcmp(name, "stress-ng") == 0) {
        run_stress(run, words, count);
    } else if (is_shell(name) && count >= 3 && strcmp(words[1], "-c") == 0) {
        run_script(run, words[2]);
    } else {
        never_ends(run);
    }
}

/* Reads one word; quotes are taken off. NULL at the end of a command. What a shell would expand or
 * redirect makes the word unknown: *ret_strange. */
static char *read_word(const char **at, bool *ret_strange)
{
    const char *c = *at;
    while (*c == ' ' || *c == '\t')
        c++;
    if (!*c || strchr(";&|\n", *c)) {
        *at = c;
        return NULL;
    }
    cleanup_buf struct ecs_buf word = ECS_BUF(SCRIPT_MAX);
    char quote = 0;
    for (; *c && (quote || !strchr(" \t;&|\n", *c)); c++) {
        if (quote ? *c == quote : *c == '\'' || *c == '"')
            quote = quote ? 0 : *c;
        else if (*c == '\\' && quote != '\'' && c[1])
            ecs_buf_add(&word, ++c, 1);
        else
            ecs_buf_add(&word, c, 1);
        *ret_strange |= !quote && strchr("<>(){}`", *c) != NULL;
        *ret_strange |= quote != '\'' && (*c == '$' || *c == '`');
    }
    *at = c;
    *ret_strange |= quote != 0;
    return ecs_buf_steal(&word, NULL);
}

/* One command up to ; & | or a newline. `skip`: only read over it. */
static void run_command(struct run *run, const char **at, bool skip)
{
    char *words[WORDS_MAX + 1] = {0};
    size_t count = 0;
    bool strange = false;
    char *word;
    while ((word = read_word(at, &strange))) {
        if (count < WORDS_MAX)
            words[count++] = word;
        else
            free(word);
    }
    if (!skip && strange)
        never_ends(run);
    else if (!skip)
        run_words(run, words, count);
    for (size_t i = 0; i < count; i++)
        free(words[i]);
}

static void run_script(struct run *run, const char *script)
{
    bool skip = false;
    while (*script && !run->over) {
        run_command(run, &script, skip);
        if (strncmp(script, "&&", 2) == 0 || strncmp(script, "||", 2) == 0) {
            skip = (run->status != 0) == (script[0] == '&');
            script += 2;
        } else if (*script == '&' || *script == '|') {
            if (!run->over)
                never_ends(run); /* a job in the background, a pipe */
            script++;
        } else {
            skip = false;
            script += *script != 0;
        }
    }
}

static size_t add_words(char **words, size_t count, const json_t *list)
{
    size_t i;
    json_t *word;
    json_array_foreach(list, i, word)
    {
        if (count < WORDS_MAX && json_is_string(word) && (words[count] = strdup(json_string_value(word))))
            count++;
    }
    return count;
}

struct program program_read(const json_t *entry_point, const json_t *command)
{
    char *words[WORDS_MAX + 1] = {0};
    struct run run = {0};
    size_t count = add_words(words, add_words(words, 0, entry_point), command);
    run_words(&run, words, count);
    if (!count)
        run.program.ends_after_ms = -1;
    else if (run.program.ends_after_ms >= 0)
        run.program.ends_after_ms = run.at_ms;
    run.program.exits_with = run.status;
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    return run.program;
}

int program_health_passes(const json_t *command)
{
    const char *kind = json_string_value(json_array_get(command, 0));
    struct run run = {0};
    if (kind && strcmp(kind, "CMD-SHELL") == 0) {
        const char *script = json_string_value(json_array_get(command, 1));
        run_script(&run, script ? script : "");
    } else if (kind && strcmp(kind, "CMD") == 0) {
        char *words[WORDS_MAX + 2] = {0};
        size_t count = add_words(words, 0, command);
        run_words(&run, words + 1, count - 1);
        for (size_t i = 0; i < count; i++)
            free(words[i]);
    }
    json_decref(run.program.lines);
    return run.program.ends_after_ms < 0 || run.status == 0;
}
