/* SPDX-License-Identifier: Apache-2.0 */
/* A world made of JSON: variables, files, recorded HTTP exchanges. */
#ifndef ECSFS_TEST_FAKE_H
#define ECSFS_TEST_FAKE_H

#include <jansson.h>

#include "credentials/environment.h"

struct fake {
    struct aws_env env; /* first */
    const json_t *variables;
    const json_t *files;  /* path to text; asked before `root` */
    const char *root;     /* a folder that stands for "/"; NULL: none */
    const json_t *events; /* of recorded traffic; NULL: none */
    size_t next;
    char problem[512];  /* what differed from the recording; "" when nothing did */
    char written[1024]; /* the last file written */
    struct ecs_manual_clock clock;
};

void fake_init(struct fake *fake);
/* Whether all the recorded requests were made. */
bool fake_exhausted(const struct fake *fake);

#endif
