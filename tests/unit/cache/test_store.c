/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot change is kept across remounts, whatever becomes of the file meanwhile. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "fake.h"
#include "store_file.h"

#define ARN "arn:aws:ecs:eu-west-1:123456789012:"

static struct fake fake;
static char top[64], dir[128];

static void mount_cache(const char *account)
{
    struct ecs_cache_options options = {
        .stale_ms = 5000, .grace_ms = 1000, .settle_ms = 10000, .in_flight = 10, .cache_dir = dir};
    fake_init(&fake, &options);
    snprintf(fake.account, sizeof(fake.account), "%s", account);
}

static void setup(void)
{
    snprintf(top, sizeof(top), "%s/ecsfs-store-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(top));
    snprintf(dir, sizeof(dir), "%s/deep/cache", top);
    mount_cache("123456789012");
}

static void empty_dir(const char *path)
{
    DIR *handle = opendir(path);
    struct dirent *entry;
    while (handle && (entry = readdir(handle))) {
        char name[512];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    if (handle)
        closedir(handle);
    rmdir(path);
}

static void teardown(void)
{
    char deep[128];
    fake_free(&fake);
    snprintf(deep, sizeof(deep), "%s/deep", top);
    empty_dir(dir);
    empty_dir(deep);
    empty_dir(top);
}

static void remount(const char *account)
{
    fake_free(&fake);
    mount_cache(account);
}

/* The one file of documents; its path. */
static const char *the_file(void)
{
    static char path[512];
    DIR *handle = opendir(dir);
    struct dirent *entry;
    path[0] = 0;
    while (handle && (entry = readdir(handle)))
        if (strstr(entry->d_name, ".docs"))
            snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
    if (handle)
        closedir(handle);
    return path;
}

/* Reads a revision; the world answers. Returns the describes that it took, or -errno. */
static int read_revision(const char *id)
{
    struct ecs_key key = {ECS_REVISION, "web", id};
    struct waiter waiter;
    struct ecs_doc *doc;
    size_t before = fake_count(&fake, "DescribeTaskDefinition");
    ecs_cache_pump(fake.cache);
    waiter_init(&fake, &waiter);
    int r = ecs_cache_doc(fake.cache, &waiter.want, &key, &doc);
    if (r == ECS_PARKED) {
        fake_world(&fake, 0);
        r = ecs_cache_doc(fake.cache, &waiter.want, &key, &doc);
    }
    if (r < 0)
        return r;
    ck_assert_str_eq(ecs_doc_field(doc, "revision"), id);
    ck_assert_str_eq(ecs_doc_field(doc, "status"), "ACTIVE");
    ck_assert_int_eq(ecs_doc_time_ms(doc), 1700000000250);
    return (int)(fake_count(&fake, "DescribeTaskDefinition") - before);
}

START_TEST(revisions_are_described_once_in_a_lifetime)
{
    int64_t left;
    struct ecs_key first = {ECS_REVISION, "web", "1"};
    ck_assert_int_eq(read_revision("1"), 1);
    ck_assert_int_eq(read_revision("2"), 1);
    remount("123456789012");
    ck_assert_int_eq(read_revision("1"), 0);
    ck_assert_int_eq(read_revision("2"), 0);
    ck_assert_int_eq(read_revision("3"), 1);
    ck_assert_ptr_nonnull(ecs_cache_peek(fake.cache, &first, &left));
    ck_assert_int_eq(left, INT64_MAX);
    ck_assert_uint_eq(fake.len, 1);
    remount("123456789012");
    ck_assert_int_eq(read_revision("3"), 0);
}
END_TEST

START_TEST(files_are_private)
{
    struct stat st;
    ck_assert_int_eq(read_revision("1"), 1);
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(stat(the_file(), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(an_account_has_its_own_documents)
{
    ck_assert_int_eq(read_revision("1"), 1);
    remount("999999999999");
    ck_assert_int_eq(read_revision("1"), 1);
}
END_TEST

/* The backend does not know the account: the first ARN tells. */
START_TEST(the_account_is_learned_from_arns)
{
    struct ecs_key revisions = {ECS_REVISION, "web", ""};
    struct waiter waiter;
    const struct ecs_list *list;
    ck_assert_int_eq(read_revision("1"), 1);
    remount("");
    ecs_cache_pump(fake.cache);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &revisions, &list), ECS_PARKED);
    fake_reply(&fake, fake_open(&fake, 0), "{'taskDefinitionArns':['" ARN "task-definition/web:1']}");
    ecs_cache_pump(fake.cache);
    ck_assert_int_eq(read_revision("1"), 0);
    remount("");
    ck_assert_int_eq(read_revision("1"), 1); /* asked for before anything was known */
    ck_assert_int_eq(read_revision("2"), 1);
    remount("123456789012");
    ck_assert_int_eq(read_revision("2"), 0);
}
END_TEST

START_TEST(what_is_no_longer_listed_is_asked_for)
{
    struct ecs_key revisions = {ECS_REVISION, "web", ""}, first = {ECS_REVISION, "web", "1"};
    struct waiter waiter;
    const struct ecs_list *list;
    struct ecs_doc *doc;
    ck_assert_int_eq(read_revision("1"), 1);
    for (int i = 0; i < 2; i++) {
        remount("123456789012");
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ecs_cache_list(fake.cache, &waiter.want, &revisions, &list), ECS_PARKED);
        fake_reply(&fake, fake_open(&fake, 0), "{'taskDefinitionArns':[]}");
        ecs_cache_pump(fake.cache);
        ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &first, &doc), ECS_PARKED);
        ecs_cache_pump(fake.cache);
        fake_reply(&fake, fake_open(&fake, 0),
                   "{'taskDefinition':{'family':'web','revision':1,'status':'INACTIVE'}}");
        ecs_cache_pump(fake.cache);
        ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &first, &doc), -ENOENT);
    }
}
END_TEST

/* A test endpoint that was emptied and filled anew has other documents under the same names. */
START_TEST(another_world_under_the_same_name)
{
    struct ecs_key family = {ECS_FAMILY, "", "web"};
    struct waiter waiter;
    struct ecs_doc *doc;
    ck_assert_int_eq(read_revision("1"), 1);
    ck_assert_int_eq(read_revision("2"), 1);
    remount("123456789012");
    ck_assert_int_eq(read_revision("1"), 0);
    waiter_init(&fake, &waiter);
    ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &family, &doc), ECS_PARKED);
    ecs_cache_pump(fake.cache);
    fake_reply(
        &fake, fake_open(&fake, 0),
        "{'taskDefinition':{'family':'web','revision':2,'status':'ACTIVE','registeredAt':1711111111}}");
    ecs_cache_pump(fake.cache);
    struct ecs_key second = {ECS_REVISION, "web", "2"};
    doc = ecs_cache_peek(fake.cache, &second, NULL);
    ck_assert_int_eq(ecs_doc_time_ms(doc), 1711111111000);
    ck_assert_int_eq(read_revision("1"), 1);
}
END_TEST

START_TEST(forgetting_forgets_on_disk)
{
    struct ecs_key first = {ECS_REVISION, "web", "1"};
    ck_assert_int_eq(read_revision("1"), 1);
    remount("123456789012");
    ck_assert_int_eq(read_revision("1"), 0);
    ecs_cache_forget(fake.cache, &first);
    ck_assert_int_eq(read_revision("1"), 1);
    remount("123456789012");
    ck_assert_int_eq(read_revision("1"), 0);
}
END_TEST

START_TEST(live_documents_are_not_kept)
{
    struct ecs_key web = {ECS_SERVICE, "prod", "web"};
    struct waiter waiter;
    struct ecs_doc *doc;
    for (int i = 0; i < 2; i++) {
        ecs_cache_pump(fake.cache);
        waiter_init(&fake, &waiter);
        ck_assert_int_eq(ecs_cache_doc(fake.cache, &waiter.want, &web, &doc), ECS_PARKED);
        fake_world(&fake, 1);
        remount("123456789012");
    }
}
END_TEST

static off_t size_of(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_size;
}

/* A file cut anywhere, or with any byte changed, gives right documents or none. */
START_TEST(any_damage_is_survived)
{
    ck_assert_int_eq(read_revision("1"), 1);
    ck_assert_int_eq(read_revision("2"), 1);
    fake_free(&fake);
    char path[512];
    snprintf(path, sizeof(path), "%s", the_file());
    off_t size = size_of(path);
    cleanup_free char *whole = malloc((size_t)size);
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, whole, (size_t)size), size);
    close(fd);
    for (off_t at = 0; at < size; at++) {
        fd = open(path, O_WRONLY | O_TRUNC);
        ck_assert_int_eq(write(fd, whole, (size_t)(_i ? at : size)), _i ? at : size);
        char wrong = (char)(whole[at] ^ 0x10);
        if (!_i)
            ck_assert_int_eq(pwrite(fd, &wrong, 1, at), 1);
        close(fd);
        mount_cache("123456789012");
        int first = read_revision("1"), second = read_revision("2");
        ck_assert(first >= 0 && second >= 0);
        ck_assert_int_ge(first + second, 1); /* the damage was met */
        remount("123456789012");
        ck_assert_int_eq(read_revision("1") + read_revision("2"), 0); /* and mended */
        fake_free(&fake);
    }
    mount_cache("123456789012");
}
END_TEST

/* As it would be with `> file` or a disk's repair while it is read. */
START_TEST(a_file_that_is_cut_meanwhile_kills_nobody)
{
    enum { OPENS = 300, DOCUMENTS = 400 };
    char text[256], id[16];
    struct store_file *file = NULL;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('!' + (i * 7919 + i / 3) % 90);
    ck_assert_int_eq(store_file_open(dir, "cut", &file), 0);
    for (int i = 0; i < DOCUMENTS; i++) {
        snprintf(id, sizeof(id), "%d", i);
        ck_assert_int_eq(store_file_put(file, "revision", "web", id, text, sizeof(text)), 0);
    }
    char path[256];
    snprintf(path, sizeof(path), "%s/cut", dir);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    pid_t other = fork();
    ck_assert_int_ge(other, 0);
    if (other == 0) { /* cuts it and lets it grow again, until it is ended */
        for (;;)
            if (truncate(path, 4096) < 0 || truncate(path, st.st_size) < 0)
                _exit(1);
    }
    for (int i = 0; i < OPENS; i++) {
        struct store_file *reader = NULL;
        if (store_file_open(dir, "cut", &reader) == 0) /* another one writes: this one only reads */
            store_file_close(reader);
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    /* And the one that writes goes on behind what is left. */
    size_t len = 0;
    ck_assert_int_eq(truncate(path, 4096), 0);
    free(store_file_get(file, "revision", "web", "399", &len));
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(store_file_put(file, "revision", "web", "new", text, sizeof(text)), 0);
    cleanup_free char *again = store_file_get(file, "revision", "web", "new", &len);
    ck_assert_ptr_nonnull(again);
    ck_assert_uint_eq(len, sizeof(text));
    store_file_close(file);
}
END_TEST

START_TEST(directories_of_others_are_not_used)
{
    ck_assert_int_eq(read_revision("1"), 1);
    chmod(dir, 0777);
    remount("123456789012");
    ck_assert_int_eq(read_revision("1"), 1);
    chmod(dir, 0700);
    remount("123456789012");
    ck_assert_int_eq(read_revision("1"), 0);
    /* A link in the file's place is not followed. */
    char path[512], target[512];
    snprintf(path, sizeof(path), "%s", the_file());
    snprintf(target, sizeof(target), "%s/elsewhere", top);
    fake_free(&fake);
    ck_assert_int_eq(rename(path, target), 0);
    ck_assert_int_eq(symlink(target, path), 0);
    mount_cache("123456789012");
    ck_assert_int_eq(read_revision("1"), 1);
}
END_TEST

START_TEST(two_mounts_one_writes)
{
    struct store_file *first, *second;
    size_t len;
    ck_assert_int_eq(store_file_open(dir, "two", &first), 0);
    ck_assert_int_eq(store_file_put(first, "k", "p", "a", "{}\n", 3), 0);
    ck_assert_int_eq(store_file_open(dir, "two", &second), 0);
    cleanup_free char *text = store_file_get(second, "k", "p", "a", &len);
    ck_assert_str_eq(text, "{}\n");
    ck_assert_int_eq(store_file_put(second, "k", "p", "b", "{}\n", 3), -EROFS);
    ck_assert_int_eq(store_file_put(first, "k", "p", "b", "{}\n", 3), 0);
    ck_assert(!store_file_has(second, "k", "p", "b"));
    store_file_close(first);
    store_file_close(second);
}
END_TEST

START_TEST(replaced_records_are_cleared_away)
{
    struct store_file *file;
    char *text = malloc(40000), id[16];
    size_t len;
    for (size_t i = 0; i < 39999; i++)
        text[i] = (char)('a' + (i * i * 2654435761u >> 13) % 26);
    text[39999] = 0;
    ck_assert_int_eq(store_file_open(dir, "many", &file), 0);
    for (int i = 0; i < 100; i++) {
        text[0] = (char)('a' + i % 26);
        snprintf(id, sizeof(id), "%d", i % 5);
        ck_assert_int_eq(store_file_put(file, "k", "p", id, text, 39999), 0);
    }
    ck_assert_int_eq(store_file_remove(file, "k", "p", "0"), 0);
    ck_assert_int_eq(store_file_remove(file, "k", "p", "none"), 0);
    store_file_close(file);
    char path[512];
    snprintf(path, sizeof(path), "%s/many", dir);
    off_t before = size_of(path);
    ck_assert_int_eq(store_file_open(dir, "many", &file), 0);
    ck_assert_int_lt(size_of(path), before / 5);
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "%d", i);
        cleanup_free char *got = store_file_get(file, "k", "p", id, &len);
        if (i == 0) {
            ck_assert_ptr_null(got);
            continue;
        }
        text[0] = (char)('a' + (95 + i) % 26);
        ck_assert_str_eq(got, text);
    }
    /* And it goes on being written. */
    ck_assert_int_eq(store_file_put(file, "k", "p", "new", "{}\n", 3), 0);
    store_file_close(file);
    ck_assert_int_eq(store_file_open(dir, "many", &file), 0);
    ck_assert(store_file_has(file, "k", "p", "new"));
    ck_assert(!store_file_has(file, "k", "p", "0"));
    store_file_close(file);
    free(text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cache: the store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, revisions_are_described_once_in_a_lifetime);
    tcase_add_test(tests, files_are_private);
    tcase_add_test(tests, an_account_has_its_own_documents);
    tcase_add_test(tests, the_account_is_learned_from_arns);
    tcase_add_test(tests, what_is_no_longer_listed_is_asked_for);
    tcase_add_test(tests, another_world_under_the_same_name);
    tcase_add_test(tests, forgetting_forgets_on_disk);
    tcase_add_test(tests, live_documents_are_not_kept);
    tcase_add_loop_test(tests, any_damage_is_survived, 0, 2);
    tcase_add_test(tests, a_file_that_is_cut_meanwhile_kills_nobody);
    tcase_add_test(tests, directories_of_others_are_not_used);
    tcase_add_test(tests, two_mounts_one_writes);
    tcase_add_test(tests, replaced_records_are_cleared_away);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
