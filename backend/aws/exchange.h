/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP exchanges of the credential chain, over curl, on the thread that asks. */
#ifndef ECSFS_AWS_EXCHANGE_H
#define ECSFS_AWS_EXCHANGE_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "credentials/environment.h"

struct aws_exchanger {
    struct aws_env env; /* to be handed to the chain; first */
    CURL *easy;
    const atomic_bool *unwanted_flag;
    const char *ca_bundle;
};

/* `env` gives all but exchange, pause and unwanted, which this adds. */
void aws_exchanger_init(struct aws_exchanger *exchanger, const struct aws_env *env,
                        const atomic_bool *unwanted, const char *ca_bundle);
void aws_exchanger_end(struct aws_exchanger *exchanger);

#endif
