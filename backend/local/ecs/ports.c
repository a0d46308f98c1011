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

/* All ports of one protocol, a bit each. */
struct port_set {
    uint64_t words[(UINT16_MAX + 1) / 64];
};

static void read_taken(const struct instance *instance, bool udp, struct port_set *ret_taken)
{
    *ret_taken = (struct port_set){0};
    for (size_t i = 0; !udp && i < ARRAY_LEN(reserved); i++)
        ret_taken->words[reserved[i] / 64] |= UINT64_C(1) << reserved[i] % 64;
    for (size_t i = 0; i < instance->ports_len; i++) {
        unsigned number = instance->ports[i].number;
        if (instance->ports[i].udp == udp)
            ret_taken->words[number / 64] |= UINT64_C(1) << number % 64;
    }
}

static bool is_in(const struct port_set *set, unsigned port)
{
    return port <= UINT16_MAX && set->words[port / 64] >> port % 64 & 1;
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

bool ports_read_range(const char *text, unsigned *ret_first, unsigned *ret_count)
{
    unsigned last;
    char end;
    if (!text || sscanf(text, "%u-%u%c", ret_first, &last, &end) != 2 || !*ret_first || last < *ret_first ||
        last > UINT16_MAX)
        return false;
    *ret_count = last - *ret_first + 1;
    return true;
}

/* The first of so many free ports in a row, from the dynamic ones; 0: there is no such room. */
static unsigned dynamic_ports(const struct instance *instance, unsigned count, bool udp)
{
    struct port_set taken;
    unsigned free_ones = 0;
    read_taken(instance, udp, &taken);
    for (unsigned port = DYNAMIC_FIRST; port <= DYNAMIC_LAST; port++) {
        free_ones = is_in(&taken, port) ? 0 : free_ones + 1;
        if (free_ones == count)
            return port - count + 1;
    }
    return 0;
}

static bool mapping_fits(const struct instance *instance, const json_t *mapping, bool host)
{
    unsigned first, count = 1;
    bool udp = is_udp(mapping);
    if (ports_read_range(in_text(mapping, "containerPortRange"), &first, &count)) {
        if (!host)
            return dynamic_ports(instance, count, udp) != 0;
    } else {
        first = (unsigned)in_int(mapping, host ? "containerPort" : "hostPort", 0);
    }
    struct port_set taken;
    read_taken(instance, udp, &taken);
    for (unsigned i = 0; first && i < count; i++)
        if (is_in(&taken, first + i))
            return false;
    return true;
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
            if (!mapping_fits(instance, mapping, host))
                return false;
        }
    }
    return true;
}

static unsigned dynamic_port(struct instance *instance, bool udp)
{
    struct port_set taken;
    read_taken(instance, udp, &taken);
    for (int i = 0; i <= DYNAMIC_LAST - DYNAMIC_FIRST; i++) {
        if (instance->next_port < DYNAMIC_FIRST || instance->next_port > DYNAMIC_LAST)
            instance->next_port = DYNAMIC_FIRST;
        unsigned port = instance->next_port++;
        if (!is_in(&taken, port))
            return port;
    }
    return 0;
}

/* A range is bound to one of the same length: its own numbers in host mode, else dynamic ones. */
static json_t *bind_range(struct instance *instance, const json_t *mapping, bool host)
{
    unsigned inside, count;
    bool udp = is_udp(mapping);
    const char *text = in_text(mapping, "containerPortRange");
    if (!ports_read_range(text, &inside, &count))
        return NULL;
    unsigned port = host ? inside : dynamic_ports(instance, count, udp);
    for (unsigned i = 0; port && i < count; i++)
        take(instance, port + i, udp);
    return json_pack("{s:s, s:s, s:o, s:s}", "bindIP", "0.0.0.0", "containerPortRange", text, "hostPortRange",
                     json_sprintf("%u-%u", port, port + count - 1), "protocol", udp ? "udp" : "tcp");
}

static json_t *bind_port(struct instance *instance, const json_t *mapping, bool host)
{
    long inside = in_int(mapping, "containerPort", 0);
    long port = host ? inside : in_int(mapping, "hostPort", 0);
    bool udp = is_udp(mapping);
    if (inside <= 0)
        return bind_range(instance, mapping, host);
    if (port <= 0)
        port = (long)dynamic_port(instance, udp);
    take(instance, (unsigned)port, udp);
    return json_pack("{s:s, s:I, s:I, s:s}", "bindIP", "0.0.0.0", "containerPort", (json_int_t)inside,
                     "hostPort", (json_int_t)port, "protocol", udp ? "udp" : "tcp");
}

static json_t *bind_container(struct instance *instance, const json_t *container, bool host)
{
    size_t i;
    json_t *mapping, *bindings = NULL;
    json_array_foreach(json_object_get(container, "portMappings"), i, mapping)
    {
        json_t *binding = bind_port(instance, mapping, host);
        if (binding && !bindings)
            bindings = json_array();
        if (binding)
            json_array_append_new(bindings, binding);
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
            unsigned first = (unsigned)in_int(row, "hostPort", 0), count = 1;
            ports_read_range(in_text(row, "hostPortRange"), &first, &count);
            for (unsigned k = 0; first && k < count; k++)
                does(task->instance, first + k, is_udp(row));
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
