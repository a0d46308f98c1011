/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without libFuzzer:
 *
 *     fuzz-NAME FOLDER [ROUNDS]
 *
 * over each file of the folder, then over damaged copies of it: cut, or with some bytes changed,
 * always the same ones. Fails when the folder holds nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ecsfs/cleanup.h"
#include "target.h"

enum { ROUNDS = 300, CHANGES_MAX = 4, FILE_MAX = 1 << 20 };

/* In a block of just its size, so that a sanitizer sees a read behind it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        exit(1);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void run_damaged(const uint8_t *data, size_t size, unsigned seed)
{
    static const char telling[] = "{}[]\",:\\\n\r 0-9eE.=%#/\x01\x7f\x80\xff";
    cleanup_free uint8_t *copy = malloc(size);
    if (!copy)
        exit(1);
    memcpy(copy, data, size);
    unsigned state = seed;
    size_t kept = next_random(&state) % 2 ? size : next_random(&state) % (size + 1);
    for (unsigned n = next_random(&state) % CHANGES_MAX; n > 0 && kept > 0; n--) {
        uint8_t byte = next_random(&state) % 2 ? (uint8_t)telling[next_random(&state) % (sizeof(telling) - 1)]
                                               : (uint8_t)next_random(&state);
        copy[next_random(&state) % kept] = byte;
    }
    run(copy, kept);
}

static void run_file(const char *path, unsigned rounds)
{
    static uint8_t data[FILE_MAX];
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout); /* it stands there when the target crashes */
    run(data, size);
    for (unsigned i = 1; size > 0 && i <= rounds; i++)
        run_damaged(data, size, i);
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int n = argc > 1 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    if (n < 0) {
        fprintf(stderr, "usage: %s FOLDER [ROUNDS]\n", argv[0]);
        return 1;
    }
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : ROUNDS, files = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        free(entries[i]);
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        run_file(path, rounds);
        files++;
    }
    free(entries);
    printf("%u files\n", files);
    return files == 0;
}
