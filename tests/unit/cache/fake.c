/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

static struct fake *fake_of(struct ecs_backend *backend)
{
    return (struct fake *)backend;
}

static void on_submit(struct ecs_backend *backend, struct ecs_call *call)
{
    struct fake *fake = fake_of(backend);
    ck_assert(fake->len < FAKE_CALLS);
    ck_assert_ptr_nonnull(call->body);
    call->sent_ms = fake->clock.now;
    call->attempts = 1;
    fake->operations[fake->len] = call->operation;
    fake->calls[fake->len++] = call;
    fake->open++;
}

static void go_home(struct fake *fake, struct ecs_call *call)
{
    for (size_t i = 0; i < fake->len; i++) {
        if (fake->calls[i] == call) {
            fake->calls[i] = NULL;
            fake->open--;
            ecs_mailbox_post(call->home, &call->letter);
            return;
        }
    }
    ck_abort_msg("a call that is not on its way");
}

static void on_cancel(struct ecs_backend *backend, struct ecs_call *call)
{
    struct fake *fake = fake_of(backend);
    fake->cancelled++;
    if (call->writing)
        return; /* it was sent already */
    bool held = false;
    for (size_t i = 0; i < fake->len; i++)
        held |= fake->calls[i] == call;
    if (!held)
        return; /* it is home, but the cache has not seen it yet */
    call->error = ecs_error_new(-ECANCELED, "Cancelled", "cancelled");
    go_home(fake, call);
}

static void on_status(struct ecs_backend *backend, struct ecs_backend_status *ret_status)
{
    *ret_status = (struct ecs_backend_status){.reachable = true};
    snprintf(ret_status->region, sizeof(ret_status->region), "eu-west-1");
    snprintf(ret_status->account, sizeof(ret_status->account), "%s", fake_of(backend)->account);
    snprintf(ret_status->endpoint, sizeof(ret_status->endpoint), "https://ecs.eu-west-1.amazonaws.com");
}

static void on_changed(void *arg, const struct ecs_key *key)
{
    struct fake *fake = arg;
    size_t len = strlen(fake->told);
    snprintf(fake->told + len, sizeof(fake->told) - len, "%s %s/%s\n", ecs_kinds[key->kind]->name,
             key->parent, key->id);
}

void fake_init(struct fake *fake, const struct ecs_cache_options *options)
{
    memset(fake, 0, sizeof(*fake));
    fake->backend =
        (struct ecs_backend){.name = "fake", .submit = on_submit, .cancel = on_cancel, .status = on_status};
    ecs_manual_clock_init(&fake->clock, 1000000, 1700000000000);
    struct ecs_cache_options chosen =
        options ? *options
                : (struct ecs_cache_options){
                      .stale_ms = 5000, .grace_ms = 1000, .settle_ms = 10000, .in_flight = 10};
    chosen.clock = &fake->clock.clock;
    fake->cache = ecs_cache_new(&fake->backend, &chosen, on_changed, fake);
    ck_assert_ptr_nonnull(fake->cache);
}

void fake_free(struct fake *fake)
{
    for (size_t i = 0; i < fake->len; i++) {
        struct ecs_call *call = fake->calls[i];
        if (call) {
            call->error = ecs_error_new(-ECANCELED, "Cancelled", "the backend stops");
            go_home(fake, call);
        }
    }
    ecs_cache_free(fake->cache);
}

static void on_wake(struct ecs_want *want)
{
    ((struct waiter *)want)->woken++;
}

void waiter_init(struct fake *fake, struct waiter *waiter)
{
    *waiter = (struct waiter){.want = {.since_ms = fake->clock.now, .wake = on_wake}};
}

struct ecs_call *fake_open(struct fake *fake, size_t n)
{
    for (size_t i = 0; i < fake->len; i++)
        if (fake->calls[i] && n-- == 0)
            return fake->calls[i];
    return NULL;
}

struct ecs_call *fake_find(struct fake *fake, const char *operation)
{
    for (size_t i = 0; i < fake->len; i++)
        if (fake->calls[i] && strcmp(fake->calls[i]->operation, operation) == 0)
            return fake->calls[i];
    return NULL;
}

size_t fake_count(struct fake *fake, const char *operation)
{
    size_t n = 0;
    for (size_t i = 0; i < fake->len; i++)
        n += strcmp(fake->operations[i], operation) == 0;
    return n;
}

__attribute__((format(printf, 1, 0))) static char *json_of(const char *format, va_list args)
{
    char *text;
    ck_assert_int_ge(vasprintf(&text, format, args), 0);
    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    return text;
}

void fake_reply(struct fake *fake, struct ecs_call *call, const char *format, ...)
{
    va_list args;
    json_error_t fault;
    ck_assert_ptr_nonnull(call);
    va_start(args, format);
    cleanup_free char *text = json_of(format, args);
    va_end(args);
    json_t *tree = json_loads(text, 0, &fault);
    ck_assert_msg(tree != NULL, "%s: %s", fault.text, text);
    call->error = call->digest ? call->digest(call, tree) : NULL;
    json_decref(tree);
    go_home(fake, call);
}

void fake_fail(struct fake *fake, struct ecs_call *call, struct ecs_error *error)
{
    ck_assert_ptr_nonnull(call);
    call->error = error;
    go_home(fake, call);
}

void fake_fail_aws(struct fake *fake, struct ecs_call *call, int status, const char *code,
                   const char *message)
{
    ck_assert_ptr_nonnull(call);
    fake_fail(fake, call, ecs_error_from_aws(call->operation, status, code, message, "req-1", call->writing));
}

bool fake_body_is(const struct ecs_call *call, const char *json)
{
    cleanup_free char *text = strdup(json);
    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *want = json_loads(text, 0, NULL), *have = json_loads(call->body, 0, NULL);
    ck_assert_ptr_nonnull(want);
    bool equal = json_equal(want, have);
    if (!equal)
        fprintf(stderr, "body is %s\n", call->body);
    json_decref(want);
    json_decref(have);
    return equal;
}

const char *fake_body_item(const struct ecs_call *call, const char *member, size_t i)
{
    static char item[512];
    json_t *body = json_loads(call->body, 0, NULL);
    const char *text = json_string_value(json_array_get(json_object_get(body, member), i));
    snprintf(item, sizeof(item), "%s", text ? text : "");
    json_decref(body);
    return text ? item : NULL;
}

size_t fake_body_items(const struct ecs_call *call, const char *member)
{
    json_t *body = json_loads(call->body, 0, NULL);
    size_t n = json_array_size(json_object_get(body, member));
    json_decref(body);
    return n;
}
