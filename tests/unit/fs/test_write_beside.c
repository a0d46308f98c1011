/* SPDX-License-Identifier: Apache-2.0 */
/* Several who save one document at the same time: each text whole, none lost, one after another. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "staging/local.h"
#include "write_account.h"
#include "write_world.h"

static void never_mind(struct ecs_want *want) {}

static struct fs_request other_request(pid_t pid)
{
    return (struct fs_request){.want = {.since_ms = world.clock.now, .wake = never_mind}, .pid = pid};
}

/* Bytes `from` to `to` of the text. */
static int write_part(struct fs_handle *handle, const char *text, size_t from, size_t to)
{
    cleanup_free char *part = strndup(text + from, to - from);
    return world_write_at(handle, part, (off_t)from);
}

START_TEST(pieces_of_two_are_not_mixed)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC), *b = world_open(LATEST, O_WRONLY | O_TRUNC);
    for (size_t at = 0; at < strlen(BETTER); at += 7) {
        if (at < strlen(GOOD))
            ck_assert_int_eq(write_part(a, GOOD, at, at + 7), 0);
        ck_assert_int_eq(write_part(b, BETTER, at, at + 7), 0);
    }
    ck_assert_int_eq(world_flush(a), 0);
    ck_assert_int_eq(world_flush(b), 0);
    fs_release(world.tree, a);
    fs_release(world.tree, b);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/4.json"), "app:9\""));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/5.json"), "app:10\""));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:10\""));
}
END_TEST

/* ftruncate and truncation at open are the same; so is a text written over the old one from its beginning. */
START_TEST(whoever_begins_anew_has_a_text_of_its_own)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY), *b = world_open(LATEST, O_RDWR),
                     *c = world_open(LATEST, O_WRONLY | O_TRUNC);
    struct fs_inode *inode = fs_handle_inode(a);
    ck_assert_int_eq(write_part(c, BETTER, 0, 20), 0);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_truncate(world.tree, &world.rq, inode, a, 0)), 0);
    ck_assert_int_eq(write_part(a, GOOD, 0, 20), 0);
    cleanup_free char *long_text = NULL;
    ck_assert_int_gt(asprintf(&long_text,
                              "{\"containerDefinitions\": [{\"name\": \"main\", \"image\": \"%0*d\"}]}\n",
                              600, 0),
                     0); /* longer than what is there */
    ck_assert_int_eq(world_write_at(b, long_text, 0), 0);
    ck_assert_int_eq(write_part(c, BETTER, 20, strlen(BETTER)), 0);
    ck_assert_int_eq(write_part(a, GOOD, 20, strlen(GOOD)), 0);
    fs_release(world.tree, a);
    fs_release(world.tree, b);
    fs_release(world.tree, c);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 3);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/4.json"), "0000\""));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/5.json"), "app:10\""));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/6.json"), "app:9\""));
    ck_assert_ptr_null(inode->local);
}
END_TEST

START_TEST(the_same_text_twice_is_one_save)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC), *b = world_open(LATEST, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(world_write_at(a, GOOD, 0), 0);
    ck_assert_int_eq(world_write_at(b, GOOD, 0), 0);
    fs_release(world.tree, a);
    fs_release(world.tree, b);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
}
END_TEST

START_TEST(a_refusal_is_told_to_who_wrote_it)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC), *b = world_open(LATEST, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(world_write_at(a, REFUSED, 0), -EINVAL);
    ck_assert_int_eq(world_write_at(b, GOOD, 0), 0);
    ck_assert_int_eq(world_flush(b), 0);
    ck_assert_int_eq(world_flush(a), -EINVAL);
    fs_release(world.tree, b);
    ck_assert_int_eq(world_write_at(a, REFUSED, 0), -EINVAL); /* remembered while somebody has it open */
    fs_release(world.tree, a);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
}
END_TEST

/* Runs the other's write until it is done, as the face does when it was woken. */
static int finish_other(struct fs_request *other, struct fs_handle *handle, const char *text)
{
    int r = FS_PARKED;
    for (int i = 0; i < 100 && r == FS_PARKED; i++) {
        world_step(&world, 1);
        r = fs_write(world.tree, other, handle, text, strlen(text), 0);
    }
    return fs_request_end(world.tree, other, fs_handle_inode(handle), r);
}

static void two_at_once(const char *first, const char *second, int registrations)
{
    world_forget_counts(&world);
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC), *b = world_open(LATEST, O_WRONLY | O_TRUNC);
    world_begin(&world);
    int r = fs_write(world.tree, &world.rq, a, first, strlen(first), 0);
    ck_assert_int_eq(r, FS_PARKED);
    struct fs_request other = other_request(7);
    ck_assert_int_eq(fs_write(world.tree, &other, b, second, strlen(second), 0), FS_PARKED);
    for (int i = 0; i < 100 && r == FS_PARKED; i++) {
        ck_assert(world_again(&world, r));
        r = fs_write(world.tree, &world.rq, a, first, strlen(first), 0);
    }
    ck_assert_int_eq(world_end(&world, fs_handle_inode(a), r), 0);
    ck_assert_int_eq(fs_tree_timeout_ms(world.tree), 0); /* the other need not sleep on */
    ck_assert_int_eq(finish_other(&other, b, second), 0);
    fs_release(world.tree, a);
    fs_release(world.tree, b);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), registrations);
}

START_TEST(saves_are_made_in_the_order_of_their_completion)
{
    two_at_once(GOOD, BETTER, 2);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/4.json"), "app:9\""));
    ck_assert_ptr_nonnull(strstr(world_cat(&world, FAMILY "/5.json"), "app:10\""));
    two_at_once(GOOD, GOOD, 1);
    two_at_once(GOOD, BETTER, 1); /* the first is there already */
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:10\""));
}
END_TEST

START_TEST(who_is_interrupted_lets_the_next_go_on)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC), *b = world_open(LATEST, O_WRONLY | O_TRUNC);
    struct fs_inode *inode = fs_handle_inode(a);
    world_step(&world, 1); /* what is there has to be asked first */
    struct fs_request other = other_request(7), third = other_request(8);
    world_begin(&world);
    ck_assert_int_eq(fs_write(world.tree, &world.rq, a, GOOD, strlen(GOOD), 0), FS_PARKED);
    ck_assert_int_eq(fs_write(world.tree, &other, b, BETTER, strlen(BETTER), 0), FS_PARKED);
    struct fs_handle *c = NULL;
    struct fs_open_hints hints;
    ck_assert_int_eq(fs_open(world.tree, &third, inode, O_WRONLY | O_TRUNC, &c, &hints), 0);
    ck_assert_int_eq(fs_write(world.tree, &third, c, GOOD, strlen(GOOD), 0), FS_PARKED);
    fs_request_interrupt(world.tree, &third);    /* from the middle, */
    fs_request_interrupt(world.tree, &world.rq); /* and the one under way */
    ck_assert_int_eq(finish_other(&other, b, BETTER), 0);
    fs_release(world.tree, a);
    fs_release(world.tree, b);
    fs_release(world.tree, c);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:10\""));
    ck_assert_ptr_null(inode->local);
}
END_TEST

/* exec 3>latest.json; cat new >>latest.json */
START_TEST(emptied_by_one_it_is_empty_for_the_next)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC),
                     *b = world_open(LATEST, O_WRONLY | O_APPEND);
    ck_assert_int_eq(
        world_write_at(b, "{\"containerDefinitions\": [{\"name\": \"n\", \"image\": \"i\"}]}\n", 300), 0);
    fs_release(world.tree, b);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    /* and once somebody saved, the file is what was saved */
    ck_assert_int_eq(world_write_at(a, GOOD, 0), 0);
    b = world_open(LATEST, O_RDWR);
    const char *text = world_cat(&world, LATEST), *image = strstr(text, "app:9");
    ck_assert_int_eq(world_write_at(b, "app:8", image - text), 0);
    ck_assert_int_eq(world_flush(b), 0);
    fs_release(world.tree, b);
    fs_release(world.tree, a);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 3);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:8\""));
}
END_TEST

/* truncate(2) has no descriptor: it is about the caller's own text, or about none. */
START_TEST(truncation_by_path_spares_what_others_write)
{
    struct fs_handle *a = world_open(LATEST, O_WRONLY | O_TRUNC);
    struct fs_inode *inode = fs_handle_inode(a);
    ck_assert_int_eq(write_part(a, GOOD, 0, 20), 0);
    struct fs_request other = other_request(7);
    ck_assert_int_eq(fs_truncate(world.tree, &other, inode, NULL, 0), 0);
    fs_request_end(world.tree, &other, inode, 0);
    ck_assert_int_eq(write_part(a, GOOD, 20, strlen(GOOD)), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 1);
    ck_assert_int_eq(WORLD_RUN(&world, inode, fs_truncate(world.tree, &world.rq, inode, NULL, 0)), 0);
    ck_assert_int_eq(world_write_at(a, BETTER, 0), 0);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    fs_release(world.tree, a);
}
END_TEST

/* The kernel may write back a mapping through the descriptor of somebody who does not map. */
START_TEST(a_mapping_is_its_own_whatever_it_is_written_through)
{
    struct fs_handle *mapped = world_open(LATEST, O_RDWR), *a = world_open(LATEST, O_WRONLY | O_TRUNC);
    struct fs_inode *inode = fs_handle_inode(a);
    ck_assert_int_eq(
        WORLD_RUN(&world, inode, fs_truncate(world.tree, &world.rq, inode, mapped, (off_t)strlen(BETTER))),
        0);
    ck_assert_int_eq(write_part(a, GOOD, 0, 20), 0);
    world_begin(&world);
    world.rq.pid = 0;
    int r = fs_write(world.tree, &world.rq, a, BETTER, strlen(BETTER), 0);
    ck_assert_int_eq(world_end(&world, inode, r), 0);
    ck_assert_int_eq(write_part(a, GOOD, 20, strlen(GOOD)), 0);
    ck_assert_int_eq(world_fsync(mapped), 0);
    fs_release(world.tree, a);
    fs_release(world.tree, mapped);
    ck_assert_int_eq(world_calls(&world, "RegisterTaskDefinition"), 2);
    ck_assert_ptr_nonnull(strstr(world_cat(&world, LATEST), "app:10\""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("beside");
    TCase *tcase = tcase_create("tree");
    tcase_add_checked_fixture(tcase, write_world_setup, write_world_teardown);
    tcase_add_test(tcase, pieces_of_two_are_not_mixed);
    tcase_add_test(tcase, whoever_begins_anew_has_a_text_of_its_own);
    tcase_add_test(tcase, the_same_text_twice_is_one_save);
    tcase_add_test(tcase, a_refusal_is_told_to_who_wrote_it);
    tcase_add_test(tcase, saves_are_made_in_the_order_of_their_completion);
    tcase_add_test(tcase, who_is_interrupted_lets_the_next_go_on);
    tcase_add_test(tcase, emptied_by_one_it_is_empty_for_the_next);
    tcase_add_test(tcase, truncation_by_path_spares_what_others_write);
    tcase_add_test(tcase, a_mapping_is_its_own_whatever_it_is_written_through);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
