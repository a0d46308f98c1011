/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as the running backend fetches and renews them, from hosts that behave and hosts that do not.
 */
#include <check.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "caller.h"
#include "data.h"
#include "ecsfs/clock.h"

/* The system's clock, whose wall time the test moves, and whose other it moves forward between calls. */
static atomic_llong ahead_ms, rested_ms;
static int64_t real_now(const struct ecs_clock *clock)
{
    (void)clock;
    return ecs_system_clock.now_ms(&ecs_system_clock) + rested_ms;
}
static int64_t moved_wall(const struct ecs_clock *clock)
{
    (void)clock;
    return ecs_system_clock.wall_ms(&ecs_system_clock) + ahead_ms;
}
static const struct ecs_clock moved_clock = {real_now, moved_wall};

static int64_t now_ms(void)
{
    return real_now(NULL);
}

enum { HOUR_MS = 3600000, MINUTE_MS = 60000 };

struct world {
    int fetches;      /* of keys */
    int64_t life_ms;  /* of keys; 0: an hour */
    enum fault fault; /* of the host that gives them */
    int status;
    bool strict;         /* refuses signatures of another time than the true one, as AWS does */
    int skewed;          /* those refused so */
    const char *refused; /* a key that AWS does not take any more */
    char used[64];       /* the key of the last call of AWS */
    char token[64], seen_token[64];
};

static void expiry(const struct world *world, char text[ECS_TIME_TEXT])
{
    ecs_time_format((moved_wall(NULL) + (world->life_ms ? world->life_ms : HOUR_MS)) / 1000 * 1000, text);
}

static void give_keys(struct world *world, struct said *said)
{
    char when[ECS_TIME_TEXT];
    expiry(world, when);
    world->fetches++;
    said->fault = world->fault;
    said->status = world->status;
    if (asprintf(&said->body,
                 "{\"Code\":\"Success\",\"AccessKeyId\":\"KEY%d\",\"SecretAccessKey\":\"hidden\",\"Token\":"
                 "\"T%d\","
                 "\"Expiration\":\"%s\"}",
                 world->fetches, world->fetches, when) < 0)
        abort();
}

static void give_role(struct world *world, struct said *said)
{
    char when[ECS_TIME_TEXT];
    expiry(world, when);
    world->fetches++;
    if (asprintf(&said->body,
                 "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::123456789012:"
                 "assumed-role/R/s</Arn></AssumedRoleUser><Credentials><AccessKeyId>ROLE</AccessKeyId>"
                 "<SecretAccessKey>hidden</SecretAccessKey><SessionToken>T</SessionToken><Expiration>%s"
                 "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
                 when) < 0)
        abort();
}

/* The true time in the Date header, as every answer of AWS has it. Whether the signature's time is another.
 */
static bool out_of_time(const struct heard *heard, struct said *said)
{
    static char headers[128];
    char date[64], signed_at[32];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(headers, sizeof(headers), "Date: %s\r\n", date);
    said->headers = headers;
    heard_header(heard, "x-amz-date", signed_at, sizeof(signed_at));
    strptime(signed_at, "%Y%m%dT%H%M%SZ", &tm);
    return llabs((long long)timegm(&tm) - now) > 300;
}

/* All of the hosts at once. */
static void serve(void *arg, const struct heard *heard, struct said *said)
{
    struct world *world = arg;
    char authorization[512];
    if (world->strict && out_of_time(heard, said)) {
        world->skewed++;
        said->status = 403;
        said->type = "text/xml";
        said->body =
            strdup("<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>"
                   "Signature not yet current</Message></Error></ErrorResponse>");
        return;
    }
    heard_header(heard, "authorization", authorization, sizeof(authorization));
    if (strcmp(heard->path, "/keys") == 0) {
        snprintf(world->seen_token, sizeof(world->seen_token), "%.63s", authorization);
        give_keys(world, said);
    } else if (strcmp(heard->path, "/latest/api/token") == 0 && strcmp(heard->method, "PUT") == 0) {
        said->body = strdup("imds-token");
    } else if (strncmp(heard->path, "/latest/meta-data/iam/security-credentials/", 43) == 0) {
        char token[64];
        heard_header(heard, "x-aws-ec2-metadata-token", token, sizeof(token));
        if (strcmp(token, "imds-token") != 0)
            said->status = 401;
        else if (heard->path[43])
            give_keys(world, said);
        else
            said->body = strdup("the-role");
    } else if (strstr(heard->body, "Action=AssumeRole")) {
        if (strstr(heard->body, "ExternalId=ext") && strstr(authorization, "/sts/aws4_request"))
            give_role(world, said);
        else
            said->status = 403;
    } else {
        sscanf(authorization, "AWS4-HMAC-SHA256 Credential=%63[^/]", world->used);
        if (world->refused && strcmp(world->refused, world->used) == 0) {
            said->status = 400;
            said->body = strdup("{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}");
        }
    }
}

/* A file of that text; its path serves until the next. */
static const char *write_file(const char *text)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/ecsfs-test-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        abort();
    fchmod(fd, 0700);
    close(fd);
    return path;
}

static void begin(struct caller *caller, struct server *server, const char *profile)
{
    ahead_ms = 0;
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    caller->home = ecs_mailbox_new();
    struct ecs_error *error = NULL;
    caller->backend = ecs_aws_new(&(struct ecs_aws_options){.region = "us-east-1",
                                                            .profile = profile,
                                                            .endpoint_url = server_url(server),
                                                            .clock = &moved_clock},
                                  &error);
    ck_assert_msg(caller->backend != NULL, "%s", error ? error->message : "");
    ck_assert_int_eq(caller->backend->start(caller->backend), 0);
}

static void set_url(const char *name, const struct server *server, const char *path)
{
    char url[128];
    snprintf(url, sizeof(url), "%s%s", server_url(server), path);
    setenv(name, url, 1);
}

static void call_well(struct caller *caller)
{
    struct ecs_call *call = caller_call(caller, "ListClusters", "{}", false, 5000);
    ck_assert_msg(!call->error, "%s", call->error ? call->error->message : "");
    caller_done(call);
}

/* Fetched once; renewed in the background 15 minutes ahead; waited for at 10; kept while the host fails. */
START_TEST(container)
{
    struct world world = {0};
    struct server *server = server_start(serve, &world);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", server, "/keys");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod-token", 1);
    struct caller caller;
    begin(&caller, server, NULL);
    for (int i = 0; i < 3; i++)
        call_well(&caller);
    ck_assert_str_eq(world.used, "KEY1");
    ck_assert_str_eq(world.seen_token, "pod-token");
    ck_assert_int_eq(world.fetches, 1);
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_str_eq(status.credentials, "container");
    ck_assert(status.credentials_expire_ms > moved_wall(NULL) + 55 * MINUTE_MS);

    ahead_ms += 46 * MINUTE_MS;
    call_well(&caller); /* not waiting for the new ones */
    for (int64_t until = now_ms() + 3000; strcmp(world.used, "KEY2") != 0 && now_ms() < until;)
        call_well(&caller);
    ck_assert_str_eq(world.used, "KEY2");
    ck_assert_int_eq(world.fetches, 2);

    ahead_ms += 51 * MINUTE_MS;
    call_well(&caller);
    ck_assert_str_eq(world.used, "KEY3");

    world.status = 404;
    ahead_ms += 55 * MINUTE_MS;
    call_well(&caller);
    ck_assert_str_eq(world.used, "KEY3");
    ahead_ms += 6 * MINUTE_MS;
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 5000);
    ck_assert_ptr_nonnull(call->error);
    ck_assert_ptr_nonnull(strstr(call->error->message, "container"));
    ck_assert_ptr_null(strstr(call->error->message, "hidden"));
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
}
END_TEST

/* The host of the keys is gone when their time is over: that they expired, why none came, and what to do;
 * also of the tries that follow. Once it is back, all is well. */
START_TEST(expired_without_renewal)
{
    struct world world = {.life_ms = 20000};
    struct server *server = server_start(serve, &world), *closed = server_start(serve, &world);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", server, "/keys");
    struct caller caller;
    begin(&caller, server, NULL);
    call_well(&caller);
    char gone[128];
    snprintf(gone, sizeof(gone), "%s/keys", server_url(closed));
    server_stop(closed);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", gone, 1);
    ahead_ms += MINUTE_MS;
    for (int i = 0; i < 2; i++) {
        struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 20000);
        ck_assert_int_eq(call->error->err, -EKEYEXPIRED);
        ck_assert_str_eq(call->error->code, "ExpiredCredentials");
        ck_assert_ptr_nonnull(strstr(call->error->message, "the keys from container have expired"));
        ck_assert_ptr_nonnull(strstr(call->error->message, "could not be renewed: credentials of the "));
        ck_assert_ptr_nonnull(strstr(call->error->message, "look at the role and the credentials agent"));
        caller_done(call);
        rested_ms += MINUTE_MS; /* the chain is asked again */
    }
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", server, "/keys");
    call_well(&caller);
    caller_stop(&caller);
    server_stop(server);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
}
END_TEST

/* Refused while new ones are fetched in the background: the call waits for those. */
START_TEST(refused_while_renewing)
{
    struct world world = {0};
    struct server *server = server_start(serve, &world);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", server, "/keys");
    struct caller caller;
    begin(&caller, server, NULL);
    call_well(&caller);
    ahead_ms += 46 * MINUTE_MS;
    world.fault = FAULT_HANG;
    world.refused = "KEY1";
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 8000);
    ck_assert_ptr_nonnull(strstr(call->error->message, "container"));
    ck_assert_int_eq(server_heard(server, "ListClusters"), 2);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
}
END_TEST

START_TEST(imds)
{
    struct world world = {0};
    struct server *server = server_start(serve, &world);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    set_url("AWS_EC2_METADATA_SERVICE_ENDPOINT", server, "");
    setenv("http_proxy", "http://127.0.0.1:9", 1); /* metadata goes past any proxy */
    setenv("no_proxy", "127.0.0.1", 1);
    struct caller caller;
    begin(&caller, server, NULL);
    call_well(&caller);
    ck_assert_str_eq(world.used, "KEY1");
    caller_stop(&caller);
    unsetenv("no_proxy");
    begin(&caller, server, NULL);
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 5000);
    ck_assert_int_eq(world.fetches, 2);                /* the keys came, */
    ck_assert_int_eq(call->error->err, -ECONNREFUSED); /* the call went to the proxy */
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
    unsetenv("http_proxy");
    unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}
END_TEST

START_TEST(role_of_program)
{
    struct world world = {0};
    struct server *server = server_start(serve, &world);
    char program[64], config[512];
    snprintf(program, sizeof(program), "%s",
             write_file(
                 "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"hidden\"}'\n"));
    snprintf(
        config, sizeof(config),
        "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = b\nexternal_id = ext\n"
        "[profile b]\ncredential_process = '%s' --x\n",
        program);
    setenv("AWS_CONFIG_FILE", write_file(config), 1);
    struct caller caller;
    begin(&caller, server, "r");
    call_well(&caller);
    ck_assert_str_eq(world.used, "ROLE");
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_str_eq(status.account, "123456789012");
    ck_assert_str_eq(status.credentials, "role arn:aws:iam::123456789012:role/R");
    caller_stop(&caller);
    server_stop(server);
    unlink(program);
    unlink(getenv("AWS_CONFIG_FILE"));
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
}
END_TEST

/* A host that hangs holds neither a call beyond its deadline, nor a cancel, nor the end. */
START_TEST(hanging)
{
    struct world world = {.fault = FAULT_HANG};
    struct server *server = server_start(serve, &world);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", server, "/keys");
    struct caller caller;
    begin(&caller, server, NULL);
    int64_t from = now_ms();
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 300);
    ck_assert_int_eq(call->error->err, -ETIMEDOUT);
    ck_assert_int_le(now_ms() - from, 600);
    caller_done(call);
    call = caller_submit(&caller, "ListClusters", "{}", false, 0);
    caller.backend->cancel(caller.backend, call);
    ck_assert_ptr_eq(caller_take(&caller, 100), call);
    ck_assert_int_eq(call->error->err, -ECANCELED);
    caller_done(call);
    from = now_ms();
    caller_stop(&caller);
    ck_assert_int_le(now_ms() - from, 1500);
    server_stop(server);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
}
END_TEST

/* EC2 in trouble hands out keys that have expired by its own word: they serve; a container's do not. */
START_TEST(expired_on_arrival)
{
    struct world world = {.life_ms = -HOUR_MS};
    struct server *server = server_start(serve, &world);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    set_url("AWS_EC2_METADATA_SERVICE_ENDPOINT", server, "");
    struct caller caller;
    begin(&caller, server, NULL);
    call_well(&caller);
    caller_stop(&caller);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", server, "/keys");
    begin(&caller, server, NULL);
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 5000);
    ck_assert_int_eq(call->error->err, -EKEYEXPIRED);
    struct ecs_backend_status status;
    caller.backend->status(caller.backend, &status);
    ck_assert_ptr_nonnull(strstr(status.trouble, "expired"));
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
}
END_TEST

START_TEST(hanging_program)
{
    struct world world = {0};
    struct server *server = server_start(serve, &world);
    setenv("AWS_CONFIG_FILE", write_file("[profile p]\ncredential_process = sleep 60\n"), 1);
    struct caller caller;
    begin(&caller, server, "p");
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 300);
    ck_assert_int_eq(call->error->err, -ETIMEDOUT);
    ck_assert_str_eq(call->error->code, "CredentialsTimeout");
    ck_assert_ptr_nonnull(strstr(call->error->message, "credential_process sleep has not given"));
    ck_assert_ptr_nonnull(strstr(call->error->message, "run it by hand"));
    caller_done(call);
    int64_t from = now_ms();
    caller_stop(&caller);
    ck_assert_int_le(now_ms() - from, 500);
    server_stop(server);
    unlink(getenv("AWS_CONFIG_FILE"));
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
}
END_TEST

/* A role is assumed, and lives its hour, on a machine whose clock is two hours ahead: STS's own Date tells.
 */
START_TEST(role_on_a_skewed_clock)
{
    struct world world = {.strict = true, .life_ms = -HOUR_MS}; /* by the machine's clock */
    struct server *server = server_start(serve, &world);
    setenv(
        "AWS_CONFIG_FILE",
        write_file("[profile r]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = b\n"
                   "external_id = ext\n[profile b]\naws_access_key_id = A\naws_secret_access_key = hidden\n"),
        1);
    struct caller caller;
    begin(&caller, server, "r");
    ahead_ms = 2 * HOUR_MS;
    for (int i = 0; i < 3; i++)
        call_well(&caller);
    ck_assert_str_eq(world.used, "ROLE");
    ck_assert_int_eq(world.fetches, 1);
    ck_assert_int_eq(world.skewed, 1); /* the calls that follow know it */
    /* below 10 minutes are left, whatever the part of a second that Date leaves out: the call waits */
    ahead_ms += 51 * MINUTE_MS;
    call_well(&caller); /* renewed; at once with the right time */
    ck_assert_int_eq(world.fetches, 2);
    caller_stop(&caller);
    server_stop(server);
    unlink(getenv("AWS_CONFIG_FILE"));
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
}
END_TEST

static char *answer_code(void *arg, const char *serial)
{
    ck_assert_str_eq(serial, "arn:aws:iam::123456789012:mfa/me");
    ++*(int *)arg;
    return strdup("123456");
}

/* The code is asked for while the backend is made, and never after. */
START_TEST(mfa)
{
    struct world world = {0};
    struct server *server = server_start(serve, &world);
    setenv("AWS_CONFIG_FILE",
           write_file("[profile r]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = b\n"
                      "external_id = ext\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n"
                      "[profile b]\naws_access_key_id = A\naws_secret_access_key = hidden\n"),
           1);
    int asked = 0;
    struct ecs_error *error = NULL;
    struct caller caller = {.home = ecs_mailbox_new()};
    ahead_ms = 0;
    caller.backend = ecs_aws_new(&(struct ecs_aws_options){.region = "us-east-1",
                                                           .profile = "r",
                                                           .endpoint_url = server_url(server),
                                                           .clock = &moved_clock,
                                                           .ask_mfa = answer_code,
                                                           .ask_arg = &asked},
                                 &error);
    ck_assert_ptr_nonnull(caller.backend);
    ck_assert_int_eq(asked, 1);
    caller.backend->start(caller.backend);
    call_well(&caller);
    ck_assert_str_eq(world.used, "ROLE");
    ahead_ms += 61 * MINUTE_MS;
    struct ecs_call *call = caller_call(&caller, "ListClusters", "{}", false, 5000);
    ck_assert_int_eq(call->error->err, -EKEYEXPIRED);
    ck_assert_ptr_nonnull(strstr(call->error->message, "mount again"));
    ck_assert_int_eq(asked, 1);
    caller_done(call);
    caller_stop(&caller);
    server_stop(server);
    unlink(getenv("AWS_CONFIG_FILE"));
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
}
END_TEST

int main(void)
{
    caller_clear_environment();
    Suite *suite = suite_create("keys");
    TCase *cases = tcase_create("keys");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, container);
    tcase_add_test(cases, refused_while_renewing);
    tcase_add_test(cases, imds);
    tcase_add_test(cases, role_of_program);
    tcase_add_test(cases, hanging);
    tcase_add_test(cases, hanging_program);
    tcase_add_test(cases, expired_on_arrival);
    tcase_add_test(cases, expired_without_renewal);
    tcase_add_test(cases, mfa);
    tcase_add_test(cases, role_on_a_skewed_clock);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
