/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ecsfs/cleanup.h"

static const struct aws_service services[] = {
    {.name = "ecs",
     .id = "ECS",
     .target = "AmazonEC2ContainerServiceV20141113",
     .signing = "ecs",
     .prefix = "ecs"},
    {.name = "ecr",
     .id = "ECR",
     .target = "AmazonEC2ContainerRegistry_V20150921",
     .signing = "ecr",
     .prefix = "api.ecr",
     .dual = "ecr"},
    {.name = "ecr-public",
     .id = "ECR PUBLIC",
     .target = "SpencerFrontendService",
     .signing = "ecr-public",
     .prefix = "api.ecr-public",
     .dual = "ecr-public",
     .home_region = "us-east-1",
     .dual_in_aws_only = true},
    {.name = "logs",
     .id = "CLOUDWATCH LOGS",
     .target = "Logs_20140328",
     .signing = "logs",
     .prefix = "logs",
     .gov_fips_is_plain = true},
    {.name = "events",
     .id = "EVENTBRIDGE",
     .target = "AWSEvents",
     .signing = "events",
     .prefix = "events",
     .gov_fips_is_plain = true,
     .gov_dual_is_plain = true},
    {.name = "application-autoscaling",
     .id = "APPLICATION AUTO SCALING",
     .target = "AnyScaleFrontendService",
     .signing = "application-autoscaling",
     .prefix = "application-autoscaling",
     .gov_fips_is_plain = true},
    {.name = "scheduler",
     .id = "SCHEDULER",
     .protocol = AWS_REST_JSON,
     .target = "",
     .signing = "scheduler",
     .prefix = "scheduler"},
    {.name = "sts",
     .id = "STS",
     .protocol = AWS_QUERY,
     .target = "2011-06-15",
     .signing = "sts",
     .prefix = "sts",
     .gov_fips_is_plain = true},
    {.name = "sso",
     .id = "SSO",
     .protocol = AWS_REST_JSON,
     .target = "",
     .signing = "awsssoportal",
     .prefix = "portal.sso",
     .gov_fips_is_plain = true},
    {.name = "sso-oidc",
     .id = "SSO OIDC",
     .protocol = AWS_REST_JSON,
     .target = "",
     .signing = "sso-oauth",
     .prefix = "oidc",
     .gov_fips_is_plain = true},
};

/* By the region's first letters; the first that fits. A region of a partition not yet known is
 * taken for one of "aws". */
static const struct {
    const char *region, *name, *suffix, *dual_suffix;
} partitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-gov-", "aws-us-gov", "amazonaws.com", "api.aws"},
    {"eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"", "aws", "amazonaws.com", "api.aws"},
};

const struct aws_service *aws_service_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}

static size_t find_partition(const char *region)
{
    size_t i = 0;
    while (strncmp(region, partitions[i].region, strlen(partitions[i].region)) != 0)
        i++;
    return i;
}

const char *aws_partition(const char *region)
{
    return partitions[find_partition(region)].name;
}

bool aws_region_valid(const char *region)
{
    size_t len = strlen(region);
    if (len < 1 || len > 31 || region[0] == '-')
        return false;
    for (const char *c = region; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return false;
    return true;
}

int aws_endpoint_url(const struct aws_service *service, const char *region, bool fips, bool dualstack,
                     char **ret_url)
{
    if (!aws_region_valid(region))
        return -EINVAL;
    size_t partition = find_partition(region);
    const char *name = partitions[partition].name;
    if (strcmp(name, "aws-us-gov") == 0 &&
        (dualstack ? service->gov_dual_is_plain : service->gov_fips_is_plain))
        fips = false;
    bool other =
        dualstack && service->dual && (!service->dual_in_aws_only || (strcmp(name, "aws") == 0 && !fips));
    int n =
        asprintf(ret_url, "https://%s%s.%s.%s", other ? service->dual : service->prefix, fips ? "-fips" : "",
                 region, dualstack ? partitions[partition].dual_suffix : partitions[partition].suffix);
    return n < 0 ? -ENOMEM : 0;
}

int aws_url_parse(const char *url, struct aws_url *ret_url)
{
    *ret_url = (struct aws_url){0};
    const char *host;
    if (strncasecmp(url, "https://", 8) == 0) {
        host = url + 8;
    } else if (strncasecmp(url, "http://", 7) == 0) {
        host = url + 7;
        ret_url->plain = true;
    } else {
        return -EINVAL;
    }
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("?#@\\\"<>{}|^`", *c))
            return -EINVAL;
    size_t len = strcspn(host, "/");
    const char *path = host + len;
    size_t path_len = strlen(path);
    while (path_len && path[path_len - 1] == '/')
        path_len--;
    const char *own_port = ret_url->plain ? ":80" : ":443";
    size_t port = strlen(own_port);
    if (len > port && strncmp(host + len - port, own_port, port) == 0)
        len -= port;
    if (len == 0 || host[0] == ':' || len >= sizeof(ret_url->host) || path_len >= sizeof(ret_url->path))
        return -EINVAL;
    memcpy(ret_url->host, host, len);
    memcpy(ret_url->path, path, path_len);
    return 0;
}
