/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* The terminal itself: standard input may be a script's. The code is shown while typed; it serves only once.
 */
char *ask_mfa(void *arg, const char *mfa_serial)
{
    char line[64] = "";
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (terminal == NULL)
        return NULL;
    setvbuf(terminal, NULL, _IONBF, 0); /* no copy of the code is left there */
    fprintf(terminal, "MFA code of %s: ", mfa_serial);
    fflush(terminal);
    if (fgets(line, sizeof(line), terminal) == NULL)
        line[0] = '\0';
    fclose(terminal);
    char *code = line + strspn(line, " \t");
    code[strcspn(code, " \t\r\n")] = '\0';
    char *own = *code != '\0' ? strdup(code) : NULL;
    explicit_bzero(line, sizeof(line));
    return own;
}
