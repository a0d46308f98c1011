/* SPDX-License-Identifier: Apache-2.0 */
/* The shared test data (a folder named by ECSFS_SHARED), and running suites that may lack it. */
#ifndef ECSFS_TEST_DATA_H
#define ECSFS_TEST_DATA_H

#include <check.h>

/* $ECSFS_SHARED/data/<name>; NULL, said aloud once a name, when ECSFS_SHARED is unset or it is not there. */
const char *data_path(const char *name);
/* The whole file, NUL-terminated; aborts when it cannot be read. The caller frees it. */
char *data_read(const char *path);
/* Runs the suite in this process; the exit code. Where shared data was missing, that of a skipped test: what
 * could not be tested is not told as passed. */
int data_run(Suite *suite);

#endif
