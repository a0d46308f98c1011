/* SPDX-License-Identifier: Apache-2.0 */
/* The containers of a task, out of its definition and RunTask's overrides. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "program.h"
#include "tasks.h"

static const json_t *override_of(const struct task *task, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(task->overrides, "containerOverrides"), i, row)
    {
        const char *its = in_text(row, "name");
        if (its && strcmp(its, name) == 0)
            return row;
    }
    return NULL;
}

/* A number that an override may replace. */
static long number_of(const json_t *container, const json_t *override, const char *name)
{
    return in_int(override, name, in_int(container, name, -1));
}

/* How long the kernel's out-of-memory killer lets it grow. */
enum { STARVE_MS = 500 };

/* What needs more than it may have is killed: the container's hard limit, else the task's memory. */
static void starve(const struct task *task, struct container *made, const struct program *program)
{
    long limit = made->memory > 0 ? made->memory : task->task_sized ? task->memory : 0;
    if (limit <= 0 || program->peak_mib <= limit)
        return;
    made->starved = true;
    made->ends_after = program->peak_at_ms + STARVE_MS;
    made->exits_with = 137;
}

static int make(struct task *task, struct container *made, const json_t *container)
{
    const json_t *override = override_of(task, in_text(container, "name"));
    const json_t *command = json_object_get(override, "command");
    struct program program = program_read(json_object_get(container, "entryPoint"),
                                          command ? command : json_object_get(container, "command"));
    const char *driver = in_text(json_object_get(container, "logConfiguration"), "logDriver");
    made->logs = driver && strcmp(driver, "awslogs") == 0;
    made->printed = program.lines;
    made->name = strdup(in_text(container, "name"));
    made->image = strdup(in_text(container, "image"));
    id_uuid(made->id);
    made->status = TASK_PENDING;
    made->essential = in_bool(container, "essential");
    made->exit_code = -1;
    made->ends_after = program.ends_after_ms;
    made->exits_with = program.exits_with;
    made->cpu = number_of(container, override, "cpu");
    made->memory = number_of(container, override, "memory");
    made->reservation = number_of(container, override, "memoryReservation");
    made->checked = json_object_get(container, "healthCheck") != NULL;
    starve(task, made, &program);
    return made->name && made->image ? 0 : -ENOMEM;
}

/* The task's own size, or the sum of its containers'. */
static void measure(struct task *task)
{
    long cpu = task->cpu, memory = task->memory;
    task->cpu = task->memory = 0;
    for (size_t i = 0; i < task->containers_len; i++) {
        const struct container *container = &task->containers[i];
        task->cpu += container->cpu > 0 ? container->cpu : 0;
        task->memory += container->reservation > 0 ? container->reservation
                        : container->memory > 0    ? container->memory
                                                   : 0;
    }
    if (cpu)
        task->cpu = cpu;
    if (memory)
        task->memory = memory;
}

/* The size it was given as a whole, if any. */
static void take_size(struct task *task, const json_t *doc)
{
    const char *cpu = in_text(task->overrides, "cpu"), *memory = in_text(task->overrides, "memory");
    cpu = cpu ? cpu : in_text(doc, "cpu");
    memory = memory ? memory : in_text(doc, "memory");
    task->task_sized = cpu || memory;
    task->cpu = cpu ? atol(cpu) : 0;
    task->memory = memory ? atol(memory) : 0;
}

int task_make_containers(struct task *task)
{
    const json_t *doc = task_definition_doc(task->definition);
    const json_t *containers = json_object_get(doc, "containerDefinitions");
    size_t i;
    json_t *container;
    task->containers = calloc(json_array_size(containers) + 1, sizeof(*task->containers));
    if (!doc || !task->containers)
        return -ENOMEM;
    take_size(task, doc);
    json_array_foreach(containers, i, container)
    {
        task->containers_len++;
        int r = make(task, &task->containers[i], container);
        if (r < 0)
            return r;
    }
    measure(task);
    return 0;
}
