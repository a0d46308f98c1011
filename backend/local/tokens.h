/* SPDX-License-Identifier: Apache-2.0 */
/* clientToken: a request that comes again with its token gets what the first one made. Tokens are
 * kept for 24 hours, as AWS documents for RunTask. */
#ifndef LOCAL_TOKENS_H
#define LOCAL_TOKENS_H

#include "request.h"

/* The ARNs that this token's first request made, or NULL when it is new (or there is none). With
 * *ret_conflict when the token was used with another request. */
const json_t *token_find(struct request *rq, bool *ret_conflict);
/* Remembers; takes over the array of ARNs. */
void token_remember(struct request *rq, json_t *arns);
void tokens_free_all(struct region *region);

#endif
