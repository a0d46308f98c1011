/* SPDX-License-Identifier: Apache-2.0 */
#include "meter.h"

#include <stdlib.h>
#include <string.h>

#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"

struct aws_meter_row {
    struct aws_meter_row *next;
    char service[32], operation[64], outcome[64];
    unsigned long count;
};

enum { MOST_ROWS = 2000, TEXT_MAX = 1 << 20 };

/* Upper bounds in milliseconds; the last bucket has none. */
static const int64_t bounds[AWS_METER_BUCKETS - 1] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000};

/* Label values hold names only, whatever AWS calls its errors. */
static void copy_name(char *to, size_t size, const char *from)
{
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        if ((unsigned char)*from > ' ' && *from != '"' && *from != '\\' && (unsigned char)*from < 0x7f)
            to[n++] = *from;
    to[n] = 0;
}

static void count_row(struct aws_meter *meter, const char *service, const char *operation,
                      const char *outcome)
{
    struct aws_meter_row want = {0}, **at = &meter->rows;
    copy_name(want.service, sizeof(want.service), service);
    copy_name(want.operation, sizeof(want.operation), operation);
    copy_name(want.outcome, sizeof(want.outcome), outcome);
    size_t n = 0;
    for (; *at; at = &(*at)->next, n++)
        if (strcmp((*at)->operation, want.operation) == 0 && strcmp((*at)->outcome, want.outcome) == 0 &&
            strcmp((*at)->service, want.service) == 0) {
            (*at)->count++;
            return;
        }
    struct aws_meter_row *row = n < MOST_ROWS ? malloc(sizeof(*row)) : NULL;
    if (!row)
        return;
    *row = want;
    row->count = 1;
    *at = row;
}

void aws_meter_call(struct aws_meter *meter, const struct ecs_call *call, const struct ecs_error *error,
                    int64_t took_ms)
{
    meter->calls++;
    meter->failed += error != NULL;
    count_row(meter, call->service, call->operation, error ? error->code : "ok");
    size_t i = 0;
    while (i < AWS_METER_BUCKETS - 1 && took_ms > bounds[i])
        i++;
    meter->buckets[i]++;
    meter->latency_sum_s += (double)took_ms / 1000;
}

static void add_value(struct ecs_buf *buf, const char *name, const char *type, const char *help, double value)
{
    ecs_buf_addf(buf, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name, value);
}

char *aws_meter_text(const struct aws_meter *meter)
{
    cleanup_buf struct ecs_buf buf = ECS_BUF(TEXT_MAX);
    ecs_buf_adds(&buf, "# HELP ecsfs_aws_calls_total API calls by operation and outcome.\n"
                       "# TYPE ecsfs_aws_calls_total counter\n");
    for (const struct aws_meter_row *row = meter->rows; row; row = row->next)
        ecs_buf_addf(&buf, "ecsfs_aws_calls_total{service=\"%s\",operation=\"%s\",outcome=\"%s\"} %lu\n",
                     row->service, row->operation, row->outcome, row->count);
    ecs_buf_adds(
        &buf, "# HELP ecsfs_aws_call_seconds Time from submission to outcome, retries and pacing included.\n"
              "# TYPE ecsfs_aws_call_seconds histogram\n");
    unsigned long sum = 0;
    for (size_t i = 0; i < AWS_METER_BUCKETS; i++) {
        sum += meter->buckets[i];
        if (i < AWS_METER_BUCKETS - 1)
            ecs_buf_addf(&buf, "ecsfs_aws_call_seconds_bucket{le=\"%g\"} %lu\n", (double)bounds[i] / 1000,
                         sum);
        else
            ecs_buf_addf(&buf, "ecsfs_aws_call_seconds_bucket{le=\"+Inf\"} %lu\n", sum);
    }
    ecs_buf_addf(&buf, "ecsfs_aws_call_seconds_sum %.15g\necsfs_aws_call_seconds_count %lu\n",
                 meter->latency_sum_s, sum);
    add_value(&buf, "ecsfs_aws_requests_total", "counter", "HTTP requests sent.", (double)meter->requests);
    add_value(&buf, "ecsfs_aws_throttled_total", "counter", "Answers that throttled.",
              (double)meter->throttled);
    add_value(&buf, "ecsfs_aws_retries_total", "counter", "Requests sent again.", (double)meter->retries);
    add_value(&buf, "ecsfs_aws_paced_total", "counter", "Calls that waited for a token of ours.",
              (double)meter->paced);
    add_value(&buf, "ecsfs_aws_in_flight", "gauge", "Calls not yet home.", (double)meter->in_flight);
    add_value(&buf, "ecsfs_aws_reachable", "gauge", "1 when the last request got an answer.",
              meter->reachable);
    add_value(&buf, "ecsfs_aws_clock_offset_seconds", "gauge", "AWS's clock minus ours, by its last answer.",
              (double)meter->clock_off_ms / 1000);
    if (meter->credentials_expire_ms)
        add_value(&buf, "ecsfs_aws_credentials_expire_seconds", "gauge", "Unix time of the keys' expiry.",
                  (double)meter->credentials_expire_ms / 1000);
    return buf.failed ? NULL : ecs_buf_steal(&buf, NULL);
}

void aws_meter_free(struct aws_meter *meter)
{
    struct aws_meter_row *row;
    while ((row = meter->rows)) {
        meter->rows = row->next;
        free(row);
    }
}
