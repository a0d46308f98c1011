/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_VALIDATE_H
#define LOCAL_VALIDATE_H

#include "request.h"

/* Checks a request against the shape in AWS's API model; false: refused. Members that the model
 * does not have are ignored, as AWS does, and noted in rq->unknown. */
bool request_is_valid(struct request *rq);
/* Of a request with unknown members: what is known of it, so that nothing else is kept or shown. NULL: no
 * memory. */
json_t *request_known(const struct request *rq);

#endif
