/* SPDX-License-Identifier: Apache-2.0 */
/* services/<service>/deployments/, revisions/, previous-task-definition and stable: what was deployed, and
 * how it ended. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy_account.h"
#include "ecsfs/cleanup.h"
#include "tree/tree_private.h"
#include "tree_account.h"
#include "tree_world.h"

#define WEB "/clusters/prod/services/web/"

static struct world world;

static void setup(void)
{
    account_more = deploy_answer;
    world_init(&world, NULL);
}

static void teardown(void)
{
    world_free(&world);
    account_more = NULL;
}

static void check_cat(const char *path, const char *wanted)
{
    const char *text = world_cat(&world, path);
    ck_assert_msg(text != NULL, "%s: %s", path, world_xattr(&world, path, "user.ecsfs.error"));
    ck_assert_msg(strcmp(text, wanted) == 0, "%s: %s", path, text);
}

START_TEST(a_deployment_is_a_directory)
{
    deploy_add(world.account, "a-1", "SUCCESSFUL", 1, 0);
    deploy_add(world.account, "-b_2", "ROLLBACK_SUCCESSFUL", 2, 1);
    ck_assert_str_eq(world_ls(&world, WEB "deployments"), "-b_2\na-1\n");
    check_cat(WEB "deployments/-b_2/status", "ROLLBACK_SUCCESSFUL\n");
    check_cat(WEB "deployments/-b_2/reason", "AWS's words.\n");
    check_cat(WEB "deployments/-b_2/rollback-reason", "The breaker's words.\n");
    check_cat(WEB "deployments/-b_2/task-definition", "web:2\n");
    check_cat(WEB "deployments/-b_2/service-revision", "2\n");
    check_cat(WEB "deployments/-b_2/created-at", "2023-11-14T22:13:21Z\n");
    check_cat(WEB "deployments/-b_2/requested-count", "3\n");
    check_cat(WEB "deployments/-b_2/running-count", "2\n");
    check_cat(WEB "deployments/-b_2/pending-count", "1\n");
    ck_assert_int_eq(world_lookup(&world, WEB "deployments/a-1/rollback-reason"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, WEB "deployments/a-1/finished-at"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, WEB "deployments/c-3"), -ENOENT);
    ck_assert_str_eq(world_ls(&world, WEB "revisions"), "1.json\n2.json\n");
    ck_assert_ptr_nonnull(strstr(world_cat(&world, WEB "revisions/1.json"), "task-definition/web:1\""));
}
END_TEST

START_TEST(a_walk_costs_what_is_documented)
{
    for (int i = 1; i <= 25; i++) {
        char id[16];
        snprintf(id, sizeof(id), "d-%d", i);
        deploy_add(world.account, id, "SUCCESSFUL", 100 + i, 100 + i - 1);
    }
    ck_assert_int_eq(world_lookup(&world, WEB "status"), 0);
    world_forget_counts(&world);
    world_walk(&world, WEB "deployments", true);
    world_walk(&world, WEB "revisions", true);
    ck_assert_int_eq(world_calls(&world, "ListServiceDeployments"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribeServiceDeployments"), 2);
    ck_assert_int_ge(world_calls(&world, "DescribeServiceRevisions"), 2);
    ck_assert_int_le(world_calls(&world, "DescribeServiceRevisions"), 4);
    ck_assert_int_le(world_calls(&world, NULL), 7);
    world_step(&world, 60000);
    world_forget_counts(&world);
    world_walk(&world, WEB "revisions", true);
    ck_assert_int_eq(world_calls(&world, "DescribeServiceRevisions"), 0);
}
END_TEST

START_TEST(stop_rolls_back_or_aborts)
{
    deploy_add(world.account, "a-1", "IN_PROGRESS", 2, 1);
    ck_assert_int_eq(world_lookup(&world, WEB "deployments/a-1/stop"), 0);
    ck_assert_int_eq(world_write(&world, WEB "deployments/a-1/stop", "maybe\n"), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "StopServiceDeployment"), 0);
    ck_assert_int_eq(world_write(&world, WEB "deployments/a-1/stop", "rollback\n"), 0);
    json_t *input = json_object_get(world.last, "StopServiceDeployment");
    ck_assert_str_eq(json_string_value(json_object_get(input, "stopType")), "ROLLBACK");
    ck_assert_str_eq(json_string_value(json_object_get(input, "serviceDeploymentArn")),
                     "arn:aws:ecs:eu-west-1:123456789012:service-deployment/prod/web/a-1");
    check_cat(WEB "deployments/a-1/status", "ROLLBACK_REQUESTED\n"); /* at once */
    ck_assert_int_eq(world_write(&world, WEB "deployments/a-1/stop", "ABORT"), 0);
    input = json_object_get(world.last, "StopServiceDeployment");
    ck_assert_str_eq(json_string_value(json_object_get(input, "stopType")), "ABORT");
}
END_TEST

START_TEST(hooks_take_a_word)
{
    deploy_add(world.account, "a-1", "IN_PROGRESS", 2, 1);
    json_object_set_new(deploy_find(world.account, "a-1"), "lifecycleHookDetails",
                        json_pack("[{s:s, s:s}]", "hookId", "h1", "status", "AWAITING_ACTION"));
    ck_assert_str_eq(world_ls(&world, WEB "deployments/a-1/hooks"), "h1\n");
    ck_assert_int_eq(world_lookup(&world, WEB "deployments/a-1/hooks/h2"), -ENOENT);
    ck_assert_int_eq(world_write(&world, WEB "deployments/a-1/hooks/h1", "go\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, WEB "deployments/a-1/hooks/h1", "continue\n"), 0);
    json_t *input = json_object_get(world.last, "ContinueServiceDeployment");
    ck_assert_str_eq(json_string_value(json_object_get(input, "hookId")), "h1");
    ck_assert_str_eq(json_string_value(json_object_get(input, "action")), "CONTINUE");
}
END_TEST

/* How the endpoint says that it does not know them. */
static const struct {
    int status;
    const char *code;
} unknown[] = {{400, "UnknownOperationException"}, {500, ""}, {501, ""}};

START_TEST(where_there_are_none_they_are_absent)
{
    world.fail_operation = "ListServiceDeployments";
    world.fail_code = unknown[_i].code;
    world.fail_message = "no such thing";
    world.fail_status = unknown[_i].status;
    ck_assert_int_eq(world_lookup(&world, WEB "deployments"), 0);
    const char *names = world_ls(&world, WEB "deployments");
    if (unknown[_i].status == 400) { /* the fake's other answers bear a request id, as AWS's do */
        ck_assert_ptr_nonnull(names);
        ck_assert_str_eq(names, "");
        ck_assert_ptr_null(strstr(world_ls(&world, WEB), "deployments\n"));
        ck_assert_ptr_null(strstr(world_ls(&world, WEB), "revisions\n"));
        world_forget_counts(&world);
        ck_assert_str_eq(world_ls(&world, WEB "revisions"), "");
        ck_assert_int_eq(world_lookup(&world, WEB "revisions/1.json"), -ENOENT);
        ck_assert_int_eq(world_lookup(&world, WEB "deployments/d-1"), -ENOENT);
        ck_assert_int_eq(world_lookup(&world, WEB "previous-task-definition"), -ENOENT);
        ck_assert_int_eq(world_calls(&world, NULL), 0);
        check_cat(WEB "stable", "stable\n");
    } else { /* AWS itself failed */
        ck_assert_ptr_null(names);
        ck_assert_int_eq(errno, EIO);
    }
}
END_TEST

/* ---- previous-task-definition ---- */

START_TEST(a_fresh_mount_knows_what_ran_before)
{
    json_object_set_new(world_service(&world, "web"), "taskDefinition",
                        json_string("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:3"));
    deploy_add(world.account, "d1", "SUCCESSFUL", 1, 0);
    deploy_add(world.account, "d2", "ROLLBACK_SUCCESSFUL", 2, 1); /* never proposed */
    deploy_add(world.account, "d3", "SUCCESSFUL", 3, 1);
    deploy_add(world.account, "d4", "SUCCESSFUL", 13, 3); /* web:3 once more */
    ck_assert_int_eq(world_lookup(&world, WEB "status"), 0);
    world_forget_counts(&world);
    ck_assert_ptr_null(strstr(world_ls(&world, WEB), "previous-task-definition\n"));
    ck_assert_int_eq(world_calls(&world, NULL), 0);
    check_cat(WEB "previous-task-definition", "web:1\n");
    ck_assert_int_eq(world_calls(&world, NULL), 3);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, WEB), "previous-task-definition\n"));
    ck_assert_int_eq(world_calls(&world, NULL), 3);
    cleanup_free char *previous = strdup(world_cat(&world, WEB "previous-task-definition"));
    ck_assert_int_eq(world_write(&world, WEB "task-definition", previous), 0);
    check_cat(WEB "task-definition", "web:1\n");
}
END_TEST

START_TEST(the_source_of_the_only_deployment_is_what_ran_before)
{
    deploy_add(world.account, "d1", "SUCCESSFUL", 1, 2); /* older ones are past AWS's memory */
    check_cat(WEB "previous-task-definition", "web:2\n");
}
END_TEST

START_TEST(without_anything_before_there_is_none)
{
    deploy_add(world.account, "d1", "SUCCESSFUL", 1, 0);
    ck_assert_int_eq(world_lookup(&world, WEB "previous-task-definition"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod/services/api/previous-task-definition"), -ENOENT);
}
END_TEST

START_TEST(what_failed_is_not_what_to_go_back_to)
{
    json_t *service = world_service(&world, "web");
    deploy_add(world.account, "d1", "SUCCESSFUL", 1, 2);
    deploy_add(world.account, "d2", "ROLLBACK_IN_PROGRESS", 3, 1);
    json_array_append_new(json_object_get(service, "deployments"),
                          json_pack("{s:s, s:s, s:s, s:s}", "id", "ecs-svc/9", "status", "ACTIVE",
                                    "rolloutState", "FAILED", "taskDefinition",
                                    "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:3"));
    check_cat(WEB "previous-task-definition", "web:2\n");
}
END_TEST

/* ---- stable ---- */

static const struct {
    const char *status, *part; /* of the error, or NULL: stable */
} outcomes[] = {
    {"SUCCESSFUL", NULL},
    {"IN_PROGRESS", NULL}, /* the list lags behind the service */
    {"ROLLBACK_SUCCESSFUL", "DeploymentRolledBack: the newest deployment was rolled back to web:1 "
                            "(ROLLBACK_SUCCESSFUL): The breaker's words."},
    {"ROLLBACK_FAILED", "ROLLBACK_FAILED"},
    {"STOPPED", "DeploymentFailed: the newest deployment was stopped: AWS's words."},
};

START_TEST(stable_tells_how_the_newest_deployment_ended)
{
    deploy_add(world.account, "d1", "SUCCESSFUL", 1, 0);
    deploy_add(world.account, "d2", outcomes[_i].status, 2, 1);
    if (outcomes[_i].part == NULL) {
        check_cat(WEB "stable", "stable\n");
        return;
    }
    ck_assert_ptr_null(world_cat(&world, WEB "stable"));
    ck_assert_int_eq(errno, EIO);
    const char *error = world_xattr(&world, WEB "stable", "user.ecsfs.error");
    ck_assert_msg(strstr(error, outcomes[_i].part) != NULL, "%s", error);
}
END_TEST

START_TEST(stable_does_without_the_right_to_see_deployments)
{
    deploy_add(world.account, "d1", "SUCCESSFUL", 1, 0);
    world.fail_operation = "ListServiceDeployments";
    world.fail_code = "AccessDeniedException";
    world.fail_message = "not authorized";
    world.fail_status = 400;
    check_cat(WEB "stable", "stable\n");
    world_step(&world, 60000);
    world.fail_operation = "ListServiceDeployments";
    ck_assert_int_eq(world_lookup(&world, WEB "previous-task-definition"), -EACCES);
}
END_TEST

START_TEST(an_old_rollback_does_not_spoil_what_is_asked_for_now)
{
    deploy_add(world.account, "d1", "ROLLBACK_SUCCESSFUL", 2, 1);
    ck_assert_ptr_null(world_cat(&world, WEB "stable"));
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "3\n"), 0);
    check_cat(WEB "stable", "stable\n");
    /* But when that is no longer what the service has, the newest deployment counts again. */
    json_t *primary = json_array_get(json_object_get(world_service(&world, "web"), "deployments"), 0);
    json_object_set_new(primary, "id", json_string("ecs-svc/8"));
    world_step(&world, 60000);
    ck_assert_ptr_null(world_cat(&world, WEB "stable"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("deploy_history");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_deployment_is_a_directory);
    tcase_add_test(tests, a_walk_costs_what_is_documented);
    tcase_add_test(tests, stop_rolls_back_or_aborts);
    tcase_add_test(tests, hooks_take_a_word);
    tcase_add_loop_test(tests, where_there_are_none_they_are_absent, 0, ARRAY_LEN(unknown));
    tcase_add_test(tests, a_fresh_mount_knows_what_ran_before);
    tcase_add_test(tests, the_source_of_the_only_deployment_is_what_ran_before);
    tcase_add_test(tests, without_anything_before_there_is_none);
    tcase_add_test(tests, what_failed_is_not_what_to_go_back_to);
    tcase_add_loop_test(tests, stable_tells_how_the_newest_deployment_ended, 0, ARRAY_LEN(outcomes));
    tcase_add_test(tests, stable_does_without_the_right_to_see_deployments);
    tcase_add_test(tests, an_old_rollback_does_not_spoil_what_is_asked_for_now);
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
