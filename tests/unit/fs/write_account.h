/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up account's answers to calls that create and remove. */
#ifndef TEST_WRITE_ACCOUNT_H
#define TEST_WRITE_ACCOUNT_H

#include <jansson.h>

/* The next call of this operation is done, but its answer is lost; with `undone`, it is not even done. */
struct write_account_loss {
    const char *operation;
    int undone;
};
extern struct write_account_loss write_account_loss;

json_t *write_account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                             const char **ret_message);

#endif
