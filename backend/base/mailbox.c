/* SPDX-License-Identifier: Apache-2.0 */
#include "ecsfs/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ecs_mailbox {
    pthread_mutex_t lock;
    struct ecs_letter *first, **last; /* under lock */
    int fd;                           /* its counter is nonzero iff first is not NULL, but for a moment */
};

struct ecs_mailbox *ecs_mailbox_new(void)
{
    struct ecs_mailbox *mailbox = calloc(1, sizeof(*mailbox));
    if (!mailbox)
        return NULL;
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->fd < 0) {
        free(mailbox);
        return NULL;
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->last = &mailbox->first;
    return mailbox;
}

struct ecs_mailbox *ecs_mailbox_free(struct ecs_mailbox *mailbox)
{
    if (mailbox) {
        close(mailbox->fd);
        pthread_mutex_destroy(&mailbox->lock);
        free(mailbox);
    }
    return NULL;
}

int ecs_mailbox_fd(const struct ecs_mailbox *mailbox)
{
    return mailbox->fd;
}

void ecs_mailbox_post(struct ecs_mailbox *mailbox, struct ecs_letter *letter)
{
    letter->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    *mailbox->last = letter;
    mailbox->last = &letter->next;
    eventfd_write(mailbox->fd, 1);
    pthread_mutex_unlock(&mailbox->lock);
}

struct ecs_letter *ecs_mailbox_take(struct ecs_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    struct ecs_letter *letter = mailbox->first;
    if (letter) {
        mailbox->first = letter->next;
        if (!mailbox->first)
            mailbox->last = &mailbox->first;
        letter->next = NULL;
    }
    if (!mailbox->first) {
        eventfd_t count;
        eventfd_read(mailbox->fd, &count);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return letter;
}
