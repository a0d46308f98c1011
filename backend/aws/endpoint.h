/* SPDX-License-Identifier: Apache-2.0 */
/* Which services there are, how each is spoken to, and where. */
#ifndef ECSFS_AWS_ENDPOINT_H
#define ECSFS_AWS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

enum aws_protocol { AWS_JSON_1_1, AWS_QUERY, AWS_REST_JSON };

struct aws_service {
    const char *name; /* as in the AWS CLI; what a call carries */
    const char *id;   /* "ECR PUBLIC" as in AWS_ENDPOINT_URL_ECR_PUBLIC, lower case in the config file */
    enum aws_protocol protocol;
    const char *target;      /* of X-Amz-Target, or the query protocol's Version */
    const char *signing;     /* the service's name in a signature */
    const char *prefix;      /* of the host */
    const char *dual;        /* of the dual-stack host, where it is another; NULL: the same */
    const char *home_region; /* the only one it is in; NULL: every region has it */
    bool dual_in_aws_only;   /* `dual` holds in the partition "aws" and without FIPS only */
    bool gov_fips_is_plain;  /* in us-gov the plain host is FIPS's already */
    bool gov_dual_is_plain;  /* and so is the dual-stack one */
};

/* NULL when unknown. */
const struct aws_service *aws_service_find(const char *name);

/* "https://ecs.us-east-1.amazonaws.com". The region must be a plain host label (-EINVAL). The caller
 * frees it. -ENOMEM. */
int aws_endpoint_url(const struct aws_service *service, const char *region, bool fips, bool dualstack,
                     char **ret_url);
/* A region that can stand in a host name: letters, digits, hyphens; 1 to 32. */
bool aws_region_valid(const char *region);
/* "aws", "aws-cn", ... */
const char *aws_partition(const char *region);

/* The parts of an endpoint URL. "https://h:1/p/" is "https", "h:1" and "/p". */
struct aws_url {
    bool plain;     /* http */
    char host[256]; /* with the port where it is not the scheme's own */
    char path[512]; /* "" or "/p" */
};
/* -EINVAL: neither http nor https, no host, a user or password, a query, blanks, too long. */
int aws_url_parse(const char *url, struct aws_url *ret_url);

#endif
