/* SPDX-License-Identifier: Apache-2.0 */
/* Saves through the tree, on a made-up account: what reaches AWS, what is shown, what is said. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "staging/local.h"
#include "tree/tree_private.h"
#include "write_account.h"
#include "write_world.h"

/* ---- saves ---- */

START_TEST(a_save_is_one_registration)
{
    ck_assert_ptr_nonnull(world_cat(&world, LATEST));
    ck_assert_ptr_nonnull(world_ls(&world, FAMILY));
    world_forget_counts(&world);
    world_step(&world, 1);
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribeTaskDefinition"), 1); /* made after the open, to compare */
    ck_assert_int_eq(world_calls(&world, NULL), 2);
    const char *text = world_cat(&world, LATEST);
    ck_assert_ptr_nonnull(strstr(text, "\"image\": \"example/app:9\""));
    ck_assert_ptr_nonnull(strstr(text, "\"family\": \"web\""));
    ck_assert(world_has_line(world_ls(&world, FAMILY), "4.json"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/4.json"), "app:9"));
    ck_assert_int_eq(world_calls(&world, NULL), 2); /* read your writes, without asking */
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"),
                                 LATEST " RegisterTaskDefinition family=web: ok web:4\n"));
    ck_assert_ptr_nonnull(strstr(world.told, "inode " LATEST));
}
END_TEST

START_TEST(what_is_there_is_not_saved_again)
{
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    world_step(&world, 60000);
    cleanup_free char *text = strdup(world_cat(&world, LATEST));
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, LATEST, text), 0);
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

/* Somebody else registered one since we read: equal to the old is a change now. */
START_TEST(compared_with_what_is_there_now)
{
    cleanup_free char *text = strdup(world_cat(&world, LATEST));
    json_t *revisions = json_object_get(json_object_get(world.account, "families"), "web");
    json_t *other = json_deep_copy(json_array_get(revisions, 2));
    json_object_set_new(other, "revision", json_integer(4));
    json_object_set_new(other, "memory", json_string("1024"));
    json_array_append_new(revisions, other);
    world_step(&world, 1);
    ck_assert_int_eq(world_write(&world, LATEST, text), 0);
    ck_assert_int_eq(world_changes(), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "web:4 is newer than web:3"));
}
END_TEST

START_TEST(the_path_is_the_name)
{
    cleanup_free char *text = strdup(world_cat(&world, LATEST));
    ck_assert_int_eq(world_write(&world, "/task-definitions/api/latest.json", text), 0);
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(world.last, "RegisterTaskDefinition"), "family")),
        "api");
}
END_TEST

START_TEST(a_refusal_is_told_kept_and_remembered)
{
    cleanup_free char *before = strdup(world_cat(&world, LATEST));
    struct fs_handle *handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(world_write_at(handle, REFUSED, 0), -EINVAL);
    ck_assert_int_eq(world_fsync(handle), -EINVAL);
    ck_assert_int_eq(world_write_at(handle, REFUSED, 0), -EINVAL); /* VS Code tries three times */
    ck_assert_int_eq(world_flush(handle), -EINVAL);
    ck_assert_int_eq(world_flush(handle), -EINVAL);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_str_eq(world_cat(&world, LATEST), before);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "ClientException: Container.image"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/errors"), "ClientException"));

    char path[256];
    const char *name = world_ls(&world, "/.ecsfs/rejected");
    ck_assert_ptr_nonnull(strstr(name, "Z-web-latest.json\n"));
    snprintf(path, sizeof(path), "/.ecsfs/rejected/%.*s", (int)strcspn(name, "\n"), name);
    ck_assert_str_eq(world_cat(&world, path), REFUSED);

    world_step(&world, 4000);
    ck_assert_int_eq(world_write(&world, LATEST, REFUSED), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    world_step(&world, 5001);
    ck_assert_int_eq(world_write(&world, LATEST, REFUSED), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);

    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_ptr_null(world_xattr(&world, LATEST, "user.ecsfs.error"));
}
END_TEST

START_TEST(what_is_no_verdict_is_tried_again)
{
    world.fail_operation = "RegisterTaskDefinition";
    world.fail_code = "AccessDeniedException";
    world.fail_message = "not you";
    world.fail_status = 400;
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), -EACCES);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1); /* not at flush too */
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/.ecsfs/rejected"), "latest.json"));
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    /* nor that something it names is not there yet */
    world.fail_operation = "RegisterTaskDefinition";
    world.fail_code = "ClientException";
    world.fail_message = "Role not found.";
    ck_assert_int_eq(world_write(&world, LATEST, BETTER), -EINVAL);
    ck_assert_int_eq(world_write(&world, LATEST, BETTER), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 4);
}
END_TEST

START_TEST(local_refusals_make_no_call)
{
    world_node(LATEST);
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, LATEST, "{\"images\": 1}\n"), -EINVAL);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "images: no such field"));
    ck_assert_int_eq(world_write(&world, LATEST, "bad\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, LATEST, "{\"a\":"), -EINVAL);
    ck_assert_int_eq(world_write(&world, LATEST, ""), 0);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
}
END_TEST

/* The limit is told in the write, and nothing else at close. */
START_TEST(too_large_says_so)
{
    size_t len = FS_STAGE_MAX - 100;
    cleanup_free char *text = malloc(len + 1);
    memset(text, ' ', len);
    text[0] = '{';
    text[len] = '\0';
    world_node(LATEST);
    world_forget_counts(&world);
    struct fs_handle *handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(world_write_at(handle, text, 0), 0);
    ck_assert_int_eq(world_write_at(handle, text, (off_t)len), -EFBIG);
    ck_assert_int_eq(world_flush(handle), -EFBIG);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "at most 4194304 bytes"));
    fs_release(world.tree, handle);
    ck_assert_ptr_null(strstr(world_cat(&world, "/.ecsfs/errors"), "end of"));
    ck_assert_int_eq(world_calls(&world, NULL), 0);

    /* a file renamed onto it may be larger than that */
    ck_assert_int_eq(world_create(FAMILY, "t", text, O_EXCL), 0);
    handle = world_open(FAMILY "/t", O_WRONLY);
    ck_assert_int_eq(world_write_at(handle, text, (off_t)len), 0);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_rename(FAMILY, "t", FAMILY, "latest.json", 0), -EFBIG);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/t"), 0);
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
}
END_TEST

/* ---- lost answers ---- */

START_TEST(a_lost_answer_is_looked_for)
{
    write_account_loss = (struct write_account_loss){"RegisterTaskDefinition", false};
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert(world_has_line(world_ls(&world, FAMILY), "4.json"));
    ck_assert(!world_has_line(world_ls(&world, FAMILY), "5.json"));
}
END_TEST

START_TEST(what_was_not_done_is_sent_again)
{
    write_account_loss = (struct write_account_loss){"RegisterTaskDefinition", true};
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(world.account, "families"), "web")), 4);
}
END_TEST

/* ---- services ---- */

#define WHOLE "\"taskDefinition\": \"web:1\", \"launchType\": \"FARGATE\", " /* what is shown of it */

START_TEST(only_what_differs_is_sent)
{
    cleanup_free char *text = strdup(world_cat(&world, SERVICES "/web/service.json"));
    char *revision = strstr(text, "web:1\"");
    ck_assert_ptr_nonnull(revision);
    revision[4] = '2';
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json", text), 0);
    cleanup_free char *sent =
        json_dumps(json_object_get(world.last, "UpdateService"), JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(sent, "{\"cluster\":\"prod\",\"service\":\"web\",\"taskDefinition\":\"web:2\"}");
}
END_TEST

/* Nobody's save is taken for nothing: the refused text is kept, and AWS was not asked. */
START_TEST(what_is_taken_out_is_no_silent_nothing)
{
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json", "{\"taskDefinition\": \"web:2\"}\n"),
                     -EINVAL);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, SERVICES "/web/service.json", "user.ecsfs.error"),
                                 "launchType (it is \"FARGATE\")"));
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

START_TEST(a_service_that_went_is_not_made_anew)
{
    struct fs_handle *handle = world_open(SERVICES "/web/service.json", O_WRONLY | O_TRUNC);
    json_object_del(
        json_object_get(json_object_get(json_object_get(world.account, "clusters"), "prod"), "services"),
        "web");
    world_step(&world, 1);
    ck_assert_int_eq(world_write_at(handle, "{\"desiredCount\": 5}\n", 0), -ESTALE);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

START_TEST(the_first_failure_stops_and_says_what_was_done)
{
    world.fail_operation = "TagResource";
    world.fail_code = "InvalidParameterException";
    world.fail_message = "no such tag";
    world.fail_status = 400;
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json",
                                 "{" WHOLE
                                 "\"desiredCount\": 9, \"tags\": [{\"key\": \"a\", \"value\": \"b\"}]}\n"),
                     -EINVAL);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, SERVICES "/web/service.json", "user.ecsfs.error"),
                                 "UpdateService was done, TagResource failed: no such tag"));
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/desired-count"), "9\n");
}
END_TEST

#define NOT_SENT SERVICES "/web/service.json TagResource: not sent"
#define TAGGED "{" WHOLE "\"desiredCount\": 8, \"tags\": [{\"key\": \"a\", \"value\": \"b\"}]}\n"

START_TEST(what_was_not_sent_is_said)
{
    world.fail_operation = "UpdateService";
    world.fail_code = "AccessDeniedException";
    world.fail_message = "not you";
    world.fail_status = 400;
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json", TAGGED), -EACCES);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, SERVICES "/web/service.json", "user.ecsfs.error"),
                                 "UpdateService failed, TagResource was not sent: not you"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), NOT_SENT));
    ck_assert_int_eq(world_calls(&world, "TagResource"), 0);
}
END_TEST

/* Interrupted while the first of two calls is out: that one goes on, the second is never sent. */
START_TEST(what_an_interrupted_save_did_is_said)
{
    struct fs_handle *handle = world_open(SERVICES "/web/service.json", O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, TAGGED, strlen(TAGGED), 0);
    for (int i = 0; i < 100 && world_calls(&world, "UpdateService") == 0; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, handle, TAGGED, strlen(TAGGED), 0);
    }
    ck_assert_int_eq(r, FS_PARKED);
    fs_request_interrupt(world.tree, &world.rq);
    fs_release(world.tree, handle);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, SERVICES "/web/service.json", "user.ecsfs.error"),
               "UpdateService was sent, and the journal tells its outcome, TagResource was not sent"));
    const char *journal = world_cat(&world, "/.ecsfs/journal");
    ck_assert_ptr_nonnull(strstr(journal, NOT_SENT));
    world_step(&world, 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"),
                                 "UpdateService desiredCount=8 cluster=prod service=web: ok"));
    ck_assert_int_eq(world_calls(&world, "TagResource"), 0);
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json", TAGGED), 0); /* does the rest */
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    ck_assert_int_eq(world_calls(&world, "TagResource"), 1);
    ck_assert_ptr_null(world_xattr(&world, SERVICES "/web/service.json", "user.ecsfs.error"));
}
END_TEST

/* ---- interrupted ---- */

START_TEST(interrupted_while_aws_works_on_it)
{
    struct fs_handle *handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    struct fs_inode *inode = fs_handle_inode(handle);
    world.hung = true;                                         /* the describe does not come */
    ck_assert_int_eq(world_write_at(handle, GOOD, 0), -EBUSY); /* world_end interrupts it */
    ck_assert_int_eq(world_flush(handle), -EINTR);
    world.hung = false;
    ck_assert_int_eq(world_write_at(handle, GOOD, 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_int_eq(world_flush(handle), 0);
    fs_release(world.tree, handle);

    /* now the registration itself hangs: the next save waits for its outcome, and finds it done */
    handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, BETTER, strlen(BETTER), 0);
    for (int i = 0; i < 100 && world_calls(&world, "RegisterTaskDefinition") < 2; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, handle, BETTER, strlen(BETTER), 0);
    }
    ck_assert_int_eq(r, FS_PARKED);
    fs_request_interrupt(world.tree, &world.rq);
    ck_assert_int_eq(world_flush(handle), -EINTR);
    ck_assert_int_eq(world_write_at(handle, BETTER, 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    fs_release(world.tree, handle);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:10"));
    ck_assert_ptr_null(inode->local);
}
END_TEST

/* Unmounted before the answer: the journal says so, and nothing of it is left (the sanitizer tells). */
START_TEST(unmounted_while_aws_works_on_it)
{
    char file[] = "/tmp/ecsfs-journal.XXXXXX";
    close(mkstemp(file));
    write_world_teardown();
    write_world_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .journal_file = file});
    struct fs_handle *handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    for (int i = 0; i < 100 && world_calls(&world, "RegisterTaskDefinition") == 0; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    }
    ck_assert_int_eq(r, FS_PARKED);
    fs_request_interrupt(world.tree, &world.rq);
    fs_release(world.tree, handle);
    world.tree = fs_tree_free(world.tree);
    FILE *journal = fopen(file, "r");
    char line[1024] = "";
    ck_assert_ptr_nonnull(journal);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), journal));
    ck_assert_ptr_nonnull(
        strstr(line, LATEST " RegisterTaskDefinition family=web: OutcomeUnknown: unmounted"));
    fclose(journal);
    unlink(file);
    world.backend.stop(&world.backend); /* it comes home to nobody */
    world.cache = ecs_cache_free(world.cache);
    json_decref(world.account);
    json_decref(world.counts);
    json_decref(world.last);
    write_world_setup();
}
END_TEST

static void never_mind(struct ecs_want *want) {}

/* A child that inherited the descriptor ends while its parent's write is being saved. */
START_TEST(a_flush_waits_for_the_save_under_way)
{
    struct fs_handle *handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    ck_assert_int_eq(r, FS_PARKED);
    struct fs_request other = {.want = {.since_ms = world.clock.now, .wake = never_mind}, .pid = 7};
    ck_assert_int_eq(fs_flush(world.tree, &other, handle), FS_PARKED);
    for (int i = 0; i < 100 && r == FS_PARKED; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    }
    ck_assert_int_eq(world_end(&world, fs_handle_inode(handle), r), 0);
    world_step(&world, 1000);
    ck_assert_int_eq(fs_flush(world.tree, &other, handle), 0);
    fs_request_end(world.tree, &other, fs_handle_inode(handle), 0);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
}
END_TEST

START_TEST(a_mapping_written_back_late_is_saved)
{
    struct fs_handle *handle = world_open(LATEST, O_RDWR);
    struct fs_inode *inode = fs_handle_inode(handle);
    ck_assert_int_eq(world_flush(handle), 0);
    world_begin(&world);
    world.rq.pid = 0;
    int r = fs_truncate(world.tree, &world.rq, inode, handle, 0);
    ck_assert_int_eq(r, 0);
    r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    ck_assert_int_eq(world_end(&world, inode, r), 0);
    fs_release(world.tree, handle);
    for (int i = 0; i < 10; i++) { /* nobody waits: the loop goes on by itself */
        world_begin(&world);
        world_again(&world, FS_PARKED);
        world_step(&world, 1);
    }
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:9"));
}
END_TEST

/* ---- who sees what ---- */

START_TEST(readers_see_the_old_until_the_save)
{
    cleanup_free char *old = strdup(world_cat(&world, LATEST));
    struct fs_handle *handle = world_open(LATEST, O_WRONLY | O_TRUNC);
    struct fs_attr attr;
    ck_assert_int_eq(world_write_at(handle, "{\"containerDefinitions\": [", 0), 0);
    ck_assert_str_eq(world_cat(&world, LATEST), old);
    struct fs_inode *inode = fs_handle_inode(handle);
    world_begin(&world);
    ck_assert_int_eq(fs_getattr(world.tree, &world.rq, inode, &attr), 0);
    ck_assert_int_eq(attr.st.st_size, 26); /* who writes sees what it wrote */
    world.rq.pid = 1;
    ck_assert_int_eq(fs_getattr(world.tree, &world.rq, inode, &attr), 0);
    ck_assert_int_eq(attr.st.st_size, (off_t)strlen(old));
    world_end(&world, inode, 0);
    ck_assert_int_eq(world_flush(handle), -EINVAL);
    fs_release(world.tree, handle);
    ck_assert_str_eq(world_cat(&world, LATEST), old);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("saves");
    TCase *tcase = tcase_create("tree");
    tcase_add_checked_fixture(tcase, write_world_setup, write_world_teardown);
    tcase_add_test(tcase, a_save_is_one_registration);
    tcase_add_test(tcase, what_is_there_is_not_saved_again);
    tcase_add_test(tcase, compared_with_what_is_there_now);
    tcase_add_test(tcase, the_path_is_the_name);
    tcase_add_test(tcase, a_refusal_is_told_kept_and_remembered);
    tcase_add_test(tcase, what_is_no_verdict_is_tried_again);
    tcase_add_test(tcase, local_refusals_make_no_call);
    tcase_add_test(tcase, too_large_says_so);
    tcase_add_test(tcase, a_lost_answer_is_looked_for);
    tcase_add_test(tcase, what_was_not_done_is_sent_again);
    tcase_add_test(tcase, only_what_differs_is_sent);
    tcase_add_test(tcase, what_is_taken_out_is_no_silent_nothing);
    tcase_add_test(tcase, a_service_that_went_is_not_made_anew);
    tcase_add_test(tcase, the_first_failure_stops_and_says_what_was_done);
    tcase_add_test(tcase, what_was_not_sent_is_said);
    tcase_add_test(tcase, what_an_interrupted_save_did_is_said);
    tcase_add_test(tcase, interrupted_while_aws_works_on_it);
    tcase_add_test(tcase, unmounted_while_aws_works_on_it);
    tcase_add_test(tcase, a_flush_waits_for_the_save_under_way);
    tcase_add_test(tcase, a_mapping_written_back_late_is_saved);
    tcase_add_test(tcase, readers_see_the_old_until_the_save);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
