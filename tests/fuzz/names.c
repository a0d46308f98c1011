/* SPDX-License-Identifier: Apache-2.0 */
/* Names that AWS could send: whatever they are, they make one entry of a directory, and it leads back. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"
#include "tree/names.h"
#include "tree/nodes.h"

static bool taken(const void *arg, const char *name)
{
    return strcmp(name, "latest.json") == 0 || strcmp(name, "images") == 0;
}

static void check_entry(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > FS_NAME_MAX || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0 || taken(NULL, name))
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            abort();
}

static void there_and_back(const char *id, const char *suffix)
{
    char *back = NULL, *name = fs_name_encode(id, suffix, taken, NULL);
    if (name == NULL)
        return; /* out of memory, or of bounds */
    check_entry(name);
    int r = fs_name_decode(name, suffix, taken, NULL, &back);
    if (r != -E2BIG && r != -ENOMEM && (r != 0 || strcmp(back, id) != 0))
        abort();
    free(back);
    free(name);
}

/* What a user asks for is an entry of ours only in the one spelling that we give it. */
static void back_and_there(const char *name, const char *suffix)
{
    char *id = NULL;
    if (fs_name_decode(name, suffix, taken, NULL, &id) != 0)
        return;
    char *again = fs_name_encode(id, suffix, taken, NULL);
    if (again != NULL && strcmp(again, name) != 0)
        abort();
    free(again);
    free(id);
}

/* What is taken for a repository's name, a digest or another id leads to no other place, and is one entry a
 * part. */
static void accepted(const char *text)
{
    if (fs_accept_digest(text) && (strlen(text) != 71 || strchr(text, '/') != NULL))
        abort();
    if (!fs_accept_repository(text))
        return;
    char *copy = strdup(text), *rest = copy, *part;
    while (copy != NULL && (part = strsep(&rest, "/")) != NULL) {
        if (*part == '\0' || strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
            abort();
        there_and_back(part, NULL);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    there_and_back(text, NULL);
    there_and_back(text, ".json");
    accepted(text);
    back_and_there(text, NULL);
    back_and_there(text, ".json");
    free(text);
    return 0;
}
