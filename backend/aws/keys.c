/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials for the network thread. Asking the chain may take files, programs and other hosts, so a
 * thread of its own does it, one at a time, only while it runs; what it finds comes as a letter. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "credentials/chain.h"
#include "exchange.h"

struct aws_keys_letter {
    struct aws_letter letter;
    struct aws_client *client;
    struct aws_credentials *credentials;
    struct ecs_error *error;
    int64_t skew_ms, skewed_ms; /* AWS's clock minus ours, as it was known, and as STS told it */
};

static void forget_mfa(struct aws_client *client)
{
    if (client->mfa_code)
        OPENSSL_cleanse(client->mfa_code, strlen(client->mfa_code));
    free(client->mfa_code);
    client->mfa_code = NULL;
}

static void *refresh(void *arg)
{
    struct aws_keys_letter *letter = arg;
    struct aws_client *client = letter->client;
    pthread_setname_np(pthread_self(), "ecsfs-keys");
    struct aws_exchanger exchanger;
    aws_exchanger_init(&exchanger, &client->env, &client->refresh_unwanted, client->config->ca_bundle);
    exchanger.env.skew_ms = &letter->skewed_ms;
    /* the files may have changed since: `aws sso login`, rotated keys */
    struct ecs_error *error = NULL;
    struct aws_config *config = aws_config_load(&exchanger.env, client->profile_option, client->region_option,
                                                client->endpoint_option, &error);
    if (config) {
        config->mfa_code = client->mfa_code;
        letter->credentials = aws_chain_resolve(config, &exchanger.env, &error);
    }
    aws_config_free(config);
    forget_mfa(client);
    aws_exchanger_end(&exchanger);
    letter->error = letter->credentials ? NULL : error;
    ecs_mailbox_post(client->input, &letter->letter.letter);
    return NULL;
}

static int start_refresh(struct aws_client *client, int64_t now)
{
    struct aws_keys_letter *letter = calloc(1, sizeof(*letter));
    if (!letter)
        return -ENOMEM;
    letter->letter.kind = AWS_LETTER_CREDENTIALS;
    letter->client = client;
    letter->skew_ms = letter->skewed_ms = client->skew_ms;
    client->refresh_unwanted = false;
    int r = pthread_create(&client->refresher, NULL, refresh, letter);
    if (r) {
        free(letter);
        return -r;
    }
    client->refreshing = true;
    client->refreshed_ms = now;
    return 0;
}

void aws_keys_begin(struct aws_client *client)
{
    if (client->mfa_code)
        start_refresh(client, aws_now(client));
}

static void replace_keys(struct aws_client *client, struct aws_credentials *credentials)
{
    pthread_mutex_lock(&client->lock);
    struct aws_credentials *old = client->credentials;
    client->credentials = credentials;
    if (credentials && credentials->account)
        snprintf(client->account, sizeof(client->account), "%.15s", credentials->account);
    pthread_mutex_unlock(&client->lock);
    aws_credentials_unref(old);
}

static int64_t time_left(const struct aws_client *client, const struct aws_credentials *credentials)
{
    if (!credentials->expires_ms)
        return INT64_MAX;
    return credentials->expires_ms - aws_wall(client) - client->skew_ms;
}

static struct ecs_error *expired(const struct aws_credentials *credentials)
{
    return ecs_error_new(-EKEYEXPIRED, "ExpiredCredentials", "the keys from %s have expired; %s",
                         credentials->source, credentials->remedy);
}

/* That new ones cannot be had is the lesser news: a refused connection alone would read as AWS's. Takes over
 * `why`. */
static struct ecs_error *not_renewed(const struct aws_client *client, struct ecs_error *why)
{
    if (!*client->expired_source || why->err == -EKEYEXPIRED)
        return why;
    struct ecs_error *both = ecs_error_new(-EKEYEXPIRED, "ExpiredCredentials",
                                           "the keys from %s have expired, and could not be renewed: %s; %s",
                                           client->expired_source, why->message, client->expired_remedy);
    ecs_error_unref(why);
    return both;
}

static void let_expire(struct aws_client *client)
{
    memcpy(client->expired_source, client->credentials->source, sizeof(client->expired_source));
    memcpy(client->expired_remedy, client->credentials->remedy, sizeof(client->expired_remedy));
    replace_keys(client, NULL);
}

static void note_trouble(struct aws_client *client, const struct ecs_error *error)
{
    pthread_mutex_lock(&client->lock);
    snprintf(client->trouble, sizeof(client->trouble), "%.255s", error->message);
    pthread_mutex_unlock(&client->lock);
}

void aws_keys_arrived(struct aws_client *client, struct aws_letter *from, int64_t now)
{
    struct aws_keys_letter *letter = (struct aws_keys_letter *)from;
    pthread_join(client->refresher, NULL);
    client->refreshing = false;
    ecs_error_unref(client->keys_error);
    client->keys_error = letter->error ? not_renewed(client, letter->error) : NULL;
    if (letter->skewed_ms != letter->skew_ms)
        client->skew_ms = letter->skewed_ms;
    if (letter->credentials && time_left(client, letter->credentials) <= 0) {
        client->keys_error = expired(letter->credentials);
        aws_credentials_unref(letter->credentials);
    } else if (letter->credentials) {
        replace_keys(client, letter->credentials);
        *client->expired_source = 0;
    }
    if (client->keys_error)
        note_trouble(client, client->keys_error);
    bool fresh = letter->credentials && client->credentials &&
                 time_left(client, client->credentials) >= AWS_REFRESH_AHEAD_MS;
    client->refresh_not_before_ms = now + (fresh                 ? 0
                                           : client->credentials ? AWS_REFRESH_PAUSE_MS
                                                                 : AWS_REST_MS);
    free(letter);
}

bool aws_keys_ready(struct aws_client *client, int64_t now, struct ecs_error **ret_error)
{
    int64_t left = client->credentials ? time_left(client, client->credentials) : 0;
    if (client->credentials && left <= 0) {
        client->refresh_not_before_ms = now;
        let_expire(client);
    }
    if (left < AWS_REFRESH_AHEAD_MS && !client->refreshing && now >= client->refresh_not_before_ms) {
        int r = start_refresh(client, now);
        if (r < 0 && !client->credentials)
            *ret_error =
                ecs_error_new(r, "NoCredentials", "the credentials cannot be fetched: %s", strerror(-r));
        if (r < 0)
            return client->credentials != NULL;
    }
    if (client->refreshing)
        return client->credentials && left >= AWS_REFRESH_NEED_MS;
    if (!client->credentials)
        *ret_error = ecs_error_ref(client->keys_error);
    return client->credentials != NULL;
}

struct ecs_error *aws_keys_late(struct aws_client *client, const char *operation)
{
    if (client->credentials &&
        (!client->refreshing || time_left(client, client->credentials) >= AWS_REFRESH_NEED_MS))
        return NULL;
    struct aws_waiting *waiting = &client->waiting;
    pthread_mutex_lock(&waiting->lock);
    const char *source = *waiting->source ? waiting->source : "the credential chain";
    struct ecs_error *error =
        *client->expired_source
            ? aws_own_error(operation, -EKEYEXPIRED, "ExpiredCredentials",
                            "the keys from %s have expired, and %s has not given new ones in time; %s",
                            client->expired_source, source, waiting->remedy)
            : aws_own_error(operation, -ETIMEDOUT, "CredentialsTimeout",
                            "%s has not given the credentials in time; %s", source, waiting->remedy);
    pthread_mutex_unlock(&waiting->lock);
    return error;
}

bool aws_keys_refused(struct aws_client *client, const struct aws_credentials *refused, int64_t now)
{
    if (client->credentials && client->credentials != refused)
        return true;          /* there are other ones since */
    if (client->refreshing) { /* in the background: from now on, everybody waits for it */
        replace_keys(client, NULL);
        return true;
    }
    if (client->refreshed_ms && now - client->refreshed_ms < AWS_REST_MS)
        return false;
    if (start_refresh(client, now) < 0)
        return false;
    replace_keys(client, NULL);
    return true;
}

void aws_keys_stop(struct aws_client *client)
{
    if (client->refreshing) {
        client->refresh_unwanted = true;
        pthread_join(client->refresher, NULL);
        client->refreshing = false;
    }
    forget_mfa(client);
}

void aws_keys_letter_free(struct aws_letter *from)
{
    struct aws_keys_letter *letter = (struct aws_keys_letter *)from;
    aws_credentials_unref(letter->credentials);
    ecs_error_unref(letter->error);
    free(letter);
}
