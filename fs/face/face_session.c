/* SPDX-License-Identifier: Apache-2.0 */
/* The FUSE session: mounting, what the kernel is asked to do, requests in, notices out. */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/log.h"
#include "face.h"

enum {
    NOTICE_MS = 500, /* a change is answered after that even when the kernel does not take its notices */
    INIT_MS = 5000,  /* the kernel sends INIT right after the mount */
    AT_A_TIME = 64,  /* requests taken before the loop looks elsewhere */
    MAX_WRITE = 1 << 20,
    BACKGROUND = 128, /* reads ahead and asynchronous reads under way */
};

/* libfuse says why something failed by logging it. */
static char last_words[256];

static void __attribute__((format(printf, 2, 0)))
listen_to_libfuse(enum fuse_log_level level, const char *format, va_list args)
{
    vsnprintf(last_words, sizeof(last_words), format, args);
    last_words[strcspn(last_words, "\n")] = '\0';
    ecs_debug("%s", last_words);
}

/* ---- what we want of the kernel ---- */

static void want(struct fuse_conn_info *conn, unsigned capability, bool wanted)
{
    if (wanted)
        conn->want |= conn->capable & capability;
    else
        conn->want &= ~capability;
}

void face_init(void *userdata, struct fuse_conn_info *conn)
{
    struct face *face = userdata;
    /* Always readdirplus: better than "auto" wherever it was measured. */
    want(conn, FUSE_CAP_READDIRPLUS, true);
    want(conn, FUSE_CAP_READDIRPLUS_AUTO, false);
    want(conn, FUSE_CAP_PARALLEL_DIROPS, true); /* and see greet() */
    want(conn, FUSE_CAP_ATOMIC_O_TRUNC, true);  /* `echo 5 > f` is one WRITE besides open and close */
    want(conn, FUSE_CAP_ASYNC_READ, true);
    want(conn, FUSE_CAP_WRITEBACK_CACHE, false); /* write(2) must reach AWS before it returns */
    /* Pages are dropped when the size changes; of the same size, by open (no keep_cache) and by notices. */
    want(conn, FUSE_CAP_AUTO_INVAL_DATA, false);
    want(conn, FUSE_CAP_EXPLICIT_INVAL_DATA, false);
    /* A kept link target would be read without anybody asking us whether it still holds. */
    want(conn, FUSE_CAP_CACHE_SYMLINKS, false);
    face->parallel = (conn->capable & FUSE_CAP_PARALLEL_DIROPS) != 0;
    want(conn, FUSE_CAP_ASYNC_DIO, false); /* chunks of one write come in order */
    conn->max_read = face->max_read;
    conn->max_write = MAX_WRITE;
    conn->max_background = BACKGROUND;
    conn->congestion_threshold = BACKGROUND * 3 / 4;
}

/* libfuse before 3.17 forgets to pass FUSE_PARALLEL_DIROPS on to the kernel, which then lets one lookup that
 * waits for AWS keep everybody out of its directory. So it is put into the answer to INIT, the first thing
 * written. */
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 14)
static ssize_t greet(int fd, struct iovec *iov, int count, void *userdata)
{
    struct face *face = userdata;
    if (!face->greeted && count == 2 && iov[1].iov_len >= offsetof(struct fuse_init_out, max_background)) {
        struct fuse_init_out *init = iov[1].iov_base;
        if (face->parallel)
            init->flags |= FUSE_PARALLEL_DIROPS;
        face->greeted = true;
    }
    return writev(fd, iov, count);
}

static ssize_t receive(int fd, void *buf, size_t size, void *userdata)
{
    return read(fd, buf, size);
}

static int greet_ourselves(struct face *face)
{
    static const struct fuse_custom_io io = {.writev = greet, .read = receive};
    return fuse_session_custom_io(face->session, &io, fuse_session_fd(face->session));
}
#else
static int greet_ourselves(struct face *face)
{
    return 0;
}
#endif

/* ---- requests ---- */

/* Takes and runs a request. 1: done; 0: there is none; -1: unmounted. */
static int serve_one(struct face *face)
{
    static struct fuse_buf buf; /* libfuse's, kept from request to request */
    int r;
    do
        r = fuse_session_receive_buf(face->session, &buf);
    while (r == -EINTR);
    if (r == -EAGAIN)
        return 0;
    if (r > 0) {
        fuse_session_process_buf(face->session, &buf);
        if (!fuse_session_exited(face->session))
            return 1;
    } else if (r < 0) {
        ecs_log(ECS_LOG_ERROR, "reading from the kernel: %s", strerror(-r));
    }
    free(buf.mem);
    buf.mem = NULL;
    return -1;
}

bool face_serve(struct face *face)
{
    int r = 1;
    for (int taken = 0; r > 0 && taken < AT_A_TIME; taken++)
        r = serve_one(face);
    return r >= 0;
}

void face_wire_refuse(struct face_request *r, int error)
{
    if (error == ENOENT && r->op->lookup && r->entry_valid_ms > 0) {
        struct fuse_entry_param absent = {.entry_timeout = face_seconds(r->entry_valid_ms)};
        fuse_reply_entry(r->req, &absent);
        return;
    }
    fuse_reply_err(r->req, error);
}

static void interrupted(fuse_req_t req, void *data)
{
    face_interrupt(data);
}

bool face_wire_watch(struct face_request *r)
{
    /* An answer from within fuse_req_interrupt_func would free what it still holds: so ask first. Nothing can
     * come in between, for signals arrive as requests, on this thread. */
    if (fuse_req_interrupted(r->req))
        return true;
    fuse_req_interrupt_func(r->req, interrupted, r);
    return false;
}

/* ---- notices; on the notifier's threads ---- */

static void tell_inode(void *arg, uint64_t ino, bool attr_only)
{
    struct face *face = arg;
    int r = fuse_lowlevel_notify_inval_inode(face->session, ino, attr_only ? -1 : 0, 0);
    if (face->trace)
        ecs_debug("tell      %llx changed%s (%d)", (unsigned long long)ino, attr_only ? " attributes" : "",
                  r);
}

static void tell_entry(void *arg, uint64_t parent, const char *name)
{
    struct face *face = arg;
    int r = fuse_lowlevel_notify_inval_entry(face->session, parent, name, strlen(name));
    if (face->trace)
        ecs_debug("tell      %llx '%s' changed (%d)", (unsigned long long)parent, name, r);
}

struct notifier_sink face_sink(struct face *face)
{
    return (struct notifier_sink){tell_inode, tell_entry, face};
}

/* ---- mounting ---- */

static struct fuse_session *new_session(struct face *face, const char *options)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct fuse_session *session = NULL;
    if (fuse_opt_add_arg(&args, "ecsfs") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
        fuse_opt_add_arg(&args, options) == 0)
        session = fuse_session_new(&args, &face_operations, sizeof(face_operations), face);
    fuse_opt_free_args(&args);
    return session;
}

struct face *face_new(const struct face_options *options, struct notifier *notifier)
{
    struct face *face = calloc(1, sizeof(*face));
    if (face == NULL)
        return NULL;
    fuse_set_log_func(listen_to_libfuse);
    face->notifier = notifier;
    face->clock = options->clock;
    face->timeout_ms = options->timeout_ms;
    face->notice_ms = NOTICE_MS;
    face->trace = options->trace;
    face->max_read = options->max_read;
    face->mountpoint = strdup(options->mountpoint);
    face->listings = listings_new();
    face_requests_init(&face->requests);
    face->session = new_session(face, options->fuse);
    if (face->mountpoint == NULL || face->listings == NULL || face->session == NULL) {
        face_free(face);
        errno = last_words[0] != '\0' ? EINVAL : ENOMEM;
        return NULL;
    }
    return face;
}

/* fusermount3 speaks to stderr itself: what it says is caught, to make one line of it. */
static int mount_listening(struct face *face, char *said, size_t said_size)
{
    int ends[2] = {-1, -1};
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (saved < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        if (saved >= 0)
            close(saved);
        return fuse_session_mount(face->session, face->mountpoint);
    }
    dup2(ends[1], STDERR_FILENO);
    int r = fuse_session_mount(face->session, face->mountpoint);
    dup2(saved, STDERR_FILENO);
    ssize_t n = read(ends[0], said, said_size - 1);
    said[n > 0 ? n : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    close(saved);
    close(ends[0]);
    close(ends[1]);
    return r;
}

/* INIT, the kernel's first request. What it and we cannot agree upon is then an error of mounting. */
static int agree(struct face *face, char *why, size_t why_size)
{
    struct pollfd fd = {.fd = fuse_session_fd(face->session), .events = POLLIN};
    if (poll(&fd, 1, INIT_MS) == 1 && serve_one(face) >= 0)
        return 0;
    snprintf(why, why_size, "%s", last_words[0] != '\0' ? last_words : "the kernel says nothing");
    return -1;
}

int face_mount(struct face *face, struct fs_tree *tree, char *why, size_t why_size)
{
    char said[256] = "";
    face->tree = tree;
    last_words[0] = '\0';
    if (mount_listening(face, said, sizeof(said)) != 0) {
        const char *words = said[0] != '\0' ? said : last_words[0] != '\0' ? last_words : strerror(errno);
        snprintf(why, why_size, "%s", strncmp(words, "fuse: ", 6) == 0 ? words + 6 : words);
        return -1;
    }
    face->mounted = true;
    int fd = fuse_session_fd(face->session);
    int r = greet_ourselves(face);
    if (r != 0) {
        snprintf(why, why_size, "the FUSE session: %s", strerror(-r));
        return -1;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        snprintf(why, why_size, "the FUSE device cannot be made non-blocking: %s", strerror(errno));
        return -1;
    }
    return agree(face, why, why_size);
}

const char *face_library_version(void)
{
    return fuse_pkgversion();
}

int face_fd(const struct face *face)
{
    return fuse_session_fd(face->session);
}

void face_unmount(struct face *face)
{
    if (!face->mounted)
        return;
    face->mounted = false;
    face_cancel(face, true);
    fuse_session_unmount(face->session);
}

struct face *face_free(struct face *face)
{
    if (face == NULL)
        return NULL;
    face_unmount(face);
    if (face->session != NULL)
        fuse_session_destroy(face->session);
    listings_free(face->listings);
    free(face->mountpoint);
    free(face);
    return NULL;
}
