/* SPDX-License-Identifier: Apache-2.0 */
/* The node table: what a user sees. One row a file or directory; getattr, readdir, open, access and
 * README all derive from the row. A new file is a row; a new resource type is one node_*.c and one
 * line in node_root.c.
 *
 *     static const struct fs_node service_rows[] = {
 *         {"desired-count", FS_FILE_RW, .field = "desired-count", .store = store_desired_count,
 *          .help = "how many tasks should run; write a number to scale"},
 *         {"tasks", FS_DIR, .children = service_task_rows, .help = "its tasks"},
 *         {0}};
 *
 * A row finds its resource through its view: the key is that of the nearest resource at or above it. */
#ifndef FS_NODE_H
#define FS_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ecsfs/buf.h"
#include "ecsfs/cache.h"
#include "ecsfs/doc.h"
#include "ecsfs/kind.h"
#include "tree.h"

struct fs_node;

/* A row in its place, looked at for a request. Lives on the stack of one operation. */
struct fs_view {
    struct fs_tree *tree;
    struct fs_request *rq;
    const struct fs_node *node;
    struct fs_inode *inode;  /* NULL while it has none (within a lookup or a readdir) */
    struct fs_inode *parent; /* its directory; NULL for the root */
    const char *name;        /* as in the tree */
    const char *id;          /* AWS's name for it, of a row without a name; else NULL */
    bool has_key;            /* false above every resource */
    struct ecs_key key;      /* of the nearest resource, or of the row's own `of` */
    /* Gathered from what it asked for: */
    int64_t valid_ms; /* how long the answer holds; INT64_MAX: for ever */
    bool stale;       /* AWS cannot be reached; older than `stale` */
    char parent_text[520];
};

enum fs_node_flag {
    FS_UNLISTED = 1 << 0, /* lookup works, readdir does not show it (rule 9) */
    FS_UNSIZED = 1 << 1,  /* size 0, opened with direct_io, as in /proc */
    FS_RAW = 1 << 2,      /* AWS's bytes: no closing newline is added */
    FS_MAYBE = 1 << 3,    /* may be absent: its show or `present` says -ENOENT. Of a row without a name: there
                             are none where the endpoint does not know the list */
    FS_OF_DOC = 1 << 4,   /* its text depends on the document alone (not on time, lists, other documents) */
    FS_LOCAL = 1 << 5,    /* writing it changes nothing at AWS: allowed on `ro` */
    FS_BLOCKS = 1 << 6,   /* rendered anew by READ, which may park; never by open or getattr */
    FS_NESTS = 1 << 8,    /* of a row without a name, in a table that has the row itself: ids nest at their
                             slashes, each part a directory, which may be a resource or only lead to some */
    FS_SPOOLS = 1 << 9,   /* of a directory: scratch files in it may be large, and spill to disk */
    FS_WATCH_LISTS = 1 << 7, /* `watches` means the lists of those kinds only, not each document */
};

enum {
    FS_DIR = S_IFDIR | 0700,
    FS_LINK = S_IFLNK | 0777,
    FS_FILE_R = S_IFREG | 0400,
    FS_FILE_W = S_IFREG | 0200, /* reads as empty */
    FS_FILE_RW = S_IFREG | 0600,
};

/* Called for each child; `id` is AWS's name (it is encoded by the caller). 0 or -errno, to be passed on. */
typedef int fs_emit_fn(void *arg, const char *id);

/* The children of a row without a name, where they are not simply a kind's list. */
struct fs_entries {
    /* `dir` is the directory's view. 0, FS_PARKED or -errno. With peek: what is known. */
    int (*list)(struct fs_view *dir, fs_emit_fn *emit, void *arg);
    /* `child` is the view of a name that was asked for: 0, -ENOENT, FS_PARKED or -errno. */
    int (*has)(struct fs_view *child);
};

#define FS_OF(kind_id) ((unsigned)(kind_id) + 1u)              /* for fs_node.of */
#define FS_WATCH(kind_id) (UINT64_C(1) << (unsigned)(kind_id)) /* for fs_node.watches */

/* The write path's types (document.h, stream.h, change.h). */
struct fs_document; /* an editable document: how text becomes calls */
struct fs_stream;   /* a transaction file */
struct fs_file_ops; /* open files of other kinds */
struct fs_change;   /* what mkdir, rmdir, unlink, symlink mean for this row */

struct fs_node {
    const char *name; /* NULL: many children, told by `of` or `entries` */
    mode_t mode;      /* 0 ends a table */
    unsigned flags;
    const char *help; /* one line for README; NULL: not mentioned */

    /* Whose document. Of a row without a name: its children are the resources of that kind.
     * 0: the nearest resource's. Of a named row above which there is none: the one of its kind. */
    unsigned of;
    const char *field;  /* a plain scalar: this field of the document; absent when AWS did not send it.
                           With a show: that one's parameter */
    const char *suffix; /* of a row without a name: follows the id (".json") */
    const char *called; /* of a row without a name: what README calls it, if not by its kind */
    bool (*accept)(const char *id); /* could there be such an id? Asked before AWS is; NULL: any */

    /* Adds the text. -ENOENT: absent. FS_PARKED. The closing newline is added by the caller. */
    int (*show)(struct fs_view *view, struct ecs_buf *text);
    /* Is the directory (or a file too costly to render) there? With FS_MAYBE. Of a row without a name: is it
     * there by its name, though AWS has no document of it? */
    int (*present)(struct fs_view *view);
    /* Where a link points. */
    int (*target)(struct fs_view *view, struct ecs_buf *text);
    /* Makes the changing call of a written value (one line, trimmed, not empty). Judges it before any
     * network: fs_fail() tells the user. *ret_action NULL with 0: done, no call was needed. */
    int (*store)(struct fs_view *view, const char *text, struct ecs_action **ret_action);
    const struct fs_document *document;
    const struct fs_stream *stream;
    const struct fs_change *change;
    const struct fs_file_ops *ops; /* opens it, where its text is not made here (a layer) */
    int (*size)(struct fs_view *view, off_t *ret_size); /* its length, where it is not simply that of its
                                                           text. 0, FS_PARKED, -errno */

    const struct fs_node *children; /* of a directory; ends with mode 0 */
    const struct fs_entries *entries;
    uint64_t watches; /* FS_WATCH of kinds below the nearest resource whose changes change the text */
    /* Its time, Unix milliseconds; NULL: the document's. 0: unknown */
    int64_t (*time)(struct fs_view *view);
};

extern const struct fs_node fs_root_node;

/* The view of an inode, and of a child that may have no inode yet (`id` NULL for a fixed name).
 * Strings are borrowed. */
void fs_view_inode(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode);
void fs_view_child(struct fs_view *view, struct fs_tree *tree, struct fs_request *rq, struct fs_inode *parent,
                   const struct fs_node *node, const char *name, const char *id);

/* What a show or store asks. All return 0, FS_PARKED or -errno; with rq->peek they never ask AWS, and
 * FS_PARKED then means "not known". They note freshness and staleness in the view. */
int fs_view_doc(struct fs_view *view, struct ecs_doc **ret_doc); /* the row's document; borrowed */
int fs_view_doc_of(struct fs_view *view, const struct ecs_key *key, struct ecs_doc **ret_doc);
int fs_view_list(struct fs_view *view, const struct ecs_key *list_key, const struct ecs_list **ret_list);
int fs_view_all(struct fs_view *view, const struct ecs_key *list_key, const struct ecs_list **ret_list);
/* A field of the row's document: -ENOENT when absent. Borrowed. */
int fs_view_field(struct fs_view *view, const char *field, const char **ret_text);
/* Like fs_view_doc_of but only what is known now, however old; NULL. Notes freshness. */
struct ecs_doc *fs_view_known(struct fs_view *view, const struct ecs_key *key);

/* The id of the nearest resource of that kind at or above, or NULL. */
const char *fs_view_id_of(const struct fs_view *view, enum ecs_kind_id kind);
#define view_cluster(view) fs_view_id_of((view), ECS_CLUSTER)
#define view_service(view) fs_view_id_of((view), ECS_SERVICE)
#define view_task(view) fs_view_id_of((view), ECS_TASK)
#define view_family(view) fs_view_id_of((view), ECS_FAMILY)
#define view_repository(view) fs_view_repository(view)
/* The name of the repository, ECR's or ECR Public's, at or above, or NULL (repositories.c). */
const char *fs_view_repository(const struct fs_view *view);
/* The id of the nearest child of a row without a name (a container's name, ...). */
const char *fs_view_nearest_id(const struct fs_view *view);

/* Refuses in words a person can act on; kept for .ecsfs/errors and the xattr. Returns `err` (negative). */
int fs_fail(struct fs_request *rq, int err, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- inodes (inode.c) ---- */

/* What few inodes have. */
struct fs_inode_more {
    struct fs_inode *inode;
    struct ecs_key key; /* of a resource of its own, or of a row with `of`; else parent is NULL */
    bool parent_owned;  /* the key's strings are borrowed from inodes above where they can be */
    struct fs_inode_more *next_key, **prev_key;         /* in the table by key */
    struct fs_inode_more *next_watcher, **prev_watcher; /* those whose row watches kinds */
    /* What a row remembers of it (events already seen); freed with the inode. */
    void *memory;
    void (*memory_free)(void *memory);
};

/* There may be hundreds of thousands: kept small. */
struct fs_inode {
    uint64_t ino;
    const struct fs_node *node;
    struct fs_inode *parent; /* referenced; NULL for the root */
    char *name;              /* as in the tree; not to be written to */
    char *id;                /* AWS's name, NULL for a fixed name */
    uint64_t nlookup;        /* the kernel's */
    unsigned refs;           /* children, handles, drafts, ... */
    bool has_key;            /* more->key is one */
    bool stale;              /* what was last shown was older than `stale` */
    bool fresh;              /* in the tree's queue of inodes that nobody uses yet */
    bool name_owned;         /* else it is the row's */
    uint64_t shown;          /* stamp of the text that the kernel's pages hold; 0: unknown */
    uint64_t sized;          /* stamp of the text whose length is `size`; 0: none */
    int32_t size;            /* bytes */
    int32_t told_size;       /* what the kernel was last told; -1: nothing */
    int64_t changed_ms;      /* wall: the last change seen here; 0: none */
    unsigned generation;  /* grows when the directory is removed: the kernel calls dead what it kept of it */
    struct fs_text *text; /* of its open handles; NULL when closed */
    /* What is only in this mount (overlay.h): a scratch file, a draft, a staged document. */
    struct fs_local *local;
    struct fs_inode_more *more;
    struct fs_inode *next_ino;                /* in the table by number */
    struct fs_inode *children, *next, **prev; /* siblings */
};

/* The inode of a child, made when it is not there; its counts are as they were (0 for a new one: take
 * a reference or remember it before the next operation). NULL: out of memory. */
struct fs_inode *fs_inode_child(struct fs_tree *tree, struct fs_inode *parent, const struct fs_node *node,
                                const char *name, const char *id);
/* The child if it has an inode. */
struct fs_inode *fs_inode_known(struct fs_tree *tree, const struct fs_inode *parent, const char *name);
struct fs_inode *fs_inode_ref(struct fs_inode *inode);
void fs_inode_unref(struct fs_tree *tree, struct fs_inode *inode);
/* The number a child has or would have. */
uint64_t fs_inode_number_of(struct fs_tree *tree, const struct fs_inode *parent, const char *name);
/* The path below the mount, "/clusters/prod"; with a name, that child's. */
int fs_inode_path(const struct fs_inode *inode, const char *name, struct ecs_buf *path);
/* Another name or place for an inode (rename of scratch files). 0 or -ENOMEM. */
int fs_inode_move(struct fs_tree *tree, struct fs_inode *inode, struct fs_inode *parent, const char *name);
/* The inode has no name any more (an unlinked scratch file that is still open); the name may be used anew. */
void fs_inode_detach(struct fs_inode *inode);

/* The row of a name in a directory: 0 with *ret_node, and *ret_id (malloc'd) for a row without a name.
 * Asks nobody: -ENOENT when no row could have such a name. */
int fs_row_find(struct fs_tree *tree, struct fs_inode *parent, const char *name,
                const struct fs_node **ret_node, char **ret_id);
/* Is the child there? 0, -ENOENT, FS_PARKED, -errno. */
int fs_row_present(struct fs_view *view);

/* ---- open files ---- */

struct fs_file_ops {
    int (*open)(struct fs_view *view, int flags, struct fs_handle **ret_handle,
                struct fs_open_hints *ret_hints);
    int (*read)(struct fs_view *view, struct fs_handle *handle, size_t size, off_t offset,
                const char **ret_data, size_t *ret_len);
    int (*write)(struct fs_view *view, struct fs_handle *handle, const char *data, size_t len, off_t offset);
    int (*flush)(struct fs_view *view, struct fs_handle *handle);
    int (*fsync)(struct fs_view *view, struct fs_handle *handle);
    /* handle may be NULL */
    int (*truncate)(struct fs_view *view, struct fs_handle *handle, off_t size);
    /* Frees what it added and the handle itself. */
    void (*release)(struct fs_tree *tree, struct fs_handle *handle);
};

/* First member of each ops' own handle; made by open, which sets nothing of it (the caller does). */
struct fs_handle {
    const struct fs_file_ops *ops;
    struct fs_inode *inode; /* referenced */
    int flags;              /* as opened */
    pid_t pid;              /* of the opener */
};

extern const struct fs_file_ops fs_show_ops, fs_scalar_ops;                     /* show.c, scalar.c */
extern const struct fs_file_ops fs_document_ops, fs_stream_ops, fs_scratch_ops; /* the write path's */

/* The largest text shown: an overview of tens of thousands of services, a describe output. */
enum { FS_TEXT_MAX = 32 << 20 };

/* The text of a row as READ gives it, closing newline included. 0, FS_PARKED, -errno (-ENOENT: absent). */
int fs_render(struct fs_view *view, struct ecs_buf *text);

/* ---- changing things at AWS (act.c) ---- */

/* What a changing operation remembers between its runs. */
struct fs_progress {
    struct ecs_action *action; /* the last one; held; readable until the next fs_act */
    bool acting;               /* it is under way: only fs_act_wait goes on */
    char *line;                /* owned: a scalar's value while its store asks the cache */
    bool taken;                /* what the request brought is kept elsewhere: not again */
    int step;                  /* for operations of several calls; the operation's own */
    bool succeeded;          /* a write took effect, with or without a call: the path's error is forgotten */
    struct ecs_error *error; /* owned: set by fs_fail, or the action's */
    char *name;              /* malloc'd: the error is about this child of the inode, or NULL */
    void *memory;            /* the operation's own; freed with the progress */
    void (*memory_free)(void *memory);
};

/* The request's progress, made when there is none. NULL: out of memory. */
struct fs_progress *fs_progress(struct fs_request *rq);

/* Is a call of this request under way? Then run fs_act_wait only. */
static inline bool fs_acting(const struct fs_request *rq)
{
    return rq->progress != NULL && rq->progress->acting;
}
/* May this request change things at AWS? -EROFS on `ro`. Ask before parsing. */
int fs_may_change(struct fs_view *view);
/* Starts the call (takes the action over, also on failure) and journals its outcome, whoever still waits
 * then. `action` NULL is -ENOMEM. On `dry_run`: journaled, 0, no call. Else as fs_act_wait. The action's
 * `finished` and `arg` keep working; of an unmount before the outcome is known it hears by an error, and of
 * the action then only `arg` is there. */
int fs_act(struct fs_view *view, struct ecs_action *action);
/* FS_PARKED until the outcome is known, then 0 or -errno (fs_acting is false from then on); the action
 * stays readable in progress->action until the next fs_act. */
int fs_act_wait(struct fs_view *view);

/* ---- telling the kernel (changed.c) ---- */

/* This inode's text changed (or only attributes). */
void fs_tell_changed(struct fs_tree *tree, struct fs_inode *inode);
/* What the kernel holds of the file may be wrong, but what it says is as before, and so is its time: after a
 * save that was refused or changed nothing, an editor must not find the file changed by somebody else. */
void fs_tell_pages(struct fs_tree *tree, struct fs_inode *inode);
/* A name appeared or went away in a directory. */
void fs_tell_entry(struct fs_tree *tree, struct fs_inode *parent, const char *name);

/* ---- waiting for time (sleep.c) ---- */

/* Parks the request until then (monotonic); it is woken by fs_tree_tick and starts anew: what was
 * fetched before does not answer it. Returns FS_PARKED or -ENOMEM. */
int fs_sleep_until(struct fs_tree *tree, struct fs_request *rq, int64_t at_ms);
/* What it waited for has come: if it sleeps, it is woken at the next tick. */
void fs_sleep_hurry(struct fs_tree *tree, const struct fs_request *rq);

#endif
