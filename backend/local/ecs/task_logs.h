/* SPDX-License-Identifier: Apache-2.0 */
/* What containers write to CloudWatch Logs through the awslogs driver: what their commands echo; of
 * those that the emulator does not understand a line when they start, and then ever more rarely
 * (after 1, 3, 7, ... seconds of life, at last once a minute), so that following a log shows life.
 * The log group is made when it is not there (AWS does so only with awslogs-create-group). */
#ifndef LOCAL_TASK_LOGS_H
#define LOCAL_TASK_LOGS_H

#include "tasks.h"

/* Milliseconds of life from its start at which the container writes its next line; -1: never. */
double task_log_next(const struct container *container);
/* Writes what is due by then. */
void task_log_until(struct task *task, struct container *container, double lived);

#endif
