/* SPDX-License-Identifier: Apache-2.0 */
#include "data.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SKIPPED = 77 }; /* as meson understands it */

static bool missing; /* something that a test of this process stands on */

const char *data_path(const char *name)
{
    static char path[1024];
    const char *shared = getenv("ECSFS_SHARED");
    snprintf(path, sizeof(path), "%s/data/%s", shared && *shared ? shared : "", name);
    if (shared && *shared && access(path, R_OK) == 0)
        return path;
    printf("SKIPPED: no shared data %s (set ECSFS_SHARED)\n", name);
    missing = true;
    return NULL;
}

char *data_read(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        abort();
    }
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    for (int c; (c = getc(file)) != EOF;)
        putc(c, out);
    fclose(file);
    fclose(out);
    return text;
}

int data_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : missing ? SKIPPED : EXIT_SUCCESS;
}
