/* SPDX-License-Identifier: Apache-2.0 */
/* The tree over the real emulator: a session of its main job, without a mount. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/local.h"
#include "tree/tree_private.h"

static struct {
    struct ecs_backend *backend;
    struct ecs_cache *cache;
    struct fs_tree *tree;
    struct fs_request rq;
    bool woken;
} world;

static void wake(struct ecs_want *want)
{
    world.woken = true;
}
static void ignore_inode(void *arg, uint64_t ino, bool attr_only) {}
static void ignore_entry(void *arg, uint64_t parent, const char *name) {}

static void setup(void)
{
    struct ecs_error *error = NULL;
    struct ecs_local_options local = {.region = "eu-west-1", .speed = 50};
    world.backend = ecs_local_new(&local, &error);
    ck_assert_msg(world.backend != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_int_eq(world.backend->start(world.backend), 0);
    struct fs_options options = {
        .source = "local", .options = "", .stale_ms = 20, .allow_delete = true, .clock = &ecs_system_clock};
    struct fs_kernel kernel = {ignore_inode, ignore_entry, NULL};
    world.tree = fs_tree_new(&options, &kernel);
    struct ecs_cache_options cache = {
        .stale_ms = 20, .grace_ms = 1000, .settle_ms = 10000, .in_flight = 10, .clock = &ecs_system_clock};
    world.cache = ecs_cache_new(world.backend, &cache, fs_tree_changed, world.tree);
    fs_tree_start(world.tree, world.cache, world.backend);
}

static void teardown(void)
{
    world.backend->stop(world.backend);
    ecs_cache_pump(world.cache);
    world.tree = fs_tree_free(world.tree);
    world.cache = ecs_cache_free(world.cache);
    world.backend->free(world.backend);
}

static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void begin(void)
{
    world.woken = false;
    world.rq = (struct fs_request){
        .want = {.since_ms = ecs_system_clock.now_ms(&ecs_system_clock), .wake = wake}, .pid = 1};
}

static bool again(int r)
{
    if (r != FS_PARKED)
        return false;
    while (!world.woken) {
        int timeout = sooner(1000, sooner(ecs_cache_timeout_ms(world.cache), fs_tree_timeout_ms(world.tree)));
        struct pollfd fd = {.fd = ecs_cache_fd(world.cache), .events = POLLIN};
        poll(&fd, 1, timeout);
        ecs_cache_pump(world.cache);
        fs_tree_tick(world.tree);
    }
    world.woken = false;
    return true;
}

#define RUN(inode, expression)                                  \
    ({                                                          \
        int run_r_;                                             \
        begin();                                                \
        do                                                      \
            run_r_ = (expression);                              \
        while (again(run_r_));                                  \
        fs_request_end(world.tree, &world.rq, (inode), run_r_); \
    })

static struct fs_inode *at(const char *path, int *ret_error)
{
    struct fs_inode *inode = fs_inode_find(world.tree, 1), *child;
    cleanup_free char *copy = strdup(path);
    char *save = NULL;
    int64_t valid_ms;
    *ret_error = 0;
    for (char *name = strtok_r(copy, "/", &save); name != NULL; name = strtok_r(NULL, "/", &save)) {
        *ret_error = RUN(inode, fs_lookup(world.tree, &world.rq, inode, name, &child, &valid_ms));
        if (*ret_error != 0)
            return NULL;
        fs_remember(world.tree, child);
        inode = child;
    }
    return inode;
}

static const char *cat(const char *path)
{
    static char text[65536];
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    const char *data;
    size_t len = 0;
    int r;
    struct fs_inode *inode = at(path, &r);
    if (inode != NULL)
        r = RUN(inode, fs_open(world.tree, &world.rq, inode, O_RDONLY, &handle, &hints));
    if (r == 0)
        r = RUN(inode, fs_read(world.tree, &world.rq, handle, sizeof(text) - 1, 0, &data, &len));
    if (r == 0)
        memcpy(text, data, len);
    text[len] = '\0';
    if (handle != NULL)
        fs_release(world.tree, handle);
    errno = -r;
    return r == 0 ? text : NULL;
}

static int put(const char *path, const char *text)
{
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    int r;
    struct fs_inode *inode = at(path, &r);
    if (inode != NULL)
        r = RUN(inode, fs_open(world.tree, &world.rq, inode, O_WRONLY | O_TRUNC, &handle, &hints));
    if (r != 0)
        return r;
    r = RUN(inode, fs_write(world.tree, &world.rq, handle, text, strlen(text), 0));
    int flushed = RUN(inode, fs_flush(world.tree, &world.rq, handle));
    fs_release(world.tree, handle);
    return r != 0 ? r : flushed;
}

static int make_dir(const char *parent, const char *name)
{
    int r;
    struct fs_inode *inode = at(parent, &r), *child;
    return inode == NULL
               ? r
               : RUN(inode, (world.rq.pid = 2, fs_mkdir(world.tree, &world.rq, inode, name, 0700, &child)));
}

static size_t count(const char *path)
{
    int r;
    struct fs_inode *inode = at(path, &r);
    struct fs_dir *dir = NULL;
    ck_assert_ptr_nonnull(inode);
    ck_assert_int_eq(RUN(inode, fs_readdir(world.tree, &world.rq, inode, &dir)), 0);
    size_t len = dir->len;
    fs_dir_free(dir);
    return len;
}

#define WEB "/clusters/prod/services/web/"
#define REVISION(image)                                                                            \
    "{\"networkMode\":\"awsvpc\",\"cpu\":\"256\",\"memory\":\"512\",\"requiresCompatibilities\":[" \
    "\"FARGATE\"],"                                                                                \
    "\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"" image "\",\"essential\":true}]}\n"

static void build(void)
{
    ck_assert_int_eq(make_dir("/clusters", "prod"), 0);
    ck_assert_int_eq(make_dir("/task-definitions", "web"), 0);
    ck_assert_int_eq(put("/task-definitions/web/latest.json", REVISION("example/app:1")), 0);
    ck_assert_int_eq(put("/task-definitions/web/latest.json", REVISION("example/app:2")), 0);
    ck_assert_int_eq(make_dir("/clusters/prod/services", "web"), 0);
    ck_assert_int_eq(put(WEB "service.json", "{\"taskDefinition\":\"web:1\",\"launchType\":\"FARGATE\","
                                             "\"desiredCount\":2,\"networkConfiguration\":"
                                             "{\"awsvpcConfiguration\":{\"subnets\":[\"subnet-1\"]}}}\n"),
                     0);
}

START_TEST(scale_and_deploy)
{
    build();
    ck_assert_str_eq(cat(WEB "stable"), "stable\n");
    ck_assert_str_eq(cat(WEB "running-count"), "2\n");
    ck_assert_int_eq(put(WEB "desired-count", "5\n"), 0);
    ck_assert_str_eq(cat(WEB "desired-count"), "5\n");
    ck_assert_str_eq(cat(WEB "stable"), "stable\n");
    ck_assert_str_eq(cat(WEB "running-count"), "5\n");
    ck_assert_uint_eq(count("/clusters/prod/services/web/tasks"), 5);
    ck_assert_int_eq(put(WEB "task-definition", "web\n"), 0);
    ck_assert_str_eq(cat(WEB "task-definition"), "web:2\n");
    ck_assert_str_eq(cat(WEB "previous-task-definition"), "web:1\n");
    ck_assert_str_eq(cat(WEB "stable"), "stable\n");
    ck_assert_ptr_nonnull(
        strstr(cat("/clusters/prod/overview"), "web            5        5        0  web:2"));
    ck_assert_ptr_nonnull(strstr(cat(WEB "events"), "has reached a steady state."));
    ck_assert_str_eq(cat("/.ecsfs/errors"), "");
}
END_TEST

START_TEST(refusals_leave_the_world_alone)
{
    build();
    ck_assert_str_eq(cat(WEB "stable"), "stable\n");
    int r = put(WEB "task-definition", "web:99\n");
    ck_assert_msg(r == -EINVAL || r == -ENOENT, "%d", r);
    ck_assert_str_eq(cat(WEB "task-definition"), "web:1\n");
    ck_assert_ptr_nonnull(
        strstr(cat("/.ecsfs/errors"), WEB "task-definition UpdateService ClientException: "));
    ck_assert_int_eq(put("/clusters/prod/services/api/desired-count", "1\n"), -ENOENT);
    ck_assert_int_eq(put(WEB "desired-count", "many\n"), -EINVAL);
    ck_assert_str_eq(cat(WEB "desired-count"), "2\n");
}
END_TEST

START_TEST(a_stopped_task_says_why)
{
    build();
    ck_assert_str_eq(cat(WEB "stable"), "stable\n");
    int r;
    struct fs_inode *inode = at(WEB "tasks", &r);
    struct fs_dir *dir = NULL;
    ck_assert_int_eq(RUN(inode, fs_readdir(world.tree, &world.rq, inode, &dir)), 0);
    ck_assert_uint_eq(dir->len, 2);
    char path[128];
    snprintf(path, sizeof(path), "/clusters/prod/tasks/%s/stop", dir->entries[0].name);
    ck_assert_int_eq(put(path, "stuck on a lock\n"), 0);
    snprintf(path, sizeof(path), "/clusters/prod/tasks/%s/stopped-reason", dir->entries[0].name);
    ck_assert_ptr_nonnull(strstr(cat(path), "stuck on a lock"));
    snprintf(path, sizeof(path), "/clusters/prod/tasks/%s/desired-status", dir->entries[0].name);
    ck_assert_str_eq(cat(path), "STOPPED\n");
    fs_dir_free(dir);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tree_local");
    TCase *tests = tcase_create("local");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, scale_and_deploy);
    tcase_add_test(tests, refusals_leave_the_world_alone);
    tcase_add_test(tests, a_stopped_task_says_why);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
