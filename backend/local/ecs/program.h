/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's command would do. The emulator runs nothing; it understands a little of what
 * people write to make a container end, and everything else runs until it is stopped:
 *
 *   ["exit", "N"]  ["true"]  ["false"]  ["sleep", "SECONDS"]  ["echo", "text", ...]
 *   ["stress", "--vm", "2", "--vm-bytes", "600M", "--timeout", "60"]  (or stress-ng) uses memory
 *   ["sh", "-c", "SCRIPT"]  where SCRIPT is such commands joined by ; && || or newlines
 *
 * (sh may be bash, ash or dash, with a path or not; the entry point goes before the command.) A
 * script with anything else in it runs until it is stopped from that place on. So `exit 1` exits
 * with 1 at once, `sleep 5; false` exits with 1 after five seconds, `nginx -g "daemon off;"` stays. */
#ifndef LOCAL_PROGRAM_H
#define LOCAL_PROGRAM_H

#include <jansson.h>
#include <stdint.h>

struct program {
    int64_t ends_after_ms; /* -1: runs until it is stopped */
    int exits_with;
    int64_t peak_mib, peak_at_ms; /* the memory it uses, and from when on; 0: little */
    json_t *lines;                /* [[milliseconds, "text"], ...] that it prints; owned; NULL: none */
};

/* Either may be NULL: the image's own, which is not known here and runs on. */
struct program program_read(const json_t *entry_point, const json_t *command);
/* A health check's command, ["CMD-SHELL", "exit 1"] or ["CMD", ...]: false when it is known to fail. */
int program_health_passes(const json_t *command);

#endif
