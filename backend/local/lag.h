/* SPDX-License-Identifier: Apache-2.0 */
/* Eventual consistency on demand: while a lag is set, what ECS's Describe and List operations answer
 * may be as old as that, and is never older. A question that was asked before gets the answer of that time,
 * one that is asked for the first time does not see what was made since. Changes are made at once, and see
 * everything. */
#ifndef LOCAL_LAG_H
#define LOCAL_LAG_H

#include "request.h"

struct lag;

struct lag *lag_new(int64_t ms); /* of the clock; NULL: no memory */
struct lag *lag_free(struct lag *lag);
int64_t lag_ms(const struct lag *lag);
/* Notes how far the world has come; whenever it has changed. */
void lag_note(struct lag *lag, const struct world *world);
/* The answer to a reading request, as handler's: a new reference, or NULL with rq->error set. */
json_t *lag_answer(struct lag *lag, struct request *rq);

#endif
