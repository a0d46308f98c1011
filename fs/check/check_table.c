/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked. Reads ask for one of each. Changes ask about a cluster, service, task or repository of a
 * name that nothing has, so that AWS can only answer "denied" or "not found". What creates has no name to be
 * absent, and an upload may create its repository (creation templates), so those are not asked. A pull
 * through a cache imports what it is asked for, so images are only asked for by a digest that nothing has, in
 * a repository that is there. */
#include "check_private.h"

#define NO_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"
/* AWS wants a hundred characters, and might look at that before it looks at permissions. */
#define BLANKS "                    "
#define EMPTY_POLICY "{" BLANKS BLANKS BLANKS BLANKS BLANKS "}"
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
#define UNDELETED(service, operation, costs)                                              \
    {                                                                                     \
        service, operation, NULL, costs, .effect = CHECK_DELETES, .why_not = WOULD_DELETE \
    }
#define WOULD_CHANGE "cannot be learned without changing something"
#define WOULD_DELETE "cannot be learned without deleting something"
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
    {"ecs", "DescribeServiceDeployments", "{\"serviceDeploymentArns\":[\"@DEPLOYMENT\"]}",
     "services/*/deployments/*/", CHECK_READS, .needs = NAME_DEPLOYMENT, .learns = NAME_REVISION,
     .member = "serviceDeployments.targetServiceRevision.arn"},
    NEEDS(NAME_REVISION, "ecs", "DescribeServiceRevisions", "{\"serviceRevisionArns\":[\"@REVISION\"]}",
          "services/*/revisions/"),
    READ("ecs", "DescribeTaskSets", "{\"cluster\":\"@CLUSTER\",\"service\":\"@SERVICE\"}",
         "services/*/task-sets/"),
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
    NEEDS(NAME_REPOSITORY, "ecr", "GetLifecyclePolicyPreview", "{\"repositoryName\":\"@REPOSITORY\"}",
          "repositories/*/lifecycle-preview.json"),
    NEEDS(NAME_REPOSITORY, "ecr", "BatchCheckLayerAvailability",
          "{\"repositoryName\":\"@REPOSITORY\",\"layerDigests\":[\"" NO_DIGEST "\"]}",
          "pushing to repositories/*/oci/"),
    NEEDS(NAME_REPOSITORY, "ecr", "DescribeImageScanFindings",
          "{\"repositoryName\":\"@REPOSITORY\",\"imageId\":{\"imageDigest\":\"" NO_DIGEST "\"}}",
          "repositories/*/images/*/scan.json"),
    NEEDS(NAME_REPOSITORY, "ecr", "DescribeImageReplicationStatus",
          "{\"repositoryName\":\"@REPOSITORY\",\"imageId\":{\"imageDigest\":\"" NO_DIGEST "\"}}",
          "repositories/*/images/*/replication.json"),
    NEEDS(NAME_REPOSITORY, "ecr", "DescribeImageSigningStatus",
          "{\"repositoryName\":\"@REPOSITORY\",\"imageId\":{\"imageDigest\":\"" NO_DIGEST "\"}}",
          "repositories/*/images/*/signing.json"),
    NEEDS(NAME_REPOSITORY, "ecr", "BatchGetRepositoryScanningConfiguration",
          "{\"repositoryNames\":[\"@REPOSITORY\"]}", "repositories/*/scanning.json"),
    READ("ecr", "DescribeRegistry", "{}", "registry/"),
    READ("ecr", "DescribePullThroughCacheRules", "{\"maxResults\":1}", "registry/pull-through-cache/"),
    READ("ecr", "ValidatePullThroughCacheRule", "{\"ecrRepositoryPrefix\":\"ecsfs-check-absent\"}",
         "registry/pull-through-cache/*.valid"),
    READ("ecr", "DescribeRepositoryCreationTemplates", "{\"maxResults\":1}", "registry/creation-templates/"),
    READ("ecr", "GetAccountSetting", "{\"name\":\"BASIC_SCAN_TYPE_VERSION\"}", "registry/settings/"),
    READ("ecr", "GetSigningConfiguration", "{}", "registry/signing.json"),
    READ("ecr", "ListPullTimeUpdateExclusions", "{\"maxResults\":1}", "registry/pull-time-exclusions/"),
    READ("ecr", "GetRegistryPolicy", "{}", "registry/policy.json"),
    READ("ecr", "GetRegistryScanningConfiguration", "{}", "registry/scanning.json"),
    READ("ecr", "GetAuthorizationToken", "{}", "registry/auth.json and password"),
    READ("ecr-public", "DescribeRepositories", "{\"maxResults\":1}", "public-repositories/"),
    READ("ecr-public", "GetAuthorizationToken", "{}", "registry/public/auth.json and password"),
    READ("ecr-public", "DescribeRegistries", "{\"maxResults\":1}",
         "registry/public/ and public-repositories/"),
    READ("ecr-public", "GetRegistryCatalogData", "{}", "registry/public/catalog.json"),
    READ("ecr-public", "GetRepositoryCatalogData", "{\"repositoryName\":\"@ABSENT\"}",
         "public-repositories/*/catalog.json"),

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
    {"ecs", "UntagResource", "{\"resourceArn\":\"@ARN_ABSENT\",\"tagKeys\":[\"a\"]}", "rm in tags/",
     CHECK_CHANGES, .needs = NAME_ABSENT_ARN},
    {"ecs", "StopServiceDeployment", "{\"serviceDeploymentArn\":\"@DEPLOYMENT_ABSENT\"}",
     "writing deployments/*/stop", CHECK_CHANGES, .needs = NAME_ABSENT_DEPLOYMENT},
    {"ecs", "ContinueServiceDeployment",
     "{\"serviceDeploymentArn\":\"@DEPLOYMENT_ABSENT\",\"hookId\":\"@ABSENT\"}",
     "writing deployments/*/hooks/*", CHECK_CHANGES, .needs = NAME_ABSENT_DEPLOYMENT},
    CHANGE("ecs", "CreateTaskSet",
           "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\",\"taskDefinition\":\"@ABSENT:1\"}",
           "services/*/task-sets/create"),
    CHANGE("ecs", "UpdateTaskSet",
           "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\",\"taskSet\":\"@ABSENT\",\"scale\":{\"value\":0,"
           "\"unit\":\"PERCENT\"}}",
           "writing task-sets/*/scale"),
    CHANGE("ecs", "UpdateServicePrimaryTaskSet",
           "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\",\"primaryTaskSet\":\"@ABSENT\"}",
           "writing task-sets/*/primary"),
    CHANGE("ecs", "StartTask",
           "{\"cluster\":\"@ABSENT\",\"containerInstances\":[\"@ABSENT\"],\"taskDefinition\":\"@ABSENT:1\"}",
           "tasks/run with containerInstances"),
    CHANGE("ecs", "UpdateContainerAgent", "{\"cluster\":\"@ABSENT\",\"containerInstance\":\"@ABSENT\"}",
           "container-instances/*/update-agent"),
    CHANGE("ecs", "PutAttributes",
           "{\"cluster\":\"@ABSENT\",\"attributes\":[{\"name\":\"a\",\"targetType\":\"container-instance\","
           "\"targetId\":\"@ABSENT\"}]}",
           "writing container-instances/*/attributes/*"),
    CHANGE("ecs", "DeleteAttributes",
           "{\"cluster\":\"@ABSENT\",\"attributes\":[{\"name\":\"a\",\"targetType\":\"container-instance\","
           "\"targetId\":\"@ABSENT\"}]}",
           "rm container-instances/*/attributes/*"),
    CHANGE("ecs", "UpdateCapacityProvider", "{\"name\":\"@ABSENT\",\"autoScalingGroupProvider\":{}}",
           "writing account/capacity-providers/*.json"),
    UNASKED("ecs", "CreateCapacityProvider", "account/capacity-providers/create", WOULD_CREATE),
    UNASKED("ecs", "PutAccountSetting", "writing account/settings/*", WOULD_CHANGE),
    UNASKED("ecs", "PutAccountSettingDefault", "writing account/default-setting", WOULD_CHANGE),
    UNASKED("ecs", "DeleteAccountSetting", "rm account/settings/*", WOULD_CHANGE),
    UNASKED("ecs", "RegisterTaskDefinition", "saving task-definitions/*/latest.json", WOULD_CREATE),
    UNASKED("ecs", "CreateCluster", "mkdir in clusters/", WOULD_CREATE),
    CHANGE("ecr", "PutImageTagMutability",
           "{\"repositoryName\":\"@ABSENT\",\"imageTagMutability\":\"MUTABLE\"}", "writing repository.json"),
    CHANGE("ecr", "SetRepositoryPolicy", "{\"repositoryName\":\"@ABSENT\",\"policyText\":\"{}\"}",
           "writing repositories/*/policy.json"),
    CHANGE("ecr", "PutLifecyclePolicy",
           "{\"repositoryName\":\"@ABSENT\",\"lifecyclePolicyText\":\"" EMPTY_POLICY "\"}",
           "writing lifecycle-policy.json"),
    CHANGE("ecr", "PutImageScanningConfiguration",
           "{\"repositoryName\":\"@ABSENT\",\"imageScanningConfiguration\":{\"scanOnPush\":false}}",
           "writing repository.json"),
    CHANGE("ecr", "StartImageScan",
           "{\"repositoryName\":\"@ABSENT\",\"imageId\":{\"imageDigest\":\"" NO_DIGEST "\"}}",
           "repositories/*/images/*/scan"),
    CHANGE("ecr", "StartLifecyclePolicyPreview",
           "{\"repositoryName\":\"@ABSENT\",\"lifecyclePolicyText\":\"" EMPTY_POLICY "\"}",
           "repositories/*/lifecycle-preview.json"),
    CHANGE("ecr", "UpdateImageStorageClass",
           "{\"repositoryName\":\"@ABSENT\",\"imageId\":{\"imageDigest\":\"" NO_DIGEST
           "\"},\"targetStorageClass\":\"STANDARD\"}",
           "writing images/*/storage-class"),
    UNASKED("ecr", "PutRegistryPolicy", "writing registry/policy.json", WOULD_CHANGE),
    UNASKED("ecr", "PutRegistryScanningConfiguration", "writing registry/scanning.json", WOULD_CHANGE),
    UNASKED("ecr", "PutReplicationConfiguration", "writing registry/replication.json", WOULD_CHANGE),
    UNASKED("ecr", "PutSigningConfiguration", "writing registry/signing.json", WOULD_CHANGE),
    UNASKED("ecr", "RegisterPullTimeUpdateExclusion", "mkdir in registry/pull-time-exclusions/",
            WOULD_CHANGE),
    UNASKED("ecr", "DeregisterPullTimeUpdateExclusion", "rm in registry/pull-time-exclusions/", WOULD_CHANGE),
    UNASKED("ecr", "CreatePullThroughCacheRule", "new files in registry/pull-through-cache/", WOULD_CREATE),
    UNASKED("ecr", "UpdatePullThroughCacheRule", "writing registry/pull-through-cache/*", WOULD_CHANGE),
    UNASKED("ecr", "CreateRepositoryCreationTemplate", "new files in registry/creation-templates/",
            WOULD_CREATE),
    UNASKED("ecr", "UpdateRepositoryCreationTemplate", "writing registry/creation-templates/*", WOULD_CHANGE),
    UNASKED("ecr-public", "PutRegistryCatalogData", "writing registry/public/catalog.json", WOULD_CHANGE),
    UNASKED("ecr-public", "PutRepositoryCatalogData", "writing public-repositories/*/catalog.json",
            WOULD_CHANGE),
    UNASKED("ecr", "InitiateLayerUpload", "pushing layers", MAY_CREATE),
    UNASKED("ecr", "UploadLayerPart", "pushing layers", MAY_CREATE),
    UNASKED("ecr", "CompleteLayerUpload", "pushing layers", MAY_CREATE),
    UNASKED("ecr", "CreateRepository", "mkdir in repositories/", WOULD_CREATE),
    UNASKED("ecr", "PutImage", "pushing and tagging images", MAY_CREATE),

    DELETE("ecs", "DeleteService", "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\"}", "rmdir in services/"),
    DELETE("ecs", "DeleteCluster", "{\"cluster\":\"@ABSENT\"}", "rmdir in clusters/"),
    DELETE("ecs", "DeleteTaskSet",
           "{\"cluster\":\"@ABSENT\",\"service\":\"@ABSENT\",\"taskSet\":\"@ABSENT\"}",
           "rmdir in task-sets/"),
    DELETE("ecs", "DeregisterContainerInstance",
           "{\"cluster\":\"@ABSENT\",\"containerInstance\":\"@ABSENT\"}", "rmdir in container-instances/"),
    DELETE("ecs", "DeleteCapacityProvider", "{\"capacityProvider\":\"@ABSENT\"}",
           "rm in account/capacity-providers/"),
    DELETE("ecs", "DeleteTaskDefinitions", "{\"taskDefinitions\":[\"@ABSENT:1\"]}",
           "rm in task-definitions/*/inactive/"),
    DELETE("ecs", "DeregisterTaskDefinition", "{\"taskDefinition\":\"@ABSENT:1\"}",
           "rm in task-definitions/*/"),
    DELETE("ecr", "BatchDeleteImage",
           "{\"repositoryName\":\"@ABSENT\",\"imageIds\":[{\"imageDigest\":\"" NO_DIGEST "\"}]}",
           "rmdir in images/, rm in image-tags/"),
    DELETE("ecr", "DeleteRepository", "{\"repositoryName\":\"@ABSENT\"}", "rmdir in repositories/"),
    DELETE("ecr", "DeleteRepositoryPolicy", "{\"repositoryName\":\"@ABSENT\"}",
           "rm repositories/*/policy.json"),
    UNDELETED("ecr", "DeleteRegistryPolicy", "rm registry/policy.json"),
    UNDELETED("ecr", "DeleteSigningConfiguration", "rm registry/signing.json"),
    UNDELETED("ecr", "DeletePullThroughCacheRule", "rm in registry/pull-through-cache/"),
    UNDELETED("ecr", "DeleteRepositoryCreationTemplate", "rm in registry/creation-templates/"),
    DELETE("ecr", "DeleteLifecyclePolicy", "{\"repositoryName\":\"@ABSENT\"}", "rm lifecycle-policy.json"),
    {0},
};
