/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

START_TEST(the_system_clock_goes)
{
    const struct ecs_clock *clock = &ecs_system_clock;
    int64_t before = clock->now_ms(clock), wall = clock->wall_ms(clock);
    nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
    ck_assert_int_gt(before, 0);
    ck_assert_int_ge(clock->now_ms(clock) - before, 5);
    ck_assert_int_le(wall - (int64_t)time(NULL) * 1000, 1000);
    ck_assert_int_ge(wall - (int64_t)time(NULL) * 1000, -2000);
}
END_TEST

START_TEST(the_manual_clock_waits)
{
    struct ecs_manual_clock manual;
    ecs_manual_clock_init(&manual, 1000, 1700000000000);
    const struct ecs_clock *clock = &manual.clock;
    ck_assert_int_eq(clock->now_ms(clock), 1000);
    ecs_manual_clock_step(&manual, 250);
    ck_assert_int_eq(clock->now_ms(clock), 1250);
    ck_assert_int_eq(clock->wall_ms(clock), 1700000000250);
}
END_TEST

static const struct {
    int64_t wall_ms;
    const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00Z"},
    {1, "1970-01-01T00:00:00.001Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {-1000, "1969-12-31T23:59:59Z"},
    {1795458000000, "2026-11-23T18:20:00Z"},
    {1709164800123, "2024-02-29T00:00:00.123Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
};

START_TEST(formats_and_parses)
{
    char text[ECS_TIME_TEXT];
    int64_t parsed = 0;
    ck_assert_str_eq(ecs_time_format(times[_i].wall_ms, text), times[_i].text);
    ck_assert_int_eq(ecs_time_parse(text, &parsed), 0);
    ck_assert_int_eq(parsed, times[_i].wall_ms);
}
END_TEST

/* Far ends of the type fit the buffer. */
START_TEST(formats_anything)
{
    char text[ECS_TIME_TEXT];
    ck_assert_ptr_eq(ecs_time_format(INT64_MAX, text), text);
    ck_assert_ptr_eq(ecs_time_format(INT64_MIN, text), text);
}
END_TEST

static const char *const not_times[] = {
    "",
    "Z",
    "2026-11-23",
    "2026-11-23T18:20:00",
    "2026-11-23T18:20:00+01:00",
    "2026-11-23T18:20:00Zx",
    "2026-11-23 18:20:00Z",
    " 2026-11-23T18:20:00Z",
    "2026-11-23T18:20Z",
    "2026-1-2T3:4:5Z",
    "2026-11-23T 8:20:00Z",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T18:60:00Z",
    "2026-11-23T18:20:60Z",
    "2026-11-23T18:20:00.Z",
    "2026-11-23T18:20:00.1Z",
    "2026-11-23T18:20:00.1234Z",
    "2026-11-23T18:20:00.-12Z",
    "2026-11-23T18:20:00.+12Z",
    "2026-11-23T18:20:00. 12Z",
};

START_TEST(refuses_what_is_no_time)
{
    int64_t parsed = 42;
    ck_assert_msg(ecs_time_parse(not_times[_i], &parsed) == -EINVAL, "taken: %s", not_times[_i]);
    ck_assert_int_eq(parsed, 42);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *clock = tcase_create("clock"), *text = tcase_create("text");
    tcase_add_test(clock, the_system_clock_goes);
    tcase_add_test(clock, the_manual_clock_waits);
    tcase_add_loop_test(text, formats_and_parses, 0, (int)ARRAY_LEN(times));
    tcase_add_test(text, formats_anything);
    tcase_add_loop_test(text, refuses_what_is_no_time, 0, (int)ARRAY_LEN(not_times));
    suite_add_tcase(suite, clock);
    suite_add_tcase(suite, text);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
