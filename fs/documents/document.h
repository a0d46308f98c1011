/* SPDX-License-Identifier: Apache-2.0 */
/* Editable documents: what a person reads, what they may save, and the calls that make it so.
 *
 * A row (struct fs_document) knows one kind of document; everything else is generic:
 *
 *     text --fs_document_read--> wanted --+
 *                                         +--plan--> calls (none when equal in meaning)
 *     describe of AWS (made anew) --now---+
 *
 * All of this file but the last part is pure: JSON in, JSON out. */
#ifndef FS_DOCUMENT_H
#define FS_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "ecsfs/api.h"
#include "ecsfs/buf.h"
#include "ecsfs/cache.h"
#include "ecsfs/error.h"

struct json_t;
struct fs_view;

/* ---- one form for equal meaning (document_canon.c) ---- */

enum fs_canon {
    FS_CANON_SHOW,    /* for people: known members only, sets sorted, what is empty left out */
    FS_CANON_COMPARE, /* and everything left out that AWS would fill in by itself */
};
/* A copy of `value` in that form; new reference; NULL: out of memory. `value` NULL gives NULL. */
struct json_t *fs_canon(const struct ecs_shape *shape, const struct json_t *value, enum fs_canon how);
/* Would AWS hold the same after either? Absent and default are equal. */
bool fs_canon_equal(const struct ecs_shape *shape, const struct json_t *a, const struct json_t *b);
/* The same for one member of a structure; either value may be NULL: absent. */
bool fs_canon_member_equal(const struct ecs_shape *shape, const char *member, const struct json_t *a,
                           const struct json_t *b);
/* What AWS fills in where the member is left out, as JSON; NULL: nothing, or not known. */
const char *fs_canon_default(const struct ecs_shape *shape, const char *member);
/* Two-space indent, sorted keys; without closing newline. 0, -ENOMEM, -EFBIG. */
int fs_canon_text(const struct json_t *value, struct ecs_buf *text);

/* ---- what a save becomes ---- */

struct fs_plan_call {
    const char *operation;
    struct json_t *input; /* owned */
    enum ecs_effect effect;
    struct ecs_key key; /* strings borrowed from the save's key, which are the inode's */
    const char *member, *beside;
    bool id_from_reply;
    bool (*happened)(const struct ecs_action *action, const struct ecs_doc *now);
};

enum { FS_PLAN_CALLS = 3 };

/* In their order; the first failure stops. */
struct fs_plan {
    struct fs_plan_call calls[FS_PLAN_CALLS];
    size_t len;
};
void fs_plan_free(struct fs_plan *plan);
/* What became of each call when the one at `next` is the last that was tried: "UpdateService was done,
 * TagResource failed, UntagResource was not sent", with `became` for "failed". */
void fs_plan_describe(const struct fs_plan *plan, size_t next, const char *became, struct ecs_buf *text);
#define cleanup_plan __attribute__((cleanup(fs_plan_free)))

struct fs_save {
    struct ecs_key key;          /* of the resource; its path gives the names */
    const struct json_t *wanted; /* as fs_document_read made it */
    const struct json_t *now;    /* what AWS says of it; NULL: it is not there */
    const char *client_token;    /* the same for every try of one save */
    int desired_count;           /* kept with a draft; -1: none */
};

/* ---- the rows ---- */

/* What means "none" to the operation that updates a member. */
struct fs_unset {
    const char *member, *value; /* as JSON */
    bool sent; /* for a member that a save leaves out; otherwise people must write it themselves */
};

struct fs_document {
    const char *what;         /* "task definition": for messages */
    const char *service;      /* of its operations; NULL: "ecs" */
    enum ecs_kind_id kind;    /* whose describe it is compared with */
    const char *input, *more; /* operations whose input's members the document may have; more: or NULL */
    const char *within;       /* its members are those of this member of the input; NULL: the input's own */
    const char *output, *described; /* operation and member of its reply that describe it: its other
                                       members are dropped from a save */
    const char *const *wrappers; /* members that hold the whole: {"taskDefinition": {...}}; NULL-terminated */
    const char *name;            /* input member that the path decides: "family"; NULL: none */
    const char *const *hidden;   /* input members that are not the document's: "cluster", "clientToken" */
    const struct fs_unset *unset; /* members that can be unset; ends with a NULL member; or NULL */
    const char *text; /* the document is any JSON object: AWS holds it as text in this member ("": in none).
                         Then no input, output, wrappers, name or hidden */
    bool creates;     /* a save may be the first: without it, what AWS does not have cannot be saved */
    /* Of a describe output: sets the members that it tells elsewhere, in place. NULL: there are none. */
    void (*complete)(struct json_t *described);
    /* The document of what AWS says, in FS_CANON_SHOW. New reference; NULL: out of memory. */
    struct json_t *(*render)(const struct json_t *described);
    /* Instead of a plan, for saves whose calls are not known beforehand: makes them, in as many runs as it
     * takes, and tells the user what fails. *step is 0 at first, and its own. 0, FS_PARKED, -errno. */
    int (*commit)(struct fs_view *view, const struct json_t *wanted, int *step);
    /* The calls. 0, or -errno with *ret_error: refused before any call. */
    int (*plan)(const struct fs_save *save, struct fs_plan *ret_plan, struct ecs_error **ret_error);
};

extern const struct fs_document fs_task_definition_document, fs_service_document, fs_cluster_document,
    fs_capacity_providers_document, fs_repository_document, fs_repository_policy_document,
    fs_lifecycle_policy_document, fs_registry_policy_document, fs_replication_document, fs_scanning_document,
    fs_oci_index_document, fs_oci_layout_document, fs_pull_through_document, fs_creation_template_document,
    fs_public_policy_document, fs_public_catalog_document, fs_public_registry_catalog_document,
    fs_signing_document, fs_capacity_provider_document;

/* For ecs_action.happened of an UpdateService: does nothing of what was sent differ from what is there? */
bool fs_service_updated(const struct ecs_action *action, const struct ecs_doc *now);

static inline const char *fs_document_service(const struct fs_document *document)
{
    return document->service ? document->service : "ecs";
}

/* The input shape's member of that name, be it of `input` or of `more`; NULL. */
const struct ecs_member *fs_document_member(const struct fs_document *document, const char *name);

/* A save's text, read as the row wants it: unwrapped, "$schema" and read-only members dropped, nulls
 * taken for absent, the name from the path (`name` NULL: none). 0 with a new reference; -EINVAL (no JSON,
 * unknown or ill-typed members: each named with its place) or -ENOMEM with *ret_error. */
int fs_document_read(const struct fs_document *document, const char *name, const char *text, size_t len,
                     struct json_t **ret_wanted, struct ecs_error **ret_error);

/* Adds a call to a plan; the input is taken over (also on failure). 0 or -ENOMEM. The rest of the call
 * is the caller's to fill through *ret_call. */
int fs_plan_add(struct fs_plan *plan, const char *operation, struct json_t *input,
                struct fs_plan_call **ret_call);

/* Members of `wanted` (the row's, without the hidden and the name) whose meaning differs from those of
 * `now`; borrowed values; new reference; NULL: out of memory. Of what `wanted` leaves out it says nothing. */
struct json_t *fs_document_differences(const struct fs_document *document, const struct json_t *wanted,
                                       const struct json_t *now);
/* A person who takes a member out of what is `shown` means something by it. Adds to `differences` what unsets
 * it; -EINVAL with *ret_error where nothing does that, by name; -ENOMEM. What AWS fills in anyway is no
 * difference. */
int fs_document_left_out(const struct fs_document *document, const struct json_t *wanted,
                         const struct json_t *shown, struct json_t *differences,
                         struct ecs_error **ret_error);

/* "web:12" of an ARN or of itself. Points into `text`. */
const char *fs_task_definition_short(const char *text);

/* ---- in the tree ---- */

/* A fs_node.show for every row with a document: the document of the view's resource. */
int fs_document_show(struct fs_view *view, struct ecs_buf *text);
/* The document of a describe as text, with closing newline: for <revision>.json. 0, -ENOMEM. */
int fs_document_text(const struct fs_document *document, const struct ecs_doc *doc, struct ecs_buf *text);

#endif
