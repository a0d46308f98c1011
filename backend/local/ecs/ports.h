/* SPDX-License-Identifier: Apache-2.0 */
/* Host ports on container instances: in the bridge mode (the default there) a container's port is
 * bound to the host port its definition asks for, or to one of 32768..60999 where it asks for none; in the
 * host mode to itself. Two tasks with the same fixed port cannot be on one instance. */
#ifndef LOCAL_PORTS_H
#define LOCAL_PORTS_H

#include "container_instances.h"
#include "tasks.h"

/* Whether the fixed ports that the definition asks for are free there. */
bool ports_are_free(const struct instance *instance, struct task_definition *definition);
/* Binds the ports of a new task on its instance: fills its containers' bindings. */
void ports_bind(struct task *task);
/* After a load: takes the ports that the bindings name. */
void ports_hold(struct task *task);
/* Lets go of them; the bindings stay, for a STOPPED task still shows them. */
void ports_release(struct task *task);
/* Texts, as remainingResources has them; the caller's. */
json_t *ports_show(const struct instance *instance, bool udp);

/* "8000-8005" taken apart: its first port and how many there are. False when it is no range. */
bool ports_read_range(const char *text, unsigned *ret_first, unsigned *ret_count);

#endif
