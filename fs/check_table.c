/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked. Reads ask for one of each. Changes ask about a cluster, service, task or repository of a
 * name that nothing has, so that AWS can only answer "denied" or "not found". What creates has no name to be
 * absent, and an upload may create its repository (creation templates), so those are not asked. A pull
 * through a cache imports what it is asked for, so images are only asked for by a digest that nothing has, in
 * a repository that is there. */
#include "check_private.h"

#define NO_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define READ(service, operation, input, costs)                  \
    {                                                           \
        service, operation, input, costs, .effect = CHECK_READS \
    }
#define LEARN(service, operation, input, costs, what, from)                                     \
    {                                                                                           \
        service, operation, input, costs, .effect = CHECK_READS, .learns = what, .member = from \
    }
#define NEEDS(what, service, operation, input, costs)                          \
    {                                                                          \
        service, operation, input, costs, .effect = CHECK_READS, .needs = what \
    }
#define CHANGE(service, operation, input, costs)                  \
    {                                                             \
        service, operation, input, costs, .effect = CHECK_CHANGES \
    }
#define DELETE(service, operation, input, costs)                  \
    {                                                             \
        service, operation, input, costs, .effect = CHECK_DELETES \
    }
#define UNASKED(service, operation, costs, why)                                  \
    {                                                                            \
        service, operation, NULL, costs, .effect = CHECK_CHANGES, .why_not = why \
    }
#define WOULD_CREATE "cannot be learned without creating something"
#define MAY_CREATE "cannot be learned safely: an upload may create its repository"

const struct check_probe check_probes[] = {
    LEARN("ecs", "ListClusters", "{\"maxResults\":1}", "clusters/", NAME_CLUSTER, "clusterArns"),
    LEARN("ecs", "DescribeClusters", "{\"clusters\":[\"@CLUSTER\"]}", "clusters/*/", NAME_CLUSTER_ARN,
          "clusters.clusterArn"),
    LEARN("ecs", "ListServices", "{\"cluster\":\"@CLUSTER\",\"maxResults\":1}", "clusters/*/services/",
          NAME_SERVICE, "serviceArns"),
    READ("ecs", "DescribeServices", "{\"cluster\":\"@CLUSTER\",\"services\":[\"@SERVICE\"]}",
         "clusters/*/services/*/"),
    LEARN("ecs", "ListServiceDeployments", "{\"cluster\":\"@CLUSTER\",\"service\":\"@SERVICE\"}",
          "services/*/deployments/", NAME_DEPLOYMENT, "serviceDeployments.serviceDeploymentArn"),
    NEEDS(NAME_DEPLOYMENT, "ecs", "DescribeServiceDeployments",
          "{\"serviceDeploymentArns\":[\"@DEPLOYMENT\"]}", "services/*/deployments/*/"),
    LEARN("ecs", "ListTasks", "{\"cluster\":\"@CLUSTER\",\"maxResults\":1}", "clusters/*/tasks/", NAME_TASK,
          "taskArns"),
    READ("ecs", "DescribeTasks", "{\"cluster\":\"@CLUSTER\",\"tasks\":[\"@TASK\"]}", "clusters/*/tasks/*/"),
    NEEDS(NAME_TASK, "ecs", "GetTaskProtection", "{\"cluster\":\"@CLUSTER\",\"tasks\":[\"@TASK\"]}",
          "tasks/*/protection"),
    LEARN("ecs", "ListContainerInstances", "{\"cluster\":\"@CLUSTER\",\"maxResults\":1}",
          "clusters/*/container-instances/", NAME_INSTANCE, "containerInstanceArns"),
    NEEDS(NAME_INSTANCE, "ecs", "DescribeContainerInstances",
          "{\"cluster\":\"@CLUSTER\",\"containerInstances\":[\"@INSTANCE\"]}",
          "clusters/*/container-instances/*/"),
    LEARN("ecs", "ListTaskDefinitionFamilies", "{\"status\":\"ACTIVE\",\"maxResults\":1}",
          "task-definitions/", NAME_FAMILY, "families"),
    LEARN("ecs", "ListTaskDefinitions", "{\"familyPrefix\":\"@FAMILY\",\"maxResults\":1}",
          "task-definitions/*/", NAME_DEFINITION, "taskDefinitionArns"),
    READ("ecs", "DescribeTaskDefinition", "{\"taskDefinition\":\"@DEFINITION\"}",
         "task-definitions/*/*.json"),
    NEEDS(NAME_CLUSTER_ARN, "ecs", "ListTagsForResource", "{\"resourceArn\":\"@ARN_CLUSTER\"}", "*/tags/"),
    READ("ecs", "DescribeCapacityProviders", "{\"maxResults\":1}", "account/capacity-providers/"),
    READ("ecs", "ListAccountSettings", "{\"maxResults\":1}", "account/settings/"),
    LEARN("ecr", "DescribeRepositories", "{\"maxResults\":1}", "repositories/", NAME_REPOSITORY,
          "repositories.repositoryName"),
    NEEDS(NAME_REPOSITORY, "ecr", "DescribeImages", "{\"repositoryName\":\"@REPOSITORY\",\"maxResults\":1}",
          "repositories/*/images/"),
    NEEDS(NAME_REPOSITORY, "ecr", "BatchGetImage",
          "{\"repositoryName\":\"@REPOSITORY\",\"imageIds\":[{\"imageDigest\":\"" NO_DIGEST "\"}]}",
          "repositories/*/images/*/manifest.json and oci/"),
    NEEDS(NAME_REPOSITORY, "ecr", "GetDownloadUrlForLayer",
          "{\"repositoryName\":\"@REPOSITORY\",\"layerDigest\":\"" NO_DIGEST "\"}",
          "repositories/*/oci/blobs/"),
    NEEDS(NAME_REPOSITORY, "ecr", "GetRepositoryPolicy", "{\"repositoryName\":\"@REPOSITORY\"}",
          "repositories/*/policy.json"),
    NEEDS(NAME_REPOSITORY, "ecr", "GetLifecyclePolicy", "{\"repositoryName\":\"@REPOSITORY\"}",
          "repositories/*/lifecycle-policy.json"),
    READ("ecr", "DescribeRegistry", "{}", "registry/"),
    READ("ecr", "GetRegistryPolicy", "{}", "registry/policy.json"),
    READ("ecr", "GetRegistryScanningConfiguration", "{}", "registry/scanning.json"),
    READ("ecr", "GetAuthorizationToken", "{}", "registry/auth.json and password"),

    CHANGE("ecs", "UpdateService", "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\"}",
           "writing desired-count, task-definition and service.json"),
    CHANGE("ecs", "CreateService",
           "{\"cluster\":\"@ABSENT\",\"serviceName\":\"@ABSENT\",\"taskDefinition\":\"@ABSENT:1\"}",
           "mkdir in services/"),
    CHANGE("ecs", "RunTask", "{\"cluster\":\"@ABSENT\",\"taskDefinition\":\"@ABSENT:1\"}", "tasks/run"),
    CHANGE("ecs", "StopTask", "{\"cluster\":\"@ABSENT\",\"task\":\"@ABSENT\"}", "tasks/*/stop"),
    CHANGE("ecs", "UpdateTaskProtection",
           "{\"cluster\":\"@ABSENT\",\"tasks\":[\"@ABSENT\"],\"protectionEnabled\":false}",
           "writing tasks/*/protection"),
    CHANGE("ecs", "UpdateCluster", "{\"cluster\":\"@ABSENT\"}", "writing cluster.json"),
    CHANGE("ecs", "PutClusterCapacityProviders",
           "{\"cluster\":\"@ABSENT\",\"capacityProviders\":[],\"defaultCapacityProviderStrategy\":[]}",
           "writing capacity-providers.json"),
    CHANGE("ecs", "UpdateContainerInstancesState",
           "{\"cluster\":\"@ABSENT\",\"containerInstances\":[\"@ABSENT\"],\"status\":\"ACTIVE\"}",
           "writing container-instances/*/status"),
    {"ecs", "TagResource", "{\"resourceArn\":\"@ARN_ABSENT\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]}",
     "writing tags/*", CHECK_CHANGES, .needs = NAME_ABSENT_ARN},
    UNASKED("ecs", "RegisterTaskDefinition", "saving task-definitions/*/latest.json", WOULD_CREATE),
    UNASKED("ecs", "CreateCluster", "mkdir in clusters/", WOULD_CREATE),
    CHANGE("ecr", "PutImageTagMutability",
           "{\"repositoryName\":\"@ABSENT\",\"imageTagMutability\":\"MUTABLE\"}", "writing repository.json"),
    CHANGE("ecr", "SetRepositoryPolicy", "{\"repositoryName\":\"@ABSENT\",\"policyText\":\"{}\"}",
           "writing repositories/*/policy.json"),
    CHANGE("ecr", "PutLifecyclePolicy", "{\"repositoryName\":\"@ABSENT\",\"lifecyclePolicyText\":\"{}\"}",
           "writing lifecycle-policy.json"),
    UNASKED("ecr", "CreateRepository", "mkdir in repositories/", WOULD_CREATE),
    UNASKED("ecr", "PutImage", "pushing and tagging images", MAY_CREATE),

    DELETE("ecs", "DeleteService", "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\"}", "rmdir in services/"),
    DELETE("ecs", "DeleteCluster", "{\"cluster\":\"@ABSENT\"}", "rmdir in clusters/"),
    DELETE("ecs", "DeregisterTaskDefinition", "{\"taskDefinition\":\"@ABSENT:1\"}",
           "rm in task-definitions/*/"),
    DELETE("ecr", "BatchDeleteImage",
           "{\"repositoryName\":\"@ABSENT\",\"imageIds\":[{\"imageDigest\":\"" NO_DIGEST "\"}]}",
           "rmdir in images/, rm in image-tags/"),
    DELETE("ecr", "DeleteRepository", "{\"repositoryName\":\"@ABSENT\"}", "rmdir in repositories/"),
    DELETE("ecr", "DeleteRepositoryPolicy", "{\"repositoryName\":\"@ABSENT\"}",
           "rm repositories/*/policy.json"),
    DELETE("ecr", "DeleteLifecyclePolicy", "{\"repositoryName\":\"@ABSENT\"}", "rm lifecycle-policy.json"),
    {0},
};
