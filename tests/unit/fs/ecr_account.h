/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up account's registry: team/app (three images, v1 and v2 tagged), team, team/images, deep/er. */
#ifndef TEST_ECR_ACCOUNT_H
#define TEST_ECR_ACCOUNT_H

#include <jansson.h>

#define ECR_HOST "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

/* Puts the registry into the account. */
void ecr_account_fill(json_t *account);
/* The digest of an image of team/app: 0, 1, 2. Borrowed. */
const char *ecr_account_digest(int i);
/* As account_more. */
json_t *ecr_account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                           const char **ret_message);

#endif
