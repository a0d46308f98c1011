/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

static const struct ecs_field identity_fields[] = {
    {"Arn", "Arn"},
    {"Account", "Account"},
    {"UserId", "UserId"},
    {0},
};

/* GetCallerIdentity takes nothing and its reply is the document. */
const struct ecs_kind ecs_kind_identity = {
    .name = "identity",
    .service = "sts",
    .describe = {.operation = "GetCallerIdentity", .single = true},
    .fields = identity_fields,
};
