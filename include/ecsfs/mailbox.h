/* SPDX-License-Identifier: Apache-2.0 */
/* A queue between two threads with one owner: anyone posts, only the owner takes. Its eventfd is
 * readable while something waits, so an epoll or curl_multi_poll loop can wait on it. */
#ifndef ECSFS_MAILBOX_H
#define ECSFS_MAILBOX_H

/* Embedded in what is sent. Only the queue touches it, from post until take. */
struct ecs_letter {
    struct ecs_letter *next;
};

struct ecs_mailbox;

/* NULL with errno set. */
struct ecs_mailbox *ecs_mailbox_new(void);
/* Letters still in it are the owner's to take first. NULL is fine; returns NULL. */
struct ecs_mailbox *ecs_mailbox_free(struct ecs_mailbox *mailbox);

int ecs_mailbox_fd(const struct ecs_mailbox *mailbox);
/* From any thread. Cannot fail. Order is kept. */
void ecs_mailbox_post(struct ecs_mailbox *mailbox, struct ecs_letter *letter);
/* By the owner: the oldest letter, or NULL when empty (the eventfd is then clear). Never blocks. */
struct ecs_letter *ecs_mailbox_take(struct ecs_mailbox *mailbox);

#endif
