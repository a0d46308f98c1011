/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the kernel what changed, from threads that serve no request: a notice may have to wait for
 * a lock that a request holds, so the loop itself never gives one.
 *
 * Two lanes, a thread each. A notice on an inode needs the inode's pages. READ of a cached file never parks,
 * but the kernel keeps the page at the end of a WRITE locked until it is answered: meanwhile the inode's
 * pages are on hold, and notices on them wait here. A notice on a name takes its directory's lock, which the
 * kernel holds during LOOKUP, CREATE, MKDIR, SYMLINK, UNLINK, RMDIR and RENAME; while such a request is with
 * us its directory is on hold, and notices on its names wait here instead of in the kernel, where they would
 * also keep every other reader out of that directory.
 *
 * All functions are the loop thread's. */
#ifndef FS_NOTIFIER_H
#define FS_NOTIFIER_H

#include <stdbool.h>
#include <stdint.h>

struct notifier;

/* How a notice reaches the kernel. Called on the lanes' threads, holding nothing. */
struct notifier_sink {
    void (*inode)(void *arg, uint64_t ino, bool attr_only);
    void (*entry)(void *arg, uint64_t parent, const char *name);
    void *arg;
};

/* NULL with errno. Starts no thread: notices queue until notifier_start. */
struct notifier *notifier_new(void);
int notifier_start(struct notifier *notifier, const struct notifier_sink *sink);
/* Has the threads end; what is still queued is dropped. The descriptor becomes readable when they have,
 * which may be only once the kernel let go of a lock: so go on answering requests until notifier_stopped. */
void notifier_stop(struct notifier *notifier);
bool notifier_stopped(struct notifier *notifier);
/* Waits for the threads. Takes NULL; returns NULL. */
struct notifier *notifier_free(struct notifier *notifier);

/* Queue a notice; one that already waits is not queued twice. Without memory it is dropped: the
 * kernel then believes the old for as long as its timeouts say. */
void notifier_inode(struct notifier *notifier, uint64_t ino, bool attr_only);
void notifier_entry(struct notifier *notifier, uint64_t parent, const char *name);

/* Embedded in a request that has the kernel hold a directory's lock, or a file's pages. */
struct notifier_hold {
    uint64_t ino; /* 0: holds nothing */
    bool pages;
    struct notifier_hold *next, **prev;
};
/* True when a notice on a name of this directory is being given right now: it may be waiting for
 * the very request that takes this hold. */
bool notifier_hold(struct notifier *notifier, struct notifier_hold *hold, uint64_t ino);
void notifier_hold_pages(struct notifier *notifier, struct notifier_hold *hold, uint64_t ino);
bool notifier_is_giving(struct notifier *notifier, uint64_t parent);
void notifier_release(struct notifier *notifier, struct notifier_hold *hold);

/* Read your writes: a changing request takes a mark when it begins; when it is done it takes a ticket if
 * anything was queued since (0: nothing), and is answered once the ticket is settled: all that was queued up
 * to it has been given, but for what is on hold. While a ticket is not settled, the descriptor
 * becomes readable at each progress. */
uint64_t notifier_mark(const struct notifier *notifier);
enum { NOTIFIER_MARK_ALL = 0 }; /* a mark for who waits for all that was ever queued */
uint64_t notifier_ticket(const struct notifier *notifier, uint64_t mark);
bool notifier_settled(struct notifier *notifier, uint64_t ticket);
int notifier_fd(const struct notifier *notifier);
void notifier_clear(struct notifier *notifier); /* makes the descriptor unreadable again */

/* How many notices wait, for tests and status. */
unsigned long notifier_pending(struct notifier *notifier);

#endif
