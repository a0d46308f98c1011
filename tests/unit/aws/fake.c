/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "credentials/process.h"

static const char *text_of(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

static const char *get(const struct aws_env *env, const char *name)
{
    return text_of(((const struct fake *)env)->variables, name);
}

static int read_file(const struct aws_env *env, const char *path, struct ecs_buf *into)
{
    const struct fake *fake = (const struct fake *)env;
    const json_t *text = json_object_get(fake->files, path);
    if (text)
        return ecs_buf_add(into, json_string_value(text), json_string_length(text));
    if (!fake->root)
        return -ENOENT;
    char real[2048];
    snprintf(real, sizeof(real), "%s%s", fake->root, path);
    return aws_process_env.read_file(env, real, into);
}

static int write_file(const struct aws_env *env, const char *path, const char *text)
{
    (void)path;
    struct fake *fake = (struct fake *)env;
    snprintf(fake->written, sizeof(fake->written), "%s", text);
    return 0;
}

/* The recorded programs are written for a shell. */
static struct ecs_error *run(const struct aws_env *env, char *const argv[], int timeout_ms,
                             struct ecs_buf *output)
{
    struct ecs_buf command = ECS_BUF(65536);
    for (size_t i = 0; argv[i]; i++)
        ecs_buf_addf(&command, "%s%s", i ? " " : "", argv[i]);
    char *shell[] = {(char *)"sh", (char *)"-c", command.data, NULL};
    struct ecs_error *error = aws_process_run(env, shell, timeout_ms, output);
    ecs_buf_free(&command);
    return error;
}

static void pause_ms(const struct aws_env *env, int ms)
{
    ecs_manual_clock_step(&((struct fake *)env)->clock, ms);
}

/* The next event of that kind, none of `before` in between. */
static const json_t *next_event(struct fake *fake, const char *kind, const char *before)
{
    for (; fake->next < json_array_size(fake->events); fake->next++) {
        const json_t *action = json_object_get(json_array_get(fake->events, fake->next), "action");
        const json_t *found = json_object_get(action, kind);
        if (found) {
            fake->next++;
            return found;
        }
        if (before && json_object_get(action, before))
            return NULL;
    }
    return NULL;
}

/* Hosts and paths alike, the root's slash or not; queries alike as sets. */
static bool same_url(const char *a, const char *b)
{
    size_t n = strcspn(a, "?"), m = strcspn(b, "?");
    size_t plain_n = n && a[n - 1] == '/' ? n - 1 : n, plain_m = m && b[m - 1] == '/' ? m - 1 : m;
    if (plain_n != plain_m || strncmp(a, b, plain_n) != 0 || strlen(a + n) != strlen(b + m))
        return false;
    for (const char *p = a + n; *p;) {
        p++;
        size_t len = strcspn(p, "&");
        char part[256];
        snprintf(part, sizeof(part), "%.*s", (int)len, p);
        if (!strstr(b + m, part))
            return false;
        p += len;
    }
    return true;
}

static void compare(struct fake *fake, const struct aws_exchange *request, const json_t *recorded)
{
    const char *uri = text_of(recorded, "uri"), *method = text_of(recorded, "method");
    if (strcmp(method, request->method) != 0 || !same_url(uri, request->url))
        snprintf(fake->problem, sizeof(fake->problem), "%s %s instead of %s %s", request->method,
                 request->url, method, uri);
    static const char *const names[] = {"x-amz-sso_bearer_token", "x-aws-ec2-metadata-token",
                                        "x-aws-ec2-metadata-token-ttl-seconds"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *want = json_string_value(
            json_array_get(json_object_get(json_object_get(recorded, "headers"), names[i]), 0));
        const char *have = NULL;
        for (size_t j = 0; j < request->headers_len; j++)
            if (strcasecmp(request->headers[j].name, names[i]) == 0)
                have = request->headers[j].value;
        if (want && (!have || strcmp(want, have) != 0))
            snprintf(fake->problem, sizeof(fake->problem), "header %s is not %s", names[i], want);
    }
}

/* Of a form: what is asked for; of JSON: everything. */
static void compare_body(struct fake *fake, const struct aws_exchange *request, const char *recorded)
{
    if (!recorded || !*recorded)
        return;
    const char *have = request->body ? request->body : "";
    size_t action = strcspn(recorded, "&");
    if (strncmp(recorded, "Action=", 7) == 0 && strncmp(have, recorded, action) != 0)
        snprintf(fake->problem, sizeof(fake->problem), "the form asks for %.40s", have);
}

static const char *data_of(const json_t *data)
{
    return text_of(json_object_get(data, "data"), "Utf8");
}

static struct ecs_error *exchange(const struct aws_env *env, const struct aws_exchange *request,
                                  struct aws_answer *answer)
{
    struct fake *fake = (struct fake *)env;
    const json_t *recorded = json_object_get(next_event(fake, "Request", NULL), "request");
    if (!recorded) {
        if (!fake->problem[0])
            snprintf(fake->problem, sizeof(fake->problem), "%s %s was not recorded", request->method,
                     request->url);
        return ecs_error_new(-ECONNREFUSED, "ConnectionRefused", "no more traffic is recorded");
    }
    compare(fake, request, recorded);
    const json_t *data = next_event(fake, "Data", "Response");
    if (data)
        compare_body(fake, request, data_of(data));
    const json_t *response = json_object_get(next_event(fake, "Response", "Request"), "response");
    const json_t *good = json_object_get(response, "Ok");
    if (!good)
        return ecs_error_new(-ETIMEDOUT, "Timeout", "recorded as failed");
    answer->status = (int)json_integer_value(json_object_get(good, "status"));
    data = next_event(fake, "Data", "Request");
    if (data && data_of(data))
        ecs_buf_adds(&answer->body, data_of(data));
    return NULL;
}

void fake_init(struct fake *fake)
{
    *fake = (struct fake){0};
    ecs_manual_clock_init(&fake->clock, 1000, 1630000000000);
    fake->env = (struct aws_env){
        .get = get,
        .read_file = read_file,
        .write_file = write_file,
        .exchange = exchange,
        .run = run,
        .pause = pause_ms,
        .clock = &fake->clock.clock,
    };
}

bool fake_exhausted(const struct fake *fake)
{
    for (size_t i = fake->next; i < json_array_size(fake->events); i++)
        if (json_object_get(json_object_get(json_array_get(fake->events, i), "action"), "Request"))
            return false;
    return true;
}
