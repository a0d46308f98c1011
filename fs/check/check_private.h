/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of ecsfs --check. */
#ifndef FS_CHECK_PRIVATE_H
#define FS_CHECK_PRIVATE_H

#include "check_account.h"
#include "ecsfs/mailbox.h"

enum check_verdict { CHECK_OK, CHECK_NO, CHECK_SKIPPED };

/* What the probes are about: learned from the answers to earlier ones. */
enum check_name {
    NAME_NONE,
    NAME_ABSENT,            /* a name that nothing can have */
    NAME_ABSENT_ARN,        /* of a cluster of that name; "" while the account is not known */
    NAME_ABSENT_DEPLOYMENT, /* likewise, of a service deployment */
    NAME_CLUSTER,
    NAME_CLUSTER_ARN,
    NAME_SERVICE,
    NAME_DEPLOYMENT,
    NAME_REVISION, /* of a service */
    NAME_TASK,
    NAME_INSTANCE,
    NAME_FAMILY,
    NAME_DEFINITION,
    NAME_REPOSITORY,
    NAMES
};

enum check_effect { CHECK_READS, CHECK_CHANGES, CHECK_DELETES };

struct check_probe {
    const char *service, *operation;
    const char *input; /* JSON; @CLUSTER and the like are replaced. NULL: not asked, see `why_not` */
    const char *costs; /* the part of the tree that needs it */
    enum check_effect effect;
    enum check_name needs;  /* skipped while that is not known */
    enum check_name learns; /* from the first element of this member of the reply: */
    const char *member;     /*   "clusterArns", "repositories.repositoryName" */
    const char *why_not;
};

extern const struct check_probe check_probes[]; /* ends with a row without an operation */

struct check {
    const struct fs_check_what *what;
    FILE *out;
    unsigned counts[3]; /* by verdict */
    struct ecs_mailbox *home;
    char names[NAMES][512];
    struct ecs_backend_status status; /* as of the last call */
};

void check_say(struct check *check, enum check_verdict verdict, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* check_endpoint.c: the name, and a connection. False: there is no use in calls. */
bool check_endpoint(struct check *check);

/* check_calls.c */
/* One call, waited for; learns what its probe learns. NULL, or the error (a new reference). */
struct ecs_error *check_ask(struct check *check, const struct check_probe *probe, int64_t *ret_took_ms);
/* Every probe, a line each. */
void check_permissions(struct check *check);

#endif
