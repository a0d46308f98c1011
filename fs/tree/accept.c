/* SPDX-License-Identifier: Apache-2.0 */
/* Which names AWS could have a resource of. */
#include <string.h>

#include "nodes.h"

static bool only(const char *id, const char *set, size_t most)
{
    size_t len = strlen(id);
    return len > 0 && len <= most && strspn(id, set) == len;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool fs_accept_name(const char *id)
{
    return only(id, LETTERS DIGITS "-_", 255);
}

bool fs_accept_id(const char *id)
{
    return only(id, DIGITS "abcdef-", 36);
}

bool fs_accept_revision(const char *id)
{
    return only(id, DIGITS, 10) && id[0] != '0';
}
