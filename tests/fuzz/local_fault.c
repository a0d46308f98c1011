/* SPDX-License-Identifier: Apache-2.0 */
/* A fault as --fault takes it, and as JSON of the control endpoint. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "http/fault.h"
#include "target.h"

static void check(struct fault *fault, const char *why)
{
    if (!fault && !(why && *why))
        abort();
    if (!fault)
        return;
    if (fault->kind == FAULT_NONE || fault->ms < -1 || fault->status < 200 || fault->status > 599 ||
        !(fault->probability >= 0 && fault->probability <= 1))
        abort();
    json_t *shown = fault_show(fault);
    if (!shown)
        abort();
    json_decref(shown);
    fault_strike(fault, "ecs.ListClusters");
    fault_strike(fault, "");
    faults_free(fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    cleanup_free char *text = target_text(data, size);
    if (!text)
        return 0;
    struct fault *fault = fault_parse(text, &why);
    check(fault, why);
    json_t *spec = json_loads(text, 0, NULL);
    why = NULL;
    fault = spec ? fault_read(spec, &why) : NULL;
    if (spec)
        check(fault, why);
    json_decref(spec);
    return 0;
}
