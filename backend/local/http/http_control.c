/* SPDX-License-Identifier: Apache-2.0 */
/* The control endpoint, for tests:
 *
 *   GET    /_local/calls    counts by operation         DELETE  sets them back
 *   GET    /_local/faults   the faults there are        DELETE  takes them away
 *   POST   /_local/faults   adds one (see fault.h), or a list of them
 *   GET    /_local/lag      {"ms": 0}; POST sets how old the answers of ECS's reads are (see lag.h)
 *   GET    /_local/time     {"now": "2026-11-23T18:20:00Z", "still": false}
 *   POST   /_local/step     {"ms": 5000}: that much time passes at once, with all that happens in it
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

static enum MHD_Result show_time(struct exchange *exchange)
{
    const struct stepped_clock *time = exchange->face->time;
    char text[ECS_TIME_TEXT];
    ecs_time_format(time->clock.wall_ms(&time->clock), text);
    return answer_json(exchange, 200, json_pack("{s:s, s:b}", "now", text, "still", time->still));
}

/* A year: nothing here is meant to see more. */
static const double ms_max = 366 * 86400e3;

/* {"ms": N}; -1 when the body says something else. */
static int64_t read_ms(const struct exchange *exchange)
{
    json_t *body = json_loadb(exchange->body.data ? exchange->body.data : "", exchange->body.len, 0, NULL);
    const json_t *given = json_object_get(body, "ms");
    double ms = json_is_number(given) ? json_number_value(given) : -1;
    json_decref(body);
    return ms < 0 || ms > ms_max ? -1 : (int64_t)ms;
}

static enum MHD_Result want_ms(struct exchange *exchange)
{
    return answer_json(exchange, 400, json_pack("{s:s}", "message", "wants {\"ms\": MILLISECONDS}"));
}

static enum MHD_Result show_lag(struct exchange *exchange)
{
    return answer_json(exchange, 200, json_pack("{s:I}", "ms", (json_int_t)world_lag(exchange->face->world)));
}

static enum MHD_Result set_lag(struct exchange *exchange)
{
    int64_t ms = read_ms(exchange);
    if (ms < 0)
        return want_ms(exchange);
    world_set_lag(exchange->face->world, ms);
    return show_lag(exchange);
}

/* A tick lives through a bounded number of events: as many ticks as it takes. */
static enum MHD_Result step(struct exchange *exchange)
{
    int64_t ms = read_ms(exchange);
    if (ms < 0)
        return want_ms(exchange);
    stepped_clock_step(exchange->face->time, ms);
    while (world_tick(exchange->face->world) == 0)
        ;
    return show_time(exchange);
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
        {"GET", "/_local/time", show_time},     {"POST", "/_local/step", step},
        {"GET", "/_local/lag", show_lag},       {"POST", "/_local/lag", set_lag},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(rows[i].method, exchange->method) == 0 && strcmp(rows[i].path, exchange->path) == 0)
            return rows[i].speak(exchange);
    return answer_json(exchange, 404,
                       json_pack("{s:s}", "message", "see /_local/calls, faults, lag, step, time, health"));
}
