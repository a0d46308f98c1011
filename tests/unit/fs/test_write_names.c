/* SPDX-License-Identifier: Apache-2.0 */
/* Names through the tree: editors, drafts, removal, tags, transaction files. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "staging/local.h"
#include "tree/tree_private.h"
#include "write_account.h"
#include "write_world.h"

/* ---- editors ---- */

START_TEST(vim_renames_away_and_creates)
{
    cleanup_free char *old = strdup(world_cat(&world, LATEST));
    ck_assert_int_eq(world_create(FAMILY, ".latest.json.swp", "swap", O_EXCL), 0);
    ck_assert_int_eq(world_create(FAMILY, "4913", "", O_EXCL), 0);
    ck_assert_int_eq(world_unlink(FAMILY, "4913"), 0);
    ck_assert_int_eq(world_rename(FAMILY, "latest.json", FAMILY, "latest.json~", 0), 0);
    ck_assert_int_eq(world_lookup(&world, LATEST), -ENOENT);
    ck_assert(!world_has_line(world_ls(&world, FAMILY), "latest.json"));
    ck_assert(world_has_line(world_ls(&world, FAMILY), "latest.json~"));
    ck_assert_int_eq(world_create(FAMILY, "latest.json", GOOD, O_EXCL), 0);
    ck_assert_str_eq(world_cat(&world, FAMILY "/latest.json~"), old);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:9"));
    ck_assert_int_eq(world_unlink(FAMILY, "latest.json~"), 0);
    ck_assert_int_eq(world_unlink(FAMILY, ".latest.json.swp"), 0);
    ck_assert_int_eq(world_changes(), 1);
    ck_assert_ptr_null(strchr(world_ls(&world, FAMILY), '~'));
    ck_assert_uint_eq(world.tree->overlay->pool.files, 0);
    ck_assert_uint_eq(world.tree->overlay->pool.bytes, 0);
}
END_TEST

START_TEST(vim_restores_its_backup)
{
    cleanup_free char *old = strdup(world_cat(&world, LATEST));
    ck_assert_int_eq(world_rename(FAMILY, "latest.json", FAMILY, "latest.json~", 0), 0);
    ck_assert_int_eq(world_create(FAMILY, "latest.json", REFUSED, O_EXCL), -EINVAL);
    ck_assert_int_eq(world_rename(FAMILY, "latest.json~", FAMILY, "latest.json", 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1); /* the refused one */
    ck_assert_str_eq(world_cat(&world, LATEST), old);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/latest.json~"), -ENOENT);
}
END_TEST

START_TEST(replaced_by_rename)
{
    ck_assert_int_eq(world_create(FAMILY, "sedAbCdEf", GOOD, O_EXCL), 0);
    ck_assert_int_eq(world_changes(), 0);
    ck_assert_int_eq(world_rename(FAMILY, "sedAbCdEf", FAMILY, "latest.json", 0), 0);
    ck_assert_int_eq(world_changes(), 1);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/sedAbCdEf"), -ENOENT);
    ck_assert_int_eq(world_create(FAMILY, "t", REFUSED, 0), 0);
    ck_assert_int_eq(world_rename(FAMILY, "t", FAMILY, "latest.json", 0), -EBADMSG);
    ck_assert_str_eq(world_cat(&world, FAMILY "/t"), REFUSED);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "ClientException"));
    ck_assert_int_eq(world_rename(FAMILY, "t", FAMILY, "latest.json", RENAME_NOREPLACE), -EEXIST);
    ck_assert_int_eq(world_create(FAMILY, "empty", "", 0), 0);
    ck_assert_int_eq(world_rename(FAMILY, "empty", FAMILY, "latest.json", 0), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:9"));
}
END_TEST

START_TEST(a_scalar_is_replaced_by_rename)
{
    ck_assert_int_eq(world_create(SERVICES "/web", "t", "7\n", 0), 0);
    ck_assert_int_eq(world_rename(SERVICES "/web", "t", SERVICES "/web", "desired-count", 0), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/desired-count"), "7\n");
    ck_assert_int_eq(world_create(SERVICES "/web", "t", "many\n", 0), 0);
    ck_assert_int_eq(world_rename(SERVICES "/web", "t", SERVICES "/web", "desired-count", 0), -EBADMSG);
    ck_assert_int_eq(world_create(SERVICES "/web", "t", "1\n2\n", 0), 0);
    ck_assert_int_eq(world_rename(SERVICES "/web", "t", SERVICES "/web", "desired-count", 0), -EBADMSG);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
}
END_TEST

START_TEST(tombstones_heal)
{
    world_node(LATEST);
    world_forget_counts(&world);
    ck_assert_int_eq(world_unlink(FAMILY, "latest.json"), 0);
    ck_assert_int_eq(world_lookup(&world, LATEST), -ENOENT);
    ck_assert_int_eq(world_unlink(FAMILY, "latest.json"), -ENOENT);
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), FS_TOMBSTONE_MS);
    world_step(&world, FS_TOMBSTONE_MS - 1);
    ck_assert_int_eq(world_lookup(&world, LATEST), -ENOENT);
    world_step(&world, 1);
    ck_assert_int_eq(world_lookup(&world, LATEST), 0);
    ck_assert_ptr_nonnull(strstr(world.told, "entry " FAMILY " latest.json"));
    ck_assert_int_eq(world_changes(), 0);
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), -1);
}
END_TEST

START_TEST(emacs_locks_with_a_link)
{
    struct fs_inode *parent = world_node(FAMILY), *inode = NULL;
    ck_assert_int_eq(
        WORLD_RUN(&world, parent,
                  fs_symlink(world.tree, &world.rq, parent, ".#latest.json", "me@here.1:2", &inode)),
        0);
    ck_assert_str_eq(world_readlink(&world, FAMILY "/.#latest.json"), "me@here.1:2");
    ck_assert_int_eq(world_unlink(FAMILY, ".#latest.json"), 0);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/.#latest.json"), -ENOENT);
}
END_TEST

START_TEST(scratch_moves_and_outlives_its_name)
{
    ck_assert_int_eq(world_create(FAMILY, "a", "one", 0), 0);
    ck_assert_int_eq(world_create(FAMILY, "b", "two", 0), 0);
    ck_assert_int_eq(world_create(FAMILY, "b", "x", O_EXCL), -EEXIST);
    struct fs_handle *handle = world_open(FAMILY "/b", O_RDWR);
    ck_assert_int_eq(world_rename(FAMILY, "a", FAMILY, "b", 0), 0);
    ck_assert_str_eq(world_cat(&world, FAMILY "/b"), "one");
    const char *data;
    size_t len;
    ck_assert_int_eq(fs_read(world.tree, &world.rq, handle, 10, 0, &data, &len), 0);
    ck_assert_uint_eq(len, 3);
    ck_assert_mem_eq(data, "two", 3);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_create(FAMILY, "a", "three", O_EXCL), 0); /* the old name again */
    ck_assert_str_eq(world_cat(&world, FAMILY "/a"), "three");
    ck_assert_str_eq(world_cat(&world, FAMILY "/b"), "one");
    ck_assert_int_eq(world_rename(FAMILY, "b", SERVICES "/web", "c", 0), 0);
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/c"), "one");
}
END_TEST

START_TEST(names_that_cannot_be)
{
    ck_assert_int_eq(world_create(FAMILY, "43.json", GOOD, 0), -EPERM); /* would seem to be a revision */
    ck_assert_int_eq(world_create("/", "x", "", 0), -EPERM);
    ck_assert_int_eq(world_create("/clusters", "x", "", 0), -EISDIR);
    ck_assert_int_eq(world_create("/clusters/prod/tasks", "x", "", 0), -EPERM);
    ck_assert_int_eq(world_mkdir(FAMILY, "x"), -EPERM);
    ck_assert_int_eq(world_mkdir("/clusters", "prod"), -EEXIST);
    ck_assert_int_eq(world_rename(FAMILY, "1.json", FAMILY, "x", 0), -EPERM);
    ck_assert_int_eq(world_rename("/clusters", "prod", "/clusters", "x", 0), -EPERM);
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

/* ---- drafts ---- */

START_TEST(a_draft_family)
{
    ck_assert_int_eq(world_mkdir("/task-definitions", "new"), 0);
    ck_assert_int_eq(world_changes(), 0);
    ck_assert(world_has_line(world_ls(&world, "/task-definitions"), "new"));
    ck_assert_int_eq(world_mkdir("/task-definitions", "new"), -EEXIST);
    ck_assert_str_eq(world_cat(&world, "/task-definitions/new/latest.json"), "");
    ck_assert_int_eq(world_write(&world, "/task-definitions/new/latest.json", REFUSED), -EINVAL);
    ck_assert_str_eq(world_cat(&world, "/task-definitions/new/latest.json"), "");
    ck_assert_int_eq(world_write(&world, "/task-definitions/new/latest.json", GOOD), 0);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/task-definitions/new/latest.json"), "app:9"));
    ck_assert(world_has_line(world_ls(&world, "/task-definitions/new"), "1.json"));
    ck_assert_int_eq(world_rmdir("/task-definitions", "new"), -EPERM);
    ck_assert_ptr_null(world.tree->overlay->drafts);
}
END_TEST

/* As cp -r and tar do it, within one process. */
static void make_draft_here(void)
{
    struct fs_inode *parent = world_node("/task-definitions"), *made = NULL;
    ck_assert_int_eq(WORLD_RUN(&world, parent, fs_mkdir(world.tree, &world.rq, parent, "new", 0700, &made)),
                     0);
}

START_TEST(who_made_a_draft_creates_its_document)
{
    make_draft_here();
    ck_assert_int_eq(world_lookup(&world, "/task-definitions/new/latest.json"), -ENOENT);
    ck_assert_int_eq(world_create("/task-definitions/new", "latest.json", GOOD, O_EXCL), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/task-definitions/new/latest.json"), "app:9"));
    ck_assert_int_eq(world_create("/task-definitions/new", "latest.json", GOOD, O_EXCL), -EEXIST);
}
END_TEST

START_TEST(who_made_a_draft_and_listed_it_finds_its_document)
{
    make_draft_here();
    ck_assert(world_has_line(world_ls(&world, "/task-definitions/new"), "latest.json"));
    ck_assert_str_eq(world_cat(&world, "/task-definitions/new/latest.json"), "");
    ck_assert_int_eq(world_create("/task-definitions/new", "latest.json", GOOD, O_EXCL), -EEXIST);
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

START_TEST(a_draft_is_its_makers_to_remove)
{
    ck_assert_int_eq(world_mkdir(SERVICES, "new"), 0);
    ck_assert_int_eq(world_create(SERVICES "/new", "t", "x", 0), 0);
    ck_assert_int_eq(world_rmdir(SERVICES, "new"), -ENOTEMPTY);
    ck_assert_int_eq(world_unlink(SERVICES "/new", "t"), 0);
    ck_assert_int_eq(world_rmdir(SERVICES, "new"), 0);
    ck_assert_int_eq(world_lookup(&world, SERVICES "/new"), -ENOENT);
    ck_assert(!world_has_line(world_ls(&world, SERVICES), "new"));
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

START_TEST(a_draft_service_by_lines)
{
    ck_assert_int_eq(world_mkdir(SERVICES, "new"), 0);
    ck_assert_int_eq(world_write(&world, SERVICES "/new/force-new-deployment", "1\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, SERVICES "/new/desired-count", "many\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, SERVICES "/new/desired-count", "4\n"), 0);
    ck_assert_str_eq(world_cat(&world, SERVICES "/new/desired-count"), "4\n");
    ck_assert_int_eq(world_changes(), 0);
    int r = world_write(&world, SERVICES "/new/task-definition", "web:2\n");
    ck_assert_msg(r == 0, "%s", world_cat(&world, "/.ecsfs/errors"));
    json_t *input = json_object_get(world.last, "CreateService");
    ck_assert_int_eq(json_integer_value(json_object_get(input, "desiredCount")), 4);
    ck_assert_str_eq(json_string_value(json_object_get(input, "launchType")), "FARGATE");
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(input, "clientToken"))), 32);
    ck_assert_int_eq(world_calls(&world, "CreateService"), 1);
    ck_assert_str_eq(world_cat(&world, SERVICES "/new/desired-count"), "4\n");
    ck_assert_str_eq(world_cat(&world, SERVICES "/new/task-definition"), "web:2\n");
    ck_assert_int_eq(world_write(&world, SERVICES "/new/desired-count", "2\n"), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    ck_assert(world_has_line(world_ls(&world, SERVICES), "new"));
}
END_TEST

START_TEST(a_twin_by_cp)
{
    ck_assert_int_eq(world_mkdir("/clusters", "stage"), 0);
    ck_assert_int_eq(world_calls(&world, "CreateCluster"), 1);
    ck_assert_int_eq(world_mkdir("/clusters/stage/services", "web"), 0);
    cleanup_free char *text = strdup(world_cat(&world, SERVICES "/web/service.json"));
    ck_assert_int_eq(world_write(&world, "/clusters/stage/services/web/service.json", text), 0);
    json_t *input = json_object_get(world.last, "CreateService");
    ck_assert_str_eq(json_string_value(json_object_get(input, "cluster")), "stage");
    ck_assert_str_eq(json_string_value(json_object_get(input, "taskDefinition")), "web:1");
    ck_assert_int_eq(json_integer_value(json_object_get(input, "desiredCount")), 0);
    ck_assert_str_eq(world_cat(&world, "/clusters/stage/services/web/status"), "ACTIVE\n");
}
END_TEST

/* ---- removal ---- */

START_TEST(without_allow_delete_nothing_is_removed)
{
    static const struct {
        const char *directory, *name;
        bool is_directory;
    } rows[] = {
        {"/clusters", "prod", true},        {SERVICES, "web", true},
        {"/task-definitions", "web", true}, {FAMILY, "1.json", false},
        {SERVICES "/web", "arn", false},    {"/", "clusters", true},
        {SERVICES "/web", "tasks", true},   {FAMILY "/describe", "1.json", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int r = rows[i].is_directory ? world_rmdir(rows[i].directory, rows[i].name)
                                     : world_unlink(rows[i].directory, rows[i].name);
        ck_assert_msg(r == -EPERM, "%s/%s: %d", rows[i].directory, rows[i].name, r);
    }
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/errors"), "mount with -o allow_delete"));
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, FAMILY "/1.json", "user.ecsfs.error"), "deregisters the revision"));
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

START_TEST(with_allow_delete)
{
    write_world_teardown();
    write_world_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .allow_delete = true});
    ck_assert_ptr_nonnull(world_ls(&world, FAMILY));
    ck_assert_int_eq(world_unlink(FAMILY, "1.json"), 0);
    ck_assert_int_eq(world_calls(&world, "DeregisterTaskDefinition"), 1);
    ck_assert(!world_has_line(world_ls(&world, FAMILY), "1.json"));
    ck_assert_int_eq(world_rmdir("/task-definitions", "web"), -ENOTEMPTY);
    ck_assert_int_eq(world_rmdir("/clusters", "prod"), -ENOTEMPTY);
    ck_assert_int_eq(world_rmdir(SERVICES, "web"), 0);
    ck_assert_int_eq(world_rmdir(SERVICES, "api"), 0);
    ck_assert_int_eq(world_lookup(&world, SERVICES "/web"), -ENOENT);
    ck_assert_int_eq(world_rmdir("/clusters", "prod"), 0);
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), -ENOENT);
    ck_assert_int_eq(world_unlink(FAMILY, "latest.json"), 0); /* still a tombstone */
    ck_assert_int_eq(world_calls(&world, "DeregisterTaskDefinition"), 1);
}
END_TEST

START_TEST(dry_run_checks_and_journals)
{
    write_world_teardown();
    write_world_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .dry_run = true});
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_write(&world, LATEST, "{\"images\": 1}"), -EINVAL);
    ck_assert_int_eq(world_changes(), 0);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "RegisterTaskDefinition family=web"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "dry run"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "example/app:3"));
}
END_TEST

START_TEST(read_only)
{
    write_world_teardown();
    write_world_with(&(struct fs_options){.source = "fake",
                                          .options = "ro",
                                          .uid = 1,
                                          .gid = 1,
                                          .stale_ms = 5000,
                                          .ro = true,
                                          .allow_delete = true});
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), -EROFS);
    ck_assert_int_eq(world_mkdir("/clusters", "x"), -EROFS);
    ck_assert_int_eq(world_create(FAMILY, "t", "", 0), -EROFS);
    ck_assert_int_eq(world_unlink(FAMILY, "latest.json"), -EROFS);
    ck_assert_int_eq(world_unlink(FAMILY, "1.json"), -EROFS);
    ck_assert_int_eq(world_rmdir("/clusters", "prod"), -EROFS);
    ck_assert_int_eq(world_rename(FAMILY, "latest.json", FAMILY, "x", 0), -EROFS);
    ck_assert_int_eq(world_changes(), 0);
}
END_TEST

/* ---- tags ---- */

#define TAGS SERVICES "/web/tags"

START_TEST(tags_are_files)
{
    ck_assert_str_eq(world_ls(&world, TAGS), "");
    ck_assert_int_eq(world_lookup(&world, TAGS "/team"), -ENOENT);
    ck_assert_int_eq(world_create(TAGS, "team", "shop\n", 0), 0);
    cleanup_free char *sent =
        json_dumps(json_object_get(world.last, "TagResource"), JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(sent, "{\"resourceArn\":\"arn:aws:ecs:eu-west-1:123456789012:service/prod/web\","
                           "\"tags\":[{\"key\":\"team\",\"value\":\"shop\"}]}");
    ck_assert_str_eq(world_cat(&world, TAGS "/team"), "shop\n");
    ck_assert_int_eq(world_create(TAGS, "a%2Fb", "1\n", 0), 0);
    ck_assert_str_eq(world_ls(&world, TAGS), "a%2Fb\nteam\n");
    ck_assert_int_eq(world_write(&world, TAGS "/team", "pay\n"), 0);
    ck_assert_str_eq(world_cat(&world, TAGS "/team"), "pay\n");
    ck_assert_int_eq(world_calls(&world, "TagResource"), 3);
    ck_assert_int_eq(world_create(TAGS, "team", "x\n", O_EXCL), -EEXIST);
    ck_assert_int_eq(world_create(TAGS, ".team.swp", "swap", O_EXCL), 0);
    ck_assert_int_eq(world_create(TAGS, "empty", "", 0), 0); /* touch makes no tag */
    ck_assert_int_eq(world_lookup(&world, TAGS "/empty"), -ENOENT);
    ck_assert_int_eq(world_unlink(TAGS, "team"), -EPERM);
    ck_assert_int_eq(world_calls(&world, "TagResource"), 3);
    ck_assert_int_eq(world_calls(&world, "UntagResource"), 0);
}
END_TEST

START_TEST(tags_are_removed_where_it_is_allowed)
{
    write_world_teardown();
    write_world_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .allow_delete = true});
    ck_assert_int_eq(world_create(TAGS, "team", "shop\n", 0), 0);
    ck_assert_int_eq(world_unlink(TAGS, "team"), 0);
    ck_assert_int_eq(world_lookup(&world, TAGS "/team"), -ENOENT);
    ck_assert_int_eq(world_unlink(TAGS, "team"), -ENOENT);
    ck_assert_int_eq(world_calls(&world, "UntagResource"), 1);
}
END_TEST

#define ATTRIBUTES "/clusters/prod/container-instances/1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c/attributes"

START_TEST(attributes_are_files)
{
    write_world_teardown();
    write_world_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .allow_delete = true});
    ck_assert_int_eq(world_create(ATTRIBUTES, "rack", "7\n", 0), 0);
    ck_assert_str_eq(world_cat(&world, ATTRIBUTES "/rack"), "7\n");
    ck_assert(world_has_line(world_ls(&world, ATTRIBUTES), "rack"));
    ck_assert_str_eq(world_cat(&world, ATTRIBUTES "/ecs.os-type"), "linux\n");
    ck_assert_int_eq(world_unlink(ATTRIBUTES, "rack"), 0);
    ck_assert_int_eq(world_lookup(&world, ATTRIBUTES "/rack"), -ENOENT);
    ck_assert_int_eq(world_calls(&world, "PutAttributes"), 1);
    ck_assert_int_eq(world_calls(&world, "DeleteAttributes"), 1);
}
END_TEST

/* ---- transaction files ---- */

static const char *read_all(struct fs_handle *handle)
{
    static char text[1024];
    const char *data;
    size_t len;
    ck_assert_int_eq(fs_read(world.tree, &world.rq, handle, sizeof(text) - 1, 0, &data, &len), 0);
    memcpy(text, data, len);
    text[len] = 0;
    return text;
}

START_TEST(run_a_task_and_read_its_id)
{
    struct fs_handle *handle = world_open("/clusters/prod/tasks/run", O_RDWR);
    ck_assert_str_eq(read_all(handle), "");
    json_object_set_new(world_service(&world, "web"), "networkConfiguration",
                        json_pack("{s:{s:[s]}}", "awsvpcConfiguration", "subnets", "subnet-1"));
    ck_assert_int_eq(world_write_at(handle, "web\n", 0), 0);
    json_t *input = json_object_get(world.last, "RunTask");
    ck_assert_str_eq(json_string_value(json_object_get(input, "taskDefinition")), "web");
    ck_assert_str_eq(json_string_value(json_object_get(input, "launchType")), "FARGATE");
    ck_assert_ptr_nonnull(
        json_object_get(json_object_get(input, "networkConfiguration"), "awsvpcConfiguration"));
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(input, "clientToken"))), 32);
    cleanup_free char *id = strdup(read_all(handle));
    ck_assert_uint_eq(strlen(id), 33);
    ck_assert_str_eq(read_all(handle), "");
    char path[128];
    snprintf(path, sizeof(path), "/clusters/prod/tasks/%.32s/status", id);
    ck_assert_str_eq(world_cat(&world, path), "PENDING\n");
    /* a document in pieces */
    ck_assert_int_eq(world_write_at(handle, "{\"taskDefinition\": \"web:1\",", 4), 0);
    ck_assert_int_eq(world_calls(&world, "RunTask"), 1);
    ck_assert_int_eq(world_write_at(handle, " \"count\": 2}\n", 32), 0);
    ck_assert_int_eq(world_calls(&world, "RunTask"), 2);
    ck_assert_uint_eq(strlen(read_all(handle)), 66);
    ck_assert_int_eq(world_flush(handle), 0);
    /* some of them could not be placed: told, and the ids of the others are there to read */
    ck_assert_int_eq(world_write_at(handle, "{\"taskDefinition\": \"web:1\", \"count\": 3}", 0), -EBUSY);
    ck_assert_uint_eq(strlen(read_all(handle)), 66);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, "/clusters/prod/tasks/run", "user.ecsfs.error"), "RESOURCE:MEMORY"));
    ck_assert_int_eq(world_write_at(handle, "{\"taskDefinitions\": \"web:1\"}", 0), -EINVAL);
    ck_assert_int_eq(world_write_at(handle, "two words\n", 0), -EINVAL);
    ck_assert_int_eq(world_write_at(handle, "{\"taskDefinition\":", 0), 0);
    ck_assert_int_eq(world_flush(handle), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "RunTask"), 3);
    fs_release(world.tree, handle);
    ck_assert(!world_has_line(world_ls(&world, "/clusters/prod/tasks"), "run"));
}
END_TEST

/* Ctrl-C while the request waits: what it wrote is not the beginning of what is written next. */
START_TEST(an_interrupted_run_leaves_nothing_behind)
{
    struct fs_handle *handle = world_open("/clusters/prod/tasks/run", O_RDWR);
    world.hung = true;
    ck_assert_int_eq(world_write_at(handle, "web\n", 0), -EBUSY);
    ck_assert_int_eq(world_write_at(handle, "{\"taskDefinition\": \"web\"}\n", 0), -EBUSY);
    world.hung = false;
    ck_assert_int_eq(world_flush(handle), 0);
    ck_assert_int_eq(world_write_at(handle, "api\n", 0), 0);
    json_t *input = json_object_get(world.last, "RunTask");
    ck_assert_str_eq(json_string_value(json_object_get(input, "taskDefinition")), "api");
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, "a\0b\n", 4, 0);
    ck_assert_int_eq(world_end(&world, fs_handle_inode(handle), r), -EINVAL);
    ck_assert_int_eq(world_write_at(handle, "{\"taskDefinition\": \"api\"", 0), 0); /* in pieces still */
    ck_assert_int_eq(world_write_at(handle, "}", 0), 0);
    ck_assert_int_eq(world_flush(handle), 0);
    fs_release(world.tree, handle);
}
END_TEST

START_TEST(who_names_instances_starts_tasks_there)
{
    struct fs_handle *handle = world_open("/clusters/prod/tasks/run", O_RDWR);
    ck_assert_int_lt(
        world_write_at(handle, "{\"taskDefinition\": \"web\", \"containerInstances\": [\"i\"]}", 0), 0);
    ck_assert_int_eq(world_calls(&world, "StartTask"), 1); /* which the made-up account does not know */
    ck_assert_int_eq(world_calls(&world, "RunTask"), 0);
    cleanup_free char *sent =
        json_dumps(json_object_get(world.last, "StartTask"), JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(sent,
                     "{\"cluster\":\"prod\",\"containerInstances\":[\"i\"],\"taskDefinition\":\"web\"}");
    fs_release(world.tree, handle);
}
END_TEST

START_TEST(create_a_cluster_by_document)
{
    struct fs_handle *handle = world_open("/clusters/create", O_RDWR);
    ck_assert_int_eq(world_write_at(handle, "{\"settings\": []}", 0), -EINVAL);
    ck_assert_int_eq(world_write_at(handle, "{\"clusterName\": \"two\", \"settings\": []}", 0), 0);
    ck_assert_str_eq(read_all(handle), "two\n");
    fs_release(world.tree, handle);
    ck_assert_str_eq(world_cat(&world, "/clusters/two/status"), "ACTIVE\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = tcase_create("tree");
    tcase_add_checked_fixture(tcase, write_world_setup, write_world_teardown);
    tcase_add_test(tcase, vim_renames_away_and_creates);
    tcase_add_test(tcase, vim_restores_its_backup);
    tcase_add_test(tcase, replaced_by_rename);
    tcase_add_test(tcase, a_scalar_is_replaced_by_rename);
    tcase_add_test(tcase, tombstones_heal);
    tcase_add_test(tcase, emacs_locks_with_a_link);
    tcase_add_test(tcase, scratch_moves_and_outlives_its_name);
    tcase_add_test(tcase, names_that_cannot_be);
    tcase_add_test(tcase, a_draft_family);
    tcase_add_test(tcase, who_made_a_draft_creates_its_document);
    tcase_add_test(tcase, who_made_a_draft_and_listed_it_finds_its_document);
    tcase_add_test(tcase, a_draft_is_its_makers_to_remove);
    tcase_add_test(tcase, a_draft_service_by_lines);
    tcase_add_test(tcase, a_twin_by_cp);
    tcase_add_test(tcase, without_allow_delete_nothing_is_removed);
    tcase_add_test(tcase, with_allow_delete);
    tcase_add_test(tcase, dry_run_checks_and_journals);
    tcase_add_test(tcase, read_only);
    tcase_add_test(tcase, tags_are_files);
    tcase_add_test(tcase, tags_are_removed_where_it_is_allowed);
    tcase_add_test(tcase, attributes_are_files);
    tcase_add_test(tcase, run_a_task_and_read_its_id);
    tcase_add_test(tcase, who_names_instances_starts_tasks_there);
    tcase_add_test(tcase, an_interrupted_run_leaves_nothing_behind);
    tcase_add_test(tcase, create_a_cluster_by_document);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
