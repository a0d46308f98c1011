/* SPDX-License-Identifier: Apache-2.0 */
/* The tables for people.
 *
 *     $ cat clusters/prod/overview
 *     SERVICE  DESIRED  RUNNING  PENDING  REVISION  ROLLOUT      LAST EVENT
 *     api            5        3        2  api:41    IN_PROGRESS  12s ago: has started 2 tasks: ...
 *     web            3        3        0  web:12    COMPLETED    3h ago: has reached a steady state.
 */
#include <errno.h>
#include <string.h>

#include "tree/nodes.h"
#include "tree/show.h"
#include "tree/tree_private.h"

static void destroy_table(struct fs_table **table)
{
    fs_table_free(*table);
}
#define cleanup_table __attribute__((cleanup(destroy_table)))

static void short_cell(struct fs_table *table, const char *arn)
{
    const char *slash = arn != NULL ? strrchr(arn, '/') : NULL;
    fs_table_cell(table, slash != NULL ? slash + 1 : arn);
}

/* ECS begins every message with "(service web) ", which the first column says already. */
static const char *without_subject(const char *message)
{
    const char *end = strncmp(message, "(service ", 9) == 0 ? strstr(message, ") ") : NULL;
    return end != NULL ? end + 2 : message;
}

static void event_cell(struct fs_table *table, struct fs_view *view, const struct ecs_doc *doc)
{
    cleanup_buf struct ecs_buf cell = ECS_BUF(200);
    const char *message = ecs_doc_field(doc, "lastEvent");
    if (message == NULL) {
        fs_table_cell(table, NULL);
        return;
    }
    fs_add_age(&cell, view, ecs_doc_field(doc, "lastEventAt"));
    ecs_buf_adds(&cell, " ago: ");
    message = without_subject(message);
    size_t len = strlen(message), room = 96;
    ecs_buf_addf(&cell, "%.*s%s", (int)(len > room ? room : len), message, len > room ? "..." : "");
    fs_table_cell(table, cell.data);
}

static void service_row(struct fs_table *table, struct fs_view *view, const char *name,
                        const struct ecs_doc *doc)
{
    fs_table_cell(table, name);
    fs_table_cell(table, doc != NULL ? ecs_doc_field(doc, "desiredCount") : NULL);
    fs_table_cell(table, doc != NULL ? ecs_doc_field(doc, "runningCount") : NULL);
    fs_table_cell(table, doc != NULL ? ecs_doc_field(doc, "pendingCount") : NULL);
    short_cell(table, doc != NULL ? ecs_doc_field(doc, "taskDefinition") : NULL);
    fs_table_cell(table, doc != NULL ? ecs_doc_field(doc, "rolloutState") : NULL);
    if (doc != NULL)
        event_cell(table, view, doc);
    else
        fs_table_cell(table, NULL);
}

int fs_show_cluster_overview(struct fs_view *view, struct ecs_buf *text)
{
    static const char *const columns[] = {"SERVICE",  ">DESIRED", ">RUNNING",   ">PENDING",
                                          "REVISION", "ROLLOUT",  "LAST EVENT", NULL};
    struct ecs_key key = {ECS_SERVICE, view_cluster(view), ""};
    const struct ecs_list *list;
    int r = fs_view_all(view, &key, &list);
    if (r != 0)
        return r;
    cleanup_table struct fs_table *table = fs_table_new(columns);
    if (table == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ecs_list_len(list); i++) {
        struct ecs_key service = {ECS_SERVICE, key.parent, ecs_list_at(list, i)};
        if (!ecs_cache_known_absent(view->tree->cache, &service, NULL))
            service_row(table, view, service.id, fs_view_known(view, &service));
    }
    return fs_table_write(table, text);
}

static const char *const cluster_fields[] = {"status", "activeServicesCount", "runningTasksCount",
                                             "pendingTasksCount", "registeredContainerInstancesCount"};

int fs_show_account_overview(struct fs_view *view, struct ecs_buf *text)
{
    static const char *const columns[] = {"CLUSTER",  "STATUS",     ">SERVICES", ">RUNNING",
                                          ">PENDING", ">INSTANCES", NULL};
    struct ecs_key key = {ECS_CLUSTER, "", ""};
    const struct ecs_list *list;
    int r = fs_view_all(view, &key, &list);
    if (r != 0)
        return r;
    cleanup_table struct fs_table *table = fs_table_new(columns);
    if (table == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ecs_list_len(list); i++) {
        struct ecs_key cluster = {ECS_CLUSTER, "", ecs_list_at(list, i)};
        const struct ecs_doc *doc = fs_view_known(view, &cluster);
        fs_table_cell(table, cluster.id);
        for (size_t j = 0; j < sizeof(cluster_fields) / sizeof(*cluster_fields); j++)
            fs_table_cell(table, doc != NULL ? ecs_doc_field(doc, cluster_fields[j]) : NULL);
    }
    return fs_table_write(table, text);
}
