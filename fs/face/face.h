/* SPDX-License-Identifier: Apache-2.0 */
/* The FUSE face: translates between the kernel and the tree (tree.h). face.c has the operations,
 * face_session.c the session; no other file knows FUSE. Loop thread only, but for what the notifier calls. */
#ifndef FS_FACE_H
#define FS_FACE_H

#include <stdbool.h>
#include <stdint.h>

#include "ecsfs/clock.h"
#include "listing.h"
#include "notifier.h"
#include "request.h"
#include "tree/tree.h"

struct fuse_session;

struct face {
    struct fs_tree *tree;
    struct notifier *notifier;
    const struct ecs_clock *clock;
    int64_t timeout_ms; /* how long a request may be parked */
    int64_t notice_ms;  /* how long a change waits for its notices */
    bool trace;         /* -d: one line an operation */
    unsigned max_read;
    struct face_requests requests;
    struct listings *listings;
    struct fuse_session *session;
    char *mountpoint;
    bool mounted;
    bool greeted, parallel; /* INIT is answered; the kernel knows parallel directory operations */
};

struct face_options {
    const char *mountpoint; /* absolute, without links */
    const char *fuse;       /* options for the kernel and fusermount3: "fsname=aws,subtype=ecsfs,..." */
    unsigned max_read;      /* bytes; 0: the kernel's. The same as in `fuse`, where it is named there */
    int64_t timeout_ms;
    bool trace;
    const struct ecs_clock *clock;
};

/* NULL with errno. The tree's callbacks into the notifier may come from now on. */
struct face *face_new(const struct face_options *options, struct notifier *notifier);
/* Mounts, and agrees with the kernel on how to talk. 0, or -1 with the reason in `why` (one line). */
int face_mount(struct face *face, struct fs_tree *tree, char *why, size_t why_size);
int face_fd(const struct face *face);
/* Takes and runs what the kernel asks for, a bounded number of requests. False: unmounted. */
bool face_serve(struct face *face);
/* Refuses all that is left and unmounts (lazily, if somebody is still inside). */
void face_unmount(struct face *face);
struct face *face_free(struct face *face); /* takes NULL; returns NULL */

const char *face_library_version(void);

/* How notices reach the kernel. */
struct notifier_sink face_sink(struct face *face);

/* The wire, for request.c. `error` is positive. */
void face_wire_refuse(struct face_request *r, int error);
/* Has face_interrupt called when a signal comes. True: it came already, and face_interrupt is not called. */
bool face_wire_watch(struct face_request *r);

/* Between face.c and face_session.c. */
struct fuse_lowlevel_ops;
struct fuse_conn_info;
extern const struct fuse_lowlevel_ops face_operations;
void face_init(void *userdata, struct fuse_conn_info *conn);
double face_seconds(int64_t ms); /* as the kernel's timeouts are told */

#endif
