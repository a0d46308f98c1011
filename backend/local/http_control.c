/* SPDX-License-Identifier: Apache-2.0 */
/* The control endpoint, for tests:
 *
 *   GET    /_local/calls    counts by operation         DELETE  sets them back
 *   GET    /_local/faults   the faults there are        DELETE  takes them away
 *   POST   /_local/faults   adds one (see fault.h), or a list of them
 *   GET    /_local/health   {"status": "ok"} */
#include <stdlib.h>
#include <string.h>

#include "http.h"

static enum MHD_Result show_calls(struct exchange *exchange)
{
    return answer_json(exchange, 200, json_deep_copy(exchange->face->counts));
}

static enum MHD_Result clear_calls(struct exchange *exchange)
{
    json_object_clear(exchange->face->counts);
    return answer_json(exchange, 200, json_object());
}

static enum MHD_Result show_faults(struct exchange *exchange)
{
    json_t *list = json_array();
    for (const struct fault *fault = exchange->face->faults; fault; fault = fault->next)
        json_array_append_new(list, fault_show(fault));
    return answer_json(exchange, 200, list);
}

static enum MHD_Result clear_faults(struct exchange *exchange)
{
    struct exchange *held;
    TAILQ_FOREACH(held, &exchange->face->waiting, link)
    {
        held->fault = NULL; /* held ones go on by their kind */
        held->wake_ms = 0;
    }
    faults_free(exchange->face->faults);
    exchange->face->faults = NULL;
    return answer_json(exchange, 200, json_array());
}

static struct fault *read_one(const json_t *spec, const char **ret_why)
{
    if (!json_is_object(spec)) {
        *ret_why = "a fault is a JSON object";
        return NULL;
    }
    return fault_read(spec, ret_why);
}

static enum MHD_Result add_faults(struct exchange *exchange)
{
    json_t *body = json_loadb(exchange->body.data ? exchange->body.data : "", exchange->body.len, 0, NULL);
    struct fault **last = &exchange->face->faults;
    const char *why = NULL;
    while (*last)
        last = &(*last)->next;
    for (size_t i = 0; i < (json_is_array(body) ? json_array_size(body) : 1) && !why; i++) {
        const char *reason = NULL;
        *last = read_one(json_is_array(body) ? json_array_get(body, i) : body, &reason);
        if (*last)
            last = &(*last)->next;
        else
            why = reason;
    }
    json_decref(body);
    return why ? answer_json(exchange, 400, json_pack("{s:s}", "message", why)) : show_faults(exchange);
}

static enum MHD_Result show_health(struct exchange *exchange)
{
    return answer_json(exchange, 200, json_pack("{s:s}", "status", "ok"));
}

enum MHD_Result speak_control(struct exchange *exchange)
{
    static const struct {
        const char *method, *path;
        enum MHD_Result (*speak)(struct exchange *exchange);
    } rows[] = {
        {"GET", "/_local/calls", show_calls},   {"DELETE", "/_local/calls", clear_calls},
        {"GET", "/_local/faults", show_faults}, {"DELETE", "/_local/faults", clear_faults},
        {"POST", "/_local/faults", add_faults}, {"GET", "/_local/health", show_health},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(rows[i].method, exchange->method) == 0 && strcmp(rows[i].path, exchange->path) == 0)
            return rows[i].speak(exchange);
    return answer_json(exchange, 404,
                       json_pack("{s:s}", "message", "see /_local/calls, /_local/faults, /_local/health"));
}
