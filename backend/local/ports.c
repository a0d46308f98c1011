/* SPDX-License-Identifier: Apache-2.0 */
#include "ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* Linux's ephemeral range, which ECS's agent gives dynamic ports from. */
enum { DYNAMIC_FIRST = 32768, DYNAMIC_LAST = 60999 };
/* ssh, Docker, and ECS's agent: what AWS reserves on every instance. */
static const uint16_t reserved[] = {22, 2376, 2375, 51678, 51679};

static bool is_taken(const struct instance *instance, unsigned port, bool udp)
{
    for (size_t i = 0; !udp && i < ARRAY_LEN(reserved); i++)
        if (reserved[i] == port)
            return true;
    for (size_t i = 0; i < instance->ports_len; i++)
        if (instance->ports[i].number == port && instance->ports[i].udp == udp)
            return true;
    return false;
}

static void take(struct instance *instance, unsigned port, bool udp)
{
    struct host_port *ports = reallocarray(instance->ports, instance->ports_len + 1, sizeof(*ports));
    if (!ports)
        return;
    instance->ports = ports;
    ports[instance->ports_len++] = (struct host_port){.number = (uint16_t)port, .udp = udp};
}

static void give_back(struct instance *instance, unsigned port, bool udp)
{
    for (size_t i = 0; i < instance->ports_len; i++)
        if (instance->ports[i].number == port && instance->ports[i].udp == udp) {
            instance->ports[i] = instance->ports[--instance->ports_len];
            return;
        }
}

static bool is_udp(const json_t *row)
{
    const char *protocol = in_text(row, "protocol");
    return protocol && strcmp(protocol, "udp") == 0;
}

static bool binds(struct task_definition *definition, bool *ret_host)
{
    const char *mode = in_text(task_definition_doc(definition), "networkMode");
    *ret_host = mode && strcmp(mode, "host") == 0;
    return !mode || strcmp(mode, "bridge") == 0 || *ret_host;
}

bool ports_are_free(const struct instance *instance, struct task_definition *definition)
{
    bool host;
    size_t i, j;
    json_t *container, *mapping;
    if (!binds(definition, &host))
        return true;
    json_array_foreach(json_object_get(task_definition_doc(definition), "containerDefinitions"), i, container)
    {
        json_array_foreach(json_object_get(container, "portMappings"), j, mapping)
        {
            long port = in_int(mapping, host ? "containerPort" : "hostPort", 0);
            if (port > 0 && is_taken(instance, (unsigned)port, is_udp(mapping)))
                return false;
        }
    }
    return true;
}

static unsigned dynamic_port(struct instance *instance, bool udp)
{
    for (int i = 0; i <= DYNAMIC_LAST - DYNAMIC_FIRST; i++) {
        if (instance->next_port < DYNAMIC_FIRST || instance->next_port > DYNAMIC_LAST)
            instance->next_port = DYNAMIC_FIRST;
        unsigned port = instance->next_port++;
        if (!is_taken(instance, port, udp))
            return port;
    }
    return 0;
}

static json_t *bind_container(struct instance *instance, const json_t *container, bool host)
{
    size_t i;
    json_t *mapping, *bindings = NULL;
    json_array_foreach(json_object_get(container, "portMappings"), i, mapping)
    {
        long inside = in_int(mapping, "containerPort", 0);
        long port = host ? inside : in_int(mapping, "hostPort", 0);
        bool udp = is_udp(mapping);
        if (inside <= 0)
            continue; /* a range: not bound here */
        if (port <= 0)
            port = (long)dynamic_port(instance, udp);
        take(instance, (unsigned)port, udp);
        if (!bindings)
            bindings = json_array();
        json_array_append_new(bindings, json_pack("{s:s, s:I, s:I, s:s}", "bindIP", "0.0.0.0",
                                                  "containerPort", (json_int_t)inside, "hostPort",
                                                  (json_int_t)port, "protocol", udp ? "udp" : "tcp"));
    }
    return bindings;
}

void ports_bind(struct task *task)
{
    bool host;
    if (!task->instance || !binds(task->definition, &host))
        return;
    const json_t *containers = json_object_get(task_definition_doc(task->definition), "containerDefinitions");
    for (size_t i = 0; i < task->containers_len; i++)
        task->containers[i].bindings = bind_container(task->instance, json_array_get(containers, i), host);
}

static void each_binding(struct task *task, void (*does)(struct instance *instance, unsigned port, bool udp))
{
    for (size_t i = 0; task->instance && i < task->containers_len; i++) {
        size_t j;
        json_t *row;
        json_array_foreach(task->containers[i].bindings, j, row)
        {
            does(task->instance, (unsigned)in_int(row, "hostPort", 0), is_udp(row));
        }
    }
}

void ports_hold(struct task *task)
{
    each_binding(task, take);
}

void ports_release(struct task *task)
{
    each_binding(task, give_back);
}

json_t *ports_show(const struct instance *instance, bool udp)
{
    json_t *list = json_array();
    for (size_t i = 0; !udp && i < ARRAY_LEN(reserved); i++)
        json_array_append_new(list, json_sprintf("%u", reserved[i]));
    for (size_t i = 0; i < instance->ports_len; i++)
        if (instance->ports[i].udp == udp)
            json_array_append_new(list, json_sprintf("%u", instance->ports[i].number));
    return list;
}
