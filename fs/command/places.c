/* SPDX-License-Identifier: Apache-2.0 */
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"

int places_mountpoint(const char *given, char **ret_path, char *why, size_t why_size)
{
    struct stat st;
    int r = 0;
    char *path = realpath(given, NULL);
    if (path == NULL || stat(path, &st) < 0)
        r = -errno;
    else if (!S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    if (r == 0) {
        *ret_path = path;
        return 0;
    }
    free(path);
    if (r == -ENOTCONN)
        snprintf(why, why_size,
                 "%s: a filesystem whose daemon died is still mounted there: fusermount3 -u %s", given,
                 given);
    else if (r == -ENOENT)
        snprintf(why, why_size, "mountpoint %s does not exist: mkdir it first", given);
    else if (r == -ENOTDIR)
        snprintf(why, why_size, "mountpoint %s is not a directory", given);
    else
        snprintf(why, why_size, "mountpoint %s: %s", given, strerror(-r));
    return r;
}

static int find_program(const char *name)
{
    const char *path = getenv("PATH");
    cleanup_free char *dirs = strdup(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    char *rest = dirs, *dir;
    while (rest != NULL && (dir = strsep(&rest, ":")) != NULL) {
        char file[PATH_MAX];
        if (snprintf(file, sizeof(file), "%s/%s", dir, name) < (int)sizeof(file) && access(file, X_OK) == 0)
            return 0;
    }
    return -ENOENT;
}

int places_check_fuse(char *why, size_t why_size)
{
    cleanup_close int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;
    if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
        snprintf(why, why_size, "there is no /dev/fuse here: modprobe fuse, or give it to the container");
    else if (r != 0)
        snprintf(why, why_size, "/dev/fuse: %s", strerror(-r));
    if (r == 0 && geteuid() != 0 && access("/usr/bin/fusermount3", X_OK) < 0 &&
        find_program("fusermount3") < 0) {
        r = -ENOENT;
        snprintf(why, why_size, "fusermount3 is not installed (package fuse3); only root mounts without it");
    }
    return r;
}

/* ---- directories ---- */

static int make_dirs(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
        if (slash != NULL)
            *slash = '/';
        if (r != 0 || slash == NULL)
            return r;
    }
}

int places_make_dir(const char *path, char *why, size_t why_size)
{
    struct stat st;
    cleanup_free char *copy = strdup(path);
    int r = copy == NULL ? -ENOMEM : stat(path, &st) == 0 ? 0 : make_dirs(copy);
    if (r == 0 && stat(path, &st) < 0)
        r = -errno;
    if (r == 0 && !S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    if (r == 0 && access(path, W_OK | X_OK) < 0)
        r = -errno;
    if (r != 0)
        snprintf(why, why_size, "%s: %s", path, strerror(-r));
    return r;
}

static const char *home_dir(void)
{
    const char *home = getenv("HOME");
    if (home != NULL && home[0] == '/')
        return home;
    const struct passwd *user = getpwuid(geteuid()); /* mount(8) at boot has no HOME */
    return user != NULL ? user->pw_dir : NULL;
}

/* systemd's variable names the directory itself; XDG's its parent. */
static int standard_dir(const char *systemd, const char *xdg, const char *below_home, char **ret_path,
                        char *why, size_t why_size)
{
    cleanup_free char *path = NULL;
    const char *dir = getenv(systemd), *home = home_dir();
    int n;
    if (dir != NULL && dir[0] == '/')
        n = asprintf(&path, "%.*s", (int)strcspn(dir, ":"), dir);
    else if ((dir = getenv(xdg)) != NULL && dir[0] == '/')
        n = asprintf(&path, "%s/ecsfs", dir);
    else if (home != NULL)
        n = asprintf(&path, "%s/%s/ecsfs", home, below_home);
    else {
        snprintf(why, why_size, "no home directory: neither HOME nor %s is set", xdg);
        return -ENOENT;
    }
    if (n < 0) {
        path = NULL;
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    int r = places_make_dir(path, why, why_size);
    if (r == 0)
        *ret_path = steal(path);
    return r;
}

int places_state_dir(char **ret_path, char *why, size_t why_size)
{
    return standard_dir("STATE_DIRECTORY", "XDG_STATE_HOME", ".local/state", ret_path, why, why_size);
}

int places_cache_dir(char **ret_path, char *why, size_t why_size)
{
    return standard_dir("CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache", ret_path, why, why_size);
}

int places_outside(const char *mountpoint, const char *path, const char *what, char *why, size_t why_size)
{
    char *real = realpath(path, NULL);
    if (real == NULL) { /* a file that is made later: its directory counts */
        cleanup_free char *dir = strdup(path);
        char *slash = dir != NULL ? strrchr(dir, '/') : NULL;
        if (slash != NULL) {
            *(slash == dir ? slash + 1 : slash) = '\0';
            real = realpath(dir, NULL);
        }
    }
    size_t len = strcmp(mountpoint, "/") == 0 ? 0 : strlen(mountpoint);
    int r = 0;
    if (real != NULL && strncmp(real, mountpoint, len) == 0 && (real[len] == '/' || real[len] == '\0')) {
        snprintf(why, why_size, "%s %s lies below the mountpoint %s, where it could not be reached", what,
                 path, mountpoint);
        r = -EINVAL;
    }
    free(real);
    return r;
}
