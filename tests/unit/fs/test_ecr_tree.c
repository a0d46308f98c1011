/* SPDX-License-Identifier: Apache-2.0 */
/* repositories/ and registry/ over a made-up registry. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecr_account.h"
#include "tree_account.h"
#include "tree_world.h"

static struct world world;

static void begin(bool allow_delete)
{
    struct fs_options options = {
        .source = "fake", .options = "rw", .stale_ms = 5000, .allow_delete = allow_delete};
    account_more = ecr_account_answer;
    account_download = ecr_account_download;
    ecr_account_harm = ECR_WHOLE;
    world_init(&world, &options);
    ecr_account_fill(world.account);
}

static void set_up(void)
{
    begin(true);
}

static void tear_down(void)
{
    world_free(&world);
    account_more = NULL;
    account_download = NULL;
}

static int symlink_at(const char *directory, const char *name, const char *target)
{
    int r;
    struct fs_inode *inode = world_at(&world, directory, &r), *made = NULL;
    return inode ? WORLD_RUN(&world, inode, fs_symlink(world.tree, &world.rq, inode, name, target, &made))
                 : r;
}

static int rename_at(const char *directory, const char *name, const char *to)
{
    int r;
    struct fs_inode *inode = world_at(&world, directory, &r);
    return inode ? WORLD_RUN(&world, inode, fs_rename(world.tree, &world.rq, inode, name, inode, to, 0)) : r;
}

static int unlink_at(const char *directory, const char *name)
{
    int r;
    struct fs_inode *inode = world_at(&world, directory, &r);
    return inode ? WORLD_RUN(&world, inode, fs_unlink(world.tree, &world.rq, inode, name)) : r;
}

static int rmdir_at(const char *directory, const char *name)
{
    int r;
    struct fs_inode *inode = world_at(&world, directory, &r);
    return inode ? WORLD_RUN(&world, inode, fs_rmdir(world.tree, &world.rq, inode, name)) : r;
}

static int mkdir_at(const char *directory, const char *name)
{
    int r;
    struct fs_inode *inode = world_at(&world, directory, &r), *made = NULL;
    return inode ? WORLD_RUN(&world, inode, fs_mkdir(world.tree, &world.rq, inode, name, 0700, &made)) : r;
}

static const char *target_of(int image)
{
    static char target[128];
    snprintf(target, sizeof(target), "../images/%s", ecr_account_digest(image));
    return target;
}

static const char *in_image(int image, const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "/repositories/team/app/images/%s/%s", ecr_account_digest(image), name);
    return path;
}

START_TEST(names_nest)
{
    ck_assert_str_eq(world_ls(&world, "/repositories"), "deep\nteam\n");
    /* `deep` is no repository: it only leads to one */
    ck_assert_str_eq(world_ls(&world, "/repositories/deep"), "er\n");
    ck_assert_int_eq(world_lookup(&world, "/repositories/deep/uri"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/repositories/deep/images"), -ENOENT);
    /* `team` is one, and leads to two more; the name of one of them is an entry of ours */
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/repositories/team"), "%69mages\napp\narn\n"));
    ck_assert_str_eq(world_cat(&world, "/repositories/team/%69mages/uri"), ECR_HOST "/team/images\n");
    ck_assert_str_eq(world_cat(&world, "/repositories/team/uri"), ECR_HOST "/team\n");
    ck_assert_str_eq(world_cat(&world, "/repositories/team/app/uri"), ECR_HOST "/team/app\n");
    ck_assert_int_eq(world_lookup(&world, "/repositories/team/nothing"), -ENOENT);
    ck_assert_int_eq(world_lookup(&world, "/repositories/tea"), -ENOENT);
    ck_assert_int_eq(world_calls(&world, "DescribeRepositories"), 1);
    ck_assert_str_eq(world_cat(&world, "/repositories/team/app/tags/owner"), "shop\n");
}
END_TEST

START_TEST(images_show)
{
    char path[256];
    ck_assert_str_eq(world_cat(&world, in_image(1, "severity")), "CRITICAL 2\nHIGH 3\n");
    ck_assert_int_eq(world_lookup(&world, in_image(2, "severity")), -ENOENT);
    ck_assert_str_eq(world_cat(&world, in_image(2, "image-tags")), "v2\n");
    ck_assert_int_eq(world_lookup(&world, in_image(0, "image-tags")), -ENOENT);
    ck_assert_str_eq(world_cat(&world, in_image(0, "size-bytes")), "1000\n");
    snprintf(path, sizeof(path), "%s", world_cat(&world, in_image(0, "manifest.json")));
    ck_assert_str_eq(path,
                     "{ \"schemaVersion\":2,\n\t\"config\": {\"size\": 0, \"digest\": "
                     "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"} }\n");
    ck_assert_str_eq(world_readlink(&world, "/repositories/team/app/image-tags/v1"), target_of(1));
    ck_assert_str_eq(world_ls(&world, "/repositories/team/app/image-tags"), "v1\nv2\n");
    /* no call for one image */
    ck_assert_int_eq(world_calls(&world, "DescribeImages"), 1);
    ck_assert_int_eq(world_calls(&world, "BatchGetImage"), 1);
}
END_TEST

START_TEST(a_walk_is_cheap)
{
    ck_assert_int_gt(world_walk(&world, "/repositories", true), 50);
    ck_assert_int_eq(world_calls(&world, "DescribeRepositories"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribeImages"), 4);
    ck_assert_int_eq(world_calls(&world, "BatchGetImage"), 1); /* three manifests */
    ck_assert_int_eq(world_calls(&world, "GetAuthorizationToken"), 0);
    /* of the registry, once for all images */
    ck_assert_int_eq(world_calls(&world, "DescribeRegistry"), 1);
    ck_assert_int_eq(world_calls(&world, "GetSigningConfiguration"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribePullThroughCacheRules"), 1);
    ck_assert_int_eq(world_calls(&world, "BatchGetRepositoryScanningConfiguration"), 1);
    /* what its scan found is read, and costs; that of what was never scanned, and lists alone, do not */
    ck_assert_int_eq(world_calls(&world, "DescribeImageScanFindings"), 3);
    world_forget_counts(&world);
    world_step(&world, 60000);
    ck_assert_int_gt(world_walk(&world, "/repositories", true), 50);
    ck_assert_int_eq(world_calls(&world, "BatchGetImage"), 0); /* for ever */
}
END_TEST

/* A manifest that is read there may be imported: it is there for who names it, but for no walk. */
START_TEST(a_pull_through_repository_is_not_walked_into)
{
    struct fs_attr attr;
    ecr_account_rule = "team";
    const char *names = world_ls(&world, in_image(1, ""));
    ck_assert_ptr_nonnull(strstr(names, "describe.json\n"));
    ck_assert_ptr_null(strstr(names, "manifest.json"));
    ck_assert_ptr_null(strstr(names, "config.json"));
    ck_assert_int_eq(world_stat(&world, in_image(1, "manifest.json"), &attr), 0);
    ck_assert_int_eq(attr.st.st_size, 0);
    ck_assert_int_eq(world_calls(&world, "BatchGetImage"), 0);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, in_image(1, "manifest.json")), "schemaVersion"));
    ck_assert_int_eq(world_calls(&world, "BatchGetImage"), 1);
    ecr_account_rule = "tea"; /* the prefix is of whole parts */
    world_step(&world, 60000);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, in_image(1, "")), "manifest.json\n"));
    ecr_account_rule = NULL;
}
END_TEST

START_TEST(a_wrong_manifest_is_not_shown)
{
    json_t *image = json_object_get(
        json_object_get(json_object_get(json_object_get(world.account, "repositories"), "team/app"),
                        "images"),
        ecr_account_digest(1));
    json_object_set_new(image, "manifest", json_string("{}"));
    ck_assert_ptr_null(world_cat(&world, in_image(1, "manifest.json")));
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_int_eq(symlink_at("/repositories/team/app/image-tags", "new", target_of(1)), -EPROTO);
    ck_assert_int_eq(world_calls(&world, "PutImage"), 0);
}
END_TEST

START_TEST(a_link_retags)
{
    static const char tags[] = "/repositories/team/app/image-tags";
    ck_assert_int_eq(symlink_at(tags, "stable", target_of(0)), 0);
    ck_assert_int_eq(world_calls(&world, "PutImage"), 1);
    const json_t *sent = json_object_get(world.last, "PutImage");
    ck_assert_str_eq(json_string_value(json_object_get(sent, "imageTag")), "stable");
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(sent, "imageManifest")), "{ \"schemaVersion\":2,\n\t"));
    ck_assert_str_eq(world_readlink(&world, "/repositories/team/app/image-tags/stable"), target_of(0));

    /* ln -sfn: a temporary name, then a rename: one call, no junk tag */
    ck_assert_int_eq(symlink_at(tags, "stable", target_of(1)), -EEXIST);
    ck_assert_int_eq(symlink_at(tags, "CuAb12Zz", target_of(1)), 0);
    ck_assert_int_eq(world_calls(&world, "PutImage"), 1);
    ck_assert_int_eq(rename_at(tags, "CuAb12Zz", "stable"), 0);
    ck_assert_int_eq(world_calls(&world, "PutImage"), 2);
    ck_assert_str_eq(world_readlink(&world, "/repositories/team/app/image-tags/stable"), target_of(1));
    ck_assert_str_eq(world_ls(&world, tags), "stable\nv1\nv2\n");

    /* what is there already costs nothing; another tag's name is a target too */
    ck_assert_int_eq(symlink_at(tags, "CuAb12Zz", target_of(1)), 0);
    ck_assert_int_eq(rename_at(tags, "CuAb12Zz", "stable"), 0);
    ck_assert_int_eq(world_calls(&world, "PutImage"), 2);
    ck_assert_int_eq(symlink_at(tags, "latest", "v2"), 0);
    ck_assert_str_eq(world_readlink(&world, "/repositories/team/app/image-tags/latest"), target_of(2));
    ck_assert_int_eq(symlink_at(tags, "bad", "/etc/passwd"), -EINVAL);
    ck_assert_int_eq(symlink_at(tags, "no tag", target_of(1)), -EPERM);
    ck_assert_int_eq(world_calls(&world, "PutImage"), 3);

    /* where ln without -n ends up, though files beside can be written there */
    ck_assert_int_eq(symlink_at(in_image(1, ""), ecr_account_digest(2), target_of(2)), -EPERM);
    ck_assert_int_eq(symlink_at(in_image(1, ""), "v2.bak", target_of(2)), -EPERM);
    ck_assert_int_eq(symlink_at(in_image(1, ""), "CuAb12Zz", target_of(2)), -EPERM);
    ck_assert_int_eq(symlink_at(in_image(1, ""), ".#storage-class", "me@here.1:2"), 0);
}
END_TEST

START_TEST(immutable_tags_refuse)
{
    static const char tags[] = "/repositories/team/app/image-tags";
    ck_assert_int_eq(world_write(&world, "/repositories/team/app/repository.json",
                                 "{\"imageTagMutability\": \"IMMUTABLE\"}"),
                     0);
    ck_assert_int_eq(world_calls(&world, "PutImageTagMutability"), 1);
    ck_assert_ptr_nonnull(
        strstr(world_cat(&world, "/repositories/team/app/repository.json"), "\"IMMUTABLE\""));
    ck_assert_int_eq(symlink_at(tags, "CuAb12Zz", target_of(2)), 0);
    ck_assert_int_eq(rename_at(tags, "CuAb12Zz", "v1"), -EEXIST);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, tags, "user.ecsfs.error"), "ImageTagAlreadyExistsException"));
    ck_assert_str_eq(world_readlink(&world, "/repositories/team/app/image-tags/v1"), target_of(1));
}
END_TEST

START_TEST(removal)
{
    ck_assert_int_eq(unlink_at("/repositories/team/app/image-tags", "v2"), 0);
    ck_assert_str_eq(world_ls(&world, "/repositories/team/app/image-tags"), "v1\n");
    ck_assert_int_eq(rmdir_at("/repositories/team/app/images", ecr_account_digest(2)), 0);
    ck_assert_int_eq(world_lookup(&world, in_image(2, "")), -ENOENT);
    ck_assert_int_eq(world_calls(&world, "BatchDeleteImage"), 2);
    ck_assert_int_eq(rmdir_at("/repositories/team", "app"), -ENOTEMPTY);
    ck_assert_int_eq(rmdir_at("/repositories", "deep"), -ENOTEMPTY);
    ck_assert_int_eq(rmdir_at("/repositories/deep", "er"), 0);
    ck_assert_int_eq(world_lookup(&world, "/repositories/deep"), -ENOENT);
}
END_TEST

START_TEST(no_accident_destroys)
{
    tear_down();
    begin(false);
    ck_assert_int_eq(world_write(&world, "/repositories/team/app/repository.json", "{}"), 0);
    ck_assert_int_eq(unlink_at("/repositories/team/app/image-tags", "v2"), -EPERM);
    ck_assert_int_eq(rmdir_at("/repositories/team/app/images", ecr_account_digest(2)), -EPERM);
    ck_assert_int_eq(rmdir_at("/repositories/deep", "er"), -EPERM);
    ck_assert_int_eq(unlink_at("/repositories/team/app/tags", "owner"), -EPERM);
    ck_assert_int_eq(world_calls(&world, "BatchDeleteImage") + world_calls(&world, "DeleteRepository") +
                         world_calls(&world, "UntagResource"),
                     0);
}
END_TEST

START_TEST(making_repositories)
{
    ck_assert_int_eq(mkdir_at("/repositories", "shop"), 0);
    ck_assert_int_eq(mkdir_at("/repositories/shop", "web"), 0);
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(world.last, "CreateRepository"), "repositoryName")),
        "shop/web");
    ck_assert_str_eq(world_cat(&world, "/repositories/shop/web/uri"), ECR_HOST "/shop/web\n");
    ck_assert_int_eq(mkdir_at("/repositories", "far%2Foff"), 0);
    ck_assert_int_eq(world_lookup(&world, "/repositories/far/uri"), -ENOENT);
    ck_assert_str_eq(world_cat(&world, "/repositories/far/off/uri"), ECR_HOST "/far/off\n");
    ck_assert_int_eq(mkdir_at("/repositories", "No-Capitals"), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "CreateRepository"), 3);
}
END_TEST

START_TEST(policies)
{
    static const char path[] = "/repositories/team/app/policy.json";
    ck_assert_int_eq(world_lookup(&world, path), -ENOENT);
    ck_assert_ptr_null(strstr(world_ls(&world, "/repositories/team/app"), "policy"));
    json_object_set_new(json_object_get(json_object_get(world.account, "repositories"), "team/app"), "policy",
                        json_string("{\"Version\":\"2012-10-17\",\"Statement\":[]}"));
    world_step(&world, 60000);
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/repositories/team/app"), "policy.json"));
    ck_assert_str_eq(world_cat(&world, path), "{\n  \"Statement\": [],\n  \"Version\": \"2012-10-17\"\n}\n");
    ck_assert_int_eq(world_write(&world, path, "{\"Statement\": [], \"Version\": \"2012-10-17\"}"), 0);
    ck_assert_int_eq(world_calls(&world, "SetRepositoryPolicy"), 0); /* the same */
    ck_assert_int_eq(world_write(&world, path, "{\"Statement\": [{\"Sid\": \"a\"}]}"), 0);
    ck_assert_int_eq(world_calls(&world, "SetRepositoryPolicy"), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, path), "\"Sid\": \"a\""));
    /* what `aws ecr get-repository-policy` says can be saved */
    ck_assert_int_eq(
        world_write(&world, path,
                    "{\"repositoryName\": \"x\", \"policyText\": \"{\\\"Version\\\":\\\"1\\\"}\"}"),
        0);
    ck_assert_str_eq(world_cat(&world, path), "{\n  \"Version\": \"1\"\n}\n");
    ck_assert_int_eq(unlink_at("/repositories/team/app", "policy.json"), 0);
    ck_assert_int_eq(world_lookup(&world, path), -ENOENT);
}
END_TEST

/* A running task's container of this image, in another cluster's list. */
START_TEST(in_use_by)
{
    const char *names = world_ls(&world, "/clusters/prod/tasks");
    char id[64];
    snprintf(id, sizeof(id), "%.*s", (int)strcspn(names, "\n"), names);
    json_t *task = world_task(&world, id);
    json_object_set_new(task, "lastStatus", json_string("RUNNING"));
    json_object_set_new(task, "containers",
                        json_pack("[{s:s, s:s, s:s}]", "name", "web", "image", ECR_HOST "/team/app:v1",
                                  "imageDigest", ecr_account_digest(1)));
    world_step(&world, 60000);
    char expected[128], path[400];
    snprintf(expected, sizeof(expected), "prod:%s\n", id);
    ck_assert_str_eq(world_ls(&world, in_image(1, "in-use-by")), expected);
    ck_assert_str_eq(world_ls(&world, in_image(2, "in-use-by")), "");
    snprintf(path, sizeof(path), "%s/prod:%s", in_image(1, "in-use-by"), id);
    snprintf(expected, sizeof(expected), "../../../../../../clusters/prod/tasks/%s", id);
    ck_assert_str_eq(world_readlink(&world, path), expected);
    /* the same digest of another repository is another image */
    json_object_set_new(json_array_get(json_object_get(task, "containers"), 0), "image",
                        json_string(ECR_HOST "/team/apple:v1"));
    world_step(&world, 60000);
    ck_assert_str_eq(world_ls(&world, in_image(1, "in-use-by")), "");
}
END_TEST

START_TEST(findings_of_all_pages)
{
    ck_assert_int_eq(world_lookup(&world, in_image(2, "scan.json")), -ENOENT); /* never scanned */
    const char *text = world_cat(&world, in_image(1, "scan.json"));
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "\"CVE-0000\""));
    ck_assert_ptr_nonnull(strstr(text, "\"CVE-2499\""));
    ck_assert_ptr_null(strstr(text, "nextToken"));
    ck_assert_int_eq(world_calls(&world, "DescribeImageScanFindings"), 3);
}
END_TEST

START_TEST(refreshing)
{
    ck_assert_str_eq(world_cat(&world, "/repositories/team/app/uri"), ECR_HOST "/team/app\n");
    ck_assert_str_eq(world_cat(&world, in_image(0, "size-bytes")), "1000\n");
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, "/.ecsfs/refresh", "/repositories/team/app\n"), 0);
    ck_assert_str_eq(world_cat(&world, "/repositories/team/app/uri"), ECR_HOST "/team/app\n");
    ck_assert_str_eq(world_cat(&world, in_image(0, "size-bytes")), "1000\n");
    ck_assert_int_eq(world_calls(&world, "DescribeRepositories"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribeImages"), 1);
}
END_TEST

START_TEST(logins_are_fresh)
{
    ck_assert_ptr_null(strstr(world_ls(&world, "/registry"), "password"));
    ck_assert_int_eq(world_calls(&world, "GetAuthorizationToken"), 0);
    ck_assert_str_eq(world_cat(&world, "/registry/password"), "first\n");
    ck_assert_str_eq(world_cat(&world, "/registry/password"), "second\n");
    ck_assert_ptr_nonnull(
        strstr(world_cat(&world, "/registry/auth.json"), "\"" ECR_HOST "\": {\n      \"auth\": "));
    ck_assert_int_eq(world_calls(&world, "GetAuthorizationToken"), 3);
    ck_assert_ptr_null(strstr(world_cat(&world, "/.ecsfs/journal"), "GetAuthorizationToken"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        names_nest,
        images_show,
        a_walk_is_cheap,
        a_pull_through_repository_is_not_walked_into,
        a_wrong_manifest_is_not_shown,
        a_link_retags,
        immutable_tags_refuse,
        removal,
        no_accident_destroys,
        making_repositories,
        policies,
        in_use_by,
        findings_of_all_pages,
        refreshing,
        logins_are_fresh,
    };
    Suite *suite = suite_create("ecr_tree");
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
