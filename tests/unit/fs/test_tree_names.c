/* SPDX-License-Identifier: Apache-2.0 */
/* Names of AWS in directories, and back. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree/names.h"

static bool taken(const void *arg, const char *name)
{
    return strcmp(name, arg) == 0;
}

static const struct {
    const char *id, *suffix, *name;
} pairs[] = {
    {"web", NULL, "web"},
    {"12", ".json", "12.json"},
    {"a/b", NULL, "a%2Fb"},
    {".", NULL, "%2E"},
    {"..", NULL, "%2E%2E"},
    {"...", NULL, "..."},
    {".hidden", NULL, ".hidden"},
    {"100%", NULL, "100%25"},
    {"%2F", NULL, "%252F"},
    {"line\nbreak", NULL, "line%0Abreak"},
    {"\x1b[31m", NULL, "%1B[31m"},
    {"\x7f", NULL, "%7F"},
    {"caf\xc3\xa9", NULL, "caf\xc3\xa9"},
    {"\xe4\xb8\x96", NULL, "\xe4\xb8\x96"},
    {"\xc2\x9b", NULL, "%C2%9B"},        /* a C1 control */
    {"\xff", NULL, "%FF"},               /* no UTF-8 */
    {"\xc0\xaf", NULL, "%C0%AF"},        /* an overlong slash */
    {"\xed\xa0\x80", NULL, "%ED%A0%80"}, /* a surrogate */
    {"\xf4\x90\x80\x80", NULL, "%F4%90%80%80"},
    {"\xc3", NULL, "%C3"}, /* cut short */
    {"", NULL, "%"},
    {"images", NULL, "%69mages"}, /* an entry of ours */
    {"a b", NULL, "a b"},
    {"..", ".json", "%2E%2E.json"},
};

START_TEST(names_are_encoded_and_decoded)
{
    cleanup_free char *name = fs_name_encode(pairs[_i].id, pairs[_i].suffix, taken, "images");
    ck_assert_str_eq(name, pairs[_i].name);
    cleanup_free char *id = NULL;
    ck_assert_int_eq(fs_name_decode(name, pairs[_i].suffix, taken, "images", &id), 0);
    ck_assert_str_eq(id, pairs[_i].id);
}
END_TEST

/* One thing has one name. */
static const char *const others[] = {
    "%2f", "%77eb", "a%2", "a%",   "%00", "%2E.",   "images", "%zz",  ".",   "..",
    "a/b", "\x1b",  "%%",  "web%", "%6",  "%C3%A9", "a\nb",   "\xff", "%20",
};

START_TEST(no_other_spelling_means_it)
{
    cleanup_free char *id = NULL;
    ck_assert_int_eq(fs_name_decode(others[_i], NULL, taken, "images", &id), -ENOENT);
    ck_assert_ptr_null(id);
}
END_TEST

START_TEST(suffixes_are_needed)
{
    cleanup_free char *id = NULL;
    ck_assert_int_eq(fs_name_decode("12", ".json", NULL, NULL, &id), -ENOENT);
    ck_assert_int_eq(fs_name_decode(".json", ".json", NULL, NULL, &id), -ENOENT);
    ck_assert_int_eq(fs_name_decode("12.jsonx", ".json", NULL, NULL, &id), -ENOENT);
}
END_TEST

START_TEST(long_names_are_cut_and_told_apart)
{
    char a[600], b[600];
    for (size_t len = 250; len < sizeof(a) - 1; len += 7) {
        memset(a, 'x', len);
        a[len] = '\0';
        memcpy(b, a, len + 1);
        b[len - 1] = 'y';
        cleanup_free char *name = fs_name_encode(a, NULL, NULL, NULL),
                          *other = fs_name_encode(b, NULL, NULL, NULL);
        cleanup_free char *id = NULL;
        ck_assert_uint_le(strlen(name), FS_NAME_MAX);
        ck_assert_str_ne(name, other);
        if (len > FS_NAME_MAX) {
            ck_assert_uint_eq(strlen(name), 180 + 2 + 16);
            ck_assert_int_eq(strncmp(name + 180, "%~", 2), 0);
            ck_assert_int_eq(fs_name_decode(name, NULL, NULL, NULL, &id), -E2BIG);
        } else {
            ck_assert_int_eq(fs_name_decode(name, NULL, NULL, NULL, &id), 0);
            ck_assert_str_eq(id, a);
        }
    }
}
END_TEST

/* The cut never falls into a character or an escape. */
START_TEST(long_names_are_cut_between_characters)
{
    char slashes[300], accents[601];
    memset(slashes, '/', sizeof(slashes) - 1);
    slashes[sizeof(slashes) - 1] = '\0';
    for (size_t i = 0; i < 600; i += 2)
        memcpy(accents + i, "\xc3\xa9", 2);
    accents[600] = '\0';
    cleanup_free char *name = fs_name_encode(slashes, NULL, NULL, NULL);
    ck_assert_int_eq(strncmp(name + 180 - 3, "%2F%~", 5), 0);
    cleanup_free char *odd = fs_name_encode(accents + 0, NULL, NULL, NULL);
    ck_assert_int_eq(strncmp(odd + 178, "\xc3\xa9%~", 4), 0);
    char shifted[602] = "x";
    memcpy(shifted + 1, accents, 601);
    cleanup_free char *even = fs_name_encode(shifted, NULL, NULL, NULL);
    ck_assert_int_eq(strncmp(even + 177, "\xc3\xa9%~", 4), 0);
}
END_TEST

/* Every byte, alone and between others, comes back. */
START_TEST(every_byte_comes_back)
{
    for (int byte = 1; byte < 256; byte++) {
        char id[4] = {'a', (char)byte, 'b', '\0'};
        cleanup_free char *name = fs_name_encode(id, ".json", NULL, NULL);
        ck_assert_ptr_null(strchr(name, '/'));
        cleanup_free char *back = NULL;
        ck_assert_int_eq(fs_name_decode(name, ".json", NULL, NULL, &back), 0);
        ck_assert_str_eq(back, id);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tree_names");
    TCase *tests = tcase_create("names");
    tcase_add_loop_test(tests, names_are_encoded_and_decoded, 0, ARRAY_LEN(pairs));
    tcase_add_loop_test(tests, no_other_spelling_means_it, 0, ARRAY_LEN(others));
    tcase_add_test(tests, suffixes_are_needed);
    tcase_add_test(tests, long_names_are_cut_and_told_apart);
    tcase_add_test(tests, long_names_are_cut_between_characters);
    tcase_add_test(tests, every_byte_comes_back);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
