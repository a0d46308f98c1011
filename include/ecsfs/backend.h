/* SPDX-License-Identifier: Apache-2.0 */
/* The one interface to the control plane: submit(call) -> reply | error. Two implementations:
 * backend/aws (the network) and backend/local (the embedded emulator).
 *
 * A call is owned by the backend from submit until it is posted to its `home` mailbox, exactly once,
 * whatever happens (also after cancel, and when the backend shuts down). In between nobody else
 * reads or writes it. */
#ifndef ECSFS_BACKEND_H
#define ECSFS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecsfs/error.h"
#include "ecsfs/mailbox.h"

struct json_t; /* jansson's, by name only: no third-party header in the contracts */

enum ecs_priority {                     /* who goes first when calls are paced */
                    ECS_PRIORITY_WRITE, /* a changing call: never waits behind reads */
                    ECS_PRIORITY_READ,  /* somebody waits for it */
                    ECS_PRIORITY_AHEAD, /* read-ahead: nobody waits yet */
};

struct ecs_call {
    struct ecs_letter letter; /* first: a letter is its call */
    struct ecs_mailbox *home; /* where it is posted when done */

    /* The request; what it points to must stay valid until the call is home. */
    const char *service;   /* "ecs", "ecr", "logs", ... as in the AWS CLI */
    const char *operation; /* "DescribeServices" */
    const char *region;    /* NULL: the backend's own */
    char *body;            /* JSON text of the input, NUL-terminated */
    enum ecs_priority priority;
    int timeout_ms; /* for the whole call with its retries and pacing; 0: the backend's default */
    bool writing;   /* changes something at AWS. Sent again only where nothing can happen twice */

    /* Instead of an operation: a plain GET of the URL in `body`, which AWS gave out (GetDownloadUrlForLayer)
     * and which carries its own permission: not signed, no keys are sent. `range_len` bytes from
     * `range_first` on are asked for; they come in `bytes`, and digest is not called. `service` and
     * `operation` then only name it. */
    bool download;
    uint64_t range_first;
    size_t range_len;
    /* A `body` that begins with "/v2/" is a path of ECR Public's registry (service "ecr-public"): its bearer
     * token is sent there, and nowhere else if the answer leads to another host. With `accept` (media types)
     * it is a manifest that is asked for, whole: range_len is then only the most it may be. */
    char *bearer; /* freed with the action; NULL: none */
    const char *accept;

    /* Called on the backend's thread with the decoded reply of a success, before the call goes
     * home; the tree is the backend's and lives only for this call (take copies, not references).
     * Fills `result`; on failure returns the error and the call fails with it. May be NULL. */
    struct ecs_error *(*digest)(struct ecs_call *call, struct json_t *reply);

    /* The outcome, to be read once home: error, or NULL for success. */
    struct ecs_error *error; /* the taker owns one reference */
    void *result;            /* what digest made; the taker owns it */
    char *bytes;             /* of a download: malloc'd, the taker owns them */
    size_t bytes_len;        /* exactly range_len, unless the layer ends before */
    int attempts;            /* requests sent, 0 when it never left */
    int64_t sent_ms;         /* monotonic, when first sent */

    void *backend_private;
};

/* A snapshot for .ecsfs/status.json and metrics. */
struct ecs_backend_status {
    char identity[128]; /* "arn:aws:sts::..." when known, else "" */
    char account[16];   /* 12 digits when known, else "" */
    char region[32];
    char endpoint[256];            /* of ECS */
    char credentials[128];         /* their source: "environment", "profile dev (~/.aws/credentials)"; "" */
    int64_t credentials_expire_ms; /* wall; 0: never or unknown */
    bool reachable;                /* the last call got an answer */
    char trouble[256];             /* why not, else "" */
    unsigned long calls, throttled, retries, failed, in_flight;
    int64_t clock_off_ms; /* AWS's clock minus ours by its last answer, to the second; 0: equal or unknown */
};

struct ecs_backend {
    const char *name;   /* "aws", "local" */
    const char *region; /* "eu-west-1"; as long as the backend lives. NULL: none is known */
    /* From the loop thread only. Never fails: an error comes home with the call. Never blocks. */
    void (*submit)(struct ecs_backend *backend, struct ecs_call *call);
    /* From the loop thread: the call is no longer wanted. It comes home soon, with -ECANCELED or
     * whatever it already had. A changing call already sent is not cut off. */
    void (*cancel)(struct ecs_backend *backend, struct ecs_call *call);
    /* From any thread. */
    void (*status)(struct ecs_backend *backend, struct ecs_backend_status *ret_status);
    /* From the loop thread: somebody looks at who we are. Where that is not known it is asked for in the
     * background, for the next status; reading and writing never need it. May be NULL. */
    void (*identify)(struct ecs_backend *backend);
    /* Calls by operation and outcome, one line each, as Prometheus text; may be NULL. */
    void (*metrics)(struct ecs_backend *backend, char **ret_text);
    /* Starts the thread(s); called once, after daemonising. 0 or -errno. */
    int (*start)(struct ecs_backend *backend);
    /* Sends every call still held home (-ECANCELED; changing calls already sent are waited for,
     * 5 s at most) and ends the threads. What is submitted from then on comes home at once, with -ECANCELED:
     * who reads the last answers may still ask. */
    void (*stop)(struct ecs_backend *backend);
    /* Stopped, and asked for nothing any more. */
    void (*free)(struct ecs_backend *backend);
};

#endif
