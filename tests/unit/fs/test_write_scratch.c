/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch files' bytes and bounds; the memory of refused texts. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "staging/rejected.h"
#include "staging/scratch.h"

START_TEST(writes_reads_and_cuts)
{
    struct fs_scratch_pool pool = {0};
    struct fs_scratch file;
    const char *data;
    size_t len;
    ck_assert_int_eq(fs_scratch_init(&file, &pool, NULL), 0);
    ck_assert_int_eq(fs_scratch_write(&file, "hello", 5, 0), 0);
    ck_assert_int_eq(fs_scratch_write(&file, "x", 1, 7), 0);
    fs_scratch_read(&file, 100, 0, &data, &len);
    ck_assert_uint_eq(len, 8);
    ck_assert_mem_eq(data, "hello\0\0x", 8);
    fs_scratch_read(&file, 2, 3, &data, &len);
    ck_assert_uint_eq(len, 2);
    ck_assert_mem_eq(data, "lo", 2);
    fs_scratch_read(&file, 2, 8, &data, &len);
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(fs_scratch_truncate(&file, 2), 0);
    ck_assert_uint_eq(pool.bytes, 2);
    ck_assert_int_eq(fs_scratch_truncate(&file, 4), 0);
    fs_scratch_read(&file, 100, 0, &data, &len);
    ck_assert_mem_eq(data, "he\0\0", 4);
    fs_scratch_free(&file);
    ck_assert_uint_eq(pool.bytes, 0);
    ck_assert_uint_eq(pool.files, 0);
}
END_TEST

START_TEST(bounded_by_file_and_mount)
{
    struct fs_scratch_pool pool = {0};
    struct fs_scratch files[5];
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(fs_scratch_init(&files[i], &pool, NULL), 0);
    ck_assert_int_eq(fs_scratch_write(&files[0], "xy", 2, FS_SCRATCH_FILE_MAX - 1), -ENOSPC);
    ck_assert_int_eq(fs_scratch_write(&files[0], "x", 1, UINT64_MAX), -ENOSPC);
    ck_assert_int_eq(fs_scratch_truncate(&files[0], FS_SCRATCH_FILE_MAX + 1), -ENOSPC);
    ck_assert_uint_eq(pool.bytes, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(fs_scratch_truncate(&files[i], FS_SCRATCH_FILE_MAX), 0);
    ck_assert_int_eq(fs_scratch_write(&files[4], "x", 1, 0), -ENOSPC);
    ck_assert_int_eq(fs_scratch_write(&files[0], "x", 1, 5), 0); /* in place costs nothing */
    ck_assert_int_eq(fs_scratch_truncate(&files[0], 0), 0);
    ck_assert_int_eq(fs_scratch_write(&files[4], "x", 1, 0), 0);
    for (int i = 0; i < 5; i++)
        fs_scratch_free(&files[i]);
    ck_assert_uint_eq(pool.bytes, 0);
}
END_TEST

START_TEST(bounded_in_number)
{
    struct fs_scratch_pool pool = {0};
    static struct fs_scratch files[FS_SCRATCH_FILES];
    struct fs_scratch more;
    for (int i = 0; i < FS_SCRATCH_FILES; i++)
        ck_assert_int_eq(fs_scratch_init(&files[i], &pool, i % 2 ? "target" : NULL), 0);
    ck_assert_int_eq(fs_scratch_init(&more, &pool, NULL), -ENOSPC);
    for (int i = 0; i < FS_SCRATCH_FILES; i++)
        fs_scratch_free(&files[i]);
    ck_assert_int_eq(fs_scratch_init(&more, &pool, NULL), 0);
    fs_scratch_free(&more);
}
END_TEST

static const struct {
    const char *name;
    int scratch;
} names[] = {
    {".team.swp", 1}, {".team.swx", 1},    {"4913", 1}, {"team~", 1},       {"#team#", 1},      {".#team", 1},
    {"sedAbC123", 1}, {".team.a1B2c3", 1}, {"team", 0}, {"cost-center", 0}, {"aws:created", 0}, {"49131", 0},
};

START_TEST(editors_own_names)
{
    ck_assert_msg(fs_scratch_name(names[_i].name) == names[_i].scratch, "%s", names[_i].name);
}
END_TEST

/* ---- refused texts ---- */

static struct fs_rejected rejected;

static bool add(uint64_t ino, const char *text, int err, bool open, int64_t now)
{
    cleanup_error struct ecs_error *error = ecs_error_new(err, "ClientException", "no: %s", text);
    struct fs_rejection rejection = {.ino = ino,
                                     .label = "web-latest.json",
                                     .text = text,
                                     .len = strlen(text),
                                     .error = error,
                                     .remember = err == -EINVAL,
                                     .open = open,
                                     .now_ms = now,
                                     .wall_ms = 1790000000000 + now};
    return fs_rejected_add(&rejected, &rejection);
}

static const struct ecs_error *find(uint64_t ino, const char *text, int64_t now)
{
    return fs_rejected_find(&rejected, ino, text, strlen(text), now);
}

START_TEST(remembered_while_open_and_five_seconds)
{
    rejected = (struct fs_rejected){0};
    ck_assert(add(7, "bad", -EINVAL, true, 1000));
    ck_assert_ptr_nonnull(find(7, "bad", 1000000));
    ck_assert_ptr_null(find(8, "bad", 1000));
    ck_assert_ptr_null(find(7, "bad ", 1000));
    fs_rejected_closed(&rejected, 8, 2000);
    ck_assert_ptr_nonnull(find(7, "bad", 1000000));
    fs_rejected_closed(&rejected, 7, 2000);
    ck_assert_ptr_nonnull(find(7, "bad", 6999));
    ck_assert_ptr_null(find(7, "bad", 7000));
    ck_assert(!add(7, "bad", -EINVAL, false, 8000)); /* renewed, not kept twice */
    ck_assert_uint_eq(rejected.len, 1);
    ck_assert_ptr_nonnull(find(7, "bad", 12999));
    fs_rejected_free(&rejected);
}
END_TEST

START_TEST(only_verdicts_are_remembered)
{
    rejected = (struct fs_rejected){0};
    ck_assert(add(7, "bad", -EACCES, true, 1000));
    ck_assert_ptr_null(find(7, "bad", 1000));
    ck_assert_uint_eq(rejected.len, 1); /* but the text is kept */
    fs_rejected_free(&rejected);
}
END_TEST

START_TEST(keeps_the_newest)
{
    rejected = (struct fs_rejected){0};
    char text[32];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        ck_assert(add(7, text, -EINVAL, false, 0));
    }
    ck_assert_uint_eq(rejected.len, FS_REJECTED_KEPT);
    ck_assert_str_eq(rejected.texts[0]->text, "text 36");
    ck_assert_str_eq(rejected.texts[63]->text, "text 99");
    for (size_t i = 0; i < rejected.len; i++) /* names differ, though the second is the same */
        ck_assert_ptr_eq(fs_rejected_named(&rejected, rejected.texts[i]->name), rejected.texts[i]);
    fs_rejected_free(&rejected);
    ck_assert_uint_eq(rejected.bytes, 0);
}
END_TEST

START_TEST(bounded_in_bytes)
{
    rejected = (struct fs_rejected){0};
    static char text[(4 << 20) + 1];
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 20; i++) {
        text[0] = (char)('a' + i);
        ck_assert(add(7, text, -EINVAL, false, 0));
        ck_assert_uint_le(rejected.bytes, FS_REJECTED_BYTES);
    }
    ck_assert_uint_eq(rejected.len, 8);
    ck_assert_int_eq(rejected.texts[7]->text[0], 'a' + 19);
    fs_rejected_free(&rejected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scratch");
    TCase *tcase = tcase_create("scratch");
    tcase_set_timeout(tcase, 60); /* thousands of files, on a machine that may be busy */
    tcase_add_test(tcase, writes_reads_and_cuts);
    tcase_add_test(tcase, bounded_by_file_and_mount);
    tcase_add_test(tcase, bounded_in_number);
    tcase_add_loop_test(tcase, editors_own_names, 0, (int)ARRAY_LEN(names));
    tcase_add_test(tcase, remembered_while_open_and_five_seconds);
    tcase_add_test(tcase, only_verdicts_are_remembered);
    tcase_add_test(tcase, keeps_the_newest);
    tcase_add_test(tcase, bounded_in_bytes);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
