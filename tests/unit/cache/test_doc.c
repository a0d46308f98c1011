/* SPDX-License-Identifier: Apache-2.0 */
/* Documents, lists, the path grammar and canonical JSON. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canonical.h"
#include "doc_private.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/doc.h"
#include "field_path.h"
#include "list.h"
#include "pack.h"
#include "timestamps.h"

/* ' for ", so that the tests can be read. */
static json_t *tree_of(const char *text)
{
    json_error_t fault;
    cleanup_free char *copy = strdup(text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *tree = json_loads(copy, JSON_DECODE_ANY, &fault);
    ck_assert_msg(tree != NULL, "%s: %s", fault.text, copy);
    return tree;
}

static char *canonical(const char *text)
{
    struct ecs_buf buf = ECS_BUF(1 << 20);
    json_t *tree = tree_of(text);
    ck_assert_int_eq(ecs_canonical_write(&buf, tree), 0);
    json_decref(tree);
    return ecs_buf_steal(&buf, NULL);
}

static const char service[] =
    "{'serviceName':'web','serviceArn':'arn:aws:ecs:eu-west-1:123456789012:service/prod/"
    "web','status':'ACTIVE',"
    "'createdAt':1700000000.123,'desiredCount':3,'runningCount':2,'enableExecuteCommand':true,"
    "'taskDefinition':'arn:aws:ecs:eu-west-1:123456789012:task-definition/web:4',"
    "'deployments':[{'id':'d1','status':'ACTIVE','taskDefinition':'web:3'},"
    "{'id':'d2','status':'PRIMARY','rolloutState':'IN_PROGRESS','updatedAt':1700000100}],"
    "'events':[{'id':'e1','createdAt':1700000000.5,'message':'(service web) said \\\"hello\\\"'}],"
    "'deploymentController':{'type':'ECS'}}";

START_TEST(fields_of_a_service)
{
    json_t *tree = tree_of(service);
    cleanup_doc struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_SERVICE], tree);
    json_decref(tree);
    ck_assert_ptr_nonnull(doc);
    ck_assert_str_eq(ecs_doc_field(doc, "status"), "ACTIVE");
    ck_assert_str_eq(ecs_doc_field(doc, "desiredCount"), "3");
    ck_assert_str_eq(ecs_doc_field(doc, "createdAt"), "2023-11-14T22:13:20.123Z");
    ck_assert_str_eq(ecs_doc_field(doc, "rolloutState"), "IN_PROGRESS");
    ck_assert_str_eq(ecs_doc_field(doc, "primaryUpdatedAt"), "2023-11-14T22:15:00Z");
    ck_assert_str_eq(ecs_doc_field(doc, "activeTaskDefinition"), "web:3");
    ck_assert_str_eq(ecs_doc_field(doc, "deploymentController"), "ECS");
    ck_assert_str_eq(ecs_doc_field(doc, "lastEvent"), "(service web) said \"hello\"");
    ck_assert_str_eq(ecs_doc_field(doc, "lastEventAt"), "2023-11-14T22:13:20.500Z");
    ck_assert_ptr_null(ecs_doc_field(doc, "launchType"));
    ck_assert_ptr_null(ecs_doc_field(doc, "no such field"));
    ck_assert_int_eq(ecs_doc_time_ms(doc), 1700000000123);
}
END_TEST

START_TEST(text_and_tree_of_a_document)
{
    json_t *tree = tree_of(service);
    cleanup_doc struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_SERVICE], tree);
    json_decref(tree);
    size_t len;
    cleanup_free char *text = ecs_doc_text(doc, &len);
    ck_assert_uint_eq(len, strlen(text));
    ck_assert_uint_eq(len, ecs_doc_text_len(doc));
    ck_assert_int_eq(text[len - 1], '\n');
    ck_assert_ptr_nonnull(strstr(text, "  \"createdAt\": \"2023-11-14T22:13:20.123Z\",\n"));
    json_t *again = ecs_doc_tree(doc);
    ck_assert_int_eq(json_integer_value(json_object_get(again, "desiredCount")), 3);
    /* The canonical text is its own canonical text. */
    cleanup_doc struct ecs_doc *second = ecs_doc_new(ecs_kinds[ECS_SERVICE], again);
    json_decref(again);
    ck_assert_uint_eq(ecs_doc_hash(second), ecs_doc_hash(doc));
    ck_assert_int_eq(ecs_doc_time_ms(second), 1700000000123);
}
END_TEST

START_TEST(hash_is_of_content)
{
    json_t *one = tree_of("{'a':1,'tags':[{'key':'x','value':'1'},{'key':'b','value':'2'}]}");
    json_t *two = tree_of("{'tags':[{'key':'b','value':'2'},{'key':'x','value':'1'}],'a':1}");
    json_t *three = tree_of("{'a':2,'tags':[]}");
    cleanup_doc struct ecs_doc *first = ecs_doc_new(ecs_kinds[ECS_CLUSTER], one);
    cleanup_doc struct ecs_doc *second = ecs_doc_new(ecs_kinds[ECS_CLUSTER], two);
    cleanup_doc struct ecs_doc *third = ecs_doc_new(ecs_kinds[ECS_CLUSTER], three);
    json_decref(one);
    json_decref(two);
    json_decref(three);
    ck_assert_uint_eq(ecs_doc_hash(first), ecs_doc_hash(second));
    ck_assert_uint_ne(ecs_doc_hash(first), ecs_doc_hash(third));
}
END_TEST

/* Enough documents that the dictionary is learned in between; each text comes back whole. */
START_TEST(texts_survive_the_learning_of_a_dictionary)
{
    enum { N = 200 };
    struct ecs_doc *docs[N];
    for (int i = 0; i < N; i++) {
        json_t *tree =
            json_pack("{s:o, s:s, s:i, s:[{s:o, s:f, s:s}]}", "taskArn",
                      json_sprintf("arn:aws:ecs:eu-west-1:123456789012:task/prod/%032d", i), "lastStatus",
                      "RUNNING", "version", i, "containers", "name", json_sprintf("app-%d", i), "startedAt",
                      1700000000.0 + i, "image", "public.ecr.aws/docker/library/httpd:latest");
        docs[i] = ecs_doc_new(ecs_kinds[ECS_TASK], tree);
        json_decref(tree);
        ck_assert_ptr_nonnull(docs[i]);
        uint64_t hash = ecs_doc_hash(docs[i]);
        docs[i] = ecs_doc_pack(docs[i]);
        ck_assert_uint_eq(ecs_doc_hash(docs[i]), hash);
        ck_assert_str_eq(ecs_doc_field(docs[i], "lastStatus"), "RUNNING");
    }
    ck_assert_uint_lt(ecs_doc_bytes(docs[N - 1]), ecs_doc_bytes(docs[0]) * 3 / 4);
    for (int i = 0; i < N; i++) {
        json_t *tree = ecs_doc_tree(docs[i]);
        ck_assert_ptr_nonnull(tree);
        ck_assert_int_eq(json_integer_value(json_object_get(tree, "version")), i);
        char name[16];
        snprintf(name, sizeof(name), "app-%d", i);
        ck_assert_str_eq(json_string_value(
                             json_object_get(json_array_get(json_object_get(tree, "containers"), 0), "name")),
                         name);
        json_decref(tree);
        ecs_doc_unref(docs[i]);
    }
}
END_TEST

static void *make_docs(void *arg)
{
    for (int i = 0; i < 300; i++) {
        json_t *tree = json_pack("{s:s, s:i, s:s}", "family", "web", "revision", i, "status", "ACTIVE");
        struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_REVISION], tree);
        size_t len;
        doc = ecs_doc_pack(doc);
        char *text = ecs_doc_text(doc, &len);
        if (!text || len != ecs_doc_text_len(doc))
            *(int *)arg += 1;
        free(text);
        ecs_doc_unref(doc);
        json_decref(tree);
    }
    return NULL;
}

START_TEST(any_thread_may_make_documents)
{
    pthread_t threads[4];
    int wrong[4] = {0};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_docs, &wrong[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(wrong[i], 0);
    }
}
END_TEST

START_TEST(a_long_field_is_cut_its_text_is_whole)
{
    char *reason = malloc(5001);
    memset(reason, 'x', 5000);
    reason[5000] = 0;
    json_t *tree = json_pack("{s:s, s:s}", "stoppedReason", reason, "lastStatus", "STOPPED");
    cleanup_doc struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_TASK], tree);
    json_decref(tree);
    ck_assert_uint_eq(strlen(ecs_doc_field(doc, "stoppedReason")), 1500);
    ck_assert_str_eq(ecs_doc_field(doc, "lastStatus"), "STOPPED");
    cleanup_free char *text = ecs_doc_text(doc, NULL);
    ck_assert_ptr_nonnull(strstr(text, reason));
    free(reason);
}
END_TEST

START_TEST(a_very_long_field_is_cut_between_characters)
{
    enum { LEN = 70001 };
    char *text = malloc(LEN + 1);
    text[0] = 'a';
    for (size_t i = 1; i < LEN; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[LEN] = 0;
    json_t *tree = json_pack("{s:s}", "stoppedReason", text);
    cleanup_doc struct ecs_doc *doc = ecs_doc_new(ecs_kinds[ECS_TASK], tree);
    json_decref(tree);
    free(text);
    ck_assert_ptr_nonnull(doc);
    ck_assert_uint_eq(strlen(ecs_doc_field(doc, "stoppedReason")), 1499);
}
END_TEST

START_TEST(damaged_bytes_are_no_text)
{
    struct ecs_buf packed;
    struct ecs_packing *packing;
    char text[4096];
    memset(text, 'a', sizeof(text));
    ck_assert_int_eq(ecs_pack(ECS_KINDS, text, sizeof(text), &packed, &packing), 0);
    ck_assert_uint_lt(packed.len, sizeof(text));
    char *again = ecs_unpack(packed.data, packed.len, sizeof(text), packing);
    ck_assert_mem_eq(again, text, sizeof(text));
    free(again);
    packed.data[0] ^= 0x55;
    ck_assert_ptr_null(ecs_unpack(packed.data, packed.len, sizeof(text), packing));
    ck_assert_ptr_null(ecs_unpack(packed.data, packed.len / 2, sizeof(text), packing));
    ecs_packing_unref(packing);
    ecs_buf_free(&packed);
}
END_TEST

static const struct {
    const char *json, *want;
} canons[] = {
    {"{}", "{}\n"},
    {"[]", "[]\n"},
    {"{'b':1,'a':[],'c':{}}", "{\n  \"a\": [],\n  \"b\": 1,\n  \"c\": {}\n}\n"},
    {"{'n':null,'t':true,'f':false}", "{\n  \"f\": false,\n  \"n\": null,\n  \"t\": true\n}\n"},
    {"[1,-2,3.5,1e100]", "[\n  1,\n  -2,\n  3.5,\n  1e100\n]\n"},
    {"{'s':'a\\\"b\\\\c\\n\\t\\u0001/\\u00e9'}", "{\n  \"s\": \"a\\\"b\\\\c\\n\\t\\u0001/\xc3\xa9\"\n}\n"},
    {"{'environment':[{'name':'B','value':'1'},{'name':'A','value':'2'}]}",
     "{\n  \"environment\": [\n    {\n      \"name\": \"A\",\n      \"value\": \"2\"\n    },\n    {\n      "
     "\"name\": \"B\",\n      \"value\": \"1\"\n    }\n  ]\n}\n"},
    /* The order of a command means something. */
    {"{'command':['z','a']}", "{\n  \"command\": [\n    \"z\",\n    \"a\"\n  ]\n}\n"},
    {"{'compatibilities':['FARGATE','EC2']}",
     "{\n  \"compatibilities\": [\n    \"EC2\",\n    \"FARGATE\"\n  ]\n}\n"},
    /* A set whose items have no name stays as it is. */
    {"{'tags':[{'key':'b'},{'x':1},{'key':'a'}]}", "{\n  \"tags\": [\n    {\n      \"key\": \"b\"\n    },\n  "
                                                   "  {\n      \"x\": 1\n    },\n    {\n      \"key\": "
                                                   "\"a\"\n    }\n  ]\n}\n"},
    {"{'createdAt':1700000000}", "{\n  \"createdAt\": \"2023-11-14T22:13:20Z\"\n}\n"},
    {"{'expirationDate':1700000000.25}", "{\n  \"expirationDate\": \"2023-11-14T22:13:20.250Z\"\n}\n"},
    {"{'LastModifiedTime':1700000000123}", "{\n  \"LastModifiedTime\": \"2023-11-14T22:13:20.123Z\"\n}\n"},
    /* Too small for a time, and a time under no such name. */
    {"{'SchedulingBufferTime':10}", "{\n  \"SchedulingBufferTime\": 10\n}\n"},
    {"{'version':1700000000}", "{\n  \"version\": 1700000000\n}\n"},
};

START_TEST(canonical_text)
{
    cleanup_free char *text = canonical(canons[_i].json);
    ck_assert_str_eq(text, canons[_i].want);
}
END_TEST

START_TEST(canonical_bounds)
{
    struct ecs_buf deep = ECS_BUF(1 << 20), small = ECS_BUF(10);
    json_t *tree = json_array(), *at = tree;
    for (int i = 0; i < 100; i++) {
        json_t *inner = json_array();
        json_array_append_new(at, inner);
        at = inner;
    }
    ck_assert_int_eq(ecs_canonical_write(&deep, tree), -EFBIG);
    json_decref(tree);
    tree = tree_of("{'a':'0123456789'}");
    ck_assert_int_eq(ecs_canonical_write(&small, tree), -EFBIG);
    json_decref(tree);
    ecs_buf_free(&deep);
    ecs_buf_free(&small);
}
END_TEST

START_TEST(many_members_are_sorted)
{
    json_t *tree = json_object();
    for (int i = 199; i >= 0; i--) {
        char key[8];
        snprintf(key, sizeof(key), "k%03d", i);
        json_object_set_new(tree, key, json_integer(i));
    }
    struct ecs_buf buf = ECS_BUF(1 << 20);
    ck_assert_int_eq(ecs_canonical_write(&buf, tree), 0);
    ck_assert_ptr_nonnull(strstr(buf.data, "\"k000\": 0,\n  \"k001\": 1,"));
    ck_assert_ptr_nonnull(strstr(buf.data, "\"k198\": 198,\n  \"k199\": 199\n}"));
    ecs_buf_free(&buf);
    json_decref(tree);
}
END_TEST

static const struct {
    const char *path, *want;
} paths[] = {
    {"a", "1"},      {"b.c", "2"},          {"d[0]", "3"},
    {"d[1].e", "4"}, {"d[name=x].e", "4"},  {"d[name=y].f.g[1]", "6"},
    {"d[7]", NULL},  {"d[name=z].e", NULL}, {"b.x", NULL},
    {"a.b", NULL},   {"n", NULL},           {"d[", NULL},
    {"d[]", NULL},   {"d[1", NULL},         {"d[=x]", NULL},
    {"d[1x]", NULL}, {".", NULL},           {"b..c", NULL},
};

START_TEST(field_paths)
{
    json_t *tree =
        tree_of("{'a':1,'b':{'c':2},'n':null,'d':[3,{'name':'x','e':4},{'name':'y','f':{'g':[5,6]}}]}");
    const json_t *value = ecs_field_at(tree, paths[_i].path, NULL);
    if (paths[_i].want) {
        ck_assert_ptr_nonnull(value);
        ck_assert_int_eq(json_integer_value(value), atoi(paths[_i].want));
    } else {
        ck_assert_ptr_null(value);
    }
    json_decref(tree);
}
END_TEST

/* Every row's paths are well-formed: each finds what stands at it in a document made for the purpose. */
START_TEST(rows_are_sound)
{
    const struct ecs_kind *kind = ecs_kinds[_i];
    ck_assert_ptr_nonnull(kind);
    ck_assert(kind->list.operation || kind->describe.operation);
    ck_assert_msg(!kind->list.describes || !kind->describe.operation, "%s", kind->name);
    if (!kind->list.describes && !kind->describe.operation) /* names, without documents */
        ck_assert_msg(!kind->list.item && !(kind->fields && kind->fields[0].name), "%s", kind->name);
    ck_assert(!kind->describe.operation || kind->describe.single || kind->describe.batch > 1);
    ck_assert(kind->describe.batch <= 100);
    ck_assert(!kind->list.inputs || kind->list.inputs[0]);
    for (size_t i = 0; kind->list.inputs && kind->list.inputs[i]; i++)
        json_decref(tree_of(kind->list.inputs[i]));
    if (kind->describe.input)
        json_decref(tree_of(kind->describe.input));
    size_t n = 0;
    for (; kind->fields && kind->fields[n].name; n++)
        for (size_t k = 0; k < n; k++)
            ck_assert_str_ne(kind->fields[n].name, kind->fields[k].name);
    ck_assert_uint_le(n, 40);
    if (kind->is_alias) {
        json_t *tree = tree_of("{'family':'web','revision':4}");
        cleanup_doc struct ecs_doc *doc = ecs_doc_new(kind, tree);
        json_decref(tree);
        ck_assert_str_eq(ecs_doc_field(doc, kind->alias_parent), "web");
        ck_assert_str_eq(ecs_doc_field(doc, kind->alias_id), "4");
    }
}
END_TEST

START_TEST(lists)
{
    const char *ids[] = {"b", "a", "b", "c", "a", ""};
    struct ecs_list *list = ecs_list_new(ids, 6),
                    *same = ecs_list_new((const char *[]){"b", "a", "c", ""}, 4);
    struct ecs_list *other = ecs_list_new((const char *[]){"a", "b", "c", ""}, 4),
                    *empty = ecs_list_new(NULL, 0);
    ck_assert_uint_eq(ecs_list_len(list), 4);
    ck_assert_str_eq(ecs_list_at(list, 0), "b");
    ck_assert_str_eq(ecs_list_at(list, 3), "");
    ck_assert_ptr_null(ecs_list_at(list, 4));
    ck_assert_int_eq(ecs_list_find(list, "c"), 2);
    ck_assert_int_eq(ecs_list_find(list, "d"), -1);
    ck_assert(ecs_list_has(list, "a"));
    ck_assert_uint_eq(ecs_list_hash(list), ecs_list_hash(same));
    ck_assert_uint_ne(ecs_list_hash(list), ecs_list_hash(other));
    ck_assert_uint_eq(ecs_list_len(empty), 0);
    ck_assert(!ecs_list_has(empty, ""));
    ecs_list_free(list);
    ecs_list_free(same);
    ecs_list_free(other);
    ecs_list_free(empty);
}
END_TEST

START_TEST(a_long_list)
{
    enum { N = 20000 };
    char(*text)[16] = calloc(N, 16);
    const char **ids = calloc(N, sizeof(*ids));
    for (int i = 0; i < N; i++) {
        snprintf(text[i], 16, "id-%d", i);
        ids[i] = text[i];
    }
    struct ecs_list *list = ecs_list_new(ids, N);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(ecs_list_find(list, ids[i]), i);
    ck_assert(!ecs_list_has(list, "id-20000"));
    ecs_list_free(list);
    free(ids);
    free(text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: documents");
    TCase *tests = tcase_create("documents");
    tcase_add_test(tests, fields_of_a_service);
    tcase_add_test(tests, text_and_tree_of_a_document);
    tcase_add_test(tests, hash_is_of_content);
    tcase_add_test(tests, texts_survive_the_learning_of_a_dictionary);
    tcase_add_test(tests, any_thread_may_make_documents);
    tcase_add_test(tests, a_long_field_is_cut_its_text_is_whole);
    tcase_add_test(tests, a_very_long_field_is_cut_between_characters);
    tcase_add_test(tests, damaged_bytes_are_no_text);
    tcase_add_loop_test(tests, canonical_text, 0, ARRAY_LEN(canons));
    tcase_add_test(tests, canonical_bounds);
    tcase_add_test(tests, many_members_are_sorted);
    tcase_add_loop_test(tests, field_paths, 0, ARRAY_LEN(paths));
    tcase_add_loop_test(tests, rows_are_sound, 0, ECS_KINDS);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, a_long_list);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
