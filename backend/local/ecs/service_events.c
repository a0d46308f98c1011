/* SPDX-License-Identifier: Apache-2.0 */
/* The service's events: the last hundred, as AWS keeps them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services.h"

const struct service_event *service_event_at(const struct service *service, unsigned i)
{
    return &service->events[(service->events_first + service->events_len - 1 - i) % EVENTS_MAX];
}

void service_event_put(struct service *service, const char *id, int64_t at, const char *message)
{
    char *text = strdup(message);
    if (!text)
        return;
    if (service->events_len == EVENTS_MAX) {
        free(service->events[service->events_first].message);
        service->events_first = (service->events_first + 1) % EVENTS_MAX;
        service->events_len--;
    }
    struct service_event *event =
        &service->events[(service->events_first + service->events_len) % EVENTS_MAX];
    *event = (struct service_event){.at = at, .message = text};
    snprintf(event->id, sizeof(event->id), "%s", id);
    service->events_len++;
}

void service_say(struct service *service, const char *format, ...)
{
    char id[ID_MAX], text[4096];
    int len = snprintf(text, sizeof(text), "(service %s) ", service->name);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
    va_end(args);
    service_event_put(service, id_uuid(id), world_wall(service->record.region->world), text);
    record_dirty(&service->record);
}
