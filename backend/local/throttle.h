/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's documented token buckets, per account and region: burst and sustained rate a second. */
#ifndef LOCAL_THROTTLE_H
#define LOCAL_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum bucket {
    BUCKET_NONE,
    BUCKET_CLUSTER_MODIFY,
    BUCKET_CLUSTER_READ,
    BUCKET_TASK_DEFINITION_MODIFY,
    BUCKET_TASK_DEFINITION_READ,
    BUCKET_TASK_DEFINITION_DELETE,
    BUCKET_SERVICE_MODIFY,
    BUCKET_SERVICE_READ,
    BUCKET_TASK_MODIFY, /* tasks and container instances */
    BUCKET_TASK_READ,
    BUCKET_PROVIDER_MODIFY,
    BUCKET_PROVIDER_READ,
    BUCKET_TAG_MODIFY,
    BUCKET_TAG_READ,
    BUCKET_SETTING_MODIFY,
    BUCKET_SETTING_READ,
    BUCKET_SERVICE_DEPLOYMENT,
    BUCKET_SERVICE_REVISION,
    BUCKET_TASK_PROTECTION,
    BUCKET_ECR_READ,
    BUCKET_ECR_MODIFY,
    BUCKET_ECR_PUT_IMAGE,
    BUCKET_ECR_LAYER_PART,
    BUCKET_ECR_LAYER_UPLOAD,
    BUCKET_LOGS,
    BUCKETS,
};

struct throttle;

struct throttle *throttle_new(void);
struct throttle *throttle_free(struct throttle *throttle);
/* Takes a token; false when there is none: ThrottlingException. */
bool throttle_take(struct throttle *throttle, enum bucket bucket, int64_t now_ms);

#endif
