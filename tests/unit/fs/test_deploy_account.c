/* SPDX-License-Identifier: Apache-2.0 */
/* Families without an ACTIVE revision, task sets, account/, and tasks that AWS has forgotten. */
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
    ck_assert_msg(text != NULL, "%s: %s", path, strerror(errno));
    ck_assert_msg(strcmp(text, wanted) == 0, "%s: %s", path, text);
}

static void check_last(const char *operation, const char *json)
{
    json_t *want = json_loads(json, 0, NULL), *got = json_object_get(world.last, operation);
    ck_assert_ptr_nonnull(want);
    ck_assert_msg(json_equal(want, got), "%s", operation);
    json_decref(want);
}

/* ---- families ---- */

static void deregister_api(void)
{
    json_t *revisions = json_object_get(json_object_get(world.account, "families"), "api");
    json_object_set_new(json_array_get(revisions, 0), "status", json_string("INACTIVE"));
}

START_TEST(a_family_without_an_active_revision_is_there_by_name)
{
    deregister_api();
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/api"), 0);
    struct fs_attr attr;
    ck_assert_int_eq(world_stat(&world, "/task-definitions/api", &attr), 0);
    ck_assert_str_eq(world_ls(&world, "/task-definitions/api"), "describe\nused-by\n");
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/api/latest.json"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/api/tags"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/api/1.json"), -ENOENT);
    ck_assert_str_eq(world_ls(&world, "/task-definitions/api/inactive"), "1.json\n");
    ck_assert_ptr_nonnull(
        strstr(world_cat(&world, "/task-definitions/api/inactive/1.json"), "example/app:1"));
    ck_assert_int_eq(world_walk(&world, "/task-definitions/api", true), 3); /* with what runs it */
}
END_TEST

START_TEST(a_family_that_never_was_is_absent)
{
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/nothing"), -ENOENT);
    ck_assert_int_le(world_calls(&world, NULL), 2);
    world_forget_counts(&world);
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/nothing"), -ENOENT);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/task-definitions/web"), "latest.json\n"));
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/task-definitions/web"), "tags\n"));
}
END_TEST

/* ---- task sets ---- */

START_TEST(task_sets_are_of_external_controllers_alone)
{
    ck_assert_int_eq(world_lookup(&world, WEB "task-sets"), -ENOENT);
    ck_assert_ptr_null(strstr(world_ls(&world, WEB), "task-sets"));
    ck_assert_int_eq(world_calls(&world, "DescribeTaskSets"), 0);
}
END_TEST

START_TEST(a_task_set_is_scaled_and_made_primary)
{
    json_object_set_new(world_service(&world, "web"), "deploymentController",
                        json_pack("{s:s}", "type", "EXTERNAL"));
    ck_assert_ptr_nonnull(strstr(world_ls(&world, WEB), "task-sets\n"));
    ck_assert_str_eq(world_ls(&world, WEB "task-sets"), "77\n");
    check_cat(WEB "task-sets/77/scale", "50\n");
    check_cat(WEB "task-sets/77/primary", "0\n");
    check_cat(WEB "task-sets/77/task-definition", "web:2\n");
    check_cat(WEB "task-sets/77/desired-count", "2\n");
    static const char *const refused[] = {"101\n", "-1\n", "many\n", "nan\n", "0x10\n"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        ck_assert_msg(world_write(&world, WEB "task-sets/77/scale", refused[i]) == -EINVAL, "%s", refused[i]);
    ck_assert_int_eq(world_write(&world, WEB "task-sets/77/primary", "0\n"), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "UpdateTaskSet"), 0);
    ck_assert_int_eq(world_write(&world, WEB "task-sets/77/scale", "75\n"), 0);
    check_last("UpdateTaskSet",
               "{\"cluster\":\"prod\",\"service\":\"web\","
               "\"taskSet\":\"arn:aws:ecs:eu-west-1:123456789012:task-set/prod/web/ecs-svc/77\","
               "\"scale\":{\"value\":75.0,\"unit\":\"PERCENT\"}}");
    check_cat(WEB "task-sets/77/scale", "75\n");
    ck_assert_int_eq(world_write(&world, WEB "task-sets/77/primary", "1\n"), 0);
    check_cat(WEB "task-sets/77/primary", "1\n");
    ck_assert_int_eq(world_calls(&world, "UpdateServicePrimaryTaskSet"), 1);
}
END_TEST

/* ---- account/ ---- */

START_TEST(settings_are_read_and_put)
{
    json_object_set_new(world.account, "setting", json_string("disabled"));
    ck_assert_str_eq(world_ls(&world, "/account/settings"), "awsvpcTrunking\ncontainerInsights\n");
    check_cat("/account/settings/containerInsights", "disabled\n");
    ck_assert_int_eq(world_lookup(&world, "/account/settings/none"), -ENOENT);
    ck_assert_int_eq(world_write(&world, "/account/settings/containerInsights", "enhanced\n"), 0);
    check_last("PutAccountSetting", "{\"name\":\"containerInsights\",\"value\":\"enhanced\"}");
    check_cat("/account/settings/containerInsights", "enhanced\n");
    check_cat("/account/settings/awsvpcTrunking", "disabled\n");
}
END_TEST

START_TEST(capacity_providers_are_shown)
{
    ck_assert_str_eq(world_ls(&world, "/account/capacity-providers"), "FARGATE\n");
    check_cat("/account/capacity-providers/FARGATE/status", "ACTIVE\n");
    check_cat("/account/capacity-providers/FARGATE/arn",
              "arn:aws:ecs:eu-west-1:123456789012:capacity-provider/FARGATE\n");
    ck_assert_int_eq(world_lookup(&world, "/account/capacity-providers/FARGATE/update-status"), -ENOENT);
    ck_assert_int_eq(world_calls(&world, "DescribeCapacityProviders"), 1);
}
END_TEST

START_TEST(what_the_endpoint_does_not_know_is_empty)
{
    account_more = NULL;
    ck_assert_str_eq(world_ls(&world, "/account/settings"), "");
    ck_assert_str_eq(world_ls(&world, "/account/capacity-providers"), "");
    ck_assert_int_eq(world_lookup(&world, "/account/settings/containerInsights"), -ENOENT);
}
END_TEST

/* ---- stopped tasks ---- */

#define TASK "00000000000000000000000000000001"

static void stop_first_task(void)
{
    json_t *task = world_task(&world, TASK);
    json_object_set_new(task, "lastStatus", json_string("STOPPED"));
    json_object_set_new(task, "desiredStatus", json_string("STOPPED"));
    json_object_set_new(task, "stoppedReason", json_string("OutOfMemory"));
    json_object_set_new(task, "stopCode", json_string("EssentialContainerExited"));
}

static void forget_first_task(void)
{
    json_t *prod = json_object_get(json_object_get(world.account, "clusters"), "prod");
    json_object_del(json_object_get(prod, "tasks"), TASK);
    world_step(&world, 60000);
}

START_TEST(a_stopped_task_outlives_aws_memory_of_it)
{
    stop_first_task();
    check_cat("/clusters/prod/tasks/" TASK "/stopped-reason", "OutOfMemory\n");
    forget_first_task();
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/clusters/prod/tasks"), TASK "\n"));
    check_cat("/clusters/prod/tasks/" TASK "/stopped-reason", "OutOfMemory\n");
    check_cat("/clusters/prod/tasks/" TASK "/stop-code", "EssentialContainerExited\n");
    ck_assert_ptr_nonnull(strstr(world_ls(&world, WEB "tasks"), TASK "\n"));
    ck_assert_int_eq(world_write(&world, "/.ecsfs/refresh", "/\n"), 0);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/clusters/prod/tasks"), TASK "\n"));
    check_cat("/clusters/prod/tasks/" TASK "/status", "STOPPED\n");
}
END_TEST

START_TEST(a_running_task_that_is_gone_is_gone)
{
    check_cat("/clusters/prod/tasks/" TASK "/status", "RUNNING\n");
    forget_first_task();
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod/tasks/" TASK), -ENOENT);
    ck_assert_ptr_null(strstr(world_ls(&world, "/clusters/prod/tasks"), TASK "\n"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("deploy_account");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_family_without_an_active_revision_is_there_by_name);
    tcase_add_test(tests, a_family_that_never_was_is_absent);
    tcase_add_test(tests, task_sets_are_of_external_controllers_alone);
    tcase_add_test(tests, a_task_set_is_scaled_and_made_primary);
    tcase_add_test(tests, settings_are_read_and_put);
    tcase_add_test(tests, capacity_providers_are_shown);
    tcase_add_test(tests, what_the_endpoint_does_not_know_is_empty);
    tcase_add_test(tests, a_stopped_task_outlives_aws_memory_of_it);
    tcase_add_test(tests, a_running_task_that_is_gone_is_gone);
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
