/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: what is shown of a describe, what a save may look like, when it is a change, and what is sent.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "ecsfs/cleanup.h"

/* JSON with ' for ". */
static json_t *json(const char *text)
{
    cleanup_free char *copy = strdup(text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_error_t error;
    json_t *value = json_loads(copy, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(value != NULL, "%s at %d of %s", error.text, error.position, copy);
    return value;
}

static void check_json(const json_t *got, const char *want_text, const char *what)
{
    json_t *want = json(want_text);
    cleanup_free char *text = got ? json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    ck_assert_msg(got && json_equal(got, want), "%s: %s instead of %s", what, text ? text : "(nothing)",
                  want_text);
    json_decref(want);
}

#define TD &fs_task_definition_document
#define SERVICE &fs_service_document
#define CLUSTER &fs_cluster_document
#define PROVIDERS &fs_capacity_providers_document

/* ---- shown ---- */

static const struct {
    const struct fs_document *document;
    const char *described, *shown;
} shows[] = {
    {TD,
     "{'taskDefinitionArn':'arn:aws:ecs:x:1:task-definition/"
     "web:3','family':'web','revision':3,'status':'ACTIVE',"
     "'compatibilities':['EC2'],'requiresAttributes':[{'name':'a'}],'registeredAt':'2026-01-01T00:00:00Z',"
     "'registeredBy':'me','tags':[{'key':'k','value':'v'}],'volumes':[],'placementConstraints':[],"
     "'requiresCompatibilities':['FARGATE','EC2'],"
     "'containerDefinitions':[{'name':'b','image':'i','cpu':0,'essential':true,'mountPoints':[],'volumesFrom'"
     ":[],"
     "'systemControls':[],'command':['z','a'],'portMappings':[{'containerPort':90,'hostPort':0,'protocol':'"
     "tcp'},"
     "{'containerPort':80,'hostPort':8080,'protocol':'udp'}],"
     "'environment':[{'name':'Z','value':'1'},{'name':'A','value':'2'}],"
     "'secrets':[{'name':'y','valueFrom':'1'},{'name':'x','valueFrom':'2'}]},{'name':'a','image':'j'}]}",
     "{'family':'web','requiresCompatibilities':['EC2','FARGATE'],"
     "'containerDefinitions':[{'name':'b','image':'i','essential':true,'command':['z','a'],"
     "'portMappings':[{'containerPort':80,'hostPort':8080,'protocol':'udp'},{'containerPort':90,'protocol':'"
     "tcp'}],"
     "'environment':[{'name':'A','value':'2'},{'name':'Z','value':'1'}],"
     "'secrets':[{'name':'x','valueFrom':'2'},{'name':'y','valueFrom':'1'}]},{'name':'a','image':'j'}]}"},
    {SERVICE,
     "{'serviceName':'web','serviceArn':'arn:s','clusterArn':'arn:c','desiredCount':3,'runningCount':3,'"
     "status':'ACTIVE',"
     "'taskDefinition':'arn:aws:ecs:x:1:task-definition/"
     "web:12','events':[{'id':'1'}],'tags':[{'key':'k','value':'v'}],"
     "'launchType':'FARGATE','loadBalancers':[],'roleArn':'arn:r','healthCheckGracePeriodSeconds':0,"
     "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['b','a']}},"
     "'deployments':[{'status':'ACTIVE','serviceConnectConfiguration':{'enabled':false}},"
     "{'status':'PRIMARY','serviceConnectConfiguration':{'enabled':true,'namespace':'n'},"
     "'volumeConfigurations':[{'name':'v'}],'desiredCount':3}]}",
     "{'serviceName':'web','taskDefinition':'web:12','launchType':'FARGATE',"
     "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['a','b']}},"
     "'serviceConnectConfiguration':{'enabled':true,'namespace':'n'},'volumeConfigurations':[{'name':'v'}]}"},
    {CLUSTER,
     "{'clusterName':'c','clusterArn':'a','status':'ACTIVE','tags':[],'capacityProviders':['FARGATE'],"
     "'settings':[{'name':'containerInsights','value':'disabled'}],"
     "'configuration':{'executeCommandConfiguration':{'logging':'DEFAULT'}},'statistics':[]}",
     "{'settings':[{'name':'containerInsights','value':'disabled'}],"
     "'configuration':{'executeCommandConfiguration':{'logging':'DEFAULT'}}}"},
    {PROVIDERS, "{'clusterName':'c','capacityProviders':[],'defaultCapacityProviderStrategy':[]}",
     "{'capacityProviders':[],'defaultCapacityProviderStrategy':[]}"},
    {PROVIDERS,
     "{'capacityProviders':['b','a'],'defaultCapacityProviderStrategy':[{'capacityProvider':'b','weight':1,'"
     "base':0},"
     "{'capacityProvider':'a','weight':2,'base':1}]}",
     "{'capacityProviders':['a','b'],'defaultCapacityProviderStrategy':[{'capacityProvider':'a','weight':2,'"
     "base':1},"
     "{'capacityProvider':'b','weight':1,'base':0}]}"},
};

START_TEST(shows_what_a_person_wrote)
{
    json_t *described = json(shows[_i].described);
    json_t *shown = shows[_i].document->render(described);
    check_json(shown, shows[_i].shown, shows[_i].document->what);
    json_decref(shown);
    json_decref(described);
}
END_TEST

/* ---- read ---- */

static const struct {
    const struct fs_document *document;
    const char *name, *text, *wanted; /* wanted NULL: refused, with this in the message: */
    const char *message;
} reads[] = {
    {TD, "api", "{'family':'web','containerDefinitions':[]}", "{'family':'api','containerDefinitions':[]}"},
    {TD, "api", "{'$schema':'x','containerDefinitions':[],'cpu':null}",
     "{'family':'api','containerDefinitions':[]}"},
    {TD, "api",
     "{'taskDefinition':{'taskDefinitionArn':'a','family':'web','revision':3,'status':'ACTIVE','"
     "compatibilities':[],"
     "'requiresAttributes':[],'registeredAt':1.5,'registeredBy':'me','deregisteredAt':2,'"
     "containerDefinitions':[]},"
     "'tags':[{'key':'k','value':'v'}]}",
     "{'family':'api','containerDefinitions':[],'tags':[{'key':'k','value':'v'}]}"},
    {TD, "api", "{'taskDefinition':{'containerDefinitions':[]},'tags':[]}",
     "{'family':'api','containerDefinitions':[]}"},
    {TD, "api",
     "{'containerDefinitions':[{'name':'a','cpu':null,'environment':[{'name':'x','value':null}]}]}",
     "{'family':'api','containerDefinitions':[{'name':'a','environment':[{'name':'x'}]}]}"},
    {TD, "api", "{'containerDefinitions':[{'imagee':'x'}]}", NULL, "containerDefinitions[0].imagee: "},
    {TD, "api", "{'containerDefinitions':[{'name':'a','portMappings':[{'containerPort':'80'}]}]}", NULL,
     "containerDefinitions[0].portMappings[0].containerPort: "},
    {TD, "api", "{'containerDefinitions':{}}", NULL, "containerDefinitions: "},
    {TD, "api", "{'cpu':256}", NULL, "cpu: "},
    {TD, "api", "{'containerDefinition':[],'images':1}", NULL,
     "containerDefinition: no such field; images: no such field"},
    {TD, "api", "{'a':1,'b':1,'c':1,'d':1,'e':1,'f':1}", NULL, "; and more"},
    {TD, "api", "{'cpu':'1','cpu':'2'}", NULL, "duplicate"},
    {TD, "api", "{'cpu':\n '1',\n}", NULL, "line 3, column 1"},
    {TD, "api", "[]", NULL, "not a JSON object"},
    {TD, "api", "", NULL, "line 1"},
    {SERVICE, "web",
     "{'services':[{'serviceName':'old','serviceArn':'a','clusterArn':'c','desiredCount':2,'events':[],"
     "'deployments':[],'createdAt':1.0,'roleArn':'r','taskDefinition':'arn:x/web:1'}],'failures':[]}",
     "{'serviceName':'web','desiredCount':2,'taskDefinition':'arn:x/web:1'}"},
    {SERVICE, "web", "{'service':{'cluster':'other','clientToken':'t','forceNewDeployment':true}}",
     "{'serviceName':'web','forceNewDeployment':true}"},
    {SERVICE, "web", "{'services':[{},{}]}", NULL, "services: holds 2 of them, where one is wanted"},
    {SERVICE, "web", "{'services':[]}", NULL, "services: holds 0 of them"},
    {SERVICE, "web", "{'taskDefinition':'web:1','networkConfiguration':{'awsvpc':{}}}", NULL,
     "networkConfiguration.awsvpc: "},
    {SERVICE, "web", "{'desiredCount':'3'}", NULL, "desiredCount: "},
    {SERVICE, "web", "{'forceNewDeployment':'yes'}", NULL, "forceNewDeployment: "},
    {CLUSTER, NULL, "{'clusters':[{'clusterName':'c','status':'ACTIVE','settings':[]}]}", "{'settings':[]}"},
    {CLUSTER, NULL, "{'setting':[]}", NULL, "setting: no such field"},
};

START_TEST(reads_whatever_aws_would_say)
{
    cleanup_free char *text = strdup(reads[_i].text);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *wanted = NULL;
    cleanup_error struct ecs_error *error = NULL;
    int r = fs_document_read(reads[_i].document, reads[_i].name, text, strlen(text), &wanted, &error);
    if (reads[_i].wanted) {
        ck_assert_msg(r == 0, "%s: %s", text, error ? error->message : "");
        check_json(wanted, reads[_i].wanted, text);
        json_decref(wanted);
        return;
    }
    ck_assert_int_eq(r, -EINVAL);
    ck_assert_int_eq(error->err, -EINVAL);
    ck_assert_msg(strstr(error->message, reads[_i].message), "%s: %s", text, error->message);
    ck_assert_ptr_null(wanted);
}
END_TEST

/* ---- planned ---- */

#define WEB_NOW                                                                                             \
    "{'family':'web','revision':3,'status':'ACTIVE','tags':[{'key':'team','value':'x'},{'key':'aws:a','"    \
    "value':'b'}],"                                                                                         \
    "'networkMode':'awsvpc','cpu':'1024','memory':'2048','volumes':[],'placementConstraints':[],"           \
    "'containerDefinitions':[{'name':'a','image':'i','cpu':0,'essential':true,'environment':[{'name':'B','" \
    "value':'2'},"                                                                                          \
    "{'name':'A','value':'1'}],'mountPoints':[],'portMappings':[{'containerPort':80,'hostPort':80,'"        \
    "protocol':'tcp'}],"                                                                                    \
    "'healthCheck':{'command':['CMD','true'],'interval':30,'timeout':5,'retries':3}}]}"
#define WEB_WRITTEN                                                                                    \
    "{'family':'web','networkMode':'awsvpc','cpu':'1 vCPU','memory':'2 "                               \
    "GB','containerDefinitions':[{'name':'a',"                                                         \
    "'image':'i','environment':[{'name':'A','value':'1'},{'name':'B','value':'2'}],'portMappings':[{'" \
    "containerPort':80}],"                                                                             \
    "'healthCheck':{'command':['CMD','true']}}]}"
#define SERVICE_NOW                                                                                        \
    "{'serviceName':'web','serviceArn':'arn:web','taskDefinition':'arn:aws:ecs:x:1:task-definition/"       \
    "web:1','desiredCount':3,"                                                                             \
    "'launchType':'FARGATE','schedulingStrategy':'REPLICA','platformVersion':'LATEST','loadBalancers':[]," \
    "'deploymentConfiguration':{'maximumPercent':200,'minimumHealthyPercent':50},'enableExecuteCommand':"  \
    "false,"                                                                                               \
    "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['b','a'],'assignPublicIp':'DISABLED'}},"    \
    "'tags':[{'key':'k','value':'v'}],'healthCheckGracePeriodSeconds':30,"                                 \
    "'deployments':[{'status':'PRIMARY','serviceConnectConfiguration':{'enabled':true,'namespace':'n'}}]}"

#define PLACED                                                                                            \
    "{'serviceName':'web','taskDefinition':'web:1','launchType':'EC2','availabilityZoneRebalancing':'"    \
    "DISABLED','propagateTags':'SERVICE','placementConstraints':[{'type':'distinctInstance'}],"           \
    "'placementStrategy':[{'type':'random'}],'loadBalancers':[{'targetGroupArn':'t'}],"                   \
    "'serviceRegistries':[{'registryArn':'r'}],'deploymentConfiguration':{'maximumPercent':200},"         \
    "'deployments':[{'status':'PRIMARY','serviceConnectConfiguration':{'enabled':true,'namespace':'n'},'" \
    "volumeConfigurations':[{'name':'v'}]}]}"
#define STRATEGIC                                                                      \
    "{'taskDefinition':'web:1','capacityProviderStrategy':[{'capacityProvider':'a'}]," \
    "'networkConfiguration':{'awsvpcConfiguration':{'subnets':['a']}}}"

/* calls: "Operation {input}", as many as are wanted; none: no call. `wanted` of a service that is there: what
 * was edited in what is shown; null: taken out. */
static const struct {
    const struct fs_document *document;
    const char *now, *wanted;
    const char *calls[3];
    const char *message; /* refused so */
} plans[] = {
    {TD, WEB_NOW, WEB_NOW, {0}},
    {TD, WEB_NOW, WEB_WRITTEN, {0}},
    {TD,
     WEB_NOW,
     "{'family':'web','networkMode':'awsvpc','cpu':'1024','memory':'2048','containerDefinitions':[{'name':'a'"
     ",'image':'j'}]}",
     {"RegisterTaskDefinition "
      "{'family':'web','networkMode':'awsvpc','cpu':'1024','memory':'2048','containerDefinitions':[{'name':'"
      "a','image':'j'}],"
      "'tags':[{'key':'team','value':'x'}]}"}},
    {TD,
     NULL,
     "{'family':'web','containerDefinitions':[],'tags':[]}",
     {"RegisterTaskDefinition {'family':'web','containerDefinitions':[]}"}},
    {TD,
     "{'family':'web','containerDefinitions':[{'name':'a'}]}",
     "{'family':'web','containerDefinitions':[{'name':'a'}],'tags':[{'key':'k','value':'v'}]}",
     {"RegisterTaskDefinition "
      "{'family':'web','containerDefinitions':[{'name':'a'}],'tags':[{'key':'k','value':'v'}]}"}},
    /* in bridge mode a host port is a choice; 0 and none are the same */
    {TD,
     "{'networkMode':'bridge','containerDefinitions':[{'name':'a','portMappings':[{'containerPort':80,'"
     "hostPort':80}]}]}",
     "{'networkMode':'bridge','containerDefinitions':[{'name':'a','portMappings':[{'containerPort':80}]}]}",
     {"RegisterTaskDefinition "
      "{'networkMode':'bridge','containerDefinitions':[{'name':'a','portMappings':[{'containerPort':80}]}]"
      "}"}},
    {TD,
     "{'networkMode':'bridge','containerDefinitions':[{'name':'a','portMappings':[{'containerPort':80,'"
     "hostPort':0}]}]}",
     "{'networkMode':'bridge','containerDefinitions':[{'name':'a','portMappings':[{'containerPort':80}]}]}",
     {0}},
    /* the order of commands and containers means something */
    {TD,
     "{'containerDefinitions':[{'name':'a','command':['x','y']}]}",
     "{'containerDefinitions':[{'name':'a','command':['y','x']}]}",
     {"RegisterTaskDefinition {'containerDefinitions':[{'name':'a','command':['y','x']}]}"}},
    {TD,
     "{'containerDefinitions':[{'name':'a','essential':true}]}",
     "{'containerDefinitions':[{'name':'a','essential':false}]}",
     {"RegisterTaskDefinition {'containerDefinitions':[{'name':'a','essential':false}]}"}},

    {SERVICE, SERVICE_NOW, SERVICE_NOW, {0}},
    {SERVICE, SERVICE_NOW, "{'serviceName':'web','taskDefinition':'web:1'}", {0}},
    {SERVICE,
     SERVICE_NOW,
     "{'taskDefinition':'web:2','launchType':'FARGATE'}",
     {"UpdateService {'cluster':'c','service':'web','taskDefinition':'web:2'}"}},
    {SERVICE,
     SERVICE_NOW,
     "{'desiredCount':5}",
     {"UpdateService {'cluster':'c','service':'web','desiredCount':5}"}},
    {SERVICE,
     SERVICE_NOW,
     "{'healthCheckGracePeriodSeconds':0}",
     {"UpdateService {'cluster':'c','service':'web','healthCheckGracePeriodSeconds':0}"}},
    {SERVICE, SERVICE_NOW, "{'serviceConnectConfiguration':{'enabled':true,'namespace':'n'}}", {0}},
    {SERVICE,
     SERVICE_NOW,
     "{'serviceConnectConfiguration':{'enabled':false}}",
     {"UpdateService {'cluster':'c','service':'web','serviceConnectConfiguration':{'enabled':false}}"}},
    {SERVICE,
     SERVICE_NOW,
     "{'forceNewDeployment':true}",
     {"UpdateService {'cluster':'c','service':'web','forceNewDeployment':true}"}},
    {SERVICE, SERVICE_NOW, "{'forceNewDeployment':false}", {0}},
    {SERVICE,
     SERVICE_NOW,
     "{'networkConfiguration':{'awsvpcConfiguration':{'subnets':['a','b'],'securityGroups':[]}}}",
     {0}},
    {SERVICE,
     SERVICE_NOW,
     "{'launchType':'EC2'}",
     {0},
     "launchType: AWS cannot change it once the service is created (it is \"FARGATE\")"},
    {SERVICE, SERVICE_NOW, "{'schedulingStrategy':'DAEMON'}", {0}, "schedulingStrategy: "},
    {SERVICE,
     SERVICE_NOW,
     "{'role':'r'}",
     {0},
     "role: AWS cannot change it once the service is created (it is not set)"},
    {SERVICE, SERVICE_NOW, "{'tags':[{'key':'k','value':'v'}]}", {0}},
    {SERVICE, SERVICE_NOW, "{'tags':[]}", {0}},
    {SERVICE,
     SERVICE_NOW,
     "{'desiredCount':4,'tags':[{'key':'k','value':'w'},{'key':'n','value':'m'},{'key':'aws:x','value':'y'}]"
     "}",
     {"UpdateService {'cluster':'c','service':'web','desiredCount':4}",
      "TagResource {'resourceArn':'arn:web','tags':[{'key':'k','value':'w'},{'key':'n','value':'m'}]}"}},
    /* what is taken out of what is shown: emptied where AWS has an empty value, refused by name where not */
    {SERVICE,
     PLACED,
     "{'placementConstraints':null}",
     {"UpdateService {'cluster':'c','service':'web','placementConstraints':[]}"}},
    {SERVICE,
     PLACED,
     "{'placementStrategy':null,'loadBalancers':null,'serviceRegistries':null,'volumeConfigurations':null,"
     "'serviceConnectConfiguration':null,'taskDefinition':'web:2'}",
     {"UpdateService {'cluster':'c','service':'web','taskDefinition':'web:2','placementStrategy':[],'"
      "loadBalancers':[],'serviceRegistries':[],'volumeConfigurations':[],'serviceConnectConfiguration':{'"
      "enabled':false}}"}},
    {SERVICE, PLACED, "{'deploymentConfiguration':null,'availabilityZoneRebalancing':null}", {0}},
    {SERVICE,
     SERVICE_NOW,
     "{'schedulingStrategy':null,'platformVersion':null,'enableExecuteCommand':null}",
     {0}},
    {SERVICE,
     PLACED,
     "{'propagateTags':null,'placementConstraints':null}",
     {0},
     "left out, and that unsets nothing at AWS: propagateTags (it is \"SERVICE\"; to unset it write "
     "\"NONE\")."},
    {SERVICE, PLACED, "{'launchType':null}", {0}, "launchType (it is \"EC2\")"},
    {SERVICE,
     PLACED,
     "{'launchType':null,'capacityProviderStrategy':[{'capacityProvider':'a'}]}",
     {"UpdateService {'cluster':'c','service':'web','capacityProviderStrategy':[{'capacityProvider':'a'}]}"}},
    {SERVICE, SERVICE_NOW, "{'healthCheckGracePeriodSeconds':null}", {0}, "to unset it write 0"},
    {SERVICE, SERVICE_NOW, "{'networkConfiguration':null}", {0}, "networkConfiguration (it is {\"awsvpc"},
    {SERVICE, STRATEGIC, "{'capacityProviderStrategy':null}", {0}, "to unset it write [])"},
    {SERVICE,
     STRATEGIC,
     "{'capacityProviderStrategy':[]}",
     {"UpdateService {'cluster':'c','service':'web','capacityProviderStrategy':[]}"}},
    {SERVICE,
     NULL,
     "{'serviceName':'web','taskDefinition':'web:1','healthCheckGracePeriodSeconds':0,'tags':[]}",
     {"CreateService "
      "{'cluster':'c','serviceName':'web','taskDefinition':'web:1','desiredCount':0,'clientToken':'token'}"}},
    {SERVICE,
     NULL,
     "{'schedulingStrategy':'DAEMON','desiredCount':3}",
     {"CreateService "
      "{'cluster':'c','serviceName':'web','schedulingStrategy':'DAEMON','clientToken':'token'}"}},

    {CLUSTER,
     "{'settings':[{'name':'containerInsights','value':'disabled'}]}",
     "{'settings':[{'name':'containerInsights','value':'enabled'}]}",
     {"UpdateCluster {'cluster':'web','settings':[{'name':'containerInsights','value':'enabled'}]}"}},
    {CLUSTER, "{'settings':[{'name':'containerInsights','value':'disabled'}]}", "{}", {0}},
    {CLUSTER,
     "{'serviceConnectDefaults':{'namespace':'n'}}",
     "{'serviceConnectDefaults':{'namespace':''}}",
     {"UpdateCluster {'cluster':'web','serviceConnectDefaults':{'namespace':''}}"}},
    {CLUSTER,
     "{'serviceConnectDefaults':{'namespace':'n'}}",
     "{}",
     {"UpdateCluster {'cluster':'web','serviceConnectDefaults':{'namespace':''}}"}},
    {CLUSTER,
     "{'settings':[{'name':'containerInsights','value':'enabled'}]}",
     "{}",
     {0},
     "to unset it write [{\"name\":\"containerInsights\",\"value\":\"disabled\"}])"},
    {CLUSTER, NULL, "{'settings':[]}", {0}, "no cluster web"},
    {PROVIDERS,
     "{'capacityProviders':['a'],'defaultCapacityProviderStrategy':[{'capacityProvider':'a','weight':1,'base'"
     ":0}]}",
     "{'capacityProviders':['a','b']}",
     {"PutClusterCapacityProviders "
      "{'cluster':'web','capacityProviders':['a','b'],'defaultCapacityProviderStrategy':[]}"}},
    {PROVIDERS,
     "{'capacityProviders':['b','a'],'defaultCapacityProviderStrategy':[]}",
     "{'capacityProviders':['a','b']}",
     {0}},
};

static void check_call(const struct fs_plan_call *call, const char *want)
{
    size_t len = strcspn(want, " ");
    ck_assert_msg(strlen(call->operation) == len && strncmp(call->operation, want, len) == 0, "%s: %s", want,
                  call->operation);
    check_json(call->input, want + len + 1, call->operation);
    /* AWS takes it: it fits the operation's shape */
    const struct ecs_api_operation *operation = ecs_api_find("ecs", call->operation);
    ck_assert_ptr_nonnull(operation);
    ck_assert_int_eq(ecs_shape_check(operation->input, call->input, NULL, NULL) > 0,
                     strstr(want, "'family'") == NULL && strstr(want, "RegisterTask"));
}

/* As a person makes it of what is shown. */
static json_t *edited(const json_t *now, const char *edits)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(1 << 16);
    json_t *document = fs_service_document.render(now), *wanted;
    json_t *edit = json(edits);
    json_object_update(document, edit);
    json_decref(edit);
    ck_assert_int_eq(fs_canon_text(document, &text), 0);
    json_decref(document);
    struct ecs_error *error = NULL;
    ck_assert_int_eq(fs_document_read(SERVICE, "web", text.data, text.len, &wanted, &error), 0);
    return wanted;
}

START_TEST(plans_the_fewest_calls)
{
    bool service = plans[_i].document == SERVICE;
    json_t *now = plans[_i].now ? json(plans[_i].now) : NULL;
    json_t *wanted = service && now ? edited(now, plans[_i].wanted) : json(plans[_i].wanted);
    struct fs_save save = {
        .key = {plans[_i].document->kind, service ? "c" : "", "web"},
        .wanted = wanted,
        .now = now,
        .client_token = "token",
        .desired_count = -1,
    };
    cleanup_plan struct fs_plan plan = {0};
    cleanup_error struct ecs_error *error = NULL;
    int r = plans[_i].document->plan(&save, &plan, &error);
    if (plans[_i].message) {
        ck_assert_int_lt(r, 0);
        ck_assert_uint_eq(plan.len, 0);
        ck_assert_msg(strstr(error->message, plans[_i].message), "%s", error->message);
    } else {
        ck_assert_int_eq(r, 0);
        size_t want = 0;
        while (want < 3 && plans[_i].calls[want])
            want++;
        ck_assert_msg(plan.len == want, "row %d: %zu calls instead of %zu", _i, plan.len, want);
        for (size_t i = 0; i < plan.len; i++)
            check_call(&plan.calls[i], plans[_i].calls[i]);
    }
    json_decref(now);
    json_decref(wanted);
}
END_TEST

START_TEST(a_kept_count_is_used)
{
    json_t *wanted = json("{'taskDefinition':'web:1'}");
    struct fs_save save = {
        .key = {ECS_SERVICE, "c", "web"}, .wanted = wanted, .client_token = "t", .desired_count = 4};
    cleanup_plan struct fs_plan plan = {0};
    struct ecs_error *error = NULL;
    ck_assert_int_eq(fs_service_document.plan(&save, &plan, &error), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(plan.calls[0].input, "desiredCount")), 4);
    json_decref(wanted);
}
END_TEST

/* ---- recorded answers of AWS: what is shown can be saved back, and is no change ---- */

static void check_round_trip(const struct fs_document *document, const json_t *described, const char *from)
{
    cleanup_buf struct ecs_buf text = ECS_BUF(1 << 20);
    json_t *shown = document->render(described);
    ck_assert_int_eq(fs_canon_text(shown, &text), 0);
    json_decref(shown);
    const char *texts[2];
    cleanup_free char *whole = json_dumps(described, JSON_INDENT(1));
    texts[0] = text.data;
    texts[1] = whole;
    for (int i = 0; i < 2; i++) {
        json_t *wanted = NULL;
        cleanup_error struct ecs_error *error = NULL;
        int r = fs_document_read(document, "the-name", texts[i], strlen(texts[i]), &wanted, &error);
        ck_assert_msg(r == 0, "%s: %s", from, error ? error->message : "");
        if (document->name) /* it is compared with itself, under its own name */
            json_object_set(wanted, document->name, json_object_get(described, document->name));
        struct fs_save save = {.key = {document->kind, "c", "the-name"},
                               .wanted = wanted,
                               .now = described,
                               .client_token = "t"};
        cleanup_plan struct fs_plan plan = {0};
        r = document->plan(&save, &plan, &error);
        ck_assert_msg(r == 0 && plan.len == 0, "%s, %s: %s", from, i ? "the describe" : "the document",
                      error      ? error->message
                      : plan.len ? plan.calls[0].operation
                                 : "");
        json_decref(wanted);
    }
}

static int check_recording(const char *path, const char *file)
{
    static const struct {
        const char *file, *member;
        const struct fs_document *document;
    } kinds[] = {
        {"ecs.DescribeTaskDefinition", "taskDefinition", TD},
        {"ecs.DescribeServices", "services", SERVICE},
        {"ecs.DescribeClusters", "clusters", CLUSTER},
    };
    int found = 0;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strncmp(file, kinds[i].file, strlen(kinds[i].file)) != 0)
            continue;
        json_t *recorded = json_load_file(path, 0, NULL);
        json_t *member = json_object_get(json_object_get(recorded, "data"), kinds[i].member);
        json_t *one = json_is_array(member) ? json_array_get(member, 0) : member;
        if (one) {
            check_round_trip(kinds[i].document, one, path);
            found++;
        }
        json_decref(recorded);
    }
    return found;
}

START_TEST(recorded_answers_round_trip)
{
    const char *shared = getenv("ECSFS_SHARED");
    if (!shared) {
        fprintf(stderr, "SKIPPED: recorded_answers_round_trip needs ECSFS_SHARED\n");
        return;
    }
    char folder[1024], path[2048], file[3072];
    int found = 0;
    snprintf(folder, sizeof(folder), "%s/data/fixtures/c7n-placebo", shared);
    DIR *cases = opendir(folder);
    ck_assert_ptr_nonnull(cases);
    for (struct dirent *entry; (entry = readdir(cases));) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        DIR *files = entry->d_name[0] == '.' ? NULL : opendir(path);
        for (struct dirent *at; files && (at = readdir(files));) {
            snprintf(file, sizeof(file), "%s/%s", path, at->d_name);
            found += check_recording(file, at->d_name);
        }
        if (files)
            closedir(files);
    }
    closedir(cases);
    ck_assert_int_gt(found, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("documents");
    TCase *tcase = tcase_create("documents");
    tcase_add_loop_test(tcase, shows_what_a_person_wrote, 0, (int)ARRAY_LEN(shows));
    tcase_add_loop_test(tcase, reads_whatever_aws_would_say, 0, (int)ARRAY_LEN(reads));
    tcase_add_loop_test(tcase, plans_the_fewest_calls, 0, (int)ARRAY_LEN(plans));
    tcase_add_test(tcase, a_kept_count_is_used);
    tcase_add_test(tcase, recorded_answers_round_trip);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
