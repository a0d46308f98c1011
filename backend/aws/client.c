/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's face: made, started, given calls, asked for its state, stopped. */
#include "client.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials/plan.h"
#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"

static void free_client(struct aws_client *client);

/* A write that carries a client token may be sent twice: AWS knows it again. */
static bool carries_token(const struct ecs_call *call)
{
    if (!call->writing || !call->body)
        return false;
    const struct ecs_api_operation *operation = ecs_api_find(call->service, call->operation);
    const char *member = operation ? operation->idempotency_token : NULL;
    if (!operation && strcmp(call->service, "scheduler") == 0)
        member = "ClientToken";
    if (!member)
        return false;
    json_t *tree = json_loads(call->body, 0, NULL);
    const char *token = json_string_value(json_object_get(tree, member));
    bool carries = token && *token;
    json_decref(tree);
    return carries;
}

static void refuse(struct ecs_call *call)
{
    call->error = aws_own_error(call->operation, -ECANCELED, "Cancelled", "the backend has stopped");
    ecs_mailbox_post(call->home, &call->letter);
}

static void submit(struct ecs_backend *backend, struct ecs_call *call)
{
    struct aws_client *client = (struct aws_client *)backend;
    call->error = NULL;
    call->result = NULL;
    call->attempts = 0;
    call->sent_ms = 0;
    if (client->stopped) {
        refuse(call);
        return;
    }
    struct aws_task *task = calloc(1, sizeof(*task));
    if (!task) {
        call->error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        ecs_mailbox_post(call->home, &call->letter);
        return;
    }
    int64_t now = aws_now(client);
    task->letter.kind = AWS_LETTER_CALL;
    task->call = call;
    task->submitted_ms = now;
    task->deadline_ms = now + (call->timeout_ms > 0 ? call->timeout_ms : client->timeout_ms);
    task->idempotent = carries_token(call);
    pthread_mutex_lock(&client->lock);
    client->meter.in_flight++;
    pthread_mutex_unlock(&client->lock);
    ecs_mailbox_post(client->input, &task->letter.letter);
}

static void cancel(struct ecs_backend *backend, struct ecs_call *call)
{
    struct aws_client *client = (struct aws_client *)backend;
    struct aws_cancel *letter = calloc(1, sizeof(*letter));
    if (!letter)
        return; /* it comes home in its time */
    letter->letter.kind = AWS_LETTER_CANCEL;
    letter->call = call;
    ecs_mailbox_post(client->input, &letter->letter.letter);
}

static void status(struct ecs_backend *backend, struct ecs_backend_status *ret_status)
{
    struct aws_client *client = (struct aws_client *)backend;
    *ret_status = (struct ecs_backend_status){0};
    snprintf(ret_status->region, sizeof(ret_status->region), "%s", client->config->region);
    snprintf(ret_status->endpoint, sizeof(ret_status->endpoint), "%s", client->endpoint);
    pthread_mutex_lock(&client->lock);
    memcpy(ret_status->identity, client->identity, sizeof(client->identity));
    memcpy(ret_status->account, client->account, sizeof(client->account));
    if (client->credentials) {
        memcpy(ret_status->credentials, client->credentials->source, sizeof(ret_status->credentials));
        ret_status->credentials_expire_ms = client->credentials->expires_ms;
    }
    ret_status->reachable = client->reachable;
    memcpy(ret_status->trouble, client->trouble, sizeof(client->trouble));
    ret_status->clock_off_ms = client->clock_off_ms;
    ret_status->calls = client->meter.calls;
    ret_status->throttled = client->meter.throttled;
    ret_status->retries = client->meter.retries;
    ret_status->failed = client->meter.failed;
    ret_status->in_flight = client->meter.in_flight;
    pthread_mutex_unlock(&client->lock);
}

static void identify(struct ecs_backend *backend)
{
    aws_identity_want((struct aws_client *)backend);
}

static void metrics(struct ecs_backend *backend, char **ret_text)
{
    struct aws_client *client = (struct aws_client *)backend;
    pthread_mutex_lock(&client->lock);
    client->meter.reachable = client->reachable;
    client->meter.clock_off_ms = client->clock_off_ms;
    client->meter.credentials_expire_ms = client->credentials ? client->credentials->expires_ms : 0;
    *ret_text = aws_meter_text(&client->meter);
    pthread_mutex_unlock(&client->lock);
}

static int start(struct ecs_backend *backend)
{
    struct aws_client *client = (struct aws_client *)backend;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOMEM;
    client->multi = curl_multi_init();
    if (!client->multi) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    /* signals are for the loop thread */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int r = pthread_create(&client->thread, NULL, aws_network_run, client);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    client->started = r == 0;
    return -r;
}

/* Letters that came after the thread had ended, or when it never began. */
static void return_letters(struct aws_client *client)
{
    struct ecs_letter *taken;
    while ((taken = ecs_mailbox_take(client->input))) {
        struct aws_letter *letter = (struct aws_letter *)taken;
        if (letter->kind == AWS_LETTER_CALL) {
            struct ecs_call *call = ((struct aws_task *)letter)->call;
            free(letter);
            refuse(call);
        } else if (letter->kind == AWS_LETTER_CREDENTIALS) {
            aws_keys_letter_free(letter);
        } else if (letter->kind == AWS_LETTER_CANCEL) {
            free(letter);
        }
    }
}

static void stop(struct ecs_backend *backend)
{
    struct aws_client *client = (struct aws_client *)backend;
    if (client->started) {
        client->stop_letter.kind = AWS_LETTER_STOP;
        ecs_mailbox_post(client->input, &client->stop_letter.letter);
        pthread_join(client->thread, NULL);
    }
    aws_keys_stop(client);
    return_letters(client);
    client->started = false;
    client->stopped = true;
}

static void free_backend(struct ecs_backend *backend)
{
    free_client((struct aws_client *)backend);
}

static void free_client(struct aws_client *client)
{
    while (client->easies_len)
        curl_easy_cleanup(client->easies[--client->easies_len]);
    if (client->multi) {
        curl_multi_cleanup(client->multi);
        curl_global_cleanup();
    }
    ecs_error_unref(client->identity_call.error);
    while (client->identity_home && ecs_mailbox_take(client->identity_home))
        ;
    ecs_mailbox_free(client->identity_home);
    ecs_mailbox_free(client->input);
    aws_lanes_free(&client->lanes);
    aws_meter_free(&client->meter);
    aws_credentials_unref(client->credentials);
    ecs_error_unref(client->keys_error);
    aws_sign_forget(&client->signing);
    aws_config_free(client->config);
    free(client->profile_option);
    free(client->region_option);
    free(client->endpoint_option);
    pthread_mutex_destroy(&client->waiting.lock);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

static struct ecs_error *configure(struct aws_client *client)
{
    struct ecs_error *error = NULL;
    client->config = aws_config_load(&client->env, client->profile_option, client->region_option,
                                     client->endpoint_option, &error);
    if (!client->config)
        return error;
    if (!client->config->region)
        return ecs_error_new(-EINVAL, "NoRegion",
                             "no region: name one (aws:eu-west-1, -o region=), set AWS_REGION, or run "
                             "`aws configure set region`");
    client->backend.region = client->config->region;
    struct aws_endpoint endpoint;
    if (aws_config_endpoint(client->config, &client->env, aws_service_find("ecs"), client->config->region,
                            &endpoint, &error) < 0)
        return error;
    snprintf(client->endpoint, sizeof(client->endpoint), "%s://%.200s%.40s",
             endpoint.url.plain ? "http" : "https", endpoint.url.host, endpoint.url.path);
    return NULL;
}

/* A code is asked for now: later there is no terminal. */
static struct ecs_error *ask_mfa(struct aws_client *client, const struct ecs_aws_options *options)
{
    struct aws_plan plan;
    struct ecs_error *ignored = NULL;
    const struct aws_config *config = client->config;
    bool environment = !config->profile_by_option && aws_env_get(&client->env, "AWS_ACCESS_KEY_ID");
    if (environment || !options->ask_mfa ||
        aws_plan_make(config->profiles, config->profile, &plan, &ignored) < 0) {
        ecs_error_unref(ignored); /* the chain will say it again */
        return NULL;
    }
    const char *serial = aws_plan_mfa(&plan);
    if (!serial)
        return NULL;
    client->mfa_code = options->ask_mfa(options->ask_arg, serial);
    return client->mfa_code ? NULL
                            : ecs_error_new(-EKEYREJECTED, "MFARequired", "no code of %s was given", serial);
}

static bool copy_option(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

struct ecs_backend *ecs_aws_new(const struct ecs_aws_options *options, struct ecs_error **ret_error)
{
    struct aws_client *client = calloc(1, sizeof(*client));
    if (!client) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    pthread_mutex_init(&client->lock, NULL);
    client->backend = (struct ecs_backend){"aws",    NULL,    submit, cancel, status,
                                           identify, metrics, start,  stop,   free_backend};
    client->clock = options->clock ? options->clock : &ecs_system_clock;
    client->env = aws_process_env;
    client->env.clock = client->clock;
    pthread_mutex_init(&client->waiting.lock, NULL);
    client->env.waiting = &client->waiting;
    client->pacing = options->pacing;
    client->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : AWS_TIMEOUT_MS;
    TAILQ_INIT(&client->all);
    TAILQ_INIT(&client->backoff);
    client->input = ecs_mailbox_new();
    client->identity_home = ecs_mailbox_new();
    struct ecs_error *error = NULL;
    if (!client->input || !client->identity_home || !copy_option(&client->profile_option, options->profile) ||
        !copy_option(&client->region_option, options->region) ||
        !copy_option(&client->endpoint_option, options->endpoint_url))
        error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    if (!error)
        error = configure(client);
    if (!error)
        error = ask_mfa(client, options);
    if (error) {
        *ret_error = error;
        free_client(client);
        return NULL;
    }
    return &client->backend;
}
