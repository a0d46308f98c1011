/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel is told when something changed, and what it may keep. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree/tree_private.h"
#include "tree_account.h"
#include "tree_world.h"

#define WEB "/clusters/prod/services/web/"

static struct world world;

static void setup(void)
{
    world_init(&world, NULL);
}

static void teardown(void)
{
    world_free(&world);
}

static bool told(const char *line)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "%s\n", line);
    return strstr(world.told, whole) != NULL;
}

#define ck_assert_told(line) ck_assert_msg(told(line), "not told: %s; told:\n%s", line, world.told)
#define ck_assert_not_told(line) ck_assert_msg(!told(line), "told: %s", line)

static void know(const char *path)
{
    struct fs_attr attr;
    ck_assert_int_eq(world_stat(&world, path, &attr), 0);
}

START_TEST(only_what_changed_is_named)
{
    know(WEB "desired-count");
    know(WEB "running-count");
    know(WEB "arn");
    know(WEB "describe.json");
    know("/clusters/prod/overview");
    know("/clusters/prod/services/api/desired-count");
    world_cat(&world, "/clusters/prod/overview");
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "5\n"), 0);
    ck_assert_told("inode " WEB "desired-count");
    ck_assert_told("inode " WEB "describe.json");
    ck_assert_told("inode /clusters/prod/overview");
    ck_assert_not_told("inode " WEB "running-count");
    ck_assert_not_told("inode " WEB "arn");
    ck_assert_not_told("inode /clusters/prod/services/api/desired-count");
}
END_TEST

START_TEST(nothing_is_told_of_what_the_kernel_does_not_know)
{
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "5\n"), 0);
    ck_assert_ptr_null(strstr(world.told, "running-count"));
    ck_assert_ptr_null(strstr(world.told, "describe.json"));
}
END_TEST

START_TEST(changes_by_others_are_found_and_told)
{
    know(WEB "running-count");
    ck_assert_str_eq(world_cat(&world, WEB "running-count"), "3\n");
    json_object_set_new(world_service(&world, "web"), "runningCount", json_integer(12));
    ck_assert_str_eq(world_cat(&world, WEB "running-count"), "3\n");
    world_step(&world, 5001);
    world_forget_counts(&world);
    ck_assert_str_eq(world_cat(&world, WEB "running-count"), "12\n");
    ck_assert_told("inode " WEB "running-count");
}
END_TEST

START_TEST(files_come_and_go_with_what_aws_says)
{
    ck_assert_int_eq(world_lookup(&world, WEB "previous-task-definition"), -ENOENT);
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, WEB "task-definition", "web:2\n"), 0);
    ck_assert_told("entry /clusters/prod/services/web previous-task-definition");
    ck_assert_int_eq(world_lookup(&world, WEB "previous-task-definition"), 0);

    know(WEB "rollout-reason");
    json_object_del(json_array_get(json_object_get(world_service(&world, "web"), "deployments"), 0),
                    "rolloutStateReason");
    world_step(&world, 20000);
    world_forget_counts(&world);
    ck_assert_ptr_nonnull(world_cat(&world, WEB "desired-count"));
    ck_assert_told("entry /clusters/prod/services/web rollout-reason");
    ck_assert_int_eq(world_lookup(&world, WEB "rollout-reason"), -ENOENT);
}
END_TEST

START_TEST(resources_come_and_go)
{
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod/services/s0000"), -ENOENT);
    know(WEB "arn");
    know("/clusters/prod/services");
    ck_assert_ptr_nonnull(world_ls(&world, "/clusters/prod/services"));
    account_add_services(world.account, 1);
    json_object_del(
        json_object_get(json_object_get(json_object_get(world.account, "clusters"), "prod"), "services"),
        "web");
    world_step(&world, 20000);
    world_forget_counts(&world);
    ck_assert_str_eq(world_ls(&world, "/clusters/prod/services"), "api\ns0000\n");
    ck_assert_told("inode /clusters/prod/services");
    ck_assert_told("entry /clusters/prod/services web");
    ck_assert_told("entry /clusters/prod/services s0000");
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod/services/web"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod/services/s0000"), 0);
}
END_TEST

START_TEST(links_follow_the_clusters_tasks)
{
    know(WEB "tasks");
    ck_assert_ptr_nonnull(world_ls(&world, WEB "tasks"));
    json_object_del(
        json_object_get(json_object_get(json_object_get(world.account, "clusters"), "prod"), "tasks"),
        "00000000000000000000000000000002");
    world_step(&world, 20000);
    world_forget_counts(&world);
    ck_assert_str_eq(world_ls(&world, WEB "tasks"),
                     "00000000000000000000000000000001\n00000000000000000000000000000003\n");
    ck_assert_told("inode /clusters/prod/services/web/tasks");
}
END_TEST

static struct fs_open_hints open_hints(const char *path, struct fs_handle **ret_handle)
{
    struct fs_open_hints hints;
    int r;
    struct fs_inode *inode = world_at(&world, path, &r);
    ck_assert_ptr_nonnull(inode);
    ck_assert_int_eq(
        WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, O_RDONLY, ret_handle, &hints)), 0);
    return hints;
}

START_TEST(pages_are_kept_while_they_are_true)
{
    static const char *const paths[] = {WEB "running-count", WEB "describe.json", WEB "desired-count"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct fs_handle *handle;
        know(paths[i]);
        ck_assert(!open_hints(paths[i], &handle).keep_cache);
        fs_release(world.tree, handle);
        struct fs_open_hints hints = open_hints(paths[i], &handle);
        ck_assert(hints.keep_cache && hints.no_flush && !hints.direct_io);
        fs_release(world.tree, handle);
    }
    json_object_set_new(world_service(&world, "web"), "runningCount", json_integer(4));
    world_step(&world, 5001);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct fs_handle *handle;
        know(paths[i]);
        ck_assert_int_eq(open_hints(paths[i], &handle).keep_cache, i == 2);
        fs_release(world.tree, handle);
    }
}
END_TEST

/* The kernel was told of two bytes; until it hears of three, it may not cut the text. */
START_TEST(a_size_the_kernel_does_not_know_yet_goes_past_its_cache)
{
    struct fs_handle *handle;
    know(WEB "running-count");
    json_object_set_new(world_service(&world, "web"), "runningCount", json_integer(12));
    world_step(&world, 5001);
    ck_assert(open_hints(WEB "running-count", &handle).direct_io);
    fs_release(world.tree, handle);
    know(WEB "running-count");
    ck_assert(!open_hints(WEB "running-count", &handle).direct_io);
    fs_release(world.tree, handle);
}
END_TEST

START_TEST(unsized_files_are_read_directly)
{
    struct fs_handle *handle;
    ck_assert(open_hints("/clusters/prod/overview", &handle).direct_io);
    fs_release(world.tree, handle);
    ck_assert(open_hints(WEB "stable", &handle).direct_io);
    fs_release(world.tree, handle);
}
END_TEST

static void add_event(const char *id, const char *message, double at)
{
    json_t *events = json_object_get(world_service(&world, "web"), "events");
    json_array_insert_new(events, 0,
                          json_pack("{s:s, s:s, s:f}", "id", id, "message", message, "createdAt", at));
    json_array_remove(events, json_array_size(events) - 1); /* AWS keeps a fixed number */
}

/* tail -f: one descriptor, open all the while. */
START_TEST(events_outlive_their_time_at_aws)
{
    struct fs_handle *handle;
    const char *data;
    size_t len;
    open_hints(WEB "events", &handle);
    struct fs_inode *inode = fs_handle_inode(handle);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_read(world.tree, &world.rq, handle, 65536, 0, &data, &len)),
                     0);
    off_t before = (off_t)len;
    add_event("web-4", "(service web) event 4.", 1700000200.0);
    world_step(&world, 5001);
    struct fs_attr attr;
    know(WEB "arn");
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_getattr(world.tree, &world.rq, inode, &attr)), 0);
    ck_assert_int_gt(attr.st.st_size, before);
    ck_assert_told("inode /clusters/prod/services/web/events");
    ck_assert_int_eq(
        WORLD_RUN(&world, inode, fs_read(world.tree, &world.rq, handle, 65536, before, &data, &len)), 0);
    ck_assert_uint_eq(len, (size_t)(attr.st.st_size - before));
    ck_assert_int_eq(strncmp(data, "2023-11-14T22:16:40Z (service web) event 4.\n", len), 0);
    fs_release(world.tree, handle);
    const char *text = world_cat(&world, WEB "events");
    ck_assert_int_eq(strncmp(text, "2023-11-14T22:15:01Z (service web) event 1.\n", 44), 0);
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof(id), "web-%d", 5 + i);
        add_event(id, "(service web) later.", 1700000300.0 + i);
    }
    world_step(&world, 5001);
    text = world_cat(&world, WEB "events");
    ck_assert_int_eq(strncmp(text, "2023-11-14T22:15:01Z (service web) event 1.\n", 44), 0);
    ck_assert_ptr_nonnull(strstr(text, "event 4.\n2023-11-14T22:18:22Z (service web) later."));
}
END_TEST

START_TEST(refresh_forgets_a_path)
{
    static const char *const paths[] = {"/", "clusters/prod", "/clusters/prod/services/web", "clusters",
                                        "/clusters/prod/services/web/running-count"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        ck_assert_ptr_nonnull(world_cat(&world, WEB "running-count"));
        world_forget_counts(&world);
        ck_assert_int_eq(world_write(&world, "/.ecsfs/refresh", paths[i]), 0);
        ck_assert_ptr_nonnull(world_cat(&world, WEB "running-count"));
        ck_assert_msg(world_calls(&world, "DescribeServices") == 1, "refresh %s", paths[i]);
        ck_assert_told("inode " WEB "running-count");
    }
}
END_TEST

/* ---- stable ---- */

static json_t *primary(void)
{
    return json_array_get(json_object_get(world_service(&world, "web"), "deployments"), 0);
}

static void unsettle(void)
{
    json_object_set_new(primary(), "rolloutState", json_string("IN_PROGRESS"));
    json_object_set_new(world_service(&world, "web"), "runningCount", json_integer(1));
}

START_TEST(stable_waits)
{
    unsettle();
    struct fs_handle *handle;
    const char *data;
    size_t len;
    open_hints(WEB "stable", &handle);
    struct fs_inode *inode = fs_handle_inode(handle);
    world_begin(&world);
    ck_assert_int_eq(fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len), FS_PARKED);
    ck_assert_int_gt(fs_tree_timeout_ms(world.tree), 0);
    ck_assert(world.rq.patient);
    json_object_set_new(primary(), "rolloutState", json_string("COMPLETED"));
    json_object_set_new(world_service(&world, "web"), "runningCount", json_integer(3));
    int r = FS_PARKED;
    while (world_again(&world, r))
        r = fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len);
    ck_assert_int_eq(world_end(&world, inode, r), 0);
    ck_assert_int_eq(strncmp(data, "stable\n", len), 0);
    fs_release(world.tree, handle);
}
END_TEST

START_TEST(stable_fails_with_its_deployment)
{
    unsettle();
    json_object_set_new(primary(), "rolloutState", json_string("FAILED"));
    json_object_set_new(primary(), "rolloutStateReason", json_string("tasks failed to start."));
    ck_assert_ptr_null(world_cat(&world, WEB "stable"));
    ck_assert_int_eq(errno, EIO);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, WEB "stable", "user.ecsfs.error"), "tasks failed to start."));
}
END_TEST

START_TEST(stable_fails_when_rolled_back)
{
    unsettle();
    struct fs_handle *handle;
    const char *data;
    size_t len;
    open_hints(WEB "stable", &handle);
    struct fs_inode *inode = fs_handle_inode(handle);
    world_begin(&world);
    int r = fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len);
    ck_assert_int_eq(r, FS_PARKED);
    json_object_set_new(world_service(&world, "web"), "taskDefinition",
                        json_string("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:0"));
    json_object_set_new(primary(), "rolloutState", json_string("COMPLETED"));
    json_object_set_new(world_service(&world, "web"), "runningCount", json_integer(3));
    while (world_again(&world, r))
        r = fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len);
    ck_assert_int_eq(world_end(&world, inode, r), -EIO);
    fs_release(world.tree, handle);
    ck_assert_ptr_nonnull(
        strstr(world_cat(&world, "/.ecsfs/errors"), "the deployment of web:1 gave way to one of web:0"));
}
END_TEST

START_TEST(stable_is_interrupted)
{
    unsettle();
    struct fs_handle *handle;
    const char *data;
    size_t len;
    open_hints(WEB "stable", &handle);
    world_begin(&world);
    ck_assert_int_eq(fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len), FS_PARKED);
    fs_request_interrupt(world.tree, &world.rq);
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), -1);
    fs_release(world.tree, handle);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tree_changed");
    TCase *tests = tcase_create("changed");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, only_what_changed_is_named);
    tcase_add_test(tests, nothing_is_told_of_what_the_kernel_does_not_know);
    tcase_add_test(tests, changes_by_others_are_found_and_told);
    tcase_add_test(tests, files_come_and_go_with_what_aws_says);
    tcase_add_test(tests, resources_come_and_go);
    tcase_add_test(tests, links_follow_the_clusters_tasks);
    tcase_add_test(tests, pages_are_kept_while_they_are_true);
    tcase_add_test(tests, a_size_the_kernel_does_not_know_yet_goes_past_its_cache);
    tcase_add_test(tests, unsized_files_are_read_directly);
    tcase_add_test(tests, events_outlive_their_time_at_aws);
    tcase_add_test(tests, refresh_forgets_a_path);
    tcase_add_test(tests, stable_waits);
    tcase_add_test(tests, stable_fails_with_its_deployment);
    tcase_add_test(tests, stable_fails_when_rolled_back);
    tcase_add_test(tests, stable_is_interrupted);
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
