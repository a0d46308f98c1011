/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_TREE_ACCOUNT_H
#define TEST_TREE_ACCOUNT_H

#include <jansson.h>

json_t *account_new(void);
/* s0000, s0001, ... in prod. */
void account_add_services(json_t *account, int count);
/* The reply to a call; NULL: refused, see *ret_code. */
json_t *account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                       const char **ret_message);

/* Asked for operations that the account does not know (write_account.c); NULL: none. */
/* Answers downloads (ecr_account.c); NULL: none. */
struct ecs_call;
extern void (*account_download)(struct ecs_call *call);

extern json_t *(*account_more)(json_t *account, const char *operation, json_t *input, const char **ret_code,
                               const char **ret_message);

#endif
