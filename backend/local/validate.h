/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_VALIDATE_H
#define LOCAL_VALIDATE_H

#include "request.h"

/* Checks a request against the shape in AWS's API model; false: refused. Members that the model
 * does not have are ignored, as AWS does. */
bool request_is_valid(struct request *rq);

#endif
