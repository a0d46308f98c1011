/* SPDX-License-Identifier: Apache-2.0 */
/* Directories: found, made, and kept out of the mount. */
#include "command/places.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"

static char dir[64], why[512];

static void set_up(void)
{
    strcpy(dir, "/tmp/ecsfs-places.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
    unsetenv("STATE_DIRECTORY");
    unsetenv("CACHE_DIRECTORY");
    unsetenv("XDG_STATE_HOME");
    unsetenv("XDG_CACHE_HOME");
}

static void take_down(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf --one-file-system '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(mountpoints)
{
    cleanup_free char *path = NULL;
    ck_assert_int_eq(mkdir("m", 0700), 0);
    ck_assert_int_eq(symlink("m", "l"), 0);
    ck_assert_int_eq(places_mountpoint("l", &path, why, sizeof(why)), 0);
    ck_assert_ptr_nonnull(strstr(path, "/m"));
    ck_assert_int_eq(places_mountpoint("absent", &path, why, sizeof(why)), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why, "does not exist"));
    ck_assert_int_eq(places_mountpoint("/etc/passwd", &path, why, sizeof(why)), -ENOTDIR);
    ck_assert_ptr_nonnull(strstr(why, "is not a directory"));
}
END_TEST

static void state_is(const char *wanted)
{
    struct stat st;
    cleanup_free char *path = NULL;
    ck_assert_msg(places_state_dir(&path, why, sizeof(why)) == 0, "%s", why);
    ck_assert_str_eq(path, wanted);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
}

START_TEST(state_dirs)
{
    char path[128], wanted[160];
    setenv("HOME", dir, 1);
    snprintf(wanted, sizeof(wanted), "%s/.local/state/ecsfs", dir);
    state_is(wanted);
    snprintf(path, sizeof(path), "%s/xdg", dir);
    setenv("XDG_STATE_HOME", path, 1);
    snprintf(wanted, sizeof(wanted), "%s/ecsfs", path);
    state_is(wanted);
    snprintf(path, sizeof(path), "%s/systemd", dir);
    setenv("STATE_DIRECTORY", path, 1);
    state_is(path);
    setenv("XDG_STATE_HOME", "relative", 1); /* the XDG specification says to ignore it */
    unsetenv("STATE_DIRECTORY");
    snprintf(wanted, sizeof(wanted), "%s/.local/state/ecsfs", dir);
    state_is(wanted);
    unsetenv("HOME"); /* as mount(8) at boot: the user's entry tells */
    cleanup_free char *of_passwd = NULL;
    setenv("XDG_CACHE_HOME", dir, 1);
    ck_assert_int_eq(places_cache_dir(&of_passwd, why, sizeof(why)), 0);
}
END_TEST

START_TEST(bad_dirs)
{
    ck_assert_int_eq(places_make_dir("/etc/passwd", why, sizeof(why)), -ENOTDIR);
    ck_assert_int_eq(places_make_dir("/etc/passwd/x", why, sizeof(why)), -ENOTDIR);
    ck_assert_int_eq(places_make_dir("/proc/none/x", why, sizeof(why)), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why, "/proc/none/x: "));
}
END_TEST

START_TEST(never_inside)
{
    char mnt[128], path[256];
    snprintf(mnt, sizeof(mnt), "%s/mnt", dir);
    ck_assert_int_eq(mkdir("mnt", 0700), 0);
    ck_assert_int_eq(mkdir("mnt2", 0700), 0);
    ck_assert_int_eq(symlink("mnt", "link"), 0);
    snprintf(path, sizeof(path), "%s/state.db", mnt);
    ck_assert_int_eq(places_outside(mnt, path, "it", why, sizeof(why)), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "below the mountpoint"));
    ck_assert_int_eq(places_outside(mnt, mnt, "it", why, sizeof(why)), -EINVAL);
    snprintf(path, sizeof(path), "%s/link/state.db", dir);
    ck_assert_int_eq(places_outside(mnt, path, "it", why, sizeof(why)), -EINVAL);
    snprintf(path, sizeof(path), "%s/mnt2/state.db", dir); /* a prefix only as text */
    ck_assert_int_eq(places_outside(mnt, path, "it", why, sizeof(why)), 0);
    ck_assert_int_eq(places_outside(mnt, dir, "it", why, sizeof(why)), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("places");
    TCase *tests = tcase_create("places");
    tcase_add_checked_fixture(tests, set_up, take_down);
    tcase_add_test(tests, mountpoints);
    tcase_add_test(tests, state_dirs);
    tcase_add_test(tests, bad_dirs);
    tcase_add_test(tests, never_inside);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
