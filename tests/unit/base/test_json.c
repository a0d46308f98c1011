/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/json.h"

/* The linker sends our own reallocs here (see meson.build), json_set_alloc_funcs jansson's mallocs. */
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);

static long left = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    if (left < 0 || left-- > 0)
        return false;
    left = -1;
    return true;
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

static void *jansson_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static json_t *make_tree(void)
{
    json_t *tree = json_object(), *list = json_array();
    char name[32], value[300];
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "a \"member\" %d", i);
        json_object_set_new(tree, name, json_string(value + i));
        json_array_append_new(list, json_pack("{s:i, s:n}", name, i, "b"));
    }
    json_object_set_new(tree, "list", list);
    return tree;
}

/* Whichever allocation fails: the whole text, or none. */
START_TEST(whole_or_none)
{
    static const size_t flags[] = {JSON_COMPACT, JSON_INDENT(2) | JSON_SORT_KEYS};
    json_t *tree = make_tree();
    for (size_t f = 0; f < ARRAY_LEN(flags); f++) {
        cleanup_free char *whole = ecs_json_text(tree, flags[f]);
        json_t *again = json_loads(whole, JSON_REJECT_DUPLICATES, NULL);
        ck_assert(json_equal(again, tree));
        json_decref(again);
        int none = 0;
        json_set_alloc_funcs(jansson_malloc, free);
        for (long n = 0;; n++) {
            left = n;
            cleanup_free char *text = ecs_json_text(tree, flags[f]);
            bool failed = left < 0;
            left = -1;
            if (text)
                ck_assert_str_eq(text, whole);
            else
                none++;
            if (!failed)
                break;
        }
        json_set_alloc_funcs(malloc, free);
        ck_assert_int_gt(none, 5);
    }
    json_decref(tree);
}
END_TEST

START_TEST(bounded)
{
    json_t *tree = make_tree();
    cleanup_buf struct ecs_buf buf = ECS_BUF(1000);
    ck_assert_int_eq(ecs_json_add(&buf, tree, JSON_COMPACT), -EFBIG);
    cleanup_buf struct ecs_buf none = ECS_BUF(1000);
    ck_assert_int_eq(ecs_json_add(&none, NULL, JSON_COMPACT), -ENOMEM);
    ck_assert_ptr_null(ecs_json_text(NULL, 0));
    json_decref(tree);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *cases = tcase_create("text");
    tcase_add_test(cases, whole_or_none);
    tcase_add_test(cases, bounded);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
