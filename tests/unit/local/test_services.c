/* SPDX-License-Identifier: Apache-2.0 */
/* Services: their checks, their scheduler, their deployments. */
#include <stdlib.h>
#include <string.h>

#include "living.h"

#define NETWORK "'networkConfiguration': {'awsvpcConfiguration': {'subnets': ['subnet-1']}}"

static void create_web(int count, const char *more)
{
    call("CreateService",
         "{'cluster': 'c', 'serviceName': 'web', 'taskDefinition': 'web', 'launchType': 'FARGATE',"
         " 'desiredCount': %d, " NETWORK "%s}",
         count, more);
}

static void register_web(const char *image, const char *command)
{
    call("RegisterTaskDefinition",
         "{'family': 'web', 'networkMode': 'awsvpc', 'requiresCompatibilities': ['FARGATE'], 'cpu': '256',"
         " 'memory': '512', 'containerDefinitions': [{'name': 'app', 'image': '%s', 'command': %s}]}",
         image, command);
}

static void setup(void)
{
    living_begin();
    living_small_world();
}

START_TEST(a_service_comes_to_its_steady_state)
{
    create_web(3, "");
    json_t *before = service("web");
    ck_assert_str_eq(text_at(before, "status"), "ACTIVE");
    ck_assert_int_eq(number_at(before, "desiredCount"), 3);
    ck_assert_int_eq(number_at(before, "runningCount"), 0);
    ck_assert_str_eq(text_at(before, "deployments.0.rolloutState"), "IN_PROGRESS");
    living_pass(100);
    ck_assert_int_eq(number_at(service("web"), "pendingCount"), 3);
    living_pass(3000);
    json_t *now = service("web");
    ck_assert_int_eq(number_at(now, "runningCount"), 3);
    ck_assert_int_eq(number_at(now, "pendingCount"), 0);
    ck_assert_str_eq(text_at(now, "deployments.0.rolloutState"), "COMPLETED");
    ck_assert_str_eq(text_at(now, "events.0.message"), "(service web) has reached a steady state.");
    ck_assert_ptr_nonnull(strstr(text_at(now, "events.1.message"), "deployment completed."));
    ck_assert_ptr_nonnull(
        strstr(text_at(now, "events.2.message"), "(service web) has started 3 tasks: (task "));
    ck_assert_int_eq((int)json_array_size(at(now, "events")), 3);
    ck_assert_int_eq(
        (int)json_array_size(at(call("ListTasks", "{'cluster':'c','serviceName':'web'}"), "taskArns")), 3);
}
END_TEST

START_TEST(scaling_starts_no_deployment)
{
    create_web(1, "");
    living_pass(4000);
    char *id = strdup(text_at(service("web"), "deployments.0.id"));
    call("UpdateService", "{'cluster':'c','service':'web','desiredCount':5}");
    living_pass(3000);
    json_t *now = service("web");
    ck_assert_int_eq(number_at(now, "runningCount"), 5);
    ck_assert_str_eq(text_at(now, "deployments.0.id"), id);
    call("UpdateService", "{'cluster':'c','service':'web','desiredCount':2}");
    living_pass(3000);
    now = service("web");
    ck_assert_int_eq(number_at(now, "runningCount"), 2);
    ck_assert_int_eq(events_with(now, "has stopped 3 running tasks:"), 1);
    ck_assert_int_eq(events_with(now, "has reached a steady state."), 3);
    free(id);
}
END_TEST

/* Rolls 4 tasks over within the bounds, a tick at a time. */
static void roll(const char *configuration, long least, long most)
{
    create_web(4, configuration);
    living_pass(4000);
    register_web("nginx:2", "null");
    call("UpdateService", "{'cluster':'c','service':'web','taskDefinition':'web'}");
    ck_assert_int_eq((int)json_array_size(at(service("web"), "deployments")), 2);
    for (int i = 0; i < 400; i++) {
        living_pass(50);
        json_t *now = service("web");
        ck_assert_int_ge(number_at(now, "runningCount"), least);
        ck_assert_int_le(number_at(now, "runningCount") + number_at(now, "pendingCount"), most);
    }
    json_t *now = service("web");
    ck_assert_int_eq((int)json_array_size(at(now, "deployments")), 1);
    ck_assert_str_eq(text_at(now, "deployments.0.rolloutState"), "COMPLETED");
    ck_assert_ptr_nonnull(strstr(text_at(now, "deployments.0.taskDefinition"), "task-definition/web:2"));
    ck_assert_int_eq(number_at(now, "runningCount"), 4);
}

START_TEST(a_deployment_keeps_within_its_bounds)
{
    switch (_i) {
    case 0:
        roll("", 4, 8);
        break;
    case 1:
        roll(", 'deploymentConfiguration': {'minimumHealthyPercent': 50, 'maximumPercent': 100}", 2, 4);
        break;
    case 2:
        roll(", 'deploymentConfiguration': {'minimumHealthyPercent': 75, 'maximumPercent': 125}", 3, 5);
        break;
    default:
        roll(", 'deploymentConfiguration': {'minimumHealthyPercent': 0, 'maximumPercent': 100}", 0, 4);
    }
}
END_TEST

static void break_with(const char *image, const char *command, const char *breaker)
{
    create_web(2, breaker);
    living_pass(4000);
    register_web(image, command);
    call("UpdateService", "{'cluster':'c','service':'web','taskDefinition':'web:2'}");
    living_pass(60000);
}

START_TEST(a_missing_image_is_rolled_back)
{
    break_with(
        "nginx:does-not-exist", "null",
        ", 'deploymentConfiguration': {'deploymentCircuitBreaker': {'enable': true, 'rollback': true}}");
    json_t *now = service("web");
    ck_assert_int_eq((int)json_array_size(at(now, "deployments")), 1);
    ck_assert_ptr_nonnull(strstr(text_at(now, "taskDefinition"), "web:1"));
    ck_assert_str_eq(text_at(now, "deployments.0.rolloutState"), "COMPLETED");
    ck_assert_int_eq(number_at(now, "runningCount"), 2);
    ck_assert_int_eq(events_with(now, "deployment failed: tasks failed to start."), 1);
    ck_assert_int_eq(events_with(now, "rolling back to deployment ecs-svc/"), 1);
    json_t *past = call("ListServiceDeployments", "{'cluster':'c','service':'web'}");
    ck_assert_str_eq(text_at(past, "serviceDeployments.0.status"), "ROLLBACK_SUCCESSFUL");
    json_t *stopped = call("ListTasks", "{'cluster':'c','desiredStatus':'STOPPED'}");
    json_t *task = at(call("DescribeTasks", "{'cluster':'c','tasks':['%s']}", text_at(stopped, "taskArns.0")),
                      "tasks.0");
    ck_assert_str_eq(text_at(task, "stopCode"), "TaskFailedToStart");
    ck_assert_int_eq(strncmp(text_at(task, "stoppedReason"), "CannotPullContainerError", 24), 0);
    ck_assert_int_eq(strncmp(text_at(task, "containers.0.reason"), "CannotPullContainerError", 24), 0);
}
END_TEST

START_TEST(a_failed_deployment_without_rollback_stays_failed)
{
    break_with(
        "nginx", "['exit', '1']",
        ", 'deploymentConfiguration': {'deploymentCircuitBreaker': {'enable': true, 'rollback': false}}");
    json_t *now = service("web");
    ck_assert_str_eq(text_at(now, "deployments.0.rolloutState"), "FAILED");
    ck_assert_str_eq(text_at(now, "deployments.0.rolloutStateReason"),
                     "ECS deployment circuit breaker: tasks failed to start.");
    ck_assert_int_ge(number_at(now, "deployments.0.failedTasks"), 3); /* two tasks at a time */
    ck_assert_int_eq(number_at(now, "deployments.1.runningCount"), 2);
}
END_TEST

START_TEST(without_a_breaker_it_tries_on_and_complains)
{
    break_with("nginx", "['sh', '-c', 'exit 3']", "");
    json_t *now = service("web");
    ck_assert_str_eq(text_at(now, "deployments.0.rolloutState"), "IN_PROGRESS");
    ck_assert_int_eq(events_with(now, "is unable to consistently start tasks successfully."), 1);
    ck_assert_int_gt(number_at(now, "deployments.0.failedTasks"), 4);
    ck_assert_int_eq(number_at(now, "deployments.1.runningCount"), 2);
}
END_TEST

START_TEST(deleting_drains)
{
    create_web(2, "");
    living_pass(4000);
    refused("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.",
            "DeleteService", "{'cluster':'c','service':'web'}");
    json_t *reply = call("DeleteService", "{'cluster':'c','service':'web','force':true}");
    ck_assert_str_eq(text_at(reply, "service.status"), "DRAINING");
    ck_assert_int_eq((int)json_array_size(at(call("ListServices", "{'cluster':'c'}"), "serviceArns")), 0);
    refused("InvalidParameterException", "still Draining", "CreateService",
            "{'cluster':'c','serviceName':'web','taskDefinition':'web','launchType':'FARGATE'," NETWORK "}");
    refused("ClusterContainsServicesException", "", "DeleteCluster", "{'cluster':'c'}");
    living_pass(4000);
    ck_assert_str_eq(text_at(service("web"), "status"), "INACTIVE");
    refused("ServiceNotActiveException", "Service was not ACTIVE.", "UpdateService",
            "{'cluster':'c','service':'web'}");
    create_web(1, "");
    living_pass(4000);
    ck_assert_int_eq(number_at(service("web"), "runningCount"), 1);
}
END_TEST

START_TEST(bad_services_are_refused)
{
    static const struct {
        const char *code, *message, *in;
    } rows[] = {
        {"ClusterNotFoundException", "Cluster not found.",
         "{'cluster':'x','serviceName':'a','taskDefinition':'web'}"},
        {"ClientException", "TaskDefinition not found.",
         "{'cluster':'c','serviceName':'a','taskDefinition':'none'}"},
        {"InvalidParameterException", "Network Configuration must be provided",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web','launchType':'FARGATE'}"},
        {"InvalidParameterException", "both a launch type and capacity provider",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web','launchType':'FARGATE',"
         "'capacityProviderStrategy':[{'capacityProvider':'FARGATE'}]}"},
        {"InvalidParameterException", "not associated with the cluster",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web',"
         "'capacityProviderStrategy':[{'capacityProvider':'FARGATE','weight':1}]}"},
        {"InvalidParameterException", "DAEMON",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web','launchType':'FARGATE','schedulingStrategy'"
         ":'DAEMON'," NETWORK "}"},
        {"InvalidParameterException", "cannot be 100 as this will block deployments",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web','launchType':'FARGATE'," NETWORK ","
         "'deploymentConfiguration':{'minimumHealthyPercent':100,'maximumPercent':100}}"},
        {"InvalidParameterException", "", "{'cluster':'c','serviceName':'a/b','taskDefinition':'web'}"},
        {"InvalidParameterException", "The container x does not exist",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web','launchType':'FARGATE'," NETWORK ","
         "'loadBalancers':[{'targetGroupArn':'t','containerName':'x','containerPort':80}]}"},
        {"PlatformUnknownException", "",
         "{'cluster':'c','serviceName':'a','taskDefinition':'web','launchType':'FARGATE','platformVersion':'"
         "9.9'," NETWORK "}"},
    };
    refused(rows[_i].code, rows[_i].message, "CreateService", "%s", rows[_i].in);
    ck_assert_int_eq((int)json_array_size(at(call("ListServices", "{'cluster':'c'}"), "serviceArns")), 0);
}
END_TEST

START_TEST(lists_come_in_pages)
{
    for (int i = 0; i < 37; i++)
        call("CreateService",
             "{'cluster':'c','serviceName':'s%d','taskDefinition':'web','launchType':'FARGATE','desiredCount'"
             ":0," NETWORK "}",
             i);
    json_t *page = call("ListServices", "{'cluster':'c'}");
    ck_assert_int_eq((int)json_array_size(at(page, "serviceArns")), 10);
    int seen = 10;
    while (at(page, "nextToken")) {
        page = call("ListServices", "{'cluster':'c','maxResults':7,'nextToken':'%s'}",
                    text_at(page, "nextToken"));
        seen += (int)json_array_size(at(page, "serviceArns"));
    }
    ck_assert_int_eq(seen, 37);
    ck_assert_ptr_null(at(call("ListServices", "{'cluster':'c','maxResults':100}"), "nextToken"));
    refused("InvalidParameterException", "Invalid token", "ListServices", "{'cluster':'c','nextToken':'zz'}");
    refused("InvalidParameterException", "services can have at most 10 items.", "DescribeServices",
            "{'cluster':'c','services':['1','2','3','4','5','6','7','8','9','10','11']}");
}
END_TEST

START_TEST(the_same_token_makes_one_service)
{
    create_web(1, ", 'clientToken': 'abc'");
    create_web(1, ", 'clientToken': 'abc'");
    refused("InvalidParameterException", "Creation of service was not idempotent.", "CreateService",
            "{'cluster':'c','serviceName':'web','taskDefinition':'web','launchType':'FARGATE'," NETWORK "}");
}
END_TEST

START_TEST(ec2_services_wait_for_instances)
{
    call("RegisterTaskDefinition",
         "{'family':'ec2','containerDefinitions':[{'name':'a','image':'nginx','memory':512,'cpu':256}]}");
    call("CreateService", "{'cluster':'c','serviceName':'e','taskDefinition':'ec2','desiredCount':3}");
    living_pass(3000);
    json_t *now = service("e");
    ck_assert_int_eq(
        events_with(now, "unable to place a task because no container instance met all of its requirements. "
                         "Reason: No Container Instances were found in your cluster."),
        1);
    call("RegisterContainerInstance",
         "{'cluster':'c','totalResources':[{'name':'CPU','type':'INTEGER','integerValue':1024},"
         "{'name':'MEMORY','type':'INTEGER','integerValue':1100}]}");
    living_pass(4000);
    now = service("e");
    ck_assert_int_eq(number_at(now, "runningCount"), 2);
    call("RegisterContainerInstance", "{'cluster':'c'}");
    living_pass(4000);
    now = service("e");
    ck_assert_int_eq(number_at(now, "runningCount"), 3);
    json_t *arns = call("ListContainerInstances", "{'cluster':'c'}");
    json_t *instance = at(call("DescribeContainerInstances", "{'cluster':'c','containerInstances':['%s']}",
                               text_at(arns, "containerInstanceArns.0")),
                          "containerInstances.0");
    ck_assert_int_eq(number_at(instance, "runningTasksCount"), 2);
    ck_assert_int_eq(number_at(instance, "remainingResources.1.integerValue"), 1100 - 1024);
    call("CreateService",
         "{'cluster':'c','serviceName':'d','taskDefinition':'ec2','schedulingStrategy':'DAEMON'}");
    living_pass(4000);
    now = service("d"); /* the first instance is full */
    ck_assert_int_eq(number_at(now, "desiredCount"), 1);
    ck_assert_int_eq(number_at(now, "runningCount"), 1);
}
END_TEST

START_TEST(updates_deploy_where_aws_deploys)
{
    static const struct {
        const char *change;
        int deployments;
    } rows[] = {
        {"'forceNewDeployment': true", 2},
        {"'taskDefinition': 'web:1'", 1},
        {"'enableExecuteCommand': true", 1},
        {"'propagateTags': 'SERVICE'", 1},
        {"'platformVersion': '1.4.0'", 2},
        {"'networkConfiguration': {'awsvpcConfiguration': {'subnets': ['subnet-1']}}", 1},
        {"'networkConfiguration': {'awsvpcConfiguration': {'subnets': ['subnet-2']}}", 2},
        {"'deploymentConfiguration': {'minimumHealthyPercent': 50}", 1},
    };
    create_web(1, "");
    living_pass(4000);
    json_t *reply = call("UpdateService", "{'cluster':'c','service':'web',%s}", rows[_i].change);
    ck_assert_int_eq((int)json_array_size(at(reply, "service.deployments")), rows[_i].deployments);
}
END_TEST

START_TEST(code_deploy_has_the_say_over_its_services)
{
    create_web(1, ", 'deploymentController': {'type': 'CODE_DEPLOY'}");
    static const char *const refusals[][2] = {
        {"'taskDefinition': 'web'", "Unable to update task definition"},
        {NETWORK, "Unable to update network parameters"},
        {"'platformVersion': '1.4.0'", "Unable to update platform version"},
        {"'loadBalancers': []", "Unable to update load balancers"},
        {"'forceNewDeployment': true", "Cannot force a new deployment"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        refused("InvalidParameterException", refusals[i][1], "UpdateService",
                "{'cluster': 'c', 'service': 'web', %s}", refusals[i][0]);
    call("UpdateService",
         "{'cluster': 'c', 'service': 'web', 'desiredCount': 2, 'forceNewDeployment': false,"
         " 'enableECSManagedTags': true, 'deploymentConfiguration': {'maximumPercent': 150}}");
    living_pass(5000);
    ck_assert_int_eq(number_at(service("web"), "runningCount"), 2);
}
END_TEST

static json_t *last_deployment(void)
{
    json_t *list = call("ListServiceDeployments", "{'cluster': 'c', 'service': 'web'}");
    return at(call("DescribeServiceDeployments", "{'serviceDeploymentArns': ['%s']}",
                   text_at(list, "serviceDeployments.0.serviceDeploymentArn")),
              "serviceDeployments.0");
}

START_TEST(a_deployment_is_stopped_and_rolled_back)
{
    create_web(
        2,
        ", 'deploymentConfiguration': {'alarms': {'alarmNames': ['cpu'], 'enable': true, 'rollback': true}}");
    living_pass(5000);
    json_t *first = last_deployment();
    ck_assert_str_eq(text_at(first, "status"), "SUCCESSFUL");
    ck_assert_str_eq(text_at(first, "alarms.status"), "MONITORING_COMPLETE");
    ck_assert_str_eq(text_at(first, "alarms.alarmNames.0"), "cpu");
    refused("ConflictException", "", "StopServiceDeployment", "{'serviceDeploymentArn': '%s'}",
            text_at(first, "serviceDeploymentArn"));
    register_web("nginx:2", "[]");
    call("UpdateService", "{'cluster': 'c', 'service': 'web', 'taskDefinition': 'web:2'}");
    living_pass(200);
    json_t *second = last_deployment();
    ck_assert_str_eq(text_at(second, "status"), "IN_PROGRESS");
    ck_assert_str_eq(text_at(second, "alarms.status"), "MONITORING");
    call("StopServiceDeployment", "{'serviceDeploymentArn': '%s', 'stopType': 'ROLLBACK'}",
         text_at(second, "serviceDeploymentArn"));
    ck_assert_ptr_nonnull(strstr(text_at(service("web"), "deployments.0.rolloutStateReason"), "by the user"));
    living_pass(10000);
    json_t *now = service("web");
    ck_assert_ptr_nonnull(strstr(text_at(now, "taskDefinition"), ":task-definition/web:1"));
    ck_assert_int_eq(number_at(now, "runningCount"), 2);
    ck_assert_int_eq((int)json_array_size(at(now, "deployments")), 1);
    ck_assert_str_eq(text_at(last_deployment(), "status"), "ROLLBACK_SUCCESSFUL");
}
END_TEST

START_TEST(what_does_not_go_together_is_refused)
{
    refused("InvalidParameterException", "targetGroupArn", "CreateService",
            "{'cluster': 'c', 'serviceName': 'x', 'taskDefinition': 'web', 'launchType': 'FARGATE',"
            " 'loadBalancers': [{'containerName': 'app', 'containerPort': 80}], " NETWORK "}");
    call("RegisterTaskDefinition",
         "{'family': 'ec2', 'containerDefinitions': [{'name': 'app', 'image': 'nginx', 'memory': 64}]}");
    refused("InvalidParameterException", "placement strategies", "CreateService",
            "{'cluster': 'c', 'serviceName': 'x', 'taskDefinition': 'ec2', 'launchType': 'EC2',"
            " 'schedulingStrategy': 'DAEMON', 'placementStrategy': [{'type': 'random'}]}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("services");
    TCase *tests = tcase_create("services");
    tcase_add_checked_fixture(tests, setup, living_end);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_service_comes_to_its_steady_state);
    tcase_add_test(tests, scaling_starts_no_deployment);
    tcase_add_loop_test(tests, a_deployment_keeps_within_its_bounds, 0, 4);
    tcase_add_test(tests, a_missing_image_is_rolled_back);
    tcase_add_test(tests, a_failed_deployment_without_rollback_stays_failed);
    tcase_add_test(tests, without_a_breaker_it_tries_on_and_complains);
    tcase_add_test(tests, deleting_drains);
    tcase_add_loop_test(tests, bad_services_are_refused, 0, 10);
    tcase_add_test(tests, lists_come_in_pages);
    tcase_add_test(tests, the_same_token_makes_one_service);
    tcase_add_test(tests, ec2_services_wait_for_instances);
    tcase_add_loop_test(tests, updates_deploy_where_aws_deploys, 0, 8);
    tcase_add_test(tests, code_deploy_has_the_say_over_its_services);
    tcase_add_test(tests, a_deployment_is_stopped_and_rolled_back);
    tcase_add_test(tests, what_does_not_go_together_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
