/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, task definitions, clusters: their checks and their life. */
#include <stdlib.h>
#include <string.h>

#include "living.h"

#define RUN                                                                                            \
    "'cluster':'c','launchType':'FARGATE','networkConfiguration':{'awsvpcConfiguration':{'subnets':['" \
    "subnet-1']}}"

static void setup(void)
{
    living_begin();
    living_small_world();
}

static json_t *task(const char *arn)
{
    return at(call("DescribeTasks", "{'cluster':'c','tasks':['%s']}", arn), "tasks.0");
}

START_TEST(a_fargate_task_lives)
{
    json_t *reply = call("RunTask", "{" RUN ",'taskDefinition':'web','startedBy':'me'}");
    const char *arn = text_at(reply, "tasks.0.taskArn");
    ck_assert_str_eq(text_at(reply, "tasks.0.lastStatus"), "PROVISIONING");
    ck_assert_str_eq(text_at(reply, "tasks.0.cpu"), "256");
    ck_assert_str_eq(text_at(reply, "tasks.0.containers.0.cpu"), "0");
    ck_assert_str_eq(text_at(reply, "tasks.0.group"), "family:web");
    ck_assert_str_eq(text_at(reply, "tasks.0.attachments.0.type"), "ElasticNetworkInterface");
    living_pass(700);
    ck_assert_str_eq(text_at(task(arn), "lastStatus"), "PENDING");
    living_pass(1000);
    ck_assert_str_eq(text_at(task(arn), "lastStatus"), "RUNNING");
    ck_assert_int_eq(
        (int)json_array_size(at(call("ListTasks", "{'cluster':'c','startedBy':'me'}"), "taskArns")), 1);
    refused("InvalidParameterException", "", "ListTasks", "{'cluster':'c','startedBy':'me','family':'web'}");
    call("StopTask", "{'cluster':'c','task':'%s','reason':'enough'}", arn);
    ck_assert_str_eq(text_at(task(arn), "desiredStatus"), "STOPPED");
    ck_assert_str_eq(text_at(task(arn), "lastStatus"), "DEACTIVATING");
    living_pass(2000);
    json_t *now = task(arn);
    ck_assert_str_eq(text_at(now, "lastStatus"), "STOPPED");
    ck_assert_str_eq(text_at(now, "stoppedReason"), "enough");
    ck_assert_str_eq(text_at(now, "stopCode"), "UserInitiated");
    ck_assert(at(now, "stoppedAt") != NULL && json_is_real(at(now, "stoppedAt")));
    living_pass(3600 * 1000);
    ck_assert_str_eq(text_at(task(arn), "lastStatus"), "STOPPED");
    living_pass(600 * 1000);
    ck_assert_ptr_null(task(arn));
}
END_TEST

START_TEST(containers_end_as_their_commands_say)
{
    static const struct {
        const char *command;
        int after_ms, code; /* after_ms -1: runs on */
    } rows[] = {
        {"['exit','7']", 0, 7},
        {"['sh','-c','exit 1']", 0, 1},
        {"['sleep','5']", 5000, 0},
        {"['/bin/sh','-c','echo hello; sleep 2 && exit 4']", 2000, 4},
        {"['sh','-c','false || sleep 3']", 3000, 0},
        {"['sh','-c','true && false; true']", 0, 0},
        {"['nginx','-g','daemon off;']", -1, 0},
        {"['sh','-c','while true; do sleep 1; done']", -1, 0},
        {"['sh','-c','sleep $N']", -1, 0},
        {"['sleep','infinity']", -1, 0},
    };
    json_t *reply = call("RunTask",
                         "{" RUN ",'taskDefinition':'web','overrides':{'containerOverrides':[{'name':'app',"
                         "'command':%s}]}}",
                         rows[_i].command);
    const char *arn = text_at(reply, "tasks.0.taskArn");
    if (rows[_i].after_ms > 0) {
        living_pass(1600);
        ck_assert_str_eq(text_at(task(arn), "lastStatus"), "RUNNING");
        living_pass(rows[_i].after_ms - 200);
        ck_assert_str_eq(text_at(task(arn), "lastStatus"), "RUNNING");
    }
    living_pass(20000);
    json_t *now = task(arn);
    if (rows[_i].after_ms < 0) {
        ck_assert_str_eq(text_at(now, "lastStatus"), "RUNNING");
        return;
    }
    ck_assert_str_eq(text_at(now, "lastStatus"), "STOPPED");
    ck_assert_str_eq(text_at(now, "stopCode"), "EssentialContainerExited");
    ck_assert_str_eq(text_at(now, "stoppedReason"), "Essential container in task exited");
    ck_assert_int_eq(number_at(now, "containers.0.exitCode"), rows[_i].code);
}
END_TEST

START_TEST(bad_runs_are_refused)
{
    refused("ClientException", "TaskDefinition not found.", "RunTask", "{" RUN ",'taskDefinition':'none'}");
    refused("InvalidParameterException", "", "RunTask", "{" RUN ",'taskDefinition':'web','count':11}");
    refused("InvalidParameterException", "No Container Instances were found in your cluster.", "RunTask",
            "{'cluster':'c','taskDefinition':'web','networkConfiguration':{'awsvpcConfiguration':{'subnets':["
            "'s']}}}");
    refused("InvalidParameterException", "is not a container in the TaskDefinition", "RunTask",
            "{" RUN ",'taskDefinition':'web','overrides':{'containerOverrides':[{'name':'x'}]}}");
    refused("InvalidParameterException", "The referenced task was not found.", "StopTask",
            "{'cluster':'c','task':'abc'}");
    json_t *reply = call("DescribeTasks", "{'cluster':'c','tasks':['abc']}");
    ck_assert_str_eq(text_at(reply, "failures.0.reason"), "MISSING");
    ck_assert_ptr_nonnull(strstr(text_at(reply, "failures.0.arn"), ":task/c/abc"));
}
END_TEST

START_TEST(the_same_token_runs_once)
{
    json_t *one = call("RunTask", "{" RUN ",'taskDefinition':'web','clientToken':'t','count':2}");
    json_t *two = call("RunTask", "{" RUN ",'taskDefinition':'web','clientToken':'t','count':2}");
    ck_assert_str_eq(text_at(one, "tasks.1.taskArn"), text_at(two, "tasks.1.taskArn"));
    refused("ConflictException", "", "RunTask",
            "{" RUN ",'taskDefinition':'web','clientToken':'t','count':3}");
    ck_assert_int_eq((int)json_array_size(at(call("ListTasks", "{'cluster':'c'}"), "taskArns")), 2);
}
END_TEST

#define FARGATE "'networkMode':'awsvpc','requiresCompatibilities':['FARGATE']"
#define APP "'containerDefinitions':[{'name':'a','image':'i'}]"

START_TEST(bad_definitions_are_refused)
{
    static const struct {
        const char *message, *in;
    } rows[] = {
        {"", "{'family':'a b'," APP "}"},
        {"Container list cannot be empty.", "{'family':'f','containerDefinitions':[]}"},
        {"At least one of 'memory' or 'memoryReservation' must be specified.", "{'family':'f'," APP "}"},
        {"Fargate only supports network mode",
         "{'family':'f','requiresCompatibilities':['FARGATE'],'cpu':'256','memory':'512'," APP "}"},
        {"'cpu' be defined at the task level", "{'family':'f'," FARGATE ",'memory':'512'," APP "}"},
        {"No Fargate configuration exists for given values",
         "{'family':'f'," FARGATE ",'cpu':'256','memory':'4096'," APP "}"},
        {"Container.image should not be null or empty.",
         "{'family':'f'," FARGATE ",'cpu':'256','memory':'512','containerDefinitions':[{'name':'a'}]}"},
        {"host ports and container ports in port mappings must match",
         "{'family':'f'," FARGATE ",'cpu':'256','memory':'512','containerDefinitions':[{'name':'a','image':'"
         "i','portMappings':[{'containerPort':80,'hostPort':81}]}]}"},
        {"Unknown volume 'v'.",
         "{'family':'f'," FARGATE ",'cpu':'256','memory':'512','containerDefinitions':[{'name':'a','image':'"
         "i','mountPoints':[{'sourceVolume':'v'}]}]}"},
        {"essential",
         "{'family':'f'," FARGATE
         ",'cpu':'256','memory':'512','containerDefinitions':[{'name':'a','image':'i','essential':false}]}"},
        {"Log driver awslogs requires options",
         "{'family':'f'," FARGATE ",'cpu':'256','memory':'512','containerDefinitions':[{'name':'a','image':'"
         "i','logConfiguration':{'logDriver':'awslogs'}}]}"},
    };
    refused("ClientException", rows[_i].message, "RegisterTaskDefinition", "%s", rows[_i].in);
}
END_TEST

START_TEST(defaults_are_filled_in_as_aws_does)
{
    json_t *made = call(
        "RegisterTaskDefinition",
        "{'family': 'filled', 'volumes': [{'name': 'v', 'efsVolumeConfiguration': {'fileSystemId': 'fs-1'}}],"
        " 'containerDefinitions': [{'name': 'app', 'image': 'nginx', 'memory': 64, 'portMappings':"
        " [{'containerPort': 80}], 'healthCheck': {'command': ['CMD', 'true'], 'retries': 5}}]}");
    json_t *container = at(made, "taskDefinition.containerDefinitions.0");
    ck_assert_int_eq(number_at(container, "cpu"), 0);
    ck_assert(json_is_true(at(container, "essential")));
    ck_assert_int_eq(number_at(container, "healthCheck.interval"), 30);
    ck_assert_int_eq(number_at(container, "healthCheck.timeout"), 5);
    ck_assert_int_eq(number_at(container, "healthCheck.retries"), 5);
    ck_assert_str_eq(text_at(container, "portMappings.0.protocol"), "tcp");
    ck_assert_str_eq(text_at(made, "taskDefinition.volumes.0.efsVolumeConfiguration.rootDirectory"), "/");
    json_t *repository =
        call_of("ecr", "CreateRepository",
                "{'repositoryName': 'app', 'encryptionConfiguration': {'encryptionType': 'KMS'}}");
    ck_assert_ptr_nonnull(strstr(text_at(repository, "repository.encryptionConfiguration.kmsKey"), ":key/"));
}
END_TEST

START_TEST(revisions_are_counted_and_never_reused)
{
    for (int i = 2; i <= 4; i++)
        ck_assert_int_eq(
            number_at(call("RegisterTaskDefinition",
                           "{'family':'web'," FARGATE ",'cpu':'.25 vCPU','memory':'1 GB'," APP "}"),
                      "taskDefinition.revision"),
            i);
    json_t *latest = call("DescribeTaskDefinition", "{'taskDefinition':'web'}");
    ck_assert_int_eq(number_at(latest, "taskDefinition.revision"), 4);
    ck_assert_str_eq(text_at(latest, "taskDefinition.cpu"), "256");
    ck_assert_str_eq(text_at(latest, "taskDefinition.memory"), "1024");
    ck_assert_str_eq(text_at(latest, "taskDefinition.compatibilities.1"), "FARGATE");
    refused("ClientException", "Unable to describe task definition.", "DescribeTaskDefinition",
            "{'taskDefinition':'web:9'}");
    json_t *gone = call("DeregisterTaskDefinition", "{'taskDefinition':'web:4'}");
    ck_assert_str_eq(text_at(gone, "taskDefinition.status"), "INACTIVE");
    ck_assert_int_eq(
        number_at(call("DescribeTaskDefinition", "{'taskDefinition':'web'}"), "taskDefinition.revision"), 3);
    json_t *list = call("ListTaskDefinitions", "{'familyPrefix':'web','sort':'DESC','maxResults':2}");
    ck_assert_ptr_nonnull(strstr(text_at(list, "taskDefinitionArns.0"), "web:3"));
    list = call("ListTaskDefinitions", "{'familyPrefix':'web','sort':'DESC','maxResults':2,'nextToken':'%s'}",
                text_at(list, "nextToken"));
    ck_assert_ptr_nonnull(strstr(text_at(list, "taskDefinitionArns.0"), "web:1"));
    ck_assert_ptr_null(at(list, "nextToken"));
    json_t *deleted = call("DeleteTaskDefinitions", "{'taskDefinitions':['web:4','web:3']}");
    ck_assert_str_eq(text_at(deleted, "taskDefinitions.0.status"), "DELETE_IN_PROGRESS");
    ck_assert_ptr_nonnull(strstr(text_at(deleted, "failures.0.reason"), "still in ACTIVE status"));
    living_pass(120000);
    refused("ClientException", "Unable to describe", "DescribeTaskDefinition", "{'taskDefinition':'web:4'}");
    ck_assert_int_eq(number_at(call("RegisterTaskDefinition",
                                    "{'family':'web'," FARGATE ",'cpu':'256','memory':'512'," APP "}"),
                               "taskDefinition.revision"),
                     5);
}
END_TEST

START_TEST(clusters_come_and_go)
{
    call("CreateCluster", "{'clusterName':'d','tags':[{'key':'k','value':'v'}]}");
    call("CreateCluster", "{'clusterName':'d'}");
    json_t *list = call("ListClusters", "{}");
    ck_assert_int_eq((int)json_array_size(at(list, "clusterArns")), 2);
    json_t *described = call("DescribeClusters", "{'clusters':['d','x'],'include':['TAGS','STATISTICS']}");
    ck_assert_str_eq(text_at(described, "clusters.0.tags.0.value"), "v");
    ck_assert_str_eq(text_at(described, "failures.0.reason"), "MISSING");
    ck_assert_int_eq((int)json_array_size(at(described, "clusters.0.statistics")), 12);
    call("TagResource", "{'resourceArn':'%s','tags':[{'key':'k','value':'w'},{'key':'l','value':''}]}",
         text_at(described, "clusters.0.clusterArn"));
    call("UntagResource", "{'resourceArn':'%s','tagKeys':['l']}",
         text_at(described, "clusters.0.clusterArn"));
    json_t *tags =
        call("ListTagsForResource", "{'resourceArn':'%s'}", text_at(described, "clusters.0.clusterArn"));
    ck_assert_int_eq((int)json_array_size(at(tags, "tags")), 1);
    ck_assert_str_eq(text_at(tags, "tags.0.value"), "w");
    ck_assert_str_eq(text_at(call("DeleteCluster", "{'cluster':'d'}"), "cluster.status"), "INACTIVE");
    ck_assert_int_eq((int)json_array_size(at(call("ListClusters", "{}"), "clusterArns")), 1);
    refused("ClusterNotFoundException", "", "ListServices", "{'cluster':'d'}");
    call("RunTask", "{" RUN ",'taskDefinition':'web'}");
    refused("ClusterContainsTasksException", "", "DeleteCluster", "{'cluster':'c'}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tasks");
    TCase *tests = tcase_create("tasks");
    tcase_add_checked_fixture(tests, setup, living_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_fargate_task_lives);
    tcase_add_loop_test(tests, containers_end_as_their_commands_say, 0, 10);
    tcase_add_test(tests, bad_runs_are_refused);
    tcase_add_test(tests, the_same_token_runs_once);
    tcase_add_loop_test(tests, bad_definitions_are_refused, 0, 11);
    tcase_add_test(tests, defaults_are_filled_in_as_aws_does);
    tcase_add_test(tests, revisions_are_counted_and_never_reused);
    tcase_add_test(tests, clusters_come_and_go);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
