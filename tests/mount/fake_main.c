/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts the fake tree with the real face, loop and notifier: ecsfs-fake MOUNTPOINT [TIMEOUT_MS [d]]. Stays
 * in the foreground. */
#include <stdio.h>
#include <stdlib.h>

#include "../../fs/command/options.h"
#include "../../fs/face/face.h"
#include "../../fs/face/loop.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/log.h"

static void tell_inode(void *arg, uint64_t ino, bool attr_only)
{
    notifier_inode(arg, ino, attr_only);
}

static void tell_entry(void *arg, uint64_t parent, const char *name)
{
    notifier_entry(arg, parent, name);
}

static int tree_timeout(void *arg)
{
    return fs_tree_timeout_ms(arg);
}

static void tree_run(void *arg)
{
    fs_tree_tick(arg);
}

int main(int argc, char **argv)
{
    char why[256];
    if (argc < 2)
        return 2;
    bool trace = argc > 3;
    ecs_log_open("ecsfs-fake", trace ? ECS_LOG_DEBUG : ECS_LOG_INFO, 0);
    struct face_options options = {.mountpoint = argv[1],
                                   .fuse = "fsname=fake,subtype=ecsfs-fake",
                                   .timeout_ms = argc > 2 ? atol(argv[2]) : 60000,
                                   .trace = trace,
                                   .clock = &ecs_system_clock};
    struct notifier *notifier = notifier_new();
    struct fs_options fs = {.clock = &ecs_system_clock};
    struct fs_tree *tree = fs_tree_new(&fs, &(struct fs_kernel){tell_inode, tell_entry, notifier});
    struct face *face = face_new(&options, notifier);
    int signals = loop_catch_signals();
    if (face_mount(face, tree, why, sizeof(why)) != 0) {
        fprintf(stderr, "ecsfs-fake: %s\n", why);
        return 1;
    }
    struct notifier_sink sink = face_sink(face);
    notifier_start(notifier, &sink);
    struct loop_source source = {-1, tree_timeout, tree_run, tree};
    int r = loop_run(face, notifier, &source, 1, signals);
    face_unmount(face);
    notifier_free(notifier);
    face_free(face);
    fs_tree_free(tree);
    return r == 0 ? 0 : 1;
}
