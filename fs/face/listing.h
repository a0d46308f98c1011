/* SPDX-License-Identifier: Apache-2.0 */
/* An opened directory: its names as they were then, and whether the kernel may answer from the copy
 * that it keeps itself.
 *
 * The kernel's copy of a directory is kept across opens only when OPENDIR says so. It may be, when what it
 * was filled from is what we would give now, and the attributes given along with it (READDIRPLUS) still hold:
 * after that, giving the whole directory anew is cheaper than being asked for each entry's attributes.
 * Handles that were opened on different contents might fill one copy between them, so while a caching handle
 * is open, another content is not cached, and what the kernel holds then is not trusted again. */
#ifndef FS_LISTING_H
#define FS_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "tree/tree.h"

struct listings;
struct listing_record;

struct listing {
    struct fs_dir *dir;
    uint64_t ino;
    uint64_t hash;                 /* of the names, types and numbers */
    bool cached;                   /* the kernel keeps a copy of what this handle reads */
    bool kept;                     /* the kernel may use the copy it has */
    bool read;                     /* from its start, at least once */
    struct listing_record *record; /* NULL unless cached */
};

struct listings *listings_new(void); /* NULL: out of memory */
struct listings *listings_free(struct listings *listings);

/* Takes the names over, also when it fails (NULL: out of memory). */
struct listing *listing_open(struct listings *listings, uint64_t ino, struct fs_dir *dir, int64_t now_ms);
/* rewinddir: the names as they are now. Takes them over. */
void listing_renew(struct listing *listing, struct fs_dir *dir);
/* The kernel was given an entry's attributes, and may believe them until then (monotonic). */
void listing_gave(struct listing *listing, int64_t until_ms);
void listing_close(struct listings *listings, struct listing *listing);
/* The kernel dropped the inode, and its copy with it. */
void listings_forget(struct listings *listings, uint64_t ino);

#endif
