/* SPDX-License-Identifier: Apache-2.0 */
/* ecsfs: parses, builds, mounts, becomes a daemon, loops, and takes all down again. The only place that sees
 * the constructors of the rooms. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/check_account.h"
#include "command/ask.h"
#include "command/daemon.h"
#include "command/options.h"
#include "command/places.h"
#include "ecsfs/aws.h"
#include "ecsfs/cache.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/local.h"
#include "ecsfs/log.h"
#include "face/face.h"
#include "face/loop.h"
#include "tree/tree.h"

enum {
    EXIT_USAGE = 2,
    ANSWER_MARGIN_MS = 5000, /* the backend's own timeout comes first, and tells more */
};

struct mount {
    struct options options;
    char *mountpoint, *state_dir, *journal_file, *cache_dir, *layer_dir;
    struct ecs_backend *backend;
    struct ecs_cache *cache;
    struct fs_tree *tree;
    struct notifier *notifier;
    struct face *face;
    int signal_fd, parent;
};

static int __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("ecsfs: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return -1;
}

/* ---- places ---- */

/* What is kept from mount to mount. Without a place for it a mount does without. */
static int settle_cache_dir(struct mount *mount, char *why, size_t why_size)
{
    const char *given = mount->options.cache_dir;
    if (given != NULL && strcmp(given, "none") == 0)
        return 0;
    if (given != NULL) {
        if (places_make_dir(given, why, why_size) != 0)
            return complain("cache_dir=%s", why);
        mount->cache_dir = strdup(given);
        return mount->cache_dir != NULL ? 0 : complain("out of memory");
    }
    /* What an emulator said "for ever" ends with it. */
    if (mount->options.source_kind == SOURCE_AWS && places_cache_dir(&mount->cache_dir, why, why_size) != 0)
        complain("nothing is cached on disk: %s", why);
    return 0;
}

static int settle_journal(struct mount *mount, char *why, size_t why_size)
{
    if (places_state_dir(&mount->state_dir, why, why_size) != 0) {
        complain("the journal is kept in memory only: %s", why);
        return 0;
    }
    if (asprintf(&mount->journal_file, "%s/journal", mount->state_dir) < 0) {
        mount->journal_file = NULL;
        return complain("out of memory");
    }
    return 0;
}

static int settle_places(struct mount *mount)
{
    char why[512];
    if (places_mountpoint(mount->options.mountpoint, &mount->mountpoint, why, sizeof(why)) != 0 ||
        places_check_fuse(why, sizeof(why)) != 0)
        return complain("%s", why);
    if (settle_cache_dir(mount, why, sizeof(why)) != 0 || settle_journal(mount, why, sizeof(why)) != 0)
        return -1;
    if (mount->cache_dir != NULL && asprintf(&mount->layer_dir, "%s/layers", mount->cache_dir) < 0) {
        mount->layer_dir = NULL;
        return complain("out of memory");
    }
    const struct {
        const char *path, *what;
    } ours[] = {{mount->cache_dir, "cache_dir"},
                {mount->state_dir, "the state directory"},
                {mount->options.state_file, "the emulator's state"}};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (ours[i].path != NULL &&
            places_outside(mount->mountpoint, ours[i].path, ours[i].what, why, sizeof(why)) != 0)
            return complain("%s", why);
    return 0;
}

/* ---- building ---- */

static struct ecs_backend *new_backend(const struct options *options, struct ecs_error **ret_error)
{
    if (options->source_kind == SOURCE_LOCAL) {
        struct ecs_local_options local = {
            .state_file = options->state_file, .region = options->region, .pacing = options->pacing};
        return ecs_local_new(&local, ret_error);
    }
    struct ecs_aws_options aws = {.region = options->region,
                                  .profile = options->profile,
                                  .endpoint_url = options->endpoint_url,
                                  .pacing = options->pacing,
                                  .timeout_ms = (int)options->timeout_ms,
                                  .ask_mfa = ask_mfa};
    return ecs_aws_new(&aws, ret_error);
}

static int build_backend(struct mount *mount)
{
    cleanup_error struct ecs_error *error = NULL;
    mount->backend = new_backend(&mount->options, &error);
    if (mount->backend == NULL)
        return complain("%s", error != NULL ? error->message : "out of memory");
    return 0;
}

static void tell_inode(void *arg, uint64_t ino, bool attr_only)
{
    notifier_inode(arg, ino, attr_only);
}

static void tell_entry(void *arg, uint64_t parent, const char *name)
{
    notifier_entry(arg, parent, name);
}

static int build_tree(struct mount *mount)
{
    const struct options *options = &mount->options;
    mount->notifier = notifier_new();
    if (mount->notifier == NULL)
        return complain("the notifier: %s", strerror(errno));
    struct fs_options tree = {.source = options->source,
                              .options = options->given.data != NULL ? options->given.data : "",
                              .uid = getuid(),
                              .gid = getgid(),
                              .ro = options->ro,
                              .allow_delete = options->allow_delete,
                              .dry_run = options->dry_run,
                              .posix_errno = options->posix_errno,
                              .stale_ms = options->stale_ms,
                              .journal_file = mount->journal_file,
                              .layer_dir = mount->layer_dir,
                              .layer_bytes = mount->options.layer_bytes,
                              .clock = &ecs_system_clock};
    struct fs_kernel kernel = {tell_inode, tell_entry, mount->notifier};
    mount->tree = fs_tree_new(&tree, &kernel);
    if (mount->tree == NULL)
        return complain("the tree: %s", strerror(errno));
    return 0;
}

static int build_face(struct mount *mount)
{
    char why[512];
    struct face_options face = {.mountpoint = mount->mountpoint,
                                .fuse = mount->options.fuse.data,
                                .max_read = mount->options.max_read,
                                .timeout_ms = mount->options.timeout_ms + ANSWER_MARGIN_MS,
                                .trace = mount->options.debug,
                                .clock = &ecs_system_clock};
    mount->face = face_new(&face, mount->notifier);
    if (mount->face == NULL)
        return complain("the FUSE session: %s", strerror(errno));
    if (face_mount(mount->face, mount->tree, why, sizeof(why)) != 0)
        return complain("cannot mount on %s: %s", mount->mountpoint, why);
    return 0;
}

/* From here on there are threads. */
static int start(struct mount *mount)
{
    struct ecs_cache_options cache = {
        .stale_ms = mount->options.stale_ms,
        .grace_ms = 1000,
        .settle_ms = 10000,
        .in_flight = 10,
        .cache_dir = mount->cache_dir,
        .clock = &ecs_system_clock,
    };
    int r = mount->backend->start(mount->backend);
    if (r < 0)
        return complain("starting: %s", strerror(-r));
    mount->cache = ecs_cache_new(mount->backend, &cache, fs_tree_changed, mount->tree);
    if (mount->cache == NULL)
        return complain("the cache: %s", strerror(errno));
    fs_tree_start(mount->tree, mount->cache, mount->backend);
    struct notifier_sink sink = face_sink(mount->face);
    r = notifier_start(mount->notifier, &sink);
    return r == 0 ? 0 : complain("the notifier: %s", strerror(-r));
}

static int build(struct mount *mount)
{
    if (settle_places(mount) != 0 || build_backend(mount) != 0 || build_tree(mount) != 0)
        return -1;
    mount->signal_fd = loop_catch_signals();
    if (mount->signal_fd < 0)
        return complain("signals: %s", strerror(-mount->signal_fd));
    if (build_face(mount) != 0)
        return -1;
    return start(mount);
}

/* ---- running ---- */

static int cache_timeout(void *arg)
{
    return ecs_cache_timeout_ms(arg);
}

static void cache_run(void *arg)
{
    ecs_cache_pump(arg);
}

static int tree_timeout(void *arg)
{
    return fs_tree_timeout_ms(arg);
}

static void tree_run(void *arg)
{
    fs_tree_tick(arg);
}

static int serve(struct mount *mount)
{
    const struct loop_source sources[] = {
        {ecs_cache_fd(mount->cache), cache_timeout, cache_run, mount->cache},
        {-1, tree_timeout, tree_run, mount->tree},
    };
    int r = loop_run(mount->face, mount->notifier, sources, ARRAY_LEN(sources), mount->signal_fd);
    if (r < 0)
        ecs_log(ECS_LOG_ERROR, "the loop ended: %s", strerror(-r));
    return r;
}

static void take_down(struct mount *mount)
{
    if (mount->face != NULL)
        face_unmount(mount->face);
    if (mount->notifier != NULL && !notifier_stopped(mount->notifier)) {
        /* Unmounting ended the connection, and with it every lock they may have waited for. */
        notifier_stop(mount->notifier);
    }
    if (mount->backend != NULL)
        mount->backend->stop(mount->backend); /* waits for changes that were sent */
    if (mount->cache != NULL)
        ecs_cache_pump(mount->cache); /* and journals them */
    mount->tree = fs_tree_free(mount->tree);
    mount->cache = ecs_cache_free(mount->cache);
    if (mount->backend != NULL)
        mount->backend->free(mount->backend);
    mount->notifier = notifier_free(mount->notifier);
    mount->face = face_free(mount->face);
    free(mount->mountpoint);
    free(mount->state_dir);
    free(mount->journal_file);
    free(mount->layer_dir);
    free(mount->cache_dir);
    options_free(&mount->options);
}

static enum ecs_log_level log_level(const struct options *options)
{
    return options->debug ? ECS_LOG_DEBUG : ECS_LOG_INFO;
}

static int run(struct mount *mount)
{
    mount->parent = daemon_begin(mount->options.foreground);
    daemon_harden();
    ecs_log_open("ecsfs", log_level(&mount->options), 0);
    int r = build(mount);
    if (r == 0) {
        if (mount->options.regions != NULL)
            complain("regions= has no effect yet: this version shows one region");
        if (!mount->options.foreground)
            ecs_log_open("ecsfs", log_level(&mount->options), 1);
        daemon_ready(mount->parent);
        r = serve(mount);
    }
    take_down(mount);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Without a mount; a state file that is not there yet is not made for it either. */
static int check(struct options *options)
{
    enum { CALL_MS = 10000 };
    daemon_harden();
    ecs_log_open("ecsfs", log_level(options), 0);
    if (options->state_file != NULL && access(options->state_file, F_OK) < 0) {
        free(options->state_file);
        options->state_file = NULL;
    }
    cleanup_error struct ecs_error *refused = NULL;
    struct ecs_backend *backend = new_backend(options, &refused);
    struct fs_check_what what = {.backend = backend,
                                 .refused = refused,
                                 .mountpoint = options->mountpoint,
                                 .endpoint_url = options->endpoint_url,
                                 .local = options->source_kind == SOURCE_LOCAL,
                                 .ro = options->ro,
                                 .allow_delete = options->allow_delete,
                                 .timeout_ms =
                                     options->timeout_ms < CALL_MS ? (int)options->timeout_ms : CALL_MS};
    bool good = fs_check(&what, stdout);
    if (backend != NULL) {
        backend->stop(backend);
        backend->free(backend);
    }
    options_free(options);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct mount mount = {.signal_fd = -1, .parent = -1};
    char why[512];
    if (options_parse(&mount.options, argc, argv, why, sizeof(why)) != 0) {
        complain("%s", why);
        options_free(&mount.options);
        return EXIT_USAGE;
    }
    if (mount.options.help)
        fputs(options_help, stdout);
    else if (mount.options.version)
        printf("ecsfs %s (FUSE library %s)\n", ECSFS_VERSION, face_library_version());
    else if (mount.options.check)
        return check(&mount.options);
    else
        return run(&mount);
    options_free(&mount.options);
    return EXIT_SUCCESS;
}
