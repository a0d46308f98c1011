/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of AWS's operations: finding, checking, projecting. */
#include <check.h>
#include <jansson.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ecsfs/api.h"
#include "ecsfs/cleanup.h"

ECS_CLEANUP(json_decref, json_t *, json_decref)
#define cleanup_json __attribute__((cleanup(json_decref_p)))

/* What a check told: the last fault, and all of them as "kind place\n". */
struct told {
    enum ecs_fault fault;
    char place[256], what[512], all[4096];
};

static void note(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    struct told *told = arg;
    size_t len = strlen(told->all);
    told->fault = fault;
    snprintf(told->place, sizeof(told->place), "%s", place);
    snprintf(told->what, sizeof(told->what), "%s", what);
    snprintf(told->all + len, sizeof(told->all) - len, "%d %s\n", (int)fault, place);
}

static const struct ecs_shape *input_of(const char *service, const char *operation)
{
    const struct ecs_api_operation *found = ecs_api_find(service, operation);
    ck_assert_ptr_nonnull(found);
    ck_assert_ptr_nonnull(found->input);
    return found->input;
}

static int check_text(const struct ecs_shape *shape, const char *text, struct told *told)
{
    cleanup_json json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    ck_assert_msg(value != NULL, "not JSON: %s", text);
    *told = (struct told){0};
    return ecs_shape_check(shape, value, note, told);
}

START_TEST(finds_operations)
{
    static const char *const known[][2] = {
        {"ecs", "UpdateService"},     {"ecs", "RunTask"},
        {"ecr", "BatchGetImage"},     {"logs", "FilterLogEvents"},
        {"sts", "GetCallerIdentity"}, {"ecr-public", "DescribeRepositories"},
        {"events", "PutTargets"},     {"application-autoscaling", "PutScalingPolicy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const struct ecs_api_operation *found = ecs_api_find(known[i][0], known[i][1]);
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found->service, known[i][0]);
        ck_assert_str_eq(found->name, known[i][1]);
        ck_assert_int_eq(found->input->type, ECS_SHAPE_STRUCTURE);
        ck_assert_int_eq(found->output->type, ECS_SHAPE_STRUCTURE);
    }
    ck_assert_ptr_null(ecs_api_find("ecs", "FlyToTheMoon"));
    ck_assert_ptr_null(ecs_api_find("ec2", "RunInstances"));
    ck_assert_ptr_null(ecs_api_find("ecs", ""));
    ck_assert_ptr_null(ecs_api_find("logs", "CreateLogGroup")->output);
}
END_TEST

START_TEST(knows_idempotency_tokens)
{
    ck_assert_str_eq(ecs_api_find("ecs", "RunTask")->idempotency_token, "clientToken");
    ck_assert_str_eq(ecs_api_find("ecs", "CreateService")->idempotency_token, "clientToken");
    ck_assert_str_eq(ecs_api_find("ecs", "CreateTaskSet")->idempotency_token, "clientToken");
    ck_assert_ptr_null(ecs_api_find("ecs", "RegisterTaskDefinition")->idempotency_token);
    ck_assert_ptr_null(ecs_api_find("ecs", "UpdateService")->idempotency_token);
}
END_TEST

START_TEST(finds_members)
{
    const struct ecs_shape *service = input_of("ecs", "CreateService");
    for (size_t i = 0; i < service->members_len; i++) {
        ck_assert_ptr_eq(ecs_shape_member(service, service->members[i].name), &service->members[i]);
        if (i)
            ck_assert_int_lt(strcmp(service->members[i - 1].name, service->members[i].name), 0);
    }
    ck_assert(ecs_shape_member(service, "serviceName")->required);
    ck_assert(!ecs_shape_member(service, "desiredCount")->required);
    ck_assert_ptr_null(ecs_shape_member(service, "ServiceName"));
    ck_assert_ptr_null(ecs_shape_member(ecs_shape_member(service, "serviceName")->shape, "x"));
}
END_TEST

/* One fault a row, or none (place NULL). */
static const struct row {
    const char *service, *operation, *input, *place;
    enum ecs_fault fault;
    const char *what; /* a part of it */
} rows[] = {
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":5}", NULL, 0, NULL},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":null}", NULL, 0, NULL},
    {"ecs", "UpdateService", "{\"desiredCount\":5}", "service", ECS_FAULT_MISSING, "must not be null"},
    {"ecs", "UpdateService", "{\"service\":null}", "service", ECS_FAULT_MISSING, "must not be null"},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredcount\":5}", "desiredcount", ECS_FAULT_UNKNOWN,
     "UpdateServiceRequest"},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":\"5\"}", "desiredCount", ECS_FAULT_TYPE,
     "STRING_VALUE can not be converted to an Integer"},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":5.5}", "desiredCount", ECS_FAULT_TYPE,
     "Integer"},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":2147483647}", NULL, 0, NULL},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":2147483648}", "desiredCount",
     ECS_FAULT_TYPE, "out of range"},
    {"ecs", "UpdateService", "{\"service\":\"web\",\"desiredCount\":-2147483649}", "desiredCount",
     ECS_FAULT_TYPE, "out of range"},
    {"ecs", "UpdateService", "{\"service\":7}", "service", ECS_FAULT_TYPE, "NUMBER_VALUE"},
    {"ecs", "UpdateService", "[]", "", ECS_FAULT_TYPE, "LIST_VALUE"},
    {"ecs", "UpdateService", "null", "", ECS_FAULT_MISSING, "null"},
    {"ecs", "UpdateService", "{\"service\":\"w\",\"forceNewDeployment\":1}", "forceNewDeployment",
     ECS_FAULT_TYPE, "a Boolean"},
    {"ecs", "UpdateService", "{\"service\":\"w\",\"loadBalancers\":{}}", "loadBalancers", ECS_FAULT_TYPE,
     "a list"},
    {"ecs", "UpdateService", "{\"service\":\"w\",\"loadBalancers\":[null]}", "loadBalancers[0]",
     ECS_FAULT_MISSING, "null"},
    {"ecs", "UpdateService", "{\"service\":\"w\",\"networkConfiguration\":[]}", "networkConfiguration",
     ECS_FAULT_TYPE, "a structure"},
    {"ecs", "RegisterTaskDefinition",
     "{\"family\":\"f\",\"containerDefinitions\":[{\"portMappings\":[{},{\"hostPort\":\"x\"}]}]}",
     "containerDefinitions[0].portMappings[1].hostPort", ECS_FAULT_TYPE, "an Integer"},
    {"ecs", "RegisterTaskDefinition",
     "{\"family\":\"f\",\"containerDefinitions\":[{\"ulimits\":[{\"name\":\"core\",\"softLimit\":-1,"
     "\"hardLimit\":-1}]}]}",
     NULL, 0, NULL},
    {"ecs", "RegisterTaskDefinition",
     "{\"family\":\"f\",\"containerDefinitions\":[],\"networkMode\":\"weird\"}", "networkMode",
     ECS_FAULT_ENUM, "[bridge, host, awsvpc, none]"},
    {"ecs", "RegisterTaskDefinition",
     "{\"family\":\"f\",\"containerDefinitions\":[{\"dockerLabels\":{\"a.b\":1}}]}",
     "containerDefinitions[0].dockerLabels.a.b", ECS_FAULT_TYPE, "a String"},
    {"ecs", "RegisterTaskDefinition", "{\"family\":\"f\",\"containerDefinitions\":[{\"dockerLabels\":7}]}",
     "containerDefinitions[0].dockerLabels", ECS_FAULT_TYPE, "a map"},
    {"ecs", "TagResource", "{\"resourceArn\":\"a\",\"tags\":[{\"key\":\"\"}]}", "tags[0].key",
     ECS_FAULT_RANGE, "length greater than or equal to 1"},
    {"ecs", "TagResource", "{\"resourceArn\":\"a\",\"tags\":[{\"key\":\"k!\"}]}", "tags[0].key",
     ECS_FAULT_PATTERN, "regular expression pattern: ([\\p{L}"},
    {"ecs", "TagResource", "{\"resourceArn\":\"a\",\"tags\":[{\"key\":\"gr\\u00fc\\u00dfe \\u4e16\"}]}", NULL,
     0, NULL},
    {"ecs", "CreateService",
     "{\"serviceName\":\"s\",\"capacityProviderStrategy\":[{\"capacityProvider\":\"c\",\"weight\":1001}]}",
     "capacityProviderStrategy[0].weight", ECS_FAULT_RANGE, "value less than or equal to 1000"},
    {"ecs", "CreateService",
     "{\"serviceName\":\"s\",\"capacityProviderStrategy\":[{\"capacityProvider\":\"c\",\"weight\":-1}]}",
     "capacityProviderStrategy[0].weight", ECS_FAULT_RANGE, "value greater than or equal to 0"},
    {"ecs", "CreateService",
     "{\"serviceName\":\"s\",\"deploymentConfiguration\":{\"lifecycleHooks\":[{\"hookDetails\":[1,{\"a\":"
     "null}]}]}}",
     NULL, 0, NULL},
    {"ecr", "DescribeRepositories", "{\"maxResults\":1001}", "maxResults", ECS_FAULT_RANGE,
     "Member must have value less than or equal to 1000"},
    {"ecr", "DescribeRepositories", "{\"maxResults\":0}", "maxResults", ECS_FAULT_RANGE, "or equal to 1"},
    {"ecr", "DescribeRepositories", "{\"repositoryNames\":[]}", "repositoryNames", ECS_FAULT_RANGE, "length"},
    {"ecr", "CreateRepository", "{\"repositoryName\":\"team/web-app\"}", NULL, 0, NULL},
    {"ecr", "CreateRepository", "{\"repositoryName\":\"Team\"}", "repositoryName", ECS_FAULT_PATTERN,
     "[a-z0-9]+"},
    {"ecr", "CreateRepository", "{\"repositoryName\":\"a//b\"}", "repositoryName", ECS_FAULT_PATTERN,
     "[a-z0-9]+"},
    {"ecr", "CreateRepository", "{\"repositoryName\":\"a\"}", "repositoryName", ECS_FAULT_RANGE,
     "length greater than or equal to 2"},
    {"ecr", "UploadLayerPart",
     "{\"repositoryName\":\"ab\",\"uploadId\":\"00000000-0000-0000-0000-000000000000\","
     "\"partFirstByte\":9223372036854775807,\"partLastByte\":0,\"layerPartBlob\":\"YWI=\"}",
     NULL, 0, NULL},
    {"ecr", "UploadLayerPart",
     "{\"repositoryName\":\"ab\",\"uploadId\":\"00000000-0000-0000-0000-000000000000\","
     "\"partFirstByte\":-1,\"partLastByte\":0,\"layerPartBlob\":\"YWI=\"}",
     "partFirstByte", ECS_FAULT_RANGE, "value greater than or equal to 0"},
    {"ecr", "UploadLayerPart",
     "{\"repositoryName\":\"ab\",\"uploadId\":\"00000000-0000-0000-0000-000000000000\","
     "\"partFirstByte\":0,\"partLastByte\":0,\"layerPartBlob\":\"Y=I=\"}",
     "layerPartBlob", ECS_FAULT_TYPE, "base64"},
    {"logs", "DescribeLogStreams", "{\"logGroupName\":\"/ecs/web\",\"orderBy\":\"LastEventTime\"}", NULL, 0,
     NULL},
    {"logs", "DescribeLogStreams", "{\"logGroupName\":\"a b\"}", "logGroupName", ECS_FAULT_PATTERN,
     "pattern"},
    {"logs", "CreateLogGroup", "{\"logGroupName\":\"g\",\"tags\":{\"bad!\":\"v\"}}", "tags.bad!",
     ECS_FAULT_PATTERN, "pattern"},
    {"events", "PutRule", "{\"Name\":\"nightly\",\"ScheduleExpression\":\"cron(0 3 * * ? *)\"}", NULL, 0,
     NULL},
    {"events", "PutRule", "{\"Name\":\"night ly\"}", "Name", ECS_FAULT_PATTERN, "pattern"},
    {"application-autoscaling", "RegisterScalableTarget",
     "{\"ServiceNamespace\":\"ecs\",\"ResourceId\":\"service/c/"
     "s\",\"ScalableDimension\":\"ecs:service:Count\"}",
     "ScalableDimension", ECS_FAULT_ENUM, "ecs:service:DesiredCount"},
};

START_TEST(checks)
{
    const struct row *row = &rows[_i];
    struct told told;
    int faults = check_text(input_of(row->service, row->operation), row->input, &told);
    ck_assert_msg(faults == (row->place != NULL), "%s: %d faults:\n%s", row->input, faults, told.all);
    if (!row->place)
        return;
    ck_assert_str_eq(told.place, row->place);
    ck_assert_int_eq(told.fault, row->fault);
    ck_assert_msg(strstr(told.what, row->what) != NULL, "%s: %s", row->input, told.what);
}
END_TEST

START_TEST(tells_every_fault)
{
    struct told told;
    ck_assert_int_eq(check_text(input_of("ecs", "RegisterTaskDefinition"),
                                "{\"famly\":1,\"containerDefinitions\":[{\"cpu\":\"1\",\"x\":{}},3]}", &told),
                     5);
    ck_assert_str_eq(told.all, "0 famly\n2 containerDefinitions[0].cpu\n0 containerDefinitions[0].x\n"
                               "2 containerDefinitions[1]\n1 family\n");
    cleanup_json json_t *value = json_pack("{s:i}", "famly", 1);
    ck_assert_int_eq(ecs_shape_check(input_of("ecs", "RegisterTaskDefinition"), value, NULL, NULL), 3);
}
END_TEST

START_TEST(cuts_long_places)
{
    char name[5000];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    cleanup_json json_t *value = json_pack("{s:s, s:i}", "service", "s", name, 1);
    struct told told = {0};
    ck_assert_int_eq(ecs_shape_check(input_of("ecs", "UpdateService"), value, note, &told), 1);
    ck_assert_int_eq(told.fault, ECS_FAULT_UNKNOWN);
}
END_TEST

/* Lengths of a text are characters, those of a blob the bytes it stands for. */
START_TEST(counts_as_aws_counts)
{
    const struct ecs_shape text = {.name = "T", .type = ECS_SHAPE_STRING, .min = 2, .max = 3};
    const struct ecs_shape blob = {.name = "B", .type = ECS_SHAPE_BLOB, .min = 2, .max = 3};
    struct told told;
    ck_assert_int_eq(check_text(&text, "\"\\u4e16\\u754c\\ud83d\\ude00\"", &told), 0);
    ck_assert_int_eq(check_text(&text, "\"\\u4e16\"", &told), 1);
    ck_assert_int_eq(check_text(&text, "\"abcd\"", &told), 1);
    ck_assert_int_eq(check_text(&blob, "\"YQ==\"", &told), 1);
    ck_assert_int_eq(check_text(&blob, "\"YWI=\"", &told), 0);
    ck_assert_int_eq(check_text(&blob, "\"YWJj\"", &told), 0);
    ck_assert_int_eq(check_text(&blob, "\"YWJjZA==\"", &told), 1);
    ck_assert_int_eq(check_text(&blob, "\"====\"", &told), 1);
}
END_TEST

START_TEST(bounds_numbers)
{
    const struct ecs_shape any = {.name = "N", .type = ECS_SHAPE_LONG, .min = 0, .max = -1};
    const struct ecs_shape natural = {.name = "N", .type = ECS_SHAPE_LONG, .min = 0, .max = LONG_MAX};
    const struct ecs_shape percent = {.name = "P", .type = ECS_SHAPE_DOUBLE, .min = 0, .max = 100};
    struct told told;
    ck_assert_int_eq(check_text(&any, "-5", &told), 0);
    ck_assert_int_eq(check_text(&natural, "-5", &told), 1);
    ck_assert_int_eq(check_text(&natural, "9223372036854775807", &told), 0);
    ck_assert_int_eq(check_text(&percent, "99.5", &told), 0);
    ck_assert_int_eq(check_text(&percent, "100", &told), 0);
    ck_assert_int_eq(check_text(&percent, "100.5", &told), 1);
    ck_assert_int_eq(check_text(&percent, "-0.5", &told), 1);
    ck_assert_int_eq(check_text(&percent, "\"1\"", &told), 1);
}
END_TEST

/* Patterns are sets of bytes, wherever the process thinks it lives. */
START_TEST(knows_no_locale)
{
    struct told told;
    ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
    const struct ecs_shape *shape = input_of("ecs", "TagResource");
    ck_assert_int_eq(check_text(shape,
                                "{\"resourceArn\":\"a\",\"tags\":[{\"key\":\"gr\\u00fc\\u00dfe \\u4e16\"}]}",
                                &told),
                     0);
    ck_assert_int_eq(check_text(shape, "{\"resourceArn\":\"a\",\"tags\":[{\"key\":\"gr\\u00fc!\"}]}", &told),
                     1);
    ck_assert_int_eq(told.fault, ECS_FAULT_PATTERN);
}
END_TEST

static char *dump(const struct ecs_shape *shape, const char *text)
{
    cleanup_json json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    cleanup_json json_t *projected = ecs_shape_project(shape, value);
    ck_assert_ptr_nonnull(projected);
    return json_dumps(projected, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

START_TEST(projects)
{
    const struct ecs_shape *task = input_of("ecs", "RegisterTaskDefinition");
    static const char *const cases[][2] = {
        {"{\"family\":\"f\",\"revision\":3,\"status\":\"ACTIVE\"}", "{\"family\":\"f\"}"},
        {"{\"containerDefinitions\":[{\"cpu\":1,\"digest\":\"x\",\"portMappings\":[{\"hostPort\":1,\"x\":2}]}"
         ",{}]}",
         "{\"containerDefinitions\":[{\"cpu\":1,\"portMappings\":[{\"hostPort\":1}]},{}]}"},
        {"{\"containerDefinitions\":[{\"dockerLabels\":{\"any\":\"v\"}}]}",
         "{\"containerDefinitions\":[{\"dockerLabels\":{\"any\":\"v\"}}]}"},
        {"{\"containerDefinitions\":7,\"family\":[1,{\"x\":null}]}",
         "{\"containerDefinitions\":7,\"family\":[1,{\"x\":null}]}"}, /* wrong types stay */
        {"{\"family\":null}", "{\"family\":null}"},
        {"{}", "{}"},
        {"3", "3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *text = dump(task, cases[i][0]);
        ck_assert_str_eq(text, cases[i][1]);
    }
}
END_TEST

START_TEST(projection_is_a_copy)
{
    cleanup_json json_t *value = json_loads("{\"family\":\"f\",\"tags\":[{\"key\":\"k\"}]}", 0, NULL);
    cleanup_json json_t *copy = ecs_shape_project(input_of("ecs", "RegisterTaskDefinition"), value);
    json_array_clear(json_object_get(value, "tags"));
    json_string_set(json_object_get(value, "family"), "g");
    ck_assert_uint_eq(json_array_size(json_object_get(copy, "tags")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(copy, "family")), "f");
}
END_TEST

static void *hammer(void *arg)
{
    const struct ecs_shape *shape = arg;
    cleanup_json json_t *good = json_pack("{s:s}", "repositoryName", "team/web");
    cleanup_json json_t *bad = json_pack("{s:s}", "repositoryName", "Team/web");
    for (int i = 0; i < 2000; i++)
        if (ecs_shape_check(shape, good, NULL, NULL) != 0 || ecs_shape_check(shape, bad, NULL, NULL) != 1)
            return arg;
    return NULL;
}

/* Patterns are compiled at their first use, which may come from several threads at once. */
START_TEST(threads_may_check)
{
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, hammer, (void *)input_of("ecr", "CreateRepository")), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shape");
    TCase *find = tcase_create("find"), *check = tcase_create("check"), *project = tcase_create("project");
    tcase_add_test(find, finds_operations);
    tcase_add_test(find, knows_idempotency_tokens);
    tcase_add_test(find, finds_members);
    tcase_add_loop_test(check, checks, 0, (int)ARRAY_LEN(rows));
    tcase_add_test(check, tells_every_fault);
    tcase_add_test(check, cuts_long_places);
    tcase_add_test(check, counts_as_aws_counts);
    tcase_add_test(check, bounds_numbers);
    tcase_add_test(check, threads_may_check);
    tcase_add_test(check, knows_no_locale);
    tcase_add_test(project, projects);
    tcase_add_test(project, projection_is_a_copy);
    suite_add_tcase(suite, find);
    suite_add_tcase(suite, check);
    suite_add_tcase(suite, project);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
