/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the kernel while they are with us: run, parked, run again, interrupted, timed out, answered.
 * Knows nothing of FUSE: what a request does and how it is answered are its operation's row (face.c),
 * and how it is refused and watched for signals is the wire's (face_session.c).
 *
 *     RUNNING -> PARKED -> READY -> RUNNING -> ... -> FINISHING -> answered
 *
 * FINISHING: a change is done, and is answered once the kernel has been told what it changed. */
#ifndef FS_REQUEST_H
#define FS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ecsfs/buf.h"
#include "ecsfs/clock.h"
#include "notifier.h"
#include "tree/tree.h"

struct fuse_req; /* the FUSE library's, by name only */
struct face;
struct face_request;
struct listing;

struct face_op {
    const char *name; /* "lookup" */
    /* 0, FS_PARKED or -errno. Runs again after FS_PARKED. */
    int (*run)(struct face *face, struct face_request *r);
    /* Sends the answer of a success. */
    void (*reply)(struct face *face, struct face_request *r);
    /* Undoes what run did for an answer that is not sent; may be NULL. */
    void (*drop)(struct face *face, struct face_request *r);
    bool changing;    /* answered only once the kernel knows what it changed */
    bool locks_pages; /* the kernel may hold the inode's pages until it is answered */
    bool settles; /* ends what others began: answered only once the kernel knows what those changed, too */
    bool lookup;  /* may be refused with ESTALE, upon which the kernel begins the path anew */
};

enum face_state { FACE_RUNNING, FACE_PARKED, FACE_READY, FACE_FINISHING };

struct face_request {
    struct fs_request rq; /* first: the tree's wake finds us by it */
    struct face *face;
    const struct face_op *op;
    struct fuse_req *req;
    enum face_state state;
    bool watched;  /* for signals */
    bool shrugged; /* one came that meant nothing: others are looked for from time to time */
    bool woken;    /* while it ran */
    int64_t began_ms, began_us, finish_by_ms;
    int64_t in_the_way_ms; /* when it is looked at whether it is in a notice's way; 0: it is not */
    uint64_t mark, ticket; /* notifier.h */
    struct notifier_hold holds[2];
    struct face_request *next, **prev; /* all that are with us, oldest first */
    struct face_request *ready_next;

    /* The arguments. Strings and data are in `store`. */
    uint64_t ino, new_parent;
    const char *name, *new_name;
    struct fs_handle *handle;
    struct listing *listing;
    const char *data;
    size_t size;
    off_t offset;
    int flags;
    mode_t mode;
    bool plus;      /* readdirplus */
    bool truncates; /* setattr of the size, which is in `offset` */

    /* What it came to. */
    int error;      /* positive */
    bool done;      /* the change is made; only its attributes are still asked for */
    uint64_t found; /* an inode remembered for the answer; 0: none */
    struct fs_attr attr;
    int64_t entry_valid_ms;
    struct fs_open_hints hints;
    struct ecs_buf text;
    struct ecs_buf given; /* numbers of the inodes remembered for a directory's answer */
    const char *out;      /* borrowed from the tree until its next call */
    size_t out_len;

    char store[];
};

/* A caller that was sent back to begin its path anew. */
struct face_retry {
    pid_t pid;
    int64_t at_ms;
};

struct face_requests {
    struct face_request *first, **last; /* by age */
    struct face_request *ready, **ready_last;
    unsigned long parked, finishing, shrugged, in_the_way, len;
    int64_t look_at_ms;            /* when signals are looked for next */
    struct face_retry retried[16]; /* a ring: the last ones */
    unsigned retried_next;
};

void face_requests_init(struct face_requests *requests);

/* Runs a request and answers it, or keeps it. Takes it over. Its arguments are set; directories whose
 * lock the kernel holds for it are named by `locks` (0: none). */
void face_begin(struct face_request *r, uint64_t lock, uint64_t other_lock);
/* Runs again what was woken, refuses what is too old, answers what is finished. */
void face_go_on(struct face *face);
/* Milliseconds until face_go_on has something to do; -1: until something happens. */
int face_timeout_ms(struct face *face);
/* A signal came for its caller: EINTR, unless it is one that is not meant to end what it waits for. */
void face_interrupt(struct face_request *r);
/* Refuses (EINTR) everything that is not changing anything; with `all`, that too. What was changing is
 * logged: its outcome is not known here. Returns how many are left. */
unsigned long face_cancel(struct face *face, bool all);

#endif
