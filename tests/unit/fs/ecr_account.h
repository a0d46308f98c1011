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
/* The layer of image 2, of 5 MiB and some bytes. Borrowed. */
enum { ECR_LAYER_SIZE = (5 << 20) + 123 };
const char *ecr_account_layer(void);
const char *ecr_account_layer_hex(void);
/* As account_download. What goes wrong with the next ones: */
struct ecs_call;
extern enum ecr_account_harm { ECR_WHOLE, ECR_WRONG, ECR_SHORT, ECR_EXPIRED, ECR_REFUSED } ecr_account_harm;
void ecr_account_download(struct ecs_call *call);

/* The prefix of the one pull-through cache rule; NULL: there is none. */
extern const char *ecr_account_rule;

/* As account_more. */
json_t *ecr_account_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                           const char **ret_message);

#endif
