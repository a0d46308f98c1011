/* SPDX-License-Identifier: Apache-2.0 */
/* A save: the text is read, compared with what AWS says now, and becomes the fewest calls; in runs, for
 * each question and each call may have to wait. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "changes/change.h"
#include "document.h"
#include "ecsfs/cleanup.h"
#include "staging/local.h"
#include "tree/show.h"

struct saving {
    struct fs_tree *tree;
    struct fs_inode *inode;   /* referenced */
    struct fs_staged *staged; /* the inode's, as long as the turn is taken */
    struct fs_turn turn;
    const struct fs_document *document;
    char *text;
    size_t len;
    json_t *wanted;
    bool planned;
    struct fs_plan plan;
    size_t next; /* call */
    int step;    /* of a commit */
    char token[FS_TOKEN_TEXT];
    char *seen;                 /* the revision this mount last knew, where a save makes the next one */
    struct fs_pending *pending; /* of the call under way */
    fs_judge_fn *judge;         /* NULL once it was told */
    void *judge_arg;
};

/* ---- calls that outlive their request ---- */

struct fs_pending *fs_pending_new(void)
{
    struct fs_pending *pending = calloc(1, sizeof(*pending));
    if (pending)
        pending->refs = 1;
    return pending;
}

struct fs_pending *fs_pending_unref(struct fs_pending *pending)
{
    if (pending && --pending->refs == 0)
        free(pending);
    return NULL;
}

static void call_finished(struct ecs_action *action, const struct ecs_error *error)
{
    struct fs_pending *pending = action->arg;
    pending->done = true;
    fs_pending_unref(pending);
}

/* An earlier save of this file whose call is still out: its outcome decides what is there to change. */
static int wait_for_earlier(struct fs_view *view, struct fs_staged *staged)
{
    if (!staged->pending)
        return 0;
    if (!staged->pending->done)
        return fs_sleep_until(view->tree, view->rq, fs_now_ms(view->tree) + FS_PENDING_POLL_MS);
    staged->pending = fs_pending_unref(staged->pending);
    return 0;
}

/* ---- what a request remembers ---- */

static void tell_judge(struct saving *saving, int err)
{
    fs_judge_fn *judge = saving->judge;
    saving->judge = NULL;
    if (judge)
        judge(saving->judge_arg, err);
}

/* The request was interrupted while a call is out: the next save of this file must know. */
static void leave_pending(struct saving *saving)
{
    if (saving->turn.taken && saving->pending && !saving->pending->done) {
        fs_pending_unref(saving->staged->pending);
        saving->staged->pending = steal(saving->pending);
    }
}

static void end_turn(struct saving *saving)
{
    fs_turn_end(saving->tree, saving->staged, &saving->turn);
    fs_staged_settle(saving->inode);
}

/* ---- refusals ---- */

static void set_error(struct fs_request *rq, struct ecs_error *error)
{
    struct fs_progress *progress = fs_progress(rq);
    if (!progress)
        return;
    ecs_error_ref(error);
    ecs_error_unref(progress->error);
    progress->error = error;
}

/* Verdicts on the content itself; everything else may be otherwise a moment later. What a document names and
 * AWS does not find (CreateService: "TaskDefinition not found.") may be made in between. */
static bool is_verdict(const struct ecs_error *error)
{
    return error->err == -EINVAL && (error->http_status == 0 || error->http_status / 100 == 4) &&
           !strcasestr(error->message, "not found") && !strcasestr(error->message, "not exist");
}

int fs_keep_rejected(struct fs_view *view, const char *text, size_t len, struct ecs_error *error)
{
    cleanup_buf struct ecs_buf label = ECS_BUF(1024);
    const struct fs_staged *staged = fs_staged_of(view->inode);
    ecs_buf_addf(&label, "%s%s%s", view->parent ? view->parent->name : "", view->parent ? "-" : "",
                 view->name);
    if (label.failed)
        return error->err;
    struct fs_rejection rejection = {
        .ino = view->inode->ino,
        .label = label.data,
        .text = text,
        .len = len,
        .error = error,
        .remember = is_verdict(error),
        .open = staged && staged->writings.newest,
        .now_ms = fs_now_ms(view->tree),
        .wall_ms = fs_wall_ms(view->tree),
    };
    fs_rejected_add(&view->tree->overlay->rejected, &rejection);
    return error->err;
}

/* The user hears of it, and the text is kept. */
static int refuse(struct fs_view *view, const char *text, size_t len, int r)
{
    struct fs_progress *progress = fs_progress(view->rq);
    if (!progress)
        return -ENOMEM;
    if (!progress->error && view->rq->want.error)
        set_error(view->rq, view->rq->want.error);
    if (!progress->error)
        fs_fail(view->rq, r, "NotSaved", "%s could not be saved: %s", view->name, strerror(-r));
    if (progress->error)
        fs_keep_rejected(view, text, len, progress->error);
    return r;
}

int fs_document_refuse(struct fs_view *view, const char *text, size_t len)
{
    json_t *wanted = NULL;
    cleanup_error struct ecs_error *error = NULL;
    fs_document_read(view->node->document, NULL, text, len, &wanted, &error);
    json_decref(wanted);
    if (!error)
        error = ecs_error_new(-EINVAL, "InvalidDocument", "not one JSON object");
    if (fs_progress(view->rq))
        set_error(view->rq, error);
    return refuse(view, text, len, -EINVAL);
}

int fs_document_too_large(struct fs_view *view)
{
    return fs_fail(view->rq, -EFBIG, "DocumentTooLarge",
                   "%s cannot be saved: a document has at most %d bytes", view->name, FS_STAGE_MAX);
}

/* What was meant and not even tried is on record too. */
static void journal_unsent(const struct saving *saving, size_t from)
{
    cleanup_buf struct ecs_buf path = ECS_BUF(8192);
    const struct fs_request *rq = saving->turn.rq;
    fs_inode_path(saving->inode, NULL, &path);
    for (size_t i = from; i < saving->plan.len && !path.failed; i++) {
        struct fs_journal_row row = {.wall_ms = fs_wall_ms(saving->tree),
                                     .uid = rq->uid,
                                     .pid = rq->pid,
                                     .path = path.data,
                                     .operation = saving->plan.calls[i].operation,
                                     .note = "not sent, for the save ended before"};
        fs_journal_add(saving->tree->journal, &row);
    }
    fs_tell_own(saving->tree, "journal");
}

/* A save of several calls: the first failure stops, and what was done is said with it. */
static int refuse_save(struct fs_view *view, struct saving *saving, int r)
{
    struct fs_progress *progress = view->rq->progress;
    if (saving->planned && saving->plan.len > 1 && saving->next < saving->plan.len) {
        cleanup_buf struct ecs_buf calls = ECS_BUF(512);
        fs_plan_describe(&saving->plan, saving->next, "failed", &calls);
        if (progress->error && !calls.failed)
            progress->error = ecs_error_context(progress->error, 0, "%s", calls.data);
        journal_unsent(saving, saving->next + 1);
    }
    return refuse(view, saving->text, saving->len, r);
}

/* Interrupted half way: nobody waits for an answer that could tell. */
static void tell_half_done(const struct saving *saving)
{
    bool out = saving->pending && !saving->pending->done;
    size_t unsent = saving->next + out;
    if (!saving->planned || !saving->turn.taken || unsent >= saving->plan.len || unsent == 0)
        return;
    cleanup_buf struct ecs_buf calls = ECS_BUF(512), path = ECS_BUF(8192);
    fs_plan_describe(&saving->plan, saving->next,
                     out ? "was sent, and the journal tells its outcome" : "was not sent", &calls);
    fs_inode_path(saving->inode, NULL, &path);
    if (!calls.failed && !path.failed) {
        cleanup_error struct ecs_error *error =
            ecs_error_new(-EINTR, "Interrupted", "the save was interrupted: %s", calls.data);
        fs_errors_record(saving->tree, path.data, error, true);
    }
    journal_unsent(saving, unsent);
}

static void free_saving(void *memory)
{
    struct saving *saving = memory;
    tell_half_done(saving);
    leave_pending(saving);
    tell_judge(saving, -EINTR);
    end_turn(saving);
    fs_inode_unref(saving->tree, saving->inode);
    fs_pending_unref(saving->pending);
    fs_plan_free(&saving->plan);
    json_decref(saving->wanted);
    free(saving->seen);
    free(saving->text);
    free(saving);
}

bool fs_saving(const struct fs_request *rq)
{
    return rq->progress && rq->progress->memory_free == free_saving;
}

/* ---- the runs ---- */

static int read_wanted(struct fs_view *view, struct saving *saving)
{
    struct ecs_error *error = NULL;
    int r =
        fs_document_read(saving->document, view->key.id, saving->text, saving->len, &saving->wanted, &error);
    if (r < 0) {
        set_error(view->rq, error);
        ecs_error_unref(error);
    }
    return r;
}

/* ---- somebody else's revision in between ---- */

static void note_seen(struct fs_view *view, struct saving *saving, const struct ecs_key *key)
{
    if (saving->seen || key->kind != ECS_FAMILY || !view->tree->cache)
        return;
    struct ecs_doc *doc = ecs_cache_peek(view->tree->cache, key, NULL);
    const char *revision = doc ? ecs_doc_field(doc, "revision") : NULL;
    saving->seen = revision ? strdup(revision) : NULL;
}

/* Ours comes after it, and the journal names both. */
static void note_overtaken(struct fs_view *view, struct saving *saving, const struct ecs_doc *now)
{
    const char *revision = saving->seen ? ecs_doc_field(now, "revision") : NULL;
    if (!revision || strcmp(revision, saving->seen) == 0)
        return;
    cleanup_buf struct ecs_buf path = ECS_BUF(8192), note = ECS_BUF(1024);
    fs_inode_path(view->inode, NULL, &path);
    ecs_buf_addf(&note, "%s:%s is newer than %s:%s, which was edited; what is saved comes after both",
                 view->key.id, revision, view->key.id, saving->seen);
    if (path.failed || note.failed)
        return;
    struct fs_journal_row row = {
        fs_wall_ms(view->tree), view->rq->uid, view->rq->pid, path.data, "(save)", NULL, NULL, note.data};
    fs_journal_add(view->tree->journal, &row);
    free(saving->seen);
    saving->seen = NULL;
}

/* "Equal" means equal to a describe made now, not to an old one. */
static int ask_now(struct fs_view *view, struct saving *saving, json_t **ret_now)
{
    struct ecs_key key = {saving->document->kind, view->key.parent, view->key.id};
    struct ecs_doc *doc;
    note_seen(view, saving, &key);
    view->rq->want.fetched_after = true;
    int r = fs_view_doc_of(view, &key, &doc);
    view->rq->want.fetched_after = false;
    if (r == -ENOENT) {
        *ret_now = NULL;
        if (fs_draft_around(view) || saving->document->creates)
            return 0;
        return fs_fail(view->rq, -ESTALE, "ResourceGone", "the %s %s is no longer there",
                       saving->document->what, key.id);
    }
    if (r != 0)
        return r;
    note_overtaken(view, saving, doc);
    *ret_now = ecs_doc_tree(doc);
    return *ret_now ? 0 : -ENOMEM;
}

static int make_plan(struct fs_view *view, struct saving *saving)
{
    int r = saving->wanted ? 0 : read_wanted(view, saving);
    if (r == 0)
        r = wait_for_earlier(view, saving->staged);
    json_t *now = NULL;
    if (r == 0)
        r = ask_now(view, saving, &now);
    if (r != 0)
        return r;
    struct fs_draft *draft = fs_draft_around(view);
    if (draft)
        draft->tried = true;
    struct fs_save save = {
        .key = {saving->document->kind, view->key.parent, view->key.id},
        .wanted = saving->wanted,
        .now = now,
        .client_token = saving->token,
        .desired_count = draft ? draft->desired_count : -1,
    };
    struct ecs_error *error = NULL;
    r = saving->document->plan(&save, &saving->plan, &error);
    json_decref(now);
    if (r < 0) {
        set_error(view->rq, error);
        ecs_error_unref(error);
    }
    saving->planned = r == 0;
    return r;
}

static struct ecs_action *make_action(struct saving *saving)
{
    const struct fs_plan_call *call = &saving->plan.calls[saving->next];
    struct ecs_action *action = fs_action(fs_document_service(saving->document), call->operation,
                                          json_incref(call->input), call->effect, &call->key, call->member);
    if (!action)
        return NULL;
    action->beside = call->beside;
    action->id_from_reply = call->id_from_reply;
    action->happened = call->happened;
    return action;
}

/* The call's own reference on what is pending is given back by call_finished, or here if it never left. */
static int start_call(struct fs_view *view, struct saving *saving)
{
    struct ecs_action *action = make_action(saving);
    fs_pending_unref(saving->pending);
    saving->pending = fs_pending_new();
    if (!action || !saving->pending) {
        ecs_action_unhold(action);
        return -ENOMEM;
    }
    saving->pending->refs++;
    action->finished = call_finished;
    action->arg = saving->pending;
    int r = fs_act(view, action);
    if (r != FS_PARKED && !saving->pending->done)
        call_finished(&(struct ecs_action){.arg = saving->pending}, NULL);
    return r;
}

static int run(struct fs_view *view, struct saving *saving)
{
    int r = fs_turn_wait(view, saving->staged, &saving->turn);
    if (r != 0)
        return r;
    if (saving->document->commit) {
        r = saving->wanted ? 0 : read_wanted(view, saving);
        return r == 0 ? saving->document->commit(view, saving->wanted, &saving->step) : r;
    }
    if (fs_acting(view->rq)) {
        r = fs_act_wait(view);
        saving->next += r == 0;
    }
    if (r == 0 && !saving->planned)
        r = make_plan(view, saving);
    while (r == 0 && saving->next < saving->plan.len) {
        r = start_call(view, saving);
        saving->next += r == 0;
    }
    return r;
}

int fs_saving_go_on(struct fs_view *view)
{
    struct saving *saving = view->rq->progress->memory;
    int r = run(view, saving);
    if (r == FS_PARKED)
        return r;
    if (r < 0)
        r = refuse_save(view, saving, r);
    else
        view->rq->progress->succeeded = true;
    if (r == 0 && (saving->plan.len > 0 || saving->document->commit))
        fs_tell_changed(view->tree, view->inode);
    else
        fs_tell_pages(view->tree, view->inode); /* they hold what was written, not what is there */
    tell_judge(saving, r);
    end_turn(saving);
    return r;
}

static struct saving *new_saving(struct fs_view *view, const char *text, size_t len)
{
    struct saving *saving = calloc(1, sizeof(*saving));
    char *copy = malloc(len + 1);
    struct fs_staged *staged = saving && copy ? fs_staged_get(view->inode) : NULL;
    if (!staged) {
        free(saving);
        free(copy);
        return NULL;
    }
    memcpy(copy, text ? text : "", len);
    copy[len] = 0;
    saving->tree = view->tree;
    saving->inode = fs_inode_ref(view->inode);
    saving->staged = staged;
    fs_turn_take(staged, &saving->turn, view->rq);
    saving->document = view->node->document;
    saving->text = copy;
    saving->len = len;
    fs_change_token(saving->token);
    return saving;
}

static int judge_now(int r, fs_judge_fn *judge, void *arg)
{
    if (judge)
        judge(arg, r);
    return r;
}

int fs_document_save(struct fs_view *view, const char *text, size_t len, fs_judge_fn *judge, void *arg)
{
    struct fs_rejected *rejected = &view->tree->overlay->rejected;
    if (len > FS_STAGE_MAX)
        return judge_now(fs_document_too_large(view), judge, arg);
    struct ecs_error *before = fs_rejected_find(rejected, view->inode->ino, text, len, fs_now_ms(view->tree));
    if (before) {
        set_error(view->rq, before);
        fs_tell_pages(view->tree, view->inode);
        return judge_now(before->err, judge, arg);
    }
    struct fs_progress *progress = fs_progress(view->rq);
    struct saving *saving = progress ? new_saving(view, text, len) : NULL;
    if (!saving)
        return judge_now(-ENOMEM, judge, arg);
    saving->judge = judge;
    saving->judge_arg = arg;
    progress->memory = saving;
    progress->memory_free = free_saving;
    return fs_saving_go_on(view);
}
