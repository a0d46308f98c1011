/* SPDX-License-Identifier: Apache-2.0 */
/* A file's time goes with its text: it stays when nothing changed, and never goes back, though the kernel
 * forgets the inode. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tree/times.h"
#include "tree/tree_private.h"
#include "write_account.h"
#include "write_world.h"

#define DOCUMENT SERVICES "/web/service.json"
#define RUNNING SERVICES "/web/running-count"

static int64_t time_of(const char *path)
{
    struct fs_attr attr;
    ck_assert_int_eq(world_stat(&world, path, &attr), 0);
    return attr.st.st_mtim.tv_sec * 1000 + attr.st.st_mtim.tv_nsec / 1000000;
}

/* The kernel forgets it, and other inodes take its place in the tree. */
static void forget(const char *path)
{
    struct fs_inode *inode = world_node(path);
    uint64_t ino = fs_inode_number(inode);
    fs_forget(world.tree, ino, inode->nlookup);
    ck_assert_ptr_null(fs_inode_find(world.tree, ino));
}

static void set_count(const char *name, int count)
{
    json_object_set_new(world_service(&world, "web"), name, json_integer(count));
    world_step(&world, 60000);
}

START_TEST(the_time_of_a_save_stays)
{
    int64_t created = time_of(DOCUMENT);
    world_step(&world, 60000);
    ck_assert_int_eq(
        world_write(&world, DOCUMENT, "{\"launchType\": \"FARGATE\", \"taskDefinition\": \"web:2\"}\n"), 0);
    int64_t saved = time_of(DOCUMENT);
    ck_assert_int_gt(saved, created);
    world_step(&world, 60000);
    ck_assert_int_eq(time_of(DOCUMENT), saved);
    forget(DOCUMENT);
    ck_assert_int_eq(time_of(DOCUMENT), saved);
    world_step(&world, 60000);
    ck_assert_int_eq(
        world_write(&world, DOCUMENT, "{\"launchType\": \"FARGATE\", \"taskDefinition\": \"web:1\"}\n"), 0);
    ck_assert_int_gt(time_of(DOCUMENT), saved);
}
END_TEST

START_TEST(what_else_happens_is_no_change_of_a_document)
{
    int64_t document = time_of(DOCUMENT), running = time_of(RUNNING);
    set_count("runningCount", 1);
    ck_assert_int_gt(time_of(RUNNING), running);
    ck_assert_int_eq(time_of(DOCUMENT), document);
    forget(DOCUMENT);
    set_count("runningCount", 2);
    ck_assert_int_eq(time_of(DOCUMENT), document);
    json_object_set_new(world_service(&world, "web"), "taskDefinition",
                        json_string("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:3"));
    world_step(&world, 60000);
    ck_assert_int_gt(time_of(DOCUMENT), document);
}
END_TEST

START_TEST(forgotten_files_keep_their_time_if_they_are_the_same)
{
    int64_t created = time_of(RUNNING);
    set_count("runningCount", 1);
    int64_t changed = time_of(RUNNING);
    ck_assert_int_gt(changed, created);
    forget(RUNNING);
    world_step(&world, 60000);
    ck_assert_int_eq(time_of(RUNNING), changed);
    forget(RUNNING);
    set_count("runningCount", 2); /* nobody sees it */
    ck_assert_int_gt(time_of(RUNNING), changed);
}
END_TEST

START_TEST(the_table_is_bounded_and_keeps_what_is_asked_for)
{
    struct fs_times *times = fs_times_new();
    struct fs_time *kept = fs_times_of(times, 7);
    kept->changed_ms = 70;
    ck_assert_ptr_null(fs_times_find(times, 8));
    for (uint64_t i = 1000; i < 1000 + 3 * (uint64_t)FS_TIMES_MAX; i++) {
        struct fs_time *time = fs_times_of(times, i * 0x9e3779b97f4a7c15U);
        if (time == NULL)
            ck_abort_msg("out of memory");
        time->changed_ms = (int64_t)i;
        if (i % 10000 == 0)
            ck_assert_int_eq(fs_times_find(times, 7)->changed_ms, 70);
    }
    ck_assert_int_eq(fs_times_find(times, 7)->changed_ms, 70);
    ck_assert_ptr_null(fs_times_find(times, 1000 * 0x9e3779b97f4a7c15U));
    uint64_t last = 1000 + 3 * (uint64_t)FS_TIMES_MAX - 1;
    ck_assert_int_eq(fs_times_find(times, last * 0x9e3779b97f4a7c15U)->changed_ms, (int64_t)last);
    ck_assert_ptr_null(fs_times_free(times));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("times");
    TCase *tcase = tcase_create("tree");
    tcase_add_checked_fixture(tcase, write_world_setup, write_world_teardown);
    tcase_add_test(tcase, the_time_of_a_save_stays);
    tcase_add_test(tcase, what_else_happens_is_no_change_of_a_document);
    tcase_add_test(tcase, forgotten_files_keep_their_time_if_they_are_the_same);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("table");
    tcase_add_test(tcase, the_table_is_bounded_and_keeps_what_is_asked_for);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
