/* SPDX-License-Identifier: Apache-2.0 */
#include "notifier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/log.h"

enum {
    BUCKETS = 1024,
    /* A notice is about 100 bytes. Past this many the kernel is not keeping up, and its own timeouts must do.
     */
    MOST = 1 << 17,
};

struct notice {
    struct notice *next, *hash_next;
    uint64_t seq, ino;
    bool attr_only;
    bool on_entry;
    char name[]; /* "" for an inode */
};

struct lane {
    struct notifier *notifier;
    pthread_t thread;
    bool started, ended;
    pthread_cond_t wake;
    struct notice *first, **last;
    struct notice *buckets[BUCKETS];
    struct notice *giving; /* out of the queue, in the kernel's hands */
    unsigned long len;
};

struct notifier {
    /* Loop thread only. */
    uint64_t touched; /* grows with each notice asked for, also one that already waits */
    uint64_t seq;     /* of the last one queued */
    bool overflowed;

    struct notifier_sink sink;
    int fd;

    pthread_mutex_t lock; /* guards all below; never held while a notice is given */
    struct lane inodes, entries;
    struct notifier_hold *holds[BUCKETS];
    bool stopping;
    bool awaited; /* somebody waits for a ticket */
};

static size_t bucket_of(uint64_t ino, const char *name)
{
    uint64_t hash = ino * 0x9E3779B97F4A7C15u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001B3u;
    return (size_t)(hash >> 40) % BUCKETS;
}

static bool is_held(const struct notifier *notifier, const struct notice *notice)
{
    for (const struct notifier_hold *hold = notifier->holds[bucket_of(notice->ino, "")]; hold;
         hold = hold->next)
        if (hold->ino == notice->ino && hold->pages != notice->on_entry)
            return true;
    return false;
}

static void take_out(struct lane *lane, struct notice **link)
{
    struct notice *notice = *link;
    *link = notice->next;
    if (lane->last == &notice->next)
        lane->last = link;
    struct notice **hashed = &lane->buckets[bucket_of(notice->ino, notice->name)];
    while (*hashed != notice)
        hashed = &(*hashed)->hash_next;
    *hashed = notice->hash_next;
    lane->len--;
}

/* The oldest notice that may be given now. */
static struct notice *take_next(struct notifier *notifier, struct lane *lane)
{
    for (struct notice **link = &lane->first; *link; link = &(*link)->next) {
        struct notice *notice = *link;
        if (is_held(notifier, notice))
            continue;
        take_out(lane, link);
        return notice;
    }
    return NULL;
}

static void give(const struct notifier_sink *sink, const struct notice *notice)
{
    if (notice->on_entry)
        sink->entry(sink->arg, notice->ino, notice->name);
    else
        sink->inode(sink->arg, notice->ino, notice->attr_only);
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct notifier *notifier = lane->notifier;

    pthread_mutex_lock(&notifier->lock);
    while (!notifier->stopping) {
        struct notice *notice = take_next(notifier, lane);
        if (notice == NULL) {
            pthread_cond_wait(&lane->wake, &notifier->lock);
            continue;
        }
        lane->giving = notice;
        pthread_mutex_unlock(&notifier->lock);
        give(&notifier->sink, notice);
        pthread_mutex_lock(&notifier->lock);
        lane->giving = NULL;
        free(notice);
        if (notifier->awaited)
            eventfd_write(notifier->fd, 1);
    }
    lane->ended = true;
    eventfd_write(notifier->fd, 1);
    pthread_mutex_unlock(&notifier->lock);
    return NULL;
}

static int lane_init(struct lane *lane, struct notifier *notifier)
{
    lane->notifier = notifier;
    lane->last = &lane->first;
    return -pthread_cond_init(&lane->wake, NULL);
}

static int lane_start(struct lane *lane)
{
    int r = pthread_create(&lane->thread, NULL, lane_main, lane);
    lane->started = r == 0;
    return -r;
}

static void lane_end(struct lane *lane)
{
    if (lane->started)
        pthread_join(lane->thread, NULL);
    for (struct notice *notice = lane->first, *next; notice; notice = next) {
        next = notice->next;
        free(notice);
    }
    pthread_cond_destroy(&lane->wake);
}

struct notifier *notifier_new(void)
{
    struct notifier *notifier = calloc(1, sizeof(*notifier));
    if (notifier == NULL)
        return NULL;
    notifier->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (notifier->fd < 0) {
        free(notifier);
        return NULL;
    }
    pthread_mutex_init(&notifier->lock, NULL);
    lane_init(&notifier->inodes, notifier);
    lane_init(&notifier->entries, notifier);
    return notifier;
}

int notifier_start(struct notifier *notifier, const struct notifier_sink *sink)
{
    notifier->sink = *sink;
    int r = lane_start(&notifier->inodes);
    return r != 0 ? r : lane_start(&notifier->entries);
}

void notifier_stop(struct notifier *notifier)
{
    pthread_mutex_lock(&notifier->lock);
    notifier->stopping = true;
    pthread_cond_signal(&notifier->inodes.wake);
    pthread_cond_signal(&notifier->entries.wake);
    pthread_mutex_unlock(&notifier->lock);
}

static bool lane_stopped(const struct lane *lane)
{
    return !lane->started || lane->ended;
}

bool notifier_stopped(struct notifier *notifier)
{
    pthread_mutex_lock(&notifier->lock);
    bool stopped = lane_stopped(&notifier->inodes) && lane_stopped(&notifier->entries);
    pthread_mutex_unlock(&notifier->lock);
    return stopped;
}

struct notifier *notifier_free(struct notifier *notifier)
{
    if (notifier == NULL)
        return NULL;
    notifier_stop(notifier);
    lane_end(&notifier->inodes);
    lane_end(&notifier->entries);
    pthread_mutex_destroy(&notifier->lock);
    close(notifier->fd);
    free(notifier);
    return NULL;
}

/* A notice that waits already, made to say this one's too. */
static bool joins_waiting(struct lane *lane, uint64_t ino, const char *name, bool attr_only)
{
    for (struct notice *notice = lane->buckets[bucket_of(ino, name)]; notice; notice = notice->hash_next) {
        if (notice->ino != ino || strcmp(notice->name, name) != 0)
            continue;
        notice->attr_only = notice->attr_only && attr_only;
        return true;
    }
    return false;
}

static void overflow(struct notifier *notifier)
{
    if (!notifier->overflowed)
        ecs_log(ECS_LOG_WARNING, "the kernel does not keep up with notices of changes: some are dropped, "
                                 "and old contents may show until they expire");
    notifier->overflowed = true;
}

static void enqueue(struct notifier *notifier, struct lane *lane, uint64_t ino, const char *name,
                    bool attr_only)
{
    notifier->touched++;
    pthread_mutex_lock(&notifier->lock);
    if (!joins_waiting(lane, ino, name, attr_only)) {
        struct notice *notice = NULL;
        if (lane->len < MOST)
            notice = calloc(1, sizeof(*notice) + strlen(name) + 1);
        if (notice == NULL) {
            overflow(notifier);
        } else {
            struct notice **bucket = &lane->buckets[bucket_of(ino, name)];
            notice->seq = ++notifier->seq;
            notice->ino = ino;
            notice->attr_only = attr_only;
            notice->on_entry = lane == &notifier->entries;
            strcpy(notice->name, name);
            notice->hash_next = *bucket;
            *bucket = notice;
            *lane->last = notice;
            lane->last = &notice->next;
            lane->len++;
            pthread_cond_signal(&lane->wake);
        }
    }
    pthread_mutex_unlock(&notifier->lock);
}

void notifier_inode(struct notifier *notifier, uint64_t ino, bool attr_only)
{
    enqueue(notifier, &notifier->inodes, ino, "", attr_only);
}

void notifier_entry(struct notifier *notifier, uint64_t parent, const char *name)
{
    enqueue(notifier, &notifier->entries, parent, name, false);
}

static bool gives_name_in(const struct notifier *notifier, uint64_t parent)
{
    const struct notice *giving = notifier->entries.giving;
    return giving != NULL && giving->ino == parent;
}

/* Under the lock. */
static void link_hold(struct notifier *notifier, struct notifier_hold *hold, uint64_t ino, bool pages)
{
    struct notifier_hold **bucket = &notifier->holds[bucket_of(ino, "")];
    hold->ino = ino;
    hold->pages = pages;
    hold->next = *bucket;
    hold->prev = bucket;
    if (hold->next != NULL)
        hold->next->prev = &hold->next;
    *bucket = hold;
}

void notifier_hold_pages(struct notifier *notifier, struct notifier_hold *hold, uint64_t ino)
{
    pthread_mutex_lock(&notifier->lock);
    link_hold(notifier, hold, ino, true);
    pthread_mutex_unlock(&notifier->lock);
}

bool notifier_hold(struct notifier *notifier, struct notifier_hold *hold, uint64_t ino)
{
    pthread_mutex_lock(&notifier->lock);
    link_hold(notifier, hold, ino, false);
    bool giving = gives_name_in(notifier, ino);
    pthread_mutex_unlock(&notifier->lock);
    return giving;
}

bool notifier_is_giving(struct notifier *notifier, uint64_t parent)
{
    pthread_mutex_lock(&notifier->lock);
    bool giving = gives_name_in(notifier, parent);
    pthread_mutex_unlock(&notifier->lock);
    return giving;
}

void notifier_release(struct notifier *notifier, struct notifier_hold *hold)
{
    if (hold->ino == 0)
        return;
    pthread_mutex_lock(&notifier->lock);
    *hold->prev = hold->next;
    if (hold->next != NULL)
        hold->next->prev = hold->prev;
    hold->ino = 0;
    struct lane *lane = hold->pages ? &notifier->inodes : &notifier->entries;
    if (lane->first != NULL)
        pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&notifier->lock);
}

uint64_t notifier_mark(const struct notifier *notifier)
{
    return notifier->touched;
}

uint64_t notifier_ticket(const struct notifier *notifier, uint64_t mark)
{
    return notifier->touched == mark ? 0 : notifier->seq;
}

static bool blocks(const struct notifier *notifier, const struct notice *notice, uint64_t ticket)
{
    return notice != NULL && notice->seq <= ticket && !is_held(notifier, notice);
}

static bool lane_settled(const struct notifier *notifier, const struct lane *lane, uint64_t ticket)
{
    if (blocks(notifier, lane->giving, ticket))
        return false;
    for (const struct notice *notice = lane->first; notice && notice->seq <= ticket; notice = notice->next)
        if (blocks(notifier, notice, ticket))
            return false;
    return true;
}

bool notifier_settled(struct notifier *notifier, uint64_t ticket)
{
    pthread_mutex_lock(&notifier->lock);
    bool settled = lane_settled(notifier, &notifier->inodes, ticket) &&
                   lane_settled(notifier, &notifier->entries, ticket);
    if (!settled)
        notifier->awaited = true;
    pthread_mutex_unlock(&notifier->lock);
    return settled;
}

int notifier_fd(const struct notifier *notifier)
{
    return notifier->fd;
}

void notifier_clear(struct notifier *notifier)
{
    eventfd_t count;
    pthread_mutex_lock(&notifier->lock);
    notifier->awaited = false; /* whoever still waits asks notifier_settled again */
    eventfd_read(notifier->fd, &count);
    pthread_mutex_unlock(&notifier->lock);
}

unsigned long notifier_pending(struct notifier *notifier)
{
    pthread_mutex_lock(&notifier->lock);
    unsigned long pending = notifier->inodes.len + notifier->entries.len;
    pthread_mutex_unlock(&notifier->lock);
    return pending;
}
