/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's own signing vectors, where the shared data is at hand (ECSFS_SHARED); one by hand always. */
#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data.h"
#include "sigv4.h"

enum { VECTORS = 38 };

struct vector {
    char *text; /* the request, cut into the parts below */
    struct aws_header headers[32];
    struct aws_signable request;
    const char *body;
    char hash[AWS_SHA256_HEX], date[AWS_DATE_TEXT];
};

/* "GET /a b?c=d HTTP/1.1", headers (folded ones too) up to an empty line, the body. */
static void parse(struct vector *v)
{
    char *line = v->text, *end = strchr(line, '\n');
    *end = 0;
    char *http = strstr(line, " HTTP/1.1"), *space = strchr(line, ' ');
    *http = *space = 0;
    v->request.method = line;
    v->request.path = space + 1;
    char *query = strchr(space + 1, '?');
    if (query) {
        *query = 0;
        v->request.query = query + 1;
    }
    v->body = "";
    v->request.headers = v->headers;
    for (line = end + 1; *line; line = end + 1) {
        if (*line == '\n') {
            v->body = line + 1;
            return;
        }
        end = strchr(line, '\n');
        while (end && end[1] == ' ')
            end = strchr(end + 1, '\n');
        if (end)
            *end = 0;
        char *colon = strchr(line, ':');
        *colon = 0;
        v->headers[v->request.headers_len++] = (struct aws_header){line, colon + 1};
        if (!end)
            return;
    }
}

static const char *text_of(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

/* "2015-08-30T12:36:00Z" to "20150830T123600Z" */
static void compact_date(const char *from, char *to)
{
    for (; *from; from++)
        if (*from != '-' && *from != ':')
            *to++ = *from;
    *to = 0;
}

static char *part(const char *folder, const char *name)
{
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return data_read(path);
}

static bool check_vector(const char *folder)
{
    char *context_text = part(folder, "context.json");
    json_t *context = json_loads(context_text, 0, NULL), *keys = json_object_get(context, "credentials");
    struct vector v = {.text = part(folder, "request.txt")};
    parse(&v);
    compact_date(text_of(context, "timestamp"), v.date);
    aws_sha256_hex(v.body, strlen(v.body), v.hash);
    v.request.date = v.date;
    v.request.payload_hash = v.hash;
    v.request.region = text_of(context, "region");
    v.request.service = text_of(context, "service");
    v.request.keep_path = !json_is_true(json_object_get(context, "normalize"));
    v.headers[v.request.headers_len++] = (struct aws_header){"X-Amz-Date", v.date};
    const char *token = text_of(keys, "token");
    if (token && !json_is_true(json_object_get(context, "omit_session_token")))
        v.headers[v.request.headers_len++] = (struct aws_header){"X-Amz-Security-Token", token};
    if (json_is_true(json_object_get(context, "sign_body")))
        v.headers[v.request.headers_len++] = (struct aws_header){"x-amz-content-sha256", v.hash};

    struct ecs_buf canonical = ECS_BUF(AWS_SIGN_MAX), names = ECS_BUF(AWS_SIGN_MAX),
                   text = ECS_BUF(AWS_SIGN_MAX);
    ck_assert_int_eq(aws_sign_canonical(&v.request, &canonical, &names), 0);
    ck_assert_int_eq(aws_sign_text(&v.request, canonical.data, canonical.len, &text), 0);
    static struct aws_sign_cache cache;
    struct aws_keys pair = {text_of(keys, "access_key_id"), text_of(keys, "secret_access_key")};
    char *authorization = NULL;
    ck_assert_int_eq(aws_sign(&v.request, &pair, &cache, &authorization), 0);
    char *want_canonical = part(folder, "header-canonical-request.txt"),
         *want_text = part(folder, "header-string-to-sign.txt"),
         *want_signature = part(folder, "header-signature.txt");
    const char *signature = strstr(authorization, "Signature=") + strlen("Signature=");
    bool good = strcmp(canonical.data, want_canonical) == 0 && strcmp(text.data, want_text) == 0 &&
                strcmp(signature, want_signature) == 0;
    if (!good)
        fprintf(stderr, "%s:\n%s\n--- not\n%s\n", folder, canonical.data, want_canonical);
    free(authorization);
    free(want_canonical);
    free(want_text);
    free(want_signature);
    ecs_buf_free(&canonical);
    ecs_buf_free(&names);
    ecs_buf_free(&text);
    json_decref(context);
    free(context_text);
    free(v.text);
    return good;
}

START_TEST(vectors)
{
    const char *folder = data_path("sigv4/v4");
    if (!folder)
        return;
    DIR *all = opendir(folder);
    ck_assert_ptr_nonnull(all);
    int good = 0, seen = 0;
    struct dirent *entry;
    while ((entry = readdir(all))) {
        if (entry->d_name[0] == '.')
            continue;
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        seen++;
        good += check_vector(path);
    }
    closedir(all);
    printf("SigV4 %d/%d\n", good, seen);
    ck_assert_int_eq(seen, VECTORS);
    ck_assert_int_eq(good, seen);
}
END_TEST

/* The first example of AWS's "Create a signed AWS API request". */
START_TEST(documented)
{
    struct aws_header headers[] = {
        {"Host", "iam.amazonaws.com"},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
        {"X-Amz-Date", "20150830T123600Z"},
    };
    char empty[AWS_SHA256_HEX];
    aws_sha256_hex("", 0, empty);
    struct aws_signable request = {.method = "GET",
                                   .path = "/",
                                   .query = "Version=2010-05-08&Action=ListUsers",
                                   .headers = headers,
                                   .headers_len = 3,
                                   .payload_hash = empty,
                                   .date = "20150830T123600Z",
                                   .region = "us-east-1",
                                   .service = "iam"};
    struct aws_keys keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
    struct aws_sign_cache cache = {0};
    for (int i = 0; i < 2; i++) { /* the second time with the key cached */
        char *authorization = NULL;
        ck_assert_int_eq(aws_sign(&request, &keys, &cache, &authorization), 0);
        ck_assert_str_eq(authorization,
                         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                         "SignedHeaders=content-type;host;x-amz-date, "
                         "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
        free(authorization);
    }
    aws_sign_forget(&cache);
    for (size_t i = 0; i < sizeof(cache); i++)
        ck_assert_int_eq(((unsigned char *)&cache)[i], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sigv4");
    TCase *cases = tcase_create("sigv4");
    tcase_add_test(cases, vectors);
    tcase_add_test(cases, documented);
    suite_add_tcase(suite, cases);
    return data_run(suite);
}
