/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on services. */
#include "services.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "clusters.h"
#include "ecsfs/cleanup.h"
#include "launch.h"
#include "pages.h"
#include "service_spec.h"
#include "tokens.h"

const char *services_using_other_provider(const struct cluster *cluster, const json_t *providers)
{
    struct service *service;
    TAILQ_FOREACH(service, &cluster->services, link)
    {
        const json_t *strategy = json_object_get(service->spec, "capacityProviderStrategy");
        size_t i;
        json_t *row;
        if (service->status != SERVICE_ACTIVE)
            continue;
        json_array_foreach(strategy, i, row)
        {
            if (!list_has(providers, in_text(row, "capacityProvider")))
                return in_text(row, "capacityProvider");
        }
    }
    return NULL;
}

static json_t *reply_service(struct service *service)
{
    return json_pack("{s:o}", "service", service_show(service, true));
}

static bool name_is_valid(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    return strlen(name) <= 255;
}

/* True when the name is free. */
static bool check_name(struct request *rq, const struct cluster *cluster, const char *name)
{
    struct service *old = service_find(cluster, name);
    if (!name_is_valid(name))
        refuse_invalid(
            rq, "Service name is invalid. Up to 255 letters (uppercase and lowercase), numbers, underscores, "
                "and hyphens are allowed.");
    else if (old && old->status == SERVICE_DRAINING)
        refuse_invalid(rq, "Unable to Start a service that is still Draining.");
    else if (old && old->status == SERVICE_ACTIVE)
        refuse_invalid(rq, "Creation of service was not idempotent.");
    return rq->error == NULL;
}

static long first_count(const struct request *rq, const json_t *spec)
{
    const char *strategy = in_text(spec, "schedulingStrategy");
    return strategy && strcmp(strategy, "DAEMON") == 0 ? 0 : in_int(rq->in, "desiredCount", 0);
}

static json_t *create(struct request *rq, struct cluster *cluster, const char *name)
{
    struct task_definition *definition = NULL;
    json_t *spec = service_spec_take(rq, cluster, &definition);
    json_t *tags = spec ? take_tags(rq, "tags") : NULL;
    if (!tags) {
        json_decref(spec);
        return NULL;
    }
    struct service *service = service_find(cluster, name);
    if (service) { /* INACTIVE */
        record_delete(&service->record);
        service_free(service);
    }
    service = service_new(cluster, name);
    if (!service) {
        json_decref(spec);
        json_decref(tags);
        return refuse_memory(rq);
    }
    service->spec = spec;
    service->record.tags = tags;
    service->desired = first_count(rq, spec);
    if (definition && !deployment_begin(service, definition))
        return refuse_memory(rq);
    service_wake(service);
    token_remember(rq, json_pack("[s]", service->record.arn));
    return reply_service(service);
}

static json_t *create_service(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "serviceName") : NULL;
    if (!name)
        return NULL;
    bool conflict;
    const json_t *before = token_find(rq, &conflict);
    struct service *service = service_find(cluster, name);
    if (before && !conflict && service && service->status == SERVICE_ACTIVE)
        return reply_service(service);
    return check_name(rq, cluster, name) ? create(rq, cluster, name) : NULL;
}

/* The service a request names; refuses when there is none that is ACTIVE. */
static struct service *active_service(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "service") : NULL;
    struct service *service = name ? service_find(cluster, name) : NULL;
    if (!service)
        return rq->error ? NULL : refuse(rq, "ServiceNotFoundException", "Service not found.");
    if (service->status != SERVICE_ACTIVE)
        return refuse(rq, "ServiceNotActiveException", "Service was not ACTIVE.");
    return service;
}

static void scale(struct service *service, long desired)
{
    if (desired == service->desired)
        return;
    service->desired = desired;
    service->steady = false;
    record_dirty(&service->record);
}

static json_t *update_service(struct request *rq)
{
    struct service *service = active_service(rq);
    struct task_definition *definition = NULL;
    bool deploys = false;
    json_t *spec = service ? service_spec_update(rq, service, &definition, &deploys) : NULL;
    if (!spec)
        return NULL;
    json_decref(service->spec);
    service->spec = spec;
    record_dirty(&service->record);
    if (!service_is_daemon(service))
        scale(service, in_int(rq->in, "desiredCount", service->desired));
    if (deploys && !deployment_begin(service, definition))
        return refuse_memory(rq);
    service_wake(service);
    return reply_service(service);
}

static json_t *delete_service(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const char *name = cluster ? require_text(rq, "service") : NULL;
    struct service *service = name ? service_find(cluster, name) : NULL;
    if (!service)
        return rq->error ? NULL : refuse(rq, "ServiceNotFoundException", "Service not found.");
    if (service->status == SERVICE_INACTIVE)
        return refuse(rq, "ServiceNotActiveException", "Service was not ACTIVE.");
    if (service->desired > 0 && !service_is_daemon(service) && !in_bool(rq->in, "force"))
        return refuse_invalid(rq, "The service cannot be stopped while it is scaled above 0.");
    if (service->status == SERVICE_ACTIVE)
        service_drain(service);
    return reply_service(service);
}

static json_t *describe_services(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    const json_t *names = cluster ? require_list(rq, "services", 10) : NULL;
    if (!names)
        return NULL;
    json_t *services = json_array(), *failures = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct service *service = name ? service_find(cluster, name) : NULL;
        if (service) {
            json_array_append_new(services, service_show(service, in_includes(rq->in, "TAGS")));
        } else {
            cleanup_free char *arn =
                arn_new(rq->region, "ecs", "service/%s/%s", cluster->name, last_part(name ? name : ""));
            add_failure(failures, arn, "MISSING");
        }
    }
    return json_pack("{s:o, s:o}", "services", services, "failures", failures);
}

static bool is_listed(struct request *rq, struct service *service)
{
    const char *launch = in_text(rq->in, "launchType"), *strategy = in_text(rq->in, "schedulingStrategy");
    const char *managed = in_text(rq->in, "resourceManagementType");
    return service->status == SERVICE_ACTIVE &&
           (!launch || strcmp(launch, launch_name(service_launch(service))) == 0) &&
           (!strategy || strcmp(strategy, service_is_daemon(service) ? "DAEMON" : "REPLICA") == 0) &&
           (!managed || strcmp(managed, "CUSTOMER") == 0);
}

static json_t *list_services(struct request *rq)
{
    struct cluster *cluster = cluster_of(rq, "cluster");
    struct page page;
    if (!cluster || !page_begin(rq, &page, 10, 100))
        return NULL;
    struct service *service;
    TAILQ_FOREACH(service, &cluster->services, link)
    {
        if (!is_listed(rq, service))
            continue;
        if (page_wants(&page, service->record.sequence))
            page_add(&page, service->record.sequence, json_string(service->record.arn));
        else if (page.more)
            break;
    }
    return page_reply(rq, &page, "serviceArns");
}

static bool is_in_namespace(const struct service *service, const char *namespace)
{
    const json_t *connect = json_object_get(service->spec, "serviceConnectConfiguration");
    const char *its = in_text(connect, "namespace");
    return service->status == SERVICE_ACTIVE && in_bool(connect, "enabled") && its &&
           strcmp(last_part(its), last_part(namespace)) == 0;
}

static json_t *list_services_by_namespace(struct request *rq)
{
    const char *namespace = require_text(rq, "namespace");
    struct page page;
    if (!namespace || !page_begin(rq, &page, 10, 100))
        return NULL;
    struct cluster *cluster;
    struct service *service;
    TAILQ_FOREACH(cluster, &rq->region->clusters, link)
    {
        TAILQ_FOREACH(service, &cluster->services, link)
        {
            if (is_in_namespace(service, namespace) && page_wants(&page, service->record.sequence))
                page_add(&page, service->record.sequence, json_string(service->record.arn));
        }
    }
    return page_reply(rq, &page, "serviceArns");
}

const struct operation services_operations[] = {
    {"ecs", "DescribeServices", describe_services, BUCKET_SERVICE_READ, false},
    {"ecs", "ListServices", list_services, BUCKET_SERVICE_READ, false},
    {"ecs", "CreateService", create_service, BUCKET_SERVICE_MODIFY, true},
    {"ecs", "UpdateService", update_service, BUCKET_SERVICE_MODIFY, true},
    {"ecs", "DeleteService", delete_service, BUCKET_SERVICE_MODIFY, true},
    {"ecs", "ListServicesByNamespace", list_services_by_namespace, BUCKET_SERVICE_READ, false},
    {0},
};
