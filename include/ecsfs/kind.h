/* SPDX-License-Identifier: Apache-2.0 */
/* The resource kinds: how AWS is asked for each kind of resource. One row a kind, in
 * cache/kinds_*.c; the cache's engine reads the rows and knows no kind by name. */
#ifndef ECSFS_KIND_H
#define ECSFS_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum ecs_kind_id {
    ECS_CLUSTER,            /* parent: ""           id: cluster name */
    ECS_SERVICE,            /* parent: cluster      id: service name */
    ECS_TASK,               /* parent: cluster      id: task id (the last part of its ARN) */
    ECS_CONTAINER_INSTANCE, /* parent: cluster      id: the last part of its ARN */
    ECS_FAMILY,            /* parent: ""           id: family; its document is the newest ACTIVE revision's */
    ECS_REVISION,          /* parent: family       id: revision number */
    ECS_INACTIVE_REVISION, /* parent: family       id: revision number; the list of INACTIVE ones */
    ECS_SERVICE_DEPLOYMENT,  /* parent: cluster/service  id: the last part of its ARN */
    ECS_SERVICE_REVISION,    /* parent: cluster/service  id: the last part of its ARN; no list */
    ECS_TASK_SET,            /* parent: cluster/service  id: the last part of its ARN */
    ECS_CAPACITY_PROVIDER,   /* parent: ""           id: its name */
    ECS_ACCOUNT_SETTING,     /* parent: ""           id: its name */
    ECS_TASK_PROTECTION,     /* parent: cluster      id: task id; no list */
    ECS_IDENTITY,            /* parent: ""           id: "caller"; sts GetCallerIdentity */
    ECS_REPOSITORY,          /* parent: ""           id: repository name, with its slashes */
    ECS_REPOSITORY_POLICY,   /* parent: ""           id: repository name; no list */
    ECS_LIFECYCLE_POLICY,    /* parent: ""           id: repository name; no list */
    ECS_REPOSITORY_TAGS,     /* parent: ""           id: repository name; no list */
    ECS_IMAGE,               /* parent: repository   id: digest */
    ECS_MANIFEST,            /* parent: repository   id: digest; no list */
    ECS_LAYER,               /* parent: repository   id: digest; no list */
    ECS_SCAN_FINDINGS,       /* parent: repository   id: digest; no list */
    ECS_REGISTRY,            /* parent: ""           id: any; there is one */
    ECS_REGISTRY_POLICY,     /* parent: ""           id: any; there is one */
    ECS_REGISTRY_SCANNING,   /* parent: ""           id: any; there is one */
    ECS_PULL_THROUGH_RULE,   /* parent: "registry"   id: repository prefix */
    ECS_CREATION_TEMPLATE,   /* parent: "registry"   id: repository prefix */
    ECS_REPOSITORY_SCANNING, /* parent: ""          id: repository name; no list */
    ECS_IMAGE_REPLICATION,   /* parent: repository   id: digest; no list */
    ECS_IMAGE_SIGNING,       /* parent: repository   id: digest; no list */
    ECS_REGISTRY_SIGNING,    /* parent: ""           id: any; there is one */
    ECS_REGISTRY_SETTING,    /* parent: ""           id: its name; no list */
    ECS_PULL_TIME_EXCLUSION, /* parent: "registry"  id: the ARN of a principal; no documents */
    /* ECR Public: */
    ECS_PUBLIC_REPOSITORY,       /* parent: ""          id: repository name */
    ECS_PUBLIC_CATALOG,          /* parent: ""          id: repository name; no list */
    ECS_PUBLIC_POLICY,           /* parent: ""          id: repository name; no list */
    ECS_PUBLIC_TAGS,             /* parent: ""          id: repository name; no list */
    ECS_PUBLIC_IMAGE,            /* parent: repository  id: digest */
    ECS_PUBLIC_LAYER,            /* parent: repository  id: digest; no list */
    ECS_PUBLIC_REGISTRY,         /* parent: ""          id: any; there is one */
    ECS_PUBLIC_REGISTRY_CATALOG, /* parent: ""          id: any; there is one */
    ECS_KINDS
};

/* Names one resource. Strings are borrowed. Parent parts are joined by '/', which no ECS name
 * holds (a repository's name does; it is the only part then); "" where there is no parent. As the key of a
 * list, id is "". */
struct ecs_key {
    enum ecs_kind_id kind;
    const char *parent;
    const char *id;
};

enum ecs_id_form {
    ECS_ID_PLAIN,    /* the item is the id */
    ECS_ID_NAME,     /* after the last '/': ARNs old and new */
    ECS_ID_REVISION, /* after the last ':': arn:...:task-definition/web:12 */
};

enum ecs_lifetime {
    ECS_LIVE,   /* at most `stale` seconds old */
    ECS_FOREVER /* cannot change: asked for once, kept across remounts */
};

/* A member of the document that nodes show without opening its text. Path grammar:
 * name, name.name, name[0], name[key=value]; combined at will, as in
 * "deployments[status=PRIMARY].rolloutState". Scalars only; numbers and booleans as text. */
struct ecs_field {
    const char *name; /* what nodes call it; unique in the row */
    const char *path;
    bool written; /* a change of ours sets it: an older answer that contradicts it is stale */
};

struct ecs_kind {
    const char *name;    /* "service" */
    const char *service; /* "ecs" */

    struct {
        const char *operation;     /* NULL: cannot be listed */
        const char *member;        /* of the reply: "serviceArns" */
        const char *item;          /* the items are objects: their member that names them; else NULL */
        const char *parents[2];    /* input members that carry the parent's parts */
        const char *const *inputs; /* NULL-terminated JSON objects: one listing each, joined
                                      (RUNNING and STOPPED tasks); NULL: one plain listing */
        int page;                  /* maxResults to ask for */
        enum ecs_id_form ids;
        bool confirm;      /* lists name what is gone too: a listing waits for the describes and
                              leaves out what they do not find (clusters that are INACTIVE) */
        bool describes;    /* the items are whole documents: no describe call exists or is needed; what is to
                              be asked for anew is the list */
        bool exact_parent; /* keep only items whose family is the parent itself (ListTaskDefinitions) */
    } list;

    struct {
        const char *operation; /* NULL: documents come with the list, or there are none but the names */
        const char *ids;       /* input member: "services" */
        int batch;             /* ids in one call */
        bool single;           /* no batch exists: `ids` is one string, `member` one object */
        const char *format;    /* what AWS is given for an id, made of parent (%1$s), id (%2$s) and the
                                  root of ARNs (%3$s, "arn:aws:ecs:eu-west-1:123456789012", for
                                  operations that take ARNs only); NULL: the id itself */
        /* Whose document tells that root: the kind whose parent and id are the two parts of our
         * parent ("cluster/service"), and its field that holds an ARN. NULL: no %3$s in `format`. */
        enum ecs_kind_id owner;
        const char *owner_arn;
        bool owner_same;           /* the owner bears the same parent and id instead */
        const char *object;        /* an id is an object with this member: {"imageDigest": id} */
        bool has_siblings;         /* no list of its own: a call is filled up from this kind's, */
        enum ecs_kind_id siblings; /* of the same parent */
        const char *parents[2];
        const char *input;  /* JSON object with the fixed members: {"include":["TAGS"]} */
        const char *member; /* of the reply: "services"; NULL: the reply itself */
        const char *beside; /* a further member of the reply put into the document ("tags") */
        const char *id;     /* member of the document that names it (a path): "serviceName", "taskArn" */
        enum ecs_id_form id_form;
    } describe;

    enum ecs_lifetime lifetime;
    const char *gone;               /* each `status` that means "not there", space-separated, or NULL */
    const char *time;               /* member that is the resource's own time ("createdAt"), or NULL */
    const struct ecs_field *fields; /* ends with a NULL name */
    /* When AWS has forgotten a resource whose field of this name had this value, its last document stays
     * known and listed as long as the cache lives (stopped tasks); of these, the newest 1000. NULL: none do.
     */
    const char *kept_field, *kept_value;
    /* The document is that of another kind's resource too (the newest revision of a family). */
    bool is_alias;
    enum ecs_kind_id alias_kind;
    const char *alias_parent, *alias_id; /* members: "family", "revision" */
    /* What leaves this kind may join that one, under the same parent and id (a deregistered
     * revision becomes an inactive one): its list is then forgotten. */
    bool has_next;
    enum ecs_kind_id next_kind;
    /* A write to one may begin one of that kind, whose parent is made of this one's parent and id (a
     * service's deployments): that list is then forgotten, and what AWS says of it held for a second at most
     * until the write has settled. */
    bool begins;
    enum ecs_kind_id begun_kind;
};

extern const struct ecs_kind *const ecs_kinds[ECS_KINDS];

#endif
