/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_world.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "tree/tree_private.h"
#include "tree_account.h"

bool (*world_guard)(bool in);

bool world_enter(bool in)
{
    return world_guard != NULL && world_guard(in);
}

/* ---- the backend ---- */

static void submit(struct ecs_backend *backend, struct ecs_call *call)
{
    struct world *world = (struct world *)backend;
    bool was_in = world_enter(false);
    ck_assert_uint_lt(world->queued, WORLD_CALLS);
    world->queue[world->queued++] = call;
    call->sent_ms = world->clock.now;
    json_t *count = json_object_get(world->counts, call->operation);
    json_object_set_new(world->counts, call->operation, json_integer(json_integer_value(count) + 1));
    json_object_set_new(world->last, call->operation, json_loads(call->body, 0, NULL));
    world_enter(was_in);
}

static void go_home(struct ecs_call *call)
{
    ecs_mailbox_post(call->home, &call->letter);
}

static void send_home(struct world *world, struct ecs_call *call)
{
    for (size_t i = 0; i < world->queued; i++)
        if (world->queue[i] == call) {
            memmove(&world->queue[i], &world->queue[i + 1], (--world->queued - i) * sizeof(*world->queue));
            call->error = ecs_error_new(-ECANCELED, "Cancelled", "cancelled");
            go_home(call);
            return;
        }
}

/* A changing call that was sent is not cut off. */
static void cancel(struct ecs_backend *backend, struct ecs_call *call)
{
    bool was_in = world_enter(false);
    if (!call->writing)
        send_home((struct world *)backend, call);
    world_enter(was_in);
}

static void status(struct ecs_backend *backend, struct ecs_backend_status *ret_status)
{
    *ret_status = (struct ecs_backend_status){.region = "eu-west-1", .reachable = true};
}

static int start(struct ecs_backend *backend)
{
    return 0;
}

static void stop(struct ecs_backend *backend)
{
    struct world *world = (struct world *)backend;
    while (world->queued > 0)
        send_home(world, world->queue[0]);
}

static struct ecs_error *refusal(struct world *world, const struct ecs_call *call, const char *code,
                                 const char *message)
{
    return ecs_error_from_aws(call->operation, 400, code, message, "req-1", call->writing);
}

static void answer(struct world *world, struct ecs_call *call)
{
    if (call->download && account_download != NULL) {
        account_download(call);
        go_home(call);
        return;
    }
    const char *code = NULL, *message = NULL;
    if (world->fail_operation != NULL && strcmp(world->fail_operation, call->operation) == 0) {
        call->error = ecs_error_from_aws(call->operation, world->fail_status, world->fail_code,
                                         world->fail_message, "req-2", call->writing);
        world->fail_operation = NULL;
        go_home(call);
        return;
    }
    json_t *input = json_loads(call->body, 0, NULL);
    json_t *shared = NULL;
    if (input == NULL)
        code = "SerializationException";
    else
        shared = account_answer(world->account, call->operation, input, &code, &message);
    json_t *reply = shared != NULL ? json_deep_copy(shared) : NULL;
    json_decref(shared);
    json_decref(input);
    if (reply == NULL)
        call->error = refusal(world, call, code, message);
    else if (call->digest != NULL)
        call->error = call->digest(call, reply);
    json_decref(reply);
    go_home(call);
}

/* ---- the kernel ---- */

static void note(struct world *world, const char *what, uint64_t ino, const char *name)
{
    bool was_in = world_enter(false);
    cleanup_buf struct ecs_buf path = ECS_BUF(4096);
    struct fs_inode *inode = fs_inode_find(world->tree, ino);
    if (inode != NULL)
        fs_inode_path(inode, NULL, &path);
    size_t len = strlen(world->told);
    snprintf(world->told + len, sizeof(world->told) - len, "%s %s%s%s\n", what, path.data ? path.data : "?",
             name ? " " : "", name ? name : "");
    world_enter(was_in);
}

static void inval_inode(void *arg, uint64_t ino, bool attr_only)
{
    note(arg, "inode", ino, NULL);
}

static void inval_entry(void *arg, uint64_t parent, const char *name)
{
    note(arg, "entry", parent, name);
}

/* ---- the world ---- */

void world_init(struct world *world, const struct fs_options *options)
{
    memset(world, 0, sizeof(*world));
    world->backend = (struct ecs_backend){
        .name = "fake", .submit = submit, .cancel = cancel, .status = status, .start = start, .stop = stop};
    ecs_manual_clock_init(&world->clock, 1000000, 1700003600000);
    world->account = account_new();
    world->counts = json_object();
    world->last = json_object();
    struct fs_options plain = {.source = "fake", .options = "rw", .uid = 1000, .gid = 1000, .stale_ms = 5000};
    if (options != NULL)
        plain = *options;
    plain.clock = &world->clock.clock;
    struct fs_kernel kernel = {inval_inode, inval_entry, world};
    world->tree = fs_tree_new(&plain, &kernel);
    ck_assert_ptr_nonnull(world->tree);
    struct ecs_cache_options cache = {.stale_ms = plain.stale_ms,
                                      .grace_ms = 1000,
                                      .settle_ms = 10000,
                                      .in_flight = 10,
                                      .clock = &world->clock.clock};
    world->cache = ecs_cache_new(&world->backend, &cache, fs_tree_changed, world->tree);
    ck_assert_ptr_nonnull(world->cache);
    fs_tree_start(world->tree, world->cache, &world->backend);
}

void world_free(struct world *world)
{
    stop(&world->backend);
    ecs_cache_pump(world->cache);
    stop(&world->backend); /* what the pump sent out */
    world->tree = fs_tree_free(world->tree);
    world->cache = ecs_cache_free(world->cache);
    json_decref(world->account);
    json_decref(world->counts);
    json_decref(world->last);
}

static void answer_all(struct world *world)
{
    ecs_cache_pump(world->cache);
    while (!world->hung && world->queued > 0) {
        struct ecs_call *call = world->queue[0];
        memmove(&world->queue[0], &world->queue[1], --world->queued * sizeof(*world->queue));
        answer(world, call);
        if (world->queued == 0)
            ecs_cache_pump(world->cache);
    }
}

/* What is on its way comes home before the time passes. */
void world_step(struct world *world, int64_t by_ms)
{
    answer_all(world);
    ecs_manual_clock_step(&world->clock, by_ms);
    ecs_cache_pump(world->cache);
    fs_tree_tick(world->tree);
}

int world_calls(const struct world *world, const char *operation)
{
    if (operation != NULL)
        return (int)json_integer_value(json_object_get(world->counts, operation));
    int sum = 0;
    const char *key;
    json_t *count;
    json_object_foreach(world->counts, key, count) sum += (int)json_integer_value(count);
    return sum;
}

void world_forget_counts(struct world *world)
{
    json_object_clear(world->counts);
    world->told[0] = '\0';
}

static json_t *prod(struct world *world)
{
    return json_object_get(json_object_get(world->account, "clusters"), "prod");
}

json_t *world_service(struct world *world, const char *name)
{
    return json_object_get(json_object_get(prod(world), "services"), name);
}

json_t *world_task(struct world *world, const char *id)
{
    return json_object_get(json_object_get(prod(world), "tasks"), id);
}

/* ---- requests ---- */

static void wake(struct ecs_want *want)
{
    container_of(container_of(want, struct fs_request, want), struct world, rq)->woken = true;
}

void world_begin(struct world *world)
{
    ck_assert_ptr_null(world->rq.progress);
    bool peek = world->rq.peek;
    world->rq = (struct fs_request){.want = {.since_ms = world->clock.now, .wake = wake},
                                    .uid = 1000,
                                    .gid = 1000,
                                    .pid = 4242,
                                    .peek = peek};
    world->woken = false;
}

/* Answers until the request is woken, however many rounds of calls that takes. */
bool world_again(struct world *world, int r)
{
    if (r != FS_PARKED || world->rq.peek)
        return false;
    for (int round = 0; !world->woken && round < 1000; round++) {
        answer_all(world);
        if (!world->woken && fs_tree_timeout_ms(world->tree) > 0)
            world_step(world, fs_tree_timeout_ms(world->tree));
        if (world->hung)
            break;
    }
    bool woken = world->woken;
    world->woken = false;
    return woken;
}

int world_end(struct world *world, struct fs_inode *inode, int r)
{
    if (r == FS_PARKED && !world->rq.peek) {
        fs_request_interrupt(world->tree, &world->rq);
        return -EBUSY;
    }
    return r == FS_PARKED ? r : fs_request_end(world->tree, &world->rq, inode, r);
}

struct fs_inode *world_at(struct world *world, const char *path, int *ret_error)
{
    struct fs_inode *inode = fs_inode_find(world->tree, 1);
    cleanup_free char *copy = strdup(path);
    char *save = NULL;
    *ret_error = 0;
    for (char *name = strtok_r(copy, "/", &save); name != NULL; name = strtok_r(NULL, "/", &save)) {
        struct fs_inode *child;
        int64_t valid_ms;
        int r = WORLD_RUN(world, inode, fs_lookup(world->tree, &world->rq, inode, name, &child, &valid_ms));
        if (r != 0) {
            *ret_error = r;
            return NULL;
        }
        if (child->nlookup == 0)
            fs_remember(world->tree, child);
        inode = child;
    }
    return inode;
}

int world_lookup(struct world *world, const char *path)
{
    int r;
    world_at(world, path, &r);
    return r;
}

int world_stat(struct world *world, const char *path, struct fs_attr *ret_attr)
{
    int r;
    struct fs_inode *inode = world_at(world, path, &r);
    return inode == NULL ? r : WORLD_RUN(world, inode, fs_getattr(world->tree, &world->rq, inode, ret_attr));
}

const char *world_cat(struct world *world, const char *path)
{
    static char text[WORLD_TEXT];
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    int r;
    size_t at = 0;
    struct fs_inode *inode = world_at(world, path, &r);
    if (inode != NULL)
        r = WORLD_RUN(world, inode, fs_open(world->tree, &world->rq, inode, O_RDONLY, &handle, &hints));
    while (handle != NULL && r == 0) {
        const char *data;
        size_t len;
        r = WORLD_RUN(world, inode, fs_read(world->tree, &world->rq, handle, 4096, (off_t)at, &data, &len));
        if (r != 0 || len == 0)
            break;
        ck_assert_uint_lt(at + len, sizeof(text));
        memcpy(text + at, data, len);
        at += len;
    }
    text[at] = '\0';
    if (handle != NULL)
        fs_release(world->tree, handle);
    errno = -r;
    return r == 0 ? text : NULL;
}

int world_write(struct world *world, const char *path, const char *text)
{
    struct fs_handle *handle = NULL;
    struct fs_open_hints hints;
    int r;
    struct fs_inode *inode = world_at(world, path, &r);
    if (inode == NULL)
        return r;
    r = WORLD_RUN(world, inode, fs_open(world->tree, &world->rq, inode, O_WRONLY | O_TRUNC, &handle, &hints));
    if (r != 0)
        return r;
    if (text[0] != '\0')
        r = WORLD_RUN(world, inode, fs_write(world->tree, &world->rq, handle, text, strlen(text), 0));
    int flushed = WORLD_RUN(world, inode, fs_flush(world->tree, &world->rq, handle));
    fs_release(world->tree, handle);
    return r != 0 ? r : flushed;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct fs_dirent *)a)->name, ((const struct fs_dirent *)b)->name);
}

static struct fs_dir *read_dir(struct world *world, struct fs_inode *inode, int *ret_error)
{
    struct fs_dir *dir = NULL;
    *ret_error = WORLD_RUN(world, inode, fs_readdir(world->tree, &world->rq, inode, &dir));
    if (dir != NULL && dir->len > 0)
        qsort(dir->entries, dir->len, sizeof(*dir->entries), by_name);
    return dir;
}

const char *world_ls(struct world *world, const char *path)
{
    static char text[WORLD_TEXT];
    int r;
    struct fs_inode *inode = world_at(world, path, &r);
    struct fs_dir *dir = inode != NULL ? read_dir(world, inode, &r) : NULL;
    text[0] = '\0';
    for (size_t i = 0, at = 0; dir != NULL && i < dir->len; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", dir->entries[i].name);
    fs_dir_free(dir);
    errno = -r;
    return r == 0 ? text : NULL;
}

const char *world_readlink(struct world *world, const char *path)
{
    static char text[4096];
    int r;
    struct fs_inode *inode = world_at(world, path, &r);
    cleanup_buf struct ecs_buf target = ECS_BUF(sizeof(text) - 1);
    if (inode != NULL)
        r = WORLD_RUN(world, inode, fs_readlink(world->tree, &world->rq, inode, &target));
    snprintf(text, sizeof(text), "%s", target.len > 0 ? target.data : "");
    errno = -r;
    return r == 0 ? text : NULL;
}

const char *world_xattr(struct world *world, const char *path, const char *name)
{
    static char text[4096];
    int r;
    struct fs_inode *inode = world_at(world, path, &r);
    cleanup_buf struct ecs_buf value = ECS_BUF(sizeof(text) - 1);
    if (inode != NULL)
        r = WORLD_RUN(world, inode, fs_getxattr(world->tree, &world->rq, inode, name, &value));
    snprintf(text, sizeof(text), "%s", value.len > 0 ? value.data : "");
    errno = -r;
    return r == 0 ? text : NULL;
}

int world_walk(struct world *world, const char *path, bool read)
{
    int r, count = 0;
    struct fs_inode *inode = world_at(world, path, &r);
    ck_assert_msg(inode != NULL, "%s: %s", path, strerror(-r));
    struct fs_dir *dir = read_dir(world, inode, &r);
    ck_assert_msg(dir != NULL, "%s: %s", path, strerror(-r));
    for (size_t i = 0; i < dir->len; i++) {
        char child[4096];
        struct fs_attr attr;
        snprintf(child, sizeof(child), "%s/%s", path, dir->entries[i].name);
        r = world_stat(world, child, &attr);
        ck_assert_msg(r == 0, "%s: %s", child, strerror(-r));
        ck_assert_uint_eq(attr.st.st_ino, dir->entries[i].ino);
        ck_assert_uint_eq(attr.st.st_mode & S_IFMT, dir->entries[i].type);
        count++;
        if (S_ISDIR(attr.st.st_mode))
            count += world_walk(world, child, read);
        if (S_ISREG(attr.st.st_mode) && read) {
            const char *text = world_cat(world, child);
            ck_assert_msg(text != NULL, "%s: %s", child, strerror(errno));
            if (attr.st.st_size > 0)
                ck_assert_msg((size_t)attr.st.st_size == strlen(text), "%s: size %ld, text %zu", child,
                              (long)attr.st.st_size, strlen(text));
        }
    }
    fs_dir_free(dir);
    return count;
}
