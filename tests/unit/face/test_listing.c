/* SPDX-License-Identifier: Apache-2.0 */
/* When the kernel may answer a readdir from its own copy. */
#include "face/listing.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct listings *listings;

static void set_up(void)
{
    listings = listings_new();
}

static void take_down(void)
{
    listings = listings_free(listings);
}

/* Names are one letter each. */
static struct fs_dir *names(const char *letters)
{
    size_t len = strlen(letters);
    struct fs_dir *dir = calloc(1, sizeof(*dir));
    dir->entries = calloc(len + 1, sizeof(*dir->entries));
    dir->names = calloc(len + 1, 2);
    for (; dir->len < len; dir->len++) {
        dir->names[dir->len * 2] = letters[dir->len];
        dir->entries[dir->len] =
            (struct fs_dirent){&dir->names[dir->len * 2], S_IFREG, (uint64_t)letters[dir->len]};
    }
    return dir;
}

static struct listing *open_at(uint64_t ino, const char *letters, int64_t now_ms)
{
    struct listing *listing = listing_open(listings, ino, names(letters), now_ms);
    ck_assert_ptr_nonnull(listing);
    return listing;
}

START_TEST(unchanged_is_kept)
{
    struct listing *first = open_at(7, "ab", 1000);
    ck_assert(first->cached && !first->kept);
    listing_gave(first, 6000);
    listing_gave(first, INT64_MAX);
    listing_close(listings, first);

    struct listing *second = open_at(7, "ab", 5999);
    ck_assert(second->cached && second->kept);
    listing_close(listings, second);

    struct listing *third = open_at(7, "ab", 6000); /* an attribute given along has expired */
    ck_assert(third->cached && !third->kept);
    listing_close(listings, third);
}
END_TEST

START_TEST(changed_is_dropped)
{
    struct listing *first = open_at(7, "ab", 1000);
    listing_gave(first, INT64_MAX);
    listing_close(listings, first);
    struct listing *second = open_at(7, "abc", 1001);
    ck_assert(second->cached && !second->kept);
    listing_close(listings, second);
    struct listing *third = open_at(7, "abc", 1002); /* nothing was read through the second */
    ck_assert(!third->kept);
    listing_close(listings, third);
}
END_TEST

START_TEST(unread_is_not_kept)
{
    listing_close(listings, open_at(7, "ab", 1000));
    struct listing *second = open_at(7, "ab", 1001);
    ck_assert(!second->kept);
    listing_close(listings, second);
}
END_TEST

/* There are no attributes that could expire: only a name that appears ends it. */
START_TEST(empty_is_kept)
{
    listing_close(listings, open_at(7, "", 1000));
    for (int i = 0; i < 2; i++) {
        struct listing *again = open_at(7, "", 1000000);
        ck_assert(again->cached && again->kept);
        listing_close(listings, again);
    }
    listing_close(listings, open_at(7, "a", 1000001));
    struct listing *emptied = open_at(7, "", 1000002);
    ck_assert(emptied->cached && !emptied->kept);
    listing_renew(emptied, names("a"));
    listing_close(listings, emptied);
    struct listing *after = open_at(7, "", 1000003); /* the other content may have been read through it */
    ck_assert(!after->kept);
    listing_close(listings, after);
    listings_forget(listings, 7);
    struct listing *anew = open_at(7, "", 1000004);
    ck_assert(!anew->kept);
    listing_close(listings, anew);
}
END_TEST

/* Two handles that see different names could fill the kernel's copy between them. */
START_TEST(mixture_is_never_kept)
{
    struct listing *old = open_at(7, "ab", 1000);
    struct listing *new = open_at(7, "abc", 1001);
    ck_assert(!new->cached && !new->kept);
    listing_gave(old, INT64_MAX);
    listing_gave(new, INT64_MAX);
    listing_close(listings, new);
    struct listing *same_as_old = open_at(7, "ab", 1002);
    ck_assert(!same_as_old->cached && !same_as_old->kept);
    listing_close(listings, same_as_old);
    listing_close(listings, old);
    struct listing *after = open_at(7, "ab", 1003);
    ck_assert(after->cached && !after->kept);
    listing_gave(after, INT64_MAX);
    listing_close(listings, after);
    struct listing *again = open_at(7, "ab", 1004);
    ck_assert(again->cached && again->kept);
    listing_close(listings, again);
}
END_TEST

START_TEST(rewound_to_others_is_never_kept)
{
    struct listing *first = open_at(7, "ab", 1000);
    listing_gave(first, INT64_MAX);
    listing_renew(first, names("abc"));
    ck_assert_uint_eq(first->dir->len, 3);
    listing_gave(first, INT64_MAX);
    listing_close(listings, first);
    for (int i = 0; i < 2; i++) {
        struct listing *next = open_at(7, i == 0 ? "ab" : "abc", 1001);
        ck_assert(!next->kept);
        listing_close(listings, next);
    }
}
END_TEST

START_TEST(forgotten_while_open)
{
    struct listing *first = open_at(7, "ab", 1000);
    listing_gave(first, INT64_MAX);
    listings_forget(listings, 7);
    listings_forget(listings, 7);
    struct listing *second = open_at(7, "ab", 1001);
    ck_assert(!second->kept);
    listing_close(listings, first);
    listing_close(listings, second);
}
END_TEST

START_TEST(many_directories)
{
    for (uint64_t ino = 1; ino <= 2000; ino++) {
        struct listing *listing = open_at(ino, "a", 1000);
        listing_gave(listing, INT64_MAX);
        listing_close(listings, listing);
    }
    for (uint64_t ino = 1; ino <= 2000; ino++) {
        if (ino % 2 == 0)
            listings_forget(listings, ino);
        struct listing *listing = open_at(ino, "a", 1001);
        ck_assert_int_eq(listing->kept, ino % 2 == 1);
        listing_close(listings, listing);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listing");
    TCase *tests = tcase_create("listing");
    tcase_add_checked_fixture(tests, set_up, take_down);
    tcase_add_test(tests, unchanged_is_kept);
    tcase_add_test(tests, changed_is_dropped);
    tcase_add_test(tests, unread_is_not_kept);
    tcase_add_test(tests, empty_is_kept);
    tcase_add_test(tests, mixture_is_never_kept);
    tcase_add_test(tests, rewound_to_others_is_never_kept);
    tcase_add_test(tests, forgotten_while_open);
    tcase_add_test(tests, many_directories);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
