/* SPDX-License-Identifier: Apache-2.0 */
/* Published vectors: profile files, assume-role plans, container and metadata addresses, endpoints,
 * error shapes. Counted in the output. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials/plan.h"
#include "credentials/sources.h"
#include "data.h"
#include "fake.h"
#include "reply.h"

static const char *text_of(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

static json_t *load(const char *name)
{
    const char *path = data_path(name);
    if (!path)
        return NULL;
    char *text = data_read(path);
    json_t *tree = json_loads(text, JSON_ALLOW_NUL, NULL);
    free(text);
    ck_assert_ptr_nonnull(tree);
    return tree;
}

static json_t *sections_as_json(const struct aws_ini *ini)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ini->sections_len; i++) {
        json_t *one = json_object();
        for (size_t j = 0; j < ini->sections[i].properties_len; j++)
            json_object_set_new(one, ini->sections[i].properties[j].name,
                                json_string(ini->sections[i].properties[j].value));
        json_object_set_new(all, ini->sections[i].title, one);
    }
    return all;
}

static bool check_profiles(const json_t *test)
{
    const json_t *input = json_object_get(test, "input"), *output = json_object_get(test, "output");
    const char *config = text_of(input, "configFile"), *credentials = text_of(input, "credentialsFile");
    const char *want_error = text_of(output, "errorContaining");
    struct ecs_error *error = NULL;
    struct aws_profiles *profiles = aws_profiles_parse(config, config ? strlen(config) : 0, credentials,
                                                       credentials ? strlen(credentials) : 0, &error);
    bool good;
    if (want_error) {
        good = !profiles && strstr(error->message, want_error);
    } else if (!profiles) {
        good = false;
    } else {
        const json_t *want = json_object_get(output, "config");
        const json_t *sessions = json_object_get(want, "sso_sessions");
        json_t *have = sections_as_json(&profiles->kinds[AWS_PROFILE]);
        json_t *have_sessions = sections_as_json(&profiles->kinds[AWS_SSO_SESSION]);
        good = json_equal(have, json_object_get(want, "profiles")) &&
               (!sessions || json_equal(have_sessions, sessions));
        json_decref(have);
        json_decref(have_sessions);
    }
    if (!good)
        printf("profiles: %s: %s\n", text_of(test, "name"), error ? error->message : "");
    ecs_error_unref(error);
    aws_profiles_free(profiles);
    return good;
}

START_TEST(profile_parser)
{
    json_t *tree = load("fixtures/aws-config/profile-parser-tests.json"), *test;
    size_t i, good = 0;
    json_array_foreach(json_object_get(tree, "tests"), i, test) good += check_profiles(test);
    size_t all = json_array_size(json_object_get(tree, "tests"));
    if (tree)
        printf("profile parser %zu/%zu\n", good, all);
    ck_assert_uint_eq(good, tree ? 65 : 0);
    json_decref(tree);
}
END_TEST

/* A profile's values to the file's text, which is read again. */
static void write_sections(struct ecs_buf *out, const json_t *sections, const char *prefix)
{
    const char *title, *name;
    json_t *section, *value;
    json_object_foreach((json_t *)sections, title, section)
    {
        ecs_buf_addf(out, "[%s %s]\n", prefix, title);
        json_object_foreach(section, name, value)
            ecs_buf_addf(out, "%s = %s\n", name, json_string_value(value));
    }
}

static void set_all(json_t *to, const struct aws_section *from, const char *const *names)
{
    for (; from && *names; names++) {
        /* "aws_x" is the vectors' "x" */
        const char *value = aws_section_get(from, *names);
        const char *as = strncmp(*names, "aws_", 4) == 0 ? *names + 4 : *names;
        if (value && !json_object_get(to, as))
            json_object_set_new(to, as, json_string(value));
    }
}

static json_t *plan_as_json(const struct aws_plan *plan)
{
    static const char *const keys[] = {"aws_access_key_id", "aws_secret_access_key", "aws_account_id", NULL};
    static const char *const web[] = {"role_arn", "web_identity_token_file", "role_session_name", NULL};
    static const char *const sso[] = {"sso_session",   "sso_account_id", "sso_region",
                                      "sso_role_name", "sso_start_url",  NULL};
    static const char *const role[] = {"role_arn", "external_id", "role_session_name", NULL};
    static const struct {
        const char *name;
        const char *const *members;
    } bases[] = {
        [AWS_BASE_KEYS] = {"AccessKey", keys},
        [AWS_BASE_WEB_IDENTITY] = {"WebIdentityToken", web},
        [AWS_BASE_SSO] = {"Sso", sso},
    };
    json_t *chain = json_array();
    if (plan->base == AWS_BASE_SOURCE) {
        json_array_append_new(chain, json_pack("{s:s}", "NamedSource", plan->source));
    } else {
        json_t *base = json_object();
        set_all(base, plan->profile, bases[plan->base].members);
        if (plan->session)
            set_all(base, plan->session, bases[plan->base].members);
        json_array_append_new(chain, json_pack("{s:o}", bases[plan->base].name, base));
    }
    for (size_t i = 0; i < plan->roles_len; i++) {
        json_t *one = json_object();
        set_all(one, plan->roles[i], role);
        json_array_append_new(chain, json_pack("{s:o}", "AssumeRole", one));
    }
    return chain;
}

static bool check_plan(const json_t *test)
{
    const json_t *input = json_object_get(test, "input"), *output = json_object_get(test, "output");
    struct ecs_buf text = ECS_BUF(65536);
    write_sections(&text, json_object_get(input, "profiles"), "profile");
    write_sections(&text, json_object_get(input, "sso_sessions"), "sso-session");
    struct ecs_error *error = NULL;
    struct aws_profiles *profiles = aws_profiles_parse(text.data, text.len, NULL, 0, &error);
    struct aws_plan plan;
    bool good = false;
    if (aws_plan_make(profiles, text_of(input, "selected_profile"), &plan, &error) == 0) {
        json_t *have = plan_as_json(&plan);
        good = json_equal(have, json_object_get(output, "ProfileChain"));
        if (!good) {
            char *dump = json_dumps(have, 0);
            printf("plan: %s: %s\n", text_of(test, "docs"), dump);
            free(dump);
        }
        json_decref(have);
    } else {
        const char *want = text_of(output, "Error");
        good = want && strstr(error->message, want);
        if (!good)
            printf("plan: %s: %s\n", text_of(test, "docs"), error->message);
    }
    ecs_error_unref(error);
    aws_profiles_free(profiles);
    ecs_buf_free(&text);
    return good;
}

START_TEST(assume_role)
{
    json_t *tree = load("fixtures/aws-config/assume-role-tests.json"), *test;
    size_t i, good = 0;
    json_array_foreach(tree, i, test) good += check_plan(test);
    if (tree)
        printf("assume-role %zu/%zu\n", good, json_array_size(tree));
    ck_assert_uint_eq(good, tree ? 28 : 0);
    json_decref(tree);
}
END_TEST

START_TEST(container)
{
    json_t *tree = load("fixtures/aws-config/ecs-tests.json"), *test;
    size_t i, good = 0;
    json_array_foreach(json_object_get(tree, "tests"), i, test)
    {
        struct fake fake;
        fake_init(&fake);
        fake.variables = json_object_get(test, "env");
        struct ecs_error *error = NULL;
        char *url = aws_container_url(&fake.env, &error);
        const json_t *result = json_object_get(test, "result");
        bool one = url ? text_of(result, "Ok") && strcmp(url, text_of(result, "Ok")) == 0
                       : text_of(result, "ErrorContains") &&
                             strstr(error->message, text_of(result, "ErrorContains"));
        if (!one)
            printf("container: %s: %s\n", text_of(test, "docs"), url ? url : error->message);
        good += one;
        free(url);
        ecs_error_unref(error);
    }
    if (tree)
        printf("container %zu/%zu\n", good, json_array_size(json_object_get(tree, "tests")));
    ck_assert_uint_eq(good, tree ? 11 : 0);
    json_decref(tree);
}
END_TEST

/* Not in the vectors: plain http to strangers. */
START_TEST(container_refuses)
{
    static const char *const urls[] = {"http://example.com/x", "http://169.254.170.3/x", "http://128.0.0.1/",
                                       "http://localhost.evil.com/", "ftp://127.0.0.1/"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct fake fake;
        fake_init(&fake);
        json_t *variables = json_pack("{s:s}", "AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i]);
        fake.variables = variables;
        struct ecs_error *error = NULL;
        ck_assert_ptr_null(aws_container_url(&fake.env, &error));
        ecs_error_unref(error);
        json_decref(variables);
    }
}
END_TEST

static bool check_imds(const json_t *test)
{
    struct fake fake;
    fake_init(&fake);
    fake.variables = json_object_get(test, "env");
    fake.files = json_object_get(test, "fs");
    struct ecs_error *error = NULL;
    char *url = NULL;
    struct aws_config *config = aws_config_load(&fake.env, NULL, NULL, NULL, &error);
    if (config)
        url = aws_imds_endpoint(config, &fake.env, text_of(test, "endpoint_override"),
                                text_of(test, "mode_override"), &error);
    const json_t *result = json_object_get(test, "result");
    char full[512];
    snprintf(full, sizeof(full), "%s/latest/api/token", url ? url : "");
    bool good = url ? text_of(result, "Ok") && strcmp(full, text_of(result, "Ok")) == 0
                    : text_of(result, "Err") && strstr(error->message, text_of(result, "Err"));
    if (!good)
        printf("IMDS: %s: %s\n", text_of(test, "docs"), url ? full : error->message);
    free(url);
    ecs_error_unref(error);
    aws_config_free(config);
    return good;
}

START_TEST(imds)
{
    json_t *tree = load("fixtures/aws-config/imds-config/imds-endpoint-tests.json"), *test;
    size_t i, good = 0;
    json_array_foreach(json_object_get(tree, "tests"), i, test) good += check_imds(test);
    if (tree)
        printf("IMDS %zu/%zu\n", good, json_array_size(json_object_get(tree, "tests")));
    ck_assert_uint_eq(good, tree ? 14 : 0);
    json_decref(tree);
}
END_TEST

/* -1: not of the host table (a custom endpoint, EventBridge's global ones, STS's legacy ones). */
static int check_endpoint(const struct aws_service *service, const json_t *test)
{
    const json_t *params = json_object_get(test, "params");
    const char *region = text_of(params, "Region");
    const char *want = text_of(json_object_get(json_object_get(test, "expect"), "endpoint"), "url");
    if (!want || !region || text_of(params, "Endpoint") || text_of(params, "EndpointId") ||
        json_object_get(params, "UseGlobalEndpoint") || strcmp(region, "aws-global") == 0)
        return -1;
    char *url = NULL;
    aws_endpoint_url(service, region, json_is_true(json_object_get(params, "UseFIPS")),
                     json_is_true(json_object_get(params, "UseDualStack")), &url);
    int good = url && strcmp(url, want) == 0;
    if (!good)
        printf("endpoint: %s, not %s\n", url ? url : "none", want);
    free(url);
    return good;
}

START_TEST(endpoints)
{
    static const char *const names[] = {"application-autoscaling",
                                        "ecr",
                                        "ecr-public",
                                        "ecs",
                                        "events",
                                        "logs",
                                        "scheduler",
                                        "sso",
                                        "sso-oidc",
                                        "sts"};
    int good = 0, all = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "fixtures/endpoint-tests/%s.json", names[i]);
        json_t *tree = load(path), *test;
        size_t j;
        json_array_foreach(json_object_get(tree, "testCases"), j, test)
        {
            int r = check_endpoint(aws_service_find(names[i]), test);
            all += r >= 0;
            good += r > 0;
        }
        json_decref(tree);
    }
    if (all)
        printf("endpoints %d/%d\n", good, all);
    ck_assert_int_eq(good, all);
    ck_assert(all == 0 || all >= 347);
}
END_TEST

/* Who wins when several name an endpoint. "" for none: AWS's own host. */
START_TEST(custom_endpoints)
{
    static const struct {
        const char *variables, *profile, *service, *want; /* want NULL: an error */
    } cases[] = {
        {"{}", "", "ecs", "ecs.us-east-1.amazonaws.com"},
        {"{\"AWS_ENDPOINT_URL\":\"https://g\"}", "", "ecs", "g"},
        {"{\"AWS_ENDPOINT_URL\":\"https://g\",\"AWS_ENDPOINT_URL_ECR_PUBLIC\":\"https://p\"}", "",
         "ecr-public", "p"},
        {"{\"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS\":\"https://l\"}", "", "logs", "l"},
        {"{\"AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING\":\"https://a\"}", "", "application-autoscaling", "a"},
        {"{\"AWS_ENDPOINT_URL_EVENTBRIDGE\":\"https://e\"}", "", "ecs", "ecs.us-east-1.amazonaws.com"},
        {"{}", "endpoint_url = https://f\nservices = v\n", "ecs", "s"},
        {"{}", "endpoint_url = https://f\nservices = v\n", "logs", "f"},
        {"{\"AWS_ENDPOINT_URL\":\"https://g\"}", "services = v\n", "ecs", "g"},
        {"{\"AWS_ENDPOINT_URL\":\"https://g\",\"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS\":\"true\"}",
         "services = v\n", "ecs", "ecs.us-east-1.amazonaws.com"},
        {"{}", "endpoint_url = https://f\nignore_configured_endpoint_urls = true\n", "ecs",
         "ecs.us-east-1.amazonaws.com"},
        {"{\"AWS_USE_FIPS_ENDPOINT\":\"true\"}", "use_dualstack_endpoint = true\n", "ecs",
         "ecs-fips.us-east-1.api.aws"},
        {"{\"AWS_USE_FIPS_ENDPOINT\":\"true\"}", "endpoint_url = https://f\n", "ecs", NULL},
        {"{\"AWS_ENDPOINT_URL\":\"nonsense\"}", "", "ecs", NULL},
        {"{\"AWS_REGION\":\"cn-north-1\"}", "", "ecs", "ecs.cn-north-1.amazonaws.com.cn"},
        {"{\"AWS_DEFAULT_REGION\":\"eu-west-1\"}", "", "ecs", "ecs.eu-west-1.amazonaws.com"},
        {"{\"AWS_MAX_ATTEMPTS\":\"0\"}", "", "ecs", NULL},
        {"{\"AWS_MAX_ATTEMPTS\":\"100\"}", "", "ecs", "ecs.us-east-1.amazonaws.com"},
        {"{\"AWS_RETRY_MODE\":\"wild\"}", "", "ecs", NULL},
        {"{\"AWS_REGION\":\"a.b\"}", "", "ecs", NULL},
        {"{\"AWS_DEFAULT_PROFILE\":\"absent\"}", "", "ecs", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ecs_buf text = ECS_BUF(4096);
        ecs_buf_addf(&text,
                     "[default]\nregion = us-east-1\n%s[services v]\necs =\n  endpoint_url = https://s\n",
                     cases[i].profile);
        struct fake fake;
        fake_init(&fake);
        json_t *variables = json_loads(cases[i].variables, 0, NULL);
        json_t *files = json_pack("{s:s}", "/h/.aws/config", text.data);
        json_object_set_new(variables, "HOME", json_string("/h"));
        fake.variables = variables;
        fake.files = files;
        struct ecs_error *error = NULL;
        struct aws_endpoint endpoint = {0};
        struct aws_config *config = aws_config_load(&fake.env, NULL, NULL, NULL, &error);
        int r = -1;
        if (config)
            r = aws_config_endpoint(config, &fake.env, aws_service_find(cases[i].service), config->region,
                                    &endpoint, &error);
        ck_assert_msg((r == 0) == (cases[i].want != NULL), "%s %s", cases[i].variables,
                      error ? error->message : "");
        if (cases[i].want)
            ck_assert_str_eq(endpoint.url.host, cases[i].want);
        else
            ck_assert_ptr_nonnull(error);
        ecs_error_unref(error);
        aws_config_free(config);
        json_decref(variables);
        json_decref(files);
        ecs_buf_free(&text);
    }
}
END_TEST

static int check_error_shape(const json_t *test)
{
    const char *want = text_of(test, "errorCode");
    if (!want)
        return -1;
    const json_t *response = json_object_get(test, "response");
    const char *header = text_of(json_object_get(response, "headers"), "X-Amzn-Errortype");
    const char *body = text_of(response, "body"), *message = text_of(test, "errorMessage");
    struct ecs_error *error = aws_reply_error(&(struct aws_failure){
        .operation = "GreetingWithErrors",
        .status = (int)json_integer_value(json_object_get(response, "status_code")),
        .error_type = header ? header : "",
        .request_id = "",
        .body = body ? body : "",
        .len = body ? strlen(body) : 0,
    });
    int good = strcmp(error->code, want) == 0 && (!message || strcmp(error->message, message) == 0);
    if (!good)
        printf("error shape: %s: %s\n", text_of(test, "id"), error->code);
    ecs_error_unref(error);
    return good;
}

START_TEST(error_shapes)
{
    json_t *tree = load("fixtures/awsjson11/output.json"), *suite, *test;
    size_t i, j;
    int good = 0, all = 0;
    json_array_foreach(tree, i, suite) json_array_foreach(json_object_get(suite, "cases"), j, test)
    {
        int r = check_error_shape(test);
        all += r >= 0;
        good += r > 0;
    }
    if (tree)
        printf("awsJson error shapes %d/%d\n", good, all);
    ck_assert_int_eq(good, tree ? 12 : 0);
    json_decref(tree);
}
END_TEST

START_TEST(bounds)
{
    struct ecs_buf text = ECS_BUF(8 << 20);
    struct ecs_error *error = NULL;
    ecs_buf_adds(&text, "{\"a\":[");
    while (text.len < (3 << 20))
        ecs_buf_adds(&text, "{},");
    ecs_buf_adds(&text, "0]}");
    ck_assert_ptr_null(aws_reply_parse(text.data, text.len, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "too many values"));
    error = ecs_error_unref(error);
    ecs_buf_truncate(&text, 0);
    for (int i = 0; i < 100; i++)
        ecs_buf_adds(&text, "{\"a\":");
    ck_assert_ptr_null(aws_reply_parse(text.data, text.len, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "nested too deep"));
    error = ecs_error_unref(error);
    ecs_buf_free(&text);
    static const char *const bad[] = {"{\"a\":1,\"a\":2}", "[1]", "\"x\"", "{\"a\":1}x", "{", "<html>",
                                      "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_ptr_null(aws_reply_parse(bad[i], strlen(bad[i]), &error));
        ck_assert_str_eq(error->code, "MalformedReply");
        error = ecs_error_unref(error);
    }
    json_t *empty = aws_reply_parse(" \n", 2, &error);
    ck_assert_uint_eq(json_object_size(empty), 0);
    json_decref(empty);
    /* brackets within strings are no depth */
    json_t *fine = aws_reply_parse("{\"a\":\"\\\"[[[[{{{{\"}", 18, &error);
    ck_assert_ptr_nonnull(fine);
    json_decref(fine);
}
END_TEST

START_TEST(urls)
{
    struct aws_url url;
    ck_assert_int_eq(aws_url_parse("https://h:443/p/", &url), 0);
    ck_assert_str_eq(url.host, "h");
    ck_assert_str_eq(url.path, "/p");
    ck_assert(!url.plain);
    ck_assert_int_eq(aws_url_parse("http://[::1]:8080", &url), 0);
    ck_assert_str_eq(url.host, "[::1]:8080");
    ck_assert(url.plain);
    static const char *const bad[] = {"",
                                      "h",
                                      "ftp://h",
                                      "https://",
                                      "https:///p",
                                      "https://u:p@h",
                                      "https://h?q",
                                      "https://h h",
                                      "https://h\nX: y",
                                      "https://:1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(aws_url_parse(bad[i], &url) < 0, "%s", bad[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vectors");
    TCase *cases = tcase_create("vectors");
    tcase_add_test(cases, profile_parser);
    tcase_add_test(cases, assume_role);
    tcase_add_test(cases, container);
    tcase_add_test(cases, container_refuses);
    tcase_add_test(cases, imds);
    tcase_add_test(cases, endpoints);
    tcase_add_test(cases, custom_endpoints);
    tcase_add_test(cases, error_shapes);
    tcase_add_test(cases, bounds);
    tcase_add_test(cases, urls);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
