/* SPDX-License-Identifier: Apache-2.0 */
/* oci/ over a made-up registry: layers as they are read and written. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecr_account.h"
#include "tree_account.h"
#include "tree_world.h"

static struct world world;

static char layers[] = "/tmp/ecsfs-layers.XXXXXX"; /* where layers are kept, in some tests */

static void begin(const char *layer_dir)
{
    struct fs_options options = {
        .source = "fake", .options = "rw", .stale_ms = 5000, .layer_dir = layer_dir, .layer_bytes = 64 << 20};
    account_more = ecr_account_answer;
    account_download = ecr_account_download;
    ecr_account_harm = ECR_WHOLE;
    world_init(&world, &options);
    ecr_account_fill(world.account);
}

static void set_up(void)
{
    begin(NULL);
}

static void tear_down(void)
{
    world_free(&world);
    account_more = NULL;
    account_download = NULL;
}

static const char *layer_path(void)
{
    static char path[160];
    snprintf(path, sizeof(path), "/repositories/team/app/oci/blobs/sha256/%s", ecr_account_layer_hex());
    return path;
}

static struct fs_handle *open_layer(void)
{
    int r;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    struct fs_inode *inode = world_at(&world, layer_path(), &r);
    ck_assert_ptr_nonnull(inode);
    r = WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, O_RDONLY, &handle, &hints));
    ck_assert_int_eq(r, 0);
    return handle;
}

/* 0 when these bytes are the layer's. */
static int read_layer(struct fs_handle *handle, size_t size, off_t offset)
{
    const char *data;
    size_t len, rest = (size_t)(ECR_LAYER_SIZE - offset);
    int r = WORLD_RUN(&world, fs_handle_inode(handle),
                      fs_read(world.tree, &world.rq, handle, size, offset, &data, &len));
    if (r != 0)
        return r;
    ck_assert_uint_eq(len, size < rest ? size : rest);
    ck_assert_int_eq(memcmp(data, ecr_account_layer() + offset, len), 0);
    return 0;
}

static int read_through(struct fs_handle *handle, size_t step)
{
    int r = 0;
    for (off_t at = 0; r == 0 && at < ECR_LAYER_SIZE; at += (off_t)step)
        r = read_layer(handle, step, at);
    return r;
}

START_TEST(layers_stream)
{
    struct fs_attr attr;
    ck_assert_int_eq(world_stat(&world, layer_path(), &attr), 0);
    ck_assert_int_eq(attr.st.st_size, ECR_LAYER_SIZE);
    ck_assert_int_eq(world_calls(&world, "GetDownloadUrlForLayer"), 0);
    struct fs_handle *handle = open_layer();
    ck_assert_int_eq(read_through(handle, 100000), 0); /* pieces' ends lie within reads */
    ck_assert_int_eq(world_calls(&world, "GetDownloadUrlForLayer"), 1);
    ck_assert_int_eq(world_calls(&world, "GetLayer"), 3); /* each byte once */
    ck_assert_int_eq(read_layer(handle, 5000, (2 << 20) - 100), 0);
    ck_assert_int_eq(read_layer(handle, 5000, ECR_LAYER_SIZE - 10), 0);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_lookup(&world, "/repositories/team/app/oci/blobs/sha256/"
                                          "1111111111111111111111111111111111111111111111111111111111111111"),
                     -ENOENT);
}
END_TEST

/* Read once to its end, it is not downloaded again, by a later mount neither. */
START_TEST(layers_are_kept)
{
    char path[128], command[160];
    ck_assert_ptr_nonnull(mkdtemp(layers));
    tear_down();
    begin(layers);
    struct fs_handle *handle = open_layer();
    ck_assert_int_eq(read_layer(handle, 5000, 4 << 20), 0); /* only its end: not kept */
    fs_release(world.tree, handle);
    handle = open_layer();
    ck_assert_int_eq(read_through(handle, 100000), 0);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_calls(&world, "GetDownloadUrlForLayer"), 2);
    tear_down();
    begin(layers);
    handle = open_layer();
    ck_assert_int_eq(read_layer(handle, 5000, (2 << 20) - 100), 0);
    ck_assert_int_eq(read_through(handle, 131072), 0);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_calls(&world, "GetDownloadUrlForLayer") + world_calls(&world, "GetLayer"), 0);

    /* what was changed on disk is not given out to its end, and comes from AWS the next time */
    snprintf(path, sizeof(path), "%s/%s", layers, ecr_account_layer_hex());
    int fd = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, "x", 1, 77), 1);
    close(fd);
    handle = open_layer();
    const char *data;
    size_t len;
    int r = 0;
    for (off_t at = 0; r == 0 && at < ECR_LAYER_SIZE; at += 131072)
        r = WORLD_RUN(&world, fs_handle_inode(handle),
                      fs_read(world.tree, &world.rq, handle, 131072, at, &data, &len));
    ck_assert_int_eq(r, -EIO);
    fs_release(world.tree, handle);
    handle = open_layer();
    ck_assert_int_eq(read_through(handle, 131072), 0);
    ck_assert_int_eq(world_calls(&world, "GetDownloadUrlForLayer"), 1);
    fs_release(world.tree, handle);
    snprintf(command, sizeof(command), "rm -rf %s", layers);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(an_expired_url_is_renewed)
{
    struct fs_handle *handle = open_layer();
    ecr_account_harm = ECR_EXPIRED;
    ck_assert_int_eq(read_layer(handle, 1000, 0), 0);
    ck_assert_int_eq(world_calls(&world, "GetDownloadUrlForLayer"), 2);
    fs_release(world.tree, handle);
    /* as often as it expires, be it in the middle of what is read ahead */
    handle = open_layer();
    for (off_t at = 0; at < ECR_LAYER_SIZE; at += 1 << 20) {
        ecr_account_harm = ECR_EXPIRED;
        ck_assert_int_eq(read_layer(handle, 1000, at), 0);
    }
    ecr_account_harm = ECR_WHOLE;
    fs_release(world.tree, handle);
    /* but a URL that never was any good is told */
    handle = open_layer();
    ecr_account_harm = ECR_REFUSED;
    ck_assert_int_eq(read_layer(handle, 1000, 0), -EACCES);
    ecr_account_harm = ECR_WHOLE;
    ck_assert_int_eq(read_layer(handle, 1000, 0), 0);
    fs_release(world.tree, handle);
}
END_TEST

START_TEST(a_wrong_layer_is_told)
{
    struct fs_handle *handle = open_layer();
    ecr_account_harm = ECR_WRONG;
    int r = 0;
    const char *data;
    size_t len;
    for (off_t at = 0; r == 0 && at < ECR_LAYER_SIZE; at += 131072)
        r = WORLD_RUN(&world, fs_handle_inode(handle),
                      fs_read(world.tree, &world.rq, handle, 131072, at, &data, &len));
    ck_assert_int_eq(r, -EPROTO);
    fs_release(world.tree, handle);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, layer_path(), "user.ecsfs.error"), "DigestMismatch"));
}
END_TEST

START_TEST(a_layer_cut_short_is_told)
{
    struct fs_handle *handle = open_layer();
    ecr_account_harm = ECR_SHORT;
    ck_assert_int_eq(read_layer(handle, 1000, 0), -EPROTO);
    ecr_account_harm = ECR_WHOLE;
    ck_assert_int_eq(read_layer(handle, 1000, 0), 0);
    fs_release(world.tree, handle);
}
END_TEST

/* A push that was killed leaves a temporary file, or a manifest that no index ever names. */
START_TEST(a_broken_push_is_cleaned_up)
{
    static const char layout[] = "/repositories/team/app/oci";
    int r;
    struct fs_inode *inode = world_at(&world, layout, &r), *made = NULL;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    r = WORLD_RUN(
        &world, inode,
        fs_create(world.tree, &world.rq, inode, "oci-put-blob1", 0600, O_RDWR, &made, &handle, &hints));
    ck_assert_int_eq(r, 0);
    fs_remember(world.tree, made);
    world_step(&world, 7200000);
    fs_tree_tick(world.tree);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, layout), "oci-put-blob1")); /* somebody has it open */
    fs_release(world.tree, handle);
    ck_assert_int_gt(fs_tree_timeout_ms(world.tree), 3500000);
    world_step(&world, 3500000);
    fs_tree_tick(world.tree);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, layout), "oci-put-blob1"));
    world_step(&world, 200000);
    fs_tree_tick(world.tree);
    ck_assert_ptr_null(strstr(world_ls(&world, layout), "oci-put-blob1"));
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), -1);
    fs_forget(world.tree, fs_inode_number(made), 1);
}
END_TEST

/* Closed while pieces are on their way. */
START_TEST(a_closed_layer_is_called_back)
{
    struct fs_handle *handle = open_layer();
    ck_assert_int_eq(read_layer(handle, 1000, 0), 0);
    world.hung = true;
    ck_assert_int_eq(read_layer(handle, 1000, 4 << 20), -EBUSY);
    fs_release(world.tree, handle);
    world.hung = false;
    world_step(&world, 1000);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        layers_stream,
        layers_are_kept,
        an_expired_url_is_renewed,
        a_wrong_layer_is_told,
        a_layer_cut_short_is_told,
        a_broken_push_is_cleaned_up,
        a_closed_layer_is_called_back,
    };
    Suite *suite = suite_create("ecr_layers");
    TCase *tcase = tcase_create("ecr");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
