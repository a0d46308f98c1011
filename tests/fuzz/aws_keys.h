/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ECSFS_FUZZ_AWS_KEYS_H
#define ECSFS_FUZZ_AWS_KEYS_H

#include <stdlib.h>

#include "credentials/document.h"

/* Either keys that can stand in a header line, or an error. Frees both. */
static inline void check_keys(struct aws_credentials *keys, struct ecs_error *error)
{
    if (!keys == !error || (error && error->err >= 0))
        abort();
    if (keys) {
        const char *const texts[] = {keys->access_key_id, keys->secret_access_key,
                                     keys->session_token ? keys->session_token : "x"};
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            if (!*texts[i])
                abort();
            for (const char *c = texts[i]; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                    abort();
        }
        if (keys->expires_ms < 0)
            abort();
    }
    aws_credentials_unref(keys);
    ecs_error_unref(error);
}

#endif
