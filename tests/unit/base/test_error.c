/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/error.h"

/* What AWS answers and the errno it becomes: the table of doc/RELIABILITY, row by row. */
static const struct row {
    int status;
    const char *code, *message;
    int err, writing;
} rows[] = {
    {400, "AccessDeniedException", "User is not authorized", -EACCES, 0},
    {403, "AccessDenied", "no", -EACCES, 1},
    {400, "BlockedException", "blocked", -EACCES, 0},
    {400, "KmsException", "denied", -EACCES, 0},
    {400, "ExpiredTokenException", "The security token included in the request is expired", -EKEYEXPIRED, 0},
    {403, "ExpiredToken", "expired", -EKEYEXPIRED, 0},
    {401, "UnauthorizedSSOTokenError", "expired", -EKEYEXPIRED, 0},
    {400, "RequestExpired", "expired", -EKEYEXPIRED, 0},
    {400, "UnrecognizedClientException", "The security token is invalid", -EKEYREJECTED, 0},
    {403, "InvalidClientTokenId", "invalid", -EKEYREJECTED, 1},
    {400, "InvalidSignatureException", "The request signature we calculated", -EKEYREJECTED, 1},
    {403, "SignatureDoesNotMatch", "The request signature", -EKEYREJECTED, 0},
    {400, "IncompleteSignatureException", "incomplete", -EKEYREJECTED, 0},
    {400, "MissingAuthenticationTokenException", "missing", -EKEYREJECTED, 0},
    {400, "ClusterNotFoundException", "Cluster not found.", -ENOENT, 0},
    {400, "ServiceNotFoundException", "Service not found.", -ENOENT, 1},
    {400, "RepositoryNotFoundException", "gone", -ENOENT, 0},
    {400, "ImageNotFoundException", "gone", -ENOENT, 0},
    {400, "LifecyclePolicyNotFoundException", "none", -ENOENT, 0},
    {400, "ResourceNotFoundException", "none", -ENOENT, 0},
    {400, "ClientException", "Unable to describe task definition.", -ENOENT, 0},
    {400, "ClientException", "The specified task definition does not exist.", -ENOENT, 1},
    {400, "ServiceNotActiveException", "Service was not ACTIVE.", -ESTALE, 1},
    {400, "InvalidParameterException", "Tasks cannot be empty.", -EINVAL, 0},
    {400, "ValidationException", "1 validation error detected", -EINVAL, 0},
    {400, "ValidationError", "1 validation error detected", -EINVAL, 0},
    {400, "ClientException", "Container.image should not be null or empty.", -EINVAL, 1},
    {400, "PlatformUnknownException", "unknown platform", -EINVAL, 1},
    {400, "PlatformTaskDefinitionIncompatibilityException", "no", -EINVAL, 1},
    {400, "UnsupportedFeatureException", "not here", -EOPNOTSUPP, 1},
    {400, "UnknownOperationException", "", -EOPNOTSUPP, 0},
    {400, "RepositoryAlreadyExistsException", "there", -EEXIST, 1},
    {400, "ImageTagAlreadyExistsException", "immutable", -EEXIST, 1},
    {400, "ClusterContainsServicesException", "not empty", -ENOTEMPTY, 1},
    {400, "ClusterContainsTasksException", "not empty", -ENOTEMPTY, 1},
    {400, "RepositoryNotEmptyException", "not empty", -ENOTEMPTY, 1},
    {400, "UpdateInProgressException", "busy", -EBUSY, 1},
    {400, "ConflictException", "busy", -EBUSY, 1},
    {400, "ResourceInUseException", "busy", -EBUSY, 1},
    {400, "ThrottlingException", "Rate exceeded", -EBUSY, 0},
    {400, "Throttling", "Rate exceeded", -EBUSY, 1},
    {429, "TooManyRequestsException", "Rate exceeded", -EBUSY, 0},
    {503, "RequestLimitExceeded", "Rate exceeded", -EBUSY, 0},
    {503, "SlowDown", "Rate exceeded", -EBUSY, 0},
    {400, "EC2ThrottledException", "Rate exceeded", -EBUSY, 1},
    {400, "ProvisionedThroughputExceededException", "Rate exceeded", -EBUSY, 0},
    {400, "BandwidthLimitExceeded", "Rate exceeded", -EBUSY, 0},
    {400, "TransactionInProgressException", "busy", -EBUSY, 1},
    {400, "ClientException", "Too many concurrent attempts to create a new revision", -EBUSY, 1},
    {403, "RequestTimeTooSkewed", "The difference is too large", -EKEYREJECTED, 0},
    {403, "RequestInTheFuture", "not yet valid", -EKEYREJECTED, 1},
    {401, "AuthFailure", "credentials", -EKEYREJECTED, 0},
    {400, "LimitExceededException", "too many", -EDQUOT, 1},
    {400, "AttributeLimitExceededException", "too many", -EDQUOT, 1},
    {400, "ServiceQuotaExceededException", "too many", -EDQUOT, 1},
    {400, "TooManyTagsException", "too many", -EDQUOT, 1},
    {500, "ServerException", "internal", -EIO, 1},
    {500, "InternalFailure", "internal", -EIO, 0},
    {503, "ServiceUnavailableException", "later", -EIO, 1},
    {502, "", "bad gateway", -EIO, 1},
    /* Without a row: by status. A 4xx is the writer's fault, and no fault of a reader's. */
    {400, "NobodyHasSeenThisException", "?", -EINVAL, 1},
    {400, "NobodyHasSeenThisException", "?", -EIO, 0},
    {404, NULL, NULL, -EINVAL, 1},
    {404, NULL, NULL, -EIO, 0},
    {403, NULL, "forbidden", -EACCES, 0},
    {401, NULL, NULL, -EACCES, 1},
    {429, NULL, NULL, -EBUSY, 0},
    {301, NULL, "moved", -EPROTO, 0},
    {307, "", "", -EPROTO, 1},
    {500, NULL, NULL, -EIO, 1},
    {599, "NobodyHasSeenThisException", "?", -EIO, 1},
    {413, NULL, NULL, -E2BIG, 1},
};

START_TEST(maps_to_errno)
{
    const struct row *row = &rows[_i];
    cleanup_error struct ecs_error *error =
        ecs_error_from_aws("Op", row->status, row->code, row->message, "id", row->writing);
    ck_assert_msg(error->err == row->err, "%d %s: %s, not %s", row->status, row->code ? row->code : "-",
                  strerror(-error->err), strerror(-row->err));
}
END_TEST

/* The one who writes must never be told to just try again in a loop, nor the kernel to stop asking. */
START_TEST(never_these)
{
    static const int never[] = {-EAGAIN, -ENOSYS, -ENOTCONN, 0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int err = ecs_error_errno(rows[i].code ? rows[i].code : "", rows[i].message);
        for (size_t k = 0; k < ARRAY_LEN(never); k++)
            ck_assert(err != never[k] || err == 0);
    }
    ck_assert_int_eq(ecs_error_errno("", NULL), 0);
    ck_assert_int_eq(ecs_error_errno("ClientException", NULL), -EINVAL);
}
END_TEST

/* As the three JSON protocols write it. */
static const char *const written[][2] = {
    {"FooError", "FooError"},
    {"FooError:http://internal.amazon.com/coral/com.amazon.coral.validate/", "FooError"},
    {"aws.protocoltests.restjson#FooError", "FooError"},
    {"aws.protocoltests.restjson#FooError:http://internal.amazon.com/coral/com.amazon.coral.validate/",
     "FooError"},
    {"com.amazonaws.ecs#ClusterNotFoundException", "ClusterNotFoundException"},
    {"FooError:http://example.com/#fragment", "FooError"},
    {"", "HTTP418"},
    {"#", "HTTP418"},
    {":x", "HTTP418"},
};

START_TEST(trims_codes)
{
    for (size_t i = 0; i < ARRAY_LEN(written); i++) {
        cleanup_error struct ecs_error *error = ecs_error_from_aws("Op", 418, written[i][0], "m", "r", 0);
        ck_assert_str_eq(error->code, written[i][1]);
    }
}
END_TEST

START_TEST(keeps_what_aws_said)
{
    cleanup_error struct ecs_error *error = ecs_error_from_aws(
        "DescribeServices", 400, "x#ClusterNotFoundException", "Cluster not found.", "b25f48e8-84fd", 0);
    ck_assert_int_eq(error->http_status, 400);
    ck_assert_str_eq(error->code, "ClusterNotFoundException");
    ck_assert_str_eq(error->message, "Cluster not found.");
    ck_assert_str_eq(error->operation, "DescribeServices");
    ck_assert_str_eq(error->request_id, "b25f48e8-84fd");
    cleanup_error struct ecs_error *bare = ecs_error_from_aws(NULL, 502, NULL, NULL, NULL, 0);
    ck_assert_str_eq(bare->code, "HTTP502");
    ck_assert_str_ne(bare->message, "");
    ck_assert_str_eq(bare->operation, "");
    ck_assert_str_eq(bare->request_id, "");
}
END_TEST

static void holds_no_control(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        ck_assert_msg(*c >= 0x20 && *c != 0x7f, "control character in %s", text);
        ck_assert_msg(!(c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0), "C1 control character in %s", text);
    }
}

/* What AWS, or who poses as it, sends reaches a terminal through .ecsfs/errors. */
START_TEST(is_safe_for_a_terminal)
{
    cleanup_error struct ecs_error *error = ecs_error_from_aws("Op\x1b[2J", 400,
                                                               "Bad\x07"
                                                               "Code",
                                                               "a\nb\tc\x1b]0;title\x07\x7f\r\xc2\x9b"
                                                               "1m \xc3\xa9",
                                                               "id\n", 0);
    holds_no_control(error->code);
    holds_no_control(error->message);
    holds_no_control(error->operation);
    holds_no_control(error->request_id);
    ck_assert_ptr_nonnull(strstr(error->message, "a b c\\x1b]0;title\\x07\\x7f\\x0d"));
    ck_assert_ptr_nonnull(strstr(error->message, "\xc3\xa9"));
}
END_TEST

/* A giant message is cut; nothing else gets lost with it. */
START_TEST(cuts_a_giant_message)
{
    static char giant[100000];
    memset(giant, 'm', sizeof(giant) - 1);
    cleanup_error struct ecs_error *error = ecs_error_from_aws("Op", 400, "Code", giant, "request", 0);
    ck_assert_uint_lt(strlen(error->message), 20000);
    ck_assert_uint_gt(strlen(error->message), 1000);
    ck_assert_str_eq(error->operation, "Op");
    ck_assert_str_eq(error->request_id, "request");
    cleanup_error struct ecs_error *ours = ecs_error_new(-EPROTO, "Code", "%s", giant);
    ck_assert_int_eq(ours->err, -EPROTO);
    ck_assert_uint_gt(strlen(ours->message), 1000);
    cleanup_error struct ecs_error *with = ecs_error_context(ecs_error_ref(error), 0, "saving %s", "web");
    ck_assert_int_eq(strncmp(with->message, "saving web: mmm", 15), 0);
    cleanup_error struct ecs_error *far = ecs_error_context(ecs_error_ref(error), 0, "%s", giant);
    ck_assert_uint_gt(strlen(far->message), 1000);
}
END_TEST

START_TEST(adds_context)
{
    struct ecs_error *error = ecs_error_from_aws("Op", 400, "Code", "words", "id", 1);
    ck_assert_int_eq(error->err, -EINVAL);
    cleanup_error struct ecs_error *with = ecs_error_context(error, -EBADMSG, "saving %s", "latest.json");
    ck_assert_int_eq(with->err, -EBADMSG);
    ck_assert_str_eq(with->message, "saving latest.json: words");
    ck_assert_str_eq(with->code, "Code");
    ck_assert_str_eq(with->operation, "Op");
    ck_assert_str_eq(with->request_id, "id");
    ck_assert_int_eq(with->http_status, 400);
    cleanup_error struct ecs_error *kept = ecs_error_context(ecs_error_ref(with), 0, "x");
    ck_assert_int_eq(kept->err, -EBADMSG);
    ck_assert_str_eq(kept->message, "x: saving latest.json: words");
}
END_TEST

START_TEST(ambiguous)
{
    static const struct {
        int status;
        const char *code;
        bool ambiguous;
    } said[] = {
        {500, "ServerException", true},
        {502, "", true},
        {503, "", true},
        {503, "InternalFailure", true},
        {503, "com.amazonaws.ecs#ServiceUnavailableException", false},
        {503, "ThrottlingException", false},
        {504, "", true},
        {400, "ThrottlingException", false},
        {400, "", false},
        {501, "", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        cleanup_error struct ecs_error *error =
            ecs_error_from_aws("UpdateService", said[i].status, said[i].code, "x", "", 1);
        ck_assert_int_eq(ecs_error_ambiguous(error), said[i].ambiguous);
    }
}
END_TEST

START_TEST(counts_references)
{
    struct ecs_error *error = ecs_error_new(-ETIMEDOUT, "Timeout", "no answer within %d ms", 1500);
    ck_assert_str_eq(error->message, "no answer within 1500 ms");
    ck_assert_str_eq(error->code, "Timeout");
    ck_assert_int_eq(error->http_status, 0);
    ck_assert_ptr_eq(ecs_error_ref(error), error);
    ck_assert_uint_eq(error->refs, 2);
    ck_assert_ptr_null(ecs_error_unref(error));
    ck_assert_str_eq(error->code, "Timeout");
    ck_assert_ptr_null(ecs_error_unref(error));
    ck_assert_ptr_null(ecs_error_unref(NULL));
    ck_assert_ptr_null(ecs_error_ref(NULL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *table = tcase_create("table"), *error = tcase_create("error");
    tcase_add_loop_test(table, maps_to_errno, 0, (int)ARRAY_LEN(rows));
    tcase_add_test(table, never_these);
    tcase_add_test(error, trims_codes);
    tcase_add_test(error, keeps_what_aws_said);
    tcase_add_test(error, is_safe_for_a_terminal);
    tcase_add_test(error, cuts_a_giant_message);
    tcase_add_test(error, adds_context);
    tcase_add_test(error, ambiguous);
    tcase_add_test(error, counts_references);
    suite_add_tcase(suite, table);
    suite_add_tcase(suite, error);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
