/* SPDX-License-Identifier: Apache-2.0 */
/* Lists a page at a time. A token names the last item given, not a position, so a list that changes
 * between two pages loses and repeats nothing. */
#ifndef LOCAL_PAGES_H
#define LOCAL_PAGES_H

#include "request.h"

enum { PAGE_NAME_MAX = 257 };

struct page {
    uint64_t after; /* sequence of the last item of the page before; 0: from the start */
    size_t most;
    json_t *items; /* owned until page_reply */
    uint64_t last;
    uint64_t hidden_from; /* the world's, when it is answered as of the past */
    bool more;
    /* Of a list by name, in place of the sequences: */
    bool by_name;
    char after_name[PAGE_NAME_MAX], last_name[PAGE_NAME_MAX];
};

/* Reads maxResults and nextToken. False: refused. */
bool page_begin(struct request *rq, struct page *page, size_t fallback, size_t most);
/* Whether the item with this sequence belongs on the page. Items come with rising sequence; once
 * page->more is set the walk can end. */
bool page_wants(struct page *page, uint64_t sequence);
void page_add(struct page *page, uint64_t sequence, json_t *item); /* takes over the item */
/* The same for a list in the order of names, each shorter than PAGE_NAME_MAX. */
bool page_begin_by_name(struct request *rq, struct page *page, size_t fallback, size_t most);
bool page_wants_name(struct page *page, const char *name);
void page_add_name(struct page *page, const char *name, json_t *item); /* takes over the item */
/* {name: items, "nextToken": ...} */
json_t *page_reply(struct request *rq, struct page *page, const char *name);

#endif
