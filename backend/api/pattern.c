/* SPDX-License-Identifier: Apache-2.0 */
/* Matching AWS's patterns, each compiled once, when first wanted: most never are. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

static int compare_pattern(const void *key, const void *row)
{
    return strcmp(key, ((const struct api_pattern *)row)->aws);
}

/* In the C locale a bracket expression is a set of bytes, which is what ere.py wrote. */
static bool compile(const char *posix, regex_t *ret_expression)
{
    if (!posix)
        return false;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c)
        return false;
    locale_t before = uselocale(c);
    int r = regcomp(ret_expression, posix, REG_EXTENDED);
    uselocale(before);
    freelocale(c);
    return r == 0;
}

static const regex_t *expression_of(const char *aws_pattern)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const struct api_pattern *row =
        bsearch(aws_pattern, api_patterns, api_patterns_len, sizeof(*row), compare_pattern);
    if (!row)
        return NULL;
    struct api_compiled *compiled = &api_compiled[row - api_patterns];
    pthread_mutex_lock(&lock);
    if (compiled->state == API_UNTRIED)
        compiled->state = compile(row->posix, &compiled->expression) ? API_READY : API_UNUSABLE;
    bool ready = compiled->state == API_READY;
    pthread_mutex_unlock(&lock);
    return ready ? &compiled->expression : NULL;
}

bool api_pattern_matches(const char *aws_pattern, const char *text, size_t len)
{
    const regex_t *expression = expression_of(aws_pattern);
    if (!expression)
        return true;
    regmatch_t whole = {.rm_so = 0, .rm_eo = (regoff_t)len};
    int r = regexec(expression, text, 1, &whole, REG_STARTEND);
    return r != REG_NOMATCH; /* out of memory is no verdict */
}
