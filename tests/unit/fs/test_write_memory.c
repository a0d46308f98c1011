/* SPDX-License-Identifier: Apache-2.0 */
/* Saves in which one allocation fails, each in its turn: the writer hears of it, no text is mixed or saved
 * twice, and once there is memory again all works as before. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "staging/local.h"
#include "tree/tree_private.h"
#include "write_account.h"
#include "write_world.h"

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

/* Not jansson's: out of memory while it reads a string, 2.14 loses bytes of it, or ends in its own assert().
 */
static void *json_memory(size_t size)
{
    return __libc_malloc(size);
}

static bool guard(bool in)
{
    bool was_in = inside;
    inside = in;
    return was_in;
}

static struct fs_handle *open_anyhow(const char *path, int flags)
{
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    int r;
    struct fs_inode *inode = world_at(&world, path, &r);
    if (inode != NULL)
        WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, flags, &handle, &hints));
    return handle;
}

static int rename_anyhow(const char *name, const char *new_name)
{
    int r;
    struct fs_inode *family = world_at(&world, FAMILY, &r);
    return family == NULL ? r
                          : WORLD_RUN(&world, family,
                                      fs_rename(world.tree, &world.rq, family, name, family, new_name, 0));
}

/* As vim: the old one is put aside, a new one made, the old one removed. */
static void save_as_vim(void)
{
    int r;
    struct fs_inode *family = world_at(&world, FAMILY, &r), *inode = NULL;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    if (family == NULL || rename_anyhow("latest.json", "latest.json~") != 0)
        return;
    r = WORLD_RUN(&world, family,
                  fs_create(world.tree, &world.rq, family, "latest.json", 0600, O_WRONLY | O_CREAT | O_EXCL,
                            &inode, &handle, &hints));
    if (r == 0) {
        world_write_at(handle, BETTER, 0);
        world_fsync(handle);
        world_flush(handle);
        fs_release(world.tree, handle);
    }
    WORLD_RUN(&world, family, fs_unlink(world.tree, &world.rq, family, "latest.json~"));
}

#define WHOLE \
    "\"taskDefinition\": \"web:1\", \"launchType\": \"FARGATE\", " /* what is shown of the service */

static void session(void)
{
    struct fs_handle *a = open_anyhow(LATEST, O_WRONLY | O_TRUNC), *b = open_anyhow(LATEST, O_RDWR);
    if (a != NULL)
        world_write_at(a, GOOD, 0);
    if (b != NULL) {
        world_write_at(b, "x", 4);
        world_flush(b);
        fs_release(world.tree, b);
    }
    if (a != NULL) {
        world_flush(a);
        fs_release(world.tree, a);
    }
    world_write(&world, LATEST, REFUSED);
    save_as_vim();
    world_write(&world, SERVICES "/web/service.json",
                "{" WHOLE "\"desiredCount\": 9, \"tags\": [{\"key\": \"a\", \"value\": \"b\"}]}\n");
    a = open_anyhow("/clusters/prod/tasks/run", O_RDWR);
    if (a != NULL) {
        world_write_at(a, "api\n", 0);
        fs_release(world.tree, a);
    }
}

/* What was written is there, whole, in a revision of its own. */
static void all_works(void)
{
    world_step(&world, FS_TOMBSTONE_MS + 10000);
    int before = world_calls(&world, "RegisterTaskDefinition");
    ck_assert_int_eq(
        world_write(&world, LATEST, "{\"containerDefinitions\": [{\"name\": \"n\", \"image\": \"end\"}]}\n"),
        0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition") - before, 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "\"end\""));
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json", "{" WHOLE "\"desiredCount\": 3}\n"),
                     0);
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/desired-count"), "3\n");
    int r;
    struct fs_inode *inode = world_at(&world, LATEST, &r);
    ck_assert_ptr_nonnull(inode);
    ck_assert_ptr_null(inode->local); /* nobody holds a turn, a text or a call */
}

START_TEST(one_allocation_fails)
{
    world_guard = guard;
    json_set_alloc_funcs(json_memory, free);
    bool failed = true;
    long n = 1;
    for (; failed; n += 1) {
        write_world_with(NULL);
        countdown = n;
        session();
        failed = countdown == 0;
        countdown = 0;
        ck_assert_int_le(world_calls(&world, "RegisterTaskDefinition"), 4);
        all_works();
        world_free(&world);
    }
    ck_assert_int_gt(n, 150);
}
END_TEST

int main(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) {
        printf("skipped: valgrind's own malloc cannot be made to fail here\n");
        return 77;
    }
    Suite *suite = suite_create("write_memory");
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
