/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way through its operation: a handler reads rq->in, and returns its reply (a new
 * reference) or refuses. A handler refuses before it changes anything. */
#ifndef LOCAL_REQUEST_H
#define LOCAL_REQUEST_H

#include "ecsfs/error.h"
#include "state.h"
#include "throttle.h"

struct operation;

struct request {
    struct world *world;
    struct region *region;
    const struct operation *operation;
    const json_t *in;
    struct ecs_error *error;
    bool unknown; /* `in` has members that the API's model has not */
    char id[ID_MAX];
};

struct operation {
    const char *service, *name; /* as in the AWS CLI; the API's name of the action */
    json_t *(*handler)(struct request *rq);
    enum bucket bucket;
    bool writes;
};

/* One table a resource type; each ends with a row without a name. */
extern const struct operation account_settings_operations[], attributes_operations[],
    capacity_providers_operations[], clusters_operations[], container_instances_operations[],
    ecr_images_operations[], ecr_policies_operations[], ecr_public_operations[], ecr_registry_operations[],
    ecr_rules_operations[], repositories_operations[], logs_operations[], service_deployments_operations[],
    services_operations[], sts_operations[], tags_operations[], task_definitions_operations[],
    task_protection_operations[], task_sets_operations[], tasks_operations[];

/* Whether "service.Operation" of one that the emulator has matches the pattern (fnmatch). */
bool operation_matches(const char *pattern);
/* NULL when AWS has no such operation, or we do not. */
const struct operation *operation_find(const char *service, const char *name);

/* Sets rq->error; returns NULL, for a handler to return. Status 400, or 500 for ServerException. */
void *refuse(struct request *rq, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void *refuse_invalid(struct request *rq, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* InvalidParameterException */
void *refuse_client(struct request *rq, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* ClientException */
void *refuse_memory(struct request *rq);

/* The text, or NULL when absent, null, empty or no text. */
const char *in_text(const json_t *in, const char *name);
/* `fallback` when absent. */
long in_int(const json_t *in, const char *name, long fallback);
bool in_bool(const json_t *in, const char *name);
/* include[] names it. */
bool in_includes(const json_t *in, const char *what);
/* The array, or NULL when it is absent or empty. */
const json_t *in_list(const json_t *in, const char *name);
bool list_has(const json_t *list, const char *text);

/* An array of 1..most names: refuses with AWS's "tasks can have at most 100 items." otherwise. */
const json_t *require_list(struct request *rq, const char *name, size_t most);
/* A required text: refuses with AWS's "... can not be blank." */
const char *require_text(struct request *rq, const char *name);

/* {"arn": arn, "reason": reason} into failures[]. */
void add_failure(json_t *failures, const char *arn, const char *reason);

/* Copies the named members that `from` has (and are not null); deep, so nothing of a request is kept. */
void copy_members(json_t *to, const json_t *from, const char *const names[], size_t count);

/* Tags as a request gives them, checked: a new array, or NULL with the request refused. */
json_t *take_tags(struct request *rq, const char *name);

/* After the last "/" of an ARN; the whole when there is none. */
const char *last_part(const char *arn);

#endif
