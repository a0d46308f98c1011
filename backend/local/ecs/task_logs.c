/* SPDX-License-Identifier: Apache-2.0 */
#include "task_logs.h"

#include <stdio.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "logs/logs.h"

/* Lines that double their distance; then one a minute. */
enum { DOUBLINGS = 6 };

double task_log_next(const struct container *container)
{
    if (!container->logs)
        return -1;
    if (container->printed || container->ends_after >= 0) {
        const json_t *line = json_array_get(container->printed, container->lines);
        return line ? (double)json_integer_value(json_array_get(line, 0)) : -1;
    }
    unsigned k = container->lines;
    return 1000.0 * (k <= DOUBLINGS ? (1u << k) - 1 : (1u << DOUBLINGS) - 1 + 60 * (k - DOUBLINGS));
}

static const json_t *options_of(struct task *task, const struct container *container)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(task_definition_doc(task->definition), "containerDefinitions"), i, row)
    {
        if (strcmp(in_text(row, "name"), container->name) == 0)
            return json_object_get(json_object_get(row, "logConfiguration"), "options");
    }
    return NULL;
}

static void write_line(struct task *task, struct container *container, const json_t *options, double due)
{
    struct world *world = task->record.region->world;
    struct region *region = world_find_region(world, in_text(options, "awslogs-region"));
    const char *group = in_text(options, "awslogs-group"),
               *prefix = in_text(options, "awslogs-stream-prefix");
    cleanup_free char *stream = NULL, *line = NULL;
    int r = prefix ? asprintf(&stream, "%s/%s/%s", prefix, container->name, task->id)
                   : asprintf(&stream, "%s", container->runtime_id);
    const char *said =
        json_string_value(json_array_get(json_array_get(container->printed, container->lines), 1));
    if (r >= 0 && !said)
        r = container->lines ? asprintf(&line, "%s: up for %.0f s", container->name, due / 1000)
                             : asprintf(&line, "%s: started from %s", container->name, container->image);
    if (r >= 0 && region && group)
        log_write(region, group, stream, task->times.started + world_span(world, due), said ? said : line);
}

void task_log_until(struct task *task, struct container *container, double lived)
{
    const json_t *options = NULL;
    double due;
    if (container->ends_after >= 0 && lived > (double)container->ends_after)
        lived = (double)container->ends_after;
    while ((due = task_log_next(container)) >= 0 && due <= lived) {
        if (!options)
            options = options_of(task, container);
        write_line(task, container, options, due);
        container->lines++;
        record_dirty(&task->record);
    }
}
