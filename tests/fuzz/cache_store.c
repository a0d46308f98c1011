/* SPDX-License-Identifier: Apache-2.0 */
/* The file of documents, with anything in it: it opens, gives what its sums vouch for, and can be written to;
 * what was written is there when it is opened again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "store_file.h"
#include "target.h"

static char dir[64];

static void remove_dir(void)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/docs", dir);
    unlink(path);
    rmdir(dir);
}

static void fill(const uint8_t *data, size_t size)
{
    char path[80];
    if (!*dir) {
        const char *top = getenv("TMPDIR");
        snprintf(dir, sizeof(dir), "%.40s/ecsfs-fuzz-XXXXXX", top ? top : "/tmp");
        if (!mkdtemp(dir))
            abort();
        atexit(remove_dir);
    }
    snprintf(path, sizeof(path), "%s/docs", dir);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "ecsfs documents 1\n", 18) != 18 || write(fd, data, size) != (ssize_t)size)
        abort();
}

static void expect(struct store_file *file, const char *id, const char *want)
{
    size_t len;
    cleanup_free char *text = store_file_get(file, "revision", "web", id, &len);
    if (!text || strcmp(text, want) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_file *file;
    size_t len;
    fill(data, size);
    if (store_file_open(dir, "docs", &file) < 0)
        abort();
    free(store_file_get(file, "revision", "web", "1", &len));
    if (store_file_put(file, "revision", "web", "1", "{}\n", 3) < 0 ||
        store_file_put(file, "revision", "web", "2", "{ }\n", 4) < 0 ||
        store_file_remove(file, "revision", "web", "1") < 0)
        abort();
    store_file_close(file);
    if (store_file_open(dir, "docs", &file) < 0 || store_file_has(file, "revision", "web", "1"))
        abort();
    expect(file, "2", "{ }\n");
    store_file_close(file);
    return 0;
}
