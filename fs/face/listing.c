/* SPDX-License-Identifier: Apache-2.0 */
#include "listing.h"

#include <stdlib.h>

#include "ecsfs/cleanup.h"

/* What the kernel's copy of one directory was filled from. */
struct listing_record {
    struct listing_record *next;
    uint64_t ino;
    uint64_t hash;
    int64_t good_until_ms; /* the soonest that an attribute given along with it expires */
    unsigned handles;      /* open ones that read through the copy */
    bool mixed;            /* handles with other contents may have filled it: never keep it */
    bool forgotten;        /* out of the table; ends with its last handle */
};

struct listings {
    struct listing_record **buckets; /* chains, power of two */
    size_t size, len;
};

struct listings *listings_new(void)
{
    struct listings *listings = calloc(1, sizeof(*listings));
    if (listings == NULL)
        return NULL;
    listings->size = 64;
    listings->buckets = calloc(listings->size, sizeof(struct listing_record *));
    if (listings->buckets == NULL) {
        free(listings);
        return NULL;
    }
    return listings;
}

struct listings *listings_free(struct listings *listings)
{
    if (listings == NULL)
        return NULL;
    for (size_t i = 0; i < listings->size; i++)
        for (struct listing_record *record = listings->buckets[i], *next; record; record = next) {
            next = record->next;
            free(record);
        }
    free(listings->buckets);
    free(listings);
    return NULL;
}

static size_t bucket_of(const struct listings *listings, uint64_t ino)
{
    return (size_t)((ino * 0x9E3779B97F4A7C15u) >> 32) & (listings->size - 1);
}

static void grow(struct listings *listings)
{
    struct listings larger = {.size = listings->size * 2, .len = listings->len};
    larger.buckets = calloc(larger.size, sizeof(struct listing_record *));
    if (larger.buckets == NULL)
        return; /* longer chains do too */
    for (size_t i = 0; i < listings->size; i++)
        for (struct listing_record *record = listings->buckets[i], *next; record; record = next) {
            struct listing_record **bucket = &larger.buckets[bucket_of(&larger, record->ino)];
            next = record->next;
            record->next = *bucket;
            *bucket = record;
        }
    free(listings->buckets);
    *listings = larger;
}

static struct listing_record **find(struct listings *listings, uint64_t ino)
{
    struct listing_record **link = &listings->buckets[bucket_of(listings, ino)];
    while (*link != NULL && (*link)->ino != ino)
        link = &(*link)->next;
    return link;
}

static struct listing_record *record_of(struct listings *listings, uint64_t ino)
{
    struct listing_record **link = find(listings, ino);
    if (*link != NULL)
        return *link;
    struct listing_record *record = calloc(1, sizeof(*record));
    if (record == NULL)
        return NULL;
    record->ino = ino;
    *link = record;
    if (++listings->len > listings->size)
        grow(listings);
    return record;
}

/* FNV-1a over what READDIR shows. */
static uint64_t hash_of(const struct fs_dir *dir)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < dir->len; i++) {
        const struct fs_dirent *entry = &dir->entries[i];
        for (const char *at = entry->name; *at; at++)
            hash = (hash ^ (unsigned char)*at) * 0x100000001B3u;
        hash = (hash ^ entry->ino ^ ((uint64_t)entry->type << 48)) * 0x100000001B3u;
    }
    return hash;
}

static void decide(struct listing *listing, struct listing_record *record, int64_t now_ms)
{
    /* Along with no names go no attributes, that could expire. */
    bool stays_empty = listing->dir->len == 0 && record->hash == listing->hash;
    if (record->handles == 0 && record->hash != listing->hash) {
        record->hash = listing->hash;
        record->good_until_ms = 0;
    } else if (record->handles > 0 && (record->mixed || record->hash != listing->hash)) {
        record->mixed = true; /* not cached; the kernel drops what it holds of it now */
        return;
    }
    listing->cached = true;
    listing->kept = !record->mixed && (stays_empty || record->good_until_ms > now_ms);
    if (!listing->kept) {
        record->good_until_ms = 0;
        record->mixed = record->mixed && record->handles > 0;
    }
    record->handles++;
    listing->record = record;
}

struct listing *listing_open(struct listings *listings, uint64_t ino, struct fs_dir *dir, int64_t now_ms)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    if (listing == NULL) {
        fs_dir_free(dir);
        return NULL;
    }
    listing->dir = dir;
    listing->ino = ino;
    listing->hash = hash_of(dir);
    struct listing_record *record = record_of(listings, ino);
    if (record != NULL)
        decide(listing, record, now_ms);
    return listing;
}

void listing_renew(struct listing *listing, struct fs_dir *dir)
{
    uint64_t hash = hash_of(dir);
    if (listing->record != NULL && hash != listing->hash)
        listing->record->mixed = true;
    fs_dir_free(listing->dir);
    listing->dir = dir;
    listing->hash = hash;
}

void listing_gave(struct listing *listing, int64_t until_ms)
{
    struct listing_record *record = listing->record;
    if (record != NULL && (record->good_until_ms == 0 || until_ms < record->good_until_ms))
        record->good_until_ms = until_ms;
}

void listing_close(struct listings *listings, struct listing *listing)
{
    struct listing_record *record = listing->record;
    if (record != NULL) {
        record->handles--;
        if (record->mixed) { /* what the kernel holds is of no one content */
            record->good_until_ms = 0;
            record->hash = 0;
        }
        if (record->handles == 0)
            record->mixed = false;
        if (record->handles == 0 && record->forgotten)
            free(record);
    }
    fs_dir_free(listing->dir);
    free(listing);
}

void listings_forget(struct listings *listings, uint64_t ino)
{
    struct listing_record **link = find(listings, ino);
    struct listing_record *record = *link;
    if (record == NULL)
        return;
    *link = record->next;
    listings->len--;
    if (record->handles > 0)
        record->forgotten = true;
    else
        free(record);
}
