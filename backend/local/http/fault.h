/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on demand, for tests of clients. A fault is JSON:
 *
 *   {"operation": "ecs.Describe*", "kind": "throttle", "times": 3}
 *
 * operation  pattern (fnmatch) of "service.Operation" that at least one matches; default "*"
 * kind       latency   answers `ms` later
 *            throttle  ThrottlingException, HTTP 400; nothing is done
 *            error     `code`, `message`, `status` (default ServerException, 500); nothing is done
 *            reset     the connection is reset; nothing is done
 *            hang      no answer for `ms` (default: ever), then a reset; nothing is done
 *            lost      it is done, then the connection is reset
 *            corrupt   it is done, half of the answer is sent as if it were whole
 * times      how often; default: for ever
 * probability  of 0 to 1; default 1
 * after      how many matching requests pass first
 *
 * As text, for --fault: the same as kind=throttle,operation=ecs.*,times=3 */
#ifndef LOCAL_FAULT_H
#define LOCAL_FAULT_H

#include <jansson.h>
#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_LATENCY,
    FAULT_THROTTLE,
    FAULT_ERROR,
    FAULT_RESET,
    FAULT_HANG,
    FAULT_LOST,
    FAULT_CORRUPT,
};

struct fault {
    struct fault *next;
    char operation[128], code[64], message[256];
    enum fault_kind kind;
    int ms, status;
    long times, after, hits; /* times -1: for ever */
    double probability;
};

/* NULL with *ret_why set to a static text. */
struct fault *fault_read(const json_t *spec, const char **ret_why);
struct fault *fault_parse(const char *text, const char **ret_why);
json_t *fault_show(const struct fault *fault);
/* The first that strikes this request, counted; NULL: none. */
const struct fault *fault_strike(struct fault *faults, const char *operation);
/* Frees the whole list. */
void faults_free(struct fault *faults);

#endif
