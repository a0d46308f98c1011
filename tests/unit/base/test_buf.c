/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

START_TEST(starts_empty)
{
    struct ecs_buf buf = ECS_BUF(10);
    ck_assert_ptr_null(buf.data);
    ck_assert_uint_eq(buf.len, 0);
    ecs_buf_free(&buf);
    cleanup_free char *text = ecs_buf_steal(&buf, NULL);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(grows_by_adding)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(100000);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(ecs_buf_addf(&buf, "%d,", i % 10), 0);
    ck_assert_uint_eq(buf.len, 20000);
    ck_assert_uint_eq(strlen(buf.data), 20000);
    ck_assert_mem_eq(buf.data + 19980, "0,1,2,3,4,5,6,7,8,9,", 20);
    ck_assert_int_eq(ecs_buf_adds(&buf, ""), 0);
    ck_assert_int_eq(ecs_buf_add(&buf, "a\0b", 3), 0);
    ck_assert_uint_eq(buf.len, 20003);
    ck_assert_mem_eq(buf.data + 20000, "a\0b", 4);
}
END_TEST

/* The largest length is reached but not passed, by each way of adding. */
START_TEST(holds_its_bound)
{
    static const char text[] = "0123456789";
    cleanup_buf struct ecs_buf exact = ECS_BUF(10), over = ECS_BUF(9), printed = ECS_BUF(9);
    ck_assert_int_eq(ecs_buf_add(&exact, text, 10), 0);
    ck_assert_str_eq(exact.data, text);
    ck_assert_int_eq(ecs_buf_adds(&exact, "x"), -EFBIG);
    ck_assert_str_eq(exact.data, text);
    ck_assert_int_eq(ecs_buf_adds(&over, text), -EFBIG);
    ck_assert_int_eq(ecs_buf_addf(&printed, "%s", text), -EFBIG);
    ck_assert_int_eq(printed.failed, -EFBIG);
    ck_assert_uint_eq(printed.len, 0);
}
END_TEST

START_TEST(failure_is_sticky)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(4);
    ecs_buf_adds(&buf, "abc");
    ck_assert_int_eq(ecs_buf_adds(&buf, "defgh"), -EFBIG);
    ck_assert_int_eq(ecs_buf_adds(&buf, "d"), -EFBIG);
    ck_assert_int_eq(ecs_buf_addf(&buf, "%d", 4), -EFBIG);
    ck_assert_int_eq(ecs_buf_put(&buf, 0, "x", 1), -EFBIG);
    ck_assert_int_eq(buf.failed, -EFBIG);
    ck_assert_str_eq(buf.data, "abc");
    ecs_buf_free(&buf);
    ck_assert_int_eq(ecs_buf_adds(&buf, "d"), 0);
}
END_TEST

START_TEST(puts_anywhere)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(20);
    ck_assert_int_eq(ecs_buf_put(&buf, 2, "cd", 2), 0);
    ck_assert_uint_eq(buf.len, 4);
    ck_assert_mem_eq(buf.data, "\0\0cd", 5);
    ck_assert_int_eq(ecs_buf_put(&buf, 0, "ab", 2), 0);
    ck_assert_str_eq(buf.data, "abcd");
    ck_assert_int_eq(ecs_buf_put(&buf, 3, "DE", 2), 0);
    ck_assert_str_eq(buf.data, "abcDE");
    ck_assert_int_eq(ecs_buf_put(&buf, 20, "", 0), 0);
    ck_assert_uint_eq(buf.len, 20);
    ck_assert_int_eq(ecs_buf_put(&buf, 20, "x", 1), -EFBIG);
}
END_TEST

START_TEST(refuses_overflow)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(20);
    ecs_buf_adds(&buf, "kept");
    ck_assert_int_eq(ecs_buf_put(&buf, SIZE_MAX - 1, "abc", 3), -EFBIG);
    ck_assert_str_eq(buf.data, "kept");
}
END_TEST

START_TEST(truncates)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(8);
    ck_assert_int_eq(ecs_buf_truncate(&buf, 0), 0);
    ecs_buf_adds(&buf, "abcdef");
    ck_assert_int_eq(ecs_buf_truncate(&buf, 3), 0);
    ck_assert_str_eq(buf.data, "abc");
    ck_assert_int_eq(ecs_buf_truncate(&buf, 6), 0);
    ck_assert_uint_eq(buf.len, 6);
    ck_assert_mem_eq(buf.data, "abc\0\0\0", 7); /* what was cut does not come back */
    ck_assert_int_eq(ecs_buf_truncate(&buf, 9), -EFBIG);
    ck_assert_uint_eq(buf.len, 6);
}
END_TEST

START_TEST(steals)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(8);
    size_t len = 99;
    ecs_buf_adds(&buf, "abc");
    cleanup_free char *first = ecs_buf_steal(&buf, &len);
    ck_assert_str_eq(first, "abc");
    ck_assert_uint_eq(len, 3);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert_ptr_null(buf.data);
    ck_assert_int_eq(ecs_buf_adds(&buf, "12345678"), 0); /* its bound is still there */
    ck_assert_int_eq(ecs_buf_adds(&buf, "9"), -EFBIG);
    ck_assert_ptr_null(ecs_buf_steal(&buf, &len)); /* nobody takes what was cut for the whole */
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(ecs_buf_adds(&buf, "abc"), 0);
    cleanup_free char *again = ecs_buf_steal(&buf, NULL);
    ck_assert_str_eq(again, "abc");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *buf = tcase_create("buf");
    tcase_add_test(buf, starts_empty);
    tcase_add_test(buf, grows_by_adding);
    tcase_add_test(buf, holds_its_bound);
    tcase_add_test(buf, failure_is_sticky);
    tcase_add_test(buf, puts_anywhere);
    tcase_add_test(buf, refuses_overflow);
    tcase_add_test(buf, truncates);
    tcase_add_test(buf, steals);
    suite_add_tcase(suite, buf);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
