/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and lists by key: freshness, single flight, batching, read-your-writes.
 *
 * Loop thread only. Nothing here blocks. Who needs what is not there yet is parked: the function
 * returns ECS_PARKED and calls want->wake later, once, from ecs_cache_pump(); the caller then runs
 * the same question again from its start. What arrived for a want since it began (want->since_ms)
 * answers it, however short-lived, so running again always gets further. The same holds for a
 * failure: the entry keeps its error for those that waited for it. */
#ifndef ECSFS_CACHE_H
#define ECSFS_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "ecsfs/backend.h"
#include "ecsfs/clock.h"
#include "ecsfs/doc.h"
#include "ecsfs/kind.h"

enum { ECS_PARKED = 1 };

struct ecs_cache;
struct ecs_cache_waiters;

/* Somebody who may have to wait; embedded in a request. */
struct ecs_want {
    int64_t since_ms;   /* monotonic: when the request began; set before the first question */
    bool fetched_after; /* only what was fetched (begun) after since_ms will do: "compared with a
                           describe made after the open" */
    void (*wake)(struct ecs_want *want);
    /* Why the last question failed; borrowed, valid until the next question or pump. */
    struct ecs_error *error;
    bool stale; /* the answer is older than `stale` seconds, for AWS cannot be reached */
    /* the cache's */
    struct ecs_want *next, **prev;
    struct ecs_cache_waiters *at; /* where it is parked; NULL: nowhere */
};

struct ecs_cache_options {
    int64_t stale_ms;      /* how old live things may be; default 5000 */
    int64_t grace_ms;      /* when AWS does not answer at all, how long a known thing is waited for
                              before it is shown stale; default 1000 */
    int64_t settle_ms;     /* how long our own writes outlive contradicting answers; default 10000 */
    int in_flight;         /* calls at once for read-ahead; default 10 */
    const char *cache_dir; /* where what cannot change is kept; NULL: nowhere */
    const struct ecs_clock *clock;
};

/* Told when a fetch or a write changed what was known: fs tells the kernel. id "" means the list. */
typedef void ecs_cache_changed_fn(void *arg, const struct ecs_key *key);

/* NULL: out of memory (errno). The backend must have been started before the first question. */
struct ecs_cache *ecs_cache_new(struct ecs_backend *backend, const struct ecs_cache_options *options,
                                ecs_cache_changed_fn *changed, void *changed_arg);
/* After backend->stop. Wants still parked are forgotten: neither woken nor touched. Takes NULL; returns NULL.
 */
struct ecs_cache *ecs_cache_free(struct ecs_cache *cache);

/* The loop waits on this descriptor and then pumps; it also pumps when the timer is due. */
int ecs_cache_fd(const struct ecs_cache *cache);
void ecs_cache_pump(struct ecs_cache *cache);
/* Milliseconds until the cache wants to be pumped even without mail (grace, deadlines); -1: never. */
int ecs_cache_timeout_ms(struct ecs_cache *cache);

/* The document of a resource. 0: *ret_doc is set (borrowed until the next pump; ref to keep it).
 * ECS_PARKED. -ENOENT: AWS says it is not there. Else -errno, want->error tells. A miss asks for what it
 * names, filled up to the batch limit with the next siblings in listing order where the list is known;
 * several misses in listing order widen the read-ahead. */
int ecs_cache_doc(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_key *key,
                  struct ecs_doc **ret_doc);
/* The list of a parent's resources (key->id ""). All pages. Starts read-ahead of the first
 * describes (see PERFORMANCE.md), except for kinds without a batch. */
int ecs_cache_list(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_key *key,
                   const struct ecs_list **ret_list);
/* Every listed resource's document is asked for (for overviews and joins), in batches, several in
 * flight. 0 when all are known (found or not), ECS_PARKED, or the first error. */
int ecs_cache_all(struct ecs_cache *cache, struct ecs_want *want, const struct ecs_key *list_key,
                  const struct ecs_list **ret_list);

/* What is known now, without any call: NULL when nothing. *ret_fresh_ms (may be NULL) is what is
 * left of its freshness: 0 stale, INT64_MAX for ever. */
struct ecs_doc *ecs_cache_peek(struct ecs_cache *cache, const struct ecs_key *key, int64_t *ret_fresh_ms);
const struct ecs_list *ecs_cache_peek_list(struct ecs_cache *cache, const struct ecs_key *key,
                                           int64_t *ret_fresh_ms);
/* AWS said that it is not there, and that is still fresh. */
bool ecs_cache_known_absent(struct ecs_cache *cache, const struct ecs_key *key, int64_t *ret_fresh_ms);
/* A field's value before its last change that this mount saw (the task definition before the
 * deployment), or NULL. */
const char *ecs_cache_previous(struct ecs_cache *cache, const struct ecs_key *key, const char *field);

/* The want no longer waits (a signal, or its deadline). What only it waited for is cancelled. */
void ecs_cache_unpark(struct ecs_cache *cache, struct ecs_want *want);
/* Forgets what is cached of the key (id "" and parent: the list and all its documents). */
void ecs_cache_forget(struct ecs_cache *cache, const struct ecs_key *key);
void ecs_cache_forget_all(struct ecs_cache *cache);

/* A changing call, and what its success means to the cache. */
enum ecs_effect {
    ECS_EFFECT_NONE,
    ECS_EFFECT_UPDATE, /* reply[member] is the new document of `key` */
    ECS_EFFECT_CREATE, /* the same, and key->id joins the list. With id_from_reply the id is the
                          document's own (a new revision) */
    ECS_EFFECT_DELETE, /* `key` is gone, and leaves the list */
    ECS_EFFECT_FORGET, /* `key` changed in ways the reply does not tell: ask again */
};

struct ecs_action {
    struct ecs_call call; /* first. service, operation, body (malloc'd; freed with the action) */
    enum ecs_effect effect;
    struct ecs_key key; /* strings owned by the action (ecs_action_new copies) */
    const char *member; /* "service"; NULL: the reply itself */
    const char *beside; /* as in the kind's row */
    bool id_from_reply;
    /* Look before trying again: when the answer was lost ("AnswerLost") or was a 500, 502 or 504, the cache
     * asks for `key` anew and calls this with what is there now; true means: it did happen. If not, the call
     * is sent once more, provided that somebody still waits for it. NULL: the error stands. */
    bool (*happened)(const struct ecs_action *action, const struct ecs_doc *now);
    /* Called once, on the loop thread, when the outcome is known, also when nobody waits any more
     * (the journal); error NULL for success. The action is freed after it, unless held. */
    void (*finished)(struct ecs_action *action, const struct ecs_error *error);
    void *arg;

    /* Read by who waits, once ecs_cache_act returned 0 or -errno. */
    bool done;
    struct ecs_error *error; /* borrowed from the action */
    struct ecs_doc *doc;     /* the reply's document, if any; borrowed from the action */
    char *reply;             /* JSON text of the whole reply; filled when want_reply */
    bool want_reply;

    /* the cache's */
    bool started, held;
    void *cache_private;
};

/* The body is taken over (also on failure). NULL: out of memory. */
struct ecs_action *ecs_action_new(const char *service, const char *operation, char *body,
                                  enum ecs_effect effect, const struct ecs_key *key, const char *member);
/* First time: submits and parks the want. Asked again once woken: 0 or -errno (want->error).
 * The caller holds the action from ecs_action_new until ecs_action_unhold. */
int ecs_cache_act(struct ecs_cache *cache, struct ecs_want *want, struct ecs_action *action);
/* The caller lets go; a call still under way goes on and is finished by the cache. NULL is fine. */
struct ecs_action *ecs_action_unhold(struct ecs_action *action);

/* For .ecsfs/status.json and metrics. */
struct ecs_cache_status {
    unsigned long hits, misses, stale_served, fetches;
    size_t documents, lists, entries; /* entries: names known of, present or absent */
    size_t parents;                   /* below which something was asked for */
    size_t bytes;                     /* of these, in memory */
};
void ecs_cache_status(const struct ecs_cache *cache, struct ecs_cache_status *ret_status);

#endif
