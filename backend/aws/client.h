/* SPDX-License-Identifier: Apache-2.0 */
/* The AWS backend from the inside. Everything but `lock`'s fields, the mailbox and what is marked
 * constant belongs to the network thread alone, so it needs no locks. */
#ifndef ECSFS_AWS_CLIENT_H
#define ECSFS_AWS_CLIENT_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "credentials/credentials.h"
#include "ecsfs/aws.h"
#include "lane.h"
#include "meter.h"
#include "rest.h"
#include "sigv4.h"

enum {
    AWS_TIMEOUT_MS = 60000,        /* of a call, when nobody says otherwise */
    AWS_CONNECT_MS = 10000,        /* of one connection attempt */
    AWS_READ_ATTEMPT_MS = 20000,   /* one attempt of a read; a write has what is left of the call */
    AWS_STALL_S = 15,              /* without a byte in either direction */
    AWS_STALL_WRITE_S = 40,        /* RunTask and CreateService may think for long */
    AWS_DRAIN_MS = 5000,           /* for changing calls under way when the backend stops */
    AWS_HEADERS_MAX = 64 * 1024,   /* bytes of an answer's headers */
    AWS_REST_MS = 5000,            /* before the credential chain is asked again after it failed */
    AWS_REFRESH_AHEAD_MS = 900000, /* 15 minutes: in the background */
    AWS_REFRESH_NEED_MS = 600000,  /* 10 minutes: everybody waits for it */
    AWS_REFRESH_PAUSE_MS = 60000,  /* between tries while the old keys still serve */
};

/* What comes through the input mailbox. */
enum aws_letter_kind { AWS_LETTER_CALL, AWS_LETTER_CANCEL, AWS_LETTER_CREDENTIALS, AWS_LETTER_STOP };
struct aws_letter {
    struct ecs_letter letter;
    enum aws_letter_kind kind;
};

struct aws_cancel {
    struct aws_letter letter;
    struct ecs_call *call;
};

enum aws_task_state {
    AWS_TASK_QUEUED,  /* in its lane, for a token, keys, or a free connection */
    AWS_TASK_BACKOFF, /* until not_before_ms */
    AWS_TASK_FLYING,  /* with curl */
};

struct aws_answer_headers {
    char error_type[160], request_id[80];
    int64_t date_ms;        /* of the Date header; 0: none */
    int64_t retry_after_ms; /* -1: none */
    size_t bytes;
};

struct aws_task {
    struct aws_letter letter;
    struct ecs_call *call;
    const struct aws_service *service;
    TAILQ_ENTRY(aws_task) link, all;
    struct aws_lane *lane;
    enum aws_task_state state;
    int64_t submitted_ms, deadline_ms, not_before_ms;
    int attempts;
    int retry_cost;                      /* taken from the lane's quota by the last retry */
    bool idempotent;                     /* a write that AWS knows again by its client token */
    bool unwanted;                       /* cancelled while its write was under way */
    bool heard;                          /* a change that AWS may have made, by an attempt before */
    bool resigned;                       /* sent again for the clock's skew already */
    bool rekeyed;                        /* sent again with fresh keys already */
    bool paced;                          /* waited for a token */
    bool throttled;                      /* what the last attempt came to */
    struct aws_credentials *credentials; /* signed with */
    int64_t skew_ms;                     /* and at our time plus this */

    /* One attempt. */
    CURL *easy;
    struct curl_slist *headers;
    char *url, *form; /* form: the body where it is not the call's own */
    struct aws_rest rest;
    char host[256];
    struct ecs_buf reply;
    struct aws_answer_headers answer;
    int64_t attempt_ms;
    char curl_error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(aws_tasks, aws_task);

enum { AWS_EASY_KEPT = 16 };

struct aws_client {
    struct ecs_backend backend; /* first */
    /* Constant once made. */
    struct aws_config *config;
    struct aws_env env;
    struct aws_waiting waiting; /* locks itself */
    const struct ecs_clock *clock;
    bool pacing;
    int timeout_ms;
    char *profile_option, *region_option, *endpoint_option;
    char *mfa_code;     /* for the first refresh; the refresher's while it runs */
    char endpoint[256]; /* of ECS, for status */

    struct ecs_mailbox *input;
    pthread_t thread;
    bool started, stopped;
    struct aws_letter stop_letter;
    struct ecs_call identity_call; /* GetCallerIdentity, asked by status() */
    struct ecs_mailbox *identity_home;

    CURLM *multi;
    CURL *easies[AWS_EASY_KEPT]; /* idle, for use again */
    size_t easies_len;
    struct aws_lanes lanes;
    struct aws_tasks all, backoff;
    unsigned flying, queued;
    int64_t expire_next_ms;
    bool stopping;
    int64_t stop_by_ms;
    struct aws_sign_cache signing;
    int64_t skew_ms; /* AWS's clock minus ours */

    /* Keys. */
    bool refreshing;
    pthread_t refresher;
    atomic_bool refresh_unwanted;
    int64_t refresh_not_before_ms, refreshed_ms;
    struct ecs_error *keys_error;                  /* why there are none; until refresh_not_before_ms */
    char expired_source[128], expired_remedy[128]; /* "" or of those whose time is over */

    pthread_mutex_t lock;                /* guards what follows */
    struct aws_credentials *credentials; /* replaced under the lock by the network thread, which alone
                                            reads it without */
    char identity[128], account[16];
    bool identity_asked;
    int64_t identity_not_before_ms; /* after it failed */
    bool reachable;
    char trouble[256];
    int64_t clock_off_ms;
    struct aws_meter meter;
};

/* network.c: the thread. */
void *aws_network_run(void *client);

/* task.c: ends the task and sends its call home; takes over the error (NULL: success). */
void aws_task_finish(struct aws_client *client, struct aws_task *task, struct ecs_error *error);
void aws_task_enqueue(struct aws_client *client, struct aws_task *task, bool first);

/* attempt.c: one request. 0 when it is with curl, else an error. */
struct ecs_error *aws_attempt_start(struct aws_client *client, struct aws_task *task, int64_t now);
/* Takes the transfer back from curl, for use again. */
void aws_attempt_end(struct aws_client *client, struct aws_task *task);

/* outcome.c: what an attempt came to: finishes the task, or plans the next attempt. */
void aws_attempt_done(struct aws_client *client, struct aws_task *task, CURLcode result);

/* keys.c: credentials for the network thread. */
/* Whether signed calls may go out now. If not, either a refresh is under way, or *ret_error is set (a
 * new reference) and waiting calls fail with it. */
bool aws_keys_ready(struct aws_client *client, int64_t now, struct ecs_error **ret_error);
/* Why a call that never left has waited too long, when that is for its keys; else NULL. */
struct ecs_error *aws_keys_late(struct aws_client *client, const char *operation);
/* Asks the chain at once, when a code was given that does not keep. */
void aws_keys_begin(struct aws_client *client);
void aws_keys_letter_free(struct aws_letter *letter);
void aws_keys_arrived(struct aws_client *client, struct aws_letter *letter, int64_t now);
/* AWS refused these keys as expired or unknown. True when fresh ones are being fetched. */
bool aws_keys_refused(struct aws_client *client, const struct aws_credentials *refused, int64_t now);
/* Ends the refresher, whatever it does. */
void aws_keys_stop(struct aws_client *client);

/* identity.c: who we are, for status. Asks STS when that is not known, in the background; a failure is no
 * trouble, and is tried again a minute later. From the loop thread, without the lock. */
void aws_identity_want(struct aws_client *client);
void aws_identity_keep(struct aws_client *client, const char *arn, const char *account);

/* own_error.c: an error of ours about an operation. */
struct ecs_error *aws_own_error(const char *operation, int err, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* task.c: the time. */
int64_t aws_now(const struct aws_client *client);
int64_t aws_wall(const struct aws_client *client);

#endif
