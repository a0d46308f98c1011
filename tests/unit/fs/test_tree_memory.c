/* SPDX-License-Identifier: Apache-2.0 */
/* A session in which one allocation fails, each in its turn: every operation ends with an errno or with its
 * result, and once there is memory again all works as before. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree/tree_private.h"
#include "tree_world.h"

#define WEB "/clusters/prod/services/web/"

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#define OWN_MALLOC !__has_feature(address_sanitizer)
#else
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC

static long countdown; /* allocations until one fails; 0: none does */
static bool inside;

static bool fails(void)
{
    return inside && countdown > 0 && --countdown == 0;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return fails() ? (errno = ENOMEM, NULL) : __libc_malloc(size);
}
void *calloc(size_t n, size_t size)
{
    return fails() ? (errno = ENOMEM, NULL) : __libc_calloc(n, size);
}
void *realloc(void *old, size_t size)
{
    return fails() ? (errno = ENOMEM, NULL) : __libc_realloc(old, size);
}

static struct world world;

static bool guard(bool in)
{
    bool was_in = inside;
    inside = in;
    return was_in;
}

static void check_result(const char *what, int r)
{
    /* EIO: jansson's own, see fs_action; the endpoint refuses what it made of the input */
    ck_assert_msg(r == 0 || r == -ENOMEM || r == -EFBIG || r == -EIO, "%s, allocation %ld: %s", what,
                  countdown, strerror(-r));
}

static void session(void)
{
    struct fs_attr attr;
    const char *text = world_ls(&world, "/clusters/prod/services");
    check_result("ls", text != NULL ? 0 : -errno);
    check_result("stat", world_stat(&world, WEB "describe.json", &attr));
    text = world_cat(&world, WEB "events");
    check_result("cat", text != NULL ? 0 : -errno);
    check_result("write", world_write(&world, WEB "desired-count", "5\n"));
    text = world_cat(&world, "/clusters/prod/overview");
    check_result("overview", text != NULL ? 0 : -errno);
    text = world_cat(&world, "/README");
    check_result("README", text != NULL ? 0 : -errno);
    text = world_ls(&world, WEB "tasks");
    check_result("links", text != NULL ? 0 : -errno);
    check_result("lookup",
                 world_lookup(&world, "/clusters/prod/tasks/00000000000000000000000000000001/containers"
                                      "/main/image"));
    text = world_cat(&world, "/task-definitions/web/2.json");
    check_result("revision", text != NULL ? 0 : -errno);
    check_result("refresh", world_write(&world, "/.ecsfs/refresh", "/clusters/prod\n"));
}

static void all_works(void)
{
    ck_assert_int_eq(world_write(&world, WEB "desired-count", "7\n"), 0);
    ck_assert_str_eq(world_cat(&world, WEB "desired-count"), "7\n");
    ck_assert_ptr_nonnull(strstr(world_ls(&world, WEB), "task-definition\n"));
    ck_assert_ptr_nonnull(world_cat(&world, "/clusters/prod/overview"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "desiredCount=7: ok"));
}

START_TEST(one_allocation_fails)
{
    world_guard = guard;
    bool failed = true;
    long n = 1;
    for (; failed; n += 1 + n / 200) {
        world_init(&world, NULL);
        countdown = n;
        session();
        failed = countdown == 0;
        countdown = 0;
        all_works();
        world_free(&world);
    }
    ck_assert_int_gt(n, 500);
}
END_TEST

int main(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) {
        printf("skipped: valgrind's own malloc cannot be made to fail here\n");
        return 77;
    }
    Suite *suite = suite_create("tree_memory");
    TCase *tests = tcase_create("memory");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, one_allocation_fails);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#else

int main(void)
{
    printf("skipped: the sanitizer's own malloc cannot be made to fail here\n");
    return 77;
}

#endif
