/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars, written: when they act, what they send, what is said when they are refused. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "tree/tree_private.h"
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

static void check_last(const char *operation, const char *json)
{
    char text[512];
    snprintf(text, sizeof(text), "%s", json);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *want = json_loads(text, 0, NULL), *got = json_object_get(world.last, operation);
    cleanup_free char *dump = json_dumps(got, JSON_COMPACT);
    ck_assert_ptr_nonnull(want);
    ck_assert_msg(json_equal(want, got), "%s: %s", operation, dump);
    json_decref(want);
}

START_TEST(scaling_is_one_call_of_three_members)
{
    ck_assert_int_eq(world_lookup(&world, WEB "desired-count"), 0);
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "5\n"), 0);
    ck_assert_int_eq(world_calls(&world, NULL), 1);
    check_last("UpdateService", "{'cluster':'prod','service':'web','desiredCount':5}");
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "5\n");
    ck_assert_int_eq(world_calls(&world, NULL), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(world_service(&world, "web"), "desiredCount")), 5);
    const char *journal = world_cat(&world, "/.ecsfs/journal");
    ck_assert_ptr_nonnull(strstr(journal, "uid=1000 pid=4242 " WEB "desired-count UpdateService "));
    ck_assert_ptr_nonnull(strstr(journal, "desiredCount=5: ok\n"));
}
END_TEST

START_TEST(without_a_newline_it_acts_at_flush)
{
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "7"), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    check_last("UpdateService", "{'cluster':'prod','service':'web','desiredCount':7}");
}
END_TEST

/* Opens for writing, and writes each piece; returns the first failure. */
static int write_pieces(const char *path, const char *const *pieces, pid_t flusher)
{
    int r;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    struct fs_inode *inode = world_at(&world, path, &r);
    ck_assert_ptr_nonnull(inode);
    r = WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, O_WRONLY, &handle, &hints));
    ck_assert_int_eq(r, 0);
    ck_assert(hints.direct_io);
    for (off_t at = 0; r == 0 && *pieces != NULL; at += (off_t)strlen(*pieces++))
        r = WORLD_RUN(&world, inode, fs_write(world.tree, &world.rq, handle, *pieces, strlen(*pieces), at));
    world_begin(&world);
    world.rq.pid = flusher;
    int flushed;
    do
        flushed = fs_flush(world.tree, &world.rq, handle);
    while (world_again(&world, flushed));
    flushed = world_end(&world, inode, flushed);
    fs_release(world.tree, handle);
    return r != 0 ? r : flushed;
}

START_TEST(pieces_are_one_value)
{
    ck_assert_int_eq(write_pieces(WEB "desired-count", (const char *const[]){"7", "5\n", NULL}, 4242), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    check_last("UpdateService", "{'cluster':'prod','service':'web','desiredCount':75}");
}
END_TEST

START_TEST(lines_in_several_writes_act_one_after_another)
{
    ck_assert_int_eq(write_pieces(WEB "desired-count", (const char *const[]){"7\n", "5\n", NULL}, 4242), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 2);
    check_last("UpdateService", "{'cluster':'prod','service':'web','desiredCount':5}");
}
END_TEST

/* Another process closes first: nothing yet. The last close acts, for nobody else will. */
START_TEST(a_childs_close_does_not_act_the_last_one_does)
{
    ck_assert_int_eq(write_pieces(WEB "desired-count", (const char *const[]){"7", NULL}, 99), 0);
    ecs_cache_pump(world.cache);
    world_begin(&world);
    world_again(&world, FS_PARKED); /* lets the late call be answered */
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(world_service(&world, "web"), "desiredCount")), 7);
}
END_TEST

static const struct {
    const char *path, *text, *message;
    int err;
} refused[] = {
    {WEB "desired-count", "many\n", "desired-count takes a whole number, 0 or more; got \"many\"", -EINVAL},
    {WEB "desired-count", "-1\n", "got \"-1\"", -EINVAL},
    {WEB "desired-count", "+1\n", "got \"+1\"", -EINVAL},
    {WEB "desired-count", "3.5\n", "got \"3.5\"", -EINVAL},
    {WEB "desired-count", "2147483648\n", "got \"2147483648\"", -EINVAL},
    {WEB "desired-count", "99999999999999999999999999\n", "whole number", -EINVAL},
    {WEB "desired-count", "5\n6\n", "takes one value", -EINVAL},
    {WEB "desired-count", "\n", "got an empty line", -EINVAL},
    {WEB "desired-count", "  \n", "got an empty line", -EINVAL},
    {WEB "desired-count", "5 6\n", "got \"5 6\"", -EINVAL},
    {WEB "task-definition", "web 12\n", "task-definition takes", -EINVAL},
    {WEB "force-new-deployment", "yes\n", "takes \"1\"", -EINVAL},
    {"/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/status", "draining\n",
     "takes ACTIVE or DRAINING", -EINVAL},
    {"/.ecsfs/refresh", "/clusters/prod/nonsense\n", "refresh takes a path", -ENOENT},
};

START_TEST(bad_values_are_refused_before_any_call)
{
    ck_assert_int_eq(world_lookup(&world, refused[_i].path), 0);
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, refused[_i].path, refused[_i].text), refused[_i].err);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
    const char *xattr = world_xattr(&world, refused[_i].path, "user.ecsfs.error");
    ck_assert_msg(xattr != NULL && strstr(xattr, refused[_i].message) != NULL, "%s: %s", refused[_i].text,
                  xattr);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/errors"), refused[_i].message));
    ck_assert_str_eq(world_cat(&world, "/.ecsfs/journal"), "");
}
END_TEST

START_TEST(too_long_a_line_is_refused)
{
    char text[8192];
    memset(text, '1', sizeof(text));
    memcpy(text + sizeof(text) - 2, "\n", 2);
    ck_assert_int_eq(world_write(&world, WEB "desired-count", text), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 0);
}
END_TEST

START_TEST(touching_and_emptying_do_nothing)
{
    ck_assert_int_eq(world_write(&world, WEB "desired-count", ""), 0);
    int r;
    struct fs_inode *inode = world_at(&world, WEB "desired-count", &r);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_truncate(world.tree, &world.rq, inode, NULL, 0)), 0);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_setattr(world.tree, &world.rq, inode)), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 0);
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "3\n");
}
END_TEST

START_TEST(read_only_files_are_not_opened_for_writing)
{
    ck_assert_int_eq(world_write(&world, WEB "running-count", "5\n"), -EACCES);
    ck_assert_int_eq(world_write(&world, "/README", "x\n"), -EACCES);
    ck_assert_int_eq(world_write(&world, "/clusters", "x\n"), -EISDIR);
    int r;
    struct fs_inode *inode = world_at(&world, WEB "running-count", &r);
    ck_assert_int_eq(fs_access(world.tree, &world.rq, inode, W_OK), -EACCES);
    ck_assert_int_eq(fs_access(world.tree, &world.rq, inode, R_OK), 0);
}
END_TEST

START_TEST(deploying_and_rolling_back)
{
    ck_assert_int_eq(world_write(&world, WEB "task-definition", "web:2\n"), 0);
    check_last("UpdateService", "{'cluster':'prod','service':'web','taskDefinition':'web:2'}");
    ck_assert_str_eq(world_cat(&world, WEB "task-definition"), "web:2\n");
    ck_assert_str_eq(world_cat(&world, WEB "previous-task-definition"), "web:1\n");
    ck_assert_str_eq(world_cat(&world, WEB "rollout-state"), "IN_PROGRESS\n");
    ck_assert_int_eq(
        world_write(&world, WEB "task-definition", world_cat(&world, WEB "previous-task-definition")), 0);
    ck_assert_str_eq(world_cat(&world, WEB "task-definition"), "web:1\n");
}
END_TEST

START_TEST(what_aws_refuses_changes_nothing_and_says_why)
{
    ck_assert_int_eq(world_write(&world, WEB "task-definition", "nope:9\n"), -ENOENT);
    ck_assert_str_eq(world_cat(&world, WEB "task-definition"), "web:1\n");
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/errors"),
                                 WEB "task-definition UpdateService ClientException: Unable to describe task "
                                     "definition. (request req-1)"));
    const char *xattr = world_xattr(&world, WEB "task-definition", "user.ecsfs.error");
    ck_assert_str_eq(xattr, "ClientException: Unable to describe task definition. (request req-1)");
    ck_assert_ptr_nonnull(
        strstr(world_cat(&world, "/.ecsfs/journal"), "taskDefinition=nope:9: ClientException: "));
    ck_assert_int_eq(world_write(&world, WEB "task-definition", "web:2\n"), 0);
    ck_assert_ptr_null(world_xattr(&world, WEB "task-definition", "user.ecsfs.error"));
    ck_assert_int_eq(errno, ENODATA);
}
END_TEST

START_TEST(stop_takes_a_reason)
{
    ck_assert_int_eq(world_write(&world, "/clusters/prod/tasks/00000000000000000000000000000001/stop",
                                 "stuck on a lock\n"),
                     0);
    check_last("StopTask",
               "{'cluster':'prod','task':'00000000000000000000000000000001','reason':'stuck on a lock'}");
    ck_assert_str_eq(
        world_cat(&world, "/clusters/prod/tasks/00000000000000000000000000000001/stopped-reason"),
        "stuck on a lock\n");
    ck_assert_str_eq(world_cat(&world, "/clusters/prod/tasks/00000000000000000000000000000001/stop"), "");
}
END_TEST

START_TEST(an_instance_is_drained)
{
    const char *path = "/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/status";
    ck_assert_int_eq(world_write(&world, path, "DRAINING\n"), 0);
    check_last(
        "UpdateContainerInstancesState",
        "{'cluster':'prod','containerInstances':['1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c'],'status':'DRAINING'}");
    ck_assert_str_eq(world_cat(&world, path), "DRAINING\n");
}
END_TEST

START_TEST(an_interrupted_write_is_still_journaled)
{
    ck_assert_int_eq(world_lookup(&world, WEB "desired-count"), 0);
    world.hung = true;
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "9\n"), -EBUSY);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    world.hung = false;
    world_begin(&world);
    world_again(&world, FS_PARKED);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "desiredCount=9: ok"));
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "9\n");
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
}
END_TEST

/* The shutdown of a mount whose write nobody has answered. */
START_TEST(a_tree_may_go_with_a_write_under_way)
{
    ck_assert_int_eq(world_lookup(&world, WEB "desired-count"), 0);
    world.hung = true;
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "9\n"), -EBUSY);
}
END_TEST

START_TEST(read_write_descriptors_read_the_value)
{
    int r;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    const char *data;
    size_t len;
    struct fs_inode *inode = world_at(&world, WEB "desired-count", &r);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, O_RDWR, &handle, &hints)),
                     0);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len)),
                     0);
    ck_assert_uint_eq(len, 2);
    ck_assert_int_eq(memcmp(data, "3\n", 2), 0);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_write(world.tree, &world.rq, handle, "4\n", 2, 0)), 0);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_read(world.tree, &world.rq, handle, 100, 0, &data, &len)),
                     0);
    ck_assert_int_eq(memcmp(data, "4\n", 2), 0);
    fs_release(world.tree, handle);
}
END_TEST

/* ---- options ---- */

static void with(struct fs_options options)
{
    world_free(&world);
    options.source = "fake";
    options.options = "test";
    options.uid = options.gid = 1000;
    options.stale_ms = 5000;
    world_init(&world, &options);
}

START_TEST(ro_refuses_before_any_call_but_refreshes)
{
    with((struct fs_options){.ro = true});
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "3\n");
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "5\n"), -EROFS);
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "many\n"), -EROFS);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
    ck_assert_int_eq(world_write(&world, "/.ecsfs/refresh", "/\n"), 0);
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "3\n");
    ck_assert_int_eq(world_calls(&world, NULL), 2);
}
END_TEST

START_TEST(dry_run_checks_and_journals)
{
    with((struct fs_options){.dry_run = true});
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "5\n"), 0);
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "many\n"), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 0);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "desiredCount=5: dry run\n"));
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "3\n");
}
END_TEST

static void expire(void)
{
    world.fail_operation = "DescribeClusters";
    world.fail_status = 400;
    world.fail_code = "ExpiredTokenException";
    world.fail_message = "The security token included in the request is expired";
}

START_TEST(posix_errno_folds)
{
    with((struct fs_options){.posix_errno = true});
    expire();
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), -EACCES);
    with((struct fs_options){0});
    expire();
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), -EKEYEXPIRED);
}
END_TEST

static const struct {
    const char *operation, *body, *told;
} told[] = {
    {"UpdateService", "{\"cluster\":\"c\",\"networkConfiguration\":{\"secret\":1},\"loadBalancers\":[]}",
     "cluster=c networkConfiguration={...} loadBalancers=[]"},
    {"UpdateService", "{\"placementConstraints\":[\"secret\"],\"service\":\"s\",\"role\":\"secret\"}",
     "service=s placementConstraints=[...] role=..."},
    {"CreateService", "{\"serviceName\":\"s\",\"clientToken\":\"secret\",\"launchType\":\"EC2\"}",
     "serviceName=s launchType=EC2"},
    {"PutAttributes",
     "{\"attributes\":[{\"name\":\"stack\",\"value\":\"a b\",\"targetId\":\"i\"}],\"cluster\":\"c\"}",
     "cluster=c name=stack value=\"a b\""},
    {"DeleteAttributes", "{\"attributes\":[{\"name\":\"stack\"}]}", "name=stack"},
    {"RegisterTaskDefinition", "{\"family\":\"f\",\"containerDefinitions\":[\"secret\"],\"cpu\":\"1\"}",
     "family=f"},
};

START_TEST(the_journal_names_what_is_sent)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(4096);
    ck_assert_int_eq(fs_journal_arguments(told[_i].operation, told[_i].body, &text), 0);
    ck_assert_str_eq(text.data, told[_i].told);
}
END_TEST

/* However many members there are, and however long: the call is made. */
START_TEST(the_journal_has_room_for_any_call)
{
    cleanup_buf struct ecs_buf body = ECS_BUF(1 << 20), text = ECS_BUF(4096);
    for (int i = 0; i < 5000; i++)
        ecs_buf_addf(&body, "%s\"%080d\":{}", i > 0 ? "," : "{", i);
    ecs_buf_adds(&body, "}");
    ck_assert_int_eq(body.failed, 0);
    ck_assert_int_eq(fs_journal_arguments("UpdateService", body.data, &text), 0);
}
END_TEST

START_TEST(the_journal_file_is_appended_to)
{
    char path[] = "/tmp/ecsfs-journal-XXXXXX", line[1024] = "";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, "before\n", 7), 7);
    with((struct fs_options){.journal_file = path});
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "5\n"), 0);
    ssize_t len = pread(fd, line, sizeof(line) - 1, 0);
    close(fd);
    unlink(path);
    ck_assert_int_gt((int)len, 7);
    ck_assert_ptr_nonnull(strstr(line, "before\n2023-"));
    ck_assert_ptr_nonnull(strstr(line, "cluster=prod service=web desiredCount=5: ok\n"));
}
END_TEST

START_TEST(a_journal_that_cannot_be_opened_is_told)
{
    struct fs_options options = {.journal_file = "/nonexistent/journal", .clock = &world.clock.clock};
    struct fs_kernel kernel = {0};
    errno = 0;
    ck_assert_ptr_null(fs_tree_new(&options, &kernel));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tree_scalar");
    TCase *tests = tcase_create("scalar");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, scaling_is_one_call_of_three_members);
    tcase_add_test(tests, without_a_newline_it_acts_at_flush);
    tcase_add_test(tests, pieces_are_one_value);
    tcase_add_test(tests, lines_in_several_writes_act_one_after_another);
    tcase_add_test(tests, a_childs_close_does_not_act_the_last_one_does);
    tcase_add_loop_test(tests, bad_values_are_refused_before_any_call, 0, ARRAY_LEN(refused));
    tcase_add_test(tests, too_long_a_line_is_refused);
    tcase_add_test(tests, touching_and_emptying_do_nothing);
    tcase_add_test(tests, read_only_files_are_not_opened_for_writing);
    tcase_add_test(tests, deploying_and_rolling_back);
    tcase_add_test(tests, what_aws_refuses_changes_nothing_and_says_why);
    tcase_add_test(tests, stop_takes_a_reason);
    tcase_add_test(tests, an_instance_is_drained);
    tcase_add_test(tests, an_interrupted_write_is_still_journaled);
    tcase_add_test(tests, a_tree_may_go_with_a_write_under_way);
    tcase_add_test(tests, read_write_descriptors_read_the_value);
    tcase_add_test(tests, ro_refuses_before_any_call_but_refreshes);
    tcase_add_test(tests, dry_run_checks_and_journals);
    tcase_add_test(tests, posix_errno_folds);
    tcase_add_loop_test(tests, the_journal_names_what_is_sent, 0, ARRAY_LEN(told));
    tcase_add_test(tests, the_journal_has_room_for_any_call);
    tcase_add_test(tests, the_journal_file_is_appended_to);
    tcase_add_test(tests, a_journal_that_cannot_be_opened_is_told);
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
