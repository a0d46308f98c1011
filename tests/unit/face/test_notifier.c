/* SPDX-License-Identifier: Apache-2.0 */
/* Notices: given once each, never while their directory is on hold, and known to have been given. */
#include "face/notifier.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kernel that writes down what it is told, and can be made to block. */
static struct kernel {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool blocked; /* entry notices do not return */
    int entries_inside;
    char told[4096];
} kernel;

static struct notifier *notifier;

/* As "7 ", "7a " (attributes only), "1/x ". Under the lock. */
static void told(uint64_t ino, const char *more)
{
    size_t len = strlen(kernel.told);
    snprintf(kernel.told + len, sizeof(kernel.told) - len, "%llu%s ", (unsigned long long)ino, more);
    pthread_cond_broadcast(&kernel.changed);
}

static void on_inode(void *arg, uint64_t ino, bool attr_only)
{
    pthread_mutex_lock(&kernel.lock);
    told(ino, attr_only ? "a" : "");
    pthread_mutex_unlock(&kernel.lock);
}

static void on_entry(void *arg, uint64_t parent, const char *name)
{
    char more[64];
    pthread_mutex_lock(&kernel.lock);
    kernel.entries_inside++;
    pthread_cond_broadcast(&kernel.changed);
    while (kernel.blocked)
        pthread_cond_wait(&kernel.changed, &kernel.lock);
    kernel.entries_inside--;
    snprintf(more, sizeof(more), "/%s", name);
    told(parent, more);
    pthread_mutex_unlock(&kernel.lock);
}

static void start(void)
{
    struct notifier_sink sink = {on_inode, on_entry, NULL};
    ck_assert_int_eq(notifier_start(notifier, &sink), 0);
}

static void block(bool blocked)
{
    pthread_mutex_lock(&kernel.lock);
    kernel.blocked = blocked;
    pthread_cond_broadcast(&kernel.changed);
    pthread_mutex_unlock(&kernel.lock);
}

static void wait_until_inside(void)
{
    pthread_mutex_lock(&kernel.lock);
    while (kernel.entries_inside == 0)
        pthread_cond_wait(&kernel.changed, &kernel.lock);
    pthread_mutex_unlock(&kernel.lock);
}

/* As the loop does: sleeps on the descriptor until the ticket is settled. */
static void settle(uint64_t ticket)
{
    while (!notifier_settled(notifier, ticket)) {
        struct pollfd fd = {notifier_fd(notifier), POLLIN, 0};
        ck_assert_msg(poll(&fd, 1, 5000) == 1, "the ticket was never settled");
        notifier_clear(notifier);
    }
}

static const char *all_told(void)
{
    static char copy[sizeof(kernel.told)];
    pthread_mutex_lock(&kernel.lock);
    memcpy(copy, kernel.told, sizeof(copy));
    pthread_mutex_unlock(&kernel.lock);
    return copy;
}

static void set_up(void)
{
    memset(&kernel, 0, sizeof(kernel));
    pthread_mutex_init(&kernel.lock, NULL);
    pthread_cond_init(&kernel.changed, NULL);
    notifier = notifier_new();
    ck_assert_ptr_nonnull(notifier);
}

static void take_down(void)
{
    block(false);
    notifier = notifier_free(notifier);
}

START_TEST(each_once)
{
    notifier_inode(notifier, 7, true);
    notifier_inode(notifier, 8, true);
    notifier_inode(notifier, 7, false); /* says more than the one that waits */
    notifier_inode(notifier, 8, true);
    ck_assert_uint_eq(notifier_pending(notifier), 2);
    start();
    settle(notifier_ticket(notifier, 0));
    ck_assert_str_eq(all_told(), "7 8a ");
    notifier_entry(notifier, 1, "x");
    notifier_entry(notifier, 1, "y");
    settle(notifier_ticket(notifier, 0));
    ck_assert_str_eq(all_told(), "7 8a 1/x 1/y ");
    ck_assert_uint_eq(notifier_pending(notifier), 0);
}
END_TEST

START_TEST(tickets)
{
    uint64_t mark = notifier_mark(notifier);
    ck_assert_uint_eq(notifier_ticket(notifier, mark), 0);
    notifier_inode(notifier, 7, false);
    mark = notifier_mark(notifier);
    notifier_inode(notifier, 7, false); /* waits already, but this one counts too */
    uint64_t ticket = notifier_ticket(notifier, mark);
    ck_assert_uint_ne(ticket, 0);
    ck_assert(!notifier_settled(notifier, ticket));
    start();
    settle(ticket);
    ck_assert(notifier_settled(notifier, ticket));
}
END_TEST

START_TEST(held_directories_wait)
{
    struct notifier_hold hold = {0};
    ck_assert(!notifier_hold(notifier, &hold, 1));
    notifier_entry(notifier, 1, "held");
    notifier_entry(notifier, 2, "free");
    start();
    settle(notifier_ticket(notifier, 0)); /* what is on hold is not waited for */
    ck_assert_str_eq(all_told(), "2/free ");
    struct notifier_hold again = {0};
    notifier_hold(notifier, &again, 1);
    notifier_release(notifier, &hold);
    notifier_inode(notifier, 9, false);
    settle(notifier_ticket(notifier, 0));
    ck_assert_str_eq(all_told(), "2/free 9 "); /* still one hold on it */
    notifier_release(notifier, &again);
    settle(notifier_ticket(notifier, 0));
    ck_assert_str_eq(all_told(), "2/free 9 1/held ");
}
END_TEST

/* The kernel keeps a file's last page locked during a WRITE: a notice on that file waits for its answer, and
 * nothing waits for the notice meanwhile. Names in it, were it a directory, are another lock. */
START_TEST(held_pages_wait)
{
    struct notifier_hold hold = {0};
    notifier_hold_pages(notifier, &hold, 1);
    notifier_inode(notifier, 1, false);
    notifier_inode(notifier, 2, false);
    notifier_entry(notifier, 1, "x");
    start();
    uint64_t ticket = notifier_ticket(notifier, NOTIFIER_MARK_ALL);
    settle(ticket);
    ck_assert_ptr_null(strstr(all_told(), "1 "));
    ck_assert_ptr_nonnull(strstr(all_told(), "2 "));
    ck_assert_ptr_nonnull(strstr(all_told(), "1/x "));
    notifier_release(notifier, &hold);
    settle(ticket);
    ck_assert_ptr_nonnull(strstr(all_told(), "1 "));
}
END_TEST

/* A notice that is in the kernel already cannot be held back; who takes the hold learns of it, and
 * does not wait for what waits for him. */
START_TEST(given_while_held)
{
    struct notifier_hold hold = {0};
    block(true);
    start();
    notifier_entry(notifier, 1, "x");
    wait_until_inside();
    ck_assert(notifier_is_giving(notifier, 1));
    ck_assert(!notifier_is_giving(notifier, 2));
    uint64_t ticket = notifier_ticket(notifier, 0);
    ck_assert(!notifier_settled(notifier, ticket));
    ck_assert(notifier_hold(notifier, &hold, 1));
    ck_assert(notifier_settled(notifier, ticket));
    notifier_release(notifier, &hold);
    ck_assert(!notifier_settled(notifier, ticket));
    block(false);
    settle(ticket);
}
END_TEST

/* Notices on inodes go on while one on a name is stuck. */
START_TEST(two_lanes)
{
    block(true);
    start();
    notifier_entry(notifier, 1, "x");
    wait_until_inside();
    uint64_t mark = notifier_mark(notifier);
    notifier_inode(notifier, 7, false);
    ck_assert_uint_ne(notifier_ticket(notifier, mark), 0);
    while (strcmp(all_told(), "7 ") != 0)
        usleep(1000);
    block(false);
}
END_TEST

START_TEST(stops)
{
    block(true);
    start();
    notifier_entry(notifier, 1, "x");
    notifier_entry(notifier, 1, "y");
    wait_until_inside();
    notifier_stop(notifier);
    ck_assert(!notifier_stopped(notifier));
    block(false);
    while (!notifier_stopped(notifier)) {
        struct pollfd fd = {notifier_fd(notifier), POLLIN, 0};
        ck_assert_int_eq(poll(&fd, 1, 5000), 1);
        notifier_clear(notifier);
    }
    ck_assert_str_eq(all_told(), "1/x ");
}
END_TEST

START_TEST(thousands)
{
    char name[32];
    start();
    for (int round = 0; round < 3; round++)
        for (uint64_t i = 1; i <= 5000; i++) {
            snprintf(name, sizeof(name), "n%llu", (unsigned long long)i);
            notifier_inode(notifier, i, i % 2 == 0);
            notifier_entry(notifier, i % 10 + 1, name);
        }
    settle(notifier_ticket(notifier, 0));
    ck_assert_uint_eq(notifier_pending(notifier), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notifier");
    TCase *tests = tcase_create("notifier");
    tcase_add_checked_fixture(tests, set_up, take_down);
    tcase_add_test(tests, each_once);
    tcase_add_test(tests, tickets);
    tcase_add_test(tests, held_directories_wait);
    tcase_add_test(tests, held_pages_wait);
    tcase_add_test(tests, given_while_held);
    tcase_add_test(tests, two_lanes);
    tcase_add_test(tests, stops);
    tcase_add_test(tests, thousands);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
