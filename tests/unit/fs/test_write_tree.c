/* SPDX-License-Identifier: Apache-2.0 */
/* The write path through the tree, on a made-up account: what reaches AWS, what is shown, what is said. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "local.h"
#include "tree_account.h"
#include "tree_private.h"
#include "tree_world.h"
#include "write_account.h"

#define FAMILY "/task-definitions/web"
#define LATEST FAMILY "/latest.json"
#define SERVICES "/clusters/prod/services"
#define GOOD "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"example/app:9\"}]}\n"
#define BETTER "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"example/app:10\"}]}\n"
#define REFUSED "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"refused\"}]}\n"

static struct world world;

static void setup_with(const struct fs_options *options)
{
    account_more = write_account_answer;
    write_account_loss = (struct write_account_loss){0};
    world_init(&world, options);
}

static void setup(void)
{
    setup_with(NULL);
}

static void teardown(void)
{
    world_free(&world);
}

static struct fs_inode *at(const char *path)
{
    int r;
    struct fs_inode *inode = world_at(&world, path, &r);
    ck_assert_msg(inode != NULL, "%s: %s", path, strerror(-r));
    return inode;
}

static int changes(void)
{
    static const char *const operations[] = {"RegisterTaskDefinition",
                                             "DeregisterTaskDefinition",
                                             "CreateCluster",
                                             "DeleteCluster",
                                             "CreateService",
                                             "UpdateService",
                                             "DeleteService",
                                             "RunTask",
                                             "TagResource",
                                             "UntagResource"};
    int sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        sum += world_calls(&world, operations[i]);
    return sum;
}

/* ---- operations ---- */

static struct fs_handle *open_file(const char *path, int flags)
{
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    struct fs_inode *inode = at(path);
    int r = WORLD_RUN(&world, inode, fs_open(world.tree, &world.rq, inode, flags, &handle, &hints));
    ck_assert_msg(r == 0, "%s: %s", path, strerror(-r));
    return handle;
}

static int write_at(struct fs_handle *handle, const char *text, off_t offset)
{
    struct fs_inode *inode = fs_handle_inode(handle);
    return WORLD_RUN(&world, inode, fs_write(world.tree, &world.rq, handle, text, strlen(text), offset));
}

static int flush(struct fs_handle *handle)
{
    return WORLD_RUN(&world, fs_handle_inode(handle), fs_flush(world.tree, &world.rq, handle));
}

static int sync_file(struct fs_handle *handle)
{
    return WORLD_RUN(&world, fs_handle_inode(handle), fs_fsync(world.tree, &world.rq, handle));
}

static int create(const char *directory, const char *name, const char *text, int flags)
{
    struct fs_inode *parent = at(directory), *inode = NULL;
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    struct fs_attr attr;
    int r = WORLD_RUN(&world, parent,
                      fs_create(world.tree, &world.rq, parent, name, 0600, O_WRONLY | O_CREAT | flags, &inode,
                                &handle, &hints));
    if (r != 0)
        return r;
    r = WORLD_RUN(&world, inode, fs_getattr(world.tree, &world.rq, inode, &attr)); /* as the face does */
    ck_assert_int_eq(r, 0);
    r = *text ? write_at(handle, text, 0) : 0;
    int flushed = flush(handle);
    fs_release(world.tree, handle);
    return r ? r : flushed;
}

static int rename_file(const char *from, const char *name, const char *to, const char *new_name,
                       unsigned flags)
{
    struct fs_inode *a = at(from), *b = at(to);
    return WORLD_RUN(&world, a, fs_rename(world.tree, &world.rq, a, name, b, new_name, flags));
}

static int unlink_file(const char *directory, const char *name)
{
    struct fs_inode *parent = at(directory);
    return WORLD_RUN(&world, parent, fs_unlink(world.tree, &world.rq, parent, name));
}

static int make_directory(const char *directory, const char *name)
{
    struct fs_inode *parent = at(directory), *inode = NULL;
    int r = WORLD_RUN(&world, parent, fs_mkdir(world.tree, &world.rq, parent, name, 0700, &inode));
    ck_assert((r == 0) == (inode != NULL));
    return r;
}

static int remove_directory(const char *directory, const char *name)
{
    struct fs_inode *parent = at(directory);
    return WORLD_RUN(&world, parent, fs_rmdir(world.tree, &world.rq, parent, name));
}

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *found = text; (found = strstr(found, line)); found++) {
        if ((found == text || found[-1] == '\n') && found[len] == '\n')
            return true;
    }
    return false;
}

/* ---- saves ---- */

START_TEST(a_save_is_one_registration)
{
    ck_assert_ptr_nonnull(world_cat(&world, LATEST));
    ck_assert_ptr_nonnull(world_ls(&world, FAMILY));
    world_forget_counts(&world);
    world_step(&world, 1);
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_int_eq(world_calls(&world, "DescribeTaskDefinition"), 1); /* made after the open, to compare */
    ck_assert_int_eq(world_calls(&world, NULL), 2);
    const char *text = world_cat(&world, LATEST);
    ck_assert_ptr_nonnull(strstr(text, "\"image\": \"example/app:9\""));
    ck_assert_ptr_nonnull(strstr(text, "\"family\": \"web\""));
    ck_assert(has_line(world_ls(&world, FAMILY), "4.json"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/4.json"), "app:9"));
    ck_assert_int_eq(world_calls(&world, NULL), 2); /* read your writes, without asking */
    ck_assert_ptr_nonnull(
        strstr(world_cat(&world, "/.ecsfs/journal"), LATEST " RegisterTaskDefinition family=web: ok"));
    ck_assert_ptr_nonnull(strstr(world.told, "inode " LATEST));
}
END_TEST

START_TEST(what_is_there_is_not_saved_again)
{
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    world_step(&world, 60000);
    cleanup_free char *text = strdup(world_cat(&world, LATEST));
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, LATEST, text), 0);
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(changes(), 0);
}
END_TEST

/* Somebody else registered one since we read: equal to the old is a change now. */
START_TEST(compared_with_what_is_there_now)
{
    cleanup_free char *text = strdup(world_cat(&world, LATEST));
    json_t *revisions = json_object_get(json_object_get(world.account, "families"), "web");
    json_t *other = json_deep_copy(json_array_get(revisions, 2));
    json_object_set_new(other, "revision", json_integer(4));
    json_object_set_new(other, "memory", json_string("1024"));
    json_array_append_new(revisions, other);
    world_step(&world, 1);
    ck_assert_int_eq(world_write(&world, LATEST, text), 0);
    ck_assert_int_eq(changes(), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "web:4 is newer than web:3"));
}
END_TEST

START_TEST(the_path_is_the_name)
{
    cleanup_free char *text = strdup(world_cat(&world, LATEST));
    ck_assert_int_eq(world_write(&world, "/task-definitions/api/latest.json", text), 0);
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(world.last, "RegisterTaskDefinition"), "family")),
        "api");
}
END_TEST

START_TEST(a_refusal_is_told_kept_and_remembered)
{
    cleanup_free char *before = strdup(world_cat(&world, LATEST));
    struct fs_handle *handle = open_file(LATEST, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(write_at(handle, REFUSED, 0), -EINVAL);
    ck_assert_int_eq(sync_file(handle), -EINVAL);
    ck_assert_int_eq(write_at(handle, REFUSED, 0), -EINVAL); /* VS Code tries three times */
    ck_assert_int_eq(flush(handle), -EINVAL);
    ck_assert_int_eq(flush(handle), -EINVAL);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_str_eq(world_cat(&world, LATEST), before);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "ClientException: Container.image"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/errors"), "ClientException"));

    char path[256];
    const char *name = world_ls(&world, "/.ecsfs/rejected");
    ck_assert_ptr_nonnull(strstr(name, "Z-web-latest.json\n"));
    snprintf(path, sizeof(path), "/.ecsfs/rejected/%.*s", (int)strcspn(name, "\n"), name);
    ck_assert_str_eq(world_cat(&world, path), REFUSED);

    world_step(&world, 4000);
    ck_assert_int_eq(world_write(&world, LATEST, REFUSED), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    world_step(&world, 5001);
    ck_assert_int_eq(world_write(&world, LATEST, REFUSED), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);

    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_ptr_null(world_xattr(&world, LATEST, "user.ecsfs.error"));
}
END_TEST

START_TEST(what_is_no_verdict_is_tried_again)
{
    world.fail_operation = "RegisterTaskDefinition";
    world.fail_code = "AccessDeniedException";
    world.fail_message = "not you";
    world.fail_status = 400;
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), -EACCES);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1); /* not at flush too */
    ck_assert_ptr_nonnull(strstr(world_ls(&world, "/.ecsfs/rejected"), "latest.json"));
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
}
END_TEST

START_TEST(local_refusals_make_no_call)
{
    at(LATEST);
    world_forget_counts(&world);
    ck_assert_int_eq(world_write(&world, LATEST, "{\"images\": 1}\n"), -EINVAL);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "images: no such field"));
    ck_assert_int_eq(world_write(&world, LATEST, "bad\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, LATEST, "{\"a\":"), -EINVAL);
    ck_assert_int_eq(world_write(&world, LATEST, ""), 0);
    ck_assert_int_eq(world_calls(&world, NULL), 0);
}
END_TEST

/* ---- lost answers ---- */

START_TEST(a_lost_answer_is_looked_for)
{
    write_account_loss = (struct write_account_loss){"RegisterTaskDefinition", false};
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert(has_line(world_ls(&world, FAMILY), "4.json"));
    ck_assert(!has_line(world_ls(&world, FAMILY), "5.json"));
}
END_TEST

START_TEST(what_was_not_done_is_sent_again)
{
    write_account_loss = (struct write_account_loss){"RegisterTaskDefinition", true};
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(world.account, "families"), "web")), 4);
}
END_TEST

/* ---- editors ---- */

START_TEST(vim_renames_away_and_creates)
{
    cleanup_free char *old = strdup(world_cat(&world, LATEST));
    ck_assert_int_eq(create(FAMILY, ".latest.json.swp", "swap", O_EXCL), 0);
    ck_assert_int_eq(create(FAMILY, "4913", "", O_EXCL), 0);
    ck_assert_int_eq(unlink_file(FAMILY, "4913"), 0);
    ck_assert_int_eq(rename_file(FAMILY, "latest.json", FAMILY, "latest.json~", 0), 0);
    ck_assert_int_eq(world_lookup(&world, LATEST), -ENOENT);
    ck_assert(!has_line(world_ls(&world, FAMILY), "latest.json"));
    ck_assert(has_line(world_ls(&world, FAMILY), "latest.json~"));
    ck_assert_int_eq(create(FAMILY, "latest.json", GOOD, O_EXCL), 0);
    ck_assert_str_eq(world_cat(&world, FAMILY "/latest.json~"), old);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:9"));
    ck_assert_int_eq(unlink_file(FAMILY, "latest.json~"), 0);
    ck_assert_int_eq(unlink_file(FAMILY, ".latest.json.swp"), 0);
    ck_assert_int_eq(changes(), 1);
    ck_assert_ptr_null(strchr(world_ls(&world, FAMILY), '~'));
    ck_assert_uint_eq(world.tree->overlay->pool.files, 0);
    ck_assert_uint_eq(world.tree->overlay->pool.bytes, 0);
}
END_TEST

START_TEST(vim_restores_its_backup)
{
    cleanup_free char *old = strdup(world_cat(&world, LATEST));
    ck_assert_int_eq(rename_file(FAMILY, "latest.json", FAMILY, "latest.json~", 0), 0);
    ck_assert_int_eq(create(FAMILY, "latest.json", REFUSED, O_EXCL), -EINVAL);
    ck_assert_int_eq(rename_file(FAMILY, "latest.json~", FAMILY, "latest.json", 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1); /* the refused one */
    ck_assert_str_eq(world_cat(&world, LATEST), old);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/latest.json~"), -ENOENT);
}
END_TEST

START_TEST(replaced_by_rename)
{
    ck_assert_int_eq(create(FAMILY, "sedAbCdEf", GOOD, O_EXCL), 0);
    ck_assert_int_eq(changes(), 0);
    ck_assert_int_eq(rename_file(FAMILY, "sedAbCdEf", FAMILY, "latest.json", 0), 0);
    ck_assert_int_eq(changes(), 1);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/sedAbCdEf"), -ENOENT);
    ck_assert_int_eq(create(FAMILY, "t", REFUSED, 0), 0);
    ck_assert_int_eq(rename_file(FAMILY, "t", FAMILY, "latest.json", 0), -EBADMSG);
    ck_assert_str_eq(world_cat(&world, FAMILY "/t"), REFUSED);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, LATEST, "user.ecsfs.error"), "ClientException"));
    ck_assert_int_eq(rename_file(FAMILY, "t", FAMILY, "latest.json", RENAME_NOREPLACE), -EEXIST);
    ck_assert_int_eq(create(FAMILY, "empty", "", 0), 0);
    ck_assert_int_eq(rename_file(FAMILY, "empty", FAMILY, "latest.json", 0), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:9"));
}
END_TEST

START_TEST(a_scalar_is_replaced_by_rename)
{
    ck_assert_int_eq(create(SERVICES "/web", "t", "7\n", 0), 0);
    ck_assert_int_eq(rename_file(SERVICES "/web", "t", SERVICES "/web", "desired-count", 0), 0);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/desired-count"), "7\n");
    ck_assert_int_eq(create(SERVICES "/web", "t", "many\n", 0), 0);
    ck_assert_int_eq(rename_file(SERVICES "/web", "t", SERVICES "/web", "desired-count", 0), -EBADMSG);
    ck_assert_int_eq(create(SERVICES "/web", "t", "1\n2\n", 0), 0);
    ck_assert_int_eq(rename_file(SERVICES "/web", "t", SERVICES "/web", "desired-count", 0), -EBADMSG);
    ck_assert_int_eq(world_calls(&world, "UpdateService"), 1);
}
END_TEST

START_TEST(tombstones_heal)
{
    at(LATEST);
    world_forget_counts(&world);
    ck_assert_int_eq(unlink_file(FAMILY, "latest.json"), 0);
    ck_assert_int_eq(world_lookup(&world, LATEST), -ENOENT);
    ck_assert_int_eq(unlink_file(FAMILY, "latest.json"), -ENOENT);
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), FS_TOMBSTONE_MS);
    world_step(&world, FS_TOMBSTONE_MS - 1);
    ck_assert_int_eq(world_lookup(&world, LATEST), -ENOENT);
    world_step(&world, 1);
    ck_assert_int_eq(world_lookup(&world, LATEST), 0);
    ck_assert_ptr_nonnull(strstr(world.told, "entry " FAMILY " latest.json"));
    ck_assert_int_eq(changes(), 0);
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), -1);
}
END_TEST

START_TEST(emacs_locks_with_a_link)
{
    struct fs_inode *parent = at(FAMILY), *inode = NULL;
    ck_assert_int_eq(
        WORLD_RUN(&world, parent,
                  fs_symlink(world.tree, &world.rq, parent, ".#latest.json", "me@here.1:2", &inode)),
        0);
    ck_assert_str_eq(world_readlink(&world, FAMILY "/.#latest.json"), "me@here.1:2");
    ck_assert_int_eq(unlink_file(FAMILY, ".#latest.json"), 0);
    ck_assert_int_eq(world_lookup(&world, FAMILY "/.#latest.json"), -ENOENT);
}
END_TEST

START_TEST(scratch_moves_and_outlives_its_name)
{
    ck_assert_int_eq(create(FAMILY, "a", "one", 0), 0);
    ck_assert_int_eq(create(FAMILY, "b", "two", 0), 0);
    ck_assert_int_eq(create(FAMILY, "b", "x", O_EXCL), -EEXIST);
    struct fs_handle *handle = open_file(FAMILY "/b", O_RDWR);
    ck_assert_int_eq(rename_file(FAMILY, "a", FAMILY, "b", 0), 0);
    ck_assert_str_eq(world_cat(&world, FAMILY "/b"), "one");
    const char *data;
    size_t len;
    ck_assert_int_eq(fs_read(world.tree, &world.rq, handle, 10, 0, &data, &len), 0);
    ck_assert_uint_eq(len, 3);
    ck_assert_mem_eq(data, "two", 3);
    fs_release(world.tree, handle);
    ck_assert_int_eq(create(FAMILY, "a", "three", O_EXCL), 0); /* the old name again */
    ck_assert_str_eq(world_cat(&world, FAMILY "/a"), "three");
    ck_assert_str_eq(world_cat(&world, FAMILY "/b"), "one");
    ck_assert_int_eq(rename_file(FAMILY, "b", SERVICES "/web", "c", 0), 0);
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/c"), "one");
}
END_TEST

START_TEST(names_that_cannot_be)
{
    ck_assert_int_eq(create(FAMILY, "43.json", GOOD, 0), -EPERM); /* would seem to be a revision */
    ck_assert_int_eq(create("/", "x", "", 0), -EPERM);
    ck_assert_int_eq(create("/clusters", "x", "", 0), -EISDIR);
    ck_assert_int_eq(create("/clusters/prod/tasks", "x", "", 0), -EPERM);
    ck_assert_int_eq(make_directory(FAMILY, "x"), -EPERM);
    ck_assert_int_eq(make_directory("/clusters", "prod"), -EEXIST);
    ck_assert_int_eq(rename_file(FAMILY, "1.json", FAMILY, "x", 0), -EPERM);
    ck_assert_int_eq(rename_file("/clusters", "prod", "/clusters", "x", 0), -EPERM);
    ck_assert_int_eq(changes(), 0);
}
END_TEST

/* ---- drafts ---- */

START_TEST(a_draft_family)
{
    ck_assert_int_eq(make_directory("/task-definitions", "new"), 0);
    ck_assert_int_eq(changes(), 0);
    ck_assert(has_line(world_ls(&world, "/task-definitions"), "new"));
    ck_assert_int_eq(make_directory("/task-definitions", "new"), -EEXIST);
    ck_assert_str_eq(world_cat(&world, "/task-definitions/new/latest.json"), "");
    ck_assert_int_eq(world_write(&world, "/task-definitions/new/latest.json", REFUSED), -EINVAL);
    ck_assert_str_eq(world_cat(&world, "/task-definitions/new/latest.json"), "");
    ck_assert_int_eq(world_write(&world, "/task-definitions/new/latest.json", GOOD), 0);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/task-definitions/new/latest.json"), "app:9"));
    ck_assert(has_line(world_ls(&world, "/task-definitions/new"), "1.json"));
    ck_assert_int_eq(remove_directory("/task-definitions", "new"), -EPERM);
    ck_assert_ptr_null(world.tree->overlay->drafts);
}
END_TEST

START_TEST(a_draft_is_its_makers_to_remove)
{
    ck_assert_int_eq(make_directory(SERVICES, "new"), 0);
    ck_assert_int_eq(create(SERVICES "/new", "t", "x", 0), 0);
    ck_assert_int_eq(remove_directory(SERVICES, "new"), -ENOTEMPTY);
    ck_assert_int_eq(unlink_file(SERVICES "/new", "t"), 0);
    ck_assert_int_eq(remove_directory(SERVICES, "new"), 0);
    ck_assert_int_eq(world_lookup(&world, SERVICES "/new"), -ENOENT);
    ck_assert(!has_line(world_ls(&world, SERVICES), "new"));
    ck_assert_int_eq(changes(), 0);
}
END_TEST

START_TEST(a_draft_service_by_lines)
{
    ck_assert_int_eq(make_directory(SERVICES, "new"), 0);
    ck_assert_int_eq(world_write(&world, SERVICES "/new/force-new-deployment", "1\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, SERVICES "/new/desired-count", "many\n"), -EINVAL);
    ck_assert_int_eq(world_write(&world, SERVICES "/new/desired-count", "4\n"), 0);
    ck_assert_str_eq(world_cat(&world, SERVICES "/new/desired-count"), "4\n");
    ck_assert_int_eq(changes(), 0);
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
    ck_assert(has_line(world_ls(&world, SERVICES), "new"));
}
END_TEST

START_TEST(a_twin_by_cp)
{
    ck_assert_int_eq(make_directory("/clusters", "stage"), 0);
    ck_assert_int_eq(world_calls(&world, "CreateCluster"), 1);
    ck_assert_int_eq(make_directory("/clusters/stage/services", "web"), 0);
    cleanup_free char *text = strdup(world_cat(&world, SERVICES "/web/service.json"));
    ck_assert_int_eq(world_write(&world, "/clusters/stage/services/web/service.json", text), 0);
    json_t *input = json_object_get(world.last, "CreateService");
    ck_assert_str_eq(json_string_value(json_object_get(input, "cluster")), "stage");
    ck_assert_str_eq(json_string_value(json_object_get(input, "taskDefinition")), "web:1");
    ck_assert_int_eq(json_integer_value(json_object_get(input, "desiredCount")), 0);
    ck_assert_str_eq(world_cat(&world, "/clusters/stage/services/web/status"), "ACTIVE\n");
}
END_TEST

/* ---- services ---- */

START_TEST(only_what_differs_is_sent)
{
    cleanup_free char *text = strdup(world_cat(&world, SERVICES "/web/service.json"));
    char *revision = strstr(text, "web:1\"");
    ck_assert_ptr_nonnull(revision);
    revision[4] = '2';
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json", text), 0);
    cleanup_free char *sent =
        json_dumps(json_object_get(world.last, "UpdateService"), JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(sent, "{\"cluster\":\"prod\",\"service\":\"web\",\"taskDefinition\":\"web:2\"}");
}
END_TEST

START_TEST(a_service_that_went_is_not_made_anew)
{
    struct fs_handle *handle = open_file(SERVICES "/web/service.json", O_WRONLY | O_TRUNC);
    json_object_del(
        json_object_get(json_object_get(json_object_get(world.account, "clusters"), "prod"), "services"),
        "web");
    world_step(&world, 1);
    ck_assert_int_eq(write_at(handle, "{\"desiredCount\": 5}\n", 0), -ESTALE);
    fs_release(world.tree, handle);
    ck_assert_int_eq(changes(), 0);
}
END_TEST

START_TEST(the_first_failure_stops_and_says_what_was_done)
{
    world.fail_operation = "TagResource";
    world.fail_code = "InvalidParameterException";
    world.fail_message = "no such tag";
    world.fail_status = 400;
    ck_assert_int_eq(world_write(&world, SERVICES "/web/service.json",
                                 "{\"desiredCount\": 9, \"tags\": [{\"key\": \"a\", \"value\": \"b\"}]}\n"),
                     -EINVAL);
    ck_assert_ptr_nonnull(strstr(world_xattr(&world, SERVICES "/web/service.json", "user.ecsfs.error"),
                                 "UpdateService was done, but then: no such tag"));
    ck_assert_str_eq(world_cat(&world, SERVICES "/web/desired-count"), "9\n");
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
        int r = rows[i].is_directory ? remove_directory(rows[i].directory, rows[i].name)
                                     : unlink_file(rows[i].directory, rows[i].name);
        ck_assert_msg(r == -EPERM, "%s/%s: %d", rows[i].directory, rows[i].name, r);
    }
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/errors"), "mount with -o allow_delete"));
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, FAMILY "/1.json", "user.ecsfs.error"), "deregisters the revision"));
    ck_assert_int_eq(changes(), 0);
}
END_TEST

START_TEST(with_allow_delete)
{
    teardown();
    setup_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .allow_delete = true});
    ck_assert_ptr_nonnull(world_ls(&world, FAMILY));
    ck_assert_int_eq(unlink_file(FAMILY, "1.json"), 0);
    ck_assert_int_eq(world_calls(&world, "DeregisterTaskDefinition"), 1);
    ck_assert(!has_line(world_ls(&world, FAMILY), "1.json"));
    ck_assert_int_eq(remove_directory("/task-definitions", "web"), -ENOTEMPTY);
    ck_assert_int_eq(remove_directory("/clusters", "prod"), -ENOTEMPTY);
    ck_assert_int_eq(remove_directory(SERVICES, "web"), 0);
    ck_assert_int_eq(remove_directory(SERVICES, "api"), 0);
    ck_assert_int_eq(world_lookup(&world, SERVICES "/web"), -ENOENT);
    ck_assert_int_eq(remove_directory("/clusters", "prod"), 0);
    ck_assert_int_eq(world_lookup(&world, "/clusters/prod"), -ENOENT);
    ck_assert_int_eq(unlink_file(FAMILY, "latest.json"), 0); /* still a tombstone */
    ck_assert_int_eq(world_calls(&world, "DeregisterTaskDefinition"), 1);
}
END_TEST

START_TEST(dry_run_checks_and_journals)
{
    teardown();
    setup_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .dry_run = true});
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), 0);
    ck_assert_int_eq(world_write(&world, LATEST, "{\"images\": 1}"), -EINVAL);
    ck_assert_int_eq(changes(), 0);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "RegisterTaskDefinition family=web"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, "/.ecsfs/journal"), "dry run"));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "example/app:3"));
}
END_TEST

START_TEST(read_only)
{
    teardown();
    setup_with(&(struct fs_options){.source = "fake",
                                    .options = "ro",
                                    .uid = 1,
                                    .gid = 1,
                                    .stale_ms = 5000,
                                    .ro = true,
                                    .allow_delete = true});
    ck_assert_int_eq(world_write(&world, LATEST, GOOD), -EROFS);
    ck_assert_int_eq(make_directory("/clusters", "x"), -EROFS);
    ck_assert_int_eq(create(FAMILY, "t", "", 0), -EROFS);
    ck_assert_int_eq(unlink_file(FAMILY, "latest.json"), -EROFS);
    ck_assert_int_eq(unlink_file(FAMILY, "1.json"), -EROFS);
    ck_assert_int_eq(remove_directory("/clusters", "prod"), -EROFS);
    ck_assert_int_eq(rename_file(FAMILY, "latest.json", FAMILY, "x", 0), -EROFS);
    ck_assert_int_eq(changes(), 0);
}
END_TEST

/* ---- interrupted ---- */

START_TEST(interrupted_while_aws_works_on_it)
{
    struct fs_handle *handle = open_file(LATEST, O_WRONLY | O_TRUNC);
    struct fs_inode *inode = fs_handle_inode(handle);
    world.hung = true;                                   /* the describe does not come */
    ck_assert_int_eq(write_at(handle, GOOD, 0), -EBUSY); /* world_end interrupts it */
    ck_assert_int_eq(flush(handle), -EINTR);
    world.hung = false;
    ck_assert_int_eq(write_at(handle, GOOD, 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_int_eq(flush(handle), 0);
    fs_release(world.tree, handle);

    /* now the registration itself hangs: the next save waits for its outcome, and finds it done */
    handle = open_file(LATEST, O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, BETTER, strlen(BETTER), 0);
    for (int i = 0; i < 100 && world_calls(&world, "RegisterTaskDefinition") < 2; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, handle, BETTER, strlen(BETTER), 0);
    }
    ck_assert_int_eq(r, FS_PARKED);
    fs_request_interrupt(world.tree, &world.rq);
    ck_assert_int_eq(flush(handle), -EINTR);
    ck_assert_int_eq(write_at(handle, BETTER, 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    fs_release(world.tree, handle);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:10"));
    ck_assert_ptr_null(inode->local);
}
END_TEST

static void never_mind(struct ecs_want *want) {}

/* A child that inherited the descriptor ends while its parent's write is being saved. */
START_TEST(a_flush_waits_for_the_save_under_way)
{
    struct fs_handle *handle = open_file(LATEST, O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    ck_assert_int_eq(r, FS_PARKED);
    struct fs_request other = {.want = {.since_ms = world.clock.now, .wake = never_mind}, .pid = 7};
    ck_assert_int_eq(fs_flush(world.tree, &other, handle), FS_PARKED);
    for (int i = 0; i < 100 && r == FS_PARKED; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    }
    ck_assert_int_eq(world_end(&world, fs_handle_inode(handle), r), 0);
    world_step(&world, 1000);
    ck_assert_int_eq(fs_flush(world.tree, &other, handle), 0);
    fs_request_end(world.tree, &other, fs_handle_inode(handle), 0);
    fs_release(world.tree, handle);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
}
END_TEST

START_TEST(a_mapping_written_back_late_is_saved)
{
    struct fs_handle *handle = open_file(LATEST, O_RDWR);
    struct fs_inode *inode = fs_handle_inode(handle);
    ck_assert_int_eq(flush(handle), 0);
    world_begin(&world);
    world.rq.pid = 0;
    int r = fs_truncate(world.tree, &world.rq, inode, handle, 0);
    ck_assert_int_eq(r, 0);
    r = fs_write(world.tree, &world.rq, handle, GOOD, strlen(GOOD), 0);
    ck_assert_int_eq(world_end(&world, inode, r), 0);
    fs_release(world.tree, handle);
    for (int i = 0; i < 10; i++) { /* nobody waits: the loop goes on by itself */
        world_begin(&world);
        world_again(&world, FS_PARKED);
        world_step(&world, 1);
    }
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:9"));
}
END_TEST

/* ---- who sees what ---- */

START_TEST(readers_see_the_old_until_the_save)
{
    cleanup_free char *old = strdup(world_cat(&world, LATEST));
    struct fs_handle *handle = open_file(LATEST, O_WRONLY | O_TRUNC);
    struct fs_attr attr;
    ck_assert_int_eq(write_at(handle, "{\"containerDefinitions\": [", 0), 0);
    ck_assert_str_eq(world_cat(&world, LATEST), old);
    struct fs_inode *inode = fs_handle_inode(handle);
    world_begin(&world);
    ck_assert_int_eq(fs_getattr(world.tree, &world.rq, inode, &attr), 0);
    ck_assert_int_eq(attr.st.st_size, 26); /* who writes sees what it wrote */
    world.rq.pid = 1;
    ck_assert_int_eq(fs_getattr(world.tree, &world.rq, inode, &attr), 0);
    ck_assert_int_eq(attr.st.st_size, (off_t)strlen(old));
    world_end(&world, inode, 0);
    ck_assert_int_eq(flush(handle), -EINVAL);
    fs_release(world.tree, handle);
    ck_assert_str_eq(world_cat(&world, LATEST), old);
}
END_TEST

/* ---- tags ---- */

#define TAGS SERVICES "/web/tags"

START_TEST(tags_are_files)
{
    ck_assert_str_eq(world_ls(&world, TAGS), "");
    ck_assert_int_eq(world_lookup(&world, TAGS "/team"), -ENOENT);
    ck_assert_int_eq(create(TAGS, "team", "shop\n", 0), 0);
    cleanup_free char *sent =
        json_dumps(json_object_get(world.last, "TagResource"), JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(sent, "{\"resourceArn\":\"arn:aws:ecs:eu-west-1:123456789012:service/prod/web\","
                           "\"tags\":[{\"key\":\"team\",\"value\":\"shop\"}]}");
    ck_assert_str_eq(world_cat(&world, TAGS "/team"), "shop\n");
    ck_assert_int_eq(create(TAGS, "a%2Fb", "1\n", 0), 0);
    ck_assert_str_eq(world_ls(&world, TAGS), "a%2Fb\nteam\n");
    ck_assert_int_eq(world_write(&world, TAGS "/team", "pay\n"), 0);
    ck_assert_str_eq(world_cat(&world, TAGS "/team"), "pay\n");
    ck_assert_int_eq(world_calls(&world, "TagResource"), 3);
    ck_assert_int_eq(create(TAGS, "team", "x\n", O_EXCL), -EEXIST);
    ck_assert_int_eq(create(TAGS, ".team.swp", "swap", O_EXCL), 0);
    ck_assert_int_eq(create(TAGS, "empty", "", 0), 0); /* touch makes no tag */
    ck_assert_int_eq(world_lookup(&world, TAGS "/empty"), -ENOENT);
    ck_assert_int_eq(unlink_file(TAGS, "team"), -EPERM);
    ck_assert_int_eq(world_calls(&world, "TagResource"), 3);
    ck_assert_int_eq(world_calls(&world, "UntagResource"), 0);
}
END_TEST

START_TEST(tags_are_removed_where_it_is_allowed)
{
    teardown();
    setup_with(&(struct fs_options){
        .source = "fake", .options = "rw", .uid = 1, .gid = 1, .stale_ms = 5000, .allow_delete = true});
    ck_assert_int_eq(create(TAGS, "team", "shop\n", 0), 0);
    ck_assert_int_eq(unlink_file(TAGS, "team"), 0);
    ck_assert_int_eq(world_lookup(&world, TAGS "/team"), -ENOENT);
    ck_assert_int_eq(unlink_file(TAGS, "team"), -ENOENT);
    ck_assert_int_eq(world_calls(&world, "UntagResource"), 1);
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
    struct fs_handle *handle = open_file("/clusters/prod/tasks/run", O_RDWR);
    ck_assert_str_eq(read_all(handle), "");
    json_object_set_new(world_service(&world, "web"), "networkConfiguration",
                        json_pack("{s:{s:[s]}}", "awsvpcConfiguration", "subnets", "subnet-1"));
    ck_assert_int_eq(write_at(handle, "web\n", 0), 0);
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
    ck_assert_int_eq(write_at(handle, "{\"taskDefinition\": \"web:1\",", 4), 0);
    ck_assert_int_eq(world_calls(&world, "RunTask"), 1);
    ck_assert_int_eq(write_at(handle, " \"count\": 2}\n", 32), 0);
    ck_assert_int_eq(world_calls(&world, "RunTask"), 2);
    ck_assert_uint_eq(strlen(read_all(handle)), 66);
    ck_assert_int_eq(flush(handle), 0);
    /* some of them could not be placed: told, and the ids of the others are there to read */
    ck_assert_int_eq(write_at(handle, "{\"taskDefinition\": \"web:1\", \"count\": 3}", 0), -EBUSY);
    ck_assert_uint_eq(strlen(read_all(handle)), 66);
    ck_assert_ptr_nonnull(
        strstr(world_xattr(&world, "/clusters/prod/tasks/run", "user.ecsfs.error"), "RESOURCE:MEMORY"));
    ck_assert_int_eq(write_at(handle, "{\"taskDefinitions\": \"web:1\"}", 0), -EINVAL);
    ck_assert_int_eq(write_at(handle, "two words\n", 0), -EINVAL);
    ck_assert_int_eq(write_at(handle, "{\"taskDefinition\":", 0), 0);
    ck_assert_int_eq(flush(handle), -EINVAL);
    ck_assert_int_eq(world_calls(&world, "RunTask"), 3);
    fs_release(world.tree, handle);
    ck_assert(!has_line(world_ls(&world, "/clusters/prod/tasks"), "run"));
}
END_TEST

START_TEST(create_a_cluster_by_document)
{
    struct fs_handle *handle = open_file("/clusters/create", O_RDWR);
    ck_assert_int_eq(write_at(handle, "{\"settings\": []}", 0), -EINVAL);
    ck_assert_int_eq(write_at(handle, "{\"clusterName\": \"two\", \"settings\": []}", 0), 0);
    ck_assert_str_eq(read_all(handle), "two\n");
    fs_release(world.tree, handle);
    ck_assert_str_eq(world_cat(&world, "/clusters/two/status"), "ACTIVE\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("write");
    TCase *tcase = tcase_create("tree");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_save_is_one_registration);
    tcase_add_test(tcase, what_is_there_is_not_saved_again);
    tcase_add_test(tcase, compared_with_what_is_there_now);
    tcase_add_test(tcase, the_path_is_the_name);
    tcase_add_test(tcase, a_refusal_is_told_kept_and_remembered);
    tcase_add_test(tcase, what_is_no_verdict_is_tried_again);
    tcase_add_test(tcase, local_refusals_make_no_call);
    tcase_add_test(tcase, a_lost_answer_is_looked_for);
    tcase_add_test(tcase, what_was_not_done_is_sent_again);
    tcase_add_test(tcase, vim_renames_away_and_creates);
    tcase_add_test(tcase, vim_restores_its_backup);
    tcase_add_test(tcase, replaced_by_rename);
    tcase_add_test(tcase, a_scalar_is_replaced_by_rename);
    tcase_add_test(tcase, tombstones_heal);
    tcase_add_test(tcase, emacs_locks_with_a_link);
    tcase_add_test(tcase, scratch_moves_and_outlives_its_name);
    tcase_add_test(tcase, names_that_cannot_be);
    tcase_add_test(tcase, a_draft_family);
    tcase_add_test(tcase, a_draft_is_its_makers_to_remove);
    tcase_add_test(tcase, a_draft_service_by_lines);
    tcase_add_test(tcase, a_twin_by_cp);
    tcase_add_test(tcase, only_what_differs_is_sent);
    tcase_add_test(tcase, a_service_that_went_is_not_made_anew);
    tcase_add_test(tcase, the_first_failure_stops_and_says_what_was_done);
    tcase_add_test(tcase, without_allow_delete_nothing_is_removed);
    tcase_add_test(tcase, with_allow_delete);
    tcase_add_test(tcase, dry_run_checks_and_journals);
    tcase_add_test(tcase, read_only);
    tcase_add_test(tcase, interrupted_while_aws_works_on_it);
    tcase_add_test(tcase, a_flush_waits_for_the_save_under_way);
    tcase_add_test(tcase, a_mapping_written_back_late_is_saved);
    tcase_add_test(tcase, readers_see_the_old_until_the_save);
    tcase_add_test(tcase, tags_are_files);
    tcase_add_test(tcase, tags_are_removed_where_it_is_allowed);
    tcase_add_test(tcase, run_a_task_and_read_its_id);
    tcase_add_test(tcase, create_a_cluster_by_document);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
