/* SPDX-License-Identifier: Apache-2.0 */
/* Layers on disk: only whole ones, no more than the bound, the longest unread go first. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images/layer_cache.h"

static char folder[] = "/tmp/ecsfs-layers.XXXXXX", inside[64];
static struct fs_layer_cache *cache;

static void set_up(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(inside, sizeof(inside), "%s/layers", folder);
    cache = fs_layer_cache_new(inside, 1000);
    ck_assert_ptr_nonnull(cache);
}

static void tear_down(void)
{
    char command[128];
    fs_layer_cache_free(cache);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *digest_of(int n)
{
    static char digest[4][80];
    snprintf(digest[n % 4], 80, "sha256:%064x", n);
    return digest[n % 4];
}

static void bring(int n, size_t size)
{
    char bytes[1000];
    memset(bytes, 'a' + n, sizeof(bytes));
    struct fs_layer_writer *writer = fs_layer_cache_begin(cache, digest_of(n), size);
    ck_assert_ptr_nonnull(writer);
    fs_layer_writer_add(writer, bytes, size / 2);
    fs_layer_writer_add(writer, bytes, size - size / 2);
    fs_layer_writer_keep(writer);
}

static bool is_there(int n, size_t size)
{
    char byte;
    int fd = fs_layer_cache_open(cache, digest_of(n), size);
    if (fd < 0) {
        ck_assert_int_eq(fd, -ENOENT);
        return false;
    }
    ck_assert_int_eq(pread(fd, &byte, 1, (off_t)size - 1), 1);
    ck_assert_int_eq(byte, 'a' + n);
    close(fd);
    return true;
}

/* The clock of files is coarse. */
static void read_at(int n, time_t when)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", inside, digest_of(n) + 7);
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int files(void)
{
    char command[160], text[16] = "";
    snprintf(command, sizeof(command), "ls %s | wc -l", inside);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), pipe));
    pclose(pipe);
    return atoi(text);
}

START_TEST(what_came_whole_is_kept)
{
    struct stat st;
    ck_assert(!is_there(1, 300));
    bring(1, 300);
    ck_assert(is_there(1, 300));
    ck_assert_int_eq(stat(inside, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0700);
    /* by another mount too */
    struct fs_layer_cache *other = fs_layer_cache_new(inside, 1000);
    int fd = fs_layer_cache_open(other, digest_of(1), UINT64_MAX);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    close(fd);
    fs_layer_cache_free(other);
    /* what has another length is not it, and goes */
    ck_assert(!is_there(1, 299));
    ck_assert(!is_there(1, 300));
}
END_TEST

START_TEST(what_did_not_is_not)
{
    struct fs_layer_writer *writer = fs_layer_cache_begin(cache, digest_of(1), 300);
    fs_layer_writer_add(writer, "abc", 3);
    fs_layer_writer_keep(writer); /* too short */
    writer = fs_layer_cache_begin(cache, digest_of(2), 3);
    fs_layer_writer_add(writer, "abc", 3);
    fs_layer_writer_free(writer); /* it hashed to something else */
    ck_assert(!is_there(1, 300) && !is_there(2, 3));
    ck_assert_int_eq(files(), 0);
    ck_assert_ptr_null(fs_layer_cache_begin(cache, digest_of(3), 1001)); /* larger than all */
    ck_assert_ptr_null(fs_layer_cache_begin(cache, "sha256:../../etc/passwd", 3));
    ck_assert_int_eq(fs_layer_cache_open(cache, "sha512:00", 3), -ENOENT);
    fs_layer_writer_add(NULL, "abc", 3);
    fs_layer_writer_keep(NULL);
    ck_assert_int_eq(fs_layer_cache_open(NULL, digest_of(1), 3), -ENOENT);
}
END_TEST

START_TEST(the_longest_unread_go_first)
{
    bring(1, 400);
    bring(2, 400);
    read_at(1, 2000);
    read_at(2, 1000);
    bring(3, 400);
    ck_assert(!is_there(2, 400));
    ck_assert(is_there(1, 400) && is_there(3, 400));
    read_at(3, 1000);
    ck_assert(is_there(3, 400)); /* read just now */
    read_at(1, 2000);
    bring(4, 500);
    ck_assert(is_there(3, 400) && is_there(4, 500) && !is_there(1, 400));
    ck_assert_int_eq(files(), 2);
}
END_TEST

/* The disk is full, or as good as: nothing is kept, and nobody is told. */
START_TEST(a_full_disk_keeps_nothing)
{
    char bytes[1000] = "";
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {100, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct fs_layer_writer *writer = fs_layer_cache_begin(cache, digest_of(1), 300);
    fs_layer_writer_add(writer, bytes, 300);
    fs_layer_writer_keep(writer);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(!is_there(1, 300));
    ck_assert_int_eq(files(), 0);
}
END_TEST

START_TEST(what_was_left_behind_goes)
{
    char path[128];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/coming.1.%d", inside, i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
    bring(1, 10);
    fs_layer_cache_free(cache);
    cache = fs_layer_cache_new(inside, 1000);
    ck_assert_int_eq(files(), 2); /* the layer, and what another mount may be writing */
    ck_assert(is_there(1, 10));
    ck_assert_ptr_null(fs_layer_cache_new("/proc/layers", 1000));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_came_whole_is_kept, what_did_not_is_not, the_longest_unread_go_first,
                                  a_full_disk_keeps_nothing, what_was_left_behind_goes};
    Suite *suite = suite_create("layer_cache");
    TCase *tcase = tcase_create("layers");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
