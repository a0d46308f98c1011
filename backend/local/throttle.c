/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <stdlib.h>

static const struct {
    double burst, rate;
} limits[BUCKETS] = {
    [BUCKET_CLUSTER_MODIFY] = {20, 1},
    [BUCKET_CLUSTER_READ] = {50, 20},
    [BUCKET_TASK_DEFINITION_MODIFY] = {20, 1},
    [BUCKET_TASK_DEFINITION_READ] = {50, 20},
    [BUCKET_TASK_DEFINITION_DELETE] = {5, 1},
    [BUCKET_SERVICE_MODIFY] = {50, 5},
    [BUCKET_SERVICE_READ] = {100, 20},
    [BUCKET_TASK_MODIFY] = {100, 40},
    [BUCKET_TASK_READ] = {100, 20},
    [BUCKET_PROVIDER_MODIFY] = {10, 1},
    [BUCKET_PROVIDER_READ] = {50, 20},
    [BUCKET_TAG_MODIFY] = {20, 10},
    [BUCKET_TAG_READ] = {50, 20},
    [BUCKET_SETTING_MODIFY] = {10, 1},
    [BUCKET_SETTING_READ] = {50, 20},
    [BUCKET_SERVICE_DEPLOYMENT] = {50, 20},
    [BUCKET_SERVICE_REVISION] = {50, 20},
    [BUCKET_TASK_PROTECTION] = {200, 80},
    [BUCKET_ECR_READ] = {2000, 2000},
    [BUCKET_ECR_MODIFY] = {100, 100},
    [BUCKET_ECR_PUT_IMAGE] = {10, 10},
    [BUCKET_ECR_LAYER_PART] = {500, 500},
    [BUCKET_ECR_LAYER_UPLOAD] = {100, 100},
    [BUCKET_LOGS] = {50, 25},
};

struct throttle {
    struct {
        double tokens;
        int64_t at_ms; /* when tokens was true; 0: never used, so full */
    } buckets[BUCKETS];
};

struct throttle *throttle_new(void)
{
    return calloc(1, sizeof(struct throttle));
}

struct throttle *throttle_free(struct throttle *throttle)
{
    free(throttle);
    return NULL;
}

bool throttle_take(struct throttle *throttle, enum bucket bucket, int64_t now_ms)
{
    double burst = limits[bucket].burst;
    if (!throttle || burst <= 0)
        return true;
    double tokens = burst;
    if (throttle->buckets[bucket].at_ms)
        tokens = throttle->buckets[bucket].tokens +
                 limits[bucket].rate * (double)(now_ms - throttle->buckets[bucket].at_ms) / 1000;
    if (tokens > burst)
        tokens = burst;
    bool taken = tokens >= 1;
    throttle->buckets[bucket].tokens = taken ? tokens - 1 : tokens;
    throttle->buckets[bucket].at_ms = now_ms;
    return taken;
}
