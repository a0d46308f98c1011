/* SPDX-License-Identifier: Apache-2.0 */
/* The state file, and the emulator as a backend with its thread. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "living.h"

static char file[] = "/var/tmp/ecsfs-test-XXXXXX";

static void setup(void)
{
    strcpy(file + strlen(file) - 6, "XXXXXX");
    close(mkstemp(file));
    unlink(file);
    living_open(file);
    living_small_world();
}

static void teardown(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    living_end();
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s%s", file, ends[i]);
        unlink(name);
    }
}

START_TEST(everything_is_there_again)
{
    call("CreateService",
         "{'cluster':'c','serviceName':'web','taskDefinition':'web','launchType':'FARGATE','desiredCount':2,"
         "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['subnet-1']}},'tags':[{'key':'a','value':"
         "'b'}]}");
    call("RegisterContainerInstance", "{'cluster':'c'}");
    call("PutAccountSetting", "{'name':'containerInsights','value':'enhanced'}");
    living_pass(4000);
    json_t *arns = call("ListTasks", "{'cluster':'c'}");
    json_t *task = call("DescribeTasks", "{'cluster':'c','tasks':['%s']}", text_at(arns, "taskArns.0"));
    char *before = json_dumps(service("web"), JSON_SORT_KEYS),
         *task_before = json_dumps(task, JSON_SORT_KEYS);
    char *arn = strdup(text_at(arns, "taskArns.0"));
    living_end();
    living_open(file);
    char *after = json_dumps(service("web"), JSON_SORT_KEYS);
    char *task_after =
        json_dumps(call("DescribeTasks", "{'cluster':'c','tasks':['%s']}", arn), JSON_SORT_KEYS);
    ck_assert_str_eq(before, after);
    ck_assert_str_eq(task_before, task_after);
    living_pass(1000);
    ck_assert_int_eq(number_at(service("web"), "runningCount"), 2);
    ck_assert_int_eq(
        (int)json_array_size(at(call("ListContainerInstances", "{'cluster':'c'}"), "containerInstanceArns")),
        1);
    ck_assert_int_eq(
        number_at(call("RegisterTaskDefinition",
                       "{'family':'web','containerDefinitions':[{'name':'a','image':'i','memory':64}]}"),
                  "taskDefinition.revision"),
        2);
    free(before);
    free(after);
    free(task_before);
    free(task_after);
    free(arn);
}
END_TEST

START_TEST(task_sets_and_host_ports_are_there_again)
{
    call("CreateService",
         "{'cluster':'c','serviceName':'web','desiredCount':2,'deploymentController':{'type':"
         "'EXTERNAL'}}");
    call("CreateTaskSet",
         "{'cluster':'c','service':'web','taskDefinition':'web','launchType':'FARGATE','externalId':'x',"
         "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['subnet-1']}}}");
    call("RegisterContainerInstance", "{'cluster':'c'}");
    call("RegisterTaskDefinition",
         "{'family':'fixed','containerDefinitions':[{'name':'a','image':'i','memory':64,"
         "'portMappings':[{'containerPort':80,'hostPort':8080}]}]}");
    call("RunTask", "{'cluster':'c','taskDefinition':'fixed'}");
    living_pass(4000);
    char *before = json_dumps(service("web"), JSON_SORT_KEYS);
    living_end();
    living_open(file);
    char *after = json_dumps(service("web"), JSON_SORT_KEYS);
    ck_assert_str_eq(before, after);
    ck_assert_str_eq(text_at(service("web"), "taskSets.0.stabilityStatus"), "STEADY_STATE");
    ck_assert_str_eq(
        text_at(call("RunTask", "{'cluster':'c','taskDefinition':'fixed'}"), "failures.0.reason"),
        "RESOURCE:PORTS");
    call("UpdateService", "{'cluster':'c','service':'web','desiredCount':4}");
    living_pass(4000);
    ck_assert_int_eq(number_at(service("web"), "taskSets.0.runningCount"), 4);
    free(before);
    free(after);
}
END_TEST

START_TEST(a_deployment_goes_on_after_a_restart)
{
    call("CreateService",
         "{'cluster':'c','serviceName':'web','taskDefinition':'web','launchType':'FARGATE','desiredCount':3,"
         "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['subnet-1']}}}");
    living_pass(300);
    living_end();
    living_open(file);
    living_pass(5000);
    ck_assert_int_eq(number_at(service("web"), "runningCount"), 3);
    ck_assert_str_eq(text_at(service("web"), "deployments.0.rolloutState"), "COMPLETED");
}
END_TEST

START_TEST(a_file_of_somebody_else_is_left_alone)
{
    char name[80];
    snprintf(name, sizeof(name), "%s.other", file);
    FILE *other = fopen(name, "w");
    fputs("this is no database, but a letter to somebody who keeps his letters in files of some length",
          other);
    fclose(other);
    struct ecs_error *error = NULL;
    ck_assert_ptr_null(world_new(&(struct ecs_local_options){.state_file = name}, &error));
    ck_assert_ptr_nonnull(strstr(error->message, name));
    ecs_error_unref(error);
    unlink(name);
}
END_TEST

static struct ecs_error *keep_count(struct ecs_call *done, struct json_t *reply)
{
    done->result = (void *)(json_array_size(json_object_get((json_t *)reply, "clusterArns")) + 1);
    return NULL;
}

static struct ecs_call *wait_home(struct ecs_mailbox *home)
{
    struct ecs_letter *letter;
    while (!(letter = ecs_mailbox_take(home))) {
        struct pollfd fd = {.fd = ecs_mailbox_fd(home), .events = POLLIN};
        ck_assert_int_gt(poll(&fd, 1, 10000), 0);
    }
    return (struct ecs_call *)letter;
}

START_TEST(the_backend_brings_every_call_home)
{
    struct ecs_error *error = NULL;
    struct ecs_backend *backend = ecs_local_new(&(struct ecs_local_options){0}, &error);
    struct ecs_mailbox *home = ecs_mailbox_new();
    struct ecs_call calls[] = {
        {.home = home, .service = "ecs", .operation = "CreateCluster", .body = (char *)"{}", .writing = true},
        {.home = home,
         .service = "ecs",
         .operation = "ListClusters",
         .body = (char *)"{}",
         .digest = keep_count},
        {.home = home,
         .service = "ecs",
         .operation = "DescribeTasks",
         .body = (char *)"{\"cluster\":\"x\",\"tasks\":[\"t\"]}"},
        {.home = home, .service = "ecs", .operation = "ListClusters", .body = (char *)"{"},
        {.home = home, .service = "ecs", .operation = "NoSuch", .body = (char *)"{}"},
        {.home = home,
         .service = "ecs",
         .operation = "ListClusters",
         .region = "us-west-2",
         .body = (char *)"{}",
         .digest = keep_count},
    };
    ck_assert_int_eq(backend->start(backend), 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        backend->submit(backend, &calls[i]);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        ck_assert_ptr_eq(wait_home(home), &calls[i]);
    ck_assert_ptr_null(calls[0].error);
    ck_assert_int_eq((int)(intptr_t)calls[1].result, 2);
    ck_assert_str_eq(calls[2].error->code, "ClusterNotFoundException");
    ck_assert_int_eq(calls[2].error->err, -ENOENT);
    ck_assert_str_eq(calls[3].error->code, "SerializationException");
    ck_assert_int_eq(calls[4].error->err, -EOPNOTSUPP);
    ck_assert_int_eq((int)(intptr_t)calls[5].result, 1);
    struct ecs_backend_status status;
    backend->status(backend, &status);
    ck_assert_uint_eq(status.calls, ARRAY_LEN(calls));
    ck_assert_uint_eq(status.failed, 3);
    ck_assert_uint_eq(status.in_flight, 0);
    backend->stop(backend);
    ecs_error_unref(calls[0].error);
    calls[0].error = NULL;
    backend->submit(backend, &calls[0]);
    ck_assert_ptr_eq(ecs_mailbox_take(home), &calls[0].letter);
    ck_assert_int_eq(calls[0].error->err, -ECANCELED);
    backend->status(backend, &status);
    ck_assert_uint_eq(status.calls, ARRAY_LEN(calls));
    backend->free(backend);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        ecs_error_unref(calls[i].error);
    ecs_mailbox_free(home);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *tests = tcase_create("state");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, everything_is_there_again);
    tcase_add_test(tests, task_sets_and_host_ports_are_there_again);
    tcase_add_test(tests, a_deployment_goes_on_after_a_restart);
    tcase_add_test(tests, a_file_of_somebody_else_is_left_alone);
    tcase_add_test(tests, the_backend_brings_every_call_home);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
