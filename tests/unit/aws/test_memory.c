/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation made to fail in turn, in what reads and writes bytes: no crash, no leak (under a sanitizer
 * or valgrind), and either the result or an error. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials/chain.h"
#include "credentials/document.h"
#include "credentials/plan.h"
#include "credentials/process.h"
#include "data.h"
#include "fake.h"
#include "query.h"
#include "reply.h"
#include "rest.h"

/* The linker sends every malloc of our own objects here (see meson.build). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static long left = -1; /* allocations until one fails; -1: none does */
static bool failed;

static bool fails(void)
{
    if (left < 0 || left-- > 0)
        return false;
    failed = true;
    left = -1;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}
char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}
char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

static const char config_text[] =
    "[default]\nregion = us-east-1\n[profile r]\nrole_arn = arn:aws:iam::123456789012:role/R\n"
    "source_profile = b\nservices = v\n[profile b]\naws_access_key_id = A\naws_secret_access_key = S\n"
    "s3 =\n  a = b\n  c = d\n[services v]\necs =\n  endpoint_url = http://x\n";

static bool read_profiles(struct ecs_error **ret_error)
{
    struct aws_profiles *profiles =
        aws_profiles_parse(config_text, strlen(config_text), "[b]\nx = y\n", 10, ret_error);
    struct aws_plan plan;
    bool good = profiles && aws_plan_make(profiles, "r", &plan, ret_error) == 0;
    aws_profiles_free(profiles);
    return good;
}

static bool read_reply(struct ecs_error **ret_error)
{
    static const char text[] = "{\"a\":[1,{\"b\":\"c\"}],\"d\":null}";
    json_t *tree = aws_reply_parse(text, strlen(text), ret_error);
    bool good = tree != NULL;
    json_decref(tree);
    return good;
}

static bool read_error(struct ecs_error **ret_error)
{
    static const char body[] =
        "<ErrorResponse><Code>AccessDenied</Code><Message>a &lt; b</Message></ErrorResponse>";
    *ret_error = aws_reply_error(&(struct aws_failure){.operation = "X",
                                                       .status = 403,
                                                       .error_type = "",
                                                       .request_id = "",
                                                       .body = body,
                                                       .len = strlen(body)});
    return !*ret_error;
}

static bool read_document(struct ecs_error **ret_error)
{
    static const char text[] = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
                               "\"Expiration\":\"2030-01-01T00:00:00Z\",\"AccountId\":\"1\"}";
    struct aws_credentials *keys = aws_document_parse(AWS_DOCUMENT_METADATA, text, strlen(text), ret_error);
    bool good = keys != NULL;
    aws_credentials_unref(keys);
    return good;
}

static bool read_sts(struct ecs_error **ret_error)
{
    static const char text[] =
        "<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T"
        "</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>";
    struct aws_credentials *keys = aws_document_parse_sts(text, strlen(text), ret_error);
    bool good = keys != NULL;
    aws_credentials_unref(keys);
    return good;
}

static bool sign(struct ecs_error **ret_error)
{
    struct aws_header headers[] = {{"Host", "h"}, {"X-Amz-Date", "20150830T123600Z"}};
    struct aws_signable request = {.method = "GET",
                                   .path = "/a/../b c",
                                   .query = "z=1&a=%20&b",
                                   .headers = headers,
                                   .headers_len = 2,
                                   .payload_hash = "x",
                                   .date = "20150830T123600Z",
                                   .region = "r",
                                   .service = "s"};
    struct aws_keys keys = {"A", "S"};
    char *authorization = NULL;
    int r = aws_sign(&request, &keys, NULL, &authorization);
    free(authorization);
    if (r < 0)
        *ret_error = ecs_error_new(r, "Sign", "signing");
    return r == 0;
}

static bool make_requests(struct ecs_error **ret_error)
{
    struct aws_rest rest;
    int r = aws_rest_make("DeleteSchedule", "{\"Name\":\"a b\",\"GroupName\":\"g\"}", &rest);
    aws_rest_free(&rest);
    char *form = aws_query_form("GetCallerIdentity", "2011-06-15", "{\"a\":\"b\",\"c\":1}");
    char **argv = aws_process_split("a 'b c' d");
    bool good = r == 0 && form && argv;
    free(form);
    free(argv);
    if (!good)
        *ret_error = ecs_error_new(r ? r : -12, "OutOfMemory", "no request");
    return good;
}

static bool load_config(struct ecs_error **ret_error)
{
    struct fake fake;
    json_t *variables = json_pack("{s:s, s:s}", "HOME", "/home", "AWS_PROFILE", "b");
    json_t *files = json_pack("{s:s}", "/home/.aws/config", config_text);
    fake_init(&fake);
    fake.variables = variables;
    fake.files = files;
    struct aws_config *config = aws_config_load(&fake.env, NULL, NULL, NULL, ret_error);
    struct aws_credentials *keys = NULL;
    struct aws_endpoint endpoint;
    if (config && aws_config_endpoint(config, &fake.env, aws_service_find("ecs"), "us-east-1", &endpoint,
                                      ret_error) == 0)
        keys = aws_chain_resolve(config, &fake.env, ret_error);
    bool good = keys != NULL;
    aws_credentials_unref(keys);
    aws_config_free(config);
    json_decref(variables);
    json_decref(files);
    return good;
}

static const struct {
    const char *name;
    bool (*run)(struct ecs_error **ret_error);
    bool always_fails;
} subjects[] = {
    {"profiles", read_profiles, false}, {"reply", read_reply, false},  {"error", read_error, true},
    {"document", read_document, false}, {"STS", read_sts, false},      {"signature", sign, false},
    {"requests", make_requests, false}, {"chain", load_config, false},
};

START_TEST(sweep)
{
    long all = 0;
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        long n = 0;
        do {
            struct ecs_error *error = NULL;
            left = n++;
            failed = false;
            bool good = subjects[i].run(&error);
            left = -1;
            /* an allocation may be dispensable, but never both or neither of result and error */
            ck_assert_msg(good == !error, "%s, allocation %ld: %s", subjects[i].name, n,
                          error ? error->message : "neither result nor error");
            ck_assert_msg(failed || good || subjects[i].always_fails, "%s fails with memory: %s",
                          subjects[i].name, error ? error->message : "");
            ecs_error_unref(error);
        } while (failed);
        all += n - 1;
    }
    printf("allocations failed in turn: %ld\n", all);
    ck_assert_int_gt(all, 50);
}
END_TEST

int main(void)
{
    json_set_alloc_funcs(__wrap_malloc, free);
    Suite *suite = suite_create("memory");
    TCase *cases = tcase_create("memory");
    tcase_add_test(cases, sweep);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
