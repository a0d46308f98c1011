/* SPDX-License-Identifier: Apache-2.0 */
/* .ecsfs/: the daemon itself. Nothing here asks AWS.
 *
 *     $ tail -1 /mnt/ecs/.ecsfs/errors
 *     2026-11-23T18:20:00Z /clusters/prod/services/web/task-definition UpdateService ClientException: ...
 *     $ echo clusters/prod > /mnt/ecs/.ecsfs/refresh
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "ecsfs/cleanup.h"
#include "tree/nodes.h"
#include "tree/tree_private.h"

static int show_version(struct fs_view *view, struct ecs_buf *text)
{
    return ecs_buf_adds(text, ECSFS_VERSION);
}

static int write_json(json_t *tree, struct ecs_buf *text)
{
    int r = tree != NULL ? fs_canon_text(tree, text) : -ENOMEM;
    json_decref(tree);
    return r;
}

static int show_options(struct fs_view *view, struct ecs_buf *text)
{
    const struct fs_options *options = &view->tree->options;
    return write_json(json_pack("{s:s?, s:s?, s:b, s:b, s:b, s:b, s:f, s:s?}", "source", options->source,
                                "options", options->options, "ro", options->ro, "allow_delete",
                                options->allow_delete, "dry_run", options->dry_run, "posix_errno",
                                options->posix_errno, "stale", (double)options->stale_ms / 1000.0, "journal",
                                options->journal_file),
                      text);
}

static json_t *backend_status(struct fs_tree *tree)
{
    struct ecs_backend_status status = {0};
    if (tree->backend == NULL)
        return json_null();
    tree->backend->status(tree->backend, &status);
    if (tree->backend->identify != NULL)
        tree->backend->identify(tree->backend);
    char expire[ECS_TIME_TEXT] = "";
    if (status.credentials_expire_ms != 0)
        ecs_time_format(status.credentials_expire_ms, expire);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:f}", "name",
                     tree->backend->name, "identity", status.identity, "account", status.account, "region",
                     status.region, "endpoint", status.endpoint, "credentials", status.credentials,
                     "credentialsExpireAt", expire, "reachable", status.reachable, "trouble", status.trouble,
                     "calls", (json_int_t)status.calls, "throttled", (json_int_t)status.throttled, "retries",
                     (json_int_t)status.retries, "failed", (json_int_t)status.failed, "inFlight",
                     (json_int_t)status.in_flight, "clockOffSeconds", (double)status.clock_off_ms / 1000);
}

static json_t *cache_status(struct fs_tree *tree)
{
    struct ecs_cache_status status = {0};
    if (tree->cache == NULL)
        return json_null();
    ecs_cache_status(tree->cache, &status);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "documents", (json_int_t)status.documents,
                     "lists", (json_int_t)status.lists, "bytes", (json_int_t)status.bytes, "hits",
                     (json_int_t)status.hits, "misses", (json_int_t)status.misses, "fetches",
                     (json_int_t)status.fetches, "staleServed", (json_int_t)status.stale_served);
}

static int show_status(struct fs_view *view, struct ecs_buf *text)
{
    char since[ECS_TIME_TEXT];
    json_t *backend = backend_status(view->tree), *cache = cache_status(view->tree);
    return write_json(json_pack("{s:s, s:s, s:I, s:o, s:o}", "version", ECSFS_VERSION, "mountedAt",
                                ecs_time_format(view->tree->started_ms, since), "inodes",
                                (json_int_t)view->tree->inodes.len, "backend", backend, "cache", cache),
                      text);
}

static void add_metric(struct ecs_buf *text, const char *name, const char *type, const char *help,
                       unsigned long value)
{
    ecs_buf_addf(text, "# HELP ecsfs_%s %s\n# TYPE ecsfs_%s %s\necsfs_%s %lu\n", name, help, name, type, name,
                 value);
}

static int show_metrics(struct fs_view *view, struct ecs_buf *text)
{
    struct fs_tree *tree = view->tree;
    struct ecs_cache_status status = {0};
    if (tree->cache != NULL)
        ecs_cache_status(tree->cache, &status);
    add_metric(text, "cache_hits_total", "counter", "Questions answered without a call.", status.hits);
    add_metric(text, "cache_misses_total", "counter", "Questions that needed a call.", status.misses);
    add_metric(text, "cache_fetches_total", "counter", "Describe and list calls made.", status.fetches);
    add_metric(text, "cache_stale_served_total", "counter", "Answers older than stale, for AWS was away.",
               status.stale_served);
    add_metric(text, "cache_documents", "gauge", "Documents held.", status.documents);
    add_metric(text, "cache_lists", "gauge", "Lists held.", status.lists);
    add_metric(text, "cache_bytes", "gauge", "Memory of documents and lists.", status.bytes);
    add_metric(text, "inodes", "gauge", "Inodes the kernel knows or uses.", tree->inodes.len);
    cleanup_free char *calls = NULL;
    if (tree->backend != NULL && tree->backend->metrics != NULL)
        tree->backend->metrics(tree->backend, &calls);
    return calls != NULL ? ecs_buf_adds(text, calls) : text->failed;
}

static int show_errors(struct fs_view *view, struct ecs_buf *text)
{
    view->valid_ms = 0;
    return fs_errors_show(view->tree, text);
}

static int show_journal(struct fs_view *view, struct ecs_buf *text)
{
    view->valid_ms = 0;
    return fs_journal_show(view->tree->journal, text);
}

const struct fs_node fs_daemon_nodes[] = {
    {"version", FS_FILE_R, .show = show_version},
    {"options.json", FS_FILE_R, .show = show_options, .help = "how this was mounted"},
    {"status.json", FS_FILE_R, FS_UNSIZED, .show = show_status,
     .help = "credentials, endpoint, whether AWS answers, what is cached"},
    {"metrics", FS_FILE_R, FS_UNSIZED, .show = show_metrics, .help = "for Prometheus"},
    {"errors", FS_FILE_R, .show = show_errors, .help = "the last failures, newest last, in AWS's words"},
    {"journal", FS_FILE_R, .show = show_journal,
     .help = "every change made through this mount: who, what, outcome"},
    {"rejected", FS_DIR, .children = fs_rejected_nodes, .help = "the text of every save that was refused"},
    {"refresh", FS_FILE_W, FS_LOCAL, .store = fs_store_refresh,
     .help = "a path below the mount, or \"/\": forgets what is cached of it"},
    {0},
};
