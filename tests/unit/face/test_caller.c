/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "face/caller.h"

static bool makes_name(long number)
{
    char line[128];
    snprintf(line, sizeof(line), "%ld 0xffffff9c 0x7ffe0 0x1ff 0x0 0x0 0x0 0x7ffd8 0x7f1f7\n", number);
    return caller_syscall_makes_name(line);
}

START_TEST(calls_that_make_a_name_are_known)
{
    ck_assert(makes_name(SYS_mkdirat));
    ck_assert(makes_name(SYS_symlinkat));
#ifdef SYS_mkdir
    ck_assert(makes_name(SYS_mkdir));
#endif
    ck_assert(!makes_name(SYS_openat));
    ck_assert(!makes_name(SYS_newfstatat));
    ck_assert(!makes_name(-1));
    ck_assert(!caller_syscall_makes_name("running\n"));
    ck_assert(!caller_syscall_makes_name(""));
    ck_assert(!caller_makes_name(getpid())); /* it is running */
    ck_assert(!caller_makes_name(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("caller");
    TCase *tcase = tcase_create("caller");
    tcase_add_test(tcase, calls_that_make_a_name_are_known);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
