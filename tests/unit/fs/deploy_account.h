/* SPDX-License-Identifier: Apache-2.0 */
/* What test_deploy_*.c add to the made-up account: service deployments and their revisions, account settings,
 * capacity providers, task sets. */
#ifndef TEST_DEPLOY_ACCOUNT_H
#define TEST_DEPLOY_ACCOUNT_H

#include <jansson.h>

/* For account_more. */
json_t *deploy_answer(json_t *account, const char *operation, json_t *input, const char **ret_code,
                      const char **ret_message);
/* A deployment of web, newer than those before: revision numbers, whose task definition is web:<them % 10>.
 * The account knows service deployments from the first one on. */
void deploy_add(json_t *account, const char *id, const char *status, int target, int source);
/* Of that deployment, or NULL. */
json_t *deploy_find(json_t *account, const char *id);

#endif
