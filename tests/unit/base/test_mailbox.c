/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/mailbox.h"

struct note {
    struct ecs_letter letter;
    int from, number;
};

static struct ecs_mailbox *mailbox;

static void open_mailbox(void)
{
    mailbox = ecs_mailbox_new();
    ck_assert_ptr_nonnull(mailbox);
}

static void close_mailbox(void)
{
    mailbox = ecs_mailbox_free(mailbox);
    ck_assert_ptr_null(mailbox);
}

static int readable(int timeout_ms)
{
    struct pollfd fd = {.fd = ecs_mailbox_fd(mailbox), .events = POLLIN};
    return poll(&fd, 1, timeout_ms);
}

START_TEST(is_empty_at_first)
{
    ck_assert_int_eq(readable(0), 0);
    ck_assert_ptr_null(ecs_mailbox_take(mailbox));
    ck_assert_ptr_null(ecs_mailbox_free(NULL));
}
END_TEST

START_TEST(keeps_order)
{
    struct note notes[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    for (size_t i = 0; i < 3; i++)
        ecs_mailbox_post(mailbox, &notes[i].letter);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(readable(0), 1);
        ck_assert_ptr_eq(ecs_mailbox_take(mailbox), &notes[i].letter);
        ck_assert_ptr_null(notes[i].letter.next);
    }
    ck_assert_int_eq(readable(0), 0);
    ck_assert_ptr_null(ecs_mailbox_take(mailbox));
}
END_TEST

/* A letter taken may be posted again, also after the box was empty. */
START_TEST(takes_a_letter_twice)
{
    struct note note = {.number = 1}, other = {.number = 2};
    for (int i = 0; i < 3; i++) {
        ecs_mailbox_post(mailbox, &note.letter);
        ecs_mailbox_post(mailbox, &other.letter);
        ck_assert_ptr_eq(ecs_mailbox_take(mailbox), &note.letter);
        ecs_mailbox_post(mailbox, &note.letter);
        ck_assert_ptr_eq(ecs_mailbox_take(mailbox), &other.letter);
        ck_assert_ptr_eq(ecs_mailbox_take(mailbox), &note.letter);
        ck_assert_int_eq(readable(0), 0);
    }
}
END_TEST

enum { SENDERS = 4, LETTERS = 5000 };

static void *send_all(void *arg)
{
    struct note *notes = arg;
    for (int i = 0; i < LETTERS; i++)
        ecs_mailbox_post(mailbox, &notes[i].letter);
    return NULL;
}

/* Every letter arrives once, each sender's in order, and the owner who sleeps in poll is always woken. */
START_TEST(serves_many_senders)
{
    struct note(*notes)[LETTERS] = calloc(SENDERS, sizeof(*notes));
    pthread_t threads[SENDERS];
    for (int s = 0; s < SENDERS; s++)
        for (int i = 0; i < LETTERS; i++)
            notes[s][i] = (struct note){.from = s, .number = i};
    for (int s = 0; s < SENDERS; s++)
        ck_assert_int_eq(pthread_create(&threads[s], NULL, send_all, notes[s]), 0);
    int next[SENDERS] = {0};
    for (int left = SENDERS * LETTERS; left > 0; left--) {
        struct ecs_letter *letter = ecs_mailbox_take(mailbox);
        while (!letter) {
            ck_assert_msg(readable(10000) == 1, "%d letters never came", left);
            letter = ecs_mailbox_take(mailbox);
        }
        struct note *note = (struct note *)letter;
        ck_assert_int_eq(note->number, next[note->from]++);
    }
    for (int s = 0; s < SENDERS; s++)
        pthread_join(threads[s], NULL);
    ck_assert_int_eq(readable(0), 0);
    ck_assert_ptr_null(ecs_mailbox_take(mailbox));
    free(notes);
}
END_TEST

static struct ecs_mailbox *there, *back;

static void *echo(void *arg)
{
    for (int i = 0; i < LETTERS; i++) {
        struct ecs_letter *letter;
        while (!(letter = ecs_mailbox_take(there)))
            poll(&(struct pollfd){.fd = ecs_mailbox_fd(there), .events = POLLIN}, 1, 10000);
        ecs_mailbox_post(back, letter);
    }
    return arg;
}

/* As a call goes to the backend and comes home. */
START_TEST(goes_there_and_back)
{
    struct note note = {.number = 7};
    pthread_t thread;
    there = ecs_mailbox_new();
    back = ecs_mailbox_new();
    ck_assert_int_eq(pthread_create(&thread, NULL, echo, NULL), 0);
    for (int i = 0; i < LETTERS; i++) {
        struct ecs_letter *letter;
        ecs_mailbox_post(there, &note.letter);
        while (!(letter = ecs_mailbox_take(back)))
            ck_assert_int_eq(poll(&(struct pollfd){.fd = ecs_mailbox_fd(back), .events = POLLIN}, 1, 10000),
                             1);
        ck_assert_ptr_eq(letter, &note.letter);
    }
    pthread_join(thread, NULL);
    ecs_mailbox_free(there);
    ecs_mailbox_free(back);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mailbox");
    TCase *mail = tcase_create("mailbox");
    tcase_set_timeout(mail, 60);
    tcase_add_checked_fixture(mail, open_mailbox, close_mailbox);
    tcase_add_test(mail, is_empty_at_first);
    tcase_add_test(mail, keeps_order);
    tcase_add_test(mail, takes_a_letter_twice);
    tcase_add_test(mail, serves_many_senders);
    tcase_add_test(mail, goes_there_and_back);
    suite_add_tcase(suite, mail);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
