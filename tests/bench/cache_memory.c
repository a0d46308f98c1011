/* SPDX-License-Identifier: Apache-2.0 */
/* What a whole account costs in memory and in time: 50 clusters, 5000 services with 100 events each, 20,000
 * tasks and 10,000 revisions, made up to look like AWS's answers, decoded and kept as the cache keeps them.
 *
 *     $ build/tests/bench/cache_memory
 *     kind           count   json MB   docs MB   bytes/doc   decode MB/s   digest MB/s   pack MB/s
 *     service         5000 ...
 */
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doc_private.h"
#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

static uint64_t seed = 88172645463325252u;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static const char *hex(int n)
{
    static char text[8][65];
    static unsigned turn;
    char *to = text[turn++ % 8];
    for (int i = 0; i < n; i++)
        to[i] = "0123456789abcdef"[random64() >> 60];
    to[n] = 0;
    return to;
}

static const char *uuid(void)
{
    static char text[8][40];
    static unsigned turn;
    char *to = text[turn++ % 8];
    snprintf(to, 40, "%s-%s-4%s-a%s-%s", hex(8), hex(4), hex(3), hex(3), hex(12));
    return to;
}

static double a_time(void)
{
    return 1763900000.0 + (double)(random64() % 8640000) / 1000;
}

#define ROOT "arn:aws:ecs:eu-west-1:123456789012"

static const char *const names[] = {"checkout",  "payments", "search-api",   "frontend",  "worker-email",
                                    "inventory", "pricing",  "auth-gateway", "reporting", "ingest"};

static void add_event(struct ecs_buf *json, const char *service)
{
    ecs_buf_addf(json, "{\"id\":\"%s\",\"createdAt\":%.3f,\"message\":\"", uuid(), a_time());
    switch (random64() % 4) {
    case 0:
        ecs_buf_addf(json, "(service %s) has reached a steady state.", service);
        break;
    case 1:
        ecs_buf_addf(json, "(service %s) has started 1 tasks: (task %s).", service, hex(32));
        break;
    case 2:
        ecs_buf_addf(json, "(service %s) has stopped 1 running tasks: (task %s).", service, hex(32));
        break;
    default:
        ecs_buf_addf(json, "(service %s) registered 1 targets in (target-group " ROOT ":targetgroup/%s/%s)",
                     service, service, "73e2d6bc24d8a067");
    }
    ecs_buf_adds(json, "\"}");
}

static void add_service(struct ecs_buf *json, int i)
{
    char service[64], cluster[32];
    snprintf(service, sizeof(service), "%s-%d", names[i % 10], i);
    snprintf(cluster, sizeof(cluster), "prod-%d", i / 100);
    int revision = 1 + i % 40;
    ecs_buf_addf(
        json,
        "{\"serviceArn\":\"" ROOT ":service/%s/%s\",\"serviceName\":\"%s\",\"clusterArn\":\"" ROOT
        ":cluster/%s\",\"loadBalancers\":[{\"targetGroupArn\":\"arn:aws:elasticloadbalancing:eu-west-1:"
        "123456789012:targetgroup/%s/%s\",\"containerName\":\"app\",\"containerPort\":8080}],"
        "\"serviceRegistries\":[],\"status\":\"ACTIVE\",\"desiredCount\":4,\"runningCount\":4,"
        "\"pendingCount\":0,\"launchType\":\"FARGATE\",\"platformVersion\":\"LATEST\",\"platformFamily\":"
        "\"Linux\",\"taskDefinition\":\"" ROOT ":task-definition/%s:%d\",\"deploymentConfiguration\":{"
        "\"deploymentCircuitBreaker\":{\"enable\":true,\"rollback\":true},\"maximumPercent\":200,"
        "\"minimumHealthyPercent\":100},\"deployments\":[{\"id\":\"ecs-svc/%llu\",\"status\":\"PRIMARY\","
        "\"taskDefinition\":\"" ROOT ":task-definition/%s:%d\",\"desiredCount\":4,\"pendingCount\":0,"
        "\"runningCount\":4,\"failedTasks\":0,\"createdAt\":%.3f,\"updatedAt\":%.3f,\"launchType\":"
        "\"FARGATE\",\"platformVersion\":\"1.4.0\",\"platformFamily\":\"Linux\",\"networkConfiguration\":{"
        "\"awsvpcConfiguration\":{\"subnets\":[\"subnet-0a1b2c3d4e5f60718\",\"subnet-1a1b2c3d4e5f60718\"],"
        "\"securityGroups\":[\"sg-%s\"],\"assignPublicIp\":\"DISABLED\"}},\"rolloutState\":\"COMPLETED\","
        "\"rolloutStateReason\":\"ECS deployment ecs-svc/%llu completed.\"}],\"roleArn\":"
        "\"arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS\","
        "\"events\":[",
        cluster, service, service, cluster, service, hex(16), names[i % 10], revision,
        (unsigned long long)random64() >> 1, names[i % 10], revision, a_time(), a_time(), hex(17),
        (unsigned long long)random64() >> 1);
    for (int e = 0; e < 100; e++) {
        if (e)
            ecs_buf_adds(json, ",");
        add_event(json, service);
    }
    ecs_buf_addf(
        json,
        "],\"createdAt\":%.3f,\"placementConstraints\":[],\"placementStrategy\":[],\"networkConfiguration\":"
        "{\"awsvpcConfiguration\":{\"subnets\":[\"subnet-0a1b2c3d4e5f60718\",\"subnet-1a1b2c3d4e5f60718\"],"
        "\"securityGroups\":[\"sg-0123456789abcdef0\"],\"assignPublicIp\":\"DISABLED\"}},"
        "\"healthCheckGracePeriodSeconds\":60,\"schedulingStrategy\":\"REPLICA\",\"deploymentController\":{"
        "\"type\":\"ECS\"},\"createdBy\":\"arn:aws:iam::123456789012:role/deploy\",\"enableECSManagedTags\":"
        "true,\"propagateTags\":\"SERVICE\",\"enableExecuteCommand\":false,\"tags\":[{\"key\":\"team\","
        "\"value\":\"%s\"},{\"key\":\"env\",\"value\":\"prod\"}]}",
        a_time(), names[i % 10]);
}

static void add_task(struct ecs_buf *json, int i)
{
    char cluster[32], id[40];
    snprintf(cluster, sizeof(cluster), "prod-%d", i / 400);
    snprintf(id, sizeof(id), "%s", hex(32));
    ecs_buf_addf(
        json,
        "{\"attachments\":[{\"id\":\"%s\",\"type\":\"ElasticNetworkInterface\",\"status\":\"ATTACHED\","
        "\"details\":[{\"name\":\"subnetId\",\"value\":\"subnet-0a1b2c3d4e5f60718\"},{\"name\":"
        "\"networkInterfaceId\",\"value\":\"eni-%s\"},{\"name\":\"macAddress\",\"value\":\"06:%s:6b\"},{"
        "\"name\":\"privateDnsName\",\"value\":\"ip-10-0-%d-%d.eu-west-1.compute.internal\"},{\"name\":"
        "\"privateIPv4Address\",\"value\":\"10.0.%d.%d\"}]}],\"attributes\":[{\"name\":"
        "\"ecs.cpu-architecture\",\"value\":\"x86_64\"}],\"availabilityZone\":\"eu-west-1a\",\"clusterArn\":"
        "\"" ROOT ":cluster/%s\",\"connectivity\":\"CONNECTED\",\"connectivityAt\":%.3f,\"containers\":[",
        uuid(), hex(17), hex(4), i % 255, i / 255 % 255, i % 255, i / 255 % 255, cluster, a_time());
    for (int c = 0; c < 2; c++)
        ecs_buf_addf(
            json,
            "%s{\"containerArn\":\"" ROOT ":container/%s/%s/%s\",\"taskArn\":\"" ROOT ":task/%s/%s\","
            "\"name\":\"%s\",\"image\":\"123456789012.dkr.ecr.eu-west-1.amazonaws.com/%s:v1.%d\","
            "\"imageDigest\":\"sha256:%s%s\",\"runtimeId\":\"%s-%010llu\",\"lastStatus\":\"RUNNING\","
            "\"networkBindings\":[],\"networkInterfaces\":[{\"attachmentId\":\"%s\",\"privateIpv4Address\":"
            "\"10.0.%d.%d\"}],\"healthStatus\":\"HEALTHY\",\"cpu\":\"256\",\"memory\":\"512\"}",
            c ? "," : "", cluster, id, uuid(), cluster, id, c ? "log-router" : "app", names[i % 10], i % 40,
            "8f1c0a77d1b2e3f4a5b6c7d8e9f00112", "2334455667788990a1b2c3d4e5f60718", id,
            (unsigned long long)random64() % 10000000000u, uuid(), i % 255, i / 255 % 255);
    ecs_buf_addf(
        json,
        "],\"cpu\":\"512\",\"createdAt\":%.3f,\"desiredStatus\":\"RUNNING\",\"enableExecuteCommand\":false,"
        "\"group\":\"service:%s-%d\",\"healthStatus\":\"HEALTHY\",\"lastStatus\":\"RUNNING\",\"launchType\":"
        "\"FARGATE\",\"memory\":\"1024\",\"overrides\":{\"containerOverrides\":[{\"name\":\"app\"},{\"name\":"
        "\"log-router\"}],\"inferenceAcceleratorOverrides\":[]},\"platformVersion\":\"1.4.0\","
        "\"platformFamily\":\"Linux\",\"pullStartedAt\":%.3f,\"pullStoppedAt\":%.3f,\"startedAt\":%.3f,"
        "\"startedBy\":\"ecs-svc/%llu\",\"tags\":[],\"taskArn\":\"" ROOT ":task/%s/%s\","
        "\"taskDefinitionArn\":\"" ROOT ":task-definition/%s:%d\",\"version\":4,\"ephemeralStorage\":{"
        "\"sizeInGiB\":20}}",
        a_time(), names[i % 10], i / 4, a_time(), a_time(), a_time(), (unsigned long long)random64() >> 1,
        cluster, id, names[i % 10], 1 + i % 40);
}

static void add_container(struct ecs_buf *json, int i, int c)
{
    ecs_buf_addf(
        json,
        "%s{\"name\":\"%s\",\"image\":\"123456789012.dkr.ecr.eu-west-1.amazonaws.com/%s:v1.%d\",\"cpu\":256,"
        "\"memory\":512,\"portMappings\":[{\"containerPort\":8080,\"hostPort\":8080,\"protocol\":\"tcp\"}],"
        "\"essential\":true,\"environment\":[",
        c ? "," : "", c ? "log-router" : "app", names[i % 10], i % 400);
    for (int e = 0; e < 12; e++)
        ecs_buf_addf(json, "%s{\"name\":\"SETTING_%d\",\"value\":\"value-%s-%d\"}", e ? "," : "", e,
                     names[e % 10], (i + e) % 7);
    ecs_buf_addf(
        json,
        "],\"mountPoints\":[],\"volumesFrom\":[],\"secrets\":[{\"name\":\"DB_PASSWORD\",\"valueFrom\":"
        "\"arn:aws:secretsmanager:eu-west-1:123456789012:secret:%s/db-AbCdEf\"}],\"logConfiguration\":{"
        "\"logDriver\":\"awslogs\",\"options\":{\"awslogs-group\":\"/ecs/%s\",\"awslogs-region\":"
        "\"eu-west-1\",\"awslogs-stream-prefix\":\"ecs\"}},\"systemControls\":[]}",
        names[i % 10], names[i % 10]);
}

static void add_revision(struct ecs_buf *json, int i)
{
    ecs_buf_addf(json,
                 "{\"taskDefinitionArn\":\"" ROOT ":task-definition/%s-%d:%d\",\"containerDefinitions\":[",
                 names[i % 10], i % 250, 1 + i / 250);
    add_container(json, i, 0);
    add_container(json, i, 1);
    ecs_buf_addf(
        json,
        "],\"family\":\"%s-%d\",\"taskRoleArn\":\"arn:aws:iam::123456789012:role/%s-task\","
        "\"executionRoleArn\":\"arn:aws:iam::123456789012:role/ecsTaskExecutionRole\",\"networkMode\":"
        "\"awsvpc\",\"revision\":%d,\"volumes\":[],\"status\":\"ACTIVE\",\"requiresAttributes\":[{\"name\":"
        "\"com.amazonaws.ecs.capability.logging-driver.awslogs\"},{\"name\":"
        "\"ecs.capability.execution-role-awslogs\"},{\"name\":\"com.amazonaws.ecs.capability.ecr-auth\"},{"
        "\"name\":\"com.amazonaws.ecs.capability.docker-remote-api.1.19\"},{\"name\":"
        "\"ecs.capability.task-eni\"}],\"placementConstraints\":[],\"compatibilities\":[\"EC2\",\"FARGATE\"],"
        "\"requiresCompatibilities\":[\"FARGATE\"],\"cpu\":\"512\",\"memory\":\"1024\",\"registeredAt\":%.3f,"
        "\"registeredBy\":\"arn:aws:sts::123456789012:assumed-role/deploy/ci-%s\",\"tags\":[]}",
        names[i % 10], i % 250, names[i % 10], 1 + i / 250, a_time(), hex(8));
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t rss_bytes(void)
{
    size_t pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%zu %zu", &pages, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static const struct {
    enum ecs_kind_id kind;
    int count, batch;
    void (*add)(struct ecs_buf *json, int i);
} loads[] = {
    {ECS_SERVICE, 5000, 10, add_service},
    {ECS_TASK, 20000, 100, add_task},
    {ECS_REVISION, 10000, 1, add_revision},
};

static int load(size_t row, struct ecs_doc **docs)
{
    const struct ecs_kind *kind = ecs_kinds[loads[row].kind];
    double decode = 0, digest = 0, pack = 0;
    size_t json_bytes = 0, doc_bytes = 0;
    for (int i = 0; i < loads[row].count; i += loads[row].batch) {
        cleanup_buf struct ecs_buf json = ECS_BUF(16 << 20);
        ecs_buf_adds(&json, "[");
        for (int k = 0; k < loads[row].batch; k++) {
            ecs_buf_adds(&json, k ? "," : "");
            loads[row].add(&json, i + k);
        }
        ecs_buf_adds(&json, "]");
        json_bytes += json.len;
        double start = seconds();
        json_t *tree = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL), *item;
        double middle = seconds();
        size_t k;
        json_array_foreach(tree, k, item)
        {
            if (!(docs[i + (int)k] = ecs_doc_new(kind, item)))
                return -1;
        }
        decode += middle - start;
        digest += seconds() - middle;
        if (!tree)
            return -1;
        json_decref(tree);
        start = seconds();
        for (int n = i; n < i + loads[row].batch; n++) {
            docs[n] = ecs_doc_pack(docs[n]);
            doc_bytes += ecs_doc_bytes(docs[n]);
        }
        pack += seconds() - start;
    }
    printf("%-10s %7d %9.1f %9.1f %11zu %13.0f %13.0f %11.0f\n", kind->name, loads[row].count,
           (double)json_bytes / 1e6, (double)doc_bytes / 1e6, doc_bytes / (size_t)loads[row].count,
           (double)json_bytes / 1e6 / decode, (double)json_bytes / 1e6 / digest,
           (double)json_bytes / 1e6 / pack);
    return 0;
}

int main(void)
{
    struct ecs_doc **docs[ARRAY_LEN(loads)];
    printf("%-10s %7s %9s %9s %11s %13s %13s %11s\n", "kind", "count", "json MB", "docs MB", "bytes/doc",
           "decode MB/s", "digest MB/s", "pack MB/s");
    for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
        docs[i] = calloc((size_t)loads[i].count, sizeof(struct ecs_doc *));
        if (!docs[i] || load(i, docs[i]) < 0)
            return EXIT_FAILURE;
    }
    size_t rss = rss_bytes();
    malloc_trim(0);
    printf("VmRSS %.1f MB, %.1f MB after malloc_trim\n", (double)rss / 1e6, (double)rss_bytes() / 1e6);
    /* Reading them back. */
    double start = seconds();
    size_t bytes = 0;
    for (int i = 0; i < loads[0].count; i++) {
        size_t len;
        cleanup_free char *text = ecs_doc_text(docs[0][i], &len);
        bytes += text ? len : 0;
    }
    printf("text of services %.0f MB/s\n", (double)bytes / 1e6 / (seconds() - start));
    for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
        for (int k = 0; k < loads[i].count; k++)
            ecs_doc_unref(docs[i][k]);
        free(docs[i]);
    }
    return rss <= 64 * 1000 * 1000 ? EXIT_SUCCESS : EXIT_FAILURE;
}
