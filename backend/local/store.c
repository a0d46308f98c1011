/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/error.h"

enum {
    APPLICATION_ID = 0x65637366 /* "ecsf" */,
    SCHEMA_VERSION = 1,
    HANDOVER_MS = 2000, /* unmounted a moment ago: the process that had the file may not be quite gone */
};

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    PUT,
    DELETE,
    EACH,
    BLOB_APPEND,
    BLOB_SIZE,
    BLOB_READ,
    BLOB_RENAME,
    BLOB_DELETE,
    BLOB_DELETE_ALL,
    STATEMENTS,
};

static const char *const statements[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT] = "INSERT INTO record(region, kind, key, body) VALUES(?1, ?2, ?3, ?4) "
            "ON CONFLICT(region, kind, key) DO UPDATE SET body = excluded.body",
    [DELETE] = "DELETE FROM record WHERE region = ?1 AND kind = ?2 AND key = ?3",
    [EACH] = "SELECT region, key, body FROM record WHERE kind = ?1 ORDER BY id",
    [BLOB_APPEND] = "INSERT INTO blob(name, offset, data) "
                    "SELECT ?1, coalesce(max(offset + length(data)), 0), ?2 FROM blob WHERE name = ?1",
    [BLOB_SIZE] = "SELECT max(offset + length(data)) FROM blob WHERE name = ?1",
    [BLOB_READ] = "SELECT substr(data, ?2 - offset + 1, ?3) FROM blob "
                  "WHERE name = ?1 AND offset <= ?2 AND offset + length(data) > ?2",
    [BLOB_RENAME] = "UPDATE blob SET name = ?2 WHERE name = ?1",
    [BLOB_DELETE] = "DELETE FROM blob WHERE name = ?1",
    [BLOB_DELETE_ALL] = "DELETE FROM blob WHERE name >= ?1 AND name < ?1 || char(0x10ffff)",
};

static const char schema[] = "CREATE TABLE IF NOT EXISTS record("
                             "id INTEGER PRIMARY KEY, region TEXT NOT NULL, kind TEXT NOT NULL, "
                             "key TEXT NOT NULL, body TEXT NOT NULL, UNIQUE(region, kind, key));"
                             "CREATE TABLE IF NOT EXISTS blob("
                             "name TEXT NOT NULL, offset INTEGER NOT NULL, data BLOB NOT NULL, "
                             "PRIMARY KEY(name, offset));";

struct store {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENTS];
    bool keeps;
};

static int errno_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_TOOBIG:
        return -EFBIG;
    default:
        return -EIO;
    }
}

/* Runs to the end a statement that returns no rows, and makes it ready for its next use. */
static int run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : errno_of(code);
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static int64_t pragma(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement); /* its error stays the database's */
    return value;
}

/* A database of somebody else must not become ours. */
static int set_up(sqlite3 *db, bool keeps)
{
    if (keeps) {
        int64_t id = pragma(db, "PRAGMA application_id");
        int64_t tables = pragma(db, "SELECT count(*) FROM sqlite_master");
        int code = sqlite3_errcode(db) & 0xff;
        if (tables < 0 && (code == SQLITE_BUSY || code == SQLITE_CORRUPT))
            return code == SQLITE_BUSY ? -EBUSY : -EBADMSG;
        if (tables < 0 || (id != APPLICATION_ID && tables > 0))
            return -EINVAL;
        if (tables > 0 && pragma(db, "PRAGMA user_version") > SCHEMA_VERSION)
            return -EPROTO;
        sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        /* WAL with NORMAL: a killed process loses nothing, a power cut at most the last commits. */
        sqlite3_exec(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    }
    char text[128];
    snprintf(text, sizeof(text), "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID,
             SCHEMA_VERSION);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return -EBUSY;
    if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return -EIO;
    return 0;
}

static struct ecs_error *refuse_file(const char *file, int r, const char *text)
{
    static const struct {
        int err;
        const char *why;
    } table[] = {
        {-EINVAL, "is not a state file of ecsfs"},
        {-EBADMSG, "is damaged"},
        {-EPROTO, "was written by a newer ecsfs"},
        {-EBUSY, "is in use by another process"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].err == r)
            return ecs_error_new(r, "StateFile", "%s %s", file, table[i].why);
    return ecs_error_new(r, "StateFile", "cannot open %s: %s", file, text);
}

/* SQLite would make the file with the umask's mode; what is in it is the owner's alone. */
static int make_private(const char *file)
{
    cleanup_close int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : 0;
}

static int prepare_all(struct store *store)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &store->prepared[i],
                               NULL) != SQLITE_OK)
            return -EIO;
    return 0;
}

static int open_db(struct store *store, const char *file)
{
    if (file) {
        int r = make_private(file);
        if (r < 0)
            return r;
    }
    if (sqlite3_open_v2(file ? file : ":memory:", &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return -EIO;
    if (file) { /* one process at a time: the working set is in memory */
        sqlite3_exec(store->db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
        sqlite3_busy_timeout(store->db, HANDOVER_MS);
    }
    int r = set_up(store->db, file != NULL);
    if (r == 0)
        r = prepare_all(store);
    return r < 0 ? r : store_blob_delete_all(store, "upload/");
}

struct store *store_open(const char *file, struct ecs_error **ret_error)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store) {
        *ret_error = ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
        return NULL;
    }
    store->keeps = file != NULL;
    int r = open_db(store, file);
    if (r < 0) {
        *ret_error =
            refuse_file(file ? file : "the state", r, store->db ? sqlite3_errmsg(store->db) : strerror(-r));
        return store_close(store);
    }
    return store;
}

struct store *store_close(struct store *store)
{
    if (store) {
        for (size_t i = 0; i < STATEMENTS; i++)
            sqlite3_finalize(store->prepared[i]);
        sqlite3_close(store->db);
        free(store);
    }
    return NULL;
}

bool store_keeps(const struct store *store)
{
    return store->keeps;
}

int store_begin(struct store *store)
{
    return run(store->prepared[BEGIN]);
}

int store_commit(struct store *store)
{
    return run(store->prepared[COMMIT]);
}

void store_rollback(struct store *store)
{
    run(store->prepared[ROLLBACK]);
}

int store_put(struct store *store, const char *region, const char *kind, const char *key, const char *body,
              size_t len)
{
    sqlite3_stmt *statement = store->prepared[PUT];
    bind_text(statement, 1, region);
    bind_text(statement, 2, kind);
    bind_text(statement, 3, key);
    sqlite3_bind_text(statement, 4, body, (int)len, SQLITE_STATIC);
    return run(statement);
}

int store_delete(struct store *store, const char *region, const char *kind, const char *key)
{
    sqlite3_stmt *statement = store->prepared[DELETE];
    bind_text(statement, 1, region);
    bind_text(statement, 2, kind);
    bind_text(statement, 3, key);
    return run(statement);
}

int store_each(struct store *store, const char *kind, store_each_fn *each, void *arg)
{
    sqlite3_stmt *statement = store->prepared[EACH];
    bind_text(statement, 1, kind);
    int code, r = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && r == 0)
        r = each(arg, (const char *)sqlite3_column_text(statement, 0),
                 (const char *)sqlite3_column_text(statement, 1),
                 (const char *)sqlite3_column_text(statement, 2), (size_t)sqlite3_column_bytes(statement, 2));
    if (r == 0 && code != SQLITE_DONE)
        r = errno_of(code);
    sqlite3_reset(statement);
    return r;
}

int store_blob_append(struct store *store, const char *name, const void *data, size_t len)
{
    sqlite3_stmt *statement = store->prepared[BLOB_APPEND];
    bind_text(statement, 1, name);
    sqlite3_bind_blob64(statement, 2, len ? data : "", len, SQLITE_STATIC);
    return run(statement);
}

int64_t store_blob_size(struct store *store, const char *name)
{
    sqlite3_stmt *statement = store->prepared[BLOB_SIZE];
    bind_text(statement, 1, name);
    int64_t size = -ENOENT;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        size = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return size;
}

int64_t store_blob_read(struct store *store, const char *name, int64_t offset, void *data, size_t size)
{
    sqlite3_stmt *statement = store->prepared[BLOB_READ];
    bind_text(statement, 1, name);
    sqlite3_bind_int64(statement, 2, offset);
    sqlite3_bind_int64(statement, 3, (int64_t)size);
    int code = sqlite3_step(statement);
    int64_t len = code == SQLITE_DONE ? 0 : errno_of(code);
    if (code == SQLITE_ROW) {
        len = sqlite3_column_bytes(statement, 0);
        if (len > 0)
            memcpy(data, sqlite3_column_blob(statement, 0), (size_t)len);
    }
    sqlite3_reset(statement);
    return len;
}

int store_blob_rename(struct store *store, const char *from, const char *to)
{
    sqlite3_stmt *statement = store->prepared[BLOB_RENAME];
    bind_text(statement, 1, from);
    bind_text(statement, 2, to);
    return run(statement);
}

int store_blob_delete(struct store *store, const char *name)
{
    sqlite3_stmt *statement = store->prepared[BLOB_DELETE];
    bind_text(statement, 1, name);
    return run(statement);
}

int store_blob_delete_all(struct store *store, const char *prefix)
{
    sqlite3_stmt *statement = store->prepared[BLOB_DELETE_ALL];
    bind_text(statement, 1, prefix);
    return run(statement);
}
