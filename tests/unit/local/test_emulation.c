/* SPDX-License-Identifier: Apache-2.0 */
/* What the emulator does that only an emulator can: memory limits by the command, host ports, task
 * sets, findings by the digest, old answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecr/scan.h"
#include "ecs/program.h"
#include "living.h"

#define NETWORK "'networkConfiguration': {'awsvpcConfiguration': {'subnets': ['subnet-1']}}"

static void setup(void)
{
    living_begin();
    living_small_world();
}

/* --- memory --- */

static json_t *run_to_its_end(const char *command, int memory)
{
    call("RegisterTaskDefinition",
         "{'family': 'eat', 'networkMode': 'awsvpc', 'requiresCompatibilities': ['FARGATE'], 'cpu': '256',"
         " 'memory': '512', 'containerDefinitions': [{'name': 'app', 'image': 'x', 'memory': %d, 'command': "
         "%s}]}",
         memory, command);
    json_t *run =
        call("RunTask", "{'cluster': 'c', 'taskDefinition': 'eat', 'launchType': 'FARGATE', " NETWORK "}");
    char *arn = strdup(text_at(run, "tasks.0.taskArn"));
    living_pass(60000);
    json_t *task = at(call("DescribeTasks", "{'cluster': 'c', 'tasks': ['%s']}", arn), "tasks.0");
    free(arn);
    return task;
}

START_TEST(what_needs_more_memory_than_it_has_is_killed)
{
    json_t *task = run_to_its_end("['stress', '--vm', '2', '--vm-bytes', '200M']", 300);
    ck_assert_str_eq(text_at(task, "lastStatus"), "STOPPED");
    ck_assert_str_eq(text_at(task, "stopCode"), "EssentialContainerExited");
    ck_assert_str_eq(text_at(task, "stoppedReason"),
                     "OutOfMemoryError: Container killed due to memory usage");
    ck_assert_str_eq(text_at(task, "containers.0.reason"),
                     "OutOfMemoryError: Container killed due to memory usage");
    ck_assert_int_eq(number_at(task, "containers.0.exitCode"), 137);
}
END_TEST

START_TEST(what_has_enough_runs_on)
{
    json_t *task = run_to_its_end("['stress', '--vm', '1', '--vm-bytes', '200M']", 300);
    ck_assert_str_eq(text_at(task, "lastStatus"), "RUNNING");
    task = run_to_its_end("['sh', '-c', 'stress-ng --vm 1 --vm-bytes 100m --timeout 5; exit 4']", 300);
    ck_assert_str_eq(text_at(task, "stoppedReason"), "Essential container in task exited");
    ck_assert_int_eq(number_at(task, "containers.0.exitCode"), 4);
}
END_TEST

START_TEST(sizes_are_read_as_stress_does)
{
    static const struct {
        const char *size;
        int mib;
    } rows[] = {{"1g", 1024}, {"600M", 600},   {"1048576", 1}, {"1", 1},
                {"512k", 1},  {"nonsense", 0}, {"-5M", 0}};
    json_t *command = json_pack("[s, s, s, s, s]", "stress", "--vm", "1", "--vm-bytes", rows[_i].size);
    struct program program = program_read(NULL, command);
    ck_assert_int_eq(program.peak_mib, rows[_i].mib);
    ck_assert_int_eq(program.ends_after_ms, -1);
    json_decref(command);
}
END_TEST

/* --- host ports --- */

static char *instance_arn(void)
{
    return strdup(text_at(call("RegisterContainerInstance", "{'cluster': 'c'}"),
                          "containerInstance.containerInstanceArn"));
}

static void register_bridge(const char *mapping)
{
    call("RegisterTaskDefinition",
         "{'family': 'bridge', 'containerDefinitions': [{'name': 'app', 'image': 'nginx', 'memory': 64,"
         " 'portMappings': [%s]}]}",
         mapping);
}

static json_t *ports_left(const char *arn)
{
    json_t *shown = call("DescribeContainerInstances", "{'cluster': 'c', 'containerInstances': ['%s']}", arn);
    return at(shown, "containerInstances.0.remainingResources.2.stringSetValue");
}

START_TEST(a_fixed_host_port_is_one_tasks)
{
    char *arn = instance_arn();
    register_bridge("{'containerPort': 80, 'hostPort': 8080}");
    json_t *run = call("RunTask", "{'cluster': 'c', 'taskDefinition': 'bridge', 'count': 2}");
    ck_assert_int_eq((int)json_array_size(at(run, "tasks")), 1);
    ck_assert_str_eq(text_at(run, "failures.0.reason"), "RESOURCE:PORTS");
    ck_assert_int_eq((int)json_array_size(ports_left(arn)), 6);
    char *task = strdup(text_at(run, "tasks.0.taskArn"));
    living_pass(3000);
    json_t *shown =
        at(call("DescribeTasks", "{'cluster': 'c', 'tasks': ['%s']}", task), "tasks.0.containers.0");
    ck_assert_int_eq(number_at(shown, "networkBindings.0.hostPort"), 8080);
    ck_assert_int_eq(number_at(shown, "networkBindings.0.containerPort"), 80);
    call("StopTask", "{'cluster': 'c', 'task': '%s'}", task);
    living_pass(3000);
    ck_assert_int_eq((int)json_array_size(ports_left(arn)), 5);
    run = call("RunTask", "{'cluster': 'c', 'taskDefinition': 'bridge'}");
    ck_assert_int_eq((int)json_array_size(at(run, "tasks")), 1);
    free(task);
    free(arn);
}
END_TEST

START_TEST(dynamic_host_ports_differ)
{
    char *arn = instance_arn();
    register_bridge("{'containerPort': 80}, {'containerPort': 53, 'protocol': 'udp'}");
    call("RunTask", "{'cluster': 'c', 'taskDefinition': 'bridge', 'count': 3}");
    living_pass(3000);
    json_t *left = ports_left(arn);
    ck_assert_int_eq((int)json_array_size(left), 5 + 3);
    for (size_t i = 6; i < 8; i++)
        ck_assert_str_ne(json_string_value(json_array_get(left, i)),
                         json_string_value(json_array_get(left, i - 1)));
    ck_assert_int_ge(atoi(json_string_value(json_array_get(left, 5))), 32768);
    free(arn);
}
END_TEST

START_TEST(a_range_of_ports_stays_together)
{
    char *arn = instance_arn();
    register_bridge("{'containerPort': 80}, {'containerPortRange': '8000-8004'}");
    call("RunTask", "{'cluster': 'c', 'taskDefinition': 'bridge'}");
    json_t *run = call("RunTask", "{'cluster': 'c', 'taskDefinition': 'bridge'}");
    char *task = strdup(text_at(run, "tasks.0.taskArn"));
    living_pass(3000);
    json_t *bindings = at(call("DescribeTasks", "{'cluster': 'c', 'tasks': ['%s']}", task),
                          "tasks.0.containers.0.networkBindings");
    ck_assert_int_eq((int)json_array_size(bindings), 2);
    ck_assert_str_eq(text_at(bindings, "1.containerPortRange"), "8000-8004");
    unsigned first, last;
    ck_assert_int_eq(sscanf(text_at(bindings, "1.hostPortRange"), "%u-%u", &first, &last), 2);
    ck_assert_int_eq((int)(last - first), 4);
    ck_assert_ptr_null(at(bindings, "1.hostPort"));
    ck_assert_int_eq((int)json_array_size(ports_left(arn)), 5 + 2 * 6);
    call("StopTask", "{'cluster': 'c', 'task': '%s'}", task);
    living_pass(3000);
    ck_assert_int_eq((int)json_array_size(ports_left(arn)), 5 + 6);
    static const char *const bad[] = {
        "{'containerPortRange': '8000'}",
        "{'containerPortRange': '9-8'}",
        "{'containerPortRange': '0-8'}",
        "{'containerPortRange': '1-70000'}",
        "{'containerPortRange': '1-2', 'containerPort': 1}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        refused(
            "ClientException", "port mapping", "RegisterTaskDefinition",
            "{'family': 'bridge', 'containerDefinitions': [{'name': 'app', 'image': 'nginx', 'memory': 64,"
            " 'portMappings': [%s]}]}",
            bad[i]);
    free(task);
    free(arn);
}
END_TEST

START_TEST(a_range_in_host_mode_is_the_instances)
{
    char *arn = instance_arn();
    call(
        "RegisterTaskDefinition",
        "{'family': 'host', 'networkMode': 'host', 'containerDefinitions': [{'name': 'app', 'image': 'nginx',"
        " 'memory': 64, 'portMappings': [{'containerPortRange': '9000-9002'}]}]}");
    json_t *run = call("RunTask", "{'cluster': 'c', 'taskDefinition': 'host', 'count': 2}");
    ck_assert_int_eq((int)json_array_size(at(run, "tasks")), 1);
    ck_assert_str_eq(text_at(run, "failures.0.reason"), "RESOURCE:PORTS");
    ck_assert_int_eq((int)json_array_size(ports_left(arn)), 5 + 3);
    free(arn);
}
END_TEST

/* --- scans --- */

START_TEST(a_scan_takes_its_time)
{
    call_of("ecr", "CreateRepository", "{'repositoryName': 'app'}");
    json_t *put = json_pack("{s:s, s:s, s:s}", "repositoryName", "app", "imageTag", "a", "imageManifest",
                            "{\"schemaVersion\": 2, \"manifests\": []}");
    struct ecs_error *error = NULL;
    json_decref(world_call(living.world, NULL, "ecr", "PutImage", put, &error));
    ck_assert_ptr_null(error);
    json_decref(put);
    static const char asked[] = "{'repositoryName': 'app', 'imageId': {'imageTag': 'a'}}";
    static const char images[] = "{'repositoryName': 'app'}";
    json_t *begun = call_of("ecr", "StartImageScan", asked);
    ck_assert_str_eq(text_at(begun, "imageScanStatus.status"), "IN_PROGRESS");
    json_t *shown = call_of("ecr", "DescribeImageScanFindings", asked);
    ck_assert_str_eq(text_at(shown, "imageScanStatus.status"), "IN_PROGRESS");
    ck_assert_ptr_null(at(shown, "imageScanFindings"));
    shown = call_of("ecr", "DescribeImages", images);
    ck_assert_str_eq(text_at(shown, "imageDetails.0.imageScanStatus.status"), "IN_PROGRESS");
    ck_assert_ptr_null(at(shown, "imageDetails.0.imageScanFindingsSummary"));
    living_pass(2000);
    shown = call_of("ecr", "DescribeImageScanFindings", asked);
    ck_assert_str_eq(text_at(shown, "imageScanStatus.status"), "COMPLETE");
    ck_assert_ptr_nonnull(at(shown, "imageScanFindings.findings"));
    shown = call_of("ecr", "DescribeImages", images);
    ck_assert_ptr_nonnull(at(shown, "imageDetails.0.imageScanFindingsSummary.findingSeverityCounts"));
}
END_TEST

/* --- task sets --- */

static void create_external(int count)
{
    call("CreateService",
         "{'cluster': 'c', 'serviceName': 'ext', 'desiredCount': %d, 'deploymentController': {'type': "
         "'EXTERNAL'}}",
         count);
}

static char *create_set(int scale)
{
    return strdup(
        text_at(call("CreateTaskSet",
                     "{'cluster': 'c', 'service': 'ext', 'taskDefinition': 'web', 'launchType': 'FARGATE',"
                     " 'externalId': 'x', 'scale': {'value': %d, 'unit': 'PERCENT'}, " NETWORK "}",
                     scale),
                "taskSet.id"));
}

static json_t *set(const char *id)
{
    return at(call("DescribeTaskSets", "{'cluster': 'c', 'service': 'ext', 'taskSets': ['%s']}", id),
              "taskSets.0");
}

START_TEST(task_sets_share_a_service)
{
    create_external(5);
    char *blue = create_set(100), *green = create_set(50);
    ck_assert_int_eq(number_at(set(green), "computedDesiredCount"), 3); /* 2.5, rounded up */
    ck_assert_str_eq(text_at(set(blue), "stabilityStatus"), "STABILIZING");
    living_pass(5000);
    ck_assert_str_eq(text_at(set(blue), "stabilityStatus"), "STEADY_STATE");
    ck_assert_int_eq(number_at(set(blue), "runningCount"), 5);
    ck_assert_int_eq(number_at(set(green), "runningCount"), 3);
    ck_assert_int_eq(number_at(service("ext"), "runningCount"), 8);
    ck_assert_int_eq((int)json_array_size(at(service("ext"), "deployments")), 0);
    call("UpdateServicePrimaryTaskSet", "{'cluster': 'c', 'service': 'ext', 'primaryTaskSet': '%s'}", green);
    ck_assert_str_eq(text_at(set(green), "status"), "PRIMARY");
    ck_assert_ptr_nonnull(strstr(text_at(service("ext"), "taskDefinition"), ":task-definition/web:1"));
    call("UpdateTaskSet", "{'cluster': 'c', 'service': 'ext', 'taskSet': '%s', 'scale': {'value': 100}}",
         green);
    refused("InvalidParameterException", "scaled above 0", "DeleteTaskSet",
            "{'cluster': 'c', 'service': 'ext', 'taskSet': '%s'}", blue);
    call("DeleteTaskSet", "{'cluster': 'c', 'service': 'ext', 'taskSet': '%s', 'force': true}", blue);
    ck_assert_str_eq(text_at(set(blue), "status"), "DRAINING");
    living_pass(10000);
    ck_assert_int_eq(number_at(set(green), "runningCount"), 5);
    ck_assert_str_eq(
        text_at(call("DescribeTaskSets", "{'cluster': 'c', 'service': 'ext', 'taskSets': ['%s']}", blue),
                "failures.0.reason"),
        "MISSING");
    call("UpdateService", "{'cluster': 'c', 'service': 'ext', 'desiredCount': 1}");
    living_pass(5000);
    ck_assert_int_eq(number_at(set(green), "runningCount"), 1);
    free(blue);
    free(green);
}
END_TEST

START_TEST(task_sets_have_tags)
{
    create_external(1);
    char *id = create_set(100), *arn = strdup(text_at(set(id), "taskSetArn"));
    call("TagResource",
         "{'resourceArn': '%s', 'tags': [{'key': 'a', 'value': '1'}, {'key': 'b', 'value': '2'}]}", arn);
    call("TagResource", "{'resourceArn': '%s', 'tags': [{'key': 'a', 'value': '3'}]}", arn);
    json_t *tags = at(call("ListTagsForResource", "{'resourceArn': '%s'}", arn), "tags");
    ck_assert_int_eq((int)json_array_size(tags), 2);
    ck_assert_str_eq(text_at(tags, "0.value"), "3");
    call("UntagResource", "{'resourceArn': '%s', 'tagKeys': ['a']}", arn);
    json_t *shown = call("DescribeTaskSets",
                         "{'cluster': 'c', 'service': 'ext', 'include': ['TAGS'], 'taskSets': ['%s']}", id);
    ck_assert_int_eq((int)json_array_size(at(shown, "taskSets.0.tags")), 1);
    ck_assert_str_eq(text_at(shown, "taskSets.0.tags.0.key"), "b");
    ck_assert_int_eq((int)json_array_size(at(service("ext"), "tags")), 0); /* they are not the service's */
    refused("InvalidParameterException", "not found", "TagResource",
            "{'resourceArn': '%.*s%c', 'tags': [{'key': 'a', 'value': '1'}]}", (int)strlen(arn) - 1, arn,
            arn[strlen(arn) - 1] == '0' ? '1' : '0');
    free(arn);
    free(id);
}
END_TEST

START_TEST(task_sets_belong_to_external_services)
{
    create_external(1);
    refused("InvalidParameterException", "EXTERNAL", "CreateService",
            "{'cluster': 'c', 'serviceName': 'e', 'taskDefinition': 'web', 'deploymentController': {'type': "
            "'EXTERNAL'}}");
    refused("InvalidParameterException", "EXTERNAL", "UpdateService",
            "{'cluster': 'c', 'service': 'ext', 'taskDefinition': 'web'}");
    refused("TaskSetNotFoundException", "not found", "UpdateTaskSet",
            "{'cluster': 'c', 'service': 'ext', 'taskSet': 'ecs-svc/1', 'scale': {'value': 1, 'unit': "
            "'PERCENT'}}");
    refused("InvalidParameterException", "Scale value", "CreateTaskSet",
            "{'cluster': 'c', 'service': 'ext', 'taskDefinition': 'web', 'launchType': 'FARGATE',"
            " 'scale': {'value': 101}, " NETWORK "}");
    call("CreateService", "{'cluster': 'c', 'serviceName': 'own', 'taskDefinition': 'web', 'desiredCount': 0,"
                          " 'launchType': 'FARGATE', " NETWORK "}");
    refused("InvalidParameterException", "EXTERNAL", "DescribeTaskSets",
            "{'cluster': 'c', 'service': 'own'}");
}
END_TEST

START_TEST(a_service_with_task_sets_is_deleted_with_them)
{
    create_external(2);
    free(create_set(100));
    living_pass(5000);
    call("DeleteService", "{'cluster': 'c', 'service': 'ext', 'force': true}");
    living_pass(5000);
    ck_assert_str_eq(text_at(service("ext"), "status"), "INACTIVE");
}
END_TEST

/* --- findings --- */

START_TEST(findings_are_read_off_the_digest)
{
    static const struct {
        const char *digest, *first;
        int count;
    } rows[] = {
        {"sha256:0123456789abcdef", "(none)", 0}, {"sha256:8123456789abcdef", "INFORMATIONAL", 1},
        {"sha256:a123456789abcdef", "LOW", 2},    {"sha256:c123456789abcdef", "MEDIUM", 2},
        {"sha256:e123456789abcdef", "HIGH", 2},   {"sha256:f123456789abcdef", "CRITICAL", 2},
    };
    json_t *findings = scan_findings(rows[_i].digest), *again = scan_findings(rows[_i].digest);
    json_t *counts = scan_counts(rows[_i].digest);
    const char *severity;
    json_t *count;
    long sum = 0;
    json_object_foreach(counts, severity, count)
    {
        sum += (long)json_integer_value(count);
    }
    ck_assert_int_eq((int)json_array_size(findings), rows[_i].count);
    ck_assert_int_eq(sum, rows[_i].count);
    ck_assert_str_eq(text_at(findings, "0.severity"), rows[_i].first);
    ck_assert(json_equal(findings, again));
    json_decref(findings);
    json_decref(again);
    json_decref(counts);
}
END_TEST

/* --- old answers --- */

START_TEST(reads_lag_behind_writes)
{
    world_set_lag(living.world, 2000);
    call("CreateService", "{'cluster': 'c', 'serviceName': 'web', 'taskDefinition': 'web', 'desiredCount': 1,"
                          " 'launchType': 'FARGATE', " NETWORK "}");
    json_t *first = call("DescribeServices", "{'cluster': 'c', 'services': ['web']}");
    ck_assert_str_eq(text_at(first, "failures.0.reason"), "MISSING");
    ck_assert_int_eq((int)json_array_size(at(call("ListServices", "{'cluster': 'c'}"), "serviceArns")), 0);
    call("UpdateService", "{'cluster': 'c', 'service': 'web', 'desiredCount': 3}"); /* a change sees it */
    living_pass(2500);
    ck_assert_int_eq(number_at(service("web"), "desiredCount"), 3);
    call("UpdateService", "{'cluster': 'c', 'service': 'web', 'desiredCount': 0}");
    ck_assert_int_eq(number_at(service("web"), "desiredCount"), 3);
    living_pass(1000);
    ck_assert_int_eq(number_at(service("web"), "desiredCount"), 3);
    living_pass(1500);
    ck_assert_int_eq(number_at(service("web"), "desiredCount"), 0);
    world_set_lag(living.world, 0);
    call("UpdateService", "{'cluster': 'c', 'service': 'web', 'desiredCount': 1}");
    ck_assert_int_eq(number_at(service("web"), "desiredCount"), 1);
}
END_TEST

START_TEST(a_lagging_error_is_an_error_still)
{
    world_set_lag(living.world, 1000);
    call("RegisterTaskDefinition",
         "{'family': 'new', 'containerDefinitions': [{'name': 'a', 'image': 'b', 'memory': 8}]}");
    refused("ClientException", "", "DescribeTaskDefinition", "{'taskDefinition': 'new:1'}");
    refused("ClientException", "", "DescribeTaskDefinition", "{'taskDefinition': 'new:1'}");
    living_pass(1500);
    call("DescribeTaskDefinition", "{'taskDefinition': 'new:1'}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emulation");
    TCase *tests = tcase_create("emulation");
    tcase_add_checked_fixture(tests, setup, living_end);
    tcase_add_test(tests, what_needs_more_memory_than_it_has_is_killed);
    tcase_add_test(tests, what_has_enough_runs_on);
    tcase_add_loop_test(tests, sizes_are_read_as_stress_does, 0, 7);
    tcase_add_test(tests, a_fixed_host_port_is_one_tasks);
    tcase_add_test(tests, dynamic_host_ports_differ);
    tcase_add_test(tests, a_range_of_ports_stays_together);
    tcase_add_test(tests, a_range_in_host_mode_is_the_instances);
    tcase_add_test(tests, a_scan_takes_its_time);
    tcase_add_test(tests, task_sets_share_a_service);
    tcase_add_test(tests, task_sets_have_tags);
    tcase_add_test(tests, task_sets_belong_to_external_services);
    tcase_add_test(tests, a_service_with_task_sets_is_deleted_with_them);
    tcase_add_loop_test(tests, findings_are_read_off_the_digest, 0, 6);
    tcase_add_test(tests, reads_lag_behind_writes);
    tcase_add_test(tests, a_lagging_error_is_an_error_still);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
