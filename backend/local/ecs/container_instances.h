/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_CONTAINER_INSTANCES_H
#define LOCAL_CONTAINER_INSTANCES_H

#include "request.h"

struct cluster;

struct host_port {
    uint16_t number;
    bool udp;
};

struct instance {
    struct record record; /* first */
    TAILQ_ENTRY(instance) link;
    struct cluster *cluster;
    const char *id; /* 32 hex, in the ARN */
    char *ec2_id;
    bool draining;
    long cpu, memory; /* registered; memory in MiB */
    long used_cpu, used_memory;
    struct host_port *ports; /* bound by tasks (ports.c) */
    size_t ports_len;
    unsigned next_port;   /* the next dynamic one to try */
    json_t *resources;    /* as registered */
    json_t *attributes;   /* [{name, value}] */
    json_t *version_info; /* or NULL */
    int64_t registered_at;
    long version;
};

struct instance *instance_find(const struct cluster *cluster, const char *id_or_arn);
const char *instance_attribute(const struct instance *instance, const char *name); /* NULL: has it not */
bool instance_has_attribute(const struct instance *instance, const char *name);
void container_instances_free_all(struct cluster *cluster);

#endif
