/* SPDX-License-Identifier: Apache-2.0 */
/* The credential chain against recorded cases of AWS's own SDK, and what those leave out. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credentials/chain.h"
#include "credentials/document.h"
#include "credentials/process.h"
#include "credentials/sources.h"
#include "data.h"
#include "fake.h"

/* Our own word for what the recorded cases say in theirs. */
static const struct {
    const char *name, *code;
} failures[] = {
    {"eks_pod_identity_no_token_file", "ContainerToken"},
    {"imds_default_chain_error", "NoCredentials"},
    {"imds_disabled", "NoCredentials"},
    {"imds_no_iam_role", "MetadataUnavailable"},
    {"imds_token_fail", "MetadataForbidden"},
    {"profile_overrides_web_identity", "NoCredentials"},
    {"sso_no_token_file", "SSOTokenExpired"},
    {"sso_server_error", "ConnectionRefused"}, /* of the next try, which is not recorded */
    {"web_identity_source_profile_no_env", "InvalidConfiguration"},
    {"web_identity_token_invalid_jwt", "InvalidIdentityToken"},
    {"credential_process_failure", "CredentialProcess"},
    {"credential_process_invalid", "InvalidCredentialsDocument"},
    {"empty_config", "NoCredentials"},
    {"invalid_config", "ConfigParse"},
    {"invalid_sso_credentials_config", "InvalidConfiguration"},
    {"sso_token", "InvalidConfiguration"},
};

static const char *text_of(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

static bool same(const char *have, const char *want)
{
    return !want || (have && strcmp(have, want) == 0);
}

static bool judge(const char *name, const json_t *result, const struct aws_credentials *found,
                  const struct ecs_error *error)
{
    const json_t *good = json_object_get(result, "Ok");
    if (good && found)
        return same(found->access_key_id, text_of(good, "access_key_id")) &&
               same(found->secret_access_key, text_of(good, "secret_access_key")) &&
               same(found->session_token, text_of(good, "session_token")) &&
               same(found->account, text_of(good, "account_id")) &&
               found->expires_ms / 1000 == json_integer_value(json_object_get(good, "expiry"));
    if (good || found)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        if (strcmp(failures[i].name, name) == 0)
            return strcmp(failures[i].code, error->code) == 0;
    return false;
}

static json_t *load(const char *folder, const char *name)
{
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (access(path, R_OK) < 0)
        return NULL;
    char *text = data_read(path);
    json_t *tree = json_loads(text, 0, NULL);
    free(text);
    return tree;
}

static bool run_case(const char *folder, const char *name, bool profile_only)
{
    char root[4096];
    snprintf(root, sizeof(root), "%s/fs", folder);
    json_t *variables = load(folder, "env.json"), *traffic = load(folder, "http-traffic.json"),
           *test = load(folder, "test-case.json");
    if (profile_only) { /* cases of the profile alone: the environment's keys are not asked */
        json_object_del(variables, "AWS_ACCESS_KEY_ID");
        json_object_del(variables, "AWS_SECRET_ACCESS_KEY");
        json_object_set_new(variables, "AWS_EC2_METADATA_DISABLED", json_string("true"));
    }
    struct fake fake;
    fake_init(&fake);
    fake.variables = variables;
    fake.root = root;
    fake.events = json_object_get(traffic, "events");
    struct ecs_error *error = NULL;
    struct aws_credentials *found = NULL;
    struct aws_config *config = aws_config_load(&fake.env, NULL, NULL, NULL, &error);
    if (config)
        found = aws_chain_resolve(config, &fake.env, &error);
    bool wanted_success = json_object_get(json_object_get(test, "result"), "Ok") != NULL;
    bool good = judge(name, json_object_get(test, "result"), found, error) &&
                (!wanted_success || (!fake.problem[0] && fake_exhausted(&fake)));
    if (!good)
        printf("%s: %s %s; %s %s\n", name, found ? found->access_key_id : "no keys",
               found && found->account ? found->account : "", error ? error->code : "",
               fake.problem[0] ? fake.problem
               : error         ? error->message
                               : "");
    aws_credentials_unref(found);
    ecs_error_unref(error);
    aws_config_free(config);
    json_decref(variables);
    json_decref(traffic);
    json_decref(test);
    return good;
}

static void run_all(const char *what, const char *name, bool profile_only, int least)
{
    const char *found = data_path(name);
    if (!found)
        return;
    char folder[1024];
    snprintf(folder, sizeof(folder), "%s", found);
    DIR *all = opendir(folder);
    int good = 0, seen = 0;
    struct dirent *entry;
    while ((entry = readdir(all))) {
        char path[2048];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        seen++;
        good += run_case(path, entry->d_name, profile_only);
    }
    closedir(all);
    printf("%s %d/%d\n", what, good, seen);
    ck_assert_int_ge(seen, least);
    ck_assert_int_eq(good, seen);
}

START_TEST(recorded_chain)
{
    run_all("credential chain", "fixtures/aws-config/default-credential-provider-chain", false, 28);
}
END_TEST

START_TEST(recorded_profiles)
{
    run_all("credential profiles", "fixtures/aws-config/profile-provider", true, 18);
}
END_TEST

struct world {
    struct fake fake;
    json_t *variables, *files, *events;
};

static void make_world(struct world *world, const char *variables, const char *config)
{
    fake_init(&world->fake);
    world->variables = json_loads(variables, 0, NULL);
    world->files = json_pack("{s:s}", "/home/.aws/config", config);
    world->events = json_array();
    json_object_set_new(world->variables, "HOME", json_string("/home"));
    json_object_set_new(world->variables, "AWS_EC2_METADATA_DISABLED", json_string("true"));
    world->fake.variables = world->variables;
    world->fake.files = world->files;
    world->fake.events = world->events;
}

static void add_exchange(struct world *world, const char *method, const char *uri, int status,
                         const char *body)
{
    json_array_append_new(world->events, json_pack("{s:{s:{s:{s:s,s:s,s:{}}}}}", "action", "Request",
                                                   "request", "method", method, "uri", uri, "headers"));
    json_array_append_new(world->events, json_pack("{s:{s:{s:{s:{s:i}}}}}", "action", "Response", "response",
                                                   "Ok", "status", status));
    json_array_append_new(world->events,
                          json_pack("{s:{s:{s:{s:s}}}}", "action", "Data", "data", "Utf8", body));
}

static struct aws_credentials *resolve(struct world *world, const char *profile, const char *mfa,
                                       struct ecs_error **ret_error)
{
    *ret_error = NULL;
    struct aws_config *config = aws_config_load(&world->fake.env, profile, NULL, NULL, ret_error);
    struct aws_credentials *found = NULL;
    if (config) {
        config->mfa_code = mfa;
        found = aws_chain_resolve(config, &world->fake.env, ret_error);
    }
    aws_config_free(config);
    return found;
}

static void end_world(struct world *world)
{
    json_decref(world->variables);
    json_decref(world->files);
    json_decref(world->events);
}

static const char sso_config[] =
    "[profile p]\nsso_session = s\nsso_account_id = 012345678901\nsso_role_name = R\n"
    "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n";
static const char sso_path[] = "/home/.aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json";

/* An SSO token that ran out is renewed with its refresh token, and the cache file rewritten. */
START_TEST(sso_refresh)
{
    struct world world;
    make_world(&world, "{\"AWS_PROFILE\":\"p\"}", sso_config);
    json_object_set_new(
        world.files, sso_path,
        json_string(
            "{\"accessToken\":\"old\",\"expiresAt\":\"2021-08-26T10:00:00Z\",\"refreshToken\":\"r1\","
            "\"clientId\":\"c\",\"clientSecret\":\"s\",\"registrationExpiresAt\":\"2031-01-01T00:00:00Z\"}"));
    add_exchange(&world, "POST", "https://oidc.eu-west-1.amazonaws.com/token", 200,
                 "{\"accessToken\":\"new\",\"expiresIn\":28800,\"refreshToken\":\"r2\"}");
    add_exchange(&world, "GET",
                 "https://portal.sso.eu-west-1.amazonaws.com/federation/"
                 "credentials?account_id=012345678901&role_name=R",
                 200,
                 "{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S\",\"sessionToken\":"
                 "\"T\",\"expiration\":1630003600000}}");
    struct ecs_error *error;
    struct aws_credentials *found = resolve(&world, NULL, NULL, &error);
    ck_assert_msg(found != NULL, "%s", error ? error->message : "");
    ck_assert_str_eq(world.fake.problem, "");
    ck_assert_str_eq(found->access_key_id, "A");
    ck_assert_int_eq(found->expires_ms, 1630003600000);
    ck_assert_ptr_nonnull(strstr(world.fake.written, "\"accessToken\":\"new\""));
    ck_assert_ptr_nonnull(strstr(world.fake.written, "\"refreshToken\":\"r2\""));
    aws_credentials_unref(found);
    end_world(&world);
}
END_TEST

/* The linker sends what our own objects allocate and free here (see meson.build). */
void *__real_malloc(size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static bool watching;
static int spilled;

static void watch(void *block)
{
    static const char secret[] = "PLANTED";
    if (watching && block && memmem(block, malloc_usable_size(block), secret, strlen(secret)))
        spilled++;
}

void *__wrap_malloc(size_t size)
{
    void *block = __real_malloc(size);
    return block ? memset(block, 0, size) : NULL; /* so that all of it may be looked at */
}

void *__wrap_realloc(void *block, size_t size)
{
    size_t had = block ? malloc_usable_size(block) : 0;
    void *longer = __wrap_malloc(size);
    if (!longer)
        return NULL;
    if (block)
        memcpy(longer, block, had < size ? had : size);
    __wrap_free(block);
    return longer;
}

void __wrap_free(void *block)
{
    watch(block);
    __real_free(block);
}

/* Nothing secret is in what is given back: forms, JSON bodies, answers, codes, keys. */
START_TEST(wiped)
{
    static const char config[] =
        "[profile m]\nrole_arn = arn:aws:iam::1:role/R\nsource_profile = b\nmfa_serial = "
        "arn:aws:iam::1:mfa/me\n[profile b]\naws_access_key_id = A\naws_secret_access_key = PLANTED0\n"
        "[profile w]\nrole_arn = arn:aws:iam::1:role/R\nweb_identity_token_file = /token\n";
    char whole[2048];
    snprintf(whole, sizeof(whole), "%s%s", config, sso_config);
    struct world world;
    make_world(&world, "{\"AWS_REGION\":\"us-east-1\"}", whole);
    json_object_set_new(world.files, "/token", json_string("PLANTED1"));
    json_object_set_new(
        world.files, sso_path,
        json_string("{\"accessToken\":\"PLANTED2\",\"expiresAt\":\"2021-08-26T10:00:00Z\",\"refreshToken\":"
                    "\"PLANTED3\",\"clientId\":\"c\",\"clientSecret\":\"PLANTED4\"}"));
    static const char role[] =
        "<AssumeRoleResult><AccessKeyId>X</AccessKeyId><SecretAccessKey>PLANTED5</SecretAccessKey>"
        "<SessionToken>PLANTED6</SessionToken><Expiration>2021-08-26T19:00:00Z</Expiration>"
        "<Arn>arn:aws:sts::123456789012:assumed-role/R/s</Arn></AssumeRoleResult>";
    add_exchange(&world, "POST", "https://sts.us-east-1.amazonaws.com/", 200, role);
    add_exchange(&world, "POST", "https://sts.us-east-1.amazonaws.com/", 200, role);
    add_exchange(&world, "POST", "https://oidc.eu-west-1.amazonaws.com/token", 200,
                 "{\"accessToken\":\"PLANTED7\",\"expiresIn\":28800,\"refreshToken\":\"PLANTED8\"}");
    add_exchange(
        &world, "GET",
        "https://portal.sso.eu-west-1.amazonaws.com/federation/"
        "credentials?account_id=012345678901&role_name=R",
        200,
        "{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"PLANTED9\",\"sessionToken\":"
        "\"PLANTED\",\"expiration\":1630003600000}}");
    static const char *const profiles[] = {"b", "m", "w", "p"};
    void *seen = strdup("x PLANTED x");
    watching = true;
    __wrap_free(seen);
    ck_assert_int_eq(spilled, 1); /* it can be seen */
    spilled = 0;
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct ecs_error *error;
        struct aws_credentials *found = resolve(&world, profiles[i], "PLANTED-code", &error);
        ck_assert_msg(found != NULL, "%s: %s", profiles[i], error ? error->message : "");
        aws_credentials_unref(found);
        ck_assert_msg(spilled == 0, "profile %s leaves %d secrets behind", profiles[i], spilled);
    }
    watching = false;
    ck_assert_ptr_nonnull(strstr(world.fake.written, "PLANTED8"));
    end_world(&world);
}
END_TEST

/* What cannot be renewed says what to do. */
START_TEST(sso_expired)
{
    struct world world;
    make_world(&world, "{}", sso_config);
    json_object_set_new(world.files, sso_path,
                        json_string("{\"accessToken\":\"old\",\"expiresAt\":\"2021-08-26T10:00:00Z\"}"));
    struct ecs_error *error;
    ck_assert_ptr_null(resolve(&world, "p", NULL, &error));
    ck_assert_int_eq(error->err, -EKEYEXPIRED);
    ck_assert_ptr_nonnull(strstr(error->message, "aws sso login --profile p"));
    ecs_error_unref(error);
    end_world(&world);
}
END_TEST

static const char mfa_config[] = "[profile m]\nrole_arn = arn:aws:iam::1:role/R\nsource_profile = b\n"
                                 "mfa_serial = arn:aws:iam::1:mfa/me\nexternal_id = ext\n"
                                 "[profile b]\naws_access_key_id = A\naws_secret_access_key = B\n";

START_TEST(mfa)
{
    struct world world;
    make_world(&world, "{\"AWS_REGION\":\"us-east-1\"}", mfa_config);
    add_exchange(&world, "POST", "https://sts.us-east-1.amazonaws.com/", 200,
                 "<AssumeRoleResult><AccessKeyId>X</AccessKeyId><SecretAccessKey>Y</SecretAccessKey>"
                 "<SessionToken>Z</SessionToken><Expiration>2021-08-26T19:00:00Z</Expiration>"
                 "<Arn>arn:aws:sts::123456789012:assumed-role/R/s</Arn></AssumeRoleResult>");
    struct ecs_error *error;
    ck_assert_ptr_null(resolve(&world, "m", NULL, &error)); /* nobody to ask any more */
    ck_assert_str_eq(error->code, "MFARequired");
    ck_assert_int_eq(error->err, -EKEYEXPIRED);
    ecs_error_unref(error);
    struct aws_credentials *found = resolve(&world, "m", "123456", &error);
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->account, "123456789012");
    aws_credentials_unref(found);
    end_world(&world);
}
END_TEST

/* An explicit profile takes the environment's keys out of the chain; a lone key is a hard error. */
START_TEST(precedence)
{
    struct world world;
    struct ecs_error *error;
    make_world(&world, "{\"AWS_ACCESS_KEY_ID\":\"E\",\"AWS_SECRET_ACCESS_KEY\":\"S\"}", mfa_config);
    struct aws_credentials *found = resolve(&world, NULL, NULL, &error);
    ck_assert_str_eq(found->access_key_id, "E");
    aws_credentials_unref(found);
    found = resolve(&world, "b", NULL, &error);
    ck_assert_str_eq(found->access_key_id, "A");
    ck_assert_str_eq(found->source, "profile b (~/.aws/config)");
    aws_credentials_unref(found);
    json_object_del(world.variables, "AWS_SECRET_ACCESS_KEY");
    ck_assert_ptr_null(resolve(&world, NULL, NULL, &error));
    ck_assert_str_eq(error->code, "PartialCredentials");
    ck_assert_int_eq(error->err, -ENOKEY);
    ecs_error_unref(error);
    end_world(&world);
}
END_TEST

/* Names of old, which the AWS CLI reads first, and a time of expiry. */
START_TEST(older_names)
{
    struct world world;
    struct ecs_error *error;
    make_world(&world,
               "{\"AWS_ACCESS_KEY_ID\":\"E\",\"AWS_SECRET_ACCESS_KEY\":\"S\",\"AWS_SECURITY_TOKEN\":\"old\","
               "\"AWS_SESSION_TOKEN\":\"new\",\"AWS_CREDENTIAL_EXPIRATION\":\"2122-05-02T18:36:00Z\"}",
               "[profile t]\naws_access_key_id = A\naws_secret_access_key = S\naws_security_token = old\n");
    struct aws_credentials *found = resolve(&world, NULL, NULL, &error);
    ck_assert_str_eq(found->session_token, "old");
    ck_assert_int_eq(found->expires_ms, 4807190160000);
    aws_credentials_unref(found);
    found = resolve(&world, "t", NULL, &error);
    ck_assert_str_eq(found->session_token, "old");
    aws_credentials_unref(found);
    json_object_set_new(world.variables, "AWS_CREDENTIAL_EXPIRATION", json_string("soon"));
    ck_assert_ptr_null(resolve(&world, NULL, NULL, &error));
    ck_assert_str_eq(error->code, "InvalidConfiguration");
    ecs_error_unref(error);
    end_world(&world);
}
END_TEST

START_TEST(broken_lines)
{
    struct world world;
    struct ecs_error *error;
    make_world(&world, "{}", "[profile p]\naws_access_key_id = A\n  X: y\naws_secret_access_key = S\n");
    ck_assert_ptr_null(resolve(&world, "p", NULL, &error));
    ck_assert_str_eq(error->code, "InvalidConfiguration");
    ecs_error_unref(error);
    end_world(&world);
}
END_TEST

START_TEST(programs)
{
    static const struct {
        const char *command;
        const char *argv[4];
    } cases[] = {
        {"a b  c", {"a", "b", "c"}},
        {"'a b' \"c d\"", {"a b", "c d"}},
        {"a\\ b 'c\\d' \"\"", {"a b", "c\\d", ""}},
        {"x'y'\"z\"", {"xyz"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char **argv = aws_process_split(cases[i].command);
        for (size_t j = 0; cases[i].argv[j]; j++)
            ck_assert_str_eq(argv[j], cases[i].argv[j]);
        free(argv);
    }
    ck_assert_ptr_null(aws_process_split("a 'b"));
    ck_assert_ptr_null(aws_process_split("  "));

    struct ecs_buf output = ECS_BUF(100);
    char *quick[] = {(char *)"echo", (char *)"$HOME; true", NULL}; /* no shell: stays as it is */
    ck_assert_ptr_null(aws_process_run(&aws_process_env, quick, 5000, &output));
    ck_assert_str_eq(output.data, "$HOME; true\n");
    /* nothing of ours is inherited */
    int inherited = fcntl(2, F_DUPFD, 77);
    char *fds[] = {(char *)"sh", (char *)"-c", (char *)"ls /proc/$$/fd | grep -c 77", NULL};
    ecs_buf_truncate(&output, 0);
    struct ecs_error *error = aws_process_run(&aws_process_env, fds, 5000, &output);
    ck_assert_str_eq(error->code, "CredentialProcess"); /* grep found none */
    error = ecs_error_unref(error);
    ck_assert_str_eq(output.data, "0\n");
    close(inherited);
    char *slow[] = {(char *)"sleep", (char *)"30", NULL};
    error = aws_process_run(&aws_process_env, slow, 200, &output);
    ck_assert_int_eq(error->err, -ETIMEDOUT);
    ecs_error_unref(error);
    char *large[] = {(char *)"yes", NULL};
    error = aws_process_run(&aws_process_env, large, 5000, &output);
    ck_assert_str_eq(error->code, "CredentialProcess");
    ecs_error_unref(error);
    char *absent[] = {(char *)"/nonexistent/program", NULL};
    error = aws_process_run(&aws_process_env, absent, 5000, &output);
    ck_assert_int_eq(error->err, -ENOKEY);
    ecs_error_unref(error);
    ecs_buf_free(&output);
}
END_TEST

/* What the program says last is in the error, and all of it goes on to our own standard error. */
START_TEST(complaints)
{
    static const struct {
        const char *script, *message;
        long passed; /* bytes on standard error */
    } cases[] = {
        {"echo hello >&2; printf 'please-login-first\\n \\n' >&2; echo SECRET; exit 3",
         "credential_process sh ended with status 3: please-login-first", 27},
        {"printf '\\033[1mno end\\r\\n\\tbad \\033[0m' >&2; exit 1",
         "credential_process sh ended with status 1: bad \\x1b[0m", 21},
        {"exec >&-; head -c 300000 /dev/zero | tr '\\0' x >&2; echo end >&2; echo over >&2; kill -9 $$",
         "credential_process sh was killed by signal 9: over", 300009},
        {"head -c 300 /dev/zero | tr '\\0' 2 >&2; exit 2", NULL, 300},
        {"sleep 25 >/dev/null & exit 4", "credential_process sh ended with status 4",
         0}, /* it holds the pipe */
    };
    char path[] = "/tmp/ecsfs-test-XXXXXX", twos[201] = "";
    memset(twos, '2', 200);
    int kept = dup(2), file = mkstemp(path);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_int_eq(ftruncate(file, 0), 0);
        lseek(file, 0, SEEK_SET);
        dup2(file, 2);
        cleanup_buf struct ecs_buf output = ECS_BUF(100);
        char *argv[] = {(char *)"sh", (char *)"-c", (char *)cases[i].script, NULL};
        struct ecs_error *error = aws_process_run(&aws_process_env, argv, 20000, &output);
        dup2(kept, 2);
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->err, -ENOKEY);
        ck_assert_int_eq(lseek(file, 0, SEEK_END), cases[i].passed);
        if (cases[i].message)
            ck_assert_str_eq(error->message, cases[i].message);
        else
            ck_assert_str_eq(strchr(error->message, ':') + 2, twos);
        ecs_error_unref(error);
    }
    unlink(path);
    close(file);
    close(kept);
}
END_TEST

START_TEST(times)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2022-05-02T18:36:00Z", 1651516560000},
        {"2022-05-02T18:36:00+00:00", 1651516560000},
        {"2022-05-02T20:36:00+02:00", 1651516560000},
        {"2022-05-02T18:36:00.25Z", 1651516560250},
        {"2022-05-02T18:36:00UTC", 1651516560000},
        {"2022-05-02T18:36:00", -1},
        {"2022-05-02", -1},
        {"2022-05-02T18:36:00+0", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = -1;
        int r = aws_time_parse(cases[i].text, &ms);
        ck_assert_int_eq(r, cases[i].ms < 0 ? -EINVAL : 0);
        if (r == 0)
            ck_assert_int_eq(ms, cases[i].ms);
    }
}
END_TEST

/* Keys that could break out of a header line, and documents of the wrong types. */
START_TEST(bad_documents)
{
    static const char *const texts[] = {
        "{\"AccessKeyId\":\"A\\nX: "
        "y\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"2030-01-01T00:00:00Z\"}",
        "{\"AccessKeyId\":1,\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"2030-01-01T00:00:"
        "00Z\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"soon\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\"}",
        "{\"Code\":\"Failed\",\"Message\":\"no\"}",
        "[]",
        "",
        "{\"AccessKeyId\":\"secretpart",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct ecs_error *error = NULL;
        ck_assert_ptr_null(aws_document_parse(AWS_DOCUMENT_METADATA, texts[i], strlen(texts[i]), &error));
        ck_assert_int_eq(error->err, -ENOKEY);
        ck_assert_ptr_null(strstr(error->message, "secretpart"));
        ecs_error_unref(error);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chain");
    TCase *cases = tcase_create("chain");
    tcase_add_test(cases, recorded_chain);
    tcase_add_test(cases, recorded_profiles);
    tcase_add_test(cases, sso_refresh);
    tcase_add_test(cases, wiped);
    tcase_add_test(cases, sso_expired);
    tcase_add_test(cases, mfa);
    tcase_add_test(cases, precedence);
    tcase_add_test(cases, older_names);
    tcase_add_test(cases, broken_lines);
    tcase_add_test(cases, programs);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, complaints);
    tcase_add_test(cases, times);
    tcase_add_test(cases, bad_documents);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
