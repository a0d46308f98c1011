/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that say what shall be, not what shall be done: sent twice they do the same as sent once. */
#include <string.h>

#include "ecsfs/cleanup.h"
#include "show.h"

static const char *const repeatable[] = {
    "CreateCluster", /* AWS answers with the cluster of that name */
    "TagResource",
    "UntagResource",
    "StopTask",
    "UpdateTaskProtection",
    "PutAttributes",
    "DeleteAttributes",
    "UpdateContainerInstancesState",
    "PutAccountSetting",
    "PutAccountSettingDefault",
    "DeleteAccountSetting",
    "UpdateServicePrimaryTaskSet",
    "UpdateTaskSet",
};

static bool never(const struct ecs_action *action, const struct ecs_doc *now)
{
    return false;
}

void fs_action_again(struct ecs_action *action)
{
    for (size_t i = 0; i < ARRAY_LEN(repeatable); i++)
        if (strcmp(repeatable[i], action->call.operation) == 0)
            action->happened = never;
}
