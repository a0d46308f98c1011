/* SPDX-License-Identifier: Apache-2.0 */
/* The tree, read: names, texts, attributes, and what they cost. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree/tree_private.h"
#include "tree_account.h"
#include "tree_world.h"

static struct world world;

static void setup(void)
{
    world_init(&world, NULL);
}

static void teardown(void)
{
    world_free(&world);
}

START_TEST(static_names_cost_no_call)
{
    static const char *const names[] = {".ecsfs\n",   "README\n",   "account\n",
                                        "clusters\n", "overview\n", "task-definitions\n"};
    const char *root = world_ls(&world, "/");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        ck_assert_msg(strstr(root, names[i]) != NULL, "%s in %s", names[i], root);
    ck_assert_int_eq(world_lookup(&world, "/clusters"), 0);
    ck_assert_int_eq(world_lookup(&world, "/nothing"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/clusters/.git"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/clusters/a b"), -ENOENT);
    ck_assert_ptr_nonnull(world_cat(&world, "/README"));
    ck_assert_int_eq(world_calls(&world, NULL), 0);
}
END_TEST

START_TEST(first_cat_takes_two_calls)
{
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/desired-count"), "3\n");
    ck_assert_int_eq(world_calls(&world, NULL), 2);
    ck_assert_int_eq(world_calls(&world, "DescribeClusters"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribeServices"), 1);
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/task-definition"), "web:1\n");
    ck_assert_int_eq(world_calls(&world, NULL), 2);
    world_step(&world, 6000);
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/desired-count"), "3\n");
    ck_assert_int_eq(world_calls(&world, NULL), 4);
}
END_TEST

static const struct {
    const char *path, *text;
} texts[] = {
    {"/clusters/prod/arn", "arn:aws:ecs:eu-west-1:123456789012:cluster/prod\n"},
    {"/clusters/prod/status", "ACTIVE\n"},
    {"/clusters/prod/running-tasks", "3\n"},
    {"/clusters/prod/pending-tasks", "0\n"},
    {"/clusters/prod/active-services", "2\n"},
    {"/clusters/prod/container-instances-count", "1\n"},
    {"/clusters/prod/services/web/launch-type", "FARGATE\n"},
    {"/clusters/prod/services/web/created-at", "2023-11-14T22:13:20Z\n"},
    {"/clusters/prod/services/web/running-count", "3\n"},
    {"/clusters/prod/services/web/rollout-state", "COMPLETED\n"},
    {"/clusters/prod/services/web/events", "2023-11-14T22:15:01Z (service web) event 1.\n"
                                           "2023-11-14T22:15:02Z (service web) event 2.\n"
                                           "2023-11-14T22:15:03Z (service web) event 3.\n"},
    {"/clusters/prod/services/web/stable", "stable\n"},
    {"/clusters/prod/services/web/force-new-deployment", ""},
    {"/clusters/prod/tasks/00000000000000000000000000000001/status", "RUNNING\n"},
    {"/clusters/prod/tasks/00000000000000000000000000000001/task-definition", "web:1\n"},
    {"/clusters/prod/tasks/00000000000000000000000000000001/containers/main/image", "example/app:1\n"},
    {"/clusters/prod/tasks/00000000000000000000000000000001/containers/main/status", "RUNNING\n"},
    {"/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/remaining-memory", "2931\n"},
    {"/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/agent-connected", "true\n"},
    {"/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/attributes/ecs.os-type", "linux\n"},
    {"/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/attributes/bare", ""},
    {"/.ecsfs/version", ECSFS_VERSION "\n"},
    {"/overview", "CLUSTER  STATUS  SERVICES  RUNNING  PENDING  INSTANCES\n"
                  "prod     ACTIVE         2        3        0          1\n"},
    {"/clusters/prod/overview",
     "SERVICE  DESIRED  RUNNING  PENDING  REVISION  ROLLOUT    LAST EVENT\n"
     "api            0        0        0  api:1     COMPLETED  58m ago: event 3.\n"
     "web            3        3        0  web:1     COMPLETED  58m ago: event 3.\n"},
};

START_TEST(texts_are_as_designed)
{
    const char *text = world_cat(&world, texts[_i].path);
    ck_assert_msg(text != NULL, "%s: %s", texts[_i].path, strerror(errno));
    ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

static const char *const absent[] = {
    "/clusters/dev",
    "/clusters/prod/services/nope",
    "/clusters/prod/services/web/previous-task-definition",
    "/clusters/prod/tasks/00000000000000000000000000000009",
    "/clusters/prod/tasks/00000000000000000000000000000001/stopped-reason",
    "/clusters/prod/tasks/00000000000000000000000000000001/containers/main/exit-code",
    "/clusters/prod/tasks/00000000000000000000000000000001/containers/other",
    "/clusters/prod/services/api/tasks/00000000000000000000000000000001",
    "/task-definitions/web/04.json",
    "/task-definitions/web/4.json",
    "/task-definitions/web/x.json",
    "/task-definitions/none",
};

START_TEST(absent_things_are_enoent)
{
    ck_assert_int_eq(world_lookup(&world, absent[_i]), -ENOENT);
    ck_assert_str_eq(world_cat(&world, "/.ecsfs/errors"), "");
}
END_TEST

START_TEST(absent_things_are_not_listed)
{
    const char *names = world_ls(&world, "/clusters/prod/tasks/00000000000000000000000000000001");
    ck_assert_ptr_nonnull(names);
    ck_assert_ptr_null(strstr(names, "stopped-reason"));
    ck_assert_ptr_nonnull(strstr(names, "\nstop\n"));
    names = world_ls(&world, "/clusters/prod/services/web");
    ck_assert_ptr_null(strstr(names, "stable"));
    ck_assert_ptr_null(strstr(names, "previous"));
    ck_assert_ptr_nonnull(strstr(names, "rollout-state"));
}
END_TEST

START_TEST(links_lead_to_the_task)
{
    ck_assert_str_eq(world_ls(&world, "/clusters/prod/services/web/tasks"),
                     "00000000000000000000000000000001\n00000000000000000000000000000002\n"
                     "00000000000000000000000000000003\n");
    ck_assert_str_eq(world_ls(&world, "/clusters/prod/services/api/tasks"), "");
    ck_assert_str_eq(
        world_readlink(&world, "/clusters/prod/services/web/tasks/00000000000000000000000000000002"),
        "../../../tasks/00000000000000000000000000000002");
    ck_assert_str_eq(world_ls(&world, "/task-definitions/web/used-by"), "prod:web\n");
    ck_assert_str_eq(world_readlink(&world, "/task-definitions/web/used-by/prod:web"),
                     "../../../clusters/prod/services/web");
}
END_TEST

START_TEST(revisions_are_canonical_and_asked_once)
{
    ck_assert_int_eq(strncmp(world_ls(&world, "/task-definitions/web"),
                             "1.json\n2.json\n3.json\ndescribe\nlatest.json\n", 42),
                     0);
    const char *text = world_cat(&world, "/task-definitions/web/2.json");
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_null(strstr(text, "taskDefinitionArn"));
    ck_assert_ptr_nonnull(strstr(text, "\"image\": \"example/app:2\""));
    ck_assert_ptr_nonnull(strstr(text, "\"A\""));
    ck_assert(strstr(text, "\"A\"") < strstr(text, "\"Z\""));
    world_step(&world, 3600000);
    world_forget_counts(&world);
    struct fs_attr attr;
    ck_assert_int_eq(world_stat(&world, "/task-definitions/web/2.json", &attr), 0);
    ck_assert_int_eq(world_calls(&world, "DescribeTaskDefinition"), 1); /* the family itself */
    ck_assert_int_eq(attr.valid_ms == INT64_MAX, 1);
}
END_TEST

START_TEST(a_walk_meets_every_listed_name)
{
    int count = world_walk(&world, "/clusters", true) + world_walk(&world, "/task-definitions", true) +
                world_walk(&world, "/.ecsfs", true);
    ck_assert_int_gt(count, 120);
    ck_assert_str_eq(world_cat(&world, "/.ecsfs/errors"), "");
}
END_TEST

START_TEST(scan_of_services_is_batched)
{
    account_add_services(world.account, 35);
    ck_assert_ptr_nonnull(world_ls(&world, "/clusters/prod/services"));
    for (int i = 0; i < 35; i++) {
        char path[64], text[16];
        snprintf(path, sizeof(path), "/clusters/prod/services/s%04d/desired-count", i);
        snprintf(text, sizeof(text), "%d\n", i);
        ck_assert_str_eq(world_cat(&world, path), text);
    }
    ck_assert_int_eq(world_calls(&world, "ListServices"), 1);
    ck_assert_int_le(world_calls(&world, "DescribeServices"), 4);
    int before = world_calls(&world, NULL);
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/s0007/desired-count"), "7\n");
    ck_assert_int_eq(world_calls(&world, NULL), before);
}
END_TEST

START_TEST(sizes_and_times_are_true)
{
    struct fs_attr attr;
    ck_assert_int_eq(world_stat(&world, "/clusters/prod/services/web", &attr), 0);
    ck_assert(S_ISDIR(attr.st.st_mode));
    ck_assert_int_eq(attr.st.st_mtim.tv_sec, 1700000000);
    ck_assert_int_eq(attr.st.st_uid, 1000);
    ck_assert_int_eq(world_stat(&world, "/clusters/prod/services/web/desired-count", &attr), 0);
    ck_assert_int_eq(attr.st.st_size, 2);
    ck_assert_int_eq(attr.st.st_mode, S_IFREG | 0600);
    ck_assert_int_eq(attr.valid_ms, 5000);
    ck_assert_int_eq(world_stat(&world, "/clusters/prod/services/web/describe.json", &attr), 0);
    ck_assert_int_eq(attr.st.st_size, strlen(world_cat(&world, "/clusters/prod/services/web/describe.json")));
    ck_assert_int_eq(world_stat(&world, "/clusters/prod/overview", &attr), 0);
    ck_assert_int_eq(attr.st.st_size, 0);
}
END_TEST

START_TEST(numbers_are_stable)
{
    struct fs_attr before, after;
    ck_assert_int_eq(world_stat(&world, "/clusters/prod/services/web/arn", &before), 0);
    world_free(&world);
    world_init(&world, NULL);
    ck_assert_int_eq(world_stat(&world, "/clusters/prod/services/web/arn", &after), 0);
    ck_assert_uint_eq(before.st.st_ino, after.st.st_ino);
    ck_assert_uint_gt(before.st.st_ino, 1);
}
END_TEST

START_TEST(inodes_go_when_forgotten)
{
    size_t before = world.tree->inodes.len;
    int r;
    struct fs_inode *inode = world_at(&world, "/clusters/prod/services/web/arn", &r);
    ck_assert_ptr_nonnull(inode);
    ck_assert_uint_eq(world.tree->inodes.len, before + 5);
    uint64_t numbers[5];
    for (int i = 0; i < 5; i++, inode = inode->parent)
        numbers[i] = inode->ino;
    for (int i = 0; i < 5; i++)
        fs_forget(world.tree, numbers[i], 1);
    ck_assert_uint_eq(world.tree->inodes.len, before);
    ck_assert_ptr_null(fs_inode_find(world.tree, numbers[0]));
}
END_TEST

START_TEST(unused_inodes_do_not_pile_up)
{
    account_add_services(world.account, 2000);
    int r;
    struct fs_inode *services = world_at(&world, "/clusters/prod/services", &r);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        struct fs_inode *child;
        int64_t valid_ms;
        snprintf(name, sizeof(name), "s%04d", i);
        ck_assert_int_eq(
            WORLD_RUN(&world, services, fs_lookup(world.tree, &world.rq, services, name, &child, &valid_ms)),
            0);
    }
    ck_assert_uint_lt(world.tree->inodes.len, 300);
}
END_TEST

START_TEST(peek_never_calls)
{
    int r;
    struct fs_inode *clusters = world_at(&world, "/clusters", &r), *child;
    int64_t valid_ms;
    world.rq.peek = true;
    ck_assert_int_eq(
        WORLD_RUN(&world, clusters, fs_lookup(world.tree, &world.rq, clusters, "prod", &child, &valid_ms)),
        FS_PARKED);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
    world.rq.peek = false;
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), 0);
    world_forget_counts(&world);
    world.rq.peek = true;
    ck_assert_int_eq(
        WORLD_RUN(&world, clusters, fs_lookup(world.tree, &world.rq, clusters, "prod", &child, &valid_ms)),
        0);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
    world.rq.peek = false;
}
END_TEST

START_TEST(a_hung_endpoint_leaves_known_things_readable)
{
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/desired-count"), "3\n");
    world.hung = true;
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/running-count"), "3\n");
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod/services/api"), -EBUSY);
    ck_assert_ptr_null(world.rq.progress);
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/running-count"), "3\n");
}
END_TEST

/* Older than `stale`, and nobody answers: after a moment's grace what is known is shown, and marked. */
START_TEST(a_dead_endpoint_serves_what_is_known_and_says_so)
{
    int r;
    struct fs_attr attr;
    struct fs_inode *inode = world_at(&world, "/clusters/prod/services/web/running-count", &r);
    ck_assert_ptr_null(world_xattr(&world, "/clusters/prod/services/web/running-count", "user.ecsfs.stale"));
    world_step(&world, 60000);
    world.hung = true;
    world_begin(&world);
    ck_assert_int_eq(fs_getattr(world.tree, &world.rq, inode, &attr), FS_PARKED);
    for (int i = 0; i < 20 && !world.woken; i++)
        world_step(&world, 100);
    ck_assert(world.woken);
    r = fs_getattr(world.tree, &world.rq, inode, &attr);
    ck_assert_int_eq(world_end(&world, inode, r), 0);
    ck_assert_int_eq(attr.st.st_size, 2);
    ck_assert_int_eq(attr.valid_ms, 0);
    cleanup_buf struct ecs_buf value = ECS_BUF(64);
    ck_assert_int_eq(fs_getxattr(world.tree, &world.rq, inode, "user.ecsfs.stale", &value), 0);
    world.hung = false;
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/services/web/running-count"), "3\n");
}
END_TEST

START_TEST(the_same_failure_is_told_once_in_a_while)
{
    for (int i = 0; i < 5; i++) {
        world.fail_operation = "DescribeClusters";
        world.fail_status = 400;
        world.fail_code = "AccessDeniedException";
        world.fail_message = "User is not authorized";
        ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), -EACCES);
        world_step(&world, 20000);
        world.clock.wall -= 86400000; /* somebody sets the clock: that is no time gone by */
    }
    const char *errors = world_cat(&world, "/.ecsfs/errors");
    int lines = 0;
    for (const char *at = errors; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    ck_assert_int_eq(lines, 2);
}
END_TEST

START_TEST(failures_are_recorded_with_their_request)
{
    world.fail_operation = "DescribeClusters";
    world.fail_status = 400;
    world.fail_code = "AccessDeniedException";
    world.fail_message = "User is not authorized";
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), -EACCES);
    const char *errors = world_cat(&world, "/.ecsfs/errors");
    ck_assert_ptr_nonnull(strstr(errors, "DescribeClusters AccessDeniedException: User is not authorized"));
    ck_assert_ptr_nonnull(strstr(errors, "(request req-2)"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tree_read");
    TCase *tests = tcase_create("read");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, static_names_cost_no_call);
    tcase_add_test(tests, first_cat_takes_two_calls);
    tcase_add_loop_test(tests, texts_are_as_designed, 0, ARRAY_LEN(texts));
    tcase_add_loop_test(tests, absent_things_are_enoent, 0, ARRAY_LEN(absent));
    tcase_add_test(tests, absent_things_are_not_listed);
    tcase_add_test(tests, links_lead_to_the_task);
    tcase_add_test(tests, revisions_are_canonical_and_asked_once);
    tcase_add_test(tests, a_walk_meets_every_listed_name);
    tcase_add_test(tests, scan_of_services_is_batched);
    tcase_add_test(tests, sizes_and_times_are_true);
    tcase_add_test(tests, numbers_are_stable);
    tcase_add_test(tests, inodes_go_when_forgotten);
    tcase_add_test(tests, unused_inodes_do_not_pile_up);
    tcase_add_test(tests, peek_never_calls);
    tcase_add_test(tests, a_hung_endpoint_leaves_known_things_readable);
    tcase_add_test(tests, a_dead_endpoint_serves_what_is_known_and_says_so);
    tcase_add_test(tests, the_same_failure_is_told_once_in_a_while);
    tcase_add_test(tests, failures_are_recorded_with_their_request);
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
