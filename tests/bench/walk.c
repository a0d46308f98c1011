/* SPDX-License-Identifier: Apache-2.0 */
/* Times what shells and tools do most, over a directory of directories of small files:
 *
 *   $ walk /mnt/clusters/bench/services desired-count status arn
 *   stat 1510
 *   read 9120
 *   ...
 *
 * Each line is an operation and its nanoseconds, the best of several rounds. Run on two trees of the
 * same form, the ratio is what counts. The first round warms the caches and is not timed. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, NAMES_MAX = 100000 };

static char *names[NAMES_MAX];
static size_t names_len;
static char **files;
static int files_len;

static void die(const char *what, const char *path)
{
    fprintf(stderr, "walk: %s ", what);
    perror(path);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t list(int keep)
{
    DIR *dir = opendir(".");
    struct dirent *entry;
    size_t n = 0;

    if (!dir)
        die("opendir", ".");
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        if (keep && names_len < NAMES_MAX && !(names[names_len++] = strdup(entry->d_name)))
            die("strdup", entry->d_name);
    }
    closedir(dir);
    return n;
}

static size_t each_file(void (*visit)(const char *path))
{
    char path[1024];

    for (size_t i = 0; i < names_len; i++) {
        for (int k = 0; k < files_len; k++) {
            snprintf(path, sizeof(path), "%s/%s", names[i], files[k]);
            visit(path);
        }
    }
    return names_len * (size_t)files_len;
}

static void stat_it(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        die("stat", path);
}

static void read_it(const char *path)
{
    static char buf[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        die("open", path);
    if (read(fd, buf, sizeof(buf)) < 0)
        die("read", path);
    close(fd);
}

static size_t stat_all(void)
{
    return each_file(stat_it);
}

static size_t read_all(void)
{
    return each_file(read_it);
}

static size_t missing_all(void)
{
    struct stat st;
    char path[1024];

    for (size_t i = 0; i < names_len; i++) {
        snprintf(path, sizeof(path), "%s/no-such-name", names[i]);
        if (stat(path, &st) == 0)
            die("there is", path);
    }
    return names_len;
}

static size_t readdir_all(void)
{
    return list(0);
}

static size_t ls_l_all(void)
{
    struct stat st;
    size_t n = list(0);

    for (size_t i = 0; i < names_len; i++) {
        if (lstat(names[i], &st) < 0)
            die("lstat", names[i]);
    }
    return n;
}

static const struct {
    const char *name;
    size_t (*run)(void); /* how often it did it */
} operations[] = {
    {"stat", stat_all},       {"read", read_all}, {"missing", missing_all},
    {"readdir", readdir_all}, {"ls-l", ls_l_all},
};

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: walk DIRECTORY FILE...\n");
        return 2;
    }
    if (chdir(argv[1]) < 0)
        die("chdir", argv[1]);
    files = argv + 2;
    files_len = argc - 2;
    list(1);
    for (size_t o = 0; o < sizeof(operations) / sizeof(*operations); o++) {
        double best = 0;

        for (int round = 0; round <= ROUNDS; round++) {
            int64_t began = now_ns();
            size_t n = operations[o].run();
            double each = (double)(now_ns() - began) / (double)(n ? n : 1);

            if (round == 1 || (round > 1 && each < best))
                best = each;
        }
        printf("%s %.0f\n", operations[o].name, best);
    }
    for (size_t i = 0; i < names_len; i++)
        free(names[i]);
    return 0;
}
