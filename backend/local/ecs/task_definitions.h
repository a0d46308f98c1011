/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_TASK_DEFINITIONS_H
#define LOCAL_TASK_DEFINITIONS_H

#include "request.h"

/* The family outlives its revisions: their numbers are never used again. */
struct family {
    struct record record; /* first */
    TAILQ_ENTRY(family) link;
    char *name;
    long last_revision;                                          /* ever given out */
    TAILQ_HEAD(task_definition_list, task_definition) revisions; /* rising */
    long active;                                                 /* how many of them */
};

enum task_definition_status { DEFINITION_ACTIVE, DEFINITION_INACTIVE, DEFINITION_DELETE_IN_PROGRESS };

struct task_definition {
    struct record record; /* first */
    TAILQ_ENTRY(task_definition) link;
    struct family *family;
    long revision;
    enum task_definition_status status;
    int64_t registered_at, deregistered_at, delete_requested_at;
    char *text;          /* the document with AWS's defaults filled in; a tree of it is made when wanted */
    json_t *doc;         /* that tree, or NULL */
    struct timer forget; /* of the tree, or of the revision when it is being deleted */
    long users;          /* tasks and deployments: it cannot go before they do */
};

/* The document. Borrowed: lives as long as this request or tick; NULL when out of memory. */
const json_t *task_definition_doc(struct task_definition *definition);
/* "family", "family:revision" or an ARN; a bare family is its latest ACTIVE. NULL: none. */
struct task_definition *task_definition_find(const struct region *region, const char *name);
/* For CreateService and RunTask: refuses what is absent or not ACTIVE. */
struct task_definition *task_definition_of(struct request *rq, const char *name);
/* As the API shows it. */
json_t *task_definition_show(struct task_definition *definition);
bool task_definition_is_compatible(struct task_definition *definition, const char *with);
bool task_definition_is_awsvpc(struct task_definition *definition);
/* A document from RegisterTaskDefinition's input: checked, with AWS's defaults. NULL: refused. */
json_t *task_definition_take(struct request *rq);
/* requiresAttributes and compatibilities, derived from a document. */
json_t *task_definition_attributes(const json_t *doc);
json_t *task_definition_compatibilities(const json_t *doc);
void task_definitions_free_all(struct region *region);

#endif
