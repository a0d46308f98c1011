/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"
#include "ids.h"
#include "registry_route.h"
#include "request.h"

static const char *const kinds[] = {
    [FAULT_LATENCY] = "latency", [FAULT_THROTTLE] = "throttle", [FAULT_ERROR] = "error",
    [FAULT_RESET] = "reset",     [FAULT_HANG] = "hang",         [FAULT_LOST] = "lost",
    [FAULT_CORRUPT] = "corrupt",
};

static enum fault_kind kind_of(const char *name)
{
    for (size_t i = 1; name && i < ARRAY_LEN(kinds); i++)
        if (strcmp(name, kinds[i]) == 0)
            return (enum fault_kind)i;
    return FAULT_NONE;
}

static const char *or_else(const char *text, const char *fallback)
{
    return text ? text : fallback;
}

static bool too_long(const json_t *spec)
{
    static const struct {
        const char *name;
        size_t most;
    } rows[] = {
        {"operation", sizeof(((struct fault *)0)->operation)},
        {"code", sizeof(((struct fault *)0)->code)},
        {"message", sizeof(((struct fault *)0)->message)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (json_string_length(json_object_get(spec, rows[i].name)) >= rows[i].most)
            return true;
    return false;
}

/* Of the emulator, of its registry, or an AWS one that the emulator refuses. */
static bool names_an_operation(const char *pattern)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"};
    char text[128];
    snprintf(text, sizeof(text), "%s", pattern);
    char *dot = strchr(text, '.');
    if (dot)
        *dot = 0;
    if (operation_matches(pattern) || (dot && ecs_api_find(text, dot + 1)))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        for (size_t what = 1; route_names[what]; what++) {
            snprintf(text, sizeof(text), "registry.%s%s", methods[i], route_names[what]);
            if (fnmatch(pattern, text, 0) == 0)
                return true;
        }
    return false;
}

/* Why one of the numbers cannot be; NULL: they can. */
static const char *wrong_number(const json_t *spec)
{
    static const struct {
        const char *name;
        double least, most;
        const char *why;
    } rows[] = {
        {"ms", -1, 1e9, "ms is up to 1000000000, or -1: for ever"},
        {"times", -1, 1e9, "times is up to 1000000000, or -1: for ever"},
        {"after", 0, 1e9, "after is 0 to 1000000000"},
        {"status", 200, 599, "status is 200 to 599"},
        {"probability", 0, 1, "probability is 0 to 1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const json_t *value = json_object_get(spec, rows[i].name);
        double number = json_is_number(value) ? json_number_value(value) : NAN;
        if (value && !(number >= rows[i].least && number <= rows[i].most))
            return rows[i].why;
    }
    return NULL;
}

struct fault *fault_read(const json_t *spec, const char **ret_why)
{
    static const char *const members[] = {"operation", "kind", "ms",      "times", "probability",
                                          "after",     "code", "message", "status"};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)spec, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < ARRAY_LEN(members); i++)
            known |= strcmp(name, members[i]) == 0;
        if (!known) {
            *ret_why = "a fault has operation, kind, ms, times, probability, after, code, message, status";
            return NULL;
        }
    }
    enum fault_kind kind = kind_of(in_text(spec, "kind"));
    if (kind == FAULT_NONE) {
        *ret_why = "kind is one of latency, throttle, error, reset, hang, lost, corrupt";
        return NULL;
    }
    *ret_why = too_long(spec) ? "operation is up to 127 bytes, code up to 63, message up to 255"
                              : wrong_number(spec);
    if (!*ret_why && !names_an_operation(or_else(in_text(spec, "operation"), "*")))
        *ret_why = "operation matches none, such as ecs.ListTasks, ecr.* or registry.GETManifest";
    if (*ret_why)
        return NULL;
    struct fault *fault = calloc(1, sizeof(*fault));
    *ret_why = "out of memory";
    if (!fault)
        return NULL;
    snprintf(fault->operation, sizeof(fault->operation), "%s", or_else(in_text(spec, "operation"), "*"));
    snprintf(fault->code, sizeof(fault->code), "%s", or_else(in_text(spec, "code"), "ServerException"));
    snprintf(fault->message, sizeof(fault->message), "%s",
             or_else(in_text(spec, "message"), "Service Unavailable. Please try again later."));
    fault->kind = kind;
    fault->ms = (int)in_int(spec, "ms", kind == FAULT_LATENCY ? 1000 : -1);
    fault->times = in_int(spec, "times", -1);
    fault->after = in_int(spec, "after", 0);
    fault->status = (int)in_int(spec, "status", 500);
    const json_t *probability = json_object_get(spec, "probability");
    fault->probability = json_is_number(probability) ? json_number_value(probability) : 1;
    return fault;
}

struct fault *fault_parse(const char *text, const char **ret_why)
{
    cleanup_free char *copy = strdup(text);
    json_t *spec = json_object();
    char *rest = copy;
    for (char *part; copy && (part = strsep(&rest, ","));) {
        char *value = strchr(part, '=');
        char *end;
        if (!value) {
            json_decref(spec);
            *ret_why = "a fault is name=value,name=value,...";
            return NULL;
        }
        *value++ = 0;
        double number = strtod(value, &end);
        if (json_object_set_new(spec, part,
                                *value && !*end && isfinite(number) ? json_real(number)
                                                                    : json_string(value)) < 0) {
            json_decref(spec);
            *ret_why = "a fault is UTF-8";
            return NULL;
        }
    }
    struct fault *fault = fault_read(spec, ret_why);
    json_decref(spec);
    return fault;
}

json_t *fault_show(const struct fault *fault)
{
    return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:f}", "operation", fault->operation, "kind",
                     kinds[fault->kind], "ms", fault->ms, "times", (json_int_t)fault->times, "after",
                     (json_int_t)fault->after, "hits", (json_int_t)fault->hits, "probability",
                     fault->probability);
}

const struct fault *fault_strike(struct fault *faults, const char *operation)
{
    for (struct fault *fault = faults; fault; fault = fault->next) {
        if (fnmatch(fault->operation, operation, 0) != 0 || fault->times == 0)
            continue;
        if (fault->after > 0) {
            fault->after--;
            continue;
        }
        if (fault->probability < 1 && id_number(1000000) >= fault->probability * 1000000)
            continue;
        if (fault->times > 0)
            fault->times--;
        fault->hits++;
        return fault;
    }
    return NULL;
}

void faults_free(struct fault *faults)
{
    while (faults) {
        struct fault *next = faults->next;
        free(faults);
        faults = next;
    }
}
