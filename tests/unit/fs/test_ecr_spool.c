/* SPDX-License-Identifier: Apache-2.0 */
/* Layers on their way: on disk, hashed while they are written, whatever the order. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "staging/scratch.h"
#include "staging/spool.h"

enum { SIZE = 9 << 20 };
static char data[SIZE];

static void set_up(void)
{
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 + i / 1000);
}

static const char *hash_of(const char *bytes, size_t len)
{
    static char hex[65];
    unsigned char sum[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)bytes, len, sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return hex;
}

static void check_all(struct fs_spool *spool, size_t len)
{
    char hex[65];
    ck_assert_uint_eq(fs_spool_size(spool), len);
    ck_assert_int_eq(fs_spool_sha256(spool, hex), 0);
    ck_assert_str_eq(hex, hash_of(data, len));
    for (size_t at = 0; at < len;) {
        const char *got;
        size_t n;
        ck_assert_int_eq(fs_spool_read(spool, 1 << 20, at, &got, &n), 0);
        ck_assert_uint_gt(n, 0);
        ck_assert_int_eq(memcmp(got, data + at, n), 0);
        at += n;
    }
}

START_TEST(in_order)
{
    struct fs_spool *spool;
    ck_assert_int_eq(fs_spool_new(&spool), 0);
    for (size_t at = 0; at < SIZE; at += 131072)
        ck_assert_int_eq(fs_spool_write(spool, data + at, 131072, at), 0);
    check_all(spool, SIZE);
    check_all(spool, SIZE); /* asked twice */
    fs_spool_free(spool);
}
END_TEST

START_TEST(in_any_order)
{
    struct fs_spool *spool;
    ck_assert_int_eq(fs_spool_new(&spool), 0);
    for (size_t at = SIZE; at > 0; at -= 1 << 20)
        ck_assert_int_eq(fs_spool_write(spool, data + at - (1 << 20), 1 << 20, at - (1 << 20)), 0);
    check_all(spool, SIZE);
    ck_assert_int_eq(fs_spool_write(spool, "x", 1, 5), 0); /* written again after it was hashed */
    ck_assert_int_eq(fs_spool_write(spool, data + 5, 1, 5), 0);
    check_all(spool, SIZE);
    ck_assert_int_eq(fs_spool_truncate(spool, 1000), 0);
    check_all(spool, 1000);
    ck_assert_int_eq(fs_spool_write(spool, data + 1000, 1000, 1000), 0);
    check_all(spool, 2000);
    fs_spool_free(spool);
}
END_TEST

/* A limit on the file's size stands for a full disk. */
START_TEST(a_full_disk)
{
    struct fs_spool *spool;
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(fs_spool_new(&spool), 0);
    ck_assert_int_eq(fs_spool_write(spool, data, 1 << 20, 0), 0);
    getrlimit(RLIMIT_FSIZE, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 3 << 19;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(fs_spool_write(spool, data + (1 << 20), 1 << 20, 1 << 20), -EFBIG);
    limit.rlim_cur = before; /* the next test may run in this process */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    check_all(spool, 1 << 20); /* as it was */
    fs_spool_free(spool);
}
END_TEST

START_TEST(scratch_spills)
{
    struct fs_scratch_pool pool = {0};
    struct fs_scratch scratch;
    const char *got;
    size_t len;
    ck_assert_int_eq(fs_scratch_init(&scratch, &pool, NULL), 0);
    scratch.spills = true;
    ck_assert_int_eq(fs_scratch_write(&scratch, data, 1 << 20, 0), 0);
    ck_assert_uint_eq(pool.bytes, 1 << 20);
    for (size_t at = 1 << 20; at < SIZE; at += 1 << 20)
        ck_assert_int_eq(fs_scratch_write(&scratch, data + at, 1 << 20, at), 0);
    ck_assert_uint_eq(pool.bytes, 0);
    ck_assert_uint_eq(fs_scratch_size(&scratch), SIZE);
    ck_assert_ptr_nonnull(scratch.spool);
    check_all(scratch.spool, SIZE);
    ck_assert_int_eq(fs_scratch_read(&scratch, 100, 12345, &got, &len), 0);
    ck_assert_uint_eq(len, 100);
    ck_assert_int_eq(memcmp(got, data + 12345, 100), 0);
    fs_scratch_free(&scratch);
    ck_assert_uint_eq(pool.files, 0);
    /* only what may be large does */
    ck_assert_int_eq(fs_scratch_init(&scratch, &pool, NULL), 0);
    ck_assert_int_eq(fs_scratch_write(&scratch, data, 1 << 20, 5 << 20), 0);
    ck_assert_ptr_null(scratch.spool);
    ck_assert_int_eq(fs_scratch_write(&scratch, data, 1 << 20, FS_SCRATCH_FILE_MAX), -ENOSPC);
    fs_scratch_free(&scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ecr_spool");
    TCase *tcase = tcase_create("spool");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, in_order);
    tcase_add_test(tcase, in_any_order);
    tcase_add_test(tcase, a_full_disk);
    tcase_add_test(tcase, scratch_spills);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
