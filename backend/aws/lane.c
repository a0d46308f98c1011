/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"

/* From AWS's "Request throttling for the Amazon ECS API" and ECR's and CloudWatch's quota pages: burst,
 * sustained per second. The first row that fits. */
static const struct aws_class classes[] = {
    {"ecs", "ListServicesByNamespace", "namespace-read", 10, 1},
    {"ecs", "DeleteTaskDefinitions", "task-definition-delete", 5, 1},
    {"ecs", "RegisterTaskDefinition", "task-definition-modify", 20, 1},
    {"ecs", "DeregisterTaskDefinition", "task-definition-modify", 20, 1},
    {"ecs", "DescribeTaskDefinition", "task-definition-read", 50, 20},
    {"ecs", "ListTaskDefinition*", "task-definition-read", 50, 20},
    {"ecs", "*TaskProtection", "task-protection", 200, 80},
    {"ecs", "*ServiceDeployment*", "service-deployments", 50, 20},
    {"ecs", "DescribeServiceRevisions", "service-revisions", 50, 20},
    {"ecs", "DescribeServices", "service-read", 100, 20},
    {"ecs", "ListServices", "service-read", 100, 20},
    {"ecs", "DescribeTaskSets", "service-read", 100, 20},
    {"ecs", "*Service", "service-modify", 50, 5},
    {"ecs", "*TaskSet", "service-modify", 50, 5},
    {"ecs", "UpdateServicePrimaryTaskSet", "service-modify", 50, 5},
    {"ecs", "DescribeCapacityProviders", "capacity-provider-read", 50, 20},
    {"ecs", "*CapacityProvider", "capacity-provider-modify", 10, 1},
    {"ecs", "DescribeClusters", "cluster-read", 50, 20},
    {"ecs", "ListClusters", "cluster-read", 50, 20},
    {"ecs", "*Cluster", "cluster-modify", 20, 1},
    {"ecs", "*ClusterSettings", "cluster-modify", 20, 1},
    {"ecs", "PutClusterCapacityProviders", "cluster-modify", 20, 1},
    {"ecs", "ListTagsForResource", "tags-read", 50, 20},
    {"ecs", "*agResource", "tags-modify", 20, 10},
    {"ecs", "ListAccountSettings", "settings-read", 50, 20},
    {"ecs", "*AccountSetting*", "settings-modify", 10, 1},
    {"ecs", "DescribeTasks", "task-read", 100, 20},
    {"ecs", "ListTasks", "task-read", 100, 20},
    {"ecs", "*ContainerInstances", "task-read", 100, 20},
    {"ecs", "ListAttributes", "task-read", 100, 20},
    {"ecs", "*Task", "task-modify", 100, 40},
    {"ecs", "*ContainerInstance*", "task-modify", 100, 40},
    {"ecs", "*Attributes", "task-modify", 100, 40},
    {"ecs", "Describe*", "other-read", 50, 20},
    {"ecs", "List*", "other-read", 50, 20},
    {"ecs", "*", "other-modify", 20, 5},
    {"ecr", "BatchGetImage", "image-get", 2000, 2000},
    {"ecr", "GetDownloadUrlForLayer", "layer-url", 3000, 3000},
    {"ecr", "BatchCheckLayerAvailability", "layer-check", 1000, 1000},
    {"ecr", "UploadLayerPart", "layer-part", 500, 500},
    {"ecr", "InitiateLayerUpload", "layer-upload", 100, 100},
    {"ecr", "CompleteLayerUpload", "layer-complete", 100, 100},
    {"ecr", "PutImage", "image-put", 10, 10},
    {"ecr", "GetLayer", "layer-bytes", 1000, 1000}, /* of S3, which counts thousands */
    {"ecr-public", "GetLayer", "public-layer-bytes", 1000, 1000},
    {"ecr-public", "UploadLayerPart", "public-layer-part", 260, 260},
    {"ecr-public", "BatchCheckLayerAvailability", "public-layer-check", 200, 200},
    {"logs", "GetLogEvents", "log-events", 25, 25},
    {"logs", "FilterLogEvents", "log-filter", 10, 10},
    {"*", "*", "all", 50, 20},
};

enum {
    SLOWEST = 10,         /* part of the class's own rate that a lane keeps */
    RECOVER_MS = 20000,   /* from a halved rate back to the class's own */
    SLOW_AGAIN_MS = 1000, /* throttles of one burst count once */
    ALONE_MS = 15000,     /* one that comes alone empties the bucket, but does not slow it */
};

const struct aws_class *aws_class_find(const char *service, const char *operation)
{
    size_t i = 0;
    while (fnmatch(classes[i].service, service, 0) != 0 || fnmatch(classes[i].operation, operation, 0) != 0)
        i++;
    return &classes[i];
}

/* One less than AWS's bucket holds, so that a request which travels faster than the one before it does not
 * arrive before its token. */
static double most_tokens(const struct aws_class *class)
{
    return class->burst > 2 ? class->burst - 1 : class->burst;
}

struct aws_lane *aws_lane_get(struct aws_lanes *lanes, const char *service, const char *operation,
                              const char *region, bool paced, int64_t now)
{
    const struct aws_class *class = aws_class_find(service, operation);
    struct aws_lane *lane;
    SLIST_FOREACH(lane, lanes, link)
    if (strcmp(lane->class->name, class->name) == 0 && strcmp(lane->service, service) == 0 &&
        strcmp(lane->region, region) == 0)
        return lane;
    lane = calloc(1, sizeof(*lane));
    char *name = lane ? strdup(service) : NULL;
    if (!name) {
        free(lane);
        return NULL;
    }
    *lane = (struct aws_lane){.service = name,
                              .class = class,
                              .paced = paced,
                              .tokens = most_tokens(class),
                              .rate = class->rate,
                              .filled_ms = now,
                              .quota = AWS_RETRY_QUOTA};
    strncpy(lane->region, region, sizeof(lane->region) - 1);
    for (size_t i = 0; i < AWS_PRIORITIES; i++)
        TAILQ_INIT(&lane->queues[i]);
    SLIST_INSERT_HEAD(lanes, lane, link);
    return lane;
}

void aws_lanes_free(struct aws_lanes *lanes)
{
    struct aws_lane *lane;
    while ((lane = SLIST_FIRST(lanes))) {
        SLIST_REMOVE_HEAD(lanes, link);
        free((char *)lane->service);
        free(lane);
    }
}

static void fill(struct aws_lane *lane, int64_t now)
{
    if (now <= lane->filled_ms)
        return;
    double more = lane->rate * (double)(now - lane->filled_ms) / 1000;
    lane->tokens = fmin(most_tokens(lane->class), lane->tokens + more);
    lane->filled_ms = now;
}

bool aws_lane_take(struct aws_lane *lane, int64_t now, int64_t *ret_ready_ms)
{
    if (!lane->paced)
        return true;
    fill(lane, now);
    if (lane->tokens >= 1 - 1e-9) {
        lane->tokens -= 1;
        return true;
    }
    *ret_ready_ms = now + (int64_t)ceil((1 - lane->tokens) / lane->rate * 1000);
    return false;
}

void aws_lane_throttled(struct aws_lane *lane, int64_t now)
{
    fill(lane, now);
    lane->tokens = fmin(lane->tokens, 0);
    int64_t gone = now - lane->slowed_ms;
    if (lane->slowed_ms && gone >= SLOW_AGAIN_MS && gone < ALONE_MS)
        lane->rate = fmax(lane->rate / 2, lane->class->rate / SLOWEST);
    lane->slowed_ms = now;
}

void aws_lane_content(struct aws_lane *lane, int64_t now, int retry_cost)
{
    lane->quota += retry_cost ? retry_cost : 1;
    if (lane->quota > AWS_RETRY_QUOTA)
        lane->quota = AWS_RETRY_QUOTA;
    if (lane->rate >= lane->class->rate || now - lane->slowed_ms < SLOW_AGAIN_MS)
        return;
    fill(lane, now);
    double gone = (double)(now - lane->slowed_ms) / RECOVER_MS;
    lane->rate = fmin(lane->class->rate, fmax(lane->rate, lane->class->rate * (0.5 + 0.5 * gone)));
}

bool aws_lane_retry(struct aws_lane *lane, int cost)
{
    if (lane->quota < cost)
        return false;
    lane->quota -= cost;
    return true;
}
